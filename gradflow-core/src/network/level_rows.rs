//! Sparse inputs of at most 256 different values, such as pixels, in two bytes an entry.

use core::borrow::Borrow;

use super::sparse_rows::{all_rows, span};
use crate::error::Error;

/// A step from the column of the row's entry before, and the number of a value.
///
/// The first step is from column 0 and may be 0, all others are at least 1. What lies more than 255 columns
/// away is reached by entries of value 0 on the way, for which the table needs a 0.
pub type LevelEntry = [u8; 2];

/// Compressed rows over the caller's arrays, whose values are entries of a table. Row `i` spans
/// `starts[i] .. starts[i+1]` of `entries`.
///
/// They are checked when they are made, so that no step has to. The first row may start anywhere, what lies
/// behind the last one is not read, and an entry's value may be 0. An entry takes two bytes, where
/// [`SparseRows`](super::SparseRows) take six in f32: less to read where the samples do not fit the caches.
/// Only with the feature `wide`.
///
/// ```
/// use gradflow_core::network::LevelRows;
/// // [0 0.2 0 0] and [1 0 0 0.6]
/// let values = core::array::from_fn(|level| level as f32 / 5.0);
/// let rows = LevelRows::new(4, [0, 1, 3], [[1, 1], [0, 5], [3, 3]], &values)?;
/// assert!(rows.as_slices().row(1).terms().eq([(0, 1.0), (3, 0.6)]));
/// assert!(LevelRows::new(4, [0, 2], [[2, 1], [2, 1]], &values).is_err());
/// # Ok::<(), gradflow_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelRows<S, E, V> {
    inputs: usize,
    starts: S,
    entries: E,
    values: V,
}

/// Rows of levels that are borrowed.
pub type LevelSlices<'a, T> = LevelRows<&'a [u32], &'a [LevelEntry], &'a [T; 256]>;

impl<S: AsRef<[u32]>, E: AsRef<[LevelEntry]>, V> LevelRows<S, E, V> {
    /// Rows of `inputs` entries: one offset more than rows in `starts`, and the table of values.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for offsets that descend or leave the array, and for rows that do not ascend
    /// or leave the inputs.
    pub fn new(inputs: usize, starts: S, entries: E, values: V) -> Result<Self, Error> {
        let rows = Self { inputs, starts, entries, values };
        let fit = |entries: &[LevelEntry]| ascend_below(inputs, entries);
        if !all_rows(rows.starts.as_ref(), rows.entries.as_ref(), fit) {
            return Err(Error::Unsupported(
                "a row of levels must lie in its array, and its columns ascend and be inputs",
            ));
        }
        Ok(rows)
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.as_ref().len().saturating_sub(1)
    }

    /// True if there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Entries of a row, zeros included.
    #[must_use]
    pub const fn inputs(&self) -> usize {
        self.inputs
    }

    /// The same rows, borrowed.
    #[must_use]
    pub fn as_slices<T>(&self) -> LevelSlices<'_, T>
    where
        V: Borrow<[T; 256]>,
    {
        LevelRows {
            inputs: self.inputs,
            starts: self.starts.as_ref(),
            entries: self.entries.as_ref(),
            values: self.values.borrow(),
        }
    }

    /// The arrays `(starts, entries, values)`.
    #[must_use]
    pub fn into_parts(self) -> (S, E, V) {
        (self.starts, self.entries, self.values)
    }
}

impl<'a, T> LevelSlices<'a, T> {
    /// The table of values.
    pub(super) const fn values(self) -> &'a [T; 256] {
        self.values
    }

    /// Row `i`; an empty one if there is no such row.
    #[inline(always)]
    #[must_use]
    pub fn row(self, i: usize) -> LevelRow<'a, T> {
        let entries = self.entries.get(span(self.starts, i)).unwrap_or_default();
        LevelRow { entries, values: self.values }
    }
}

/// One row of levels.
#[derive(Clone, Copy, Debug)]
pub struct LevelRow<'a, T> {
    entries: &'a [LevelEntry],
    values: &'a [T; 256],
}

impl<'a, T> LevelRow<'a, T> {
    /// Steps and numbers of values.
    #[inline(always)]
    #[must_use]
    pub const fn entries(self) -> &'a [LevelEntry] {
        self.entries
    }

    /// Its columns, which ascend, and their values.
    #[inline(always)]
    pub fn terms(self) -> impl Iterator<Item = (usize, T)> + Clone + use<'a, T>
    where
        T: Copy + Default,
    {
        let Self { entries, values } = self;
        entries.iter().scan(0, move |column, &[step, level]| {
            *column += usize::from(step);
            Some((*column, values.get(usize::from(level)).copied().unwrap_or_default()))
        })
    }
}

/// True if no step but the first is 0, and all together end below `inputs`.
fn ascend_below(inputs: usize, entries: &[LevelEntry]) -> bool {
    let Some(([first, _], rest)) = entries.split_first() else { return true };
    let (mut last, mut ascend) = (usize::from(*first), true);
    for &[step, _] in rest {
        last = last.saturating_add(usize::from(step));
        ascend &= step > 0;
    }
    ascend && last < inputs
}
