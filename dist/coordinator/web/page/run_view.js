// One run: where it stands, its curves, ranks, epochs and events.
import * as api from "./api.js";
import { Curves } from "./curves.js";
import { el, progressBar, setText, table } from "./dom.js";
import * as f from "./format.js";

const kPoints = 500;
const kRanks = 256;
const kEvents = 50;
const kRefreshMs = 1000;

export class RunView {
  constructor(name, { onStop, mayStop }) {
    this.name = name;
    this.base = `api/runs/${encodeURIComponent(name)}`;
    this.mayStop = mayStop;
    this.leaving = new AbortController();
    this.stale = new Set(["steps", "epochs", "ranks", "events"]);
    this.data = { steps: [], epochs: [], ranks: [], events: [] };
    this.build(onStop);
  }

  get path() {
    return `${this.base}/watch`;
  }

  get title() {
    return this.run ? `${(100 * f.progressOf(this.run)).toFixed(0)} % · ${this.name}` : this.name;
  }

  build(onStop) {
    this.badge = el("span", { class: "badge", role: "status" });
    this.recipe = el("p", { class: "muted" });
    this.reason = el("p", { class: "reason", hidden: true });
    this.stop = el("button", { type: "button", class: "danger", hidden: true, click: () => onStop(this.name) }, "Stop run");
    this.progress = progressBar("Progress");
    this.where = el("strong", {});
    this.remaining = el("span", { class: "muted" });
    const tile = (label) => {
      const value = el("dd", {});
      const note = el("dd", { class: "note" });
      return { value, note, element: el("div", { class: "card tile" }, el("dt", {}, label), value, note) };
    };
    this.tiles = { loss: tile("Training loss"), accuracy: tile("Training accuracy"), test: tile("Test accuracy"),
                   speed: tile("Images/s"), time: tile("Time"), ranks: tile("Ranks") };
    this.charts = el("div", { class: "charts" });
    this.ranks = el("tbody", {});
    this.moreRanks = el("p", { class: "muted" });
    this.epochs = el("tbody", {});
    this.events = el("ol", { class: "events" });
    this.element = el("div", {},
      el("p", { class: "back" }, el("a", { href: "#/" }, "All runs")),
      el("div", { class: "run-head" }, el("div", {}, el("h1", {}, this.name, " ", this.badge), this.recipe), this.stop),
      this.reason,
      el("section", { class: "card far", "aria-label": "Progress" },
         el("div", { class: "far-text" }, this.where, this.remaining), this.progress.bar),
      el("dl", { class: "tiles" }, ...Object.values(this.tiles).map((tile) => tile.element)),
      this.charts,
      el("section", { class: "card" }, el("h3", {}, "Ranks"),
         table("Ranks", [["Rank"], ["Host", "wide"], ["Process", "number wide"], ["Step", "number wide"], ["Images/s", "number"],
                         ["Computing + waiting, per step", "work"], ["Heard of", "number"]], this.ranks), this.moreRanks),
      el("div", { class: "pair" },
         el("section", { class: "card" }, el("h3", {}, "Epochs"),
            table("Finished epochs", [["Epoch"], ["Loss", "number"], ["Accuracy", "number"], ["Test loss", "number"],
                                      ["Test accuracy", "number"], ["Images/s", "number wide"], ["Took", "number wide"]], this.epochs)),
         el("section", { class: "card" }, el("h3", {}, "Events"), this.events)));
  }

  buildCharts(spec) {
    const stepsPerEpoch = Math.max(1, Number(spec.stepsPerEpoch));
    const lines = { steps: { label: "steps", colour: "train", fine: true },
                    train: { label: "training", colour: "train" }, test: { label: "test", colour: "test" } };
    this.loss = new Curves("Loss", { lines, text: (y) => String(Number(y.toPrecision(3))), logarithmic: true, stepsPerEpoch });
    this.accuracy = new Curves("Accuracy", { lines, text: (y) => `${Number((100 * y).toFixed(2))} %`, stepsPerEpoch });
    this.speed = new Curves("Speed", { lines: { steps: { label: "images/s", colour: "train", fine: false } },
                                       text: (y) => f.count(y), stepsPerEpoch });
    this.speed.chart.data.datasets[0].pointRadius = 0;
    this.speed.chart.data.datasets[0].borderWidth = 1.5;
    this.speed.element.classList.add("low");
    const box = el("input", { type: "checkbox", checked: true, change: () => this.loss.setLogarithmic(box.checked) });
    this.loss.head.append(el("label", { class: "choice" }, box, "logarithmic"));
    this.charts.replaceChildren(this.loss.element, this.accuracy.element, this.speed.element);
  }

  onEvent(name, data) {
    if (name === "gone") {
      setText(this.badge, "forgotten");
      return;
    }
    const before = this.run;
    this.run = data;
    if (!before) {
      this.buildCharts(data.spec);
    }
    for (const part of ["steps", "ranks", "events"]) {
      this.stale.add(part);
    }
    if (before?.lastEpoch?.epoch !== data.lastEpoch?.epoch || before?.generation !== data.generation) {
      this.stale.add("epochs");
    }
    this.render();
    this.refresh();
  }

