// The curves: four charts over one axis of steps, with linked cross-hairs, drawn by uPlot.

import { byId, colour } from "./methods.js";

/* global uPlot */
const MOST_DRAWN = 1200; // points a curve, about one for each pixel
const LEAST = 1e-12; // what a logarithmic axis still shows
const MOST = 1e4; // where a racer that runs away leaves the picture

export class Charts {
  /** `places`: elements by chart name; `onCursor(step, index)` hears of the cross-hair. */
  constructor(places, onCursor) {
    this.places = places;
    this.onCursor = onCursor;
    this.series = new Map();
    this.steps = [];
    this.plots = {};
    for (const [name, place] of Object.entries(places)) {
      place.tabIndex = 0;
      place.role = "img";
      place.ariaLabel = `${place.dataset.title}; left and right move the cross-hair`;
      place.addEventListener("keydown", (event) => {
        const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (!way) return;
        event.preventDefault();
        event.stopPropagation();
        this.walk(name, event.shiftKey ? 20 * way : way);
      });
    }
  }

  /** Starts anew with these racers. */
  reset(spec, dark) {
    this.spec = spec;
    this.dark = dark;
    this.steps = [];
    this.series = new Map(spec.racers.map((id) => [id, { loss: [], energy: [], kappa: [], score: [] }]));
    this.scoreSteps = [];
    this.build();
  }

  /** Rows that the worker sent. */
  append(frame) {
    for (const racer of frame.racers) {
      const series = this.series.get(racer.id);
      if (!series) continue;
      const at = series.loss.length;
      racer.rows.forEach((step, i) => {
        if (at + i >= this.steps.length) this.steps.push(step);
        series.loss.push(racer.loss[i]);
        series.energy.push(shifted(racer.id, racer.energy[i], this.spec.c));
        series.kappa.push(racer.kappa[i]);
      });
    }
    const last = this.scoreSteps.at(-1);
    if (frame.racers[0].score !== null && (last === undefined || frame.step - last >= Math.max(1, last / 256))) {
      this.scoreSteps.push(frame.step);
      for (const racer of frame.racers) this.series.get(racer.id)?.score.push(racer.failure ? null : racer.score);
    }
  }

  /** Brings the pictures up to date. */
  draw() {
    const rows = thin(this.steps.length);
    const x = rows.map((row) => this.steps[row] + 1);
    const pick = (list) => rows.map((row) => this.show(list[row]));
    for (const name of ["loss", "energy", "kappa"]) {
      if (!this.plots[name]) continue;
      const columns = this.spec.racers.map((id) => pick(this.series.get(id)[name]));
      if (name === "energy") columns.push(pick(this.series.get(this.spec.focus).loss));
      this.plots[name].setData([x, ...columns]);
    }
    if (this.plots.score) {
      const few = thin(this.scoreSteps.length);
      const columns = this.spec.racers.map((id) => few.map((row) => this.show(this.series.get(id).score[row], "score")));
      this.plots.score.setData([few.map((row) => this.scoreSteps[row] + 1), ...columns]);
    }
  }

  /** What an axis can show of a value. */
  show(value, name) {
    if (value === undefined || value === null || !Number.isFinite(value)) return null;
    return this.logY(name) && value < LEAST ? null : value;
  }

  logY(name) {
    return this.spec.y === "log" && !(name === "score" && this.spec.task === "mnist");
  }

  build() {
    for (const plot of Object.values(this.plots)) plot.destroy();
    this.plots = {};
    for (const [name, place] of Object.entries(this.places)) {
      if (place.closest("[hidden]")) continue;
      this.plots[name] = new uPlot(this.options(name, place), [[]], place);
    }
    this.draw();
  }

