//! The backward pass of a network with one input and one output, with samples as vector lanes.

use core::hint::black_box;

use super::line::Line;
use super::line_unit::{Activity, Unit, VECTORS, units};
use super::{Layers, LayersMut, TwoLayer};
use crate::error::{Error, Quantity};
use crate::float::Float;
use crate::linalg::{LANES, Lanes};

impl<T: Float> Line<'_, T> {
    /// The gradient, from δ: overwrites every entry.
    #[inline(always)]
    pub(super) fn pull_back(
        &mut self,
        network: &TwoLayer<T>,
        layers: &Layers<'_, T>,
        mut out: LayersMut<'_, T>,
    ) {
        let done = if cfg!(feature = "wide") {
            self.pull_back_groups(network.hidden, layers, &mut out)
        } else {
            0
        };
        let (weights, biases) = out.hidden.split_at_mut_checked(network.hidden).unwrap_or_default();
        let places = weights.iter_mut().zip(biases).zip(out.output);
        let ascending = self.ascends();
        let mut rest = units(network.hidden, layers).zip(places);
        if done > 0 {
            let _ = rest.nth(done - 1);
        }
        for (unit, ((w, b), a)) in rest {
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
}

/// The largest absolute value, at least 1.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline(always))]
fn largest<T: Float>(x: &[T]) -> T {
    x.iter().fold(T::ONE, |top, x| if x.abs() > top { x.abs() } else { top })
}
