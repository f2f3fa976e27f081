// One step of training on MNIST, 784-100-10, batch 64, in turns: gradflow and TensorFlow.js in the
// same page, on its main thread; then full IEQ on the regression. The result is left in
// `window.result`.

/* global tf */
import init, { DataSet, Trainer } from "./gradflow.js";

const [BATCH, HIDDEN, SIDE, CLASSES, IMAGES] = [64, 100, 784, 10, 60_000];
const ROUNDS = 7;
const EPOCH = 938; // steps of 64 over 60,000 images, the last one smaller
const PEER_STEPS = 40;
const SLICE = 14; // steps that are timed at once: the browser's clock is coarse, other programs are not to count
const GOAL = 1e-5;

const bytes = async (file) => new Uint8Array(await (await fetch(`data/mnist/${file}`)).arrayBuffer());

/** A step of TensorFlow.js on a batch `[x, y]`. As gradflow does, it tells each step's loss. */
function peerStep() {
  const weights = (shape, scale) => tf.variable(tf.randomNormal(shape, 0, scale));
  const [w1, b1] = [weights([SIDE, HIDDEN], Math.sqrt(2 / SIDE)), tf.variable(tf.zeros([HIDDEN]))];
  const w2 = weights([HIDDEN, CLASSES], Math.sqrt(2 / HIDDEN));
  const sgd = tf.train.sgd(0.1);
  const loss = (x, y) => tf.losses.softmaxCrossEntropy(y, x.matMul(w1).add(b1).relu().matMul(w2));
  return ([x, y]) => {
    const value = sgd.minimize(() => loss(x, y), true);
    const number = value.dataSync()[0];
    value.dispose();
    return number;
  };
}

/** Draws batches from the whole set, as TensorFlow.js's own example of MNIST does: numbers are
 * copied to an array, of which a tensor is made. */
function drawer(images, labels) {
  const pixels = Float32Array.from(images.subarray(16), (pixel) => pixel / 255);
  const hot = new Float32Array(IMAGES * CLASSES);
  labels.subarray(8).forEach((label, i) => (hot[i * CLASSES + label] = 1));
  const order = tf.util.createShuffledIndices(IMAGES);
  let at = 0;
  return () => {
    const [x, y] = [new Float32Array(BATCH * SIDE), new Float32Array(BATCH * CLASSES)];
    for (let row = 0; row < BATCH; row++, at = (at + 1) % IMAGES) {
      const i = order[at];
      x.set(pixels.subarray(i * SIDE, (i + 1) * SIDE), row * SIDE);
      y.set(hot.subarray(i * CLASSES, (i + 1) * CLASSES), row * CLASSES);
    }
    return [tf.tensor2d(x, [BATCH, SIDE]), tf.tensor2d(y, [BATCH, CLASSES])];
  };
}

/** Milliseconds a step of each slice, over `steps` steps. */
function slices(steps, slice, run) {
  return Array.from({ length: steps / slice }, () => {
    const start = performance.now();
    run(slice);
    return (performance.now() - start) / slice;
  });
}

/** Milliseconds of full IEQ from nothing to the goal, with a test after every step. */
function reach() {
  const clean = DataSet.clean("gaussian");
  const start = performance.now();
  const trainer = new Trainer({ method: "ieq-full", dt: 1e3, batch: BATCH }, DataSet.task("gaussian", 0, 2000, 0));
  while (trainer.evaluate(clean)[0] > GOAL && trainer.steps < 1000) trainer.step_many(1);
  const milliseconds = performance.now() - start;
  if (trainer.evaluate(clean)[0] > GOAL) throw new Error("full IEQ does not reach its goal");
  return milliseconds;
}

async function race() {
  const [images, labels] = [await bytes("train-images-idx3-ubyte"), await bytes("train-labels-idx1-ubyte")];
  await init({ module_or_path: "./gradflow_bg.wasm" });
  tf.wasm.setWasmPaths("./");
  await tf.setBackend("wasm");
  await tf.ready();
  const data = DataSet.images(images, labels);
  const own = (method) => {
    const trainer = new Trainer({ method, dt: 0.1, hidden: HIDDEN, batch: BATCH }, data);
    return { steps: EPOCH, slice: SLICE, run: (steps) => trainer.step_many(steps) };
  };
  const [step, draw] = [peerStep(), drawer(images, labels)];
  const ready = Array.from({ length: PEER_STEPS }, draw);
  const peer = (one) => ({
    steps: PEER_STEPS,
    slice: 1,
    run: (steps) => {
      for (let i = 0; i < steps; i++) one(i);
    },
  });
  const racers = {
    "gradflow, SGD": own("sgd"),
    "gradflow, ExpSAV": own("exp-sav"),
    "gradflow, Adam": own("adam"),
    "TensorFlow.js, SGD": peer(() => {
      const batch = draw();
      step(batch);
      tf.dispose(batch);
    }),
    "the same, batches ready": peer((i) => step(ready[i % PEER_STEPS])),
  };
  // Once for the compilers, then in turns.
  for (const { run } of Object.values(racers)) run(200);
  const times = Object.fromEntries(Object.keys(racers).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, { steps, slice, run }] of Object.entries(racers)) times[name].push(...slices(steps, slice, run));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { times, reach: Array.from({ length: 5 }, reach), backend: tf.getBackend(), version: tf.version.tfjs };
}

window.result = race().catch((error) => ({ error: String(error) }));
