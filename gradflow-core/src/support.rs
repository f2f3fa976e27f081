//! Gradients that are known to be 0 in some places.

use core::ops::Range;

use crate::float::Float;
use crate::linalg::{axpy, axpy_keeping, axpy_norm_sq_of_runs, copy, norm_sq, norm_sq_of_runs};

/// Where a gradient can differ from 0. Elsewhere its entries may have no meaning.
///
/// The parameters begin with a matrix whose rows have marks; outside are the rows without one.
#[derive(Clone, Copy, Debug)]
pub struct Support<'a> {
    marks: &'a [[u32; 2]],
    width: usize,
    len: usize,
}

impl<'a> Support<'a> {
    /// All of `len` parameters.
    #[must_use]
    pub const fn all(len: usize) -> Self {
        Self { marks: &[], width: 0, len }
    }

    /// Of the rows of `width` parameters those with marks that are not 0, and all that follows the last
    /// row, `len` parameters in all.
    #[cfg(any(feature = "wide", test))]
    pub(crate) const fn of_rows(marks: &'a [[u32; 2]], width: usize, len: usize) -> Self {
        Self { marks, width, len }
    }

    /// Without wide kernels there is no other support, and the compiler leaves out what is for one.
    #[inline(always)]
    const fn is_all(&self) -> bool {
        !cfg!(any(feature = "wide", test)) || self.marks.is_empty()
    }

    /// Runs of parameters inside, in ascending order, none next to another.
    ///
    /// ```
    /// use gradflow_core::Support;
    /// assert!(Support::all(5).runs().eq([0..5]));
    /// ```
    pub fn runs(self) -> impl Iterator<Item = Range<usize>> {
        let Self { width, len, .. } = self;
        let marks = if self.is_all() { &[] } else { self.marks };
        let mut rest = marks.iter().enumerate();
        let mut ended = false;
        core::iter::from_fn(move || {
            if ended {
                return None;
            }
            let first = rest.find(|(_, marks)| **marks != [0; 2]).map(|(row, _)| row);
            let next = first.and_then(|_| rest.find(|(_, marks)| **marks == [0; 2]));
            ended = next.is_none();
            let end = next.map_or(len, |(row, _)| row * width);
            Some(first.unwrap_or(marks.len()) * width..end)
        })
    }

    /// Zeros for the entries outside.
    ///
    /// ```
    /// let mut g = [1.0, 2.0];
    /// gradflow_core::Support::all(2).clear_outside(&mut g);
    /// assert_eq!(g, [1.0, 2.0]);
    /// ```
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn clear_outside<T: Float>(self, g: &mut [T]) {
        self.each_outside(|gap| g.get_mut(gap).unwrap_or_default().fill(T::ZERO));
    }

    /// `y ← y + a g` inside, and `‖g‖²`.
    #[inline(always)]
    pub(crate) fn axpy_norm_sq<T: Float>(self, a: T, g: &[T], y: &mut [T]) -> T {
        axpy_norm_sq_of_runs(a, g, y, self.runs())
    }

    /// `(g, y) ← (y, y + a g)` inside. Outside, `g` stands for 0 and keeps nothing.
    #[inline(always)]
    pub(crate) fn exchange<T: Float>(self, a: T, g: &mut [T], y: &mut [T]) {
        for run in self.runs() {
            let inside = y.get_mut(run.clone()).unwrap_or_default();
            axpy_keeping(a, g.get_mut(run).unwrap_or_default(), inside);
        }
    }

    /// `to ← from` inside.
    pub(crate) fn copy<T: Float>(self, from: &[T], to: &mut [T]) {
        for run in self.runs() {
            let inside = to.get_mut(run.clone()).unwrap_or_default();
            copy(from.get(run).unwrap_or_default(), inside);
        }
    }

    /// Calls `see` for each run of parameters outside.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn each_outside(self, mut see: impl FnMut(Range<usize>)) {
        if self.is_all() {
            return;
        }
        let mut end = 0;
        for run in self.runs() {
            see(end..run.start);
            end = run.end;
        }
    }
}

/// The gradient of one step.
#[derive(Clone, Copy, Debug)]
pub struct Gradient<'a, T> {
    /// One a parameter.
    pub entries: &'a [T],
    /// `‖g‖²`
    pub norm_sq: T,
    /// Where the entries count; those elsewhere stand for 0.
    pub support: Support<'a>,
}

