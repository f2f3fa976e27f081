//! Adam's second moment as the operator of an energy-stable scheme.

use super::operator::{check_lambda, descend_by, weighted_sq};
use super::{Movement, Operator, check};
use crate::error::{Buffer, Error, Setting};
use crate::float::Float;
use crate::support::Gradient;

/// Adam's second moment as a metric: `A = M⁻¹/(1 + λΔt)` with
/// `M = diag(√v̂) + 1e-8`, `v = β₂ v + (1 − β₂) g²` (bias-corrected, the present gradient included).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamMetric<T, B> {
    /// λ ≥ 0: the step is never longer than `1/λ` in the metric.
    pub lambda: T,
    /// β₂, 0.999 by custom.
    pub beta2: T,
    /// v, one a parameter, 0 at first.
    moments: B,
    /// β₂ⁿ
    power: T,
}

impl<T: Float, B: AsRef<[T]>> AdamMetric<T, B> {
    /// A metric with no history, over moments that are all zero.
    #[must_use]
    pub fn new(lambda: T, moments: B) -> Self {
        Self { lambda, beta2: T::from_f64(0.999), moments, power: T::ONE }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn moment(&self, i: usize, g: T) -> T {
        let v = self.moments.as_ref().get(i).copied().unwrap_or_default();
        self.beta2 * v + (T::ONE - self.beta2) * (g * g)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn metric(&self, moment: T, power: T) -> T {
        (moment / (T::ONE - power)).sqrt() + T::from_f64(1e-8)
    }

    /// `Aᵢᵢ` in the step with gradient g.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn factor(&self, i: usize, g: &[T], dt: T) -> T {
        let g = g.get(i).copied().unwrap_or_default();
        let metric = self.metric(self.moment(i, g), self.power * self.beta2);
        T::ONE / (metric * (T::ONE + self.lambda * dt))
    }
}

impl<T: Float, B: AsRef<[T]> + AsMut<[T]>> Operator<T> for AdamMetric<T, B> {
    fn check(&self, parameters: usize) -> Result<(), Error> {
        Error::check_length(Buffer::Moments, parameters, self.moments.as_ref().len())?;
        let beta2 = self.beta2;
        check(beta2 >= T::ZERO && beta2 < T::ONE, Setting::Beta, beta2)?;
        check_lambda(self.lambda)
    }

    #[cfg_attr(feature = "wide", inline(always))]
    fn slope(&self, g: &Gradient<'_, T>, dt: T) -> T {
        weighted_sq(g.entries, |i| self.factor(i, g.entries, dt))
    }

    #[cfg_attr(feature = "wide", inline(always))]
    fn apply(&self, g: &[T], v: &mut [T], dt: T) {
        for (i, v) in v.iter_mut().enumerate() {
            *v *= self.factor(i, g, dt);
        }
    }

    #[cfg_attr(feature = "wide", inline(always))]
    fn descend(&self, w: &mut [T], g: &Gradient<'_, T>, length: T, dt: T) -> Result<T, Error> {
        descend_by(w, g.entries, |i| length * self.factor(i, g.entries, dt))
    }

    #[cfg_attr(feature = "wide", inline(always))]
    fn commit(&mut self, g: &[T]) {
        self.power *= self.beta2;
        let (beta2, rest) = (self.beta2, T::ONE - self.beta2);
        for (v, &g) in self.moments.as_mut().iter_mut().zip(g) {
            *v = beta2 * *v + rest * (g * g);
        }
    }

    fn movement(&self, before: &[T], after: &[T], _dt: T) -> Movement<T> {
        let moments = self.moments.as_ref();
        let weight = |i| self.metric(moments.get(i).copied().unwrap_or_default(), self.power);
        Movement::weighted(before, after, weight)
    }

    fn visit_state(&mut self, visit: &mut dyn FnMut(&'static str, &mut [T])) {
        visit("metric_moments", self.moments.as_mut());
        visit("metric_power", core::slice::from_mut(&mut self.power));
    }
}
