//! The checks of one step, in f64: rounding of the audit itself must not hide the scheme's.

use super::law::{Identity, Law};
use super::{Check, Violation};
use crate::error::{Buffer, Error};
use crate::float::Float;
use crate::network::Residual;
use crate::objective::Residuals;
use crate::scheme::{Auxiliary, Coupling, Memory, Movement, Solved};

/// Collects the checks of one step and keeps the one that comes closest to its tolerance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict {
    step: u64,
    pub(super) worst: Option<Violation>,
}

impl Verdict {
    pub(super) const fn new(step: u64) -> Self {
        Self { step, worst: None }
    }

    /// A deviation that may be as large as the tolerance.
    pub(super) fn expect(&mut self, check: Check, deviation: f64, tolerance: f64) {
        let new = Violation { step: self.step, check, deviation, tolerance };
        if self.worst.is_none_or(|worst| new.severity() > worst.severity()) {
            self.worst = Some(new);
        }
    }
}

/// What the vectors say about a step, and how exactly.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    /// ε of the type that the run computes in.
    epsilon: f64,
    /// Relative error of a sum of squares or a step length, in units of ε.
    growth: f64,
    /// Size of the smallest numbers, and their spacing.
    tiny: f64,
    spacing: f64,
    /// `Δt' = Δt/(1 + λΔt)`
    dt: f64,
    /// Parameters, as a factor.
    parameters: f64,
    /// `L(wⁿ)` and `L(wⁿ⁺¹)`, where they are needed.
    pub(super) loss: f64,
    pub(super) next_loss: f64,
    /// D
    dissipation: f64,
    /// The energy E of what storing w may have rounded.
    rounding: f64,
    /// What that can do to D.
    slack: f64,
    /// `Δt λ_max(J A Jᵀ)`
    stiffness: f64,
    /// Relative residual of the iteration that solved the system.
    tolerance: f64,
    /// True if the step solved a system.
    solves: bool,
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
    fn dissipation_error(&self) -> f64 {
        let floor = self.tiny + self.parameters * self.spacing * (self.dt + 1.0 / self.dt);
        self.growth * self.epsilon * self.dissipation + self.slack + floor
    }

    /// What rounding of `ρ` and of the step length, below the normal range, does to ρ.
    fn underflow(&self) -> f64 {
        self.spacing * (2.0 + 1.0 / self.dt)
    }

    /// `D = W ρ (1 − ρ)`; where ρ is lost in underflow, `D ≤ W/4`. Returns the tolerance.
    fn scalar(&self, weight: f64, rho: f64, rho_error: f64, verdict: &mut Verdict) -> f64 {
        let tolerance = weight * rho_error.min(0.25) + self.dissipation_error();
        let deviation = if rho_error < 0.25 {
            (self.dissipation - weight * rho * (1.0 - rho)).abs()
        } else {
            self.dissipation - 0.25 * weight
        };
        verdict.expect(Check::Identity, deviation, tolerance);
        tolerance
    }

    /// The quotient ρ of two rounded numbers, and its error.
    fn quotient(&self, next: f64, value: f64) -> (f64, f64) {
        let rho = if value == 0.0 { 0.0 } else { next / value };
        let lost = self.spacing / value; // ∞ or NaN at 0
        let error = 2.0 * self.epsilon * rho + self.underflow() + lost;
        (rho, if value == 0.0 { 1.0 } else { error })
    }

    /// A loss that the scheme reports.
    pub(super) fn check_loss<T: Float>(&self, reported: T, verdict: &mut Verdict) {
        let deviation = (reported.to_f64() - self.loss).abs();
        verdict.expect(Check::Loss, deviation, self.growth * self.epsilon * self.loss.abs());
    }

    /// A squared norm that must be twice the loss.
    fn check_definition(&self, q_sq: f64, expected: f64, verdict: &mut Verdict) {
        let tolerance = self.growth * self.epsilon * expected + self.tiny;
        verdict.expect(Check::Definition, (q_sq - expected).abs(), tolerance);
    }

    /// The laws of the schemes that are bound by their auxiliary variable alone.
    pub(super) fn check<T: Float>(
        &self,
        law: &Law<T>,
        auxiliary: &Auxiliary<T>,
        verdict: &mut Verdict,
    ) {
        let eta = law.eta.map(T::to_f64);
        let [value, predicted, next] =
            [auxiliary.value, auxiliary.predicted, auxiliary.next].map(T::to_f64);
        match law.identity {
            Identity::None(_) => {}
            Identity::Sav { c, coupling } => {
                let c = c.to_f64();
                let weight = match coupling {
                    Coupling::Ratio => 2.0 * (self.loss + c),
                    Coupling::Consistent => 2.0 * value * value,
                };
                let (rho, rho_error) = self.quotient(predicted, value);
                let tolerance = self.scalar(weight, rho, rho_error, verdict);
                let energies = [value, predicted, next].map(|r| r * r);
                let relaxed = eta.map(|eta| (eta, self.next_loss + c, self.dissipation));
                self.check_next(energies, relaxed, tolerance, verdict);
            }
            Identity::ExpSav { coupling } => {
                let distance = match coupling {
                    Coupling::Consistent if value < self.loss => self.loss - value,
                    _ => 0.0,
                };
                let kappa = Float::exp(-distance);
                let rho = Float::exp(predicted - value);
                let log_error = self.epsilon * (value.abs() + predicted.abs() + 4.0);
                let kappa_error = self.epsilon * (distance + self.loss.abs()) * (1.0 - rho);
                let rho_error = rho * (log_error + kappa_error) + self.underflow();
                let tolerance = self.scalar(kappa, rho, rho_error, verdict) + log_error;
                let relaxed = eta.map(|eta| (eta, self.next_loss, self.dissipation));
                self.check_next([value, predicted, next], relaxed, tolerance, verdict);
            }
            Identity::IeqAdaptive { epsilon, memory, .. } => {
                let q_sq = value * value;
                if memory == Memory::Fresh {
                    self.check_definition(q_sq, 2.0 * self.loss, verdict);
                }
                let weight = q_sq + epsilon.to_f64();
                let (rho, rho_error) = self.quotient(predicted, value);
                let tolerance = self.scalar(weight, rho, rho_error, verdict);
                let theta = if weight > 0.0 { q_sq / weight } else { 0.0 };
                let energies = [value, predicted, next].map(|q| 0.5 * q * q);
                let relaxed = eta.map(|eta| (eta, self.next_loss, theta * self.dissipation));
                self.check_next(energies, relaxed, tolerance, verdict);
            }
            Identity::IeqFull { residual, .. } => {
                let energies = [value, predicted, next].map(|q| 0.5 * q * q);
                let [energy, energy_predicted, _] = energies;
                let balance = energy_predicted + 0.5 * auxiliary.change_sq.to_f64() - energy;
                let tolerance = self.full_error(value, predicted) + self.dissipation_error();
                verdict.expect(Check::Identity, (balance + self.dissipation).abs(), tolerance);
                let squared = residual.is_some_and(Residual::squares_to_loss);
                let ideal = if squared { self.next_loss } else { f64::INFINITY };
                let relaxed = eta.map(|eta| (eta, ideal, self.dissipation));
                self.check_next(energies, relaxed, tolerance, verdict);
            }
        }
    }

    /// The energies before, predicted and after. Unrelaxed, the variable is what the recursion made
    /// of it; relaxed, with η, the energy of the definition and the dissipation that counts, it is
    /// the lower of the definition and of `Ẽ + ηD`.
    fn check_next(
        &self,
        [energy, predicted, next]: [f64; 3],
        relaxed: Option<(f64, f64, f64)>,
        tolerance: f64,
        verdict: &mut Verdict,
    ) {
        let rounding = self.growth * self.epsilon * (energy.abs() + next.abs());
        let tolerance = tolerance + rounding;
        let Some((eta, ideal, dissipation)) = relaxed else {
            // A product with ρ ≤ 1 cannot grow; only the norm of a solution has rounding.
            let tolerance = if self.solves { tolerance } else { 0.0 };
            verdict.expect(Check::Growth, predicted - energy, tolerance);
            verdict.expect(Check::Growth, (next - predicted).abs(), 0.0);
            return;
        };
        let most = energy - (1.0 - eta) * dissipation;
        verdict.expect(Check::Dissipation, next - most, tolerance);
        let bound = predicted + eta * dissipation;
        if !ideal.is_finite() {
            verdict.expect(Check::Closeness, next - bound, tolerance);
            return;
        }
        let closest = if ideal <= bound { ideal } else { bound };
        // A vector is found on the way from the definition, and rounded on its scale.
        let vector = self.growth * self.epsilon * Float::sqrt((ideal * next).abs());
        verdict.expect(Check::Closeness, (next - closest).abs(), tolerance + vector);
    }

    /// How exactly the identity of full IEQ can hold: the system is solved, and its matrix formed,
    /// with a relative error of ε times its condition; w is rounded on storing.
    fn full_error(&self, norm: f64, predicted: f64) -> f64 {
        let norm = norm.max(predicted);
        let solved = norm + self.stiffness * predicted;
        let moved = Float::sqrt(self.stiffness * self.dissipation);
        let stored = Float::sqrt(self.stiffness * self.rounding);
        norm * (self.growth * self.epsilon * (solved + moved) + self.tolerance * norm + stored)
    }

    /// Full IEQ with fresh q, from the vectors alone: `⟨q, JΔw⟩ + ‖JΔw‖² + D = 0`.
    pub(super) fn check_linearised<T, O>(
        &self,
        [before, after]: [&[T]; 2],
        work: &mut [T],
        auxiliary: &Auxiliary<T>,
        objective: &mut O,
        verdict: &mut Verdict,
    ) -> Result<(), Error>
    where
        T: Float,
        O: Residuals<T> + ?Sized,
    {
        let entries = objective.residual_len();
        let (needed, got) = (before.len() + 2 * entries, work.len());
        let short = Error::Length { what: Buffer::Backup, needed, got };
        let (step, work) = work.split_at_mut_checked(before.len()).ok_or(short)?;
        let (q, image) = work.split_at_mut_checked(entries).ok_or(short)?;
        let image = image.get_mut(..entries).ok_or(short)?;
        for (step, (&before, &after)) in step.iter_mut().zip(before.iter().zip(after)) {
            *step = after - before;
        }
        objective.linearise(before, q)?;
        objective.push_forward(before, step, image)?;
        let (mut q_sq, mut predicted_sq, mut balance) = (0.0, 0.0, 0.0);
        for (q, image) in q.iter().zip(image.iter()) {
            let (q, image) = (q.to_f64(), image.to_f64());
            q_sq += q * q;
            predicted_sq += (q + image) * (q + image);
            balance += image * (q + image);
        }
        let value = auxiliary.value.to_f64();
        self.check_definition(value * value, q_sq, verdict);
        let predicted = Float::sqrt(predicted_sq).max(auxiliary.predicted.to_f64());
        let error = self.full_error(Float::sqrt(q_sq), predicted);
        let tolerance = error + self.stiffness * self.rounding + self.dissipation_error();
        verdict.expect(Check::Identity, (balance + self.dissipation).abs(), tolerance);
        Ok(())
    }

    /// Control accepted the step: the energy, before and after, has fallen.
    pub(super) fn check_descent(&self, [before, after]: [f64; 2], verdict: &mut Verdict) {
        let tolerance = self.growth * self.epsilon * before;
        verdict.expect(Check::Descent, after - before, tolerance);
    }
}
