// The methods that can race: their options, their flags on the command line, what they compute and
// what their laws promise. No formula is evaluated here.

const CONSISTENT = `κ = r/√(L+C) ties the step to r: a law for the true training path.`;

export const METHODS = [
  {
    id: "sgd", name: "SGD", options: { method: "sgd" }, dash: [2, 3],
    formula: "Δw = −Δt g",
    promise: "No law. Each eigenvalue μ of the Hessian asks for Δt < 2/μ, and beyond it w runs away.",
  },
  {
    id: "adam", name: "Adam", options: { method: "adam" }, dash: [8, 3, 2, 3],
    formula: "Δw = −Δt m̂ / (√v̂ + 10⁻⁸)",
    promise: "No law. Each parameter moves by about Δt a step, however flat the loss: a large Δt throws w far away, and the loss stays there.",
  },
  {
    id: "sav", name: "SAV", options: { method: "sav" }, dash: [10, 4], shift: "sav",
    formula: "r = √(L+C), ρ = 1/(1 + Δt S/(2(L+C))), r̃ = ρ r, Δw = −Δt ρ A g",
    promise: "‖Δw‖² ≤ Δt'(L+C)/2 at any Δt, and r never grows. Here r is a monitor only: that the true loss falls is not promised.",
  },
  {
    id: "sav-relaxed", name: "SAV, relaxed", options: { method: "sav", relaxed: true }, dash: [], shift: "sav",
    formula: "as SAV with Δw = −Δt κ ρ A g, κ = r/√(L+C); then r ← min(√(L+C) at the new w, √(r̃² + ηD))",
    promise: `r'² ≤ r² − (1−η)D at any Δt. ${CONSISTENT} In mini-batches κ may shrink: then training anneals, or freezes. A falling loss at every step is not promised.`,
  },
  {
    id: "exp-sav", name: "ExpSAV", options: { method: "exp-sav" }, dash: [14, 4, 2, 4], shift: "exp-sav",
    formula: "ℓ = ln r − ln C, ρ = 1/(1 + Δt S), ℓ̃ = ℓ − ln(1 + Δt S), Δw = −Δt ρ A g",
    promise: "‖Δw‖ ≤ √Δt'/2, however large the gradient. C never acts on the step. That the true loss falls is not promised.",
  },
  {
    id: "exp-sav-relaxed", name: "ExpSAV, relaxed", options: { method: "exp-sav", relaxed: true }, dash: [6, 2], shift: "exp-sav",
    formula: "as ExpSAV with κ = min(1, exp(ℓ − L)), Δw = −Δt κ ρ A g; then ℓ ← min(L at the new w, ℓ̃ + ηD)",
    promise: "ℓ' ≤ ℓ − (1−η)D at any Δt. In mini-batches κ may shrink and training freeze. A falling loss at every step is not promised.",
  },
  {
    id: "ieq-full", name: "IEQ, full", options: { method: "ieq-full" }, dash: [],
    formula: "L = ½‖q‖², (I + Δt J A Jᵀ) q̃ = q, Δw = −Δt A Jᵀ q̃",
    promise: "½‖q̃‖² + ½‖q̃−q‖² + D = ½‖q‖². The step of Levenberg and Marquardt with damping 1/Δt: few, dear steps. The modified energy falls, the true loss need not.",
  },
  {
    id: "ieq-full-relaxed", name: "IEQ, full, relaxed", options: { method: "ieq-full", relaxed: true }, dash: [6, 2],
    formula: "as full IEQ with a stored q for each sample; then q moves towards its definition as far as the law allows",
    promise: "½‖q'‖² ≤ ½‖q‖² − (1−η)D on each batch. A falling true loss is not promised.",
  },
  {
    id: "ieq-full-gain-ratio", name: "IEQ, full, own Δt", options: { method: "ieq-full", control: "gain-ratio" }, dash: [12, 3, 2, 3, 2, 3],
    formula: "full IEQ; Δt ← 3Δt when the true decrease is over ¾ of the predicted one, Δt/4 when under ¼; a step that does not lower L is taken back",
    promise: "The loss of the step's own batch falls at every accepted step. The slider sets only the first Δt to try.",
  },
  {
    id: "ieq-adaptive", name: "IEQ, adaptive", options: { method: "ieq-adaptive" }, dash: [4, 2],
    formula: "α = 1/(1 + Δt S/(‖q‖²+ε)), q̃ = α q, Δw = −Δt α A g",
    promise: "½‖q̃‖² + ½‖q̃−q‖² + θD = ½‖q‖², θ = ‖q‖²/(‖q‖²+ε). q is fresh on each batch, so the energy is the loss and need not fall.",
  },
  {
    id: "ieq-adaptive-relaxed", name: "IEQ, adaptive, relaxed", options: { method: "ieq-adaptive", relaxed: true }, dash: [2, 2],
    formula: "as adaptive IEQ with a stored q; then q moves towards its definition as far as the law allows",
    promise: "½‖q'‖² ≤ ½‖q‖² − (1−η)θD on each batch. A falling true loss is not promised.",
  },
];

