// The race, off the page's thread: trainers in step with one another, in slices of some
// milliseconds, so that messages are never kept waiting.

import init, { DataSet, Trainer } from "./gradflow.js";
import { optionsOf } from "./methods.js";
import { loadMnist } from "./mnist.js";
import { confusion } from "./mistakes.js";
import { csvOf } from "./csv.js";

const SLICE = 12; // milliseconds of training between two looks at the messages
const HIDDEN_SLICE = 4;
const HIDDEN_PAUSE = 250;
const GROWTH = 1.4; // per second, of the number of steps at a steady pace
const SLOW = 12; // steps a second
const GOAL = 1e-5; // error against the noiseless target
const FIT_POINTS = 241;

let race = null;
let mnist = null;
let loading = null; // the promise of it
let starts = 0;
let wished = false; // whether to run, as the page last said
let firstStep = null; // when the first of all steps was done
let hidden = false;
let wanted = false; // the page is ready for a frame
let looping = false;
const wake = new MessageChannel();
wake.port1.onmessage = () => loop();

const say = (type, content = {}, transfer = []) => postMessage({ type, ...content }, transfer);

const ready = init({ module_or_path: new URL("./gradflow_bg.wasm", import.meta.url) });
ready.catch((error) => say("error", { text: `The WebAssembly module does not start: ${error}` }));

const answers = {
  async start({ spec, weights, run }) {
    if (race) race.running = false;
    const mine = ++starts;
    wished = run;
    const data = await dataOf(spec).catch((error) => {
      if (mine === starts) throw error;
    });
    // While the images were on their way, another race was asked for.
    if (mine !== starts) return release(data);
    race?.racers.forEach((racer) => racer.trainer.free());
    release(race);
    race = { spec, ...data, last: performance.now(), budget: 1, chunk: 1, step: 0, running: wished, nextTest: 0 };
    race.racers = spec.racers.map((id) => newRacer(spec, id, data.data, weights?.[id]));
    const laws = race.racers.map(({ id, trainer }) => ({ id, law: trainer.law, hasLaw: trainer.has_law, parameters: trainer.parameters }));
    const points = spec.task === "mnist" ? null : { x: race.data.x(), y: race.data.y() };
    const target = spec.task === "gaussian" ? race.test.y() : null;
    say("ready", { laws, points, target, stepsPerEpoch: race.racers[0].trainer.steps_per_epoch });
    test();
    sendFrame();
    schedule();
  },
  run({ running }) {
    wished = running;
    if (!race) return;
    race.running = running;
    race.last = performance.now();
    if (running) schedule();
    else sendFrame();
  },
  step({ n }) {
    if (!race) return;
    advance(race.step + n);
    test();
    sendFrame();
  },
  dt({ dt }) {
    race?.racers.forEach(({ trainer }) => trainer.set_dt(dt));
  },
  limit({ steps, pace }) {
    if (race) Object.assign(race.spec, { steps, pace });
    schedule();
  },
  hidden({ value }) {
    hidden = value;
  },
  frame() {
    wanted = true;
  },
  predict({ x, ticket }) {
    const outputs = race?.spec.task === "mnist" ? race.racers.map(({ id, trainer }) => ({ id, logits: trainer.predict(x) })) : [];
    say("prediction", { outputs, ticket });
  },
  weights({ id, ticket }) {
    const bytes = find(id).trainer.save();
    say("answer", { ticket, value: bytes }, [bytes.buffer]);
  },
  allWeights({ ticket }) {
    say("answer", { ticket, value: Object.fromEntries(race.racers.map(({ id, trainer }) => [id, trainer.save()])) });
  },
  csv({ ticket }) {
    say("answer", { ticket, value: csvOf(race.racers) });
  },
  mistakes({ id, ticket }) {
    const value = mnist && race.spec.task === "mnist" ? confusion(find(id).trainer.predict_data(mnist.test), mnist) : null;
    say("answer", { ticket, value });
  },
  sample({ ticket }) {
    say("answer", { ticket, value: mnist ? mnist.image(Math.floor(Math.random() * mnist.labels.length)) : null });
  },
};

onmessage = async ({ data }) => {
  try {
    await ready;
    await answers[data.type](data);
  } catch (error) {
    if (race) race.running = false;
    say("error", { text: String(error?.message ?? error), ticket: data.ticket });
  }
};


const find = (id) => race.racers.find((racer) => racer.id === id);

function newRacer(spec, id, data, weights) {
  const trainer = new Trainer({ ...optionsOf(spec, id), audit: spec.audit === "on" }, data);
  if (weights) trainer.load(weights);
  return { id, trainer, sent: 0, busy: 0, score: null, reached: null };
}

