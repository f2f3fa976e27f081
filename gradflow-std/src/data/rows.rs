//! How a data set keeps its numbers.

use gradflow_core::network::SparseRows;

use super::DataError;

/// Inputs of all samples.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Rows<T> {
    /// Row-major, `len × d`.
    Dense(Vec<T>),
    /// What is not zero.
    Sparse(Sparse<T>),
}

/// Compressed rows that own their arrays.
pub(super) type Sparse<T> = SparseRows<Vec<u32>, Vec<u16>, Vec<T>>;

/// Targets of all samples.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answers<T> {
    /// Row-major, `len × k`.
    Values(Vec<T>),
    /// One class a sample.
    Labels(Vec<u8>),
}

impl<T> Rows<T> {
    /// The rows before `at` and the rows from there on, each of `inputs` entries.
    ///
    /// # Errors
    /// As [`sparse`]: none, since the rows have been checked.
    pub(super) fn split(self, at: usize, inputs: usize) -> Result<(Self, Self), DataError> {
        let rows = match self {
            Self::Dense(mut x) => {
                let rest = x.split_off(at * inputs);
                return Ok((Self::Dense(x), Self::Dense(rest)));
            }
            Self::Sparse(rows) => rows,
        };
        let (mut starts, mut columns, mut values) = rows.into_parts();
        let base = starts.get(at).copied().unwrap_or_default();
        let rest_starts = starts.iter().skip(at).map(|start| start - base).collect();
        starts.truncate(at + 1);
        let rest_columns = columns.split_off(base as usize);
        let rest_values = values.split_off(base as usize);
        let rest = sparse(inputs, rest_starts, rest_columns, rest_values)?;
        let rows = sparse(inputs, starts, columns, values)?;
        Ok((Self::Sparse(rows), Self::Sparse(rest)))
    }
}

/// Checked rows.
///
/// # Errors
/// As [`SparseRows::new`].
pub(super) fn sparse<T>(
    inputs: usize,
    starts: Vec<u32>,
    columns: Vec<u16>,
    values: Vec<T>,
) -> Result<Sparse<T>, DataError> {
    SparseRows::new(inputs, starts, columns, values)
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
