//! Inputs of which only the entries that are not zero are stored.

use core::ops::Range;

use crate::error::{Buffer, Error};

/// Compressed rows over the caller's arrays. Row `i` spans `starts[i] .. starts[i+1]` of `columns`
/// and `values`.
///
/// They are checked when they are made, so that no step has to: kernels rely on ascending columns. The
/// first row may start anywhere, what lies behind the last one is not read, and a stored value may be 0.
///
/// ```
/// use gradflow_core::network::SparseRows;
/// // [0 5 0 0] and [1 0 0 2]
/// let rows = SparseRows::new(4, [0, 1, 3], [1, 0, 3], [5.0, 1.0, 2.0])?;
/// assert_eq!(rows.as_slices().row(1), (&[0, 3][..], &[1.0, 2.0][..]));
/// assert!(SparseRows::new(4, [0, 2], [3, 0], [2.0, 1.0]).is_err());
/// # Ok::<(), gradflow_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SparseRows<S, C, V> {
    inputs: usize,
    starts: S,
    columns: C,
    values: V,
}

/// Compressed rows that are borrowed.
pub type SparseSlices<'a, T> = SparseRows<&'a [u32], &'a [u16], &'a [T]>;

impl<S: AsRef<[u32]>, C: AsRef<[u16]>, V> SparseRows<S, C, V> {
    /// Rows of `inputs` entries: one offset more than rows in `starts`, and for each entry that is
    /// not zero its column, from 0, and its value.
    ///
    /// # Errors
    /// [`Error::Length`] if there are not as many values as columns; [`Error::Unsupported`] for offsets
    /// that descend or leave the arrays, and for rows whose columns do not ascend or are not below
    /// `inputs`.
    pub fn new<T>(inputs: usize, starts: S, columns: C, values: V) -> Result<Self, Error>
    where
        V: AsRef<[T]>,
    {
        let rows = Self { inputs, starts, columns, values };
        let entries = rows.columns.as_ref().len();
        Error::check_length(Buffer::Inputs, entries, rows.values.as_ref().len())?;
        let fit = |columns: &[u16]| ascend_below(inputs, columns);
        if !all_rows(rows.starts.as_ref(), rows.columns.as_ref(), fit) {
            return Err(Error::Unsupported(
                "a sparse row must lie in its arrays, and its columns ascend and be inputs",
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
    pub fn as_slices<T>(&self) -> SparseSlices<'_, T>
    where
        V: AsRef<[T]>,
    {
        SparseRows {
            inputs: self.inputs,
            starts: self.starts.as_ref(),
            columns: self.columns.as_ref(),
            values: self.values.as_ref(),
        }
    }

    /// The arrays `(starts, columns, values)`.
    #[must_use]
    pub fn into_parts(self) -> (S, C, V) {
        (self.starts, self.columns, self.values)
    }
}

impl<'a, T> SparseSlices<'a, T> {
    /// Columns and values of row `i`; nothing if there is no such row.
    #[inline(always)]
    #[must_use]
    pub fn row(self, i: usize) -> (&'a [u16], &'a [T]) {
        let span = span(self.starts, i);
        let columns = self.columns.get(span.clone()).unwrap_or_default();
        (columns, self.values.get(span).unwrap_or_default())
    }
}

/// The places of row `i` in the arrays; none if there is no such row.
#[inline(always)]
pub(super) fn span(starts: &[u32], i: usize) -> Range<usize> {
    let bounds = starts.get(i..).and_then(<[u32]>::first_chunk);
    bounds.map_or(0..0, |&[start, end]| start as usize..end as usize)
}

/// True if all rows lie in the array, and `fit`.
pub(super) fn all_rows<E>(starts: &[u32], entries: &[E], fit: impl Fn(&[E]) -> bool) -> bool {
    (0..starts.len()).all(|i| entries.get(span(starts, i)).is_some_and(&fit))
}

/// True if each column is larger than the one before, and the last is below `inputs`.
fn ascend_below(inputs: usize, columns: &[u16]) -> bool {
    let next = columns.get(1..).unwrap_or_default();
    let ascend = columns.iter().zip(next).fold(true, |ascend, (a, b)| ascend & (a < b));
    ascend && columns.last().is_none_or(|&last| usize::from(last) < inputs)
}
