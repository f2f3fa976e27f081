#!/usr/bin/env python3
"""An independent f64 reference of every training method, and the program that made the golden traces in this folder.

    python3 reference.py            rewrites the data, the initial weights, cases.tsv and one trace a case
    python3 reference.py --check    computes everything and compares it with the files instead: data, weights and index
                                    byte for byte, traces to 1e-9 (another platform's exp may differ in the last bit)

Python 3.10 and its standard library are all it needs. It implements SGD, Adam, SAV, ExpSAV (Ratio and Consistent, plain and relaxed,
λI and diagonal operator), adaptive IEQ and full IEQ (fresh, persistent, relaxed; residuals mse, sqrt-loss, Brier, logit,
raw; generalised Gauss-Newton; gain-ratio control) on the two-layer network. Where it can it takes another way than
the library: full IEQ forms the explicit Jacobian and eliminates densely, Gauss-Newton is solved in parameter space.

Before a trace counts, the script asserts that the gradient and the Jacobian agree with central differences, that each step
obeys its scheme's law, that λI equals the shorter step Δt' = Δt/(1 + λΔt), and that the trace is well conditioned: runs whose
weights are disturbed by a unit in the last place at every step stay within 1e-10 of it. A method's case ends
early (`--steps`) only where that last check says that later rows would record rounding errors.

cases.tsv names for each case the files and the arguments of `gradflow train`; its paths are relative to this folder.
Compare traces with a relative tolerance of 1e-9; ξ₀ and κ, which may vanish, with an absolute one.
"""

import sys

sys.dont_write_bytecode = True  # no cache folder beside the golden files

import argparse
import csv
import io
import random
from math import sqrt
from pathlib import Path

from cases import CASES, arguments
from methods import scheme
from network import Network, axpy, norm_sq
from problem import Problem

HERE = Path(__file__).resolve().parent
COLUMNS = "step epoch loss auxiliary energy kappa xi dt grad_norm_sq update_norm_sq".split()
HIDDEN = 7


def regression_rows(rng):
    """Twelve rows; the last four repeat inputs with other targets, so that no network reaches loss 0."""
    xs = [[round(rng.uniform(-2.0, 2.0), 3) for _ in range(3)] for _ in range(8)]
    xs += xs[:4]
    smooth = [[x[0] * x[1] - 0.5 * x[2], abs(x[2]) - 0.3 * x[0] ** 2] for x in xs]
    return [x + [round(v + rng.uniform(-0.6, 0.6), 3) for v in y] for x, y in zip(xs, smooth)]


def class_rows(rng):
    """Twelve rows; the last four repeat inputs under another label, so that the classes are not separable."""
    xs = [[round(rng.uniform(-1.5, 1.5), 3) for _ in range(4)] for _ in range(8)]
    labels = [i % 3 for i in range(8)]
    return [x + [label] for x, label in zip(xs + xs[:4], labels + [(label + 1) % 3 for label in labels[:4]])]


def initial_weights(rng, network):
    """Gentle values: hidden weights of size 1/√(d+1), output weights of size 1/√m."""
    hidden = [rng.uniform(-1.7, 1.7) / sqrt(network.rows) for _ in range(network.hidden_len)]
    rest = [rng.uniform(-1.7, 1.7) / sqrt(network.m) for _ in range(network.weights_len - network.hidden_len)]
    return hidden + rest


def make_inputs():
    """Data files (header and rows) and initial weights by file name."""
    rng = random.Random(20)  # `random()` and `uniform` of a seeded generator are the same in every Python
    data = {
        "regression.csv": ("x1,x2,x3,y1,y2", regression_rows(rng)),
        "classes.csv": ("x1,x2,x3,x4,label", class_rows(rng)),
    }
    inits = {}
    for name, shape in [
        ("init_regression.safetensors", (3, HIDDEN, 2, True)),
        ("init_regression_no_bias.safetensors", (3, HIDDEN, 2, False)),
        ("init_classes.safetensors", (4, HIDDEN, 3, False)),
    ]:
        network = Network(*shape)
        inits[name] = (network, initial_weights(rng, network))
    return data, inits


def parse(text):
    """The options of `gradflow train` that the cases use, with its defaults."""
    parser = argparse.ArgumentParser()
    for flag in ["task", "data", "target", "loss", "method", "residual", "batch", "precision", "init"]:
        parser.add_argument(f"--{flag}")
    parser.add_argument("--coupling", choices=["ratio", "consistent"])
    parser.add_argument("--q", choices=["fresh", "persistent"], default="fresh")
    parser.add_argument("--control", choices=["fixed", "gain-ratio"], default="fixed")
    parser.add_argument("--operator", choices=["scalar", "diagonal"], default="scalar")
    parser.add_argument("--relaxed", action="store_true")
    parser.add_argument("--steps", type=int)
    for flag, default in [("dt", None), ("lambda", 0.0), ("c", 1.0), ("epsilon", 1e-8), ("eta", 0.99)]:
        parser.add_argument(f"--{flag}", type=float, default=default, dest="lam" if flag == "lambda" else flag)
    o = parser.parse_args(text.split())
    o.coupling = o.coupling or ("consistent" if o.relaxed else "ratio")
    o.persistent = o.relaxed or o.q == "persistent"
    if o.residual is None:
        by_method = {"ieq-full": "ggn", "ieq-adaptive": "sqrt-loss"}
        o.residual = "mse" if o.loss == "mse" else by_method.get(o.method)
    return o


