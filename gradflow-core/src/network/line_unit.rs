//! A hidden unit of a network with one input and one output, at a block of samples.

use core::hint::select_unpredictable;

use super::Layers;
use crate::float::Float;

/// Whether kernels are written for vector registers. Without them fewer sums at a time are faster
/// and smaller; the bits are the same.
pub(super) const VECTORS: bool = !cfg!(target_os = "none");

/// One hidden unit: `a relu(w x + b)`.
#[derive(Clone, Copy)]
pub(super) struct Unit<T> {
    pub(super) w: T,
    pub(super) b: T,
    pub(super) a: T,
}

impl<T: Float> Unit<T> {
    #[inline(always)]
    pub(super) fn hidden(self, x: T) -> T {
        let z = x * self.w + self.b;
        if z > T::ZERO { z } else { T::ZERO }
    }

    #[inline(always)]
    fn is_active(self, x: T) -> bool {
        x * self.w + self.b > T::ZERO
    }

    /// What the ends of a block tell: between them `w x + b` is monotone, rounding included.
    #[inline(always)]
    pub(super) fn activity<const N: usize>(self, x: &[T; N], ascending: bool) -> Activity {
        let (true, Some(&first), Some(&last)) = (ascending, x.first(), x.last()) else {
            return Activity::Unknown;
        };
        match (self.is_active(first), self.is_active(last)) {
            (false, false) => Activity::Nowhere,
            (true, true) => Activity::Everywhere,
            _ => Activity::Unknown,
        }
    }

    /// Derivatives of the samples at which the unit is active, and 0.
    #[inline(always)]
    pub(super) fn mask<const N: usize>(self, x: &[T; N], delta: &[T; N]) -> [T; N] {
        let mut masked = *delta;
        for (delta, &x) in masked.iter_mut().zip(x) {
            let active = self.is_active(x);
            *delta = if VECTORS {
                // Else the compiler makes a jump of it, sample by sample.
                select_unpredictable(active, *delta, T::ZERO)
            } else if active {
                *delta
            } else {
                T::ZERO
            };
        }
        masked
    }
}

/// At which samples of a block a unit is active. Leaving out what adds zero changes no bit.
#[derive(Clone, Copy)]
pub(super) enum Activity {
    Nowhere,
    Everywhere,
    Unknown,
}

/// The hidden units of a network, in their order.
#[inline(always)]
pub(super) fn units<'w, T: Float>(
    m: usize,
    layers: &Layers<'w, T>,
) -> impl Iterator<Item = Unit<T>> + 'w {
    let (weights, biases) = layers.hidden.split_at_checked(m).unwrap_or_default();
    let units = weights.iter().zip(biases).zip(layers.output);
    units.map(|((&w, &b), &a)| Unit { w, b, a })
}

/// `Σ a relu(w x + b)` at each of these samples; the sum runs over the units in their order.
#[inline(always)]
pub(super) fn sum_units<T: Float, const N: usize>(
    units: impl Iterator<Item = Unit<T>>,
    x: &[T; N],
    ascending: bool,
) -> [T; N] {
    let mut sums = [T::ZERO; N];
    for unit in units {
        match unit.activity(x, ascending) {
            Activity::Nowhere => {}
            Activity::Everywhere => {
                for (sum, &x) in sums.iter_mut().zip(x) {
                    *sum += unit.a * (x * unit.w + unit.b);
                }
            }
            Activity::Unknown => {
                for (sum, &x) in sums.iter_mut().zip(x) {
                    *sum += unit.a * unit.hidden(x);
                }
            }
        }
    }
    sums
}
