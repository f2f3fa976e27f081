"""The schemes, one class each: `step(w)` gives the next weights, the trace row and Δw, and asserts the scheme's law.

`o` holds the options by their command-line names. Notation: A = (I + Δt𝓛)⁻¹, S = ⟨g, A g⟩, Δt' = Δt/(1 + λΔt),
D = ⟨Δw, A⁻¹Δw⟩/Δt; `_hat` is recomputed from its definition at the next weights, `_tilde` is the recursion's value.
"""

from math import exp, log, log1p, sqrt

from network import axpy, dot, gram, identity_plus, matvec, norm_sq, solve, transpose

TOLERANCE = 1e-12  # of a law, relative to the energy it balances


def law(name, value, scale):
    """value = 0, up to rounding"""
    assert abs(value) <= TOLERANCE * scale, f"{name}: {value} against {scale}"


def bound(name, value, limit, scale):
    """value ≤ limit, up to rounding"""
    assert value <= limit + TOLERANCE * scale, f"{name}: {value} > {limit}"


def row(loss, g, dw, dt, auxiliary=None, energy=None, kappa=None, xi=None):
    return {"loss": loss, "auxiliary": auxiliary, "energy": energy, "kappa": kappa, "xi": xi, "dt": dt,
            "grad_norm_sq": norm_sq(g), "update_norm_sq": norm_sq(dw)}


class Operator:
    """𝓛 = λI, or the metric M = diag(√v̂) + 1e-8 of Adam's second moment with A = M⁻¹/(1 + λΔt)."""

    def __init__(self, o):
        self.shrink, self.dt_eff = 1.0 + o.lam * o.dt, o.dt / (1.0 + o.lam * o.dt)
        self.diagonal, self.v, self.t, self.metric = o.operator == "diagonal", None, 0, None

    def apply(self, g):
        if not self.diagonal:
            return [x / self.shrink for x in g]
        self.t += 1
        self.v = [0.999 * v + 0.001 * x * x for v, x in zip(self.v or [0.0] * len(g), g)]
        self.metric = [sqrt(v / (1.0 - 0.999**self.t)) + 1e-8 for v in self.v]
        return [x / (m * self.shrink) for x, m in zip(g, self.metric)]

    def movement(self, dw):
        metric = self.metric or [1.0] * len(dw)
        return dot(dw, [m * x for m, x in zip(metric, dw)]) / self.dt_eff


class Sgd:
    def __init__(self, problem, w, o):
        self.problem, self.o = problem, o

    def step(self, w):
        loss, g = self.problem.loss_gradient(w)
        dw = [-self.o.dt * x for x in g]
        return axpy(1.0, dw, w), row(loss, g, dw, self.o.dt), dw


class Adam:
    def __init__(self, problem, w, o):
        self.problem, self.o, self.t = problem, o, 0
        self.m, self.v = [0.0] * len(w), [0.0] * len(w)

    def step(self, w):
        loss, g = self.problem.loss_gradient(w)
        self.t += 1
        self.m = [0.9 * m + 0.1 * x for m, x in zip(self.m, g)]
        self.v = [0.999 * v + 0.001 * x * x for v, x in zip(self.v, g)]
        m_hat = [m / (1.0 - 0.9**self.t) for m in self.m]
        v_hat = [v / (1.0 - 0.999**self.t) for v in self.v]
        dw = [-self.o.dt * m / (sqrt(v) + 1e-8) for m, v in zip(m_hat, v_hat)]
        return axpy(1.0, dw, w), row(loss, g, dw, self.o.dt), dw


def relax_scalar(hat, tilde, limit):
    """The closed form for a scalar: v̂ cut at its limit, and ξ₀."""
    return (hat, 0.0) if hat <= limit else (limit, (hat - limit) / (hat - tilde))


