//! Full IEQ: the quadratised energy `L = ½‖q‖²` with the whole Jacobian `J = ∂q/∂w`
//! (Yang, Zhao 2017), which is never formed.
//!
//! (1)  (I + Δt J A Jᵀ) q̃ = q
//! (2)  Δw = −Δt A Jᵀ q̃
//! (3)  relaxed: q = ξ₀ q̃ + (1 − ξ₀) q̂ with the smallest ξ₀ for which ‖q‖² ≤ ‖q̃‖² + 2ηD
//!
//! Law, for every Δt > 0, fresh or stored q, with `D = ⟨Δw, A⁻¹Δw⟩/Δt`:
//! `½‖q̃‖² + ½‖q̃ − q‖² + D = ½‖q‖²`; relaxed: `½‖q'‖² ≤ ½‖q‖² − (1 − η)D`. With fresh q the step is
//! Levenberg-Marquardt with damping 1/Δt': `⟨g, Δw⟩ + D + ‖JΔw‖² = 0`. Tests: `laws::full`,
//! `laws::table::every_run`.
//!
//! In floating point the law holds to about `ε Δt' λ_max(J Jᵀ)`. Where the factorisation breaks
//! down, or `q̃` comes out twice as long as `q`, the step is an error.

use super::ieq_store::relax_vector;
use super::ieq_vector::part;
use super::{Auxiliary, Movement, Operator, Scheme, Solved, Staged, Step, Store, check_dt, finite};
use crate::error::{Buffer, Error, Quantity};
use crate::float::Float;
use crate::linalg::{CgBuffers, Packed, conjugate_gradients, copy, dot, norm_sq};
use crate::objective::{Residuals, descend_along};
use crate::support::{Gradient, Support};

/// How the system (1) is solved. Buffers are for the largest batch.
#[derive(Clone, Copy, Debug)]
pub enum LinearSolver<B> {
    /// Structured Gram matrix and in-place Cholesky, for `𝓛 = λI`; `N (N + 1)/2` entries for `N`
    /// residuals.
    Cholesky(B),
    /// Conjugate gradients on `v ↦ v + Δt J A Jᵀ v`.
    ConjugateGradients {
        /// Three buffers of `N` entries.
        work: [B; 3],
        /// The gradient: one entry a parameter.
        gradient: B,
    },
}

/// Full IEQ; see the [module](self).
#[derive(Clone, Copy, Debug)]
pub struct IeqFull<T, A, B> {
    operator: A,
    /// Relative tolerance of conjugate gradients.
    pub tolerance: T,
    dt: T,
    solver: LinearSolver<B>,
    store: Store<B>,
    /// Work of one entry a parameter: gradient and step. One-input networks need none.
    direction: B,
    /// q
    residual: B,
    /// q̃, and after relaxation q'.
    predicted: B,
    /// With the trace of `Δt J A Jᵀ`, or the largest stretching that conjugate gradients met.
    solved: Solved<T>,
}

impl<T: Float, A, B> IeqFull<T, A, B> {
    /// The scheme at its start. `direction` has one entry a parameter (a network of one input and
    /// output that is solved by Cholesky gets by with none), `residual` and `predicted` have one
    /// for each sample and output of the largest batch.
    pub fn new(
        operator: A,
        dt: T,
        solver: LinearSolver<B>,
        store: Store<B>,
        direction: B,
        [residual, predicted]: [B; 2],
    ) -> Self {
        // ε^¾: 6e-6 in f32, 2e-12 in f64.
        let tolerance = T::EPSILON.sqrt() * T::EPSILON.sqrt().sqrt();
        let solved = Solved::default();
        Self { operator, tolerance, dt, solver, store, direction, residual, predicted, solved }
    }
}