  /** Fetches what has changed, not more often than every second and not faster than it is answered. */
  async refresh() {
    if (this.refreshing) {
      return;
    }
    this.refreshing = true;
    try {
      while (this.stale.size > 0 && !this.leaving.signal.aborted) {
        const began = performance.now();
        const parts = [...this.stale];
        this.stale.clear();
        const paths = { steps: `steps?max_points=${kPoints}`, epochs: "epochs", ranks: `ranks?page_size=${kRanks}`,
                        events: `events?page_size=${kEvents}` };
        const answers = await Promise.all(parts.map((part) => api.get(`${this.base}/${paths[part]}`, this.leaving.signal)));
        parts.forEach((part, i) => { this.data[part] = answers[i][part]; });
        parts.forEach((part) => this[`render_${part}`]());
        const took = performance.now() - began;
        await new Promise((resolve) => setTimeout(resolve, Math.max(kRefreshMs, 10 * took)));
      }
    } catch {
      // The stream says so too, and its next event fetches again.
    } finally {
      this.refreshing = false;
    }
  }

  render() {
    const { run } = this;
    const { spec } = run;
    const state = f.stateOf(run);
    const goingOn = f.isGoingOn(run);
    setText(this.badge, f.doing(run));
    this.badge.dataset.state = state;
    const resumed = Number(run.generation) > 1 ? `, start ${run.generation}` : "";
    setText(this.recipe, `${spec.model} on ${spec.dataset}, ${f.count(spec.parameters)} parameters, batch ${f.count(spec.batchSize)}${resumed}`);
    const reason = run.stateReason || (run.waitingFor ? `Waiting for ${run.waitingFor}` : "");
    setText(this.reason, reason);
    this.reason.hidden = !reason;
    this.reason.dataset.state = state;
    this.stop.hidden = !(this.mayStop() && state === "running");

    const fraction = f.progressOf(run);
    this.progress.set(fraction, state);
    setText(this.where, `Epoch ${f.count(run.epoch)} of ${f.count(spec.epochs)}`);
    const left = f.seconds(run.remaining);
    setText(this.remaining, `step ${f.count(run.step)} of ${f.count(spec.steps)} · ${(100 * fraction).toFixed(1)} %` +
            (left === undefined ? "" : ` · ${f.spanText(left)} remaining`));

    const last = run.lastEpoch;
    const current = f.loss(run.epochSoFar) !== undefined && goingOn ? run.epochSoFar : last?.train;
    const of = current === last?.train ? (last ? `epoch ${last.epoch}` : "") : `epoch ${run.epoch} so far`;
    this.fill("loss", f.lossText(f.loss(current)), of);
    this.fill("accuracy", f.percentText(f.accuracy(current)), of);
    this.fill("test", f.percentText(f.accuracy(last?.test)), last ? `loss ${f.lossText(f.loss(last.test))}, epoch ${last.epoch}` : "after the first epoch");
    this.fill("speed", run.imagesPerSecond > 0 ? f.count(run.imagesPerSecond) : f.kNone, `learning rate ${Number(run.learningRate.toPrecision(3))}`);
    this.fill("time", f.spanText(f.secondsBetween(run.startTime, run.endTime ?? run.updateTime)),
              goingOn ? `since ${f.timeText(run.startTime)}` : `ended ${f.timeText(run.endTime)}`);
    this.fill("ranks", goingOn ? `${run.ranksAlive} of ${spec.worldSize}` : `${spec.worldSize}`,
              run.straggler ? `rank ${run.straggler.rank} slow, ${run.straggler.factor.toFixed(1)}×`
                            : `${spec.threads} ${spec.threads === 1 ? "thread" : "threads"} each`);
    this.tiles.ranks.element.dataset.alarm = run.straggler || (goingOn && run.ranksAlive < spec.worldSize) ? "yes" : "no";
  }

  fill(name, value, note) {
    setText(this.tiles[name].value, value);
    setText(this.tiles[name].note, note);
  }

  render_steps() {
    const perEpoch = Math.max(1, Number(this.run.spec.stepsPerEpoch));
    const steps = this.data.steps.filter((step) => Number(step.sums?.images ?? 0) > 0);
    const at = (value) => steps.map((step) => ({ x: Number(step.step) / perEpoch, y: value(step) }));
    const positive = ({ y }) => Number.isFinite(y) && y > 0;
    this.points = {
      loss: at((step) => f.loss(step.sums)).filter(positive),
      accuracy: at((step) => f.accuracy(step.sums)),
      speed: at((step) => Number(step.sums.images) / f.seconds(step.duration)).filter(positive),
    };
    this.draw();
  }

