//! The tables as text.

use std::path::Path;

use anyhow::Result;

use super::suite::Suite;
use super::summary::Summary;
use super::table::escape;

/// The tables of the suite in `dir`, for a terminal.
///
/// # Errors
/// If a file of the suite is missing or damaged; the message names it.
pub fn terminal(dir: &Path) -> Result<String> {
    let summary = Summary::of(&Suite::read(dir)?);
    let tables: Vec<_> = summary.tables.iter().map(|(_, table)| table.terminal()).collect();
    Ok(format!("{}\n\n{}\n{}\n", summary.head, tables.join("\n"), summary.verdicts.join("\n")))
}

/// The same in Markdown, to be put under a heading of the second level.
///
/// # Errors
/// If a file of the suite is missing or damaged; the message names it.
pub fn markdown(dir: &Path) -> Result<String> {
    let summary = Summary::of(&Suite::read(dir)?);
    let tables: Vec<_> = summary.tables.iter().map(|(_, table)| table.markdown()).collect();
    let verdicts: Vec<_> =
        summary.verdicts.iter().map(|line| format!("- {}", escape(line))).collect();
    Ok(format!("{}\n\n{}\n{}\n", escape(&summary.head), tables.join("\n"), verdicts.join("\n")))
}
