//! Gain-ratio control of full IEQ: a step size that needs no tuning.
//!
//! (1)  ratio = (E(wⁿ) − E(wⁿ⁺¹)) / (½‖q‖² − ½‖q̃‖²): the true decrease of the energy over the
//!      decrease of the modified one
//! (2)  reject unless E(wⁿ⁺¹) < E(wⁿ);   rejected: Δt ← Δt/4
//! (3)  ratio > ¾: Δt ← 3Δt;   ratio < ¼: Δt ← Δt/4
//!
//! E is the loss, or `½‖f − y‖²` for the source's residuals. Law: E falls at every accepted step,
//! on the step's batch. Test: `laws::table::every_run`. The trust-region rule of Levenberg and
//! Marquardt, with 1/Δt as damping.

use super::ieq_full::IeqFull;
use super::{Movement, Operator, Scheme, Solved, Staged, Step, check_dt};
use crate::error::{Buffer, Error};
use crate::float::Float;
use crate::linalg::copy;
use crate::objective::Residuals;

/// Full IEQ with fresh residuals that chooses its own step size; see the [module](self).
#[derive(Clone, Copy, Debug)]
pub struct GainRatio<T, A, B> {
    inner: IeqFull<T, A, B>,
    /// Smallest and largest Δt.
    pub bounds: [T; 2],
    backup: B,
}

impl<T: Float, A: Operator<T>, B: AsRef<[T]> + AsMut<[T]>> GainRatio<T, A, B> {
    /// Wraps a scheme whose Δt is the first to try; `backup` has one entry a parameter.
    pub fn new(inner: IeqFull<T, A, B>, backup: B) -> Self {
        Self { inner, bounds: [T::from_f64(1e-12), T::from_f64(1e12)], backup }
    }

    fn resize<O: Residuals<T> + ?Sized>(&mut self, factor: f64) {
        let [least, most] = self.bounds;
        let dt = Scheme::<T, O>::dt(&self.inner) * T::from_f64(factor);
        let dt = if dt < least { least } else { dt };
        Scheme::<T, O>::set_dt(&mut self.inner, if dt > most { most } else { dt });
    }

    /// A proposal, with a smaller Δt for as long as the system cannot be solved.
    fn propose<O: Residuals<T> + ?Sized>(
        &mut self,
        w: &mut [T],
        objective: &mut O,
    ) -> Result<Step<T>, Error> {
        loop {
            match self.inner.propose(w, objective) {
                Err(Error::Singular { .. } | Error::NoConvergence { .. })
                    if Scheme::<T, O>::dt(&self.inner) > T::ONE =>
                {
                    self.resize::<O>(0.25);
                }
                proposal => return proposal,
            }
        }
    }
}

impl<T, A, B, O> Scheme<T, O> for GainRatio<T, A, B>
where
    T: Float,
    A: Operator<T>,
    B: AsRef<[T]> + AsMut<[T]>,
    O: Residuals<T> + ?Sized,
{
    fn step(&mut self, w: &mut [T], objective: &mut O) -> Result<Step<T>, Error> {
        check_dt(Scheme::<T, O>::dt(&self.inner))?;
        Error::check_length(Buffer::Backup, w.len(), self.backup.as_mut().len())?;
        copy(w, self.backup.as_mut());
        let mut step = self.propose(w, objective)?;
        let Some(auxiliary) = step.auxiliary else { return Ok(step) };
        let before = if objective.energy_is_loss() { step.loss } else { auxiliary.energy };
        let predicted = self.inner.predicted_decrease(objective)?;
        let after = match self.inner.energy(w, objective) {
            Ok(after) => after,
            Err(error) => {
                copy(self.backup.as_ref(), w);
                return Err(error);
            }
        };
        step.accepted = after < before; // (2)
        if step.accepted {
            self.inner.commit(objective, &step);
            let ratio = (before - after) / predicted; // (1)
            if ratio > T::from_f64(0.75) {
                self.resize::<O>(3.0); // (3)
            } else if ratio < T::from_f64(0.25) {
                self.resize::<O>(0.25);
            }
        } else {
            copy(self.backup.as_ref(), w);
            step.update_norm_sq = T::ZERO;
            self.resize::<O>(0.25);
        }
        Ok(step)
    }

    fn dt(&self) -> T {
        Scheme::<T, O>::dt(&self.inner)
    }

    fn set_dt(&mut self, dt: T) {
        Scheme::<T, O>::set_dt(&mut self.inner, dt);
    }

    fn visit_state(&mut self, visit: &mut dyn FnMut(&'static str, &mut [T])) {
        let mut dt = [Scheme::<T, O>::dt(&self.inner)];
        visit("dt", &mut dt);
        let [dt] = dt;
        Scheme::<T, O>::set_dt(&mut self.inner, dt);
        Scheme::<T, O>::visit_state(&mut self.inner, visit);
    }

    fn movement(&self, before: &[T], after: &[T], dt: T) -> Movement<T> {
        Scheme::<T, O>::movement(&self.inner, before, after, dt)
    }

    fn solved(&self) -> Solved<T> {
        Scheme::<T, O>::solved(&self.inner)
    }
}
