//! Residuals that outlive a step: one for each sample and output of the whole set, unscaled, so
//! that a batch of any size reads and updates its own.

use crate::error::{Buffer, Error};
use crate::float::Float;
use crate::linalg::{Matrix as _, dot};
use crate::objective::Residuals;

/// Whether IEQ's auxiliary variable lives for a step or for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Taken from its definition in each step.
    Fresh,
    /// Carried on by the recursion from step to step and batch to batch.
    Persistent,
}

/// The place of the residuals of a vector-valued IEQ.
#[derive(Clone, Copy, Debug)]
pub enum Store<B> {
    /// Each step takes its own.
    Fresh,
    /// `samples × k` entries; [`Float::INFINITY`] marks a sample that no batch has visited.
    Persistent(B),
}

impl<B> Store<B> {
    /// Whether residuals are carried on.
    pub const fn is_persistent(&self) -> bool {
        matches!(self, Self::Persistent(_))
    }

    /// Replaces the fresh residuals of a batch by those stored, where there are any.
    pub(super) fn recall<T, O>(&self, objective: &O, q: &mut [T]) -> Result<(), Error>
    where
        T: Float,
        B: AsRef<[T]>,
        O: Residuals<T> + ?Sized,
    {
        let Self::Persistent(store) = self else { return Ok(()) };
        let (store, k, unit) = (store.as_ref(), outputs(objective), objective.unit());
        for (i, q) in q.rows_mut(k).enumerate() {
            let start = objective.sample(i).saturating_mul(k);
            let needed = start.saturating_add(k);
            let missing = Error::Length { what: Buffer::Store, needed, got: store.len() };
            let stored = store.get(start..needed).ok_or(missing)?;
            for (q, &stored) in q.iter_mut().zip(stored) {
                if stored.is_finite() {
                    *q = unit * stored;
                }
            }
        }
        Ok(())
    }

    /// Stores the residuals of a batch.
    pub(super) fn keep<T, O>(&mut self, objective: &O, q: &[T])
    where
        T: Float,
        B: AsMut<[T]>,
        O: Residuals<T> + ?Sized,
    {
        let Self::Persistent(store) = self else { return };
        let (store, k, unit) = (store.as_mut(), outputs(objective), objective.unit());
        for (i, q) in q.rows(k).enumerate() {
            let start = objective.sample(i).saturating_mul(k);
            for (stored, &q) in store.iter_mut().skip(start).zip(q) {
                *stored = q / unit;
            }
        }
    }

    pub(super) fn visit<T: Float>(&mut self, visit: &mut dyn FnMut(&'static str, &mut [T]))
    where
        B: AsMut<[T]>,
    {
        if let Self::Persistent(store) = self {
            visit("residuals", store.as_mut());
        }
    }
}

fn outputs<T: Float, O: Residuals<T> + ?Sized>(objective: &O) -> usize {
    objective.outputs().max(1)
}

/// Relaxes a vector: `q ← ξ₀ q̃ + (1 − ξ₀) q̂` with the smallest `ξ₀` for which
/// `‖q‖² ≤ M = ‖q̃‖² + e`. Overwrites `ideal`; returns `ξ₀`.
///
/// Public like the rules, for whoever keeps q in another engine. The two vectors are of one length
/// and the budget `e ≥ 0` is `2ηD`, or `2ηθD` of adaptive IEQ. Test: `laws::relaxation::law_7_vector`.
///
/// With `δ = q̃ − q̂`, `a = ‖δ‖²`, `c = ‖q̂‖² − M` the root of
/// `‖q̂ + ξδ‖² = M` is written so that nothing cancels or overflows.
pub fn relax_vector<T: Float>(predicted: &[T], ideal: &mut [T], budget: T) -> T {
    let bound = dot(predicted, predicted) + budget;
    let excess = dot(ideal, ideal) - bound;
    if excess <= T::ZERO {
        return T::ZERO;
    }
    let mut distance_sq = T::ZERO;
    for (&predicted, &ideal) in predicted.iter().zip(ideal.iter()) {
        let delta = predicted - ideal;
        distance_sq += delta * delta;
    }
    let (c, e) = (excess / distance_sq, budget / distance_sq);
    let one_less = T::ONE - c;
    let root = (one_less * one_less + T::TWO * e * (T::ONE + c) + e * e).sqrt();
    let xi = T::TWO * c / ((T::ONE + c + e) + root);
    let xi = if xi < T::ONE { xi } else { T::ONE };
    for (ideal, &predicted) in ideal.iter_mut().zip(predicted) {
        *ideal += xi * (predicted - *ideal);
    }
    let norm_sq = dot(ideal, ideal);
    if norm_sq > bound {
        let shrink = (bound / norm_sq).sqrt();
        for ideal in ideal {
            *ideal *= shrink;
        }
    }
    xi
}
