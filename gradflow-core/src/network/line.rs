//! Kernels for one input and one output, with samples as vector lanes.
//!
//! Samples are padded to whole blocks of lanes by samples with no weight; sums over samples have
//! the lanes and the order of [`dot`](crate::linalg::dot). Hidden values are recomputed, not kept:
//! `h = relu(w x + b)` is cheaper than its memory.

use super::line_unit::{VECTORS, sum_units, units};
use super::samples::{Batch, Row};
use super::scratch::{LINE_ROWS, Scratch};
use super::{Inputs, Layers, TwoLayer, Vectors};
use crate::error::{Buffer, Error};
use crate::float::Float;
use crate::linalg::LANES;

/// Samples that the forward pass takes together where it does not take four blocks of lanes.
const REST: usize = if VECTORS { LANES } else { 4 };

/// The batch, gathered into the scratch: rows of padded length.
pub(super) struct Line<'s, T> {
    /// Inputs; 0 in the padding.
    pub(super) x: &'s mut [T],
    /// The outputs f, or δ: derivatives in them, times `s`, and 0 in the padding.
    pub(super) values: &'s mut [T],
    /// Inputs times δ, for [`pull_back_groups`](Self::pull_back_groups); else none.
    pub(super) products: &'s mut [T],
    /// The registers that the kernels are compiled for.
    pub(super) vectors: Vectors,
}

impl<'s, T: Float> Line<'s, T> {
    /// Cuts the scratch for a batch of `n` samples.
    pub(super) fn new(
        n: usize,
        vectors: Vectors,
        scratch: &'s mut Scratch<'_, T>,
    ) -> Result<Self, Error> {
        let padded = n.next_multiple_of(LANES);
        let got = scratch.reals.len();
        let short = Error::Length { what: Buffer::Scratch, needed: LINE_ROWS * padded, got };
        let (x, rest) = scratch.reals.split_at_mut_checked(padded).ok_or(short)?;
        let (values, rest) = rest.split_at_mut_checked(padded).ok_or(short)?;
        let products = rest.get_mut(..(LINE_ROWS - 2) * padded).ok_or(short)?;
        Ok(Self { x, values, products, vectors })
    }

    /// Copies the batch's inputs.
    pub(super) fn gather(&mut self, batch: &Batch<'_, T>) {
        self.x.fill(T::ZERO);
        if let Inputs::Dense(x) = batch.samples.inputs {
            return batch.gather(x, self.x, |place, x| *place = x);
        }
        for (i, x) in self.x.iter_mut().enumerate().take(batch.len()) {
            *x = match batch.samples.row(batch.sample(i), 1) {
                Row::Dense(row) | Row::Sparse(_, row) => row.first().copied().unwrap_or_default(),
                #[cfg(feature = "wide")]
                Row::Levels(row) => row.terms().next().unwrap_or_default().1,
            };
        }
    }

    /// `f = s Σ a relu(w x + b) + c` at each sample; the sum runs over the units in their order.
    #[cfg_attr(any(target_os = "none", target_arch = "wasm32"), inline(never))]
    #[cfg_attr(not(any(target_os = "none", target_arch = "wasm32")), inline(always))]
    pub(super) fn respond(&mut self, network: &TwoLayer<T>, layers: &Layers<'_, T>) {
        let bias = layers.output_bias.first().copied().unwrap_or_default();
        let ascending = self.ascends();
        // How many samples go together changes no bit: as many as registers hold their sums.
        let (x_rest, f_rest) = if VECTORS {
            let (x, x_rest) = self.x.as_chunks::<{ 4 * LANES }>();
            let (f, f_rest) = self.values.as_chunks_mut::<{ 4 * LANES }>();
            for (x, f) in x.iter().zip(f) {
                *f = sum_units(units(network.hidden, layers), x, false);
            }
            (x_rest, f_rest)
        } else {
            (&*self.x, &mut *self.values)
        };
        let (x, _) = x_rest.as_chunks::<REST>();
        let (f, _) = f_rest.as_chunks_mut::<REST>();
        for (x, f) in x.iter().zip(f) {
            *f = sum_units(units(network.hidden, layers), x, ascending);
        }
        for f in self.values.iter_mut() {
            *f = network.scale * *f + bias;
        }
    }

    /// True if that may save time and the inputs ascend, padding included.
    #[inline(always)]
    pub(super) fn ascends(&self) -> bool {
        !VECTORS && self.x.iter().zip(self.x.iter().skip(1)).all(|(x, next)| x <= next)
    }

    /// `J_f v` at the first `image.len()` samples.
    pub(super) fn push_forward(
        &self,
        network: &TwoLayer<T>,
        layers: &Layers<'_, T>,
        v: &Layers<'_, T>,
        image: &mut [T],
    ) {
        image.fill(T::ZERO);
        let directions = units(network.hidden, v);
        for (unit, v) in units(network.hidden, layers).zip(directions) {
            for (image, &x) in image.iter_mut().zip(self.x.iter()) {
                let h = unit.hidden(x);
                if h > T::ZERO {
                    *image += unit.a * (x * v.w + v.b) + h * v.a;
                }
            }
        }
        let bias = v.output_bias.first().copied().unwrap_or_default();
        for image in image {
            *image = network.scale * *image + bias;
        }
    }
}
