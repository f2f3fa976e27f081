//! Speed, measured beside others.
//!
//! Every program that is measured, this one included, is a process of its own that does one case a
//! line (`protocol.rs`), so that rounds of all of them are interleaved: whatever else the machine is
//! doing hits them alike. What is kept is the median over the rounds, after a round that is thrown
//! away.

mod cases;
mod claims;
mod clock;
mod counting;
mod own_work;
mod program;
mod protocol;
mod results;
mod rounds;
mod serve;
mod tables;

pub use counting::{Problem, count, count_own_work};
pub use program::Program;
pub use protocol::{Hello, Timing};
pub use results::{Measured, Results, Series};
pub use rounds::{Plan, measure};
pub use serve::serve;
pub use tables::{figure, markdown, terminal};
