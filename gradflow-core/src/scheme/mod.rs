//! Time-stepping schemes for the gradient flow `dw/dt = −∇L(w)`.
//!
//! One file a scheme. SGD, SAV, ExpSAV and adaptive IEQ are [`Rule`]s: maps between a few scalars,
//! free of vectors; one driver, [`Flow`], serves them all. [`Adam`], [`IeqFull`] and [`IeqVector`]
//! are schemes of their own. [`Relaxed`] and [`GainRatio`] wrap a scheme and are schemes.
//!
//! A step that fails leaves the parameters and the scheme's state as they were.
//!
//! Steps are inlined on x86-64, so that a caller compiled for wider vectors has their sums and
//! updates compiled likewise; elsewhere there is one width.

pub mod adam;
mod adam_metric;
mod any;
pub mod exp_sav;
mod flow;
pub mod gain_ratio;
pub mod ieq_adaptive;
pub mod ieq_full;
mod ieq_store;
pub mod ieq_vector;
mod movement;
mod operator;
pub mod relaxed;
mod rule;
pub mod sav;
mod settings;
pub mod sgd;

pub use adam::Adam;
pub use adam_metric::AdamMetric;
pub use any::AnyScheme;
pub use exp_sav::ExpSav;
pub use flow::Flow;
pub use gain_ratio::GainRatio;
pub use ieq_adaptive::IeqAdaptive;
pub use ieq_full::{IeqFull, LinearSolver};
pub use ieq_store::{Memory, Store, relax_vector};
pub use ieq_vector::IeqVector;
pub use movement::Movement;
pub use operator::{AnyOperator, Diagonal, Operator, Scalar};
pub use relaxed::Relaxed;
pub use rule::{Advance, At, Relaxation, Rule};
pub use sav::{Coupling, Sav};
pub use settings::{
    CHOLESKY_LIMIT, Control, Method, OperatorChoice, ResidualChoice, Settings, Shape, SolverChoice,
};
pub use sgd::Sgd;

use crate::error::{Buffer, Error, Quantity, Setting};
use crate::float::Float;
use crate::linalg::copy;

/// A scheme that can take steps on an objective `O`; what it asks of the problem is its bound.
pub trait Scheme<T: Float, O: ?Sized> {
    /// Takes `w` from `wⁿ` to `wⁿ⁺¹`.
    ///
    /// # Errors
    /// Whatever makes the step impossible; parameters and state are then as they were.
    fn step(&mut self, w: &mut [T], objective: &mut O) -> Result<Step<T>, Error>;

    /// Step size Δt of the next step.
    fn dt(&self) -> T;

    /// Changes the step size of the steps to come.
    fn set_dt(&mut self, dt: T);

