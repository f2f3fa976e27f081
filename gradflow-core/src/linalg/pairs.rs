//! The kernel of [`rows`](super::rows) for two rows at a time, for a caller that is compiled for wide
//! registers: what both read or write is loaded and stored once, and every sum keeps its order.

use super::rows::{BLOCK, Pass, add_block, add_blocks};
use crate::float::Float;

/// Blocks of the rows that are done whole: of 97 to 112 hidden units, such as the 100 of the experiments.
const WHOLE: usize = 7;

/// The rows of a full piece of a batch.
type WholeRows<T> = [[[T; BLOCK]; WHOLE]; 64];

/// `matrix[r] ← matrix[r] + a · rows[0] + b · rows[1]` for each term `(r, (a, b))`.
///
/// All rows are whole blocks long, and as long as these two, which stay in registers.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn spread_pair<T, I>(rows: [&[T]; 2], terms: &I, matrix: &mut [T])
where
    T: Float,
    I: IntoIterator<Item = (usize, (T, T))> + Clone,
{
    let [first, _] = rows;
    let stride = first.len();
    if stride == WHOLE * BLOCK && spread_whole(rows, terms.clone(), matrix).is_some() {
        return;
    }
    let mut rest = rows;
    while let [[_, ..], _] = rest {
        let (terms, [first, _]) = (terms.clone(), rest);
        let left = match first.len() / BLOCK {
            8.. => spread_blocks::<T, 8>(rest, terms, matrix, stride),
            7 => spread_blocks::<T, 7>(rest, terms, matrix, stride),
            3.. => spread_blocks::<T, 3>(rest, terms, matrix, stride),
            _ => spread_blocks::<T, 1>(rest, terms, matrix, stride),
        };
        rest = left.unwrap_or_default();
    }
}

/// All of it in one pass, if these are the rows of a full piece. The loop then has no branch, which
/// keeps all else out of its registers.
#[cfg_attr(not(debug_assertions), inline(always))]
fn spread_whole<T: Float>(
    [first, second]: [&[T]; 2],
    terms: impl IntoIterator<Item = (usize, (T, T))>,
    matrix: &mut [T],
) -> Option<()> {
    let first: [[T; BLOCK]; WHOLE] = *first.as_chunks().0.first_chunk()?;
    let second: [[T; BLOCK]; WHOLE] = *second.as_chunks().0.first_chunk()?;
    let rows: &mut WholeRows<T> = matrix.as_chunks_mut().0.as_chunks_mut().0.try_into().ok()?;
    for (r, (a, b)) in terms {
        let Some(place) = rows.get_mut(r) else { continue };
        let mut sums = *place;
        add_blocks(a, &first, &mut sums);
        add_blocks(b, &second, &mut sums);
        *place = sums;
    }
    Some(())
}

/// Spreads the first blocks of what is left of two rows, and returns what is then left.
#[cfg_attr(not(debug_assertions), inline(always))]
fn spread_blocks<'r, T: Float, const BLOCKS: usize>(
    [first, second]: [&'r [T]; 2],
    terms: impl IntoIterator<Item = (usize, (T, T))>,
    matrix: &mut [T],
    stride: usize,
) -> Option<[&'r [T]; 2]> {
    let start = stride - first.len();
    let first_blocks: [[T; BLOCK]; BLOCKS] = *first.as_chunks().0.first_chunk()?;
    let second_blocks: [[T; BLOCK]; BLOCKS] = *second.as_chunks().0.first_chunk()?;
    for (r, (a, b)) in terms {
        let from = r * stride + start;
        let row = matrix.get_mut(from..from + BLOCKS * BLOCK).unwrap_or_default();
        if let Some(place) = row.as_chunks_mut().0.first_chunk_mut::<BLOCKS>() {
            let mut sums = *place;
            add_blocks(a, &first_blocks, &mut sums);
            add_blocks(b, &second_blocks, &mut sums);
            *place = sums;
        }
    }
    Some([first.get(BLOCKS * BLOCK..)?, second.get(BLOCKS * BLOCK..)?])
}

