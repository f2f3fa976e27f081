//! The kernel of [`rows`](super::rows) for two rows at a time, for a caller that is compiled for wide
//! registers: what both read or write is loaded and stored once, and every sum keeps its order.

use super::rows::{BLOCK, Pass, add_block, add_blocks};
use crate::float::Float;

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
        let place = matrix.get_mut(r * stride + start..).and_then(|row| {
            let blocks = row.as_chunks_mut().0;
            blocks.first_chunk_mut::<BLOCKS>()
        });
        if let Some(place) = place {
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
            0 | BLOCK.. => self.sum_pair::<BLOCKS, 0>(terms, out),
            _ => self.sum_pair::<BLOCKS, BLOCK>(terms, out),
        };
        BLOCKS
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sum_pair<const BLOCKS: usize, const END: usize>(
        &self,
        terms: impl IntoIterator<Item = (usize, (T, T))>,
        [first, second]: [&mut [T]; 2],
    ) -> Option<()> {
        let first = first.get_mut(self.start..self.width)?;
        let second = second.get_mut(self.start..self.width)?;
        let (mut sums, mut end) = self.begin::<BLOCKS, END>(first)?;
        let (mut second_sums, mut second_end) = self.begin::<BLOCKS, END>(second)?;
        for (row, (a, b)) in terms {
            let from = row * self.stride;
            let Some(row) = self.matrix.get(from + self.start..from + self.width) else {
                continue;
            };
            let (Some(blocks), Some(last)) =
                (row.as_chunks().0.first_chunk::<BLOCKS>(), row.last_chunk::<END>())
            else {
                continue;
            };
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
