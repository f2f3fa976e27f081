//! Adaptive IEQ with one residual for each sample and output, used through `‖q‖²`.
//!
//! (1)  α = 1 / (1 + Δt S / (‖q‖² + ε))
//! (2)  q̃ = α q
//! (3)  Δw = −Δt α A g
//! (4)  relaxed: q = ξ₀ q̃ + (1 − ξ₀) q̂ with the smallest ξ₀ for which ‖q‖² ≤ ‖q̃‖² + 2ηθD
//!
//! Law, for every Δt > 0, with `D = ⟨Δw, A⁻¹Δw⟩/Δt` and `θ = ‖q‖²/(‖q‖² + ε)`:
//! `½‖q̃‖² + ½‖q̃ − q‖² + θD = ½‖q‖²`; relaxed: `½‖q'‖² ≤ ½‖q‖² − (1 − η)θD`.
//! Tests: `laws::table::every_run`, `laws::relaxation::law_7_vector`.

use super::ieq_store::relax_vector;
use super::operator::finite_gradient;
use super::rule::At;
use super::{Auxiliary, IeqAdaptive, Memory, Movement, Operator, Scheme, Staged, Step, Store};
use super::{Rule, check_dt, finite};
use crate::error::{Buffer, Error, Quantity};
use crate::float::Float;
use crate::linalg::{copy, dot};
use crate::objective::Residuals;
use crate::support::{Gradient, Support};

/// Adaptive IEQ on vectors; see the [module](self).
#[derive(Clone, Copy, Debug)]
pub struct IeqVector<T, A, B> {
    rule: IeqAdaptive<T>,
    operator: A,
    dt: T,
    store: Store<B>,
    gradient: B,
    /// q, and after relaxation q'.
    residual: B,
    /// q̃
    predicted: B,
}

impl<T: Float, A, B> IeqVector<T, A, B> {
    /// The scheme at its start. `gradient` has one entry a parameter, `residual` and `predicted`
    /// one for each sample and output of the largest batch.
    pub fn new(
        epsilon: T,
        operator: A,
        dt: T,
        store: Store<B>,
        gradient: B,
        [residual, predicted]: [B; 2],
    ) -> Self {
        let memory = if store.is_persistent() { Memory::Persistent } else { Memory::Fresh };
        let rule = IeqAdaptive { epsilon, memory };
        Self { rule, operator, dt, store, gradient, residual, predicted }
    }
}

/// The first `len` entries of a buffer.
pub(super) fn part<T>(buffer: &mut [T], len: usize) -> Result<&mut [T], Error> {
    let got = buffer.len();
    buffer.get_mut(..len).ok_or(Error::Length { what: Buffer::Residual, needed: len, got })
}

impl<T, A, B, O> Staged<T, O> for IeqVector<T, A, B>
where
    T: Float,
    A: Operator<T>,
    B: AsRef<[T]> + AsMut<[T]>,
    O: Residuals<T> + ?Sized,
{
    fn propose(&mut self, w: &mut [T], objective: &mut O) -> Result<Step<T>, Error> {
        let dt = self.dt;
        check_dt(dt)?;
        self.rule.check()?;
        self.operator.check(objective.parameters())?;
        let len = objective.residual_len();
        let q = part(self.residual.as_mut(), len)?;
        let q_next = part(self.predicted.as_mut(), len)?;
        let g = self.gradient.as_mut();
        Error::check_length(Buffer::Gradient, objective.parameters(), g.len())?;

        objective.linearise(w, q)?;
        self.store.recall(objective, q)?;
        let loss = finite(objective.gradient(w, g)?, Quantity::Loss)?;
        let g = finite_gradient(g, Support::all(g.len()))?;
        let q_sq = finite(dot(q, q), Quantity::Residual)?;
        let slope = finite(self.operator.slope(&g, dt), Quantity::Gradient)?;
        let alpha = self.rule.damping(q_sq, &At { loss, slope, dt })?.unwrap_or_default(); // (1)
        for (q_next, &q) in q_next.iter_mut().zip(q.iter()) {
            *q_next = alpha * q; // (2)
        }
        let update_norm_sq = self.operator.descend(w, &g, dt * alpha, dt)?; // (3)

        let norm = q_sq.sqrt();
        let change = (T::ONE - alpha) * norm;
        let auxiliary = Auxiliary {
            value: norm,
            reported: norm,
            energy: T::HALF * q_sq,
            predicted: alpha * norm,
            change_sq: change * change,
            next: alpha * norm,
            kappa: None,
            xi: None,
        };
        Ok(Step {
            loss,
            dt,
            gradient_norm_sq: g.norm_sq,
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
        let q_sq = auxiliary.value * auxiliary.value;
        let g = Gradient::dense(self.gradient.as_ref(), step.gradient_norm_sq);
        let slope = self.operator.slope(&g, step.dt);
        let at = At { loss: step.loss, slope, dt: step.dt };
        let alpha = self.rule.damping(q_sq, &at)?.unwrap_or_default();
        let dissipation = (step.dt * alpha) * alpha * slope;
        let budget = T::TWO * eta * self.rule.share(q_sq) * dissipation;
        finite(objective.linearise(w, q)?, Quantity::NextLoss)?;
        finite(dot(q, q), Quantity::Residual)?;
        let xi = relax_vector(predicted, q, budget); // (4)
        copy(q, predicted);
        auxiliary.xi = Some(finite(xi, Quantity::Auxiliary)?);
        auxiliary.next = finite(dot(q, q), Quantity::Auxiliary)?.sqrt();
        Ok(())
    }

    fn commit(&mut self, objective: &O, _step: &Step<T>) {
        self.operator.commit(self.gradient.as_ref());
        if let Ok(q) = part(self.predicted.as_mut(), objective.residual_len()) {
            self.store.keep(objective, q);
        }
    }
}

impl<T, A, B, O> Scheme<T, O> for IeqVector<T, A, B>
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
}