impl<'a, T: Float> Gradient<'a, T> {
    /// A gradient all of whose entries count, given its squared norm.
    #[must_use]
    pub const fn dense(entries: &'a [T], norm_sq: T) -> Self {
        Self { entries, norm_sq, support: Support::all(entries.len()) }
    }

    /// A gradient whose entries count in its support.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn new(entries: &'a [T], support: Support<'a>) -> Self {
        let norm_sq = if support.is_all() {
            norm_sq(entries)
        } else {
            norm_sq_of_runs(entries, support.runs())
        };
        Self { entries, norm_sq, support }
    }

    /// Whether all entries of `y − a g` are finite.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn is_finite_from(&self, y: &[T], a: T) -> bool {
        let mut finite = true;
        for run in self.support.runs() {
            let inside = y.get(run.start..).unwrap_or_default().iter();
            let mut next = inside.zip(self.entries.get(run).unwrap_or_default());
            finite &= next.all(|(&y, &g)| (y - a * g).is_finite());
        }
        self.support.each_outside(|gap| {
            finite &= y.get(gap).unwrap_or_default().iter().all(|y| y.is_finite());
        });
        finite
    }

    /// `y ← y + a g`
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn add_to(&self, a: T, y: &mut [T]) {
        if self.support.is_all() {
            return axpy(a, self.entries, y);
        }
        for run in self.support.runs() {
            let inside = y.get_mut(run.clone()).unwrap_or_default();
            axpy(a, self.entries.get(run).unwrap_or_default(), inside);
        }
        // Outside, the product of a and 0 changes nothing but −0, and not even that if it is −0 itself.
        if a >= T::ZERO {
            self.support.each_outside(|gap| {
                let outside = y.get_mut(gap).unwrap_or_default();
                outside.iter_mut().for_each(|y| *y += a * T::ZERO);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn entries_outside_count_as_zeros(
            rows in proptest::collection::vec(prop_oneof![Just([0, 0]), Just([0, 4]), Just([1, 0])], 0..40),
            width in 1..80_usize,
            rest in 0..80_usize,
            a in prop_oneof![Just(0.0), Just(-0.0), -2.0..2.0_f32],
            seed: u64,
        ) {
            let len = rows.len() * width + rest;
            let mut rng = crate::Pcg32::new(seed, crate::Stream::Data);
            let zeros: Vec<f32> = (0..len).map(|_| rng.uniform(-1.0, 1.0)).collect();
            let (mut zeros, mut garbage) = (zeros.clone(), zeros);
            for (i, _) in rows.iter().enumerate().filter(|(_, row)| **row == [0, 0]) {
                zeros[i * width..(i + 1) * width].fill(0.0);
                garbage[i * width..(i + 1) * width].fill(f32::NAN);
            }
            let dense = Gradient::new(&zeros, Support::all(len));
            let sparse = Gradient::new(&garbage, Support::of_rows(&rows, width, len));
            prop_assert_eq!(dense.norm_sq.to_bits(), sparse.norm_sq.to_bits());

            let y = (0..len).map(|i| if i % 3 == 0 { -0.0 } else { rng.uniform(-1.0, 1.0) });
            let y: Vec<f32> = y.collect();
            let bits = |y: &[f32]| y.iter().map(|y| y.to_bits()).collect::<Vec<_>>();
            let (mut expected, mut found) = (y.clone(), y.clone());
            dense.add_to(a, &mut expected);
            sparse.add_to(a, &mut found);
            prop_assert_eq!(bits(&found), bits(&expected));

            if a.is_sign_negative() {
                let (support, mut former) = (sparse.support, garbage.clone());
                for support in [support, Support::all(len)] {
                    let g = if support.is_all() { &zeros } else { &garbage };
                    found.copy_from_slice(&y);
                    let norm_sq = support.axpy_norm_sq(a, g, &mut found);
                    prop_assert_eq!(norm_sq.to_bits(), dense.norm_sq.to_bits());
                    prop_assert_eq!(bits(&found), bits(&expected));
                }
                found.copy_from_slice(&y);
                support.exchange(a, &mut former, &mut found);
                prop_assert_eq!(bits(&found), bits(&expected));
                support.copy(&former, &mut found);
                prop_assert_eq!(bits(&found), bits(&y));
            }
        }
    }
}
