//! The one kernel of the network: a weighted sum of rows of a matrix, kept in registers.

use super::LANES;
use crate::float::Float;

/// Columns of a block: what the widest registers hold, where a caller compiles for them.
pub(crate) const BLOCK: usize = if cfg!(feature = "wide") { 2 * LANES } else { LANES };

/// Most blocks that one pass keeps in registers. Wider rows take several passes; neither number
/// changes a bit.
const WIDEST: usize = if cfg!(target_arch = "wasm32") { 4 } else { 12 * LANES / BLOCK };

/// `out ← out + Σ cₜ · matrix[rₜ]` over the terms `(rₜ, cₜ)` in their order.
///
/// `matrix` has rows of `out.len()` entries. Terms that name a row outside it are skipped.
///
/// ```
/// use gradflow_core::linalg::add_rows;
/// let mut out = [1.0, 0.0];
/// add_rows(&[1.0, 2.0, 3.0, 4.0], [(0, 1.0), (1, 10.0)], &mut out);
/// assert_eq!(out, [32.0, 42.0]);
/// ```
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn add_rows<T, I>(matrix: &[T], terms: I, out: &mut [T])
where
    T: Float,
    I: IntoIterator<Item = (usize, T)> + Clone,
{
    weigh_rows(matrix, out.len(), terms, out, false);
}

/// The same of rows that start every `stride` entries, or from zeros (`fresh`), whatever `out` holds.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn weigh_rows<T, I>(matrix: &[T], stride: usize, terms: I, out: &mut [T], fresh: bool)
where
    T: Float,
    I: IntoIterator<Item = (usize, T)> + Clone,
{
    let width = out.len();
    if width < BLOCK {
        if fresh {
            out.fill(T::ZERO);
        }
        return add_short_rows(matrix, stride, terms, out);
    }
    let mut start = 0;
    while (width - start) / BLOCK > 0 {
        let pass = Pass { matrix, stride, width, start, fresh };
        let terms = terms.clone();
        start += BLOCK
            * match (width - start) / BLOCK {
                12.. if WIDEST >= 12 => pass.run::<12>(terms, out),
                8.. if WIDEST >= 8 => pass.run::<8>(terms, out),
                6.. if WIDEST == 6 => pass.run::<6>(terms, out),
                4.. => pass.run::<4>(terms, out),
                2.. => pass.run::<2>(terms, out),
                _ => pass.run::<1>(terms, out),
            };
    }
}

#[cfg_attr(not(debug_assertions), inline(always))]
fn add_short_rows<T: Float>(
    matrix: &[T],
    stride: usize,
    terms: impl IntoIterator<Item = (usize, T)>,
    out: &mut [T],
) {
    for (row, c) in terms {
        if let Some(row) = matrix.get(row * stride..row * stride + out.len()) {
            super::axpy(c, row, out);
        }
    }
}

/// One pass over the terms for some of the columns.
pub(super) struct Pass<'a, T> {
    pub(super) matrix: &'a [T],
    pub(super) stride: usize,
    pub(super) width: usize,
    pub(super) start: usize,
    pub(super) fresh: bool,
}

impl<T: Float> Pass<'_, T> {
    /// Returns the number of blocks done. The last pass also takes the ragged end, as one more block
    /// that overlaps its neighbour, and is no wider than it has to be.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn run<const BLOCKS: usize>(
        &self,
        terms: impl IntoIterator<Item = (usize, T)>,
        out: &mut [T],
    ) -> usize {
        const HALF: usize = BLOCK / 2;
        const QUARTER: usize = BLOCK / 4;
        let _ = match (self.width - self.start).saturating_sub(BLOCKS * BLOCK) {
            0 | BLOCK.. => self.sum::<BLOCKS, 0>(terms, out),
            1..=QUARTER if BLOCK > LANES => self.sum::<BLOCKS, QUARTER>(terms, out),
            1..=HALF if BLOCK > LANES => self.sum::<BLOCKS, HALF>(terms, out),
            _ => self.sum::<BLOCKS, BLOCK>(terms, out),
        };
        BLOCKS
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sum<const BLOCKS: usize, const END: usize>(
        &self,
        terms: impl IntoIterator<Item = (usize, T)>,
        out: &mut [T],
    ) -> Option<()> {
        let out = out.get_mut(self.start..self.width)?;
        let mut sums: [[T; BLOCK]; BLOCKS] = *out.as_chunks().0.first_chunk()?;
        let mut end: [T; END] = *out.last_chunk()?;
        if self.fresh {
            (sums, end) = ([[T::ZERO; BLOCK]; BLOCKS], [T::ZERO; END]);
        }
        for (row, c) in terms {
            let first = row * self.stride;
            let Some(row) = self.matrix.get(first + self.start..first + self.width) else {
                continue;
            };
            let (Some(blocks), Some(last)) =
                (row.as_chunks().0.first_chunk::<BLOCKS>(), row.last_chunk::<END>())
            else {
                continue;
            };
            add_blocks(c, blocks, &mut sums);
            add_block(c, last, &mut end);
        }
        *out.as_chunks_mut().0.first_chunk_mut()? = sums;
        *out.last_chunk_mut()? = end;
        Some(())
    }
}

/// `sums ← sums + c · row`, block by block.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn add_blocks<T: Float, const BLOCKS: usize>(
    c: T,
    row: &[[T; BLOCK]; BLOCKS],
    sums: &mut [[T; BLOCK]; BLOCKS],
) {
    // Written out: of a loop over blocks the compiler may take one entry of each at a time.
    let (mut row, mut sums) = (row.as_slice(), sums.as_mut_slice());
    macro_rules! next_block {
        ($($turn:literal)+) => {
            $(
                let _: u8 = $turn;
                let ([block, blocks @ ..], [sum, others @ ..]) = (row, sums) else { return };
                add_block(c, block, sum);
                (row, sums) = (blocks, others);
            )+
        };
    }
    next_block!(1 2 3 4 5 6 7 8 9 10 11 12);
    let _ = (row, sums);
}

#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn add_block<T: Float, const N: usize>(c: T, row: &[T; N], sums: &mut [T; N]) {
    for (sum, &entry) in sums.iter_mut().zip(row) {
        *sum += c * entry;
    }
}
