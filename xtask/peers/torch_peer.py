"""PyTorch: automatic differentiation and its own optimisers; batches are views of data in memory."""

import math
import time

STARTED = time.perf_counter()
import numpy
import torch

import protocol

torch.set_num_threads(1)
torch.manual_seed(0)
STATE = {}


def batches(size):
    if "images" not in STATE:
        pixels, labels = protocol.images(numpy)
        STATE["images"] = torch.from_numpy(pixels), torch.from_numpy(labels.astype(numpy.int64))
    return list(zip(*(part.split(size) for part in STATE["images"])))


def classifier():
    hidden = torch.nn.Linear(protocol.PIXELS, protocol.HIDDEN)
    return torch.nn.Sequential(hidden, torch.nn.ReLU(), torch.nn.Linear(protocol.HIDDEN, protocol.CLASSES))


def exp_sav(parameters, dt):
    """A step of ExpSAV (Ratio) on flattened parameters: r ← r / (1 + Δt ‖g‖²), w ← w − Δt (r'/r) g."""
    parameters, state = list(parameters), {}

    @torch.no_grad()
    def step(loss):
        r = state.setdefault("r", math.exp(loss.item()))
        gradient = torch.cat([p.grad.reshape(-1) for p in parameters])
        flat = torch.cat([p.reshape(-1) for p in parameters])
        decay = 1 + dt * torch.dot(gradient, gradient).item()
        state["r"] = r / decay
        flat -= dt / decay * gradient  # not by r'/r: in the long run r is too small for a number
        start = 0
        for p in parameters:
            p.copy_(flat[start : start + p.numel()].view_as(p))
            start += p.numel()

    return step


def optimiser(method, parameters, dt):
    """What a step does once there are gradients, and how gradients are cleared."""
    if method == "exp-sav":
        return exp_sav(parameters, dt)
    made = torch.optim.SGD(parameters, lr=dt) if method == "sgd" else torch.optim.Adam(parameters, lr=1e-3)
    return lambda _loss: made.step()


def epoch(method, size):
    def make():
        data, network, criterion = batches(size), classifier(), torch.nn.CrossEntropyLoss()
        step = optimiser(method, list(network.parameters()), 0.1)

        def run():
            for x, y in data:
                network.zero_grad()
                loss = criterion(network(x), y)
                loss.backward()
                step(loss)
            return 1.0

        return run

    return make


def regression(method):
    def make():
        x, y, hidden, output = (torch.from_numpy(part) for part in protocol.line(numpy))
        parameters = [hidden.requires_grad_(), output.requires_grad_()]
        step, criterion = optimiser(method, parameters, 0.05), torch.nn.MSELoss()
        data = list(zip(x.split(64), y.split(64)))

        def run():
            for inputs, targets in data:
                for p in parameters:
                    p.grad = None
                loss = criterion(torch.relu(inputs @ hidden) @ output, targets)
                loss.backward()
                step(loss)
            return float(len(data))

        return run

    return make


def full_ieq():
    """The straightforward way: the Jacobian of all outputs, J Jᵀ, Cholesky, Jᵀ q̃."""
    x, y = batches(64)[0]
    network, dt = classifier(), 0.1
    names = [name for name, _ in network.named_parameters()]
    one = lambda parameters, x: torch.func.functional_call(network, parameters, (x[None],))[0]
    jacobian = torch.func.vmap(torch.func.jacrev(one), (None, 0))
    targets = torch.nn.functional.one_hot(y, protocol.CLASSES)
    state = {name: p.detach() for name, p in network.named_parameters()}

    def run():
        q = (torch.func.functional_call(network, state, (x,)).softmax(1) - targets).reshape(-1, 1)
        parts = jacobian(state, x)
        rows = torch.cat([parts[name].reshape(q.numel(), -1) for name in names], 1)
        system = torch.eye(q.numel()) + dt * (rows @ rows.T)
        moved = torch.cholesky_solve(q, torch.linalg.cholesky(system))
        update, start = rows.T @ moved, 0
        for name in names:
            p = state[name]
            state[name] = p - dt * update[start : start + p.numel()].view_as(p)
            start += p.numel()
        return 1.0

    return run


CASES = {f"mnist-{method}-{size}": epoch(method, size) for size in (64, 256) for method in ("sgd", "exp-sav", "adam")}
CASES |= {"line-sgd-64": regression("sgd"), "line-exp-sav-64": regression("exp-sav"), "mnist-ieq-full-64": full_ieq}

protocol.serve("PyTorch", torch.__version__, STARTED, CASES)
