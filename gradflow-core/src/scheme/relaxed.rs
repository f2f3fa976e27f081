//! Relaxation: the auxiliary variable is drawn back to its definition as far as the energy law
//! allows (Jiang, Zhang, Zhao 2022, for SAV; here for every scheme that has one).
//!
//! `v = ξ₀ ṽ + (1 − ξ₀) v̂` with the smallest `ξ₀ ∈ [0, 1]` for which the modified energy falls by
//! at least `(1 − η) D`. The closed forms stand in each scheme's file.

use super::{Movement, Scheme, Solved, Staged, Step, check};
use crate::error::{Error, Setting};
use crate::float::Float;
use crate::objective::Objective;

/// A scheme with relaxation around it. Costs one forward pass on the same batch.
#[derive(Clone, Copy, Debug)]
pub struct Relaxed<T, S, B> {
    inner: S,
    /// Share of the dissipation that relaxation may spend, `0 ≤ η < 1`; 0.99 by custom.
    pub eta: T,
    backup: B,
}

impl<T: Float, S, B> Relaxed<T, S, B> {
    /// Wraps a scheme; `backup` has one entry a parameter.
    pub const fn new(inner: S, eta: T, backup: B) -> Self {
        Self { inner, eta, backup }
    }

    /// The scheme inside.
    pub const fn inner_mut(&mut self) -> &mut S {
        &mut self.inner
    }
}

impl<T, S, B, O> Scheme<T, O> for Relaxed<T, S, B>
where
    T: Float,
    S: Staged<T, O>,
    B: AsMut<[T]>,
    O: Objective<T> + ?Sized,
{
    #[cfg_attr(feature = "wide", inline(always))]
    fn step(&mut self, w: &mut [T], objective: &mut O) -> Result<Step<T>, Error> {
        let eta = self.eta;
        check(eta >= T::ZERO && eta < T::ONE, Setting::Eta, eta)?;
        let backup = self.backup.as_mut();
        let mut step = self.inner.propose_revocably(w, objective, backup)?;
        if let Err(error) = self.inner.relax(w, objective, eta, &mut step) {
            self.inner.revoke(w, objective, backup);
            return Err(error);
        }
        self.inner.commit(objective, &step);
        Ok(step)
    }

    fn dt(&self) -> T {
        self.inner.dt()
    }

    fn set_dt(&mut self, dt: T) {
        self.inner.set_dt(dt);
    }

    fn visit_state(&mut self, visit: &mut dyn FnMut(&'static str, &mut [T])) {
        self.inner.visit_state(visit);
    }

    fn movement(&self, before: &[T], after: &[T], dt: T) -> Movement<T> {
        self.inner.movement(before, after, dt)
    }

    fn solved(&self) -> Solved<T> {
        self.inner.solved()
    }
}
