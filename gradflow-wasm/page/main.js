// The page: one spec, one worker, and the views of what it sends.

import { METHODS, byId, colour, command } from "./methods.js";
import { TASK_DEFAULTS, parse, read, sound, write } from "./spec.js";
import { Charts, short } from "./charts.js";
import { Fit } from "./fit.js";
import { Pad } from "./pad.js";
import { Board } from "./board.js";
import { Digits } from "./digits.js";
import { csvWithSpec, download, fileName, pointsCsv, sheet } from "./save.js";
import { Link } from "./link.js";

const $ = (id) => document.getElementById(id);
const darkness = matchMedia("(prefers-color-scheme: dark)");
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

let { spec, refused } = read(location.hash);
let running = false;
let changedAt = null; // the step at which Δt moved away from the run's first one
let latest = null; // the last frame
let drawn = 0;

const link = new Link(receive);
const board = new Board($("table"), (id) => change({ focus: id }));
const charts = new Charts(Object.fromEntries([...document.querySelectorAll("[data-chart]")].map((place) => [place.dataset.chart, place])), showCursor);
const fit = new Fit($("fit"), movePoints);
const digits = new Digits($("answers"), $("mistakes"), link);
const pad = new Pad($("pad"), (x) => digits.ask(x));

// ---- the worker's messages

function receive(message) {
  ({
    ready,
    frame,
    progress: ({ done, total }) => {
      $("progress").hidden = done >= total;
      $("bar").value = done / total;
    },
    prediction: (answer) => digits.show(answer, spec, darkness.matches),
    error: ({ text }) => alarm(text),
  })[message.type]?.(message);
}

function ready({ laws, points, target }) {
  link.send("frame");
  board.reset(spec, laws, darkness.matches);
  $("law").textContent = board.lawOf(spec.focus);
  charts.reset(spec, darkness.matches);
  fit.reset(spec, darkness.matches, points, target);
  digits.again();
}

function frame(message) {
  latest = message;
  if (message.firstStep && !performance.getEntriesByName("first-step").length) {
    performance.mark("first-step", { startTime: message.firstStep - performance.timeOrigin });
  }
  charts.append(message);
  running = message.running || (running && message.step === 0);
  requestAnimationFrame((now) => {
    // Long curves are redrawn less often, so that the page stays at its full rate.
    const rest = message.racers.length * charts.steps.length > 6000 ? 50 : 0;
    if (now - drawn > rest || !message.running) {
      drawn = now;
      charts.draw();
      board.update(message, spec);
      fit.update(message.racers);
      digits.again();
      speak();
      showRunning();
    }
    link.send("frame");
  });
}

function alarm(text) {
  running = false;
  showRunning();
  $("progress").hidden = true;
  $("alarm").hidden = false;
  $("alarm").querySelector("p").textContent = text;
}

// ---- the race

function start(run, weights) {
  ask(run, weights);
  show();
}

/** Asks the worker for a race. */
function ask(run, weights) {
  $("alarm").hidden = true;
  running = run;
  changedAt = null;
  latest = null;
  link.send("start", { spec, weights, run });
}

/** Changes fields of the spec; those that make another race start one. */
function change(fields) {
  const views = ["focus", "x", "y"];
  spec = sound({ ...spec, ...fields });
  const names = Object.keys(fields);
  if (names.every((name) => views.includes(name))) {
    charts.spec = fit.spec = spec;
    charts.build();
    fit.draw();
    board.update(latest, spec);
    show();
  } else if (names.every((name) => ["pace", "steps"].includes(name)) && spec.schedule === "constant") {
    link.send("limit", { steps: spec.steps, pace: spec.pace });
    show();
  } else {
    start(running || latest?.running || latest?.step >= spec.steps);
  }
}

function setDt(dt) {
  if (dt === spec.dt) return;
  spec = { ...spec, dt };
  if (latest?.step > 0) changedAt ??= latest.step;
  link.send("dt", { dt });
  show();
}

async function movePoints(points) {
  const first = spec.task !== "points";
  spec = sound({ ...spec, ...(first ? { task: "points", ...TASK_DEFAULTS.points } : {}), points: points.map((point) => [...point]) });
  show();
  if (movePoints.busy) return (movePoints.again = true);
  movePoints.busy = true;
  do {
    movePoints.again = false;
    start(true, await link.ask("allWeights").catch(() => undefined));
    await new Promise((resolve) => setTimeout(resolve, 60));
  } while (movePoints.again);
  movePoints.busy = false;
}

