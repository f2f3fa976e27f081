//! Kernels for one input and one output, with samples as vector lanes.
//!
//! Samples are padded to whole blocks of lanes by samples with no weight; sums over samples have
//! the lanes and the order of [`dot`](crate::linalg::dot). Hidden values are recomputed, not kept:
//! `h = relu(w x + b)` is cheaper than its memory.

use core::hint::{black_box, select_unpredictable};

use super::samples::{Batch, Row};
use super::scratch::Scratch;
use super::{Layers, LayersMut, TwoLayer};
use crate::error::{Buffer, Error, Quantity};
use crate::float::Float;
use crate::linalg::{LANES, Lanes, Packed};

/// Whether kernels are written for vector registers. Without them fewer sums at a time are faster
/// and smaller; the bits are the same.
const VECTORS: bool = !cfg!(target_os = "none");
/// Samples that the forward pass takes together where it does not take four blocks of lanes.
const REST: usize = if VECTORS { LANES } else { 4 };

/// The batch, gathered into the scratch: two rows of padded length.
pub(super) struct Line<'s, T> {
    /// Inputs; 0 in the padding.
    pub(super) x: &'s mut [T],
    /// The outputs f, or δ: derivatives in them, times `s`, and 0 in the padding.
    pub(super) values: &'s mut [T],
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

    #[inline(always)]
    fn is_active(self, x: T) -> bool {
        x * self.w + self.b > T::ZERO
    }

    /// What the ends of a block tell: between them `w x + b` is monotone, rounding included.
    #[inline(always)]
    fn activity<const N: usize>(self, x: &[T; N], ascending: bool) -> Activity {
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
    fn mask<const N: usize>(self, x: &[T; N], delta: &[T; N]) -> [T; N] {
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
enum Activity {
    Nowhere,
    Everywhere,
    Unknown,
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
        let short = Error::Length { what: Buffer::Scratch, needed: 2 * padded, got };
        let (x, rest) = scratch.reals.split_at_mut_checked(padded).ok_or(short)?;
        let values = rest.get_mut(..padded).ok_or(short)?;
        Ok(Self { x, values })
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
    #[cfg_attr(any(target_os = "none", target_arch = "wasm32"), inline(never))]
    #[cfg_attr(not(any(target_os = "none", target_arch = "wasm32")), inline(always))]
    pub(super) fn respond(&mut self, network: &TwoLayer<T>, layers: &Layers<'_, T>) {
        let bias = layers.output_bias.first().copied().unwrap_or_default();
        let finish = |sum: T| network.scale * sum + bias;
        let ascending = self.ascends();
        // How many samples go together changes no bit: as many as registers hold their sums.
        let (x_rest, f_rest) = if VECTORS {
            let (x, x_rest) = self.x.as_chunks::<{ 4 * LANES }>();
            let (f, f_rest) = self.values.as_chunks_mut::<{ 4 * LANES }>();
            for (x, f) in x.iter().zip(f) {
                *f = sum_units(units(network.hidden, layers), x, false).map(finish);
            }
            (x_rest, f_rest)
        } else {
            (&*self.x, &mut *self.values)
        };
        let (x, _) = x_rest.as_chunks::<REST>();
        let (f, _) = f_rest.as_chunks_mut::<REST>();
        for (x, f) in x.iter().zip(f) {
            *f = sum_units(units(network.hidden, layers), x, ascending).map(finish);
        }
    }

    /// The gradient, from δ: overwrites every entry.
    #[inline(always)]
    pub(super) fn pull_back(
        &self,
        network: &TwoLayer<T>,
        layers: &Layers<'_, T>,
        out: LayersMut<'_, T>,
    ) {
        let (weights, biases) = out.hidden.split_at_mut_checked(network.hidden).unwrap_or_default();
        let places = weights.iter_mut().zip(biases).zip(out.output);
        let ascending = self.ascends();
        for (unit, ((w, b), a)) in units(network.hidden, layers).zip(places) {
            [*w, *b, *a] = self.unit_gradient(unit, ascending);
        }
        if let Some(bias) = out.output_bias.first_mut() {
            *bias = self.bias_gradient(network);
        }
    }

    /// `‖Jᵀ u‖²` for the `u` in δ, without a vector of that length.
    #[inline(always)]
    pub(super) fn pull_back_norm_sq(&self, network: &TwoLayer<T>, layers: &Layers<'_, T>) -> T {
        let mut sum = T::ZERO;
        let ascending = self.ascends();
        for unit in units(network.hidden, layers) {
            let [w, b, a] = self.unit_gradient(unit, ascending);
            sum += w * w + b * b + a * a;
        }
        if network.output_bias {
            let bias = self.bias_gradient(network);
            sum += bias * bias;
        }
        sum
    }

    /// `w ← w − length · Jᵀ u` for the `u` in δ, unit by unit; returns `‖Δw‖²`.
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
        let ascending = self.ascends();
        for ((w, b), a) in weights.iter_mut().zip(biases).zip(layers.output) {
            let gradient = self.unit_gradient(Unit { w: *w, b: *b, a: *a }, ascending);
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
        let (x, hidden, output) = (largest(self.x), largest(layers.hidden), largest(layers.output));
        let total = self.values.iter().fold(T::ZERO, |sum, d| sum + d.abs());
        let bias = T::ONE / network.scale.abs();
        let slope = total * x * (output + hidden * (x + T::ONE) + bias);
        let reach = length * slope;
        if (reach * reach * T::from_usize(network.parameters())).is_finite() {
            Ok(())
        } else {
            Err(Error::NotFinite { what: Quantity::Update })
        }
    }

    /// True if that may save time and the inputs ascend, padding included.
    #[inline(always)]
    fn ascends(&self) -> bool {
        !VECTORS && self.x.iter().zip(self.x.iter().skip(1)).all(|(x, next)| x <= next)
    }

    /// Derivatives in `w`, `b` and `a` of one unit. `Σ δ h` over the active samples is written as
    /// `w Σ δ x + b Σ δ`.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn unit_gradient(&self, unit: Unit<T>, ascending: bool) -> [T; 3] {
        let (x, _) = self.x.as_chunks::<LANES>();
        let (delta, _) = self.values.as_chunks::<LANES>();
        let mut along_x = Lanes::ZERO;
        let mut along_one = Lanes::ZERO;
        for (x, delta) in x.iter().zip(delta) {
            let delta = match unit.activity(x, ascending) {
                Activity::Nowhere => continue,
                Activity::Everywhere => *delta,
                Activity::Unknown => unit.mask(x, delta),
            };
            along_x.add_product(&delta, x);
            along_one.add(delta);
        }
        let mut lanes = [along_x, along_one];
        if VECTORS {
            // Through memory, else the compiler pairs the two sums and leaves the wide registers.
            lanes = black_box(lanes);
        }
        let [along_x, along_one] = lanes;
        let (sum_x, sum_one) = (along_x.total(), along_one.total());
        [unit.a * sum_x, unit.a * sum_one, unit.w * sum_x + unit.b * sum_one]
    }

    /// Derivative in the output bias, which the output scale does not touch.
    #[inline(always)]
    fn bias_gradient(&self, network: &TwoLayer<T>) -> T {
        let mut lanes = Lanes::ZERO;
        for &delta in self.values.as_chunks::<LANES>().0 {
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
    /// `s² Σ [ (xᵢxⱼ + 1) a² + hᵢ hⱼ ] + c` over the units that are active at both. The values are
    /// then a unit's.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
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
        let (Some(x), Some(h)) = (self.x.get(..n), self.values.get_mut(..n)) else {
            return Ok(());
        };
        for unit in units(network.hidden, layers) {
            for (h, &x) in h.iter_mut().zip(x) {
                *h = unit.hidden(x);
            }
            add_unit(gram, h, x, unit.a * unit.a);
        }
        let s_sq = network.scale * network.scale;
        let bias = if network.output_bias { T::ONE } else { T::ZERO };
        for entry in gram {
            *entry = unit_sq * (s_sq * *entry + bias);
        }
        Ok(())
    }
}

/// Adds a unit's share to the packed triangle. Only samples between its first and its last active
/// one can get any: half of them, if x ascends.
#[cfg_attr(any(target_os = "none", target_arch = "wasm32"), inline(never))]
#[cfg_attr(not(any(target_os = "none", target_arch = "wasm32")), inline(always))]
fn add_unit<T: Float>(gram: &mut [T], h: &[T], x: &[T], a_sq: T) {
    let active = |&h: &T| h > T::ZERO;
    let Some(first) = h.iter().position(active) else { return };
    let end = h.iter().rposition(active).map_or(0, |last| last + 1);
    let (Some(h), Some(x)) = (h.get(first..end), x.get(first..end)) else { return };
    let all_active = h.iter().all(active);
    let mut rest = gram.get_mut(Packed::<T>::len_of(first)..).unwrap_or_default();
    for (i, (&hi, &xi)) in (first..).zip(h.iter().zip(x)) {
        let Some((row, after)) = rest.split_at_mut_checked(i + 1) else { return };
        rest = after;
        let Some(row) = row.get_mut(first..) else { return };
        if all_active {
            add_products::<T, true>(row, h, x, [hi, xi, a_sq]);
        } else if hi > T::ZERO {
            add_products::<T, false>(row, h, x, [hi, xi, a_sq]);
        }
    }
}

/// A unit's share of a row: `(xᵢxⱼ + 1) a² + hᵢ hⱼ` where it is active.
#[inline(always)]
fn add_products<T: Float, const ALL_ACTIVE: bool>(
    row: &mut [T],
    h: &[T],
    x: &[T],
    [hi, xi, a_sq]: [T; 3],
) {
    for (out, (&hj, &xj)) in row.iter_mut().zip(h.iter().zip(x)) {
        let a_sq = if ALL_ACTIVE || hj > T::ZERO { a_sq } else { T::ZERO };
        *out += (xi * xj + T::ONE) * a_sq + hi * hj;
    }
}

/// The largest absolute value, at least 1.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline(always))]
fn largest<T: Float>(x: &[T]) -> T {
    x.iter().fold(T::ONE, |top, x| if x.abs() > top { x.abs() } else { top })
}

#[inline(always)]
fn sum_units<T: Float, const N: usize>(
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
