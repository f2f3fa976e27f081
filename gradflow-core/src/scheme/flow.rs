//! The one driver of all scalar rules: gradient, slope, rule, `w ← w − length · A g`.

use super::operator::finite_gradient;
use super::rule::{At, Relaxation};
use super::{
    Auxiliary, Movement, Operator, Rule, Scheme, Staged, Step, check_dt, finite, visit_option,
};
use crate::error::{Buffer, Error, Quantity};
use crate::float::Float;
use crate::linalg::copy;
use crate::objective::{Objective, checked_update_norm_sq, is_safe};
use crate::support::{Gradient, Support};

/// A [`Rule`] that moves a parameter vector.
///
/// ```
/// use gradflow_core::scheme::{Coupling, Flow, Sav, Scalar, Scheme};
/// use gradflow_core::{Error, Objective};
/// /// L(w) = ½ w²
/// struct Bowl;
/// impl Objective<f64> for Bowl {
///     fn parameters(&self) -> usize { 1 }
///     fn loss(&mut self, w: &[f64]) -> Result<f64, Error> { Ok(0.5 * w[0] * w[0]) }
///     fn gradient(&mut self, w: &[f64], g: &mut [f64]) -> Result<f64, Error> {
///         g[0] = w[0];
///         self.loss(w)
///     }
/// }
/// let sav = Sav { c: 1.0, coupling: Coupling::Ratio };
/// let mut scheme = Flow::new(sav, Scalar { lambda: 0.0 }, 1e6, [0.0]);
/// let mut w = [3.0];
/// for _ in 0..100 {
///     scheme.step(&mut w, &mut Bowl)?; // gradient descent would overflow at this step size
/// }
/// assert!(w[0].is_finite());
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Flow<T, R, A, B> {
    /// The formula; may be changed between steps.
    pub rule: R,
    /// The linear operator.
    pub operator: A,
    dt: T,
    auxiliary: Option<T>,
    gradient: B,
    /// Whether the last proposal left `wⁿ` in the gradient's memory.
    exchanged: bool,
}

impl<T: Float, R: Rule<T>, A, B> Flow<T, R, A, B> {
    /// A scheme at its start; `gradient` has one entry a parameter.
    pub const fn new(rule: R, operator: A, dt: T, gradient: B) -> Self {
        Self { rule, operator, dt, auxiliary: None, gradient, exchanged: false }
    }

    /// Takes the auxiliary variable's initial value from this loss (of the whole training set,
    /// say) instead of the first batch's.
    ///
    /// # Errors
    /// A loss for which it does not exist.
    pub fn start(&mut self, loss: T) -> Result<(), Error> {
        self.auxiliary = Some(self.rule.define(finite(loss, Quantity::Loss)?)?);
        Ok(())
    }
}

impl<T: Float, R: Rule<T>, A: Operator<T>, B: AsRef<[T]> + AsMut<[T]>> Flow<T, R, A, B> {
    /// A step, without the update of the scheme's state. If there is a backup, `wⁿ` is kept.
    #[cfg_attr(feature = "wide", inline(always))]
    fn propose_with<O: Objective<T> + ?Sized>(
        &mut self,
        w: &mut [T],
        objective: &mut O,
        backup: Option<&mut [T]>,
    ) -> Result<Step<T>, Error> {
        let dt = self.dt;
        check_dt(dt)?;
        self.rule.check()?;
        self.operator.check(objective.parameters())?;
        let g = self.gradient.as_mut();
        Error::check_length(Buffer::Gradient, objective.parameters(), g.len())?;
        Error::check_length(Buffer::Weights, g.len(), w.len())?;

        // A uniform operator reads the gradient in its support alone. Narrow kernels know no other.
        let is_uniform = cfg!(feature = "wide") && self.operator.uniform(dt).is_some();
        let loss =
            if is_uniform { objective.sparse_gradient(w, g) } else { objective.gradient(w, g) };
        let loss = finite(loss?, Quantity::Loss)?;
        let length = if backup.is_none() { self.safe_length(w, objective) } else { None };
        let support = if is_uniform { objective.support() } else { Support::all(w.len()) };
        match length {
            Some(length) => Ok(self.descend_at_once(w, loss, support, length)),
            None => self.descend(w, loss, support, backup),
        }
    }

    /// The length of the update along the gradient, if it does not depend on that, and if no update of this
    /// length can fail.
    #[cfg_attr(feature = "wide", inline(always))]
    fn safe_length<O: Objective<T> + ?Sized>(&self, w: &[T], objective: &mut O) -> Option<T> {
        if !cfg!(feature = "wide") || R::HAS_AUXILIARY {
            return None;
        }
        let (length, factor) =
            self.rule.fixed_length(self.dt).zip(self.operator.uniform(self.dt))?;
        let length = length * factor;
        let bound = objective.gradient_bound(w, self.gradient.as_ref());
        (length > T::ZERO && is_safe(length, bound)).then_some(length)
    }

    /// A step that cannot fail: the gradient is read once, for its norm and for the update.
    #[cfg_attr(feature = "wide", inline(always))]
    fn descend_at_once(
        &mut self,
        w: &mut [T],
        loss: T,
        support: Support<'_>,
        length: T,
    ) -> Step<T> {
        let gradient_norm_sq = support.axpy_norm_sq(-length, self.gradient.as_ref(), w);
        self.exchanged = false;
        let update_norm_sq = length * length * gradient_norm_sq;
        Step {
            loss,
            dt: self.dt,
            gradient_norm_sq,
            update_norm_sq,
            auxiliary: None,
            accepted: true,
        }
    }

