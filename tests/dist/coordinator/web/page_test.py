#!/usr/bin/python3
"""page_test.py FIXTURE OUT: the coordinator's page in a real browser. Screenshots are left in OUT."""
import json
import os
import shutil
import subprocess
import sys
import urllib.parse

sys.dont_write_bytecode = True
from browser import Browser


class Fixture:
    """The coordinator: tests/dist/coordinator/web/page_fixture.cc."""

    def __init__(self, program, *arguments):
        self.process = subprocess.Popen([program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        where = json.loads(self.process.stdout.readline())
        self.url, self.token = where["url"], where["token"]
        self.state = json.loads(self.process.stdout.readline())

    def order(self, line):
        print(line, file=self.process.stdin, flush=True)
        self.state = json.loads(self.process.stdout.readline())
        return self.state

    def close(self):
        self.process.kill()
        self.process.wait()


def text_of(selector):
    return f"document.querySelector({json.dumps(selector)})?.textContent ?? ''"


def says(selector, text):
    return f"({text_of(selector)}).includes({json.dumps(text)})"


def same(page, selector, text):
    page.wait_for(f"({text_of(selector)}) === {json.dumps(text)}", f"{selector} says {text}")


def shows_state(page, state):
    """The page says what the reports added up to."""
    page.wait_for(says(".far", f"Epoch {state['epoch']} of 15"), "the epoch in progress")
    page.wait_for(says(".far", f"step {state['step']:,} of"), "the step")
    same(page, ".tile:nth-child(1) dd", f"{state['loss']:.4f}")
    same(page, ".tile:nth-child(2) dd", f"{100 * state['accuracy']:.2f} %")
    same(page, ".tile:nth-child(3) dd", f"{100 * state['test']:.2f} %")


def points(page, chart, dataset):
    """How many points a curve has."""
    return page.run(f"Chart.getChart(document.querySelectorAll('canvas')[{chart}]).data.datasets[{dataset}].data.length")


def no_overflow(page, what):
    wide = page.run("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{what} is {wide} px too wide"


def lists_runs(page, fixture, out):
    page.look(1280, 800)
    page.call("Page.navigate", url=fixture.url)
    page.wait_for("document.querySelectorAll('.run').length === 4", "four runs")
    page.wait_for(says("#connection", "Live"), "a live connection")
    names = page.run("[...document.querySelectorAll('.run strong')].map((name) => name.textContent)")
    assert names == ["mnist", "mnist-stopped", "mnist-batch-512", "fashion-baseline"], names
    states = page.run("[...document.querySelectorAll('.run .badge')].map((badge) => badge.textContent)")
    assert states == ["training", "stopped", "failed", "finished"], states
    page.screenshot(f"{out}/runs-light.png")
    page.look(375, 812, dark=True, phone=True)
    no_overflow(page, "the list of runs on a phone")
    page.screenshot(f"{out}/runs-phone-dark.png")
    page.look(1280, 800)


def shows_one_run(page, fixture):
    page.run("document.querySelector('.run').click()")
    same(page, "h1", "mnist training")
    shows_state(page, fixture.state)
    page.wait_for("document.querySelectorAll('tbody')[1].rows.length === 7", "seven finished epochs")
    page.wait_for("document.querySelectorAll('tbody')[0].rows.length === 4", "four ranks")
    page.wait_for(says("tbody tr:nth-child(4)", "slower"), "the straggler is named")
    page.wait_for(says(".events", "is the disk busy?"), "the events")
    assert points(page, 0, 0) > 100 and points(page, 0, 1) == 7 and points(page, 1, 2) == 7
    assert page.run("document.title").startswith("49 % · mnist"), page.run("document.title")


def follows_live(page, fixture):
    before = fixture.state["step"]
    shows_state(page, fixture.order("steps 50"))
    shows_state(page, fixture.order("steps 400"))
    assert fixture.state["epoch"] == 8 or fixture.state["step"] == before + 450
    page.wait_for("document.querySelectorAll('tbody')[1].rows.length === 8", "the eighth epoch has been finished")
    page.wait_for("Chart.getChart(document.querySelector('canvas')).data.datasets[1].data.length === 8",
                  "the eighth point of the curve")


def takes_all_pictures(page, out):
    for name, width, height, dark, phone in [("light", 1400, 900, False, False), ("dark", 1400, 900, True, False),
                                             ("phone-light", 375, 812, False, True), ("phone-dark", 375, 812, True, True)]:
        page.look(width, height, dark, phone)
        page.run("new Promise((done) => setTimeout(done, 300))")
        no_overflow(page, name)
        page.screenshot(f"{out}/run-{name}.png")
    page.look(1280, 712)
    page.screenshot(f"{out}/readme.png", whole=False)


def works_by_keyboard(page):
    """What Tab reaches has a name and a visible focus."""
    nameless = page.run("""[...document.querySelectorAll('a, button, input, [tabindex="0"], [role=progressbar]')]
      .filter((element) => !(element.textContent.trim() || element.getAttribute('aria-label') || element.labels?.length))
      .map((element) => element.outerHTML)""")
    assert nameless == [], nameless
    order = page.run("document.querySelectorAll('[tabindex]:not([tabindex=\"0\"]):not([tabindex=\"-1\"])').length")
    assert order == 0
    assert page.run("document.documentElement.lang") == "en"


def stops_only_with_token(page, fixture):
    stop = "document.querySelector('.run-head button')"
    assert page.run(f"{stop}.hidden") is True
    page.run("document.getElementById('access').click()")
    page.run("document.getElementById('token-text').value = 'a-token-that-is-wrong'")
    page.run("document.querySelector('#token form').requestSubmit()")
    page.wait_for(says("#token-error", "not the coordinator"), "a wrong token is refused")
    assert page.run(f"{stop}.hidden") is True
    page.run(f"document.getElementById('token-text').value = '{fixture.token}'")
    page.run("document.querySelector('#token form').requestSubmit()")
    page.wait_for(f"{stop}.hidden === false", "the stop button")
    page.run(f"{stop}.click()")
    page.run("document.getElementById('stop-reason').value = '<img src=x onerror=alert(1)> enough'")
    page.run("document.querySelector('#stop form').requestSubmit()")
    same(page, "h1 .badge", "stopping")
    page.wait_for(says(".events", "<img src=x onerror=alert(1)> enough"), "the reason, as text")
    assert page.run("document.querySelectorAll('.events img').length") == 0
    assert page.run("localStorage.length") == 0 and fixture.token not in page.run("location.href")


def recovers(page, fixture, program):
    """The coordinator is killed, and is back at the same address."""
    fixture.close()
    page.wait_for(says("#connection", "Connection lost, trying again"), "that the connection is lost")
    assert page.run("document.querySelector('h1').textContent").startswith("mnist"), "what was known stays"
    again = Fixture(program, urllib.parse.urlparse(fixture.url).netloc)
    page.wait_for(says("#connection", "Live"), "a live connection again")
    shows_state(page, again.order("steps 3"))
    return again


def main():
    program, out = sys.argv[1:]
    if not shutil.which("chromium"):
        print("skipped: chromium is not here")
        sys.exit(77)
    os.makedirs(out, exist_ok=True)
    fixture = Fixture(program)
    page = Browser()
    try:
        lists_runs(page, fixture, out)
        shows_one_run(page, fixture)
        follows_live(page, fixture)
        takes_all_pictures(page, out)
        works_by_keyboard(page)
        quiet = [complaint for complaint in page.complaints]
        assert quiet == [], f"the console says: {quiet}"
        stops_only_with_token(page, fixture)
        fixture = recovers(page, fixture, program)
        elsewhere = [url for url in page.requests if not url.startswith(fixture.url) and not url.startswith("about:")]
        assert elsewhere == [], f"asked of others: {elsewhere}"
        assert fixture.token not in " ".join(page.requests)
        print(f"seen: {len(page.requests)} requests, all to {fixture.url}")
    finally:
        page.close()
        fixture.close()


if __name__ == "__main__":
    main()