class Sav:
    def __init__(self, problem, w, o):
        self.problem, self.o, self.operator = problem, o, Operator(o)
        self.r = sqrt(problem.loss(w) + o.c)
        self.initial_energy, self.moved = self.r**2, 0.0

    def step(self, w):
        o, r = self.o, self.r
        loss, g = self.problem.loss_gradient(w)
        a_g = self.operator.apply(g)
        shifted = loss + o.c
        kappa = r / sqrt(shifted) if o.coupling == "consistent" else 1.0
        rho = 1.0 / (1.0 + o.dt * (dot(g, a_g) / (2.0 * shifted)))
        r_tilde = rho * r
        dw = [-o.dt * kappa * rho * x for x in a_g]
        w_next, d = axpy(1.0, dw, w), self.operator.movement(dw)
        self.r, xi = r_tilde, None
        if o.relaxed:
            r_hat = sqrt(self.problem.loss(w_next) + o.c)
            self.r, xi = relax_scalar(r_hat, r_tilde, sqrt(r_tilde**2 + o.eta * d))
            bound("relaxed SAV below its definition", self.r, r_hat, r_hat)
        self.check(loss, r, r_tilde, d, norm_sq(dw))
        return w_next, row(loss, g, dw, o.dt, r, r * r, kappa, xi), dw

    def check(self, loss, r, r_tilde, d, update_sq):
        o, spread = self.o, self.operator.dt_eff / 2.0
        self.moved += d
        if o.coupling == "consistent":
            law("SAV identity", r_tilde**2 - r**2 + (r_tilde - r) ** 2 + d, r * r)
            bound("SAV total movement", self.moved, self.initial_energy / (1.0 - o.eta * o.relaxed), self.moved)
            bound("relaxed SAV", self.r**2, r**2 - (1.0 - o.eta) * d, r * r)
        if not o.relaxed:
            assert self.r <= r, "r increased"
        if not self.operator.diagonal:
            limit = spread * (r * r if o.coupling == "consistent" else loss + o.c)
            bound("SAV step length", update_sq, limit, limit)


class ExpSav:
    def __init__(self, problem, w, o):
        self.problem, self.o, self.operator = problem, o, Operator(o)
        self.ell = problem.loss(w)  # ln r − ln C

    def step(self, w):
        o, ell = self.o, self.ell
        loss, g = self.problem.loss_gradient(w)
        a_g = self.operator.apply(g)
        kappa = min(1.0, exp(ell - loss)) if o.coupling == "consistent" else 1.0
        x = o.dt * kappa * dot(g, a_g)
        rho = 1.0 / (1.0 + x)
        ell_tilde = ell - log1p(x)
        dw = [-o.dt * kappa * rho * v for v in a_g]
        w_next, d = axpy(1.0, dw, w), self.operator.movement(dw)
        self.ell, xi = ell_tilde, None
        if o.relaxed:
            ell_hat = self.problem.loss(w_next)
            self.ell, xi = relax_scalar(ell_hat, ell_tilde, ell_tilde + o.eta * d)
            bound("relaxed ExpSAV below its definition", self.ell, ell_hat, 1.0 + abs(ell_hat))
            bound("relaxed ExpSAV", self.ell, ell - (1.0 - o.eta) * d, 1.0 + abs(ell))
        else:
            assert self.ell <= ell, "ℓ increased"
        self.check(ell, ell_tilde, kappa, rho, d, norm_sq(dw))
        ln_r = ell + log(o.c)
        return w_next, row(loss, g, dw, o.dt, ln_r, ln_r, kappa, xi), dw

    def check(self, ell, ell_tilde, kappa, rho, d, update_sq):
        scale = 1.0 + abs(ell)
        bound("ExpSAV", ell_tilde, ell - (1.0 - rho), scale)
        law("ExpSAV movement", d / (kappa * rho) - (1.0 - rho), 1.0)
        if self.o.coupling == "ratio":
            bound("ExpSAV Ratio", ell_tilde, ell - d - (1.0 - rho) ** 2, scale)
            if not self.operator.diagonal:
                limit = self.operator.dt_eff / 4.0
                bound("ExpSAV step length", update_sq, limit, limit)


def relax_vector(hat, tilde, budget):
    """v = ξ₀ q̃ + (1 − ξ₀) q̂ with the smallest ξ₀ that keeps ‖v‖² ≤ M = ‖q̃‖² + budget."""
    limit = norm_sq(tilde) + budget
    c = norm_sq(hat) - limit
    if c <= 0.0:
        return hat, 0.0
    a = norm_sq(axpy(-1.0, hat, tilde))
    c, e = c / a, budget / a
    xi = min(1.0, 2.0 * c / ((1.0 + c + e) + sqrt((1.0 - c) ** 2 + 2.0 * e * (1.0 + c) + e * e)))
    v = [xi * t + (1.0 - xi) * h for t, h in zip(tilde, hat)]
    law("ξ₀ lies on the energy bound", norm_sq(v) - limit, norm_sq(hat))
    if norm_sq(v) > limit:
        v = [sqrt(limit / norm_sq(v)) * x for x in v]
    return v, xi


