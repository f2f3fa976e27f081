//! SAV: the scalar auxiliary variable `r = √(L + C)` (Shen, Xu, Yang 2018; Ma, Mao, Shen 2024).
//!
//! (1)  ρ = 1 / (1 + Δt S / (2(L + C)))
//! (2)  r̃ = ρ r
//! (3)  Δw = −Δt κ ρ A g,   κ = 1 (Ratio) or r/√(L + C) (Consistent)
//! (4)  relaxed: r = min(r̂, B),   B² = r̃² + ηD
//!
//! Laws, for every Δt > 0, with `D = ⟨Δw, A⁻¹Δw⟩/Δt`. Tests: `laws::scalar::law_1_sav_consistent`,
//! `laws::scalar::law_2_sav_ratio`, `laws::relaxation::law_7_sav`.
//! * Consistent: `r̃² − r² + (r̃ − r)² + D = 0`; relaxed: `r'² ≤ r² − (1 − η) D`.
//! * Ratio: `D ≤ (L + C)/2`, and r never grows. No law binds the true loss.
//!
//! Not promised: that L falls. A large C switches the damping off (ρ → 1): the scheme is then SGD.
//!
//! | L, S, Δt | `at.loss`, `at.slope`, `at.dt` |
//! |---|---|
//! | C, κ, ρ | `self.c`, `kappa`, `rho` |
//! | r, r̃, r̂ | `value`, `predicted`, `ideal` |

use super::check;
use super::rule::{Advance, At, Relaxation, Rule};
use crate::error::{Error, Setting};
use crate::float::Float;

/// How much of the auxiliary variable's drift acts on the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coupling {
    /// κ = 1: the step is the ratio `rⁿ⁺¹/rⁿ` times the plain one; r only watches.
    Ratio,
    /// κ compares r with its definition: the energy law then binds the step.
    Consistent,
}

/// The rule of SAV; see the [module](self).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sav<T> {
    /// Shift C: `L + C` must stay positive.
    pub c: T,
    /// Coupling of the step to r.
    pub coupling: Coupling,
}

impl<T: Float> Sav<T> {
    fn root_sq(&self, loss: T) -> Result<T, Error> {
        let root_sq = loss + self.c;
        if root_sq >= T::ZERO {
            Ok(root_sq)
        } else {
            Err(Error::ShiftTooSmall { loss_plus_c: root_sq.to_f64() })
        }
    }
}

impl<T: Float> Rule<T> for Sav<T> {
    fn check(&self) -> Result<(), Error> {
        check(self.c.is_finite(), Setting::C, self.c)
    }

    fn define(&self, loss: T) -> Result<T, Error> {
        Ok(self.root_sq(loss)?.sqrt())
    }

    fn advance(&self, r: T, at: &At<T>) -> Result<Advance<T>, Error> {
        let root_sq = self.root_sq(at.loss)?;
        if root_sq == T::ZERO {
            if at.slope == T::ZERO {
                return Ok(Advance { length: T::ZERO, auxiliary: r, kappa: Some(T::ONE) });
            }
            return Err(Error::ShiftTooSmall { loss_plus_c: 0.0 });
        }
        let kappa = match self.coupling {
            Coupling::Ratio => T::ONE,
            Coupling::Consistent => r / root_sq.sqrt(),
        };
        let rho = T::ONE / (T::ONE + at.dt * (at.slope / (T::TWO * root_sq))); // (1)
        let r_next = rho * r; // (2)
        Advance { length: at.dt * kappa * rho, auxiliary: r_next, kappa: Some(kappa) }.finite() // (3)
    }

    fn relax(&self, relaxation: &Relaxation<T>) -> (T, T) {
        let Relaxation { predicted, budget, .. } = *relaxation;
        relaxation.up_to((predicted * predicted + budget).sqrt()) // (4)
    }

    fn report(&self, r: T) -> T {
        r
    }

    fn energy(&self, r: T) -> T {
        r * r
    }
}
