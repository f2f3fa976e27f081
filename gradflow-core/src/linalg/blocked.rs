//! Dot products of one row with eight others at a time, so that the row is loaded once and eight
//! chains of additions overlap. Each sum has the lanes and the order of [`dot`](super::dot).

use super::reduce::Lanes;
use super::{LANES, Matrix as _, dot};
use crate::float::Float;

/// Eight rows, of which one entry more than the last counts.
type Rows<'a, T> = [&'a [T]; LANES];

/// The lanes of `⟨a, rowᵢ⟩` over as many whole blocks as `a` has.
#[cfg_attr(not(debug_assertions), inline(always))]
fn whole_blocks<T: Float>(a: &[T], rows: &Rows<'_, T>) -> [Lanes<T>; LANES] {
    let [b0, b1, b2, b3, b4, b5, b6, b7] = *rows;
    let [s0, s1, s2, s3] = four_lanes(a, [b0, b1, b2, b3]);
    let [s4, s5, s6, s7] = four_lanes(a, [b4, b5, b6, b7]);
    [s0, s1, s2, s3, s4, s5, s6, s7]
}

/// Four at a time: as many sums as stay in registers on every machine. Named one by one, since an
/// array of them is kept in memory.
#[cfg_attr(not(debug_assertions), inline(always))]
fn four_lanes<T: Float>(a: &[T], rows: [&[T]; 4]) -> [Lanes<T>; 4] {
    let [b0, b1, b2, b3] = rows;
    let (a, _) = a.as_chunks::<LANES>();
    let (b0, b1) = (b0.as_chunks::<LANES>().0, b1.as_chunks::<LANES>().0);
    let (b2, b3) = (b2.as_chunks::<LANES>().0, b3.as_chunks::<LANES>().0);
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

/// `⟨a, rowᵢ⟩` of eight rows at least as long as `a`.
#[cfg_attr(not(debug_assertions), inline(always))]
fn dot_eight<T: Float>(a: &[T], rows: &Rows<'_, T>) -> [T; LANES] {
    let (_, rest) = a.as_chunks::<LANES>();
    let mut sums = whole_blocks(a, rows);
    let whole = a.len() - rest.len();
    for (sum, row) in sums.iter_mut().zip(rows) {
        let ragged = row.get(whole..).unwrap_or_default();
        sum.add_some(rest.iter().zip(ragged).map(|(&a, &b)| a * b));
    }
    sums.map(Lanes::total)
}

/// `⟨row, matrix[i]⟩` into each place `i` of `out`.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn dot_rows<T: Float>(row: &[T], matrix: &[T], out: &mut [T]) {
    let width = row.len();
    let (blocks, rest) = out.as_chunks_mut::<LANES>();
    for (out, others) in blocks.iter_mut().zip(matrix.rows(LANES * width)) {
        let mut rows = [row; LANES];
        for (row, other) in rows.iter_mut().zip(others.rows(width)) {
            *row = other;
        }
        *out = dot_eight(row, &rows);
    }
    let done = blocks.len() * LANES * width;
    let others = matrix.get(done..).unwrap_or_default().rows(width);
    for (place, other) in rest.iter_mut().zip(others) {
        *place = dot(row, other);
    }
}

/// Rows that are eliminated together, while the rows above are in the nearest cache.
const PANEL: usize = 32;

/// Number of rows of the next panel of a packed matrix of this order, from row `first` on.
pub(super) fn panel_rows(order: usize, first: usize) -> usize {
    PANEL.min(order - first)
}

/// Columns `0 .. first` of the Cholesky factor in the rows `first ..` of a panel, given the rows
/// above; `first` is a multiple of eight. Bit for bit what one row after the other gives.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn eliminate_panel<T: Float>(above: &[T], panel: &mut [T], first: usize) -> Option<()> {
    let mut above = above;
    for j in (0..first).step_by(LANES) {
        let mut rows: Rows<'_, T> = [&[]; LANES];
        for (row, len) in rows.iter_mut().zip(j + 1..) {
            (*row, above) = above.split_at_checked(len)?;
        }
        let mut rest = &mut *panel;
        for len in first + 1.. {
            let Some((row, after)) = rest.split_at_mut_checked(len) else { break };
            rest = after;
            let (known, targets) = row.split_at_mut_checked(j)?;
            eliminate_eight(known, targets.first_chunk_mut()?, &rows, j)?;
        }
    }
    Some(())
}

/// Eight entries of a row of the factor, from its `j` known entries and the eight rows that
/// belong to these columns.
#[cfg_attr(not(debug_assertions), inline(always))]
fn eliminate_eight<T: Float>(
    known: &[T],
    targets: &mut [T; LANES],
    rows: &Rows<'_, T>,
    j: usize,
) -> Option<()> {
    let mut sums = whole_blocks(known, rows);
    for (c, (sum, row)) in sums.iter_mut().zip(rows).enumerate() {
        let (inverse, upper) = row.get(j..)?.split_last()?;
        let (found, target) = targets.split_at_mut_checked(c)?;
        sum.add_some(found.iter().zip(upper).map(|(&a, &b)| a * b));
        let target = target.first_mut()?;
        *target = (*target - sum.total()) * *inverse;
    }
    Some(())
}
