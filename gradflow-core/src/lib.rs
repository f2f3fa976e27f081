#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! core

#[cfg(any(feature = "std", test))]
extern crate std;

pub mod audit;
mod digest;
mod error;
mod float;
pub mod linalg;
pub mod network;
mod objective;
mod random;
pub mod scheme;
pub mod tasks;
pub mod training;
pub mod weights;

pub use digest::Digest;
pub use error::{Buffer, Error, Quantity, Setting};
#[cfg(feature = "micromath")]
pub use float::Approximate;
pub use float::{Exact, Float, Math};
pub use objective::{Objective, Residuals};
pub use random::{Pcg32, Stream};
