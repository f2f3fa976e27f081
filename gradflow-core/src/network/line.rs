//! Kernels for one input and one output, with samples as vector lanes.
//!
//! Samples are padded to whole blocks of lanes by samples with no weight; sums over samples have
//! the lanes and the order of [`dot`](crate::linalg::dot). Hidden values are recomputed, not kept:
//! `h = relu(w x + b)` is cheaper than its memory.

use super::samples::{Batch, Row};
use super::scratch::Scratch;
use super::{Layers, LayersMut, TwoLayer};
use crate::error::{Buffer, Error, Quantity};
use crate::float::Float;
use crate::linalg::{LANES, Lanes, Packed};

/// The batch, gathered into the scratch: three rows of padded length.
pub(super) struct Line<'s, T> {
    /// Inputs; 0 in the padding.
    pub(super) x: &'s mut [T],
    /// Outputs.
    pub(super) f: &'s mut [T],
    /// Derivatives in the outputs, times `s`; 0 in the padding.
    pub(super) delta: &'s mut [T],
}

/// One hidden unit: `a relu(w x + b)`.
#[derive(Clone, Copy)]
pub(super) struct Unit<T> {
    pub(super) w: T,
    pub(super) b: T,
    pub(super) a: T,
}

impl<T: Float> Unit<T> {
    #[inline(always)]
    fn hidden(self, x: T) -> T {
        let z = x * self.w + self.b;
        if z > T::ZERO { z } else { T::ZERO }
    }
}

#[inline(always)]
pub(super) fn units<'w, T: Float>(
    m: usize,
    layers: &Layers<'w, T>,
) -> impl Iterator<Item = Unit<T>> + 'w {
    let (weights, biases) = layers.hidden.split_at_checked(m).unwrap_or_default();
    let units = weights.iter().zip(biases).zip(layers.output);
    units.map(|((&w, &b), &a)| Unit { w, b, a })
}

impl<'s, T: Float> Line<'s, T> {
    /// Cuts the scratch for a batch of `n` samples.
    pub(super) fn new(n: usize, scratch: &'s mut Scratch<'_, T>) -> Result<Self, Error> {
        let padded = n.next_multiple_of(LANES);
        let got = scratch.reals.len();
        let short = Error::Length { what: Buffer::Scratch, needed: 3 * padded, got };
        let (x, rest) = scratch.reals.split_at_mut_checked(padded).ok_or(short)?;
        let (f, rest) = rest.split_at_mut_checked(padded).ok_or(short)?;
        let delta = rest.get_mut(..padded).ok_or(short)?;
        Ok(Self { x, f, delta })
    }

    /// Copies the batch's inputs.
    pub(super) fn gather(&mut self, batch: &Batch<'_, T>) {
        self.x.fill(T::ZERO);
        for (i, x) in self.x.iter_mut().enumerate().take(batch.len()) {
            let (Row::Dense(row) | Row::Sparse(_, row)) = batch.samples.row(batch.sample(i), 1);
            *x = row.first().copied().unwrap_or_default();
        }
    }

    /// `f = s Σ a relu(w x + b) + c` at each sample; the sum runs over the units in their order.
    #[inline(always)]
    pub(super) fn respond(&mut self, network: &TwoLayer<T>, layers: &Layers<'_, T>) {
        let bias = layers.output_bias.first().copied().unwrap_or_default();
        let finish = |sum: T| network.scale * sum + bias;
        let (x, x_rest) = self.x.as_chunks::<{ 4 * LANES }>();
        let (f, f_rest) = self.f.as_chunks_mut::<{ 4 * LANES }>();
        for (x, f) in x.iter().zip(f) {
            *f = sum_units(units(network.hidden, layers), x).map(finish);
        }
        let (x, _) = x_rest.as_chunks::<LANES>();
        let (f, _) = f_rest.as_chunks_mut::<LANES>();
        for (x, f) in x.iter().zip(f) {
            *f = sum_units(units(network.hidden, layers), x).map(finish);
        }
    }

    /// The gradient, from `delta`: overwrites every entry.
    #[inline(always)]
    pub(super) fn pull_back(
        &self,
        network: &TwoLayer<T>,
        layers: &Layers<'_, T>,
        out: LayersMut<'_, T>,
    ) {
        let (weights, biases) = out.hidden.split_at_mut_checked(network.hidden).unwrap_or_default();
        let places = weights.iter_mut().zip(biases).zip(out.output);
        for (unit, ((w, b), a)) in units(network.hidden, layers).zip(places) {
            [*w, *b, *a] = self.unit_gradient(unit);
        }
        if let Some(bias) = out.output_bias.first_mut() {
            *bias = self.bias_gradient(network);
        }
    }

    /// `‖Jᵀ u‖²` for the `u` in `delta`, without a vector of that length.
    #[inline(always)]
    pub(super) fn pull_back_norm_sq(&self, network: &TwoLayer<T>, layers: &Layers<'_, T>) -> T {
        let mut sum = T::ZERO;
        for unit in units(network.hidden, layers) {
            let [w, b, a] = self.unit_gradient(unit);
            sum += w * w + b * b + a * a;
        }
        if network.output_bias {
            let bias = self.bias_gradient(network);
            sum += bias * bias;
        }
        sum
    }

