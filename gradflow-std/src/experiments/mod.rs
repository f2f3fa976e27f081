//! Suites of experiments: what is run, what is expected, and the runs themselves.

mod execute;
mod expect;
mod plan;
mod suites;
mod tune;
mod tuned;

pub use execute::{Options, Watcher, execute};
pub use expect::{Goal, Statistic, judge};
pub use plan::{Plan, Planned};
pub use suites::{SuiteName, plan};
pub use tune::{Choice, candidates, choose};
pub use tuned::Tuned;