  options(name, place) {
    const ink = this.dark ? "#c9d1d9" : "#3a4450";
    const grid = { stroke: this.dark ? "#2c343e" : "#e3e8ee", width: 1 };
    const axis = { stroke: ink, grid, ticks: grid, font: "12px system-ui, sans-serif" };
    const logX = this.spec.x === "log";
    const logY = this.logY(name);
    const line = (id) => ({
      label: byId(id).name,
      stroke: colour(id, this.dark),
      width: id === this.spec.focus ? 2.5 : 1.5,
      dash: byId(id).dash,
      points: { show: false },
    });
    const series = this.spec.racers.map(line);
    if (name === "energy") series.push({ ...line(this.spec.focus), label: "true loss", width: 1, dash: [1, 3] });
    return {
      width: Math.max(240, place.clientWidth),
      height: this.height(place),
      legend: { show: false },
      padding: [8, 18, 0, 0],
      cursor: { sync: { key: "steps" }, drag: { x: false, y: false }, points: { size: 6 } },
      scales: {
        x: { time: false, distr: logX ? 3 : 1, range: (_, low, high) => [logX ? 1 : 0, Math.max(high ?? 10, logX ? 10 : 10)] },
        y: { distr: logY ? 3 : 1, range: logY ? (_, low, high) => (name === "kappa" ? aroundOne(low, high) : decades(low, high)) : undefined },
      },
      axes: [
        { ...axis, size: 28, ...(logX ? { splits: powers, filter: all } : {}), values: (_, splits) => splits.map((step) => (step === null ? "" : compact(step))) },
        { ...axis, size: 52, ...(logY ? { splits: powers, filter: all } : {}), values: (_, splits) => splits.map((value) => (value === null ? "" : short(value))) },
      ],
      series: [{}, ...series],
      hooks: { setCursor: [(plot) => this.onCursor(name, plot.cursor.idx)] },
    };
  }

  height(place) {
    return Math.max(190, Math.min(300, Math.round(place.clientWidth * 0.82)));
  }

  /** Moves the cross-hair of a chart by so many of its points. */
  walk(name, way) {
    const plot = this.plots[name];
    const [x] = plot?.data ?? [[]];
    if (x.length === 0) return;
    const at = Math.max(0, Math.min(x.length - 1, (plot.cursor.idx ?? (way > 0 ? -1 : x.length)) + way));
    plot.setCursor({ left: plot.valToPos(x[at], "x"), top: 0 });
  }

  resize() {
    for (const [name, plot] of Object.entries(this.plots)) {
      const place = this.places[name];
      plot.setSize({ width: Math.max(240, place.clientWidth), height: this.height(place) });
    }
  }

  /** Values under the cross-hair: `{ step, values: [id, text][] }`. */
  at(name, index) {
    const plot = this.plots[name];
    if (!plot || index === null || index === undefined) return null;
    const [x, ...columns] = plot.data;
    if (x[index] === undefined) return null;
    return { step: x[index] - 1, values: this.spec.racers.map((id, i) => [id, columns[i][index]]) };
  }

  /** Canvases of the charts, for an image. */
  pictures() {
    return Object.entries(this.plots).map(([name, plot]) => ({ name, canvas: plot.ctx.canvas, title: this.places[name].dataset.title }));
  }
}

/** The modified energy on the scale of the loss: r² − C, ln r − ln C, ½‖q‖². */
function shifted(id, energy, c) {
  const { shift } = byId(id);
  if (shift === "sav") return energy - c;
  if (shift === "exp-sav") return energy - Math.log(c);
  return energy;
}

/** Rows to draw of so many: all, or evenly chosen ones and the last. */
function thin(rows) {
  const stride = Math.ceil(rows / MOST_DRAWN);
  const chosen = [];
  for (let row = 0; row < rows; row += stride || 1) chosen.push(row);
  if (rows && chosen.at(-1) !== rows - 1) chosen.push(rows - 1);
  return chosen;
}

/** Whole decades around what is shown, up to where a picture still tells something. */
function decades(low, high) {
  if (!(low > 0)) return [1e-3, 1];
  const bottom = Math.floor(Math.log10(low));
  const top = Math.ceil(Math.log10(Math.min(high, MOST)));
  return [10 ** Math.min(bottom, 3), 10 ** Math.max(top, bottom + 1)];
}

/** Whole decades below 1, and a margin above it: κ mostly stays there. */
function aroundOne(low, high) {
  return [Math.min(0.1, decades(low, high)[0]), Math.max(2, high)];
}

const all = (_, splits) => splits;

/** The powers of ten of an axis, at most seven of them. */
function powers(plot, side, low, high) {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const stride = Math.ceil((last - first + 1) / 7) || 1;
  return Array.from({ length: Math.floor((last - first) / stride) + 1 }, (_, i) => Number(`1e${first + i * stride}`));
}

export const compact = (n) => (n >= 1e6 ? `${+(n / 1e6).toPrecision(3)}M` : n >= 1e4 ? `${+(n / 1e3).toPrecision(3)}k` : String(n));

/** Three digits, with an exponent where that is shorter. */
export function short(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e4)) return value.toExponential(size >= 1e4 || value.toPrecision(1) * 1 !== value ? 1 : 0).replace("e+", "e").replace(".0e", "e");
  return String(+value.toPrecision(3));
}
