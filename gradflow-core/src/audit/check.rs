//! The checks of one step, in f64: rounding of the audit itself must not hide the scheme's.

use super::facts::Facts;
use super::law::{Identity, Law};
use super::{Check, Violation};
use crate::error::{Buffer, Error};
use crate::float::Float;
use crate::linalg::norm_sq;
use crate::network::Residual;
use crate::objective::Residuals;
use crate::scheme::{Auxiliary, Coupling, Memory};

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

/// The modified energy along a step.
#[derive(Clone, Copy, Debug)]
struct Energies {
    /// On entering, predicted by the recursion, after the step.
    along: [f64; 3],
    /// By definition at `wⁿ⁺¹`; ∞ where it is not known.
    ideal: f64,
    /// The dissipation that the law accounts for.
    dissipation: f64,
    /// How exactly the identity can hold.
    tolerance: f64,
}

impl Facts {
    /// `D = W ρ (1 − ρ)`; where ρ is lost in underflow, `D ≤ W/4`. Returns the tolerance.
    fn scalar(&self, weight: f64, (rho, rho_error): (f64, f64), verdict: &mut Verdict) -> f64 {
        let tolerance = weight * rho_error.min(0.25) + self.dissipation_error();
        let deviation = if rho_error < 0.25 {
            (self.dissipation - weight * rho * (1.0 - rho)).abs()
        } else {
            self.dissipation - 0.25 * weight
        };
        verdict.expect(Check::Identity, deviation, tolerance);
        tolerance
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

    /// What the auxiliary variable's values on entering, predicted and after the step must satisfy.
    pub(super) fn check<T: Float>(
        &self,
        law: &Law<T>,
        auxiliary: &Auxiliary<T>,
        verdict: &mut Verdict,
    ) {
        let values = [auxiliary.value, auxiliary.predicted, auxiliary.next].map(T::to_f64);
        let change_sq = auxiliary.change_sq.to_f64();
        let energies = match law.identity {
            Identity::None(_) => return,
            Identity::Sav { c, coupling } => self.sav(c.to_f64(), coupling, values, verdict),
            Identity::ExpSav { coupling } => self.exp_sav(coupling, values, verdict),
            Identity::IeqAdaptive { epsilon, memory, .. } => {
                self.ieq_adaptive(epsilon.to_f64(), memory, values, verdict)
            }
            Identity::IeqFull { residual, .. } => {
                self.ieq_full(residual, change_sq, values, verdict)
            }
        };
        match law.eta {
            Some(eta) => self.check_relaxed(&energies, eta.to_f64(), verdict),
            None => self.check_unrelaxed(&energies, verdict),
        }
    }

    fn sav(&self, c: f64, coupling: Coupling, values: [f64; 3], verdict: &mut Verdict) -> Energies {
        let [r, predicted, _] = values;
        let weight = match coupling {
            Coupling::Ratio => 2.0 * (self.loss + c),
            Coupling::Consistent => 2.0 * r * r,
        };
        let tolerance = self.scalar(weight, self.quotient(predicted, r), verdict);
        let ideal = self.next_loss + c;
        Energies { along: values.map(|r| r * r), ideal, dissipation: self.dissipation, tolerance }
    }

    fn exp_sav(&self, coupling: Coupling, along: [f64; 3], verdict: &mut Verdict) -> Energies {
        let [log_r, predicted, _] = along;
        let distance = match coupling {
            Coupling::Consistent if log_r < self.loss => self.loss - log_r,
            _ => 0.0,
        };
        let rho = Float::exp(predicted - log_r);
        let log_error = self.epsilon * (log_r.abs() + predicted.abs() + 4.0);
        let kappa_error = self.epsilon * (distance + self.loss.abs()) * (1.0 - rho);
        let rho_error = rho * (log_error + kappa_error) + self.underflow();
        let kappa = Float::exp(-distance);
        let tolerance = self.scalar(kappa, (rho, rho_error), verdict) + log_error;
        Energies { along, ideal: self.next_loss, dissipation: self.dissipation, tolerance }
    }

    fn ieq_adaptive(
        &self,
        epsilon: f64,
        memory: Memory,
        values: [f64; 3],
        verdict: &mut Verdict,
    ) -> Energies {
        let [q, predicted, _] = values;
        let q_sq = q * q;
        if memory == Memory::Fresh {
            self.check_definition(q_sq, 2.0 * self.loss, verdict);
        }
        let weight = q_sq + epsilon;
        let tolerance = self.scalar(weight, self.quotient(predicted, q), verdict);
        let theta = if weight > 0.0 { q_sq / weight } else { 0.0 };
        let dissipation = theta * self.dissipation;
        let along = values.map(|q| 0.5 * q * q);
        Energies { along, ideal: self.next_loss, dissipation, tolerance }
    }

    fn ieq_full(
        &self,
        residual: Option<Residual>,
        change_sq: f64,
        values: [f64; 3],
        verdict: &mut Verdict,
    ) -> Energies {
        let along = values.map(|q| 0.5 * q * q);
        let ([energy, energy_predicted, _], [norm, predicted, _]) = (along, values);
        let balance = energy_predicted + 0.5 * change_sq - energy;
        let tolerance = self.full_error(norm, predicted) + self.dissipation_error();
        verdict.expect(Check::Identity, (balance + self.dissipation).abs(), tolerance);
        let squared = residual.is_some_and(Residual::squares_to_loss);
        let ideal = if squared { self.next_loss } else { f64::INFINITY };
        Energies { along, ideal, dissipation: self.dissipation, tolerance }
    }

    /// Unrelaxed, the variable is what the recursion made of it. A product with ρ ≤ 1 cannot grow;
    /// only the norm of a solution has rounding.
    fn check_unrelaxed(&self, energies: &Energies, verdict: &mut Verdict) {
        let [energy, predicted, next] = energies.along;
        let tolerance = if self.solves { self.energy_error(energies) } else { 0.0 };
        verdict.expect(Check::Growth, predicted - energy, tolerance);
        verdict.expect(Check::Growth, (next - predicted).abs(), 0.0);
    }

    /// Relaxed, its energy is the lower of the definition's and of `Ẽ + ηD`.
    fn check_relaxed(&self, energies: &Energies, eta: f64, verdict: &mut Verdict) {
        let Energies { along: [energy, predicted, next], ideal, dissipation, .. } = *energies;
        let tolerance = self.energy_error(energies);
        let most = energy - (1.0 - eta) * dissipation;
        verdict.expect(Check::Dissipation, next - most, tolerance);
        let bound = predicted + eta * dissipation;
        if ideal.is_finite() {
            let closest = if ideal <= bound { ideal } else { bound };
            // A vector is found on the way from the definition, and rounded on its scale: by δ, which
            // changes ½‖q‖² by as much as ‖q‖δ + ½δ². Only the second counts where q is lost in δ.
            let relative = self.growth * self.epsilon;
            let vector = relative * (Float::sqrt((ideal * next).abs()) + relative * ideal.abs());
            verdict.expect(Check::Closeness, (next - closest).abs(), tolerance + vector);
        } else {
            verdict.expect(Check::Closeness, next - bound, tolerance);
        }
    }

    fn energy_error(&self, energies: &Energies) -> f64 {
        let [energy, _, next] = energies.along;
        energies.tolerance + self.growth * self.epsilon * (energy.abs() + next.abs())
    }

    /// What full IEQ with fresh q promises of the vectors.
    pub(super) fn check_vectors<T, O>(
        &self,
        law: &Law<T>,
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
        if law.linearises() {
            self.check_linearised([before, after], work, auxiliary, objective, verdict)?;
        }
        if law.is_controlled() {
            let energies = if objective.energy_is_loss() {
                [self.loss, self.next_loss]
            } else {
                [energy(before, work, objective)?, energy(after, work, objective)?]
            };
            let [before, after] = energies;
            verdict.expect(Check::Descent, after - before, self.growth * self.epsilon * before);
        }
        Ok(())
    }

    /// Full IEQ with fresh q, from the vectors alone: `⟨q, JΔw⟩ + ‖JΔw‖² + D = 0`.
    fn check_linearised<T, O>(
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
}

/// `½‖q(w)‖²`
fn energy<T, O>(w: &[T], work: &mut [T], objective: &mut O) -> Result<f64, Error>
where
    T: Float,
    O: Residuals<T> + ?Sized,
{
    let (needed, got) = (objective.residual_len(), work.len());
    let q = work.get_mut(..needed).ok_or(Error::Length { what: Buffer::Backup, needed, got })?;
    objective.linearise(w, q)?;
    Ok(0.5 * norm_sq(q).to_f64())
}
