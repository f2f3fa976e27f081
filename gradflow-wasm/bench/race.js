// One step of training on MNIST, 784-100-10, batch 64, in turns: gradflow and TensorFlow.js in the
// same page, on its main thread. The result is left in `window.result`.

/* global tf */
import init, { DataSet, Trainer } from "./gradflow.js";

const [BATCH, HIDDEN, SIDE, CLASSES] = [64, 100, 784, 10];
const ROUNDS = 7;
const EPOCH = 938; // steps of 64 over 60,000 images, the last one smaller
const PEER_STEPS = 40;
const SLICE = 14; // steps that are timed at once: the browser's clock is coarse, other programs are not to count

const bytes = async (file) => new Uint8Array(await (await fetch(`data/mnist/${file}`)).arrayBuffer());

/** A step of TensorFlow.js on batches that are already tensors. */
async function peer(images, labels) {
  tf.wasm.setWasmPaths("./");
  await tf.setBackend("wasm");
  await tf.ready();
  const weights = (shape, scale) => tf.variable(tf.randomNormal(shape, 0, scale));
  const [w1, b1] = [weights([SIDE, HIDDEN], Math.sqrt(2 / SIDE)), tf.variable(tf.zeros([HIDDEN]))];
  const w2 = weights([HIDDEN, CLASSES], Math.sqrt(2 / HIDDEN));
  const batches = Array.from({ length: PEER_STEPS }, (_, batch) => {
    const first = batch * BATCH;
    const pixels = images.subarray(16 + first * SIDE, 16 + (first + BATCH) * SIDE);
    const hot = tf.oneHot(Array.from(labels.subarray(8 + first, 8 + first + BATCH)), CLASSES);
    return [tf.tensor2d(Float32Array.from(pixels, (pixel) => pixel / 255), [BATCH, SIDE]), hot.toFloat()];
  });
  const sgd = tf.train.sgd(0.1);
  const loss = (x, y) => tf.losses.softmaxCrossEntropy(y, x.matMul(w1).add(b1).relu().matMul(w2));
  return (batch) => {
    const [x, y] = batches[batch % PEER_STEPS];
    const value = sgd.minimize(() => loss(x, y), true);
    const number = value.dataSync()[0]; // as gradflow does: each step's loss is known
    value.dispose();
    return number;
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

async function race() {
  const [images, labels] = [await bytes("train-images-idx3-ubyte"), await bytes("train-labels-idx1-ubyte")];
  await init({ module_or_path: "./gradflow_bg.wasm" });
  const data = DataSet.images(images, labels);
  const own = (method) => new Trainer({ method, dt: 0.1, hidden: HIDDEN, batch: BATCH }, data);
  const racers = { SGD: own("sgd"), ExpSAV: own("exp-sav"), Adam: own("adam") };
  const step = await peer(images, labels);
  const times = { SGD: [], ExpSAV: [], Adam: [], "TensorFlow.js SGD": [] };
  let loss = 0;
  const peerRun = (steps) => {
    for (let i = 0; i < steps; i++) loss = step(i);
  };
  // Once for the compilers, then in turns.
  for (const trainer of Object.values(racers)) trainer.step_many(200);
  peerRun(PEER_STEPS);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, trainer] of Object.entries(racers)) times[name].push(...slices(EPOCH, SLICE, (steps) => trainer.step_many(steps)));
    times["TensorFlow.js SGD"].push(...slices(PEER_STEPS, 1, peerRun));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const last = racers.SGD.curve("loss", 0).at(-1);
  return { times, backend: tf.getBackend(), version: tf.version.tfjs, losses: { own: last, peer: loss } };
}

window.result = race().catch((error) => ({ error: String(error) }));
