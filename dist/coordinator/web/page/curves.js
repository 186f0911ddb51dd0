// One chart over the epochs of a run: a line of steps, and points for finished epochs.
import { el } from "./dom.js";

const dark = matchMedia("(prefers-color-scheme: dark)");

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Of a logarithmic scale's ticks, 1, 2, 5, 10, ...; of many decades, 1, 10, ... */
function keepRound(scale) {
  const digits = scale.max / scale.min < 1000 ? [1, 2, 5] : [1];
  const leading = (value) => Math.round(value / 10 ** Math.floor(Math.log10(value) + 1e-9));
  scale.ticks = scale.ticks.filter(({ value }) => digits.includes(leading(value)));
}

/** lines: {key: {label, colour, fine}}; text(value) for axis and tips. */
export class Curves {
  constructor(title, { lines, text, logarithmic = false, stepsPerEpoch }) {
    this.lines = lines;
    this.stepsPerEpoch = stepsPerEpoch;
    this.title = el("h3", {}, title);
    this.canvas = el("canvas", { role: "img", "aria-label": title });
    this.legend = el("ul", { class: "legend" }, ...Object.values(lines).map((line) =>
      el("li", { class: line.fine ? "fine" : "", "data-colour": line.colour }, line.label)));
    this.head = el("div", { class: "chart-head" }, this.title, this.legend);
    this.element = el("section", { class: "card chart" }, this.head, el("div", { class: "canvas" }, this.canvas));
    this.chart = new Chart(this.canvas, {
      type: "line",
      data: {
        datasets: Object.entries(lines).map(([key, line]) => ({
          key, label: line.label, data: [], parsing: false, normalized: true, tension: 0,
          borderWidth: line.fine ? 1.25 : 2, pointRadius: line.fine ? 0 : 2.5, pointHitRadius: 8,
          order: line.fine ? 2 : 1, clip: 4,
        })),
      },
      options: {
        animation: false, responsive: true, maintainAspectRatio: false,
        interaction: { mode: "nearest", axis: "x", intersect: false },
        plugins: {
          legend: { display: false },
          tooltip: {
            displayColors: false, padding: 8,
            callbacks: {
              title: (items) => this.where(items[0]),
              label: (item) => `${item.dataset.label}: ${text(item.parsed.y)}`,
            },
          },
        },
        scales: {
          x: { type: "linear", min: 0, title: { display: true, text: "epoch" }, grid: { display: false },
               ticks: { maxRotation: 0, precision: 0, autoSkipPadding: 16, includeBounds: false } },
          y: { type: logarithmic ? "logarithmic" : "linear", border: { display: false },
               ticks: { includeBounds: false, autoSkip: true, autoSkipPadding: 14, callback: (value) => text(value) },
               afterBuildTicks: (scale) => scale.type === "logarithmic" && keepRound(scale) },
        },
      },
    });
    this.paint();
    this.repaint = () => this.paint();
    dark.addEventListener("change", this.repaint);
  }

  where({ dataset, parsed }) {
    return dataset.key === "steps" ? `step ${Math.round(parsed.x * this.stepsPerEpoch).toLocaleString("en")}`
         : dataset.key === "train" ? `average of epoch ${parsed.x + 0.5}` : `after epoch ${parsed.x}`;
  }

  paint() {
    const { options, data } = this.chart;
    for (const dataset of data.datasets) {
      const line = this.lines[dataset.key];
      dataset.borderColor = colour(line.fine ? `${line.colour}-fine` : line.colour);
      dataset.pointBackgroundColor = dataset.borderColor;
      dataset.pointBorderColor = dataset.borderColor;
    }
    for (const axis of Object.values(options.scales)) {
      axis.ticks.color = colour("muted");
      axis.grid = { ...axis.grid, color: colour("line"), drawBorder: false };
      if (axis.title) {
        axis.title.color = colour("muted");
      }
    }
    options.font = { family: getComputedStyle(document.body).fontFamily, size: 12 };
    Chart.defaults.font.family = options.font.family;
    options.plugins.tooltip.backgroundColor = colour("tip");
    options.plugins.tooltip.titleColor = colour("tip-ink");
    options.plugins.tooltip.bodyColor = colour("tip-ink");
    this.chart.update();
  }

  setLogarithmic(on) {
    this.chart.options.scales.y.type = on ? "logarithmic" : "linear";
    this.paint();
  }

  /** points: {key: [{x, y}]}, in the order of x. */
  show(points, { epochs, min, max, summary }) {
    for (const dataset of this.chart.data.datasets) {
      dataset.data = points[dataset.key] ?? [];
    }
    this.chart.options.scales.x.max = epochs;
    this.chart.options.scales.y.min = min;
    this.chart.options.scales.y.max = max;
    this.canvas.setAttribute("aria-label", summary);
    this.chart.update("none");
  }

  destroy() {
    dark.removeEventListener("change", this.repaint);
    this.chart.destroy();
  }
}
