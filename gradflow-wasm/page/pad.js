// The pad on which a digit is drawn, and MNIST's way from ink to 28 × 28 pixels.

const SIDE = 28;
const INNER = 20; // a digit is scaled into 20 × 20 pixels …
const CENTRE = 14; // … and moved until its centre of mass is here
const BOARD = 280;
const PEN = 20;

export class Pad {
  /** `onInk(x)` hears 784 numbers from 0 to 1, or null when there is no ink. */
  constructor(canvas, onInk) {
    this.canvas = canvas;
    this.onInk = onInk;
    canvas.width = canvas.height = BOARD;
    this.g = canvas.getContext("2d", { willReadFrequently: true });
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (this.last = null));
    this.clear();
  }

  clear() {
    this.g.fillStyle = "#000";
    this.g.fillRect(0, 0, BOARD, BOARD);
    this.last = null;
    this.onInk(null);
  }

  /** Shows an image of the data set, given as bytes. */
  showImage(pixels) {
    const picture = new ImageData(SIDE, SIDE);
    pixels.forEach((value, i) => picture.data.set([value, value, value, 255], 4 * i));
    const small = new OffscreenCanvas(SIDE, SIDE);
    small.getContext("2d").putImageData(picture, 0, 0);
    this.g.imageSmoothingEnabled = false;
    this.g.drawImage(small, 0, 0, BOARD, BOARD);
    this.onInk(Float32Array.from(pixels, (value) => value / 255));
  }

  press(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.last = this.place(event);
    this.stroke(this.last);
  }

  move(event) {
    if (!this.last) return;
    // Every position since the last event, so that fast strokes have no corners.
    for (const one of event.getCoalescedEvents?.() ?? [event]) this.stroke(this.place(one));
  }

  stroke(to) {
    const { g } = this;
    g.strokeStyle = "#fff";
    g.lineWidth = PEN;
    g.lineCap = g.lineJoin = "round";
    g.beginPath();
    g.moveTo(...this.last);
    g.lineTo(to[0] + 0.01, to[1]);
    g.stroke();
    this.last = to;
    this.read();
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * BOARD, ((event.clientY - box.top) / box.height) * BOARD];
  }

  read() {
    const { data } = this.g.getImageData(0, 0, BOARD, BOARD);
    const ink = Float32Array.from({ length: BOARD * BOARD }, (_, i) => data[4 * i] / 255);
    this.onInk(centred(this.canvas, ink));
  }
}

/** MNIST's recipe: crop, scale the longer side to 20 pixels with grey levels, centre the mass. */
function centred(canvas, ink) {
  const box = bounds(ink);
  if (!box) return null;
  const [left, top, width, height] = box;
  const scale = INNER / Math.max(width, height);
  const small = new OffscreenCanvas(SIDE, SIDE);
  const g = small.getContext("2d", { willReadFrequently: true });
  g.imageSmoothingQuality = "high";
  const draw = (x, y) => {
    g.fillStyle = "#000";
    g.fillRect(0, 0, SIDE, SIDE);
    g.drawImage(canvas, left, top, width, height, x, y, width * scale, height * scale);
    const { data } = g.getImageData(0, 0, SIDE, SIDE);
    return Float32Array.from({ length: SIDE * SIDE }, (_, i) => data[4 * i] / 255);
  };
  const [x, y] = [(SIDE - width * scale) / 2, (SIDE - height * scale) / 2];
  const [mx, my] = mass(draw(x, y));
  return draw(x + CENTRE - mx, y + CENTRE - my);
}

function bounds(ink) {
  let [left, top, right, bottom] = [BOARD, BOARD, -1, -1];
  ink.forEach((value, i) => {
    if (value < 0.1) return;
    const [x, y] = [i % BOARD, Math.floor(i / BOARD)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  });
  return right < 0 ? null : [left, top, right - left + 1, bottom - top + 1];
}

function mass(pixels) {
  let [total, x, y] = [0, 0, 0];
  pixels.forEach((value, i) => {
    total += value;
    x += value * ((i % SIDE) + 0.5);
    y += value * (Math.floor(i / SIDE) + 0.5);
  });
  return total ? [x / total, y / total] : [CENTRE, CENTRE];
}