class Ieq:
    """What both IEQ schemes share: q fresh or persistent, and its relaxation."""

    def __init__(self, problem, w, o):
        self.problem, self.o, self.operator = problem, o, Operator(o)
        self.dt, self.q = o.dt, problem.residual(w)

    def entering(self, w):
        """q on entering a step, and L, g."""
        q = self.q if self.o.persistent else self.problem.residual(w)
        loss, g = self.problem.loss_gradient(w)
        if not self.o.persistent and self.problem.residual_is_loss:
            law("½‖q‖² is the loss", 0.5 * norm_sq(q) - loss, loss)
        return q, loss, g

    def leave(self, w_next, q, q_tilde, budget):
        """Sets the q that the next step meets; ξ₀ where relaxed."""
        self.q = q_tilde
        if not self.o.relaxed:
            return None
        q_hat = self.problem.residual(w_next)
        if self.problem.residual_kind == "sqrt-loss":
            limit = sqrt(q_tilde[0] ** 2 + budget)
            value, xi = relax_scalar(q_hat[0], q_tilde[0], limit)
            self.q = [value]
        else:
            self.q, xi = relax_vector(q_hat, q_tilde, budget)
        bound("relaxed IEQ below its definition", norm_sq(self.q), norm_sq(q_hat), norm_sq(q_hat))
        spent = (1.0 / self.o.eta - 1.0) * budget / 2.0  # (1 − η)θD
        bound("relaxed IEQ", 0.5 * norm_sq(self.q), 0.5 * norm_sq(q) - spent, norm_sq(q))
        return xi


class IeqAdaptive(Ieq):
    def step(self, w):
        o = self.o
        q, loss, g = self.entering(w)
        a_g, size = self.operator.apply(g), norm_sq(q)
        s = dot(g, a_g)
        alpha = 1.0 / (1.0 + o.dt * (s / (size + o.epsilon)))
        theta = size / (size + o.epsilon)
        dw = [-o.dt * alpha * x for x in a_g]
        w_next, d = axpy(1.0, dw, w), self.operator.movement(dw)
        law("adaptive IEQ", (alpha**2 + (1.0 - alpha) ** 2 - 1.0) * size / 2.0 + theta * d, size)
        if self.problem.residual_is_loss and not o.persistent:
            rho = 1.0 / (1.0 + o.dt * (s / (2.0 * (loss + o.epsilon / 2.0))))
            law("adaptive IEQ is SAV Ratio with C = ε/2", alpha - rho, alpha)
        xi = self.leave(w_next, q, [alpha * x for x in q], 2.0 * o.eta * theta * d)
        return w_next, row(loss, g, dw, o.dt, sqrt(size), size / 2.0, None, xi), dw


class IeqFull(Ieq):
    """(I + Δt' JJᵀ) q̃ = q, Δw = −Δt' Jᵀq̃, with the explicit J; fixed Δt or gain-ratio control."""

    def step(self, w):
        o, dt = self.o, self.dt
        q, loss, g = self.entering(w)
        dt_eff = dt / (1.0 + o.lam * dt)
        jacobian = self.problem.residual_jacobian(w)
        q_tilde = solve(identity_plus(dt_eff, gram(jacobian)), q)
        dw = [-dt_eff * x for x in matvec(transpose(jacobian), q_tilde)]
        d, size = norm_sq(dw) / dt_eff, norm_sq(q)
        gap = norm_sq(axpy(-1.0, q, q_tilde))
        stiffness = 1.0 + dt_eff * sum(norm_sq(j) for j in jacobian)
        law("full IEQ", 0.5 * norm_sq(q_tilde) + 0.5 * gap + d - 0.5 * size, size * stiffness)
        self.check_levenberg_marquardt(jacobian, q, g, dw, dt_eff, stiffness)
        w_next = axpy(1.0, dw, w)
        if o.control == "gain-ratio" and not self.accept(w_next, q, q_tilde):
            w_next, dw = w, [0.0] * len(w)
        xi = self.leave(w_next, q, q_tilde, 2.0 * o.eta * d)
        return w_next, row(loss, g, dw, dt, sqrt(size), size / 2.0, None, xi), dw

    def accept(self, w_next, q, q_tilde):
        """Whether the step is taken; sets the Δt of the next attempt."""
        hat, size = norm_sq(self.problem.residual(w_next)), norm_sq(q)
        ratio = (size - hat) / (size - norm_sq(q_tilde))
        if ratio > 0.75:
            self.dt *= 3.0
        elif ratio < 0.25:
            self.dt /= 4.0
        return hat < size

    def check_levenberg_marquardt(self, jacobian, q, g, dw, dt_eff, stiffness):
        """(I + Δt' JᵀJ) Δw = −Δt' Jᵀq, and Jᵀq = g for a fresh q that is the loss's."""
        j_t = transpose(jacobian)
        slope = matvec(j_t, q)
        if self.problem.residual_is_loss and not self.o.persistent:
            law("Jᵀq is the gradient", norm_sq(axpy(-1.0, g, slope)), norm_sq(q))
        error = axpy(dt_eff, axpy(1.0, matvec(j_t, matvec(jacobian, dw)), slope), dw)
        law("Levenberg-Marquardt", sqrt(norm_sq(error)), dt_eff * stiffness * sqrt(norm_sq(q)))


