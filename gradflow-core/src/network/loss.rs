//! Losses: means over the batch, and their derivatives in the network's outputs.

use super::samples::{Batch, Targets};
use super::scratch::PIECE;
use crate::error::Error;
use crate::float::{Float, Math};
use crate::linalg::Matrix as _;

/// What training minimises: a mean over the batch of `n` samples with `k` outputs each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// `Σ (f − y)² / (n k)`, without ½.
    Mse,
    /// `Σ (ln Σⱼ exp fⱼ − f_y) / n`, the softmax cross-entropy.
    CrossEntropy,
    /// `Σ (softmax f − y)² / (n k)`, the Brier score.
    Brier,
}

impl Loss {
    /// True if targets are class labels.
    #[must_use]
    pub const fn classifies(self) -> bool {
        matches!(self, Self::CrossEntropy | Self::Brier)
    }

    /// Refuses targets of another kind, and classes for one output.
    pub(super) const fn check<T>(self, targets: &Targets<'_, T>, k: usize) -> Result<(), Error> {
        Err(Error::Unsupported(match targets {
            Targets::Values(_) if self.classifies() => "this loss needs class labels as targets",
            Targets::Labels(_) if !self.classifies() => {
                "the mean squared error needs numbers as targets"
            }
            Targets::Labels(_) if k < 2 => "classes need a network with at least two outputs",
            _ => return Ok(()),
        }))
    }

    /// What the sum over the samples is divided by.
    #[inline(always)]
    pub(super) fn divisor<T: Float>(self, samples: usize, outputs: usize) -> T {
        match self {
            Self::Mse | Self::Brier => T::from_usize(samples * outputs),
            Self::CrossEntropy => T::from_usize(samples),
        }
    }

    /// The shares of a piece's samples. `f` has their outputs, one row each, and is overwritten.
    ///
    /// # Errors
    /// A label that is no class.
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    pub(super) fn values<T: Float, M: Math<T>>(
        self,
        f: &mut [T],
        piece: &PieceTargets<'_, T>,
    ) -> Result<[T; PIECE], Error> {
        let mut values = self.exponentiate::<T, M>(f, piece)?;
        let rows = f.rows_mut(piece.outputs).zip(piece.targets());
        for ((f, target), value) in rows.zip(&mut values) {
            *value = self.value::<T, M>(f, target?, *value);
        }
        Ok(values)
    }

    /// Adds the shares of a piece's samples to the sum, one after the other, and replaces `f` by `factor`
    /// times their derivatives in it.
    ///
    /// # Errors
    /// As [`values`](Self::values).
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    pub(super) fn add_deltas<T: Float, M: Math<T>>(
        self,
        f: &mut [T],
        piece: &PieceTargets<'_, T>,
        factor: T,
        sum: &mut T,
    ) -> Result<(), Error> {
        let logits = self.exponentiate::<T, M>(f, piece)?;
        for ((f, target), logit) in f.rows_mut(piece.outputs).zip(piece.targets()).zip(logits) {
            *sum += self.delta::<T, M>(f, target?, logit, factor);
        }
        match self {
            Self::Mse => scale(f, T::TWO * factor),
            Self::CrossEntropy => scale(f, factor),
            Self::Brier => {} // the factor comes first
        }
        Ok(())
    }

    /// If targets are classes, replaces each row of `f` by `exp(f − largest)`, all rows side by side.
    /// Returns each sample's `f_y − largest`.
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    fn exponentiate<T: Float, M: Math<T>>(
        self,
        f: &mut [T],
        piece: &PieceTargets<'_, T>,
    ) -> Result<[T; PIECE], Error> {
        let mut logits = [T::ZERO; PIECE];
        if !self.classifies() {
            return Ok(logits);
        }
        let rows = f.rows_mut(piece.outputs).zip(piece.targets());
        for ((f, target), logit) in rows.zip(&mut logits) {
            subtract_largest(f);
            *logit = target?.of(f);
        }
        M::exp_each(f);
        Ok(logits)
    }

    /// One sample's share of the sum, after [`exponentiate`](Self::exponentiate).
    #[inline(always)]
    fn value<T: Float, M: Math<T>>(self, f: &mut [T], target: Target<'_, T>, logit: T) -> T {
        match self {
            Self::Mse => target.differences(f).fold(T::ZERO, |sum, e| sum + e * e),
            Self::CrossEntropy => M::ln(total(f)) - logit,
            Self::Brier => {
                normalise(f);
                target.differences(f).fold(T::ZERO, |sum, e| sum + e * e)
            }
        }
    }