impl<T: Float, A: Operator<T>, B: AsRef<[T]> + AsMut<[T]>> IeqFull<T, A, B> {
    /// Solves (1) by Cholesky and moves `w` by (2); returns `‖Δw‖²`.
    fn step_by_cholesky<O: Residuals<T> + ?Sized>(
        &mut self,
        w: &mut [T],
        objective: &mut O,
    ) -> Result<T, Error> {
        let LinearSolver::Cholesky(gram) = &mut self.solver else { return Ok(T::ZERO) };
        let len = objective.residual_len();
        let q = part(self.residual.as_mut(), len)?;
        let predicted = part(self.predicted.as_mut(), len)?;
        let gram = gram.as_mut();
        let (needed, got) = (Packed::<T>::len_of(len), gram.len());
        let short = Error::Length { what: Buffer::Gram, needed, got };
        let gram = gram.get_mut(..needed).ok_or(short)?;

        let factor = self.operator.uniform(self.dt).ok_or(Error::Unsupported(
            "a diagonal operator has no structured Gram matrix: use conjugate gradients",
        ))?;
        let dt = self.dt * factor; // Δt'
        objective.gram(w, gram)?;
        let mut system = Packed::new(len, gram)?;
        let mut stiffness = T::ZERO;
        for row in system.rows_mut() {
            for entry in row.iter_mut() {
                *entry *= dt;
            }
            if let Some(diagonal) = row.last_mut() {
                stiffness += *diagonal;
                *diagonal += T::ONE;
            }
        }
        self.solved = Solved { stiffness, tolerance: T::ZERO };
        copy(q, predicted);
        objective.solve(&mut system, predicted)?; // (1)
        check_move(q, predicted)?;
        objective.descend(w, predicted, dt, self.direction.as_mut()) // (2)
    }

    /// Solves (1) by conjugate gradients and moves `w` by (2); returns `‖Δw‖²`.
    fn step_by_conjugate_gradients<O: Residuals<T> + ?Sized>(
        &mut self,
        w: &mut [T],
        objective: &mut O,
    ) -> Result<T, Error> {
        let LinearSolver::ConjugateGradients { work, gradient } = &mut self.solver else {
            return Ok(T::ZERO);
        };
        let gradient = gradient.as_ref();
        let len = objective.residual_len();
        let q = part(self.residual.as_mut(), len)?;
        let predicted = part(self.predicted.as_mut(), len)?;
        let [residual, direction, image] = work;
        let mut buffers = CgBuffers {
            residual: part(residual.as_mut(), len)?,
            direction: part(direction.as_mut(), len)?,
            image: part(image.as_mut(), len)?,
        };
        let (dt, operator, along) = (self.dt, &self.operator, self.direction.as_mut());
        let mut stretched_sq = T::ZERO;
        let mut multiply = |v: &[T], out: &mut [T]| {
            objective.pull_back(w, v, along)?;
            operator.apply(gradient, along, dt);
            objective.push_forward(w, along, out)?;
            for (out, &v) in out.iter_mut().zip(v) {
                *out = v + dt * *out;
            }
            let ratio = dot(out, out) / dot(v, v);
            let larger = ratio > stretched_sq && ratio.is_finite();
            stretched_sq = if larger { ratio } else { stretched_sq };
            Ok(())
        };
        // q may have next to nothing of the stiffest direction, and yet rounding acts on it.
        signs(buffers.direction);
        multiply(buffers.direction, buffers.image)?;
        let q_sq = dot(q, q);
        let tolerance_sq = self.tolerance * self.tolerance * q_sq;
        let stop = |q_next: &[T], residual_sq: T| {
            residual_sq <= tolerance_sq && residual_sq <= q_sq - dot(q_next, q_next)
        };
        conjugate_gradients(q, predicted, &mut buffers, 4 * len + 64, multiply, stop)?; // (1)
        self.solved = Solved { stiffness: stretched_sq.sqrt(), tolerance: self.tolerance };
        check_move(q, predicted)?;
        objective.pull_back(w, predicted, along)?;
        operator.apply(gradient, along, dt);
        descend_along(w, &Gradient::new(along, Support::all(along.len())), dt) // (2)
    }
}

