// Unit tests of the package, in Node: node --test with PAGE (the built page) and GRADFLOW (the
// desktop's command) in the environment.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { desktop } from "./desktop.mjs";

const { PAGE } = process.env;
const at = (file) => pathToFileURL(join(PAGE, file)).href;
const gradflow = await import(at("gradflow.js"));
const { METHODS, command, optionsOf } = await import("../page/methods.js");
const { DEFAULTS, read, write, sound, TASK_DEFAULTS } = await import("../page/spec.js");
const { csvOf } = await import("../page/csv.js");
const { pointsCsv } = await import("../page/save.js");
const { DataSet, Trainer } = gradflow;
const wasm = gradflow.initSync({ module: readFileSync(join(PAGE, "gradflow_bg.wasm")) });

const folder = mkdtempSync(join(tmpdir(), "gradflow-"));
after(() => rmSync(folder, { recursive: true }));

const gaussian = (noise = 0) => DataSet.task("gaussian", 0, 2000, noise);

test("full IEQ reaches 1e-5 in a few steps", () => {
  const clean = DataSet.clean("gaussian");
  const trainer = new Trainer({ method: "ieq-full", dt: 1e3, batch: 64 }, gaussian());
  while (trainer.evaluate(clean)[0] > 1e-5 && trainer.steps < 100) trainer.step_many(1);
  assert.ok(trainer.steps <= 25, `${trainer.steps} steps`);
});

test("every law holds at every step size, and the audit counts every step", () => {
  for (const { id } of METHODS) {
    for (const dt of [1e-6, 1e-2, 1, 1e3, 1e6]) {
      const options = { ...optionsOf({ ...DEFAULTS, dt }, id), audit: true };
      const trainer = new Trainer(options, gaussian(0.01));
      trainer.step_many(200);
      const [checked, violations] = trainer.tally();
      if (!trainer.has_law) continue;
      // In single precision the system of full IEQ may be too stiff to solve: an error, never a NaN.
      if (trainer.failure) assert.match(trainer.failure, /Gram|converge|finite/, `${id} at Δt ${dt}`);
      assert.equal(checked, trainer.steps, `${id} at Δt ${dt}`);
      assert.equal(violations, 0, `${id} at Δt ${dt}: first at step ${trainer.tally()[2]}`);
      assert.ok(trainer.weights().every(Number.isFinite));
    }
  }
});

test("SGD diverges at Δt 1, says where, and keeps finite weights", () => {
  const trainer = new Trainer({ method: "sgd", dt: 1 }, gaussian());
  const taken = trainer.step_many(100);
  assert.equal(taken, trainer.steps);
  assert.ok(taken < 100);
  assert.match(trainer.failure, /not finite/);
  assert.equal(trainer.step_many(5), 0);
  assert.ok(trainer.weights().every(Number.isFinite));
});

test("Δt can be changed while training", () => {
  const trainer = new Trainer({ method: "sav", dt: 0.1 }, gaussian());
  trainer.step_many(3);
  trainer.set_dt(10);
  trainer.step_many(3);
  assert.deepEqual(Array.from(trainer.curve("dt", 0)), [0.1, 0.1, 0.1, 10, 10, 10].map(Math.fround));
  assert.throws(() => trainer.set_dt(-1), /dt = -1 is out of range/);
  assert.throws(() => trainer.set_dt(Infinity), /dt = Infinity/);
});

test("options that do not exist or have no meaning are named", () => {
  for (const [options, reason] of [
    [{ metod: "sav" }, /no option `metod`/],
    [{ method: "sga" }, /`method` cannot be `sga`/],
    [{ method: "sgd", relaxed: true }, /no auxiliary variable/],
    [{ batch: 3000 }, /batch = 3000/],
    [{ hidden: 0 }, /size = 0/],
    [{ seed: {} }, /option `seed`/],
  ]) assert.throws(() => new Trainer(options, gaussian()), reason);
  assert.throws(() => DataSet.task("no-task", 0, 10, 0), /no task/);
  assert.throws(() => DataSet.values(1, Float32Array.of(0, NaN), Float32Array.of(1, 2)), /finite/);
  assert.throws(() => DataSet.images(new Uint8Array(20), new Uint8Array(9)), /no IDX file/);
});

test("weights are seen without a copy, saved, and loaded", () => {
  const trainer = new Trainer({ method: "adam", dt: 1e-3 }, gaussian());
  trainer.step_many(10);
  const view = new Float32Array(wasm.memory.buffer, trainer.weights_ptr, trainer.parameters);
  assert.deepEqual(Array.from(view), Array.from(trainer.weights()));
  const other = new Trainer({ method: "sav", dt: 1, seed: 5 }, gaussian());
  other.load(trainer.save());
  assert.deepEqual(other.weights(), trainer.weights());
  other.step_many(1);
  assert.throws(() => other.load(trainer.save()), /before the first step/);
  assert.throws(() => new Trainer({ hidden: 7 }, gaussian()).load(trainer.save()), /another shape/);
  assert.throws(() => new Trainer({}, gaussian()).load(new Uint8Array(4)), Error);
});

