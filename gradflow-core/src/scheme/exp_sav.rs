//! ExpSAV: the exponential auxiliary variable `r = C exp(L)`, kept as `ℓ = ln r − ln C`
//! (Huang, Shen, Yang 2020, in the variant that steps by the ratio of two r).
//!
//! (1)  ρ = 1 / (1 + Δt κ S),   κ = 1 (Ratio) or min(1, exp(ℓ − L)) (Consistent)
//! (2)  ℓ̃ = ℓ − ln(1 + Δt κ S)
//! (3)  Δw = −Δt κ ρ A g
//! (4)  relaxed: ℓ = min(ℓ̂, B),   B = ℓ̃ + ηD,   ℓ̂ = L(wⁿ⁺¹)
//!
//! Laws, for every Δt > 0, with `D = ⟨Δw, A⁻¹Δw⟩/Δt`. Tests: `laws::scalar::law_3_exp_sav`,
//! `laws::relaxation::law_7_exp_sav`.
//! * `ℓ̃ ≤ ℓ − (1 − ρ)` and `D = κρ(1 − ρ)`; Ratio: `‖Δw‖ ≤ √Δt'/2` whatever the gradient.
//! * relaxed: `ℓ' ≤ ℓ − (1 − η) D`.
//!
//! C never acts on the step: only reports of `ln r` contain it. r itself is never formed, so a
//! loss of 1e4 does not overflow. Not promised: that L falls.

use super::check;
use super::rule::{Advance, At, Relaxation, Rule};
use super::sav::Coupling;
use crate::error::{Error, Setting};
use crate::float::Float;

/// The rule of ExpSAV; see the [module](self).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExpSav<T> {
    /// Factor C > 0 of r, seen in reports only.
    pub c: T,
    /// Coupling of the step to ℓ.
    pub coupling: Coupling,
}

impl<T: Float> Rule<T> for ExpSav<T> {
    fn check(&self) -> Result<(), Error> {
        check(self.c > T::ZERO && self.c.is_finite(), Setting::C, self.c)
    }

    fn define(&self, loss: T) -> Result<T, Error> {
        Ok(loss)
    }

    fn advance(&self, log_r: T, at: &At<T>) -> Result<Advance<T>, Error> {
        let kappa = match self.coupling {
            Coupling::Consistent if log_r < at.loss => (log_r - at.loss).exp(),
            _ => T::ONE,
        };
        let decay = at.dt * kappa * at.slope;
        let rho = T::ONE / (T::ONE + decay); // (1)
        let log_r_next = log_r - decay.ln_1p(); // (2)
        let length = at.dt * kappa * rho; // (3)
        Advance { length, auxiliary: log_r_next, kappa: Some(kappa) }.finite()
    }

    fn relax(&self, relaxation: &Relaxation<T>) -> (T, T) {
        relaxation.up_to(relaxation.predicted + relaxation.budget) // (4)
    }

    fn report(&self, log_r: T) -> T {
        log_r + self.c.ln()
    }

    fn energy(&self, log_r: T) -> T {
        self.report(log_r)
    }
}
