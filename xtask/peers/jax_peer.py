"""JAX at its best: a whole epoch is one compiled scan over batches in memory, on one core."""

import os
import time

STARTED = time.perf_counter()
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
if hasattr(os, "sched_setaffinity"):
    # XLA spreads over all processors that it may use.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import jax
import jax.numpy as jnp
import numpy

import protocol

DT = 0.1


def loss(parameters, x, y):
    hidden, hidden_bias, output, output_bias = parameters
    z = jnp.maximum(x @ hidden + hidden_bias, 0) @ output + output_bias
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], 1))


def sgd(state, batch):
    parameters, r = state
    value, gradient = jax.value_and_grad(loss)(parameters, *batch)
    return (jax.tree.map(lambda p, g: p - DT * g, parameters, gradient), r), value


def exp_sav(state, batch):
    """ExpSAV (Ratio) in the logarithm of r, which starts at 0."""
    parameters, log_r = state
    value, gradient = jax.value_and_grad(loss)(parameters, *batch)
    decay = 1 + DT * sum(jnp.vdot(g, g) for g in jax.tree.leaves(gradient))
    return (jax.tree.map(lambda p, g: p - DT / decay * g, parameters, gradient), log_r - jnp.log(decay)), value


def epoch(step, size):
    def make():
        pixels, labels = protocol.images(numpy)
        count = len(pixels) // size * size
        x = jnp.asarray(pixels[:count].reshape(-1, size, protocol.PIXELS))
        y = jnp.asarray(labels[:count].astype(numpy.int32).reshape(-1, size))
        scan = jax.jit(lambda state, x, y: jax.lax.scan(step, state, (x, y)))
        state = [(tuple(jnp.asarray(part) for part in protocol.weights(numpy)), jnp.float32(0))]

        def run():
            state[0], losses = scan(state[0], x, y)
            losses.block_until_ready()
            return count / len(pixels)

        return run

    return make


CASES = {
    f"mnist-{name}-{size}": epoch(step, size)
    for size in (64, 256)
    for name, step in (("sgd", sgd), ("exp-sav", exp_sav))
}

protocol.serve("JAX", jax.__version__, STARTED, CASES)
