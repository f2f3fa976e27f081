//! The one kernel of the network: a weighted sum of rows of a matrix, kept in registers.

use super::LANES;
use crate::float::Float;

/// Most blocks of eight columns that one pass keeps in registers. Wider rows take several
/// passes; the number changes no bit.
const WIDEST: usize = if cfg!(target_arch = "wasm32") { 4 } else { 12 };

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
    weigh_rows(matrix, terms, out, false);
}

/// The same, or from zeros (`fresh`), whatever `out` holds.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn weigh_rows<T, I>(matrix: &[T], terms: I, out: &mut [T], fresh: bool)
where
    T: Float,
    I: IntoIterator<Item = (usize, T)> + Clone,
{
    let width = out.len();
    if width < LANES {
        if fresh {
            out.fill(T::ZERO);
        }
        return add_short_rows(matrix, terms, out);
    }
    let ragged = !width.is_multiple_of(LANES);
    let mut start = 0;
    loop {
        let blocks = (width - start) / LANES;
        let pass = Pass { matrix, width, start, fresh };
        let terms = terms.clone();
        // The last pass also takes the ragged end, as one more block that overlaps its neighbour.
        start += LANES
            * match blocks {
                12.. if WIDEST >= 12 => pass.run::<12>(ragged && blocks == 12, terms, out),
                8.. if WIDEST >= 8 => pass.run::<8>(ragged && blocks == 8, terms, out),
                4.. => pass.run::<4>(ragged && blocks == 4, terms, out),
                2.. => pass.run::<2>(ragged && blocks == 2, terms, out),
                1 => pass.run::<1>(ragged, terms, out),
                _ => return,
            };
    }
}

#[cfg_attr(not(debug_assertions), inline(always))]
fn add_short_rows<T: Float>(
    matrix: &[T],
    terms: impl IntoIterator<Item = (usize, T)>,
    out: &mut [T],
) {
    let width = out.len();
    for (row, c) in terms {
        if let Some(row) = matrix.get(row * width..(row + 1) * width) {
            super::axpy(c, row, out);
        }
    }
}

/// One pass over the terms for some of the columns.
struct Pass<'a, T> {
    matrix: &'a [T],
    width: usize,
    start: usize,
    fresh: bool,
}

impl<T: Float> Pass<'_, T> {
    /// Returns the number of blocks done.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn run<const BLOCKS: usize>(
        &self,
        ragged: bool,
        terms: impl IntoIterator<Item = (usize, T)>,
        out: &mut [T],
    ) -> usize {
        let _ = if ragged {
            self.with_end::<BLOCKS>(terms, out)
        } else {
            self.blocks::<BLOCKS>(terms, out)
        };
        BLOCKS
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn blocks<const BLOCKS: usize>(
        &self,
        terms: impl IntoIterator<Item = (usize, T)>,
        out: &mut [T],
    ) -> Option<()> {
        let out = out.get_mut(self.start..)?.as_chunks_mut().0.first_chunk_mut::<BLOCKS>()?;
        let mut sums: [[T; LANES]; BLOCKS] = *out;
        if self.fresh {
            sums = [[T::ZERO; LANES]; BLOCKS];
        }
        for (row, c) in terms {
            let Some(row) = self.matrix.get(row * self.width + self.start..) else {
                continue;
            };
            let Some(row) = row.as_chunks().0.first_chunk::<BLOCKS>() else {
                continue;
            };
            add_blocks(c, row, &mut sums);
        }
        *out = sums;
        Some(())
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn with_end<const BLOCKS: usize>(
        &self,
        terms: impl IntoIterator<Item = (usize, T)>,
        out: &mut [T],
    ) -> Option<()> {
        let out = out.get_mut(self.start..self.width)?;
        let mut sums: [[T; LANES]; BLOCKS] = *out.as_chunks().0.first_chunk()?;
        let mut end: [T; LANES] = *out.last_chunk()?;
        if self.fresh {
            (sums, end) = ([[T::ZERO; LANES]; BLOCKS], [T::ZERO; LANES]);
        }
        for (row, c) in terms {
            let first = row * self.width;
            let Some(row) = self.matrix.get(first + self.start..first + self.width) else {
                continue;
            };
            let (Some(blocks), Some(last)) =
                (row.as_chunks().0.first_chunk::<BLOCKS>(), row.last_chunk::<LANES>())
            else {
                continue;
            };
            add_blocks(c, blocks, &mut sums);
            add_blocks(c, &[*last], core::array::from_mut(&mut end));
        }
        *out.as_chunks_mut().0.first_chunk_mut()? = sums;
        *out.last_chunk_mut()? = end;
        Some(())
    }
}

#[cfg_attr(not(debug_assertions), inline(always))]
fn add_blocks<T: Float, const BLOCKS: usize>(
    c: T,
    row: &[[T; LANES]; BLOCKS],
    sums: &mut [[T; LANES]; BLOCKS],
) {
    // Written out, so that four blocks stay in registers even where loops are not unrolled.
    if let ([a, b, d, e], [row_a, row_b, row_d, row_e]) = (sums.as_mut_slice(), row.as_slice()) {
        add_block(c, row_a, a);
        add_block(c, row_b, b);
        add_block(c, row_d, d);
        add_block(c, row_e, e);
        return;
    }
    for (sum, row) in sums.iter_mut().zip(row) {
        add_block(c, row, sum);
    }
}

#[cfg_attr(not(debug_assertions), inline(always))]
fn add_block<T: Float>(c: T, row: &[T; LANES], sums: &mut [T; LANES]) {
    for (sum, &entry) in sums.iter_mut().zip(row) {
        *sum += c * entry;
    }
}
