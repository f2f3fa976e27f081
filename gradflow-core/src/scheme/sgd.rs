//! Stochastic gradient descent, the explicit Euler scheme of the flow.
//!
//! (1)  Δw = −Δt g
//!
//! Law: none. Stable only for Δt < 2/λ_max of the loss's Hessian.

use super::rule::{Advance, At, Relaxation, Rule};
use crate::error::Error;
use crate::float::Float;

/// Gradient descent; see the [module](self).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sgd;

impl<T: Float> Rule<T> for Sgd {
    const HAS_AUXILIARY: bool = false;

    fn fixed_length(&self, dt: T) -> Option<T> {
        Some(dt) // (1)
    }

    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn define(&self, _loss: T) -> Result<T, Error> {
        Ok(T::ZERO)
    }

    fn advance(&self, value: T, at: &At<T>) -> Result<Advance<T>, Error> {
        Advance { length: at.dt, auxiliary: value, kappa: None }.finite() // (1)
    }

    fn relax(&self, relaxation: &Relaxation<T>) -> (T, T) {
        (relaxation.predicted, T::ONE)
    }

    fn report(&self, value: T) -> T {
        value
    }

    fn energy(&self, value: T) -> T {
        value
    }
}
