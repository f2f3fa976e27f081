//! The gradient of a network with one input and one output, with hidden units as vector lanes: for wide
//! registers, which then hold one lane of the sums over samples of sixteen units.

use core::hint::select_unpredictable;

use super::line::Line;
use super::{Layers, LayersMut};
use crate::float::Float;
use crate::linalg::LANES;

/// Units of a group.
const GROUP: usize = 16;

/// A number for each unit of a group.
type Each<T> = [T; GROUP];

impl<T: Float> Line<'_, T> {
    /// Derivatives in the parameters of all whole groups of the `m` units; returns the number of
    /// units. `Σ δ h` over the active samples is written as `w Σ δ x + b Σ δ`.
    #[inline(always)]
    pub(super) fn pull_back_groups(
        &mut self,
        m: usize,
        layers: &Layers<'_, T>,
        out: &mut LayersMut<'_, T>,
    ) -> usize {
        let inputs = self.x.iter().zip(self.values.iter());
        for (product, (&x, &delta)) in self.products.iter_mut().zip(inputs) {
            *product = delta * x;
        }
        let (w, b) = layers.hidden.split_at_checked(m).unwrap_or_default();
        let (slopes_w, slopes_b) = out.hidden.split_at_mut_checked(m).unwrap_or_default();
        let (w, rest) = w.as_chunks::<GROUP>();
        let groups = w.iter().zip(b.as_chunks().0).zip(layers.output.as_chunks().0);
        let slopes = slopes_w.as_chunks_mut().0.iter_mut().zip(slopes_b.as_chunks_mut().0);
        let slopes = slopes.zip(out.output.as_chunks_mut().0);
        for (((&w, &b), &a), ((slope_w, slope_b), slope_a)) in groups.zip(slopes) {
            let [along_x, along_one] = self.group_sums(w, b);
            *slope_w = each(a, along_x, T::mul);
            *slope_b = each(a, along_one, T::mul);
            *slope_a = each(each(w, along_x, T::mul), each(b, along_one, T::mul), T::add);
        }
        m - rest.len()
    }

    /// `Σ δ x` and `Σ δ` over the samples at which each unit is active, lane by lane in the order of
    /// [`dot`](crate::linalg::dot).
    #[inline(always)]
    fn group_sums(&self, w: Each<T>, b: Each<T>) -> [Each<T>; 2] {
        let minus_b = b.map(|b| -b);
        let lane = |lane| self.lane_sums(lane, &w, &minus_b);
        let even = add(add(lane(0), lane(4)), add(lane(2), lane(6)));
        let odd = add(add(lane(1), lane(5)), add(lane(3), lane(7)));
        add(even, odd)
    }

    /// One lane of these sums.
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
