"""A full-batch problem: the losses with their gradients, and the residuals q of the IEQ schemes.

Losses are means over the batch; mse and the Brier score are means over batch and outputs, without ½.
Residuals (stored unscaled; q = scale · residual):
  mse        f − y            scale √(2/n)   so that ½‖q‖² is the mse
  brier      softmax(f) − y   scale √(2/n)   the loss that is trained is then ½‖q‖², not the cross-entropy
  sqrt-loss  √(2L)            scale 1        one scalar
  raw        f − y            scale 1        on mse; no law ties it to the loss
  logit      f − y            scale 1        on cross-entropy; no law ties it to the loss
"""

from math import exp, fsum, log, sqrt

from network import dot


def softmax(f):
    top = max(f)
    weights = [exp(v - top) for v in f]
    total = fsum(weights)
    return [v / total for v in weights]


def softmax_product(p, v):
    """(diag p − ppᵀ) v"""
    mean = dot(p, v)
    return [p_j * (v_j - mean) for p_j, v_j in zip(p, v)]


def difference(f, y):
    return [[a - b for a, b in zip(f_i, y_i)] for f_i, y_i in zip(f, y)]


def scaled(factor, rows):
    return [[factor * v for v in row] for row in rows]


def flat(rows):
    return [v for row in rows for v in row]


def mse(f, y):
    """The loss and its gradient in f."""
    n = len(f) * len(f[0])
    d = difference(f, y)
    return fsum(v * v for v in flat(d)) / n, scaled(2.0 / n, d)


def cross_entropy(f, y):
    loss = []
    for f_i, y_i in zip(f, y):
        top = max(f_i)
        loss.append(top + log(fsum(exp(v - top) for v in f_i)) - dot(f_i, y_i))
    return fsum(loss) / len(f), scaled(1.0 / len(f), difference([softmax(f_i) for f_i in f], y))


def brier(f, y):
    n = len(f) * len(f[0])
    p = [softmax(f_i) for f_i in f]
    d = difference(p, y)
    gradient = [softmax_product(p_i, d_i) for p_i, d_i in zip(p, d)]
    return fsum(v * v for v in flat(d)) / n, scaled(2.0 / n, gradient)


class Problem:
    def __init__(self, network, xs, ys, loss, residual):
        self.network, self.xs, self.ys, self.residual_kind = network, xs, ys, residual
        by_name = {"mse": mse, "cross-entropy": cross_entropy}
        self.criterion = brier if residual == "brier" else by_name[loss]
        n = len(xs) * network.k
        self.scale = sqrt(2.0 / n) if residual in ("mse", "brier") else 1.0
        # Whether ½‖q‖² = L for a fresh q, so that Jᵀq is the gradient of the loss.
        self.residual_is_loss = residual in ("mse", "brier", "sqrt-loss")

    def loss(self, w):
        return self.criterion(self.network.outputs(w, self.xs), self.ys)[0]

    def loss_gradient(self, w):
        loss, e = self.criterion(self.network.outputs(w, self.xs), self.ys)
        return loss, self.network.pullback(w, self.xs, e)

    def probabilities(self, w):
        return [softmax(f_i) for f_i in self.network.outputs(w, self.xs)]

    def residual(self, w):
        """q, scaled, as one flat list."""
        if self.residual_kind == "sqrt-loss":
            return [sqrt(2.0 * self.loss(w))]
        f = self.probabilities(w) if self.residual_kind == "brier" else self.network.outputs(w, self.xs)
        return [self.scale * v for v in flat(difference(f, self.ys))]

    def residual_jacobian(self, w):
        """∂q/∂w as explicit rows, in the order of `residual`."""
        rows = self.network.jacobian(w, self.xs)
        if self.residual_kind == "brier":
            rows = self.softmax_rows(w, rows)
        return scaled(self.scale, rows)

    def softmax_rows(self, w, rows):
        """blockdiag(diag p − ppᵀ) · rows"""
        k, product = self.network.k, []
        for i, p in enumerate(self.probabilities(w)):
            columns = [softmax_product(p, column) for column in zip(*rows[i * k : (i + 1) * k])]
            product += [list(row) for row in zip(*columns)]
        return product
