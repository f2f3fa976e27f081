//! Reports from the files of a suite: tables for the terminal and for Markdown, and one HTML page.

mod cells;
mod columns;
mod html;
mod metrics;
mod plain;
mod spread;
mod suite;
mod summary;
mod table;
#[cfg(test)]
mod tests;

pub use columns::Columns;
pub use html::write_html;
pub use metrics::{Audit, Expectation, Facts, Metric, Metrics};
pub use plain::{markdown, terminal};
pub use spread::Spread;
pub use suite::{Group, Run, Suite, family};
pub(crate) use table::Table;
