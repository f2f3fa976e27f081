//! Losses: means over the batch, and their derivatives in the network's outputs.

use super::samples::{Batch, Targets};
use crate::error::Error;
use crate::float::{Float, Math};

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

    /// What the sum over the samples is divided by.
    #[inline(always)]
    pub(super) fn divisor<T: Float>(self, samples: usize, outputs: usize) -> T {
        match self {
            Self::Mse | Self::Brier => T::from_usize(samples * outputs),
            Self::CrossEntropy => T::from_usize(samples),
        }
    }

    /// One sample's share of the sum.
    #[inline(always)]
    pub(super) fn value<T: Float, M: Math<T>>(self, f: &mut [T], target: Target<'_, T>) -> T {
        match self {
            Self::Mse => target.differences(f).fold(T::ZERO, |sum, e| sum + e * e),
            Self::CrossEntropy => {
                let f_y = target.of(f);
                let (top, total) = exponentials::<T, M>(f);
                M::ln(total) - (f_y - top)
            }
            Self::Brier => {
                softmax::<T, M>(f);
                target.differences(f).fold(T::ZERO, |sum, e| sum + e * e)
            }
        }
    }

    /// One sample's share of the sum; `f` is replaced by `factor` times its derivative in `f`.
    #[inline(always)]
    pub(super) fn delta<T: Float, M: Math<T>>(
        self,
        f: &mut [T],
        target: Target<'_, T>,
        factor: T,
    ) -> T {
        match self {
            Self::Mse => {
                target.subtract_from(f);
                let sum = f.iter().fold(T::ZERO, |sum, &e| sum + e * e);
                scale(f, T::TWO * factor);
                sum
            }
            Self::CrossEntropy => {
                let f_y = target.of(f);
                let (top, total) = softmax::<T, M>(f);
                target.subtract_from(f);
                scale(f, factor);
                M::ln(total) - (f_y - top)
            }
            Self::Brier => {
                softmax::<T, M>(f);
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

/// Replaces `f` by `exp(f − largest)`; returns the largest entry and `Σ exp(f − largest)`.
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
#[cfg_attr(target_arch = "wasm32", inline(never))]
fn exponentials<T: Float, M: Math<T>>(f: &mut [T]) -> (T, T) {
    let top = f.iter().fold(-T::INFINITY, |top, &f| if f > top { f } else { top });
    M::exp_each(f, top);
    (top, f.iter().fold(T::ZERO, |total, &f| total + f))
}

/// Replaces `f` by its softmax; returns the largest entry and `Σ exp(f − largest)`.
#[inline(always)]
pub(super) fn softmax<T: Float, M: Math<T>>(f: &mut [T]) -> (T, T) {
    let (top, total) = exponentials::<T, M>(f);
    for f in f.iter_mut() {
        *f /= total;
    }
    (top, total)
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
