#![no_std]
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![doc = include_str!("../README.md")]

#[cfg(test)]
extern crate std;

mod answers;
mod bench;
mod command;
mod light;
mod line;
mod meter;
mod number;
mod port;
pub mod reference;
mod report;
mod session;
mod settings;
#[cfg(target_os = "none")]
pub mod stack;
mod trainer;
mod transfer;

pub use light::{UNITS_PER_SECOND, sos};
pub use meter::Meter;
pub use session::{Memory, serve};

/// Hidden units m of the network.
pub const HIDDEN: usize = 100;
/// Parameters of the network: a weight, a bias and an output weight a unit, and the output's bias.
pub const PARAMETERS: usize = 3 * HIDDEN + 1;
/// Most samples in a step.
pub const LARGEST_BATCH: usize = 64;
/// Samples that can be kept.
pub const SAMPLES: usize = 256;