    /// The step along the gradient. If there is a backup, wide kernels keep `wⁿ` in the gradient's memory,
    /// where the operator does not read that again, else it is kept in the backup.
    #[cfg_attr(feature = "wide", inline(always))]
    fn descend(
        &mut self,
        w: &mut [T],
        loss: T,
        support: Support<'_>,
        backup: Option<&mut [T]>,
    ) -> Result<Step<T>, Error> {
        let dt = self.dt;
        let g = finite_gradient(self.gradient.as_ref(), support)?;
        let gradient_norm_sq = g.norm_sq;
        let slope = finite(self.operator.slope(&g, dt), Quantity::Gradient)?;
        let value = match self.auxiliary {
            Some(value) if !self.rule.is_fresh() => value,
            _ => self.rule.define(loss)?,
        };
        let advance = self.rule.advance(value, &At { loss, slope, dt })?;
        let update_norm_sq = match (backup, self.operator.uniform(dt)) {
            // Outside its support an update of no positive length can change the sign of a zero.
            (Some(_), Some(factor)) if cfg!(feature = "wide") && advance.length > T::ZERO => {
                let length = advance.length * factor;
                let update_norm_sq = checked_update_norm_sq(w, &g, length)?;
                support.exchange(-length, self.gradient.as_mut(), w);
                self.exchanged = true;
                update_norm_sq
            }
            (backup, _) => {
                copy(w, backup.unwrap_or_default());
                self.exchanged = false;
                self.operator.descend(w, &g, advance.length, dt)?
            }
        };

        let change = advance.auxiliary - value;
        let auxiliary = Auxiliary {
            value,
            reported: self.rule.report(value),
            energy: self.rule.energy(value),
            predicted: advance.auxiliary,
            change_sq: change * change,
            next: advance.auxiliary,
            kappa: advance.kappa,
            xi: None,
        };
        Ok(Step {
            loss,
            dt,
            gradient_norm_sq,
            update_norm_sq,
            auxiliary: R::HAS_AUXILIARY.then_some(auxiliary),
            accepted: true,
        })
    }
}

impl<T, R, A, B, O> Staged<T, O> for Flow<T, R, A, B>
where
    T: Float,
    R: Rule<T>,
    A: Operator<T>,
    B: AsRef<[T]> + AsMut<[T]>,
    O: Objective<T> + ?Sized,
{
    #[cfg_attr(feature = "wide", inline(always))]
    fn propose(&mut self, w: &mut [T], objective: &mut O) -> Result<Step<T>, Error> {
        self.propose_with(w, objective, None)
    }

    #[cfg_attr(feature = "wide", inline(always))]
    fn propose_revocably(
        &mut self,
        w: &mut [T],
        objective: &mut O,
        backup: &mut [T],
    ) -> Result<Step<T>, Error> {
        Error::check_length(Buffer::Backup, w.len(), backup.len())?;
        self.propose_with(w, objective, Some(backup))
    }

    fn revoke(&self, w: &mut [T], objective: &O, backup: &[T]) {
        if cfg!(feature = "wide") && self.exchanged {
            objective.support().copy(self.gradient.as_ref(), w);
        } else {
            copy(backup, w);
        }
    }

    #[cfg_attr(feature = "wide", inline(always))]
    fn relax(
        &mut self,
        w: &[T],
        objective: &mut O,
        eta: T,
        step: &mut Step<T>,
    ) -> Result<(), Error> {
        let Some(auxiliary) = &mut step.auxiliary else { return Ok(()) };
        let loss = finite(objective.loss(w)?, Quantity::NextLoss)?;
        let ideal = self.rule.define(loss)?;
        // D = length² S / Δt, and Δw = −length A g: the rule gives the length once more.
        let g = Gradient::dense(self.gradient.as_ref(), step.gradient_norm_sq);
        let slope = self.operator.slope(&g, step.dt);
        let at = At { loss: step.loss, slope, dt: step.dt };
        let length = self.rule.advance(auxiliary.value, &at)?.length;
        let dissipation = length * (length / step.dt) * slope;
        let (value, predicted) = (auxiliary.value, auxiliary.predicted);
        let relaxation = Relaxation { value, predicted, ideal, budget: eta * dissipation };
        let (next, xi) = self.rule.relax(&relaxation);
        auxiliary.next = finite(next, Quantity::Auxiliary)?;
        auxiliary.xi = Some(finite(xi, Quantity::Auxiliary)?);
        Ok(())
    }

    #[cfg_attr(feature = "wide", inline(always))]
    fn commit(&mut self, _objective: &O, step: &Step<T>) {
        self.operator.commit(self.gradient.as_ref());
        self.auxiliary = step.auxiliary.map(|auxiliary| auxiliary.next);
    }
}

impl<T, R, A, B, O> Scheme<T, O> for Flow<T, R, A, B>
where
    T: Float,
    R: Rule<T>,
    A: Operator<T>,
    B: AsRef<[T]> + AsMut<[T]>,
    O: Objective<T> + ?Sized,
{
    #[cfg_attr(feature = "wide", inline(always))]
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
        visit_option("auxiliary", &mut self.auxiliary, visit);
        self.operator.visit_state(visit);
    }

    fn movement(&self, before: &[T], after: &[T], dt: T) -> Movement<T> {
        self.operator.movement(before, after, dt)
    }
}