function toggle() {
  running = !running;
  if (running && latest && latest.step >= spec.steps) return start(true);
  link.send("run", { running });
  showRunning();
}

// ---- the views

function show() {
  for (const name of ["task", "pace", "seed", "steps", "batch", "hidden", "lambda", "c", "schedule", "samples", "noise", "r0", "audit", "x", "y"]) {
    if (document.activeElement !== $(name)) $(name).value = spec[name];
  }
  $("dt").value = Math.log10(spec.dt).toFixed(1);
  $("dt").setAttribute("aria-valuetext", `Δt = ${spec.dt}`);
  $("dt-value").textContent = short(spec.dt);
  $("limit").hidden = spec.task !== "gaussian";
  for (const box of $("racers").querySelectorAll("input")) box.checked = spec.racers.includes(box.value);
  const digit = spec.task === "mnist";
  $("digits").hidden = $("errors").hidden = !digit;
  $("table").classList.toggle("goal", spec.task === "gaussian");
  $("table").classList.toggle("scored", spec.task !== "points");
  $("regression").hidden = digit;
  $("score-figure").hidden = spec.task === "points";
  $("energy-figure").hidden = spec.racers.every((id) => ["sgd", "adam"].includes(id));
  $("kappa-figure").hidden = !spec.racers.some((id) => byId(id).shift);
  const score = digit ? "Accuracy on the test images" : "Error against the noiseless target";
  $("score-caption").textContent = charts.places.score.dataset.title = score;
  $("score-head").textContent = digit ? "Accuracy" : "Error";
  for (const place of document.querySelectorAll(".gaussian")) place.hidden = spec.task !== "gaussian";
  $("points-csv").hidden = spec.task !== "points";
  $("law").textContent = board.lawOf(spec.focus);
  $("examine-name").textContent = $("command-of").textContent = byId(spec.focus).name;
  $("command").textContent = command(spec, spec.focus);
  $("command-note").textContent = changedAt === null ? "" : `Δt was moved at step ${changedAt}. The command begins with the present Δt: restart the race to have the same run here.`;
  showLegend();
  showRunning();
  history.replaceState(null, "", write(spec));
}

function showRunning() {
  const over = latest && !latest.running && latest.step >= spec.steps;
  $("run").textContent = running ? "Pause" : over ? "Again" : "Run";
  $("dt-note").textContent = spec.dt > 0.3 && spec.task === "gaussian" ? "Beyond SGD's limit: watch who survives." : "Change it while the race runs.";
}

function showLegend() {
  $("legend").replaceChildren(
    ...spec.racers.map((id) => {
      const item = document.createElement("span");
      item.append(board.swatch(id, darkness.matches), byId(id).name);
      return item;
    }),
  );
}

function showCursor(name, index) {
  const at = charts.at(name, index);
  // Read aloud only for those who move it by keyboard.
  $("cursor").ariaLive = document.activeElement?.dataset.chart ? "polite" : "off";
  $("cursor").textContent = at ? `step ${at.step}:  ${at.values.map(([id, value]) => `${byId(id).name} ${short(value)}`).join("   ")}` : "\u00a0";
}

/** One sentence for ears and eyes: when a racer falls, and else at most every five seconds. */
function speak() {
  const now = performance.now();
  if (!latest || (latest.running && latest.step === 0 && refused.length === 0)) return;
  const dead = latest.racers.filter(({ failure }) => failure).length;
  if (latest.running && dead === speak.dead && now - (speak.last ?? -1e9) < 5000) return;
  speak.dead = dead;
  const text = [...refused, board.sentence(latest, spec)].join(" ");
  if (text === speak.text) return;
  speak.last = now;
  $("status").textContent = speak.text = text;
  $("fit").setAttribute("aria-label", `Data and fitted functions. ${text}`);
}

// ---- the controls

