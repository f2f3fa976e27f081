"""The two-layer network f(x) = Aᵀ relu(Wᵀ[x; 1]) + c, and the little linear algebra it needs.

Weights are one flat list: W row by row ((d+1)·m, the last row is the bias), A row by row (m·k), then c (k) if there is
an output bias. Sums are `math.fsum` sums, so that no summation order is part of the result.
"""

import json
import struct
from math import fsum
from operator import mul


def dot(a, b):
    return fsum(map(mul, a, b))


def norm_sq(a):
    return dot(a, a)


def axpy(scale, a, b):
    """scale·a + b"""
    return [scale * x + y for x, y in zip(a, b)]


def matvec(rows, v):
    return [dot(row, v) for row in rows]


def transpose(rows):
    return [list(column) for column in zip(*rows)]


def identity_plus(scale, rows):
    """I + scale·rows"""
    return [[scale * x + (i == j) for j, x in enumerate(row)] for i, row in enumerate(rows)]


def gram(rows):
    """rows · rowsᵀ"""
    return [[dot(a, b) for b in rows] for a in rows]


def solve(matrix, right):
    """Gaussian elimination with partial pivoting."""
    n = len(right)
    rows = [list(row) + [b] for row, b in zip(matrix, right)]
    for j in range(n):
        pivot = max(range(j, n), key=lambda i: abs(rows[i][j]))
        rows[j], rows[pivot] = rows[pivot], rows[j]
        for i in range(j + 1, n):
            factor = rows[i][j] / rows[j][j]
            for c in range(j, n + 1):
                rows[i][c] -= factor * rows[j][c]
    x = [0.0] * n
    for i in reversed(range(n)):
        x[i] = (rows[i][n] - dot(rows[i][i + 1 : n], x[i + 1 :])) / rows[i][i]
    return x


class Network:
    def __init__(self, inputs, hidden, outputs, output_bias):
        self.rows, self.m, self.k, self.output_bias = inputs + 1, hidden, outputs, output_bias
        self.hidden_len = self.rows * hidden
        self.weights_len = self.hidden_len + hidden * outputs + (outputs if output_bias else 0)

    def output_row(self, w, h):
        start = self.hidden_len + h * self.k
        return w[start : start + self.k]

    def bias(self, w):
        return w[self.hidden_len + self.m * self.k :] if self.output_bias else [0.0] * self.k

    def activations(self, w, x):
        """The hidden units' relu(z); one is active exactly where it is positive."""
        inputs = x + [1.0]
        return [max(0.0, dot(w[h : self.hidden_len : self.m], inputs)) for h in range(self.m)]

    def outputs(self, w, xs):
        """f, one list of k outputs a sample."""
        columns = transpose([self.output_row(w, h) for h in range(self.m)])
        values = []
        for x in xs:
            hidden = self.activations(w, x)
            values.append([dot(hidden, column) + c for column, c in zip(columns, self.bias(w))])
        return values

    def pullback(self, w, xs, e):
        """J_fᵀ e by one backward pass, with e = ∂L/∂f (one list of k a sample)."""
        terms = [[] for _ in range(self.weights_len)]
        for x, e_i in zip(xs, e):
            inputs, hidden = x + [1.0], self.activations(w, x)
            for h, activation in enumerate(hidden):
                if activation > 0.0:
                    back = dot(self.output_row(w, h), e_i)
                    for row, value in enumerate(inputs):
                        terms[row * self.m + h].append(back * value)
                    for j, e_ij in enumerate(e_i):
                        terms[self.hidden_len + h * self.k + j].append(activation * e_ij)
            if self.output_bias:
                for j, e_ij in enumerate(e_i):
                    terms[self.hidden_len + self.m * self.k + j].append(e_ij)
        return [fsum(t) for t in terms]

    def jacobian(self, w, xs):
        """The explicit J_f: one row of ∂f_ij/∂w for each sample i and output j."""
        rows = []
        for x in xs:
            inputs, hidden = x + [1.0], self.activations(w, x)
            for j in range(self.k):
                row = [0.0] * self.weights_len
                for h in range(self.m):
                    if hidden[h] > 0.0:
                        for i, value in enumerate(inputs):
                            row[i * self.m + h] = value * self.output_row(w, h)[j]
                        row[self.hidden_len + h * self.k + j] = hidden[h]
                if self.output_bias:
                    row[self.hidden_len + self.m * self.k + j] = 1.0
                rows.append(row)
        return rows

    def safetensors(self, w):
        """The file's bytes: the header's length (u64), the header (JSON), the data; all little-endian."""
        shapes = [("hidden", [self.rows, self.m]), ("output", [self.m, self.k])]
        if self.output_bias:
            shapes.append(("output_bias", [self.k]))
        header, start = {}, 0
        for name, shape in shapes:
            end = start + 8 * (shape[0] * shape[1] if len(shape) == 2 else shape[0])
            header[name] = {"dtype": "F64", "shape": shape, "data_offsets": [start, end]}
            start = end
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        return struct.pack("<Q", len(text)) + text + struct.pack(f"<{len(w)}d", *w)
