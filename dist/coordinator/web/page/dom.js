// Elements. Text only ever becomes text, never markup.

/** An element with attributes (a function becomes a listener), and children: elements or text. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name, value);
    } else if (value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

/** Touches the document only if the text is another, so that nothing is announced twice. */
export function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** A bar that says how far: of 1. */
export function progressBar(label) {
  const fill = el("span", { class: "fill" });
  const bar = el("span", { class: "bar", role: "progressbar", "aria-label": label,
                           "aria-valuemin": "0", "aria-valuemax": "100" }, fill);
  const set = (fraction, state) => {
    const percent = Math.min(100, Math.max(0, 100 * fraction));
    fill.style.width = `${percent}%`;
    bar.setAttribute("aria-valuenow", percent.toFixed(0));
    bar.dataset.state = state;
  };
  return { bar, set };
}

/** A table with a caption for those who do not see it, and heads: [text, class]. */
export function table(caption, heads, body) {
  const head = el("tr", {}, ...heads.map(([text, kind]) => el("th", { scope: "col", class: kind }, text)));
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
            el("table", {}, el("caption", { class: "unseen" }, caption), el("thead", {}, head), body));
}
