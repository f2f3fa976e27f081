//! Samples as the caller stores them, and the batches drawn from them.

#[cfg(feature = "wide")]
use super::level_rows::{LevelRow, LevelSlices};
use super::sparse_rows::SparseSlices;
use crate::error::{Buffer, Error, Setting};
use crate::float::Float;

/// Inputs of a set of samples, one row a sample.
#[derive(Clone, Copy, Debug)]
pub enum Inputs<'a, T> {
    /// Every entry, row-major, `len × d`.
    Dense(&'a [T]),
    /// The entries that are not zero, of rows with d of them.
    Sparse(SparseSlices<'a, T>),
    /// The same, of at most 256 different values: two bytes an entry.
    #[cfg(feature = "wide")]
    Levels(LevelSlices<'a, T>),
}

/// What the network is to answer.
#[derive(Clone, Copy, Debug)]
pub enum Targets<'a, T> {
    /// Numbers, row-major, `len × k`.
    Values(&'a [T]),
    /// One class a sample, below `k`.
    Labels(&'a [u8]),
}

/// A set of samples over the caller's slices.
#[derive(Clone, Copy, Debug)]
pub struct Samples<'a, T> {
    /// Inputs.
    pub inputs: Inputs<'a, T>,
    /// Targets.
    pub targets: Targets<'a, T>,
}

/// The samples of one step: the whole set, or those with the given indices.
///
/// Samples are identified by their index in the set, so that a stored residual finds its own.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a, T> {
    pub(super) samples: Samples<'a, T>,
    pub(super) order: Option<&'a [u32]>,
    pub(super) len: usize,
}

/// One sample's inputs.
#[derive(Clone, Copy)]
pub(super) enum Row<'a, T> {
    Dense(&'a [T]),
    Sparse(&'a [u16], &'a [T]),
    #[cfg(feature = "wide")]
    Levels(LevelRow<'a, T>),
}

impl<'a, T> Targets<'a, T> {
    /// The numbers, if they are not labels.
    pub(super) fn values(&self) -> &'a [T] {
        match self {
            Self::Values(y) => y,
            Self::Labels(_) => &[],
        }
    }
}

impl<'a, T: Float> Batch<'a, T> {
    /// All `len` samples in their order.
    #[must_use]
    pub const fn all(samples: Samples<'a, T>, len: usize) -> Self {
        Self { samples, order: None, len }
    }

    /// The samples with these indices, in this order.
    #[must_use]
    pub const fn of(samples: Samples<'a, T>, order: &'a [u32]) -> Self {
        Self { samples, order: Some(order), len: order.len() }
    }

    /// Number of samples.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// True if there is no sample.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Index in the set of the batch's sample `i`.
    #[inline(always)]
    pub fn sample(&self, i: usize) -> usize {
        match self.order {
            None => i,
            Some(order) => order.get(i).map_or(usize::MAX, |&sample| sample as usize),
        }
    }

    /// Calls `put` with each place of `out` and its sample's number; `numbers` has one a sample of the set.
    #[inline(always)]
    pub(super) fn gather(&self, numbers: &[T], out: &mut [T], put: impl Fn(&mut T, T)) {
        let places = out.iter_mut().take(self.len);
        match self.order {
            None => places.zip(numbers).for_each(|(place, &number)| put(place, number)),
            Some(order) => {
                for (place, &sample) in places.zip(order) {
                    put(place, numbers.get(sample as usize).copied().unwrap_or_default());
                }
            }
        }
    }

    /// A part of the batch, for work in pieces.
    #[inline(always)]
    pub(super) fn rows(&self, start: usize, len: usize, width: usize) -> Rows<'a, T> {
        Rows { batch: *self, start, len: len.min(self.len.saturating_sub(start)), width }
    }

    /// Checks once what the kernels rely on, so that a bad set is an error and not a zero row.
    pub(super) fn check(&self, inputs: usize, outputs: usize) -> Result<(), Error> {
        if self.is_empty() {
            return Err(Error::OutOfRange { what: Setting::Batch, value: 0.0 });
        }
        let last = match self.order {
            None => self.len - 1,
            Some(order) => order.iter().fold(0, |last, &sample| last.max(sample)) as usize,
        };
        self.samples.check(last, inputs, outputs)
    }
}

impl<'a, T: Float> Samples<'a, T> {
    fn check(&self, last: usize, inputs: usize, outputs: usize) -> Result<(), Error> {
        let len = last
            .checked_add(1)
            .ok_or(Error::OutOfRange { what: Setting::Sample, value: last as f64 })?;
        match self.inputs {
            Inputs::Dense(x) => {
                Error::check_room(Buffer::Inputs, len.saturating_mul(inputs), x.len())?;
            }
            Inputs::Sparse(rows) => check_rows(rows.len(), len, rows.inputs() == inputs)?,
            #[cfg(feature = "wide")]
            Inputs::Levels(rows) => check_rows(rows.len(), len, rows.inputs() == inputs)?,
        }
        match self.targets {
            Targets::Values(y) => {
                Error::check_room(Buffer::Targets, len.saturating_mul(outputs), y.len())
            }
            Targets::Labels(y) => Error::check_room(Buffer::Targets, len, y.len()),
        }
    }

    #[inline(always)]
    pub(super) fn row(&self, sample: usize, width: usize) -> Row<'a, T> {
        match self.inputs {
            Inputs::Dense(x) => {
                Row::Dense(x.get(sample * width..(sample + 1) * width).unwrap_or_default())
            }
            Inputs::Sparse(rows) => {
                let (columns, values) = rows.row(sample);
                Row::Sparse(columns, values)
            }
            #[cfg(feature = "wide")]
            Inputs::Levels(rows) => Row::Levels(rows.row(sample)),
        }
    }
}

/// Refuses too few sparse rows, or some of another width.
fn check_rows(rows: usize, needed: usize, fit: bool) -> Result<(), Error> {
    Error::check_room(Buffer::Inputs, needed, rows)?;
    if !fit {
        return Err(Error::Unsupported(
            "sparse rows must have as many entries as the network has inputs",
        ));
    }
    Ok(())
}

/// Consecutive samples of a batch.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, T> {
    batch: Batch<'a, T>,
    pub(super) start: usize,
    pub(super) len: usize,
    width: usize,
}

impl<'a, T: Float> Rows<'a, T> {
    #[inline(always)]
    pub(super) fn row(&self, i: usize) -> Row<'a, T> {
        self.batch.samples.row(self.batch.sample(self.start + i), self.width)
    }

    #[inline(always)]
    pub(super) fn iter(&self) -> impl Iterator<Item = Row<'a, T>> + Clone {
        let this = *self;
        (0..this.len).map(move |i| this.row(i))
    }

    /// True if these are the batch's first.
    #[inline(always)]
    pub(super) fn begins(&self) -> bool {
        self.start == 0
    }

    /// All inputs of this piece as one dense matrix, if they are stored so.
    #[inline(always)]
    pub(super) fn is_dense(&self) -> bool {
        matches!(self.batch.samples.inputs, Inputs::Dense(_))
    }
}