/// ±1 without a pattern that a softmax could cancel: the top bits of a multiplicative hash.
fn signs<T: Float>(v: &mut [T]) {
    for (i, v) in (1_u32..).zip(v) {
        *v = if i.wrapping_mul(0x9e37_79b9) >> 31 == 0 { T::ONE } else { -T::ONE };
    }
}

impl<T: Float, A: Operator<T>, B> IeqFull<T, A, B> {
    /// The stiffness of the last step with the numbers that J is the difference of in place of J.
    fn rounded_stiffness(&self, [size, differences]: [T; 2]) -> T {
        // At most 1/ε²: what is lost is lost.
        let size = size + T::EPSILON * T::EPSILON * differences;
        let ratio = if size > T::ZERO { differences / size } else { T::ONE };
        let stiffness = self.solved.stiffness * ratio;
        let least = self.operator.uniform(self.dt).unwrap_or_default() * self.dt * differences;
        if least > stiffness { least } else { stiffness }
    }
}

impl<T: Float, A, B: AsMut<[T]>> IeqFull<T, A, B> {
    /// `½‖q‖² − ½‖q̃‖²` of the proposal, as `½⟨q − q̃, q + q̃⟩`.
    pub(super) fn predicted_decrease<O>(&mut self, objective: &O) -> Result<T, Error>
    where
        O: Residuals<T> + ?Sized,
    {
        let len = objective.residual_len();
        let q = part(self.residual.as_mut(), len)?;
        let predicted = part(self.predicted.as_mut(), len)?;
        let terms = q.iter().zip(predicted.iter());
        let sum = terms.fold(T::ZERO, |sum, (&q, &next)| sum + (q - next) * (q + next));
        Ok(T::HALF * sum)
    }

    /// The energy that the step lowers, at any `w`. May overwrite the proposal's `q`.
    pub(super) fn energy<O>(&mut self, w: &[T], objective: &mut O) -> Result<T, Error>
    where
        O: Residuals<T> + ?Sized,
    {
        if objective.energy_is_loss() {
            return objective.loss(w);
        }
        let q = part(self.residual.as_mut(), objective.residual_len())?;
        objective.linearise(w, q)?;
        Ok(T::HALF * dot(q, q))
    }
}

/// Refuses a solution that is not finite, and one that rounding has made worthless: the inverse of
/// `I + Δt J A Jᵀ` shortens every vector.
fn check_move<T: Float>(q: &[T], predicted: &[T]) -> Result<(), Error> {
    let predicted_sq = finite(dot(predicted, predicted), Quantity::Residual)?;
    finite(dot(q, predicted), Quantity::Residual)?;
    let most = T::from_f64(4.0) * dot(q, q);
    if predicted_sq <= most { Ok(()) } else { Err(Error::Singular { row: q.len() }) }
}

/// What the step did to `q`.
fn describe<T: Float>(q: &[T], predicted: &[T]) -> Auxiliary<T> {
    let q_sq = dot(q, q);
    let mut change_sq = T::ZERO;
    for (&q, &predicted) in q.iter().zip(predicted) {
        change_sq += (predicted - q) * (predicted - q);
    }
    let (norm, norm_next) = (q_sq.sqrt(), dot(predicted, predicted).sqrt());
    Auxiliary {
        value: norm,
        reported: norm,
        energy: T::HALF * q_sq,
        predicted: norm_next,
        change_sq,
        next: norm_next,
        kappa: None,
        xi: None,
    }
}

