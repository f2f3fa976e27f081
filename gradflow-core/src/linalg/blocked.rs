//! Dot products of many rows with many others, in tiles that stay in registers, so that a row is
//! loaded once for several and their chains of additions overlap. Each sum has the lanes and the
//! order of [`dot`](super::dot()).

use super::reduce::Lanes;
use super::{LANES, Matrix as _, dot};
use crate::float::Float;

/// Eight rows.
pub(super) type Rows<'a, T> = [&'a [T]; LANES];

/// The lanes of the dot products of eight rows with eight others.
pub(super) type Products<T> = [[Lanes<T>; LANES]; LANES];

/// The lanes of `⟨aᵣ, bᵢ⟩`, over as many whole blocks as the shorter has.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn multiply<T: Float>(a: &Rows<'_, T>, b: &Rows<'_, T>, products: &mut Products<T>) {
    let [b0, b1, b2, b3, b4, b5, b6, b7] = *b;
    for (b, half) in [[b0, b1, b2, b3], [b4, b5, b6, b7]].into_iter().zip(0..) {
        let pairs = a.as_chunks::<2>().0.iter().zip(products.as_chunks_mut::<2>().0);
        for (&a, products) in pairs {
            for (row, sums) in products.iter_mut().zip(two_by_four(a, b)) {
                if let Some(place) = row.as_chunks_mut::<4>().0.get_mut(half) {
                    *place = sums;
                }
            }
        }
    }
}

/// As many sums as stay in the registers of a machine with wide vectors. Named one by one, since an
/// array of them is kept in memory.
#[cfg_attr(not(debug_assertions), inline(always))]
fn two_by_four<T: Float>(a: [&[T]; 2], b: [&[T]; 4]) -> [[Lanes<T>; 4]; 2] {
    if cfg!(target_arch = "wasm32") {
        return a.map(|a| four_lanes(a, b));
    }
    let [a0, a1] = a.map(|a| a.as_chunks::<LANES>().0);
    let [b0, b1, b2, b3] = b.map(|b| b.as_chunks::<LANES>().0);
    let (mut s0, mut s1, mut s2, mut s3) = (Lanes::ZERO, Lanes::ZERO, Lanes::ZERO, Lanes::ZERO);
    let (mut t0, mut t1, mut t2, mut t3) = (Lanes::ZERO, Lanes::ZERO, Lanes::ZERO, Lanes::ZERO);
    for (((((a0, a1), b0), b1), b2), b3) in a0.iter().zip(a1).zip(b0).zip(b1).zip(b2).zip(b3) {
        s0.add_product(a0, b0);
        t0.add_product(a1, b0);
        s1.add_product(a0, b1);
        t1.add_product(a1, b1);
        s2.add_product(a0, b2);
        t2.add_product(a1, b2);
        s3.add_product(a0, b3);
        t3.add_product(a1, b3);
    }
    [[s0, s1, s2, s3], [t0, t1, t2, t3]]
}

/// One row with four others.
#[cfg_attr(not(debug_assertions), inline(always))]
fn four_lanes<T: Float>(a: &[T], rows: [&[T]; 4]) -> [Lanes<T>; 4] {
    let (a, _) = a.as_chunks::<LANES>();
    let [b0, b1, b2, b3] = rows.map(|b| b.as_chunks::<LANES>().0);
    let (mut s0, mut s1) = (Lanes::ZERO, Lanes::ZERO);
    let (mut s2, mut s3) = (Lanes::ZERO, Lanes::ZERO);
    for ((((a, b0), b1), b2), b3) in a.iter().zip(b0).zip(b1).zip(b2).zip(b3) {
        s0.add_product(a, b0);
        s1.add_product(a, b1);
        s2.add_product(a, b2);
        s3.add_product(a, b3);
    }
    [s0, s1, s2, s3]
}

/// `⟨row, matrix[i]⟩` into each place `i` of `out`.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn dot_rows<T: Float>(row: &[T], matrix: &[T], out: &mut [T]) {
    let width = row.len();
    let (_, ragged) = row.as_chunks::<LANES>();
    let whole = width - ragged.len();
    let (blocks, rest) = out.as_chunks_mut::<4>();
    for (out, others) in blocks.iter_mut().zip(matrix.rows(4 * width)) {
        let mut rows = [row; 4];
        for (row, other) in rows.iter_mut().zip(others.rows(width)) {
            *row = other;
        }
        let mut sums = four_lanes(row, rows);
        for (sum, row) in sums.iter_mut().zip(rows) {
            let others = row.get(whole..).unwrap_or_default();
            sum.add_some(ragged.iter().zip(others).map(|(&a, &b)| a * b));
        }
        *out = sums.map(Lanes::total);
    }
    let others = matrix.get(4 * blocks.len() * width..).unwrap_or_default().rows(width);
    for (place, other) in rest.iter_mut().zip(others) {
        *place = dot(row, other);
    }
}

/// `⟨rowᵢ, rowⱼ⟩` for `j ≤ i` into a packed triangle, of rows that are whole blocks long.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn multiply_rows<T: Float>(matrix: &[T], width: usize, out: &mut [T]) {
    let mut products = [[Lanes::ZERO; LANES]; LANES];
    let mut rest = out;
    for (group, a) in matrix.pieces(LANES * width).enumerate() {
        let first = group * LANES;
        let (group, after) = split_group(rest, first);
        rest = after;
        let a = repeated(a.rows(width));
        for (j, b) in (0..=first).step_by(LANES).zip(matrix.pieces(LANES * width)) {
            multiply(&a, &repeated(b.rows(width)), &mut products);
            for (row, sums) in packed_rows_mut(group, first).zip(&products) {
                let places = row.get_mut(j..).unwrap_or_default();
                for (place, total) in places.iter_mut().zip(totals(sums)) {
                    *place = total;
                }
            }
        }
    }
}

