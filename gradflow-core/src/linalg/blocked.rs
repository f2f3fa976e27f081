//! Dot products of one row with eight others at a time, so that the row is loaded once and eight
//! chains of additions overlap. Each sum has the lanes and the order of [`dot`](super::dot).

use super::LANES;
use super::reduce::Lanes;
use crate::float::Float;

/// Eight rows, of which one entry more than the last counts.
pub(crate) type Rows<'a, T> = [&'a [T]; LANES];

/// The lanes of `⟨a, rowᵢ⟩` over as many whole blocks as `a` has.
#[inline(always)]
fn whole_blocks<T: Float>(a: &[[T; LANES]], rows: &Rows<'_, T>) -> [Lanes<T>; LANES] {
    let [b0, b1, b2, b3, b4, b5, b6, b7] = rows.map(|row| row.as_chunks::<LANES>().0);
    let mut sums = [Lanes::ZERO; LANES];
    let blocks = a.iter().zip(b0).zip(b1).zip(b2).zip(b3).zip(b4).zip(b5).zip(b6).zip(b7);
    for ((((((((a, b0), b1), b2), b3), b4), b5), b6), b7) in blocks {
        for (sum, b) in sums.iter_mut().zip([b0, b1, b2, b3, b4, b5, b6, b7]) {
            for ((lane, &a), &b) in sum.0.iter_mut().zip(a).zip(b) {
                *lane += a * b;
            }
        }
    }
    sums
}

/// `⟨a, rowᵢ⟩` of eight rows at least as long as `a`.
#[inline(always)]
pub(crate) fn dot_eight<T: Float>(a: &[T], rows: &Rows<'_, T>) -> [T; LANES] {
    let (blocks, rest) = a.as_chunks::<LANES>();
    let mut sums = whole_blocks(blocks, rows);
    let whole = a.len() - rest.len();
    for (sum, row) in sums.iter_mut().zip(rows) {
        let ragged = row.get(whole..).unwrap_or_default();
        sum.add_some(rest.iter().zip(ragged).map(|(&a, &b)| a * b));
    }
    sums.map(Lanes::total)
}

/// Rows that are eliminated together, while the rows above are in the nearest cache.
const PANEL: usize = 32;

/// Number of rows of the next panel of a packed matrix of this order, from row `first` on.
pub(super) fn panel_rows(order: usize, first: usize) -> usize {
    PANEL.min(order - first)
}

/// Columns `0 .. first` of the Cholesky factor in the rows `first ..` of a panel, given the rows
/// above; `first` is a multiple of eight. Bit for bit what one row after the other gives.
#[inline(always)]
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
#[inline(always)]
fn eliminate_eight<T: Float>(
    known: &[T],
    targets: &mut [T; LANES],
    rows: &Rows<'_, T>,
    j: usize,
) -> Option<()> {
    let mut sums = whole_blocks(known.as_chunks().0, rows);
    for (c, (sum, row)) in sums.iter_mut().zip(rows).enumerate() {
        let (inverse, upper) = row.get(j..)?.split_last()?;
        let (found, target) = targets.split_at_mut_checked(c)?;
        sum.add_some(found.iter().zip(upper).map(|(&a, &b)| a * b));
        let target = target.first_mut()?;
        *target = (*target - sum.total()) * *inverse;
    }
    Some(())
}
