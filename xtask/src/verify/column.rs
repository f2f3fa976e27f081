//! One way to run the programme, and what came of it.

use anyhow::{Context, Result};

use super::compare::Digests;

/// What a column of the table must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// The same bits.
    Equal,
    /// Other bits: it was asked for.
    Different,
}

/// A column of the table.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) expected: Expected,
    pub(super) digests: Digests,
}

impl Column {
    /// The column of what a target printed.
    pub(super) fn of(name: &str, expected: Expected, text: &str) -> Result<Self> {
        let digests = Digests::read(text).with_context(|| format!("what {name} printed"))?;
        Ok(Self { name: name.to_string(), expected, digests })
    }
}