export const byId = (id) => METHODS.find((method) => method.id === id);

/** Colours that colour-blind people tell apart, with a contrast of at least 3 on their ground. */
const LIGHT = ["#c0392b", "#b35c00", "#0072b2", "#005a8c", "#007a5a", "#00604a", "#8a3ea8", "#6d2c8c", "#a0307a", "#5b5b00", "#7a4b1e"];
const DARK = ["#ff7b6b", "#f5a742", "#56b4e9", "#8fd0ff", "#2fd0a0", "#7fe6c6", "#d59bf0", "#e6c2fa", "#ff8fd0", "#e5dc52", "#d6a878"];

export const colour = (id, dark) => (dark ? DARK : LIGHT)[METHODS.findIndex((method) => method.id === id)];

/** Options of a racer for the trainer: the shared ones and its own. */
export function optionsOf(spec, id) {
  const { options } = byId(id);
  const own = { ...options, dt: spec.dt };
  if (!["sgd", "adam"].includes(own.method)) own.lambda = spec.lambda;
  if (["sav", "exp-sav"].includes(own.method)) own.c = spec.c;
  if (spec.r0 === "train" && hasScalar(own, spec)) own.r0 = spec.r0;
  // Generalised Gauss-Newton has no stored form.
  if (own.method === "ieq-full" && own.relaxed && spec.task === "mnist") own.residual = "brier";
  return {
    ...own,
    hidden: spec.hidden,
    batch: spec.batch === 0 ? "full" : spec.batch,
    steps: spec.steps,
    schedule: spec.schedule,
    seed: spec.seed,
    ...initOf(spec),
  };
}

/** Whether a method has one auxiliary number that lasts longer than a step. */
const hasScalar = ({ method, relaxed }, { task }) =>
  ["sav", "exp-sav"].includes(method) || (method === "ieq-adaptive" && relaxed && task === "mnist");

const initOf = (spec) =>
  spec.task === "mnist" ? { init: "kaiming", outputBias: false } : { init: "ntk", outputBias: true };

/** The command that does the same on the desktop, bit for bit. */
export function command(spec, id) {
  const o = optionsOf(spec, id);
  const task = spec.task === "points" ? ["csv", "--data points.csv --target y --loss mse"] : [spec.task, ""];
  const words = ["gradflow train --task", ...task, "--method", o.method];
  if (o.relaxed) words.push("--relaxed");
  if (o.control) words.push("--control", o.control);
  if (o.residual) words.push("--residual", o.residual);
  words.push("--dt", plain(o.dt));
  if (o.lambda !== undefined) words.push("--lambda", plain(o.lambda));
  if (o.c !== undefined) words.push("--c", plain(o.c));
  if (o.r0) words.push("--r0", o.r0);
  words.push("--hidden", o.hidden, "--init", o.init);
  if (o.outputBias) words.push("--output-bias");
  words.push("--batch", o.batch, "--steps", o.steps, "--schedule", o.schedule, "--seed", o.seed);
  if (spec.task === "gaussian") words.push("--samples", spec.samples, "--noise", plain(spec.noise));
  return words.filter((word) => word !== "").join(" ");
}

/** A number as a command line reads it. */
export const plain = (x) => String(x).replace("e+", "e");
