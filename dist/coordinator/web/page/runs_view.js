// All runs, those that go on first.
import { el, progressBar, setText } from "./dom.js";
import * as f from "./format.js";

/** One run's line. */
class Card {
  constructor(name) {
    this.badge = el("span", { class: "badge" });
    this.recipe = el("span", { class: "muted" });
    this.progress = progressBar(`Progress of ${name}`);
    this.where = el("span", { class: "muted" });
    this.figures = Array.from({ length: 4 }, () => {
      const label = el("span", { class: "label" });
      const value = el("span", { class: "value" });
      return { label, value, element: el("span", { class: "figure" }, label, value) };
    });
    this.element = el("li", {}, el("a", { class: "card run", href: `#/run/${name}` },
      el("span", { class: "name" }, el("span", { class: "title" }, el("strong", {}, name), this.badge), this.recipe),
      el("span", { class: "how-far" }, this.progress.bar, this.where),
      ...this.figures.map((figure) => figure.element)));
  }

  show(run) {
    const state = f.stateOf(run);
    const goingOn = f.isGoingOn(run);
    setText(this.badge, f.doing(run));
    this.badge.dataset.state = state;
    setText(this.recipe, `${run.spec.model} on ${run.spec.dataset}`);
    this.progress.set(f.progressOf(run), state);
    setText(this.where, `epoch ${f.count(run.epoch)} of ${f.count(run.spec.epochs)}, step ${f.count(run.step)}`);
    // Of one that goes on, the training now; of one that has ended, its last test.
    const sums = !goingOn ? run.lastEpoch?.test
               : f.loss(run.epochSoFar) !== undefined ? run.epochSoFar : run.lastEpoch?.train;
    const texts = [
      [goingOn ? "Loss" : "Test loss", f.lossText(f.loss(sums))],
      [goingOn ? "Accuracy" : "Test accuracy", f.percentText(f.accuracy(sums))],
      ["Images/s", run.imagesPerSecond > 0 ? f.count(run.imagesPerSecond) : f.kNone],
      goingOn ? ["Remaining", f.spanText(f.seconds(run.remaining))] : ["Ended", f.timeText(run.endTime)],
    ];
    texts.forEach(([label, value], i) => {
      setText(this.figures[i].label, label);
      setText(this.figures[i].value, value);
    });
  }
}

export class RunsView {
  constructor() {
    this.cards = new Map();
    this.runs = new Map();
    this.going = el("ul", { class: "runs" });
    this.ended = el("ul", { class: "runs" });
    this.nobody = el("p", { class: "card empty" }, "No run goes on. Start one with ", el("code", {}, "convoy train"), ".");
    this.endedSection = el("section", {}, el("h2", {}, "Ended"), this.ended);
    this.element = el("div", {}, el("h1", { class: "unseen" }, "Runs"),
                      el("section", {}, el("h2", {}, "Going on"), this.nobody, this.going), this.endedSection);
  }

  get path() {
    return "api/watch";
  }

  get title() {
    return "Runs";
  }

  onEvent(name, data) {
    if (name === "runs") {
      this.runs.clear();
      for (const run of data.runs) {
        this.runs.set(run.run, run);
      }
    } else if (name === "run") {
      this.runs.set(data.run, data);
    } else if (name === "gone") {
      this.runs.delete(data.run);
    }
    this.render();
  }

  render() {
    const newest = [...this.runs.values()].sort((one, other) => Date.parse(other.createTime) - Date.parse(one.createTime));
    this.place(this.going, newest.filter((run) => f.isGoingOn(run)));
    this.place(this.ended, newest.filter((run) => !f.isGoingOn(run)));
    this.nobody.hidden = this.going.childElementCount > 0;
    this.endedSection.hidden = this.ended.childElementCount === 0;
  }

  /** Moves only what is not where it should be: the keyboard's focus stays. */
  place(list, runs) {
    runs.forEach((run, i) => {
      if (!this.cards.has(run.run)) {
        this.cards.set(run.run, new Card(run.run));
      }
      const card = this.cards.get(run.run);
      card.show(run);
      if (list.children[i] !== card.element) {
        list.insertBefore(card.element, list.children[i] ?? null);
      }
    });
    while (list.childElementCount > runs.length) {
      list.lastElementChild.remove();
    }
  }

  close() {}
}
