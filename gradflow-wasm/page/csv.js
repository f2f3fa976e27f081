// Curves as CSV, with the columns of the desktop's trace.

const COLUMNS = ["loss", "auxiliary", "energy", "kappa", "xi", "dt", "grad_norm_sq", "update_norm_sq"];

export function csvOf(racers) {
  const lines = [["method", "step", "epoch", ...COLUMNS].join(",")];
  for (const { id, trainer } of racers) {
    const steps = trainer.curve_steps(0);
    const epochs = trainer.curve_epochs(0);
    const columns = COLUMNS.map((name) => trainer.curve(name, 0));
    steps.forEach((step, row) => lines.push([id, step, epochs[row], ...columns.map((column) => shortest(column[row]))].join(",")));
  }
  return lines.join("\n") + "\n";
}

/** The fewest digits that bring a single-precision number back; nothing for NaN. */
function shortest(x) {
  if (Number.isNaN(x)) return "";
  for (let digits = 1; digits < 9; digits++) {
    const text = Number(x.toPrecision(digits));
    if (Math.fround(text) === x) return String(text);
  }
  return String(Number(x.toPrecision(9)));
}
