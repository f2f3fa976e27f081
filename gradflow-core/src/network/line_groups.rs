//! The gradient of a network with one input and one output, with hidden units as vector lanes: for wide
//! registers, which then hold one lane of the sums over samples of sixteen or more units.

use core::hint::select_unpredictable;
use core::slice;

use super::line::Line;
use super::{Layers, LayersMut};
use crate::float::Float;
use crate::linalg::LANES;

impl<T: Float> Line<'_, T> {
    /// Derivatives in the parameters of all whole groups of the `m` units; returns the number of
    /// units.
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
        let mut done = 0;
        if self.vectors.longest() {
            // What is read of a sample serves two registers of units in f32.
            done = self.pull_back_groups_of::<32>(done, m, layers, out);
        }
        self.pull_back_groups_of::<16>(done, m, layers, out)
    }

    /// The same for groups of N units, the `done` first ones left out. `Σ δ h` over the active samples is
    /// written as `w Σ δ x + b Σ δ`.
    #[inline(always)]
    fn pull_back_groups_of<const N: usize>(
        &self,
        mut done: usize,
        m: usize,
        layers: &Layers<'_, T>,
        out: &mut LayersMut<'_, T>,
    ) -> usize {
        let (w, b) = layers.hidden.split_at_checked(m).unwrap_or_default();
        let groups = groups::<T, N>(w, done).zip(groups(b, done)).zip(groups(layers.output, done));
        let (slopes_w, slopes_b) = out.hidden.split_at_mut_checked(m).unwrap_or_default();
        let slopes = groups_mut(slopes_w, done).zip(groups_mut(slopes_b, done));
        let slopes = slopes.zip(groups_mut(out.output, done));
        for (((&w, &b), &a), ((slope_w, slope_b), slope_a)) in groups.zip(slopes) {
            let [along_x, along_one] = self.group_sums(w, b);
            *slope_w = each(a, along_x, T::mul);
            *slope_b = each(a, along_one, T::mul);
            *slope_a = each(each(w, along_x, T::mul), each(b, along_one, T::mul), T::add);
            done += N;
        }
        done
    }

    /// `Σ δ x` and `Σ δ` over the samples at which each unit is active, lane by lane in the order of
    /// [`dot`](crate::linalg::dot).
    #[inline(always)]
    fn group_sums<const N: usize>(&self, w: [T; N], b: [T; N]) -> [[T; N]; 2] {
        // A loop, since an array's `map` is a call that may not be inlined.
        let mut minus_b = b;
        for b in &mut minus_b {
            *b = -*b;
        }
        let lane = |lane| self.lane_sums(lane, &w, &minus_b);
        let even = add(add(lane(0), lane(4)), add(lane(2), lane(6)));
        let odd = add(add(lane(1), lane(5)), add(lane(3), lane(7)));
        add(even, odd)
    }

    /// One lane of these sums.
    #[inline(always)]
    fn lane_sums<const N: usize>(&self, lane: usize, w: &[T; N], minus_b: &[T; N]) -> [[T; N]; 2] {
        let [mut along_x, mut along_one] = [[T::ZERO; N]; 2];
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

/// A number for each unit, group by group, the `done` first ones left out.
#[inline(always)]
fn groups<T, const N: usize>(x: &[T], done: usize) -> slice::Iter<'_, [T; N]> {
    x.get(done..).unwrap_or_default().as_chunks().0.iter()
}

/// The same, to be written.
#[inline(always)]
fn groups_mut<T, const N: usize>(x: &mut [T], done: usize) -> slice::IterMut<'_, [T; N]> {
    x.get_mut(done..).unwrap_or_default().as_chunks_mut().0.iter_mut()
}

/// `f` of two numbers for each unit.
#[inline(always)]
fn each<T: Float, const N: usize>(mut a: [T; N], b: [T; N], f: impl Fn(T, T) -> T) -> [T; N] {
    for (a, b) in a.iter_mut().zip(b) {
        *a = f(*a, b);
    }
    a
}

/// Adds both sums of each unit.
#[inline(always)]
fn add<T: Float, const N: usize>([a, b]: [[T; N]; 2], [c, d]: [[T; N]; 2]) -> [[T; N]; 2] {
    [each(a, c, T::add), each(b, d, T::add)]
}