async function dataOf(spec) {
  if (spec.task === "mnist") {
    loading ??= loadMnist(DataSet, (done, total) => say("progress", { done, total }));
    mnist = await loading.catch((error) => {
      loading = null;
      throw error;
    });
    return { data: mnist.train, test: mnist.test };
  }
  const clean = DataSet.clean("gaussian");
  if (spec.task === "gaussian") return { data: DataSet.task("gaussian", spec.seed, spec.samples, spec.noise), test: clean };
  const [x, y] = [0, 1].map((column) => Float32Array.from(spec.points, (point) => point[column]));
  clean.free();
  return { data: DataSet.values(1, x, y), test: null };
}

/** Gives the sets of a race back, but for MNIST, which stays. */
function release(sets) {
  if (sets && sets.data !== mnist?.train) for (const set of [sets.data, sets.test]) set?.free();
}

function schedule() {
  if (looping || !race?.running) return;
  looping = true;
  wake.port2.postMessage(0);
}

function loop() {
  looping = false;
  if (!race?.running) return;
  try {
    turn();
  } catch (error) {
    race.running = false;
    say("error", { text: String(error?.message ?? error) });
    return;
  }
  if (!race.running || (wanted && race.step >= race.nextTest)) test();
  if (wanted || !race.running) sendFrame();
  const waiting = hidden || race.goal <= race.step;
  if (!race.running) return;
  looping = true;
  if (waiting) setTimeout(() => wake.port2.postMessage(0), hidden ? HIDDEN_PAUSE : 4);
  else wake.port2.postMessage(0);
}

/** Trains for one slice, as far as the pace allows. */
function turn() {
  const now = performance.now();
  const seconds = Math.min((now - race.last) / 1000, 0.1);
  race.last = now;
  const { pace, steps } = race.spec;
  const rate = pace === "slow" ? SLOW : Math.max(40, GROWTH * race.step);
  race.budget = Math.min(race.budget + rate * seconds, Math.max(1, rate * 0.1));
  const allowed = pace === "max" ? Infinity : Math.floor(race.budget);
  race.goal = Math.min(steps, race.step + allowed);
  const before = race.step;
  const end = now + (hidden ? HIDDEN_SLICE : SLICE);
  while (race.step < race.goal && performance.now() < end) {
    const start = performance.now();
    advance(Math.min(race.goal, race.step + race.chunk));
    const spent = performance.now() - start;
    race.chunk = Math.max(1, Math.min(4096, Math.floor(race.chunk * Math.min(2, SLICE / 2 / Math.max(spent, 0.1)))));
  }
  race.budget -= race.step - before;
  const alive = race.racers.some(({ trainer }) => !trainer.failure);
  if (race.step >= steps || !alive) race.running = false;
}

/** Takes every racer to the same step. */
function advance(goal) {
  for (const racer of race.racers) {
    const start = performance.now();
    racer.trainer.step_many(goal - racer.trainer.steps);
    racer.busy += performance.now() - start;
  }
  race.step = goal;
  firstStep ??= performance.timeOrigin + performance.now();
}

/** Measures every racer on the test set: the noiseless target, or the test images. */
function test() {
  const growth = race.spec.task === "mnist" ? 0.25 : 0.02;
  race.nextTest = race.step + Math.max(1, Math.floor(race.step * growth));
  if (!race.test) return;
  for (const racer of race.racers) {
    const [loss, correct, samples] = racer.trainer.evaluate(race.test);
    racer.score = race.spec.task === "mnist" ? correct / samples : loss;
    if (race.spec.task === "gaussian" && loss <= GOAL) racer.reached ??= { step: racer.trainer.steps, seconds: racer.busy / 1000 };
  }
}

function sendFrame() {
  wanted = false;
  const transfer = [];
  const keep = (array) => (transfer.push(array.buffer), array);
  const racers = race.racers.map((racer) => {
    const { trainer, id } = racer;
    const from = racer.sent;
    const rows = keep(trainer.curve_steps(from));
    racer.sent += rows.length;
    const column = (name) => keep(trainer.curve(name, from));
    return {
      id, rows, loss: column("loss"), energy: column("energy"), kappa: column("kappa"),
      steps: trainer.steps, failure: trainer.failure, dt: trainer.dt, tally: trainer.tally(),
      busy: racer.busy, score: racer.score, reached: racer.reached,
      fit: race.spec.task === "mnist" ? null : keep(trainer.predict(FIT_GRID)),
    };
  });
  say("frame", { step: race.step, running: race.running, firstStep, racers }, transfer);
}

const FIT_GRID = Float32Array.from({ length: FIT_POINTS }, (_, i) => -3 + (6 * i) / (FIT_POINTS - 1));
