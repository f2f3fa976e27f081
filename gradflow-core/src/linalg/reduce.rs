//! Sums with a fixed number of lanes and a fixed order of combination.
//!
//! Entry `i` goes to lane `i mod 8`; the lanes are combined as
//! `((0+4)+(2+6)) + ((1+5)+(3+7))`, which is what halving a vector of eight does.

use core::ops::Range;

use super::copy;
use crate::float::Float;

/// Number of lanes of every reduction.
pub const LANES: usize = 8;

/// Eight partial sums.
#[derive(Clone, Copy)]
pub(crate) struct Lanes<T>(pub(crate) [T; LANES]);

impl<T: Float> Lanes<T> {
    pub(crate) const ZERO: Self = Self([T::ZERO; LANES]);

    #[inline(always)]
    pub(crate) fn add(&mut self, terms: [T; LANES]) {
        for (lane, term) in self.0.iter_mut().zip(terms) {
            *lane += term;
        }
    }

    /// Adds `a b`, lane by lane.
    #[inline(always)]
    pub(crate) fn add_product(&mut self, a: &[T; LANES], b: &[T; LANES]) {
        for ((lane, &a), &b) in self.0.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }

    /// Adds the first terms only: the ragged end of a row.
    #[inline(always)]
    pub(crate) fn add_some(&mut self, terms: impl Iterator<Item = T>) {
        for (lane, term) in self.0.iter_mut().zip(terms) {
            *lane += term;
        }
    }

    #[inline(always)]
    pub(crate) fn total(self) -> T {
        let [a, b, c, d, e, f, g, h] = self.0;
        ((a + e) + (c + g)) + ((b + f) + (d + h))
    }
}

/// `⟨a, b⟩` over the shorter of the two.
///
/// ```
/// use gradflow_core::linalg::dot;
/// assert_eq!(dot(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]), 32.0);
/// ```
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline(always))]
pub fn dot<T: Float>(a: &[T], b: &[T]) -> T {
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    let mut lanes = Lanes::ZERO;
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        lanes.add_product(a, b);
    }
    lanes.add_some(a_rest.iter().zip(b_rest).map(|(&a, &b)| a * b));
    lanes.total()
}

/// `‖x‖²`
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline(always))]
pub fn norm_sq<T: Float>(x: &[T]) -> T {
    sum_of(x, |x| x * x)
}

/// `Σ f(xᵢ)`. Four blocks of lanes take turns, so that additions do not wait for one another;
/// they are combined as `(0+2)+(1+3)` before the lanes are. Named one by one, since an array of
/// them is kept in memory.
#[inline(always)]
pub fn sum_of<T: Float>(x: &[T], f: impl Fn(T) -> T) -> T {
    if cfg!(target_os = "none") {
        return sum_in_memory(x, f);
    }
    let (quads, rest) = x.as_chunks::<QUAD>();
    let (mut a, mut b) = (Lanes::ZERO, Lanes::ZERO);
    let (mut c, mut d) = (Lanes::ZERO, Lanes::ZERO);
    for quad in quads {
        if let [x0, x1, x2, x3] = quad.as_chunks::<LANES>().0 {
            a.add(x0.map(&f));
            b.add(x1.map(&f));
            c.add(x2.map(&f));
            d.add(x3.map(&f));
        }
    }
    for (sum, block) in [&mut a, &mut b, &mut c, &mut d].into_iter().zip(rest.chunks(LANES)) {
        sum.add_some(block.iter().map(|&x| f(x)));
    }
    a.add(c.0);
    b.add(d.0);
    a.add(b.0);
    a.total()
}

/// Entries of four blocks of lanes.
const QUAD: usize = 4 * LANES;

/// `‖x‖²` of a vector that is 0 outside of some runs, which ascend, whatever its entries there.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn norm_sq_of_runs<T: Float>(x: &[T], runs: impl Iterator<Item = Range<usize>>) -> T {
    let mut sums = [Lanes::ZERO; 4];
    for run in runs {
        let place = run.start % QUAD;
        let inside = x.get(run).unwrap_or_default();
        let ragged = if place == 0 { 0 } else { (QUAD - place).min(inside.len()) };
        let (first, rest) = inside.split_at_checked(ragged).unwrap_or_default();
        let (quads, last) = rest.as_chunks();
        add_part(&mut sums, first, place);
        add_squares(&mut sums, quads);
        add_part(&mut sums, last, 0);
    }
    total_of(&sums)
}

/// Adds a part of four blocks, from place `start` on. The others are 0 and change no sum.
#[inline(always)]
fn add_part<T: Float>(sums: &mut [Lanes<T>; 4], part: &[T], start: usize) {
    if !part.is_empty() {
        let mut quad = [T::ZERO; QUAD];
        copy(part, quad.get_mut(start..).unwrap_or_default());
        add_squares(sums, &[quad]);
    }
}

#[inline(always)]
fn add_squares<T: Float>(sums: &mut [Lanes<T>; 4], quads: &[[T; QUAD]]) {
    let [mut a, mut b, mut c, mut d] = *sums;
    for quad in quads {
        if let [x0, x1, x2, x3] = quad.as_chunks::<LANES>().0 {
            a.add_product(x0, x0);
            b.add_product(x1, x1);
            c.add_product(x2, x2);
            d.add_product(x3, x3);
        }
    }
    *sums = [a, b, c, d];
}

/// Not inlined: sums that have to be stored for a call are kept in registers as wide as they are; from
/// the additions below, the compiler would choose registers of two lanes.
#[inline(never)]
fn total_of<T: Float>(&[mut a, mut b, c, d]: &[Lanes<T>; 4]) -> T {
    a.add(c.0);
    b.add(d.0);
    a.add(b.0);
    a.total()
}

/// The same sum as [`sum_of`]'s, entry by entry: small code where no registers hold so many lanes.
#[inline(always)]
fn sum_in_memory<T: Float>(x: &[T], f: impl Fn(T) -> T) -> T {
    let (blocks, rest) = x.as_chunks::<LANES>();
    let blocks = blocks.iter().map(<[T; LANES]>::as_slice).chain([rest]);
    let mut sums = [Lanes::ZERO; 4];
    for (turn, block) in blocks.enumerate() {
        if let Some(sum) = sums.get_mut(turn % 4) {
            sum.add_some(block.iter().map(|&x| f(x)));
        }
    }
    let [mut a, mut b, c, d] = sums;
    a.add(c.0);
    b.add(d.0);
    a.add(b.0);
    a.total()
}
