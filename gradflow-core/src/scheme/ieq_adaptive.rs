//! Adaptive IEQ: the quadratised energy `L = ½q²` with the one residual `q = √(2L)`.
//!
//! (1)  α = 1 / (1 + Δt S / (q² + ε))
//! (2)  q̃ = α q
//! (3)  Δw = −Δt α A g
//! (4)  relaxed: q = q̂ held within ±√M,   M = q̃² + 2ηθD,   θ = q²/(q² + ε)
//!
//! Law, for every Δt > 0, with `D = ⟨Δw, A⁻¹Δw⟩/Δt`: `½α²q² + ½(1−α)²q² + θD = ½q²`; relaxed:
//! `½q'² ≤ ½q² − (1 − η)θD`. Tests: `laws::scalar::law_5_ieq_adaptive`,
//! `laws::relaxation::law_7_ieq_adaptive`. With fresh q this is SAV Ratio with
//! `C = ε/2`; the energy is then the loss, and need not fall. [`IeqVector`](super::IeqVector) has
//! the same rule for one residual a sample.

use super::rule::{Advance, At, Relaxation, Rule};
use super::{Memory, check};
use crate::error::{Error, Setting};
use crate::float::Float;

/// The rule of adaptive IEQ; see the [module](self).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IeqAdaptive<T> {
    /// Regularisation ε ≥ 0.
    pub epsilon: T,
    /// Whether q is taken from each batch's loss or carried on.
    pub memory: Memory,
}

impl<T: Float> IeqAdaptive<T> {
    /// α for a squared residual, or `None` where nothing is to be done (g = 0).
    pub(super) fn damping(&self, q_sq: T, at: &At<T>) -> Result<Option<T>, Error> {
        let weight = q_sq + self.epsilon;
        if weight > T::ZERO {
            Ok(Some(T::ONE / (T::ONE + at.dt * (at.slope / weight)))) // (1)
        } else if at.slope == T::ZERO {
            Ok(None)
        } else {
            Err(Error::Degenerate)
        }
    }

    /// The part θ of the dissipation that the law accounts for.
    pub(super) fn share(&self, q_sq: T) -> T {
        let weight = q_sq + self.epsilon;
        if weight > T::ZERO { q_sq / weight } else { T::ZERO }
    }
}

impl<T: Float> Rule<T> for IeqAdaptive<T> {
    fn is_fresh(&self) -> bool {
        self.memory == Memory::Fresh
    }

    fn check(&self) -> Result<(), Error> {
        let epsilon = self.epsilon;
        check(epsilon >= T::ZERO && epsilon.is_finite(), Setting::Epsilon, epsilon)
    }

    fn define(&self, loss: T) -> Result<T, Error> {
        if loss >= T::ZERO {
            Ok((T::TWO * loss).sqrt())
        } else {
            Err(Error::ShiftTooSmall { loss_plus_c: loss.to_f64() })
        }
    }

    fn advance(&self, q: T, at: &At<T>) -> Result<Advance<T>, Error> {
        let Some(alpha) = self.damping(q * q, at)? else {
            return Ok(Advance { length: T::ZERO, auxiliary: q, kappa: None });
        };
        let length = at.dt * alpha;
        Advance { length, auxiliary: alpha * q, kappa: None }.finite() // (2), (3)
    }

    fn relax(&self, relaxation: &Relaxation<T>) -> (T, T) {
        let Relaxation { value, predicted, budget, .. } = *relaxation;
        let theta = self.share(value * value);
        relaxation.up_to((predicted * predicted + T::TWO * theta * budget).sqrt()) // (4)
    }

    fn report(&self, q: T) -> T {
        q
    }

    fn energy(&self, q: T) -> T {
        T::HALF * (q * q)
    }
}
