//! What rounding can do to a law: the tolerances of the [audit](super), in f64.

use super::law::{Identity, Law};
use crate::float::Float;
use crate::scheme::{Movement, Solved};

/// What the vectors say about a step, and how exactly.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    /// ε of the type that the run computes in.
    pub(super) epsilon: f64,
    /// Relative error of a sum of squares or a step length, in units of ε.
    pub(super) growth: f64,
    /// Size of the smallest numbers, and their spacing.
    pub(super) tiny: f64,
    spacing: f64,
    /// `Δt' = Δt/(1 + λΔt)`
    dt: f64,
    /// Parameters, as a factor.
    parameters: f64,
    /// `L(wⁿ)` and `L(wⁿ⁺¹)`, where they are needed.
    pub(super) loss: f64,
    pub(super) next_loss: f64,
    /// D
    pub(super) dissipation: f64,
    /// The energy E of what storing w may have rounded.
    pub(super) rounding: f64,
    /// What that can do to D.
    slack: f64,
    /// `Δt λ_max(J A Jᵀ)`
    pub(super) stiffness: f64,
    /// Relative residual of the iteration that solved the system.
    tolerance: f64,
    /// True if the step solved a system.
    pub(super) solves: bool,
}

impl Facts {
    pub(super) fn new<T: Float>(
        law: &Law<T>,
        dt: T,
        movement: &Movement<T>,
        solved: &Solved<T>,
        [parameters, entries]: [usize; 2],
    ) -> Self {
        let epsilon = T::EPSILON.to_f64();
        let dt = dt.to_f64() / (1.0 + law.lambda.to_f64() * dt.to_f64());
        let dissipation = movement.update_sq.to_f64() / dt;
        let rounding = 0.25 * epsilon * epsilon * movement.size_sq.to_f64() / dt;
        let tiny = epsilon / T::SAFE_UPDATE.to_f64();
        Self {
            epsilon,
            growth: 8.0 + Float::sqrt((parameters + entries) as f64),
            tiny,
            spacing: tiny * epsilon,
            dt,
            parameters: parameters as f64,
            loss: 0.0,
            next_loss: 0.0,
            dissipation,
            rounding,
            slack: 2.0 * Float::sqrt(dissipation * rounding) + rounding,
            // Finite, so that nothing times it stays nothing.
            stiffness: solved.stiffness.to_f64().min(1e300),
            tolerance: solved.tolerance.to_f64(),
            solves: matches!(law.identity, Identity::IeqFull { .. }),
        }
    }

    /// How exactly D is known.
    pub(super) fn dissipation_error(&self) -> f64 {
        let floor = self.tiny + self.parameters * self.spacing * (self.dt + 1.0 / self.dt);
        self.growth * self.epsilon * self.dissipation + self.slack + floor
    }

    /// What rounding of `ρ` and of the step length, below the normal range, does to ρ.
    pub(super) fn underflow(&self) -> f64 {
        self.spacing * (2.0 + 1.0 / self.dt)
    }

    /// The quotient ρ of two rounded numbers, and its error.
    pub(super) fn quotient(&self, next: f64, value: f64) -> (f64, f64) {
        let rho = if value == 0.0 { 0.0 } else { next / value };
        let lost = self.spacing / value; // ∞ or NaN at 0
        let error = 2.0 * self.epsilon * rho + self.underflow() + lost;
        (rho, if value == 0.0 { 1.0 } else { error })
    }

    /// How exactly the identity of full IEQ can hold: the system is solved, and its matrix formed,
    /// with a relative error of ε times its condition; w is rounded on storing.
    pub(super) fn full_error(&self, norm: f64, predicted: f64) -> f64 {
        let norm = norm.max(predicted);
        let solved = norm + self.stiffness * predicted;
        let moved = Float::sqrt(self.stiffness * self.dissipation);
        let stored = Float::sqrt(self.stiffness * self.rounding);
        norm * (self.growth * self.epsilon * (solved + moved) + self.tolerance * norm + stored)
    }
}