impl<T, A, B, O> Staged<T, O> for IeqFull<T, A, B>
where
    T: Float,
    A: Operator<T>,
    B: AsRef<[T]> + AsMut<[T]>,
    O: Residuals<T> + ?Sized,
{
    fn propose(&mut self, w: &mut [T], objective: &mut O) -> Result<Step<T>, Error> {
        check_dt(self.dt)?;
        self.operator.check(objective.parameters())?;
        let len = objective.residual_len();
        let norm_sq = match &mut self.solver {
            LinearSolver::Cholesky(_) => objective.gradient_norm_sq(w, self.direction.as_mut())?,
            LinearSolver::ConjugateGradients { gradient, .. } => {
                objective.gradient(w, gradient.as_mut())?;
                norm_sq(gradient.as_ref())
            }
        };
        finite(norm_sq, Quantity::Gradient)?;
        let q = part(self.residual.as_mut(), len)?;
        let loss = finite(objective.linearise(w, q)?, Quantity::Loss)?;
        self.store.recall(objective, q)?;
        finite(dot(q, q), Quantity::Residual)?;
        let cancellation = objective.cancellation(w)?;
        let update_norm_sq = match &self.solver {
            LinearSolver::Cholesky(_) => self.step_by_cholesky(w, objective)?,
            LinearSolver::ConjugateGradients { .. } => {
                self.step_by_conjugate_gradients(w, objective)?
            }
        };
        if let Some(sizes) = cancellation {
            self.solved.stiffness = self.rounded_stiffness(sizes);
        }
        let q = part(self.residual.as_mut(), len)?;
        let mut auxiliary = describe(q, part(self.predicted.as_mut(), len)?);
        if !self.store.is_persistent() && objective.energy_is_loss() {
            auxiliary.energy = loss;
            auxiliary.reported = (T::TWO * loss).sqrt();
        }
        Ok(Step {
            loss,
            dt: self.dt,
            gradient_norm_sq: norm_sq,
            update_norm_sq,
            auxiliary: Some(auxiliary),
            accepted: true,
        })
    }

    fn relax(
        &mut self,
        w: &[T],
        objective: &mut O,
        eta: T,
        step: &mut Step<T>,
    ) -> Result<(), Error> {
        let Some(auxiliary) = &mut step.auxiliary else { return Ok(()) };
        let len = objective.residual_len();
        let q = part(self.residual.as_mut(), len)?;
        let predicted = part(self.predicted.as_mut(), len)?;
        // D = ⟨q̃, q − q̃⟩, by (1) and (2).
        let dissipation = dot(predicted, q) - dot(predicted, predicted);
        let budget = T::TWO * eta * if dissipation > T::ZERO { dissipation } else { T::ZERO };
        finite(objective.linearise(w, q)?, Quantity::NextLoss)?;
        finite(dot(q, q), Quantity::Residual)?;
        let xi = relax_vector(predicted, q, budget); // (3)
        copy(q, predicted);
        auxiliary.xi = Some(finite(xi, Quantity::Auxiliary)?);
        auxiliary.next = finite(dot(q, q), Quantity::Auxiliary)?.sqrt();
        Ok(())
    }

    fn commit(&mut self, objective: &O, _step: &Step<T>) {
        if let LinearSolver::ConjugateGradients { gradient, .. } = &self.solver {
            self.operator.commit(gradient.as_ref());
        }
        if let Ok(q) = part(self.predicted.as_mut(), objective.residual_len()) {
            self.store.keep(objective, q);
        }
    }
}

impl<T, A, B, O> Scheme<T, O> for IeqFull<T, A, B>
where
    T: Float,
    A: Operator<T>,
    B: AsRef<[T]> + AsMut<[T]>,
    O: Residuals<T> + ?Sized,
{
    fn step(&mut self, w: &mut [T], objective: &mut O) -> Result<Step<T>, Error> {
        let step = self.propose(w, objective);
        if let Ok(step) = &step {
            self.commit(objective, step);
        }
        step
    }

    fn dt(&self) -> T {
        self.dt
    }

    fn set_dt(&mut self, dt: T) {
        self.dt = dt;
    }

    fn visit_state(&mut self, visit: &mut dyn FnMut(&'static str, &mut [T])) {
        self.operator.visit_state(visit);
        self.store.visit(visit);
    }

    fn movement(&self, before: &[T], after: &[T], dt: T) -> Movement<T> {
        self.operator.movement(before, after, dt)
    }

    fn solved(&self) -> Solved<T> {
        self.solved
    }
}
