//! The backward pass of a network with one input and one output.
//!
//! Its sums over samples have the lanes and the order of [`dot`](crate::linalg::dot). Vector registers
//! hold eight samples of a unit or, where they are wide, one lane of sixteen units: the same sums.

use core::hint::{black_box, select_unpredictable};

use super::line::Line;
use super::line_unit::{Activity, Unit, VECTORS};
use super::{Layers, LayersMut, TwoLayer};
use crate::error::{Error, Quantity};
use crate::float::Float;
use crate::linalg::{LANES, Lanes, copy};

/// Hidden units whose sums are taken together.
const GROUP: usize = if cfg!(feature = "wide") { 16 } else { 1 };

/// A number for each unit of a group.
type Each<T> = [T; GROUP];

impl<T: Float> Line<'_, T> {
    /// The gradient, from δ: overwrites every entry.
    #[inline(always)]
    pub(super) fn pull_back(
        &mut self,
        network: &TwoLayer<T>,
        layers: &Layers<'_, T>,
        out: LayersMut<'_, T>,
    ) {
        let ascending = self.begin_backward();
        let LayersMut { hidden, output, output_bias } = out;
        let (weights, biases) = hidden.split_at_mut_checked(network.hidden).unwrap_or_default();
        let places = weights.chunks_mut(GROUP).zip(biases.chunks_mut(GROUP));
        for (group, ((w, b), a)) in
            groups(network.hidden, layers).zip(places.zip(output.chunks_mut(GROUP)))
        {
            let [slope_w, slope_b, slope_a] = self.group_gradient(group, ascending);
            copy(&slope_w, w);
            copy(&slope_b, b);
            copy(&slope_a, a);
        }
        if let Some(bias) = output_bias.first_mut() {
            *bias = self.bias_gradient(network);
        }
    }

    /// `‖Jᵀ u‖²` for the `u` in δ, without a vector of that length.
    #[inline(always)]
    pub(super) fn pull_back_norm_sq(&mut self, network: &TwoLayer<T>, layers: &Layers<'_, T>) -> T {
        let ascending = self.begin_backward();
        let mut sum = T::ZERO;
        for group in groups(network.hidden, layers) {
            let [w, b, a] = self.group_gradient(group, ascending);
            for ((w, b), a) in w.into_iter().zip(b).zip(a).take(group.len()) {
                sum += w * w + b * b + a * a;
            }
        }
        if network.output_bias {
            let bias = self.bias_gradient(network);
            sum += bias * bias;
        }
        sum
    }

    /// `w ← w − length · Jᵀ u` for the `u` in δ, group by group; returns `‖Δw‖²`.
    #[inline(always)]
    pub(super) fn descend(
        &mut self,
        network: &TwoLayer<T>,
        w: &mut [T],
        length: T,
    ) -> Result<T, Error> {
        self.check_reach(network, &network.layers(w)?, length)?;
        let ascending = self.begin_backward();
        let layers = network.layers_mut(w)?;
        let (weights, biases) =
            layers.hidden.split_at_mut_checked(network.hidden).unwrap_or_default();
        let places = weights.chunks_mut(GROUP).zip(biases.chunks_mut(GROUP));
        let mut moved_sq = T::ZERO;
        for ((w, b), a) in places.zip(layers.output.chunks_mut(GROUP)) {
            let slopes = self.group_gradient(Group { w, b, a }, ascending);
            let [slope_w, slope_b, slope_a] = slopes;
            let slopes = slope_w.into_iter().zip(slope_b).zip(slope_a);
            for (((w, b), a), ((slope_w, slope_b), slope_a)) in
                w.iter_mut().zip(b).zip(a).zip(slopes)
            {
                for (parameter, slope) in [(w, slope_w), (b, slope_b), (a, slope_a)] {
                    let step = length * slope;
                    *parameter -= step;
                    moved_sq += step * step;
                }
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

    /// Multiplies each input by its δ, where groups need it; true if the inputs ascend.
    #[inline(always)]
    fn begin_backward(&mut self) -> bool {
        for ((product, &x), &delta) in
            self.products.iter_mut().zip(self.x.iter()).zip(self.values.iter())
        {
            *product = delta * x;
        }
        self.ascends()
    }

    /// Derivatives in `w`, `b` and `a` of each unit of a group. `Σ δ h` over the active samples is
    /// written as `w Σ δ x + b Σ δ`.
    #[inline(always)]
    fn group_gradient(&self, group: Group<'_, T>, ascending: bool) -> [Each<T>; 3] {
        let [mut w, mut b, mut a] = [[T::ZERO; GROUP]; 3];
        copy(group.w, &mut w);
        copy(group.b, &mut b);
        copy(group.a, &mut a);
        let [sum_x, sum_one] = if let ([w], [b], [a]) = (&w[..], &b[..], &a[..]) {
            let unit = Unit { w: *w, b: *b, a: *a };
            self.unit_sums(unit, ascending).map(|sum| [sum; GROUP])
        } else {
            self.group_sums(w, b)
        };
        let along_a = each(each(w, sum_x, T::mul), each(b, sum_one, T::mul), T::add);
        [each(a, sum_x, T::mul), each(a, sum_one, T::mul), along_a]
    }

    /// [`unit_sums`](Self::unit_sums) of each unit.
    #[inline(always)]
    fn group_sums(&self, w: Each<T>, b: Each<T>) -> [Each<T>; 2] {
        let minus_b = b.map(|b| -b);
        let lane = |lane| self.lane_sums(lane, &w, &minus_b);
        let even = add(add(lane(0), lane(4)), add(lane(2), lane(6)));
        let odd = add(add(lane(1), lane(5)), add(lane(3), lane(7)));
        add(even, odd)
    }

    /// One lane of the sums of each unit.
    #[inline(always)]
    fn lane_sums(&self, lane: usize, w: &Each<T>, minus_b: &Each<T>) -> [Each<T>; 2] {
        let [mut along_x, mut along_one] = [[T::ZERO; GROUP]; 2];
        let x = self.x.iter().skip(lane).step_by(LANES);
        let delta = self.values.iter().skip(lane).step_by(LANES);
        let products = self.products.iter().skip(lane).step_by(LANES);
        for ((&x, &delta), &product) in x.zip(delta).zip(products) {
            let units = along_x.iter_mut().zip(&mut along_one).zip(w).zip(minus_b);
            for (((along_x, along_one), &w), &minus_b) in units {
                // Rounded or not, `w x + b` is positive where `w x` exceeds −b.
                let active = x * w > minus_b;
                *along_x = select_unpredictable(active, *along_x + product, *along_x);
                *along_one = select_unpredictable(active, *along_one + delta, *along_one);
            }
        }
        [along_x, along_one]
    }

    /// `Σ δ x` and `Σ δ` over the samples at which a unit is active, with samples as lanes.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn unit_sums(&self, unit: Unit<T>, ascending: bool) -> [T; 2] {
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
        lanes.map(Lanes::total)
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

/// Some hidden units, at most a group: their input weights, biases and output weights.
#[derive(Clone, Copy)]
struct Group<'w, T> {
    w: &'w [T],
    b: &'w [T],
    a: &'w [T],
}

impl<T> Group<'_, T> {
    const fn len(&self) -> usize {
        self.w.len()
    }
}

#[inline(always)]
fn groups<'w, T: Float>(m: usize, layers: &Layers<'w, T>) -> impl Iterator<Item = Group<'w, T>> {
    let (weights, biases) = layers.hidden.split_at_checked(m).unwrap_or_default();
    let groups = weights.chunks(GROUP).zip(biases.chunks(GROUP)).zip(layers.output.chunks(GROUP));
    groups.map(|((w, b), a)| Group { w, b, a })
}

/// `f` of two numbers for each unit.
#[inline(always)]
fn each<T: Float>(mut a: Each<T>, b: Each<T>, f: impl Fn(T, T) -> T) -> Each<T> {
    for (a, b) in a.iter_mut().zip(b) {
        *a = f(*a, b);
    }
    a
}

/// Adds both sums of each unit.
#[inline(always)]
fn add<T: Float>([a, b]: [Each<T>; 2], [c, d]: [Each<T>; 2]) -> [Each<T>; 2] {
    [each(a, c, T::add), each(b, d, T::add)]
}

/// The largest absolute value, at least 1.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline(always))]
fn largest<T: Float>(x: &[T]) -> T {
    x.iter().fold(T::ONE, |top, x| if x.abs() > top { x.abs() } else { top })
}