    /// Shows every number that the next step depends on, by name, so that it can be saved,
    /// replaced or digested.
    fn visit_state(&mut self, visit: &mut dyn FnMut(&'static str, &mut [T]));

    /// What the step just taken did to the parameters, in the metric of the scheme's operator: for
    /// the [audit](crate::audit).
    fn movement(&self, before: &[T], after: &[T], _dt: T) -> Movement<T> {
        Movement::between(before, after)
    }

    /// How exactly the last step solved its linear system, if the scheme has one.
    fn solved(&self) -> Solved<T> {
        Solved::default()
    }
}

/// A scheme whose step can be looked at before it is kept: what relaxation and control build on.
pub trait Staged<T: Float, O: ?Sized>: Scheme<T, O> {
    /// Takes `w` to `wⁿ⁺¹`, but keeps the scheme's own state at step n.
    ///
    /// # Errors
    /// As [`Scheme::step`].
    fn propose(&mut self, w: &mut [T], objective: &mut O) -> Result<Step<T>, Error>;

    /// As [`propose`](Self::propose), and keeps `wⁿ` for [`revoke`](Self::revoke): in `backup`, which
    /// has one entry a parameter, unless the scheme has room for it.
    ///
    /// # Errors
    /// As [`Scheme::step`], and a backup of another length.
    #[cfg_attr(feature = "wide", inline(always))]
    fn propose_revocably(
        &mut self,
        w: &mut [T],
        objective: &mut O,
        backup: &mut [T],
    ) -> Result<Step<T>, Error> {
        Error::check_length(Buffer::Backup, w.len(), backup.len())?;
        copy(w, backup);
        self.propose(w, objective)
    }

    /// Takes `w` back to `wⁿ`, if nothing but [`relax`](Self::relax) was called since
    /// [`propose_revocably`](Self::propose_revocably) did its work, with this objective and backup.
    /// A scheme has both of its own or neither.
    fn revoke(&self, w: &mut [T], _objective: &O, backup: &[T]) {
        copy(backup, w);
    }

    /// Moves the proposed auxiliary variable towards its definition at the new `w`, as far as the
    /// energy law allows while at most the share `eta` of the dissipation is spent.
    ///
    /// # Errors
    /// A loss or residual at the new `w` that is not finite.
    fn relax(
        &mut self,
        w: &[T],
        objective: &mut O,
        eta: T,
        step: &mut Step<T>,
    ) -> Result<(), Error>;

    /// Makes the proposal the scheme's state.
    fn commit(&mut self, objective: &O, step: &Step<T>);
}

/// How exactly a linear system `(I + Δt J A Jᵀ) q̃ = q` was solved.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Solved<T> {
    /// `Δt λ_max(J A Jᵀ)`, roughly and rather too much, with the numbers that J is the difference
    /// of in place of J: rounding alone leaves a residual of ε times this number.
    pub stiffness: T,
    /// Relative residual at which an iteration stopped; 0 if there was none.
    pub tolerance: T,
}

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step<T> {
    /// Loss `L(wⁿ)` on the step's batch.
    pub loss: T,
    /// Step size Δt.
    pub dt: T,
    /// `‖∇L(wⁿ)‖²`
    pub gradient_norm_sq: T,
    /// `‖wⁿ⁺¹ − wⁿ‖²`, 0 for a rejected step.
    pub update_norm_sq: T,
    /// The auxiliary variable, unless the scheme has none.
    pub auxiliary: Option<Auxiliary<T>>,
    /// False if step-size control took the step back.
    pub accepted: bool,
}

/// What one step did to the auxiliary variable: `r` of SAV, `ℓ = ln r − ln C` of ExpSAV, `‖q‖` of
/// IEQ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Auxiliary<T> {
    /// Its value on entering the step.
    pub value: T,
    /// The value as it is reported: r, ln r, or ‖q‖ (√(2L) for generalised Gauss-Newton).
    pub reported: T,
    /// Modified energy on entering: r², ln r, or ½‖q‖² (L for generalised Gauss-Newton).
    pub energy: T,
    /// The recursion's value `ṽ`.
    pub predicted: T,
    /// `‖q̃ − q‖²` of IEQ, `(ṽ − v)²` of the others.
    pub change_sq: T,
    /// Value after the step: `ṽ`, or what relaxation made of it.
    pub next: T,
    /// Coupling κ of SAV and ExpSAV.
    pub kappa: Option<T>,
    /// Weight ξ₀ of the recursion's value, if relaxed.
    pub xi: Option<T>,
}

/// The value if it is finite, else the error that names it.
#[inline(always)]
pub(crate) fn finite<T: Float>(value: T, what: Quantity) -> Result<T, Error> {
    if value.is_finite() { Ok(value) } else { Err(Error::NotFinite { what }) }
}

/// Checks `0 < Δt < ∞`.
#[inline(always)]
pub(crate) fn check_dt<T: Float>(dt: T) -> Result<(), Error> {
    check(dt > T::ZERO && dt.is_finite(), Setting::Dt, dt)
}

/// `Ok` if the condition holds, else the error that names the setting and its value.
#[inline(always)]
pub(crate) fn check<T: Float>(holds: bool, what: Setting, value: T) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::OutOfRange { what, value: value.to_f64() }) }
}

/// Shows an auxiliary variable that may not be defined yet as one number, ∞ if it is not.
pub(crate) fn visit_option<T: Float>(
    name: &'static str,
    value: &mut Option<T>,
    visit: &mut dyn FnMut(&'static str, &mut [T]),
) {
    let mut shown = [value.unwrap_or(T::INFINITY)];
    visit(name, &mut shown);
    let [shown] = shown;
    *value = if shown.is_finite() { Some(shown) } else { None };
}
