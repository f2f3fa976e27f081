//! `cargo xtask summary DIR`: passed on to `gradflow summary`.

use std::ffi::OsString;

use anyhow::Result;

use crate::experiments;

/// Runs the task.
pub(crate) fn run(args: &[OsString]) -> Result<()> {
    experiments::build()?;
    experiments::gradflow().arg("summary").args(args).replace()
}
