//! How a data set keeps its numbers.

use gradflow_core::network::{LevelEntry, LevelRows};

use super::DataError;

/// Inputs of all samples.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Rows<T> {
    /// Row-major, `len × d`.
    Dense(Vec<T>),
    /// What is not zero, as levels.
    Levels(Levels<T>),
}

/// Compressed rows that own their arrays.
pub(super) type Levels<T> = LevelRows<Vec<u32>, Vec<LevelEntry>, Box<[T; 256]>>;

/// Targets of all samples.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answers<T> {
    /// Row-major, `len × k`.
    Values(Vec<T>),
    /// One class a sample.
    Labels(Vec<u8>),
}

impl<T: Clone> Rows<T> {
    /// The rows before `at` and the rows from there on, each of `inputs` entries.
    ///
    /// # Errors
    /// As [`levels`]: none, since the rows have been checked.
    pub(super) fn split(self, at: usize, inputs: usize) -> Result<(Self, Self), DataError> {
        let rows = match self {
            Self::Dense(mut x) => {
                let rest = x.split_off(at * inputs);
                return Ok((Self::Dense(x), Self::Dense(rest)));
            }
            Self::Levels(rows) => rows,
        };
        let (mut starts, mut entries, values) = rows.into_parts();
        let base = starts.get(at).copied().unwrap_or_default();
        let rest_starts = starts.iter().skip(at).map(|start| start - base).collect();
        starts.truncate(at + 1);
        let rest_entries = entries.split_off(base as usize);
        let rest = levels(inputs, rest_starts, rest_entries, values.clone())?;
        let rows = levels(inputs, starts, entries, values)?;
        Ok((Self::Levels(rows), Self::Levels(rest)))
    }
}

/// Appends the entry of a column to a row whose last one is `last`, 0 if there is none. Level 0 is zero.
#[inline]
pub(crate) fn push_level(
    entries: &mut Vec<LevelEntry>,
    mut last: usize,
    (column, level): (usize, u8),
) {
    while column - last > 255 {
        entries.push([255, 0]);
        last += 255;
    }
    entries.push([(column - last) as u8, level]);
}

/// Checked rows.
///
/// # Errors
/// As [`LevelRows::new`].
pub(super) fn levels<T>(
    inputs: usize,
    starts: Vec<u32>,
    entries: Vec<LevelEntry>,
    values: Box<[T; 256]>,
) -> Result<Levels<T>, DataError> {
    LevelRows::new(inputs, starts, entries, values)
        .map_err(|error| DataError::Unsuitable(error.to_string()))
}

impl<T> Answers<T> {
    /// Number of samples, if each has `outputs` values.
    pub(super) fn len(&self, outputs: usize) -> usize {
        match self {
            Self::Values(y) => y.len().checked_div(outputs).unwrap_or(0),
            Self::Labels(y) => y.len(),
        }
    }

    /// The targets of the samples before `at`, and those from there on.
    pub(super) fn split(mut self, at: usize, outputs: usize) -> (Self, Self) {
        let rest = match &mut self {
            Self::Values(y) => Self::Values(y.split_off(at * outputs)),
            Self::Labels(y) => Self::Labels(y.split_off(at)),
        };
        (self, rest)
    }
}
