"""numpy: gradients written by hand, matrix products by OpenBLAS."""

import math
import time

STARTED = time.perf_counter()
import numpy
import scipy.linalg

import protocol

STATE = {}


def images():
    if "images" not in STATE:
        STATE["images"] = protocol.images(numpy)
    return STATE["images"]


def descend(method, parameters, gradients, dt, state, loss):
    """The update of SGD, ExpSAV (Ratio) or Adam, in place."""
    if method == "adam":
        state["n"] = n = state.get("n", 0) + 1
        moments = state.setdefault("moments", [(numpy.zeros_like(p), numpy.zeros_like(p)) for p in parameters])
        for p, g, (m, v) in zip(parameters, gradients, moments):
            m += numpy.float32(0.1) * (g - m)
            v += numpy.float32(0.001) * (g * g - v)
            p -= numpy.float32(1e-3 / (1 - 0.9**n)) * m / (numpy.sqrt(v / numpy.float32(1 - 0.999**n)) + numpy.float32(1e-8))
        return
    if method == "exp-sav":
        r = state.setdefault("r", math.exp(loss))
        decay = 1 + dt * sum(float(numpy.vdot(g, g)) for g in gradients)
        state["r"], dt = r / decay, dt / decay
    for p, g in zip(parameters, gradients):
        p -= numpy.float32(dt) * g


def softmax(z):
    e = numpy.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def epoch(method, size):
    def make():
        pixels, labels = images()
        parameters, state = protocol.weights(numpy), {}
        hidden, hidden_bias, output, output_bias = parameters

        def run():
            for start in range(0, len(pixels), size):
                x, y = pixels[start : start + size], labels[start : start + size]
                h = numpy.maximum(x @ hidden + hidden_bias, 0)
                p = softmax(h @ output + output_bias)
                right = numpy.arange(len(x)), y
                loss = -float(numpy.log(p[right]).mean())
                p[right] -= 1
                p /= numpy.float32(len(x))
                back = (p @ output.T) * (h > 0)
                gradients = x.T @ back, back.sum(0), h.T @ p, p.sum(0)
                descend(method, parameters, gradients, 0.1, state, loss)
            return 1.0

        return run

    return make


def regression(method):
    def make():
        x, y, hidden, output = protocol.line(numpy)
        state, count = {}, len(x) // 64

        def run():
            for start in range(0, 64 * count, 64):
                inputs = x[start : start + 64]
                h = numpy.maximum(inputs @ hidden, 0)
                e = h @ output - y[start : start + 64]
                delta = 2 * e / numpy.float32(len(inputs))
                gradients = inputs.T @ ((delta @ output.T) * (h > 0)), h.T @ delta
                loss = float((e * e).mean())
                descend(method, (hidden, output), gradients, 0.05, state, loss)
            return float(count)

        return run

    return make


def full_ieq():
    """J Jᵀ from its structure, never J: the entries are products of inputs, activations and weights."""
    pixels, labels = images()
    x, y, dt, k = pixels[:64], labels[:64], numpy.float32(0.1), protocol.CLASSES
    parameters = protocol.weights(numpy)
    hidden, hidden_bias, output, output_bias = parameters
    n = len(x)

    def run():
        h = numpy.maximum(x @ hidden + hidden_bias, 0)
        q = softmax(h @ output + output_bias)
        q[numpy.arange(n), y] -= 1
        active = h > 0
        along = (active[:, None, :] * output.T[None]).reshape(n * k, -1)
        gram = (along @ along.T).reshape(n, k, n, k)
        gram *= (x @ x.T + 1)[:, None, :, None]
        of_outputs = h @ h.T + 1
        for j in range(k):
            gram[:, j, :, j] += of_outputs
        system = dt * gram.reshape(n * k, n * k)
        system[numpy.diag_indices(n * k)] += 1
        factor = scipy.linalg.cho_factor(system, lower=True, overwrite_a=True, check_finite=False)
        moved = scipy.linalg.cho_solve(factor, q.reshape(-1), check_finite=False).reshape(n, k)
        back = (moved @ output.T) * active
        for p, g in zip(parameters, (x.T @ back, back.sum(0), h.T @ moved, moved.sum(0))):
            p -= dt * g
        return 1.0

    return run


CASES = {f"mnist-{method}-{size}": epoch(method, size) for size in (64, 256) for method in ("sgd", "exp-sav", "adam")}
CASES |= {"line-sgd-64": regression("sgd"), "line-exp-sav-64": regression("exp-sav"), "mnist-ieq-full-64": full_ieq}

protocol.serve("numpy", numpy.__version__, STARTED, CASES)
