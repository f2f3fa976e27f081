//! The sparse inputs of a piece of a batch, by input instead of by sample.

use super::samples::{Row, Rows};
use super::scratch::PIECE;
use crate::float::Float;

/// The first sample of the piece that is transposed, or none is.
pub(super) type Held = Option<usize>;

/// One input's values. Wide kernels look them up without a comparison, for which there are as many as
/// there can be.
#[cfg(feature = "wide")]
type Values<T> = [T; PIECE];
#[cfg(not(feature = "wide"))]
type Values<T> = [T];

/// Where the sparse inputs of a piece are stored, as which they count as not zero, and their values there.
pub(super) struct Transposed<'a, T> {
    /// `d'`, d or the next even number: a bit for each sample.
    pub(super) samples: &'a mut [[u32; 2]],
    /// `d' × s`: each input's values, one for each sample of a piece; without a meaning where the input
    /// is zero, unless [`complete_pairs`](Self::complete_pairs) has made it 0 there.
    pub(super) values: &'a mut [T],
    /// `s`: as many as there are samples in the batch's first piece, or [`PIECE`] for wide kernels.
    pub(super) stride: usize,
}

impl<T: Float> Transposed<'_, T> {
    /// The same memory for a shorter time.
    #[inline(always)]
    pub(super) fn reborrow(&mut self) -> Transposed<'_, T> {
        Transposed { samples: self.samples, values: self.values, stride: self.stride }
    }

    /// Transposes the rows, if they are sparse and not those that are `held`. Not inlined: it needs all
    /// registers for itself.
    #[inline(never)]
    pub(super) fn fill(&mut self, rows: &Rows<'_, T>, held: &mut Held) {
        if rows.is_dense() || *held == Some(rows.start) {
            return;
        }
        *held = Some(rows.start);
        self.samples.fill([0; 2]);
        let (marks, all, stride) = (&mut *self.samples, &mut *self.values, self.stride);
        for (s, row) in rows.iter().enumerate().take(PIECE) {
            let (half, bit) = (s / 32 % 2, 1 << (s % 32));
            let mut put = |i, x| {
                if let (Some(marks), Some(place)) = (marks.get_mut(i), place(all, [i, s], stride)) {
                    if let Some(marks) = marks.get_mut(half) {
                        *marks |= bit;
                    }
                    *place = x;
                }
            };
            match row {
                Row::Dense(_) => return,
                Row::Sparse(columns, values) => {
                    columns.iter().zip(values).for_each(|(&i, &x)| put(usize::from(i), x));
                }
                #[cfg(feature = "wide")]
                Row::Levels(row) => row.terms().for_each(|(i, x)| put(i, x)),
            }
        }
    }

    /// The pairs of inputs that are not both zero everywhere, with the first one's number. Makes the values
    /// of each 0 at the samples at which it is zero; done where the pair is read, since its values then have
    /// to be near anyway.
    #[cfg(feature = "wide")]
    #[inline(always)]
    pub(super) fn complete_pairs(&mut self) -> impl Iterator<Item = (usize, Pairs<'_, T>)> {
        let values = self.values.as_chunks_mut().0.as_chunks_mut::<2>().0;
        let marks = self.samples.as_chunks::<2>().0.iter();
        marks.zip(values).enumerate().filter_map(|(pair, (marks, values))| {
            if *marks == [[0; 2]; 2] {
                return None;
            }
            for (marks, values) in marks.iter().zip(&mut *values) {
                complete(*marks, values);
            }
            Some((2 * pair, Pairs::of(marks, values)))
        })
    }

    /// Completes all pairs, for who has not spread the inputs before.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn complete(&mut self) {
        #[cfg(feature = "wide")]
        self.complete_pairs().for_each(drop);
    }

    /// All pairs of inputs, which have to be complete.
    #[cfg(feature = "wide")]
    #[inline(always)]
    pub(super) fn pairs(&self) -> impl Iterator<Item = Pairs<'_, T>> {
        let values = self.values.as_chunks().0.as_chunks::<2>().0;
        let marks = self.samples.as_chunks::<2>().0.iter();
        marks.zip(values).map(|(marks, values)| Pairs::of(marks, values))
    }

    /// The samples at which input `i` is not zero, and its values there.
    #[inline(always)]
    pub(super) fn terms(&self, i: usize) -> Option<Terms<'_, T>> {
        Some(Terms { samples: self.bits(i)?, values: self.row(i)? })
    }

    #[inline(always)]
    fn bits(&self, i: usize) -> Option<u64> {
        Some(bits_of(self.samples.get(i)?))
    }

    #[inline(always)]
    fn row(&self, i: usize) -> Option<&Values<T>> {
        let row = self.values.get(i * self.stride..(i + 1) * self.stride)?;
        #[cfg(feature = "wide")]
        let row = row.first_chunk()?;
        Some(row)
    }
}

/// A bit for each sample.
#[inline(always)]
fn bits_of(&[low, high]: &[u32; 2]) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// Zeros for the samples without a mark.
#[cfg(feature = "wide")]
#[inline(always)]
fn complete<T: Float>(marks: [u32; 2], values: &mut Values<T>) {
    for (marks, values) in marks.iter().zip(values.as_chunks_mut::<32>().0) {
        for (s, x) in values.iter_mut().enumerate() {
            *x = if marks & 1 << s != 0 { *x } else { T::ZERO };
        }
    }
}

/// Where input `i` of sample `s` stands. Wide kernels need no multiplication to find it.
#[inline(always)]
fn place<T>(values: &mut [T], [i, s]: [usize; 2], stride: usize) -> Option<&mut T> {
    if cfg!(feature = "wide") {
        return values.as_chunks_mut::<PIECE>().0.get_mut(i)?.get_mut(s);
    }
    values.get_mut(i * stride + s)
}

/// Samples of a piece in ascending order, and one input's values.
#[derive(Clone)]
pub(super) struct Terms<'a, T> {
    pub(super) samples: u64,
    values: &'a Values<T>,
}

impl<T: Float> Iterator for Terms<'_, T> {
    type Item = (usize, T);

    #[inline(always)]
    fn next(&mut self) -> Option<(usize, T)> {
        let s = next_of(&mut self.samples)?;
        Some((s, *self.values.get(s)?))
    }
}

/// The same of two inputs; a value is 0 where its own input is.
#[cfg(feature = "wide")]
#[derive(Clone)]
pub(super) struct Pairs<'a, T> {
    pub(super) samples: u64,
    values: &'a [Values<T>; 2],
}

#[cfg(feature = "wide")]
impl<'a, T> Pairs<'a, T> {
    #[inline(always)]
    fn of([first, second]: &[[u32; 2]; 2], values: &'a [Values<T>; 2]) -> Self {
        Self { samples: bits_of(first) | bits_of(second), values }
    }
}

#[cfg(feature = "wide")]
impl<T: Float> Iterator for Pairs<'_, T> {
    type Item = (usize, (T, T));

    #[inline(always)]
    fn next(&mut self) -> Option<(usize, (T, T))> {
        let s = next_of(&mut self.samples)?;
        let [first, second] = self.values;
        Some((s, (*first.get(s)?, *second.get(s)?)))
    }
}

/// Takes out the lowest bit.
#[inline(always)]
fn next_of(bits: &mut u64) -> Option<usize> {
    if *bits == 0 {
        return None;
    }
    let next = bits.trailing_zeros() as usize;
    *bits &= *bits - 1;
    Some(next)
}
