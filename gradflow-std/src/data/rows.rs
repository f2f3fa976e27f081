//! How a data set keeps its numbers.

use gradflow_core::Float;

/// Inputs of all samples.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Rows<T> {
    /// Row-major, `len × d`.
    Dense(Vec<T>),
    /// What is not zero.
    Sparse(Sparse<T>),
}

/// Compressed rows; see the core's `Inputs::Sparse`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sparse<T> {
    pub(super) starts: Vec<u32>,
    pub(super) columns: Vec<u16>,
    pub(super) values: Vec<T>,
}

/// Targets of all samples.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answers<T> {
    /// Row-major, `len × k`.
    Values(Vec<T>),
    /// One class a sample.
    Labels(Vec<u8>),
}

impl<T: Float> Sparse<T> {
    /// No row yet.
    pub(super) fn new() -> Self {
        Self { starts: vec![0], columns: Vec::new(), values: Vec::new() }
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Columns and values of one row.
    pub(super) fn row(&self, sample: usize) -> impl Iterator<Item = (u16, T)> {
        let range = match (self.starts.get(sample), self.starts.get(sample + 1)) {
            (Some(&start), Some(&end)) => start as usize..end as usize,
            _ => 0..0,
        };
        let columns = self.columns.get(range.clone()).unwrap_or_default();
        let values = self.values.get(range).unwrap_or_default();
        columns.iter().copied().zip(values.iter().copied())
    }

    /// Removes the rows from `at` on and returns them.
    pub(super) fn split_off(&mut self, at: usize) -> Self {
        let base = self.starts.get(at).copied().unwrap_or_default();
        let starts = self.starts.iter().skip(at).map(|start| start - base);
        let rest = Self {
            starts: starts.collect(),
            columns: self.columns.split_off(base as usize),
            values: self.values.split_off(base as usize),
        };
        self.starts.truncate(at + 1);
        rest
    }
}

impl<T> Answers<T> {
    /// Number of samples, if each has `outputs` values.
    pub(super) fn len(&self, outputs: usize) -> usize {
        match self {
            Self::Values(y) => y.len().checked_div(outputs).unwrap_or(0),
            Self::Labels(y) => y.len(),
        }
    }
}
