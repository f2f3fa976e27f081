// The regression picture: data, target and every racer's function; points can be added and moved.

import { byId, colour } from "./methods.js";

const X = [-3, 3];
const Y = [-0.6, 1.4];
const REACH = 14; // pixels within which a point is caught
const MOST_SHOWN = 400;

export class Fit {
  /** `onPoints(points)` hears of points that were added, moved or removed. */
  constructor(canvas, onPoints) {
    this.canvas = canvas;
    this.onPoints = onPoints;
    this.points = [];
    this.fits = [];
    this.spec = null;
    this.held = null;
    this.cursor = null;
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", () => this.release());
    canvas.addEventListener("pointercancel", () => this.release());
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => ((this.cursor = null), this.draw()));
  }

  reset(spec, dark, points, target) {
    this.spec = spec;
    this.target = target;
    this.dark = dark;
    if (!this.held) this.points = points ? Array.from(points.x, (x, i) => [x, points.y[i]]) : [];
    this.fits = [];
    this.draw();
  }

  update(racers) {
    this.fits = racers.map(({ id, fit, failure }) => ({ id, fit, failure }));
    this.draw();
  }

  draw() {
    if (!this.spec || this.canvas.closest("[hidden]")) return;
    const { canvas } = this;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== Math.round(width * ratio)) [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    const g = canvas.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.fillStyle = this.dark ? "#12171d" : "#ffffff";
    g.fillRect(0, 0, width, height);
    this.axes(g);
    if (this.target) {
      this.line(g, sampled(this.target), { colour: this.dark ? "#8b98a5" : "#8a95a1", width: 5, alpha: 0.35 });
    }
    this.dots(g);
    for (const { id, fit, failure } of this.fits) {
      const focus = id === this.spec.focus;
      this.line(g, sampled(fit), { colour: colour(id, this.dark), width: focus ? 3 : 1.75, dash: byId(id).dash, alpha: failure ? 0.35 : 1 });
    }
    if (this.cursor) this.mark(g, this.cursor);
  }

  axes(g) {
    g.strokeStyle = this.dark ? "#2c343e" : "#e3e8ee";
    g.fillStyle = this.dark ? "#c9d1d9" : "#3a4450";
    g.lineWidth = 1;
    g.font = "12px system-ui, sans-serif";
    g.beginPath();
    for (let x = -3; x <= 3; x++) {
      const [px] = this.toPixel([x, 0]);
      g.moveTo(px, 0);
      g.lineTo(px, this.canvas.clientHeight);
      if (x > -3 && x < 3) g.fillText(String(x), px + 3, this.canvas.clientHeight - 4);
    }
    for (let y = -0.5; y <= 1; y += 0.5) {
      const [, py] = this.toPixel([0, y]);
      g.moveTo(0, py);
      g.lineTo(this.canvas.clientWidth, py);
      g.fillText(String(y), 3, py - 3);
    }
    g.stroke();
  }

  dots(g) {
    const few = this.points.length <= 60;
    const stride = Math.ceil(this.points.length / MOST_SHOWN);
    g.fillStyle = this.dark ? "#c9d1d9" : "#2a333d";
    g.globalAlpha = few ? 1 : 0.35;
    this.points.forEach((point, i) => {
      if (i % stride) return;
      const [px, py] = this.toPixel(point);
      g.beginPath();
      g.arc(px, py, few ? 4.5 : 2, 0, 7);
      g.fill();
    });
    g.globalAlpha = 1;
  }

  line(g, f, { colour, width, dash = [], alpha = 1 }) {
    g.save();
    g.globalAlpha = alpha;
    g.strokeStyle = colour;
    g.lineWidth = width;
    g.setLineDash(dash);
    g.lineJoin = "round";
    g.beginPath();
    for (let i = 0; i <= 240; i++) {
      const x = X[0] + ((X[1] - X[0]) * i) / 240;
      const [px, py] = this.toPixel([x, Math.max(-9, Math.min(9, f(x)))]);
      if (i) g.lineTo(px, py);
      else g.moveTo(px, py);
    }
    g.stroke();
    g.restore();
  }

  mark(g, point) {
    const [px, py] = this.toPixel(point);
    g.strokeStyle = this.dark ? "#ffffff" : "#000000";
    g.lineWidth = 2;
    g.strokeRect(px - 8, py - 8, 16, 16);
  }

  toPixel([x, y]) {
    const { clientWidth, clientHeight } = this.canvas;
    return [((x - X[0]) / (X[1] - X[0])) * clientWidth, ((Y[1] - y) / (Y[1] - Y[0])) * clientHeight];
  }

  toPoint(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = X[0] + ((event.clientX - box.left) / box.width) * (X[1] - X[0]);
    const y = Y[1] - ((event.clientY - box.top) / box.height) * (Y[1] - Y[0]);
    return tidy([x, y]);
  }

  nearest(point) {
    const [px, py] = this.toPixel(point);
    let best = null;
    this.points.forEach((other, i) => {
      const [qx, qy] = this.toPixel(other);
      const distance = Math.hypot(px - qx, py - qy);
      if (distance < REACH && (!best || distance < best.distance)) best = { i, distance };
    });
    return best?.i ?? null;
  }

  /** From a whole data set to a few points that a hand can move. */
  own() {
    if (this.points.length > 60) {
      const stride = Math.ceil(this.points.length / 25);
      this.points = this.points.filter((_, i) => i % stride === 0).map(tidy);
    }
  }

  press(event) {
    const point = this.toPoint(event);
    this.own();
    this.held = this.nearest(point) ?? this.points.push(point) - 1;
    this.canvas.setPointerCapture(event.pointerId);
    this.change(this.held, point);
  }

  move(event) {
    if (this.held === null) return;
    this.change(this.held, this.toPoint(event));
  }

  release() {
    this.held = null;
  }

  change(i, point) {
    this.points[i] = point;
    this.draw();
    this.onPoints(this.points);
  }

  key(event) {
    const steps = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.05], ArrowDown: [0, -0.05] };
    const moved = steps[event.key];
    this.cursor ??= [0, 0.5];
    if (moved) this.cursor = tidy([this.cursor[0] + moved[0], this.cursor[1] + moved[1]]);
    else if (event.key === "Enter") {
      this.own();
      this.change(this.points.length, [...this.cursor]);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      const i = this.nearest(this.cursor);
      if (i !== null && this.points.length > 1) {
        this.own();
        this.points.splice(Math.min(i, this.points.length - 1), 1);
        this.onPoints(this.points);
      }
    } else return;
    event.preventDefault();
    event.stopPropagation();
    this.draw();
  }
}

/** The function of values at equidistant points of the picture. */
const sampled = (values) => (x) => values[Math.round(((x - X[0]) / (X[1] - X[0])) * (values.length - 1))];

/** Inside the picture, with two decimals: what an address can hold. */
function tidy([x, y]) {
  const within = (value, [low, high]) => Number(Math.max(low, Math.min(high, value)).toFixed(2));
  return [within(x, X), within(y, Y)];
}
