//! Adam (Kingma, Ba 2015), with bias correction.
//!
//! (1)  m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
//! (2)  Δw = −Δt (m/(1 − β₁ⁿ)) / (√(v/(1 − β₂ⁿ)) + ε)
//!
//! Law: none.

use super::operator::finite_gradient;
use super::{Scheme, Step, check, check_dt, finite};
use crate::error::{Buffer, Error, Quantity, Setting};
use crate::float::Float;
use crate::linalg::sum_of;
use crate::objective::Objective;
use crate::support::Support;

/// Adam over three buffers of one entry a parameter; see the [module](self).
#[derive(Clone, Copy, Debug)]
pub struct Adam<T, B> {
    /// Decay of the first moment, 0.9.
    pub beta1: T,
    /// Decay of the second moment, 0.999.
    pub beta2: T,
    /// Regularisation ε, 1e-8.
    pub epsilon: T,
    dt: T,
    /// β₁ⁿ and β₂ⁿ.
    powers: [T; 2],
    first: B,
    second: B,
    gradient: B,
}

impl<T: Float, B> Adam<T, B> {
    /// Adam at its start. `first` and `second` are all zero; all three have one entry a parameter.
    pub fn new(dt: T, first: B, second: B, gradient: B) -> Self {
        Self {
            beta1: T::from_f64(0.9),
            beta2: T::from_f64(0.999),
            epsilon: T::from_f64(1e-8),
            dt,
            powers: [T::ONE; 2],
            first,
            second,
            gradient,
        }
    }

    fn check(&self) -> Result<(), Error> {
        check_dt(self.dt)?;
        let Self { beta1, beta2, epsilon, .. } = *self;
        check(epsilon > T::ZERO && epsilon.is_finite(), Setting::Epsilon, epsilon)?;
        check(beta1 >= T::ZERO && beta1 < T::ONE, Setting::Beta, beta1)?;
        check(beta1 * beta1 < beta2 && beta2 < T::ONE, Setting::Beta, beta2)
    }
}

impl<T, B, O> Scheme<T, O> for Adam<T, B>
where
    T: Float,
    B: AsMut<[T]>,
    O: Objective<T> + ?Sized,
{
    #[cfg_attr(feature = "wide", inline(always))]
    fn step(&mut self, w: &mut [T], objective: &mut O) -> Result<Step<T>, Error> {
        self.check()?;
        let Self { beta1, beta2, epsilon, dt, powers: [power1, power2], .. } = *self;
        let p = objective.parameters();
        let (m, v, g) = (self.first.as_mut(), self.second.as_mut(), self.gradient.as_mut());
        Error::check_length(Buffer::Moments, p, m.len())?;
        Error::check_length(Buffer::Moments, p, v.len())?;
        Error::check_length(Buffer::Gradient, p, g.len())?;

        let loss = finite(objective.gradient(w, g)?, Quantity::Loss)?;
        let norm_sq = finite_gradient(g, Support::all(p))?.norm_sq;
        // By Cauchy and Schwarz |Δw| < 8 Δt entry by entry (β₁² < β₂), so nothing can overflow.
        if dt * T::from_f64(8.0) > T::SAFE_UPDATE {
            return Err(Error::NotFinite { what: Quantity::Update });
        }
        let powers = [power1 * beta1, power2 * beta2];
        let [power1, power2] = powers;
        let (rest1, rest2) = (T::ONE - beta1, T::ONE - beta2);
        let first_scale = dt / (T::ONE - power1);
        let second_scale = T::ONE / (T::ONE - power2);
        let moments = m.iter_mut().zip(v.iter_mut()).zip(g.iter_mut());
        for (((m, v), g), w) in moments.zip(w.iter_mut()) {
            *m = beta1 * *m + rest1 * *g; // (1)
            *v = beta2 * *v + rest2 * (*g * *g);
            let step = first_scale * *m / ((second_scale * *v).sqrt() + epsilon); // (2)
            *w -= step;
            *g = step;
        }
        self.powers = powers;
        let update_norm_sq = sum_of(g, |step| step * step);
        Ok(Step {
            loss,
            dt,
            gradient_norm_sq: norm_sq,
            update_norm_sq,
            auxiliary: None,
            accepted: true,
        })
    }

    fn dt(&self) -> T {
        self.dt
    }

    fn set_dt(&mut self, dt: T) {
        self.dt = dt;
    }

    fn visit_state(&mut self, visit: &mut dyn FnMut(&'static str, &mut [T])) {
        visit("first_moment", self.first.as_mut());
        visit("second_moment", self.second.as_mut());
        visit("powers", &mut self.powers);
    }
}
