//! Reports from the files of a suite: tables for the terminal and for Markdown, and one HTML page.

mod columns;
mod metrics;
mod spread;
mod suite;

pub use columns::Columns;
pub use metrics::{Audit, Expectation, Facts, Metric, Metrics};
pub use spread::Spread;
pub use suite::{Group, Run, Suite, family};