    /// The same; `f` is replaced by what [`add_deltas`](Self::add_deltas) is to return, but for a factor
    /// that comes last and so is left to it.
    #[inline(always)]
    fn delta<T: Float, M: Math<T>>(
        self,
        f: &mut [T],
        target: Target<'_, T>,
        logit: T,
        factor: T,
    ) -> T {
        match self {
            Self::Mse => {
                target.subtract_from(f);
                f.iter().fold(T::ZERO, |sum, &e| sum + e * e)
            }
            Self::CrossEntropy => {
                let total = normalise(f);
                target.subtract_from(f);
                M::ln(total) - logit
            }
            Self::Brier => {
                normalise(f);
                let mut sum = T::ZERO;
                let mut along = T::ZERO; // pᵀ(p − y)
                for (p, e) in f.iter().zip(target.differences(f)) {
                    sum += e * e;
                    along += *p * e;
                }
                for (j, p) in f.iter_mut().enumerate() {
                    *p = T::TWO * factor * *p * (*p - target.entry(j) - along);
                }
                sum
            }
        }
    }
}

fn scale<T: Float>(f: &mut [T], factor: T) {
    for f in f {
        *f *= factor;
    }
}

/// `f ← f − largest`, so that no exponential overflows.
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
#[cfg_attr(target_arch = "wasm32", inline(never))]
fn subtract_largest<T: Float>(f: &mut [T]) {
    let top = f.iter().fold(-T::INFINITY, |top, &f| if f > top { f } else { top });
    for f in f {
        *f -= top;
    }
}

#[inline(always)]
fn total<T: Float>(f: &[T]) -> T {
    f.iter().fold(T::ZERO, |total, &f| total + f)
}

/// Divides `f` by its sum, which is returned.
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
#[cfg_attr(target_arch = "wasm32", inline(never))]
fn normalise<T: Float>(f: &mut [T]) -> T {
    let total = total(f);
    for f in f {
        *f /= total;
    }
    total
}

/// Replaces one sample's outputs by their softmax.
#[inline(always)]
pub(super) fn softmax<T: Float, M: Math<T>>(f: &mut [T]) {
    subtract_largest(f);
    M::exp_each(f);
    normalise(f);
}

/// What the outputs of a piece of a batch are compared with.
pub(super) struct PieceTargets<'a, T> {
    pub(super) batch: Batch<'a, T>,
    /// The piece's first sample.
    pub(super) start: usize,
    pub(super) outputs: usize,
}

impl<'a, T: Float> PieceTargets<'a, T> {
    /// Those of all samples from the first one on.
    #[inline(always)]
    fn targets(&self) -> impl Iterator<Item = Result<Target<'a, T>, Error>> {
        (self.start..).map(|i| Target::at(&self.batch, i, self.outputs))
    }
}

/// What one sample's outputs are compared with.
#[derive(Clone, Copy)]
pub(super) enum Target<'a, T> {
    Values(&'a [T]),
    Label(usize),
}

impl<'a, T: Float> Target<'a, T> {
    /// The target of a batch's sample `i`.
    #[inline(always)]
    pub(super) fn at(batch: &Batch<'a, T>, i: usize, outputs: usize) -> Result<Self, Error> {
        let sample = batch.sample(i);
        match batch.samples.targets {
            Targets::Values(y) => {
                let y = y.get(sample * outputs..(sample + 1) * outputs);
                Ok(Self::Values(y.unwrap_or_default()))
            }
            Targets::Labels(y) => {
                let label = y.get(sample).map_or(usize::MAX, |&label| usize::from(label));
                if label < outputs {
                    Ok(Self::Label(label))
                } else {
                    Err(Error::Label { sample, label, classes: outputs })
                }
            }
        }
    }

    /// Entry `j` of the target; of a label, 1 at its class and 0 elsewhere.
    #[inline(always)]
    pub(super) fn entry(&self, j: usize) -> T {
        match *self {
            Self::Values(y) => y.get(j).copied().unwrap_or_default(),
            Self::Label(label) if label == j => T::ONE,
            Self::Label(_) => T::ZERO,
        }
    }

    /// `f − y`, entry by entry.
    #[inline(always)]
    pub(super) fn differences(self, f: &[T]) -> impl Iterator<Item = T> {
        f.iter().enumerate().map(move |(j, &f)| f - self.entry(j))
    }

    #[inline(always)]
    pub(super) fn subtract_from(&self, f: &mut [T]) {
        match *self {
            Self::Values(y) => {
                for (f, &y) in f.iter_mut().zip(y) {
                    *f -= y;
                }
            }
            Self::Label(label) => {
                if let Some(f) = f.get_mut(label) {
                    *f -= T::ONE;
                }
            }
        }
    }

    /// The output that belongs to the label.
    #[inline(always)]
    fn of(&self, f: &[T]) -> T {
        match *self {
            Self::Values(_) => T::ZERO,
            Self::Label(label) => f.get(label).copied().unwrap_or_default(),
        }
    }
}
