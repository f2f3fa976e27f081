//! `cargo xtask publish`: EXPERIMENTS.md and its figures from finished suites.

use std::ffi::OsString;

use anyhow::Result;

use crate::{experiments, workspace};

const SUITES: [&str; 3] = ["default", "seed", "stability"];

/// Runs the task: `gradflow publish` with the suites below target/experiments, unless the
/// arguments name others.
pub(crate) fn run(args: &[OsString]) -> Result<()> {
    experiments::build()?;
    let command = experiments::gradflow().arg("publish").dir(workspace::root());
    if args.is_empty() {
        let suites = workspace::target().join("experiments");
        return command.args(SUITES.map(|suite| suites.join(suite))).replace();
    }
    command.args(args).replace()
}
