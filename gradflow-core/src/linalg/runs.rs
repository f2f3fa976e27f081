//! Vectors that count in some runs of entries alone, which ascend.
//!
//! Every sum has the lanes and the order of [`sum_of`](super::sum_of) over a vector that is 0 elsewhere:
//! a square of 0 changes no sum.

use core::ops::Range;

use super::reduce::{LANES, Lanes, QUAD, total_of};
use super::{axpy, copy};
use crate::float::Float;

/// `‖x‖²`
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn norm_sq_of_runs<T: Float>(x: &[T], runs: impl Iterator<Item = Range<usize>>) -> T {
    let mut sums = [Lanes::ZERO; 4];
    for run in runs {
        let place = run.start % QUAD;
        let inside = x.get(run).unwrap_or_default();
        let (first, rest) = inside.split_at_checked(ragged(place, inside)).unwrap_or_default();
        let (quads, last) = rest.as_chunks();
        add_part(&mut sums, first, place);
        add_squares(&mut sums, quads);
        add_part(&mut sums, last, 0);
    }
    total_of(&sums)
}

/// `y ← y + a x`, and `‖x‖²`: both in one pass.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn axpy_norm_sq_of_runs<T: Float>(
    a: T,
    x: &[T],
    y: &mut [T],
    runs: impl Iterator<Item = Range<usize>>,
) -> T {
    let mut sums = [Lanes::ZERO; 4];
    for run in runs {
        let place = run.start % QUAD;
        let (x, y) = (x.get(run.clone()), y.get_mut(run));
        let (x, y) = (x.unwrap_or_default(), y.unwrap_or_default());
        let ragged = ragged(place, x);
        let (first, rest) = x.split_at_checked(ragged).unwrap_or_default();
        let (first_y, rest_y) = y.split_at_mut_checked(ragged).unwrap_or_default();
        let ((quads, last), (quads_y, last_y)) = (rest.as_chunks(), rest_y.as_chunks_mut());
        add_part(&mut sums, first, place);
        axpy(a, first, first_y);
        axpy_squares(&mut sums, a, quads, quads_y);
        add_part(&mut sums, last, 0);
        axpy(a, last, last_y);
    }
    total_of(&sums)
}

/// Entries of a run up to where the next four blocks begin, if its first one is at this place of four.
#[inline(always)]
fn ragged<T>(place: usize, run: &[T]) -> usize {
    if place == 0 { 0 } else { (QUAD - place).min(run.len()) }
}

/// Adds a part of four blocks, from place `start` on.
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
        add_square([&mut a, &mut b, &mut c, &mut d], quad);
    }
    *sums = [a, b, c, d];
}

/// Named one by one, since sums in an array are kept in memory.
#[inline(always)]
fn add_square<T: Float>([a, b, c, d]: [&mut Lanes<T>; 4], quad: &[T; QUAD]) {
    if let [x0, x1, x2, x3] = quad.as_chunks::<LANES>().0 {
        a.add_product(x0, x0);
        b.add_product(x1, x1);
        c.add_product(x2, x2);
        d.add_product(x3, x3);
    }
}

/// The same, and `y ← y + f x`.
#[inline(always)]
fn axpy_squares<T: Float>(sums: &mut [Lanes<T>; 4], f: T, x: &[[T; QUAD]], y: &mut [[T; QUAD]]) {
    let [mut a, mut b, mut c, mut d] = *sums;
    for (quad, y) in x.iter().zip(y) {
        add_square([&mut a, &mut b, &mut c, &mut d], quad);
        // Taken out and put back as a whole, else it would be moved entry by entry.
        let mut moved = *y;
        axpy(f, quad, &mut moved);
        *y = moved;
    }
    *sums = [a, b, c, d];
}
