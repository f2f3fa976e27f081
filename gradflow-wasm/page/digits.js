// What every racer thinks of the drawn digit, and its mistakes on the test images.

import { byId, colour } from "./methods.js";
import { softmax } from "./mistakes.js";

const SIDE = 28;

export class Digits {
  constructor(answers, mistakes, link) {
    this.answers = answers;
    this.mistakes = mistakes;
    this.link = link;
    this.x = null;
    this.pending = false;
    this.empty();
  }

  /** A new drawing, or null for an empty pad. */
  ask(x) {
    this.x = x;
    if (!x) this.empty();
    this.again();
  }

  /** Asks once more: the weights have changed. */
  again() {
    if (!this.x || this.pending) return;
    this.pending = true;
    this.link.send("predict", { x: this.x, ticket: 0 });
  }

  empty() {
    this.answers.replaceChildren(Object.assign(document.createElement("p"), { className: "note", textContent: "Nothing is drawn yet. Every racer will say which digit it sees, while it learns." }));
  }

  show({ outputs }, spec, dark) {
    this.pending = false;
    if (!this.x || outputs.length === 0) return;
    this.answers.replaceChildren(...outputs.map(({ id, logits }) => this.bars(id, softmax(logits), dark)));
  }

  bars(id, p, dark) {
    const answer = p.indexOf(Math.max(...p));
    const row = document.createElement("div");
    row.className = "bars";
    const name = document.createElement("span");
    name.textContent = `${byId(id).name}: ${answer} (${(100 * p[answer]).toFixed(0)} %)`;
    const columns = p.map((probability, digit) => {
      const column = document.createElement("span");
      column.className = digit === answer ? "bar best" : "bar";
      const fill = document.createElement("i");
      fill.style.height = `${Math.round(100 * probability)}%`;
      fill.style.background = colour(id, dark);
      const label = document.createElement("b");
      label.textContent = digit;
      column.append(fill, label);
      return column;
    });
    const chart = document.createElement("div");
    chart.setAttribute("aria-hidden", "true");
    chart.append(...columns);
    row.append(name, chart);
    return row;
  }

  async examine(id) {
    const result = await this.link.ask("mistakes", { id });
    if (!result) return;
    const { counts, errors, total, worst } = result;
    const summary = document.createElement("p");
    summary.textContent = `${byId(id).name} misreads ${errors} of ${total} test images.`;
    const scroll = Object.assign(document.createElement("div"), { className: "scroll", tabIndex: 0 });
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", "Confusion matrix");
    scroll.append(table(counts));
    const pictures = document.createElement("div");
    pictures.className = "worst";
    pictures.append(...worst.map(picture));
    this.mistakes.replaceChildren(summary, scroll, pictures);
  }
}

function table(counts) {
  const grid = document.createElement("table");
  grid.className = "confusion";
  grid.createCaption().textContent = "Rows: what it is. Columns: what the network says.";
  const most = Math.max(...counts.flatMap((row, i) => row.filter((_, j) => j !== i)));
  const head = grid.createTHead().insertRow();
  head.append(document.createElement("td"), ...counts.map((_, digit) => heading(digit, "col")));
  const body = grid.createTBody();
  counts.forEach((row, truth) => {
    const line = body.insertRow();
    line.append(heading(truth, "row"));
    row.forEach((count, answer) => {
      const cell = line.insertCell();
      cell.textContent = count || "·";
      cell.className = truth === answer ? "right" : "";
      if (truth !== answer) cell.style.setProperty("--share", (count / Math.max(1, most)).toFixed(2));
    });
  });
  return grid;
}

function heading(text, scope) {
  return Object.assign(document.createElement("th"), { textContent: text, scope });
}

function picture({ label, answer, p, pixels }) {
  const figure = document.createElement("figure");
  const canvas = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
  const image = new ImageData(SIDE, SIDE);
  pixels.forEach((value, i) => image.data.set([value, value, value, 255], 4 * i));
  canvas.getContext("2d").putImageData(image, 0, 0);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `A ${label}`);
  const caption = document.createElement("figcaption");
  caption.textContent = `a ${label}, read as ${answer} (${(100 * p).toFixed(0)}\u00a0%)`;
  figure.append(canvas, caption);
  return figure;
}