/// The totals of eight sums. Each addition is one of [`Lanes::total`]'s, eight at a time.
#[cfg_attr(not(debug_assertions), inline(always))]
fn totals<T: Float>(sums: &[Lanes<T>; LANES]) -> [T; LANES] {
    let [s0, s1, s2, s3, s4, s5, s6, s7] = *sums;
    let (s04, s15, s26, s37) = (halve(s0, s4), halve(s1, s5), halve(s2, s6), halve(s3, s7));
    let (s0145, s2367) = (quarter(s04, s15), quarter(s26, s37));
    let ([a0, b0, a1, b1, a4, b4, a5, b5], [a2, b2, a3, b3, a6, b6, a7, b7]) = (s0145, s2367);
    add([a0, a1, a2, a3, a4, a5, a6, a7], [b0, b1, b2, b3, b4, b5, b6, b7])
}

/// Lanes 0 to 3 plus lanes 4 to 7, of two sums side by side.
#[inline(always)]
fn halve<T: Float>(Lanes(s): Lanes<T>, Lanes(t): Lanes<T>) -> [T; LANES] {
    let ([a, b, c, d, e, f, g, h], [i, j, k, l, m, n, o, p]) = (s, t);
    add([a, b, c, d, i, j, k, l], [e, f, g, h, m, n, o, p])
}

/// Lanes 0 and 1 plus lanes 2 and 3, of four sums in two halves each.
#[inline(always)]
fn quarter<T: Float>(s: [T; LANES], t: [T; LANES]) -> [T; LANES] {
    let ([a, b, c, d, e, f, g, h], [i, j, k, l, m, n, o, p]) = (s, t);
    add([a, b, i, j, e, f, m, n], [c, d, k, l, g, h, o, p])
}

/// `a + b`, lane by lane.
#[inline(always)]
pub(super) fn add<T: Float>(a: [T; LANES], b: [T; LANES]) -> [T; LANES] {
    let mut sum = Lanes(a);
    sum.add(b);
    sum.0
}

/// Rows become columns, by three times joining row i with row i + 4, entry by entry.
#[inline(always)]
pub(super) fn transpose<T: Float>(rows: [[T; LANES]; LANES]) -> [[T; LANES]; LANES] {
    join_rows(join_rows(join_rows(rows)))
}

#[inline(always)]
fn join_rows<T: Float>(rows: [[T; LANES]; LANES]) -> [[T; LANES]; LANES] {
    let [a, b, c, d, e, f, g, h] = rows;
    let ([r0, r1], [r2, r3]) = (join(a, e), join(b, f));
    let ([r4, r5], [r6, r7]) = (join(c, g), join(d, h));
    [r0, r1, r2, r3, r4, r5, r6, r7]
}

#[inline(always)]
fn join<T: Float>(x: [T; LANES], y: [T; LANES]) -> [[T; LANES]; 2] {
    let ([a, b, c, d, e, f, g, h], [i, j, k, l, m, n, o, p]) = (x, y);
    [[a, i, b, j, c, k, d, l], [e, m, f, n, g, o, h, p]]
}

/// Up to eight rows; the last stands for those that are missing.
#[inline(always)]
pub(super) fn repeated<'a, T: 'a>(rows: impl Iterator<Item = &'a [T]>) -> Rows<'a, T> {
    let mut eight: Rows<'_, T> = [&[]; LANES];
    for (i, row) in rows.take(LANES).enumerate() {
        for place in eight.iter_mut().skip(i) {
            *place = row;
        }
    }
    eight
}

/// The first entries of each row. A loop, since an array's `map` is a call that may not be inlined.
#[inline(always)]
pub(super) fn starts<'a, T>(rows: &Rows<'a, T>, len: usize) -> Rows<'a, T> {
    let mut starts = *rows;
    for row in &mut starts {
        *row = row.get(..len).unwrap_or_default();
    }
    starts
}

/// Rows `first ..` of a packed triangle, of which row `i` has `i + 1` entries.
#[inline(always)]
pub(super) fn packed_rows<T>(rows: &[T], first: usize) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    (first + 1..).map_while(move |len| {
        let (row, after) = rest.split_at_checked(len)?;
        rest = after;
        Some(row)
    })
}

/// The same, to write.
#[inline(always)]
pub(super) fn packed_rows_mut<T>(rows: &mut [T], first: usize) -> impl Iterator<Item = &mut [T]> {
    let mut rest = rows;
    (first + 1..).map_while(move |len| {
        let (row, after) = core::mem::take(&mut rest).split_at_mut_checked(len)?;
        rest = after;
        Some(row)
    })
}

/// The rows `first .. first + 8` of a packed triangle, as far as they are there, and what follows.
#[inline(always)]
pub(super) fn split_group<T>(rows: &mut [T], first: usize) -> (&mut [T], &mut [T]) {
    let len = LANES * first + LANES * (LANES + 1) / 2;
    rows.split_at_mut(len.min(rows.len()))
}