/// `out[0] ← out[0] + Σ a · matrix[r]` and `out[1] ← out[1] + Σ b · matrix[r]` over the terms
/// `(r, (a, b))`, or from zeros (`fresh`), whatever `out` holds.
///
/// Rows start every `stride` entries; both rows of `out` have one length, a block at least.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn gather_pair<T, I>(
    matrix: &[T],
    stride: usize,
    terms: &I,
    [first, second]: [&mut [T]; 2],
    fresh: bool,
) where
    T: Float,
    I: IntoIterator<Item = (usize, (T, T))> + Clone,
{
    let width = first.len();
    let whole = Pass { matrix, stride, width, start: 0, fresh };
    let rows = [&mut *first, &mut *second];
    if stride == WHOLE * BLOCK && whole.gather_whole(terms.clone(), rows).is_some() {
        return;
    }
    let mut start = 0;
    while (width - start) / BLOCK > 0 {
        let pass = Pass { matrix, stride, width, start, fresh };
        let (terms, out) = (terms.clone(), [&mut *first, &mut *second]);
        start += BLOCK
            * match (width - start) / BLOCK {
                6.. => pass.run_pair::<6>(terms, out),
                3.. => pass.run_pair::<3>(terms, out),
                _ => pass.run_pair::<1>(terms, out),
            };
    }
}

impl<T: Float> Pass<'_, T> {
    /// Returns the number of blocks done. The last pass also takes the ragged end, which overlaps its
    /// neighbour.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn run_pair<const BLOCKS: usize>(
        &self,
        terms: impl IntoIterator<Item = (usize, (T, T))>,
        out: [&mut [T]; 2],
    ) -> usize {
        let _ = match (self.width - self.start).saturating_sub(BLOCKS * BLOCK) {
            0 | BLOCK.. => self.sum_pair::<BLOCKS, 0>(terms, out, |row| self.row(row)),
            _ => self.sum_pair::<BLOCKS, BLOCK>(terms, out, |row| self.row(row)),
        };
        BLOCKS
    }

    /// All of it in one pass, as [`spread_whole`].
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn gather_whole(
        &self,
        terms: impl IntoIterator<Item = (usize, (T, T))>,
        out: [&mut [T]; 2],
    ) -> Option<()> {
        const BLOCKS: usize = WHOLE - 1;
        let rows: &WholeRows<T> = self.matrix.as_chunks().0.as_chunks().0.try_into().ok()?;
        let last = self.width.checked_sub(BLOCK).filter(|&last| last <= BLOCKS * BLOCK)?;
        self.sum_pair::<BLOCKS, BLOCK>(terms, out, |r| {
            let row = rows.get(r)?;
            // Bounded once more, where the compiler sees it: the loop then has no check.
            let end = row.as_flattened().get(last.min(BLOCKS * BLOCK)..)?;
            Some((row.first_chunk()?, end.first_chunk()?))
        })
    }

    /// Some blocks of a row, and its end.
    #[inline(always)]
    fn row<const BLOCKS: usize, const END: usize>(
        &self,
        row: usize,
    ) -> Option<(&[[T; BLOCK]; BLOCKS], &[T; END])> {
        let from = row * self.stride;
        let row = self.matrix.get(from + self.start..from + self.width)?;
        Some((row.as_chunks().0.first_chunk()?, row.last_chunk()?))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sum_pair<'m, const BLOCKS: usize, const END: usize>(
        &self,
        terms: impl IntoIterator<Item = (usize, (T, T))>,
        [first, second]: [&mut [T]; 2],
        row: impl Fn(usize) -> Option<(&'m [[T; BLOCK]; BLOCKS], &'m [T; END])>,
    ) -> Option<()> {
        let first = first.get_mut(self.start..self.width)?;
        let second = second.get_mut(self.start..self.width)?;
        let (mut sums, mut end) = self.begin::<BLOCKS, END>(first)?;
        let (mut second_sums, mut second_end) = self.begin::<BLOCKS, END>(second)?;
        for (r, (a, b)) in terms {
            let Some((blocks, last)) = row(r) else { continue };
            add_blocks(a, blocks, &mut sums);
            add_blocks(b, blocks, &mut second_sums);
            add_block(a, last, &mut end);
            add_block(b, last, &mut second_end);
        }
        *first.as_chunks_mut().0.first_chunk_mut()? = sums;
        *first.last_chunk_mut()? = end;
        *second.as_chunks_mut().0.first_chunk_mut()? = second_sums;
        *second.last_chunk_mut()? = second_end;
        Some(())
    }

    /// What the sums of a row begin with: its blocks and its end, or zeros.
    #[inline(always)]
    fn begin<const BLOCKS: usize, const END: usize>(
        &self,
        out: &[T],
    ) -> Option<([[T; BLOCK]; BLOCKS], [T; END])> {
        if self.fresh {
            return Some(([[T::ZERO; BLOCK]; BLOCKS], [T::ZERO; END]));
        }
        Some((*out.as_chunks().0.first_chunk()?, *out.last_chunk()?))
    }
}