  render_epochs() {
    const rows = [...this.data.epochs].reverse().map((epoch) => el("tr", {},
      el("th", { scope: "row" }, String(epoch.epoch)),
      ...[f.lossText(f.loss(epoch.train)), f.percentText(f.accuracy(epoch.train)), f.lossText(f.loss(epoch.test)),
          f.percentText(f.accuracy(epoch.test))].map((text) => el("td", { class: "number" }, text)),
      el("td", { class: "number wide" }, f.count(epoch.imagesPerSecond)),
      el("td", { class: "number wide" }, f.spanText(f.seconds(epoch.duration)))));
    if (rows.length === 0) {
      rows.push(el("tr", {}, el("td", { colspan: "7", class: "muted" }, "None is finished yet.")));
    }
    this.epochs.replaceChildren(...rows);
    this.draw();
  }

  draw() {
    const { run, points, data } = this;
    if (!points) {
      return;
    }
    // An average stands in the middle of what it is of; a test is made at the end.
    const of = (sums, value) => data.epochs
      .map((epoch) => ({ x: Number(epoch.epoch) - (sums === "train" ? 0.5 : 0), y: value(epoch[sums]) }))
      .filter(({ y }) => y !== undefined);
    const epochs = Math.max(1, Number(run.spec.epochs));
    const last = run.lastEpoch;
    this.loss.show({ steps: points.loss, train: of("train", f.loss), test: of("test", f.loss) },
                   { epochs, summary: last ? `Loss: after epoch ${last.epoch} ${f.lossText(f.loss(last.train))} in training and ${f.lossText(f.loss(last.test))} in the test. The table of epochs has all.` : "Loss; no epoch is finished yet." });
    const train = of("train", f.accuracy);
    const test = of("test", f.accuracy);
    // The first steps are far below the rest: seen whole, they would leave no room for what matters.
    const settled = points.accuracy.slice(Math.ceil(points.accuracy.length / 20));
    const lowest = Math.min(1, ...[...settled, ...train, ...test].map(({ y }) => y));
    this.accuracy.show({ steps: points.accuracy, train, test },
                       { epochs, min: Math.floor(50 * lowest) / 50, max: 1, summary: last ? `Accuracy: after epoch ${last.epoch} ${f.percentText(f.accuracy(last.train))} in training and ${f.percentText(f.accuracy(last.test))} in the test.` : "Accuracy; no epoch is finished yet." });
    this.speed.show({ steps: points.speed }, { epochs, min: 0, summary: `Images per second over the run; now ${f.count(run.imagesPerSecond)}.` });
  }

  render_ranks() {
    const { run, data } = this;
    const longest = Math.max(1e-9, ...data.ranks.map((rank) => (f.seconds(rank.computing) ?? 0) + (f.seconds(rank.waiting) ?? 0)));
    const goingOn = f.isGoingOn(run);
    const rows = data.ranks.map((rank) => {
      const computing = f.seconds(rank.computing) ?? 0;
      const waiting = f.seconds(rank.waiting) ?? 0;
      const bars = [["computing", computing], ["waiting", waiting]].map(([kind, time]) => {
        const bar = el("span", { class: kind });
        bar.style.width = `${(100 * time) / longest}%`;
        return bar;
      });
      const number = rank.info.rank ?? 0;
      const slow = run.straggler?.rank === number ? el("span", { class: "badge", "data-state": "lost" }, `${run.straggler.factor.toFixed(1)}× slower`) : undefined;
      const silent = goingOn && !rank.alive ? el("span", { class: "badge", "data-state": "failed" }, "silent") : undefined;
      const heard = Math.max(0, f.secondsBetween(rank.lastSeenTime, run.updateTime));
      return el("tr", {}, el("th", { scope: "row" }, String(number), " ", slow, silent), el("td", { class: "wide" }, rank.info.host),
        el("td", { class: "number wide" }, String(rank.info.pid)), el("td", { class: "number wide" }, f.count(rank.step)),
        el("td", { class: "number" }, f.count(rank.imagesPerSecond)),
        el("td", { class: "work" }, el("span", { class: "split", "aria-hidden": "true" }, ...bars),
           el("span", { class: "muted" }, `${f.millisecondsText(computing)} + ${f.millisecondsText(waiting)}`)),
        el("td", { class: "number" }, !goingOn ? f.timeText(rank.lastSeenTime) : heard < 1 ? "now" : `${f.spanText(heard)} ago`));
    });
    this.ranks.replaceChildren(...rows);
    const size = Number(run.spec.worldSize);
    setText(this.moreRanks, size > data.ranks.length ? `The first ${data.ranks.length} of ${f.count(size)}.` : "");
  }

  render_events() {
    const items = this.data.events.map((event) => el("li", { "data-severity": event.severity },
      el("time", { datetime: event.time, class: "muted" }, f.timeText(event.time)), el("span", {}, event.text)));
    this.events.replaceChildren(...(items.length > 0 ? items : [el("li", { class: "muted" }, "Nothing has happened yet.")]));
  }

  close() {
    this.leaving.abort();
    for (const chart of [this.loss, this.accuracy, this.speed]) {
      chart?.destroy();
    }
  }
}
