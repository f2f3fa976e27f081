"""What a measured program says, and where it finds the images.

A script gives `serve` the cases that it can do: for each a function that makes what the case needs
and returns a second function, which does one round and returns how many units (epochs or steps)
that was. The protocol is gradflow's: see gradflow-std/src/bench/protocol.rs.

    python NAME_peer.py FOLDER          answer one line a case
    python NAME_peer.py FOLDER --whole  train one epoch of SGD in batches of 64, and end
"""

import gzip
import json
import pathlib
import resource
import sys
import time

FOLDER = pathlib.Path(sys.argv[1])
HIDDEN, CLASSES, PIXELS = 100, 10, 784


def read(stem):
    """The bytes of an IDX file, plain or compressed."""
    plain = FOLDER / stem
    return plain.read_bytes() if plain.exists() else gzip.decompress(plain.with_name(stem + ".gz").read_bytes())


def images(numpy):
    """Training images as floats between 0 and 1, one row each, and their labels."""
    pixels = numpy.frombuffer(read("train-images-idx3-ubyte"), numpy.uint8, offset=16)
    labels = numpy.frombuffer(read("train-labels-idx1-ubyte"), numpy.uint8, offset=8)
    return pixels.reshape(-1, PIXELS).astype(numpy.float32) / numpy.float32(255), labels


def weights(numpy):
    """The network 784-100-10 at its start: two matrices and two rows of biases."""
    draw = numpy.random.default_rng(0).uniform
    hidden = draw(-(PIXELS**-0.5), PIXELS**-0.5, (PIXELS, HIDDEN)).astype(numpy.float32)
    output = draw(-(HIDDEN**-0.5), HIDDEN**-0.5, (HIDDEN, CLASSES)).astype(numpy.float32)
    return hidden, numpy.zeros(HIDDEN, numpy.float32), output, numpy.zeros(CLASSES, numpy.float32)


def line(numpy):
    """10,000 samples of exp(-x²) with noise, and the network 1-100-1 at its start."""
    rng = numpy.random.default_rng(0)
    x = rng.standard_normal((10_000, 1)).astype(numpy.float32)
    y = (numpy.exp(-(x**2)) + 0.01 * rng.standard_normal((10_000, 1))).astype(numpy.float32)
    inputs = numpy.concatenate([x, numpy.ones_like(x)], 1)  # the second column carries the biases
    hidden = rng.standard_normal((2, HIDDEN)).astype(numpy.float32)
    output = (rng.standard_normal((HIDDEN, 1)) / HIDDEN**0.5).astype(numpy.float32)
    return inputs, y, hidden, output


def serve(program, version, started, cases):
    """Answers until there are no more lines. `started`: the time before the libraries were loaded."""
    if "--whole" in sys.argv[2:]:
        cases["mnist-sgd-64"]()()
        return
    say(program=program, version=version, start_s=time.perf_counter() - started, cases=list(cases))
    made = {}
    for line in sys.stdin:
        name = line.strip()
        if name == "memory":
            say(peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
            continue
        if name not in made:
            made[name] = cases[name]()
        wall, cpu = time.perf_counter(), time.process_time()
        units = made[name]()
        say(wall_s=time.perf_counter() - wall, cpu_s=time.process_time() - cpu, units=units)


def say(**line):
    print(json.dumps(line), flush=True)