function build() {
  for (const method of METHODS) {
    const label = document.createElement("label");
    const box = Object.assign(document.createElement("input"), { type: "checkbox", value: method.id });
    box.addEventListener("change", () => {
      const chosen = METHODS.map(({ id }) => id).filter((id) => $("racers").querySelector(`[value="${id}"]`).checked);
      if (chosen.length === 0) box.checked = true;
      else change({ racers: chosen });
    });
    label.append(box, board.swatch(method.id, darkness.matches), method.name);
    $("racers").append(label);

    const term = document.createElement("dt");
    term.textContent = method.name;
    const formula = document.createElement("dd");
    formula.className = "formula";
    formula.textContent = method.formula;
    const promise = document.createElement("dd");
    promise.textContent = method.promise;
    const entry = document.createElement("div");
    entry.append(term, formula, promise);
    $("catalogue").append(entry);
  }
  $("decades").append(...Array.from({ length: 13 }, (_, i) => new Option("", i - 6)));
  for (const name of ["seed", "steps", "batch", "hidden", "lambda", "c", "schedule", "samples", "noise", "r0", "audit", "pace", "x", "y"]) {
    $(name).addEventListener("change", () => {
      const value = parse(name, $(name).value);
      $(name).setAttribute("aria-invalid", value === undefined);
      if (value !== undefined) change({ [name]: value });
    });
  }
  $("task").addEventListener("change", () => {
    const task = $("task").value;
    running = true;
    change({ task, ...TASK_DEFAULTS[task] });
  });
  $("dt").addEventListener("input", () => setDt(Number((10 ** Number($("dt").value)).toPrecision(3))));
  $("run").addEventListener("click", toggle);
  $("step").addEventListener("click", single);
  $("restart").addEventListener("click", () => start(true));
  $("revive").addEventListener("click", () => {
    link.revive();
    start(true);
  });
  $("wipe").addEventListener("click", () => pad.clear());
  $("sample").addEventListener("click", async () => {
    const pixels = await link.ask("sample");
    if (pixels) pad.showImage(pixels);
  });
  $("examine").addEventListener("click", () => digits.examine(spec.focus));
}

function single() {
  running = false;
  link.send("run", { running });
  link.send("step", { n: 1 });
  showRunning();
}

function exports() {
  const legend = () => spec.racers.map((id) => ({ name: byId(id).name, colour: colour(id, darkness.matches), dash: byId(id).dash }));
  const copy = async (what, text) => {
    const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    $("copied").textContent = done ? `${what} is copied.` : `The browser does not allow it: copy this by hand: ${text}`;
  };
  $("link").addEventListener("click", () => copy("The link", location.href));
  $("copy").addEventListener("click", () => copy("The command", $("command").textContent));
  $("csv").addEventListener("click", async () => download(fileName(spec, "curves", "csv"), csvWithSpec(spec, await link.ask("csv")), "text/csv"));
  $("png").addEventListener("click", async () => {
    const pictures = charts.pictures();
    if (spec.task !== "mnist") pictures.push({ title: "The fitted functions", canvas: $("fit") });
    download(fileName(spec, "charts", "png"), await sheet(spec, pictures, legend(), darkness.matches), "image/png");
  });
  $("save").addEventListener("click", async () => {
    const bytes = await link.ask("weights", { id: spec.focus });
    download(fileName(spec, spec.focus, "safetensors"), bytes, "application/octet-stream");
  });
  $("load").addEventListener("change", async () => {
    const [file] = $("load").files;
    if (!file) return;
    const bytes = new Uint8Array(await file.arrayBuffer());
    $("load").value = "";
    start(false, Object.fromEntries(spec.racers.map((id) => [id, bytes])));
  });
  $("points-csv").addEventListener("click", () => download("points.csv", pointsCsv(spec.points), "text/csv"));
}

function listen() {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /INPUT|SELECT|TEXTAREA/.test(event.target.tagName)) return;
    const front = /^[1-9]$/.test(event.key) && spec.racers[event.key - 1];
    if (front) return change({ focus: front });
    const keys = { " ": toggle, ArrowRight: single, r: () => start(true), R: () => start(true) };
    if (event.key === " " && /BUTTON|SUMMARY|A/.test(event.target.tagName)) return;
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  addEventListener("hashchange", () => {
    ({ spec, refused } = read(location.hash));
    start(true);
  });
  document.addEventListener("visibilitychange", () => link.send("hidden", { value: document.hidden }));
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    charts.resize();
    fit.draw();
  });
  darkness.addEventListener("change", () => location.reload());
}

// The race begins while the page is still being built.
ask(!calm);
build();
exports();
listen();
show();
if ("serviceWorker" in navigator) navigator.serviceWorker.register("./offline.js").catch(() => {});