test("memory does not grow with the length of a run", () => {
  const trainer = new Trainer({ method: "sav", relaxed: true, dt: 1, batch: 8, hidden: 8 }, gaussian());
  trainer.step_many(20_000);
  const before = wasm.memory.buffer.byteLength;
  for (let i = 0; i < 40; i++) {
    trainer.step_many(5_000);
    trainer.predict(Float32Array.of(0, 1, 2));
    trainer.save();
  }
  assert.equal(wasm.memory.buffer.byteLength, before);
  assert.ok(trainer.curve_steps(0).length < 5_000);
});

test("an address brings every spec back, and a bad one is mended and told", () => {
  const spec = sound({ ...DEFAULTS, task: "points", ...TASK_DEFAULTS.points, racers: ["adam", "ieq-full"], dt: 1e-6, lambda: 0, seed: 7, points: [[-1.5, 0.25], [2, -0.1]], y: "linear" });
  assert.deepEqual(read(write(spec)).spec, spec);
  assert.deepEqual(read(write(DEFAULTS)).spec, sound(DEFAULTS));
  const { spec: mended, refused } = read("#dt=1e9&racers=sav,foo&hidden=2.5&evil=1&seed=3&noise=&points=9,9");
  assert.deepEqual(mended, sound({ ...DEFAULTS, seed: 3 }));
  assert.equal(refused.length, 6);
});

test("the curves as CSV bring single precision back", () => {
  const trainer = new Trainer({ method: "sav", dt: 1 }, gaussian());
  trainer.step_many(20);
  const [head, ...rows] = csvOf([{ id: "sav", trainer }]).trimEnd().split("\n");
  assert.equal(head, "method,step,epoch,loss,auxiliary,energy,kappa,xi,dt,grad_norm_sq,update_norm_sq");
  const loss = trainer.curve("loss", 0);
  rows.forEach((row, i) => assert.equal(Math.fround(Number(row.split(",")[3])), loss[i]));
  assert.equal(rows[0].split(",")[7], "");
});

/** Trains as the page does, and as the page's command says on the desktop. */
function agree(spec, id, data) {
  const trainer = new Trainer(optionsOf(spec, id), data);
  assert.equal(trainer.step_many(spec.steps), spec.steps, `${id}: ${trainer.failure}`);
  const line = command(spec, id);
  assert.ok(desktop(line).equals(Buffer.from(trainer.save())), line);
  return line;
}

test("on the regression the weights equal the desktop's bit for bit", () => {
  for (const { id } of METHODS) {
    for (const other of [{}, { schedule: "cosine", r0: "train" }]) {
      const spec = sound({ ...DEFAULTS, steps: 60, dt: id === "sgd" ? 0.1 : 1, seed: 3, ...other });
      agree(spec, id, DataSet.task("gaussian", spec.seed, spec.samples, spec.noise));
    }
  }
});

test("on the digits, 784-100-10, the weights equal the desktop's bit for bit", () => {
  const images = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];
  const data = DataSet.images(...images.map((file) => readFileSync(join(PAGE, "data/mnist", file))));
  const spec = { ...DEFAULTS, task: "mnist", ...TASK_DEFAULTS.mnist, steps: 20, seed: 5 };
  for (const { id } of METHODS) agree(sound({ ...spec, dt: id === "adam" ? 1e-3 : 0.5 }), id, data);
  for (const id of ["sav-relaxed", "exp-sav", "ieq-adaptive-relaxed"]) {
    assert.match(agree(sound({ ...spec, r0: "train" }), id, data), /--r0 train/);
  }
});

test("r starts from the loss of the whole set, if asked", () => {
  const first = (r0) => {
    const trainer = new Trainer({ method: "sav", dt: 1, r0 }, gaussian());
    const start = Math.fround(trainer.evaluate(gaussian())[0]);
    trainer.step_many(1);
    return { start, loss: trainer.curve("loss", 0)[0], r: trainer.curve("auxiliary", 0)[0] };
  };
  const [batch, train] = [first("batch"), first("train")];
  assert.equal(batch.start, train.start);
  assert.equal(batch.loss, train.loss);
  assert.notEqual(batch.r, train.r);
});

test("own points as CSV give the desktop the same run", () => {
  const spec = sound({ ...DEFAULTS, task: "points", ...TASK_DEFAULTS.points, steps: 40 });
  const [x, y] = [0, 1].map((column) => Float32Array.from(spec.points, (point) => point[column]));
  const trainer = new Trainer(optionsOf(spec, "ieq-full"), DataSet.values(1, x, y));
  trainer.step_many(spec.steps);
  writeFileSync(join(folder, "points.csv"), pointsCsv(spec.points));
  const line = command(spec, "ieq-full").replace("points.csv", join(folder, "points.csv"));
  assert.ok(desktop(line).equals(Buffer.from(trainer.save())));
});
