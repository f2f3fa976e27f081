// The experiment as one object, to and from the address of the page. What stands in an address is
// checked like any other input.

import { METHODS } from "./methods.js";

export const DT_LEAST = -6;
export const DT_MOST = 6;

const number = (least, most, fallback) => ({
  fallback,
  read: (text) => (text.trim() !== "" && Number(text) >= least && Number(text) <= most ? Number(text) : undefined),
  show: (value) => String(value),
});
const whole = (least, most, fallback) => {
  const inner = number(least, most, fallback);
  return { ...inner, read: (text) => (Number.isInteger(Number(text)) ? inner.read(text) : undefined) };
};
const oneOf = (names, fallback) => ({
  fallback,
  read: (text) => (names.includes(text) ? text : undefined),
  show: (value) => value,
});
const racers = {
  fallback: ["sgd", "adam", "sav-relaxed", "exp-sav", "ieq-full", "ieq-adaptive"],
  read: (text) => {
    const names = text.split(",");
    const known = METHODS.map((method) => method.id).filter((id) => names.includes(id));
    return known.length === names.length && known.length > 0 ? known : undefined;
  },
  show: (ids) => ids.join(","),
};
const points = {
  fallback: [],
  read: (text) => {
    const list = text.split(";").map((pair) => pair.split(",").map(Number));
    const good = list.length <= 400 && list.every(([x, y, more]) => Math.abs(x) <= 3 && Math.abs(y) <= 2 && more === undefined);
    return good ? list : undefined;
  },
  show: (list) => list.map(([x, y]) => `${x},${y}`).join(";"),
};

const FIELDS = {
  task: oneOf(["gaussian", "points", "mnist"], "gaussian"),
  racers,
  dt: number(10 ** DT_LEAST, 10 ** DT_MOST, 1),
  lambda: number(0, 1e3, 1),
  c: number(1e-6, 1e6, 1),
  hidden: whole(1, 1000, 100),
  batch: whole(0, 60000, 64),
  steps: whole(1, 10_000_000, 10_000),
  schedule: oneOf(["constant", "cosine"], "constant"),
  seed: whole(0, Number.MAX_SAFE_INTEGER, 0),
  samples: whole(1, 100_000, 2_000),
  noise: number(0, 10, 0.01),
  r0: oneOf(["batch", "train"], "batch"),
  points,
  pace: oneOf(["slow", "steady", "max"], "steady"),
  audit: oneOf(["on", "off"], "on"),
  focus: oneOf(METHODS.map((method) => method.id), "sav-relaxed"),
  x: oneOf(["log", "linear"], "log"),
  y: oneOf(["log", "linear"], "log"),
};

/** What is not named in an address. */
export const DEFAULTS = Object.fromEntries(Object.entries(FIELDS).map(([name, field]) => [name, field.fallback]));

/** What a change of task brings along. */
export const TASK_DEFAULTS = {
  gaussian: { batch: 64, steps: 10_000 },
  points: { batch: 0, steps: 10_000 },
  mnist: { batch: 64, steps: 1_876, racers: ["sgd", "adam", "sav-relaxed", "exp-sav", "ieq-adaptive"] },
};

/** Reads an address's fragment; returns the spec and a sentence for each thing it cannot use. */
export function read(fragment) {
  const spec = { ...DEFAULTS };
  const refused = [];
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  for (const [name, text] of given) {
    const value = FIELDS[name]?.read(text);
    if (value === undefined) refused.push(`The address says ${name}=${text.slice(0, 40)}, which this page does not know; it uses the default.`);
    else spec[name] = value;
  }
  for (const [name, value] of Object.entries(TASK_DEFAULTS[spec.task])) if (!given.has(name)) spec[name] = value;
  return { spec: sound(spec), refused };
}

/** The fragment that brings the spec back: only what differs from the defaults. */
export function write(spec) {
  const parts = new URLSearchParams();
  for (const [name, field] of Object.entries(FIELDS)) {
    const usual = TASK_DEFAULTS[spec.task][name] ?? field.fallback;
    const text = field.show(spec[name]);
    if (text !== field.show(usual)) parts.set(name, text);
  }
  return `#${parts}`;
}

/** One field from a control's text; undefined if it is out of range. */
export const parse = (name, text) => FIELDS[name].read(text);

/** Mends what does not go together. */
export function sound(spec) {
  const mended = { ...spec };
  if (mended.task === "points" && mended.points.length === 0) mended.points = scatter();
  if (mended.task !== "points") mended.points = [];
  const size = { gaussian: mended.samples, points: mended.points.length, mnist: 60_000 }[mended.task];
  if (mended.batch > size) mended.batch = 0;
  if (!mended.racers.includes(mended.focus)) mended.focus = mended.racers[Math.min(2, mended.racers.length - 1)];
  return mended;
}

/** A first set of points for the hand to move: a step, a bump and a slope. */
function scatter() {
  const list = [];
  for (let i = 0; i < 25; i++) {
    const x = -2.88 + 0.24 * i;
    const y = x < -1 ? 0.1 : x < 0.4 ? 0.9 - 0.5 * x * x : 0.25 * x - 0.1;
    list.push([Number(x.toFixed(2)), Number(y.toFixed(2))]);
  }
  return list;
}