def make_problem(o, data, network):
    rows = data[o.data][1]
    if o.loss == "mse":
        xs, ys = [r[:3] for r in rows], [r[3:] for r in rows]
    else:
        xs, ys = [r[:4] for r in rows], [[float(r[4] == j) for j in range(3)] for r in rows]
    return Problem(network, xs, ys, o.loss, o.residual)


def run(o, problem, w, disturb=None):
    """The trace's rows. Steps are counted from 0; on the full batch an epoch is one step."""
    method, rows = scheme(problem, w, o), []
    for step in range(o.steps):
        w_next, row, dw = method.step(w)
        rows.append({"step": step, "epoch": step, **row})
        moved, exact = norm_sq(axpy(-1.0, w, w_next)), row["update_norm_sq"]
        assert abs(moved - exact) <= 1e-10 * exact, f"the update of step {step} drowns in the weights"
        w = [v * (1.0 + 2.2e-16 * disturb.choice([-1, 0, 1])) for v in w_next] if disturb else w_next
    return rows


def distance(a, b):
    """The largest relative difference of two traces; ξ₀ and κ, which lie near [0, 1], count absolutely."""
    worst = 0.0
    for row_a, row_b in zip(a, b, strict=True):
        for name in COLUMNS:
            x, y = row_a[name], row_b[name]
            assert (x is None) == (y is None), f"{name} is empty in one trace only"
            if x is not None and x != y:
                worst = max(worst, abs(x - y) / (1.0 if name in ("xi", "kappa") else max(abs(x), abs(y))))
    return worst


def check_conditioning(name, o, problem, w, rows):
    worst = max(distance(rows, run(o, problem, w, random.Random(seed))) for seed in range(2))
    assert worst < 1e-10, f"{name} magnifies rounding errors to {worst:.1e}"
    return worst


def check_operator(o, problem, w, rows):
    """λI is the same scheme with Δt' and λ = 0."""
    if o.lam == 0.0 or o.control != "fixed":
        return
    shorter = argparse.Namespace(**vars(o))
    shorter.dt, shorter.lam = o.dt / (1.0 + o.lam * o.dt), 0.0
    other = [{**row, "dt": o.dt} for row in run(shorter, problem, w)]
    assert distance(rows, other) < 1e-10, "λI differs from Δt'"


def check_derivatives(problem, w):
    """Gradient and residual Jacobian against central differences of step h (error of order h²)."""
    h = 1e-5
    _, g = problem.loss_gradient(w)
    with_residual = problem.residual_kind not in (None, "ggn", "sqrt-loss")
    jacobian = problem.residual_jacobian(w) if with_residual else []
    for i in range(len(w)):
        up, down = w[:], w[:]
        up[i] += h
        down[i] -= h
        slope = (problem.loss(up) - problem.loss(down)) / (2.0 * h)
        assert abs(slope - g[i]) < 1e-8, f"gradient {i}: {g[i]} against {slope}"
        if with_residual:
            for row, a, b in zip(jacobian, problem.residual(up), problem.residual(down)):
                assert abs((a - b) / (2.0 * h) - row[i]) < 1e-8, f"Jacobian of weight {i}"


def table(rows):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(rows)
    return text.getvalue()


def trace_text(rows):
    fields = [["" if row[c] is None else repr(row[c]) for c in COLUMNS] for row in rows]
    return table([COLUMNS] + fields)


def compute():
    """Every file of the folder that this script makes: its name and content."""
    data, inits = make_inputs()
    files = {name: table([header.split(",")] + rows).encode() for name, (header, rows) in data.items()}
    files |= {name: network.safetensors(w) for name, (network, w) in inits.items()}
    index = ["name\tdata\ttarget\tloss\tinit\targuments"]
    for case in CASES:
        text = arguments(case)
        o = parse(text)
        network, w = inits[o.init]
        problem = make_problem(o, data, network)
        check_derivatives(problem, w)
        rows = run(o, problem, w)
        check_operator(o, problem, w, rows)
        worst = check_conditioning(case.name, o, problem, w, rows)
        rejected = sum(row["update_norm_sq"] == 0.0 for row in rows)
        print(f"{case.name:44} loss {rows[0]['loss']:.3e} → {rows[-1]['loss']:.3e}, rejected {rejected}, "
              f"rounding {worst:.0e}")
        files[f"{case.name}.csv"] = trace_text(rows).encode()
        index.append("\t".join([case.name, o.data, o.target, o.loss, o.init, text]))
    files["cases.tsv"] = "".join(line + "\n" for line in index).encode()
    return files


def read_trace(content):
    records = csv.DictReader(io.StringIO(content.decode()))
    return [{name: float(value) if value else None for name, value in record.items()} for record in records]


def agrees(name, content):
    stored = (HERE / name).read_bytes()
    if stored.startswith(b"step,"):
        return distance(read_trace(stored), read_trace(content)) < 1e-9
    return stored == content


def main():
    files = compute()
    if sys.argv[1:] == ["--check"]:
        differing = [name for name, content in files.items() if not agrees(name, content)]
        if differing:
            sys.exit(f"differ from this reference: {', '.join(differing)}")
        print(f"all {len(files)} files agree")
        return
    for name, content in files.items():
        (HERE / name).write_bytes(content)
    print(f"wrote {len(files)} files, {sum(map(len, files.values())) // 1000} kB")


if __name__ == "__main__":
    main()