class IeqGgn:
    """(I + Δt' J_fᵀ H J_f) Δw = −Δt' g in parameter space, H the Hessian of the cross-entropy in f."""

    def __init__(self, problem, w, o):
        self.problem, self.o, self.dt_eff = problem, o, o.dt / (1.0 + o.lam * o.dt)

    def step(self, w):
        problem, dt_eff = self.problem, self.dt_eff
        loss, g = problem.loss_gradient(w)
        j_f = problem.network.jacobian(w, problem.xs)
        batch = len(problem.xs)
        h_j = [[x / batch for x in r] for r in problem.softmax_rows(w, j_f)]
        j_t, h_j_t = transpose(j_f), transpose(h_j)
        curvature = [matvec(j_t, column) for column in h_j_t]
        dw = solve(identity_plus(dt_eff, curvature), [-dt_eff * x for x in g])
        quadratic = dot(matvec(j_f, dw), matvec(h_j, dw))
        law("GGN", dot(g, dw) + norm_sq(dw) / dt_eff + quadratic, abs(dot(g, dw)))
        self.check_sample_space(w, j_f, dw)
        return axpy(1.0, dw, w), row(loss, g, dw, self.o.dt, sqrt(2.0 * loss), loss), dw

    def check_sample_space(self, w, j_f, dw):
        """The same step as u = e − Δt' B (I + Δt' BᵀGB)⁻¹ BᵀG e, Δw = −Δt' J_fᵀu."""
        problem, dt_eff, k = self.problem, self.dt_eff, self.problem.network.k
        batch, size = len(problem.xs), len(j_f)
        b = [[0.0] * size for _ in range(size)]
        for i, p in enumerate(problem.probabilities(w)):
            for r in range(k):
                for c in range(k):
                    b[i * k + r][i * k + c] = ((r == c) * sqrt(p[r]) - p[r] * sqrt(p[c])) / sqrt(batch)
        f = problem.network.outputs(w, problem.xs)
        e = [x for e_i in problem.criterion(f, problem.ys)[1] for x in e_i]
        b_t, j_t = transpose(b), transpose(j_f)
        b_j = transpose([matvec(b_t, column) for column in j_t])  # BᵀJ_f
        inner = solve(identity_plus(dt_eff, gram(b_j)), matvec(b_j, matvec(j_t, e)))
        u = axpy(-dt_eff, matvec(b, inner), e)
        other = [-dt_eff * x for x in matvec(j_t, u)]
        stiffness = 1.0 + dt_eff * sum(norm_sq(r) for r in b_j)
        law("GGN in sample space", sqrt(norm_sq(axpy(-1.0, other, dw))), stiffness * sqrt(norm_sq(dw)))


def scheme(problem, w, o):
    if o.method == "ieq-full":
        return (IeqGgn if problem.residual_kind == "ggn" else IeqFull)(problem, w, o)
    by_name = {"sgd": Sgd, "adam": Adam, "sav": Sav, "exp-sav": ExpSav, "ieq-adaptive": IeqAdaptive}
    return by_name[o.method](problem, w, o)