    /// `w ← w − length · Jᵀ u` for the `u` in `delta`, unit by unit; returns `‖Δw‖²`.
    #[inline(always)]
    pub(super) fn descend(
        &self,
        network: &TwoLayer<T>,
        w: &mut [T],
        length: T,
    ) -> Result<T, Error> {
        self.check_reach(network, &network.layers(w)?, length)?;
        let layers = network.layers_mut(w)?;
        let (weights, biases) =
            layers.hidden.split_at_mut_checked(network.hidden).unwrap_or_default();
        let mut moved_sq = T::ZERO;
        for ((w, b), a) in weights.iter_mut().zip(biases).zip(layers.output) {
            let gradient = self.unit_gradient(Unit { w: *w, b: *b, a: *a });
            for (parameter, slope) in [w, b, a].into_iter().zip(gradient) {
                let step = length * slope;
                *parameter -= step;
                moved_sq += step * step;
            }
        }
        if let Some(bias) = layers.output_bias.first_mut() {
            let step = length * self.bias_gradient(network);
            *bias -= step;
            moved_sq += step * step;
        }
        Ok(moved_sq)
    }

    /// Refuses a step that could overflow, before a parameter is written. No entry of `Jᵀ u`
    /// exceeds `slope`: `Σ|δ| max(|a|, |h|) max(1, |x|)` for a unit's, `Σ|δ| / |s|` for the output
    /// bias's. So `p (length · slope)²` bounds `‖Δw‖²`, and where that is finite each parameter is.
    fn check_reach(
        &self,
        network: &TwoLayer<T>,
        layers: &Layers<'_, T>,
        length: T,
    ) -> Result<(), Error> {
        let largest =
            |x: &[T]| x.iter().fold(T::ONE, |top, x| if x.abs() > top { x.abs() } else { top });
        let (x, hidden, output) = (largest(self.x), largest(layers.hidden), largest(layers.output));
        let total = self.delta.iter().fold(T::ZERO, |sum, d| sum + d.abs());
        let bias = T::ONE / network.scale.abs();
        let slope = total * x * (output + hidden * (x + T::ONE) + bias);
        let reach = length * slope;
        if (reach * reach * T::from_usize(network.parameters())).is_finite() {
            Ok(())
        } else {
            Err(Error::NotFinite { what: Quantity::Update })
        }
    }

    /// Derivatives in `w`, `b` and `a` of one unit. `Σ δ h` over the active samples is written as
    /// `w Σ δ x + b Σ δ`.
    #[inline(always)]
    fn unit_gradient(&self, unit: Unit<T>) -> [T; 3] {
        let (x, _) = self.x.as_chunks::<LANES>();
        let (delta, _) = self.delta.as_chunks::<LANES>();
        let mut along_x = Lanes::ZERO;
        let mut along_one = Lanes::ZERO;
        for (x, delta) in x.iter().zip(delta) {
            let lanes = along_x.0.iter_mut().zip(&mut along_one.0);
            for ((sum_x, sum_one), (&x, &delta)) in lanes.zip(x.iter().zip(delta)) {
                let delta = if x * unit.w + unit.b > T::ZERO { delta } else { T::ZERO };
                *sum_x += delta * x;
                *sum_one += delta;
            }
        }
        let (sum_x, sum_one) = (along_x.total(), along_one.total());
        [unit.a * sum_x, unit.a * sum_one, unit.w * sum_x + unit.b * sum_one]
    }

    /// Derivative in the output bias, which the output scale does not touch.
    #[inline(always)]
    fn bias_gradient(&self, network: &TwoLayer<T>) -> T {
        let mut lanes = Lanes::ZERO;
        for &delta in self.delta.as_chunks::<LANES>().0 {
            lanes.add(delta);
        }
        lanes.total() / network.scale
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

    /// `unit² J_f J_fᵀ` of the first `n` samples into a packed triangle, unit after unit:
    /// `s² Σ [ (xᵢxⱼ + 1) a² + hᵢ hⱼ ] + c` over the units that are active at both.
    #[inline(always)]
    pub(super) fn gram(
        &mut self,
        network: &TwoLayer<T>,
        layers: &Layers<'_, T>,
        n: usize,
        unit_sq: T,
        gram: &mut [T],
    ) -> Result<(), Error> {
        Error::check_length(Buffer::Gram, Packed::<T>::len_of(n), gram.len())?;
        gram.fill(T::ZERO);
        let (Some(x), Some(h), Some(active)) =
            (self.x.get(..n), self.f.get_mut(..n), self.delta.get_mut(..n))
        else {
            return Ok(());
        };
        for unit in units(network.hidden, layers) {
            let a_sq = unit.a * unit.a;
            for ((h, active), &x) in h.iter_mut().zip(active.iter_mut()).zip(x) {
                *h = unit.hidden(x);
                *active = if *h > T::ZERO { a_sq } else { T::ZERO };
            }
            for (i, row) in Packed::new(n, gram)?.rows_mut().enumerate() {
                let (Some(&hi), Some(&xi)) = (h.get(i), x.get(i)) else {
                    continue;
                };
                if hi > T::ZERO {
                    let columns = h.iter().zip(active.iter()).zip(x);
                    for (out, ((&hj, &aj), &xj)) in row.iter_mut().zip(columns) {
                        *out += (xi * xj + T::ONE) * aj + hi * hj;
                    }
                }
            }
        }
        let s_sq = network.scale * network.scale;
        let bias = if network.output_bias { T::ONE } else { T::ZERO };
        for entry in gram {
            *entry = unit_sq * (s_sq * *entry + bias);
        }
        Ok(())
    }
}

#[inline(always)]
fn sum_units<T: Float, const N: usize>(units: impl Iterator<Item = Unit<T>>, x: &[T; N]) -> [T; N] {
    let mut sums = [T::ZERO; N];
    for unit in units {
        for (sum, &x) in sums.iter_mut().zip(x) {
            *sum += unit.a * unit.hidden(x);
        }
    }
    sums
}
