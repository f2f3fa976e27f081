#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Energy-stable training of small networks as gradient flows `dw/dt = −∇L(w)`.
//!
//! The core of gradflow: schemes ([`scheme`]), the two-layer network ([`network`]), the energy audit
//! ([`audit`]), sampling, and the order of a run ([`training`]). It allocates nothing, panics nowhere,
//! is memory-safe by the compiler's word, and gives the same bits on every target; every buffer is the
//! caller's.
//!
//! A network on a batch is an [`Objective`] (and [`Residuals`], for IEQ); a scheme takes steps on it:
//!
//! ```
//! use gradflow_core::network::{Batch, Init, Inputs, Loss, Samples, Scratch, Targets, TwoLayer};
//! use gradflow_core::scheme::{Coupling, Flow, Sav, Scalar, Scheme};
//!
//! let network = TwoLayer::<f32>::new(2, 8, 1)?;
//! let mut w = [0.0; 32];
//! Init::Kaiming.draw(&network, 0, &mut w)?;
//! let samples = Samples {
//!     inputs: Inputs::Dense(&[0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0]),
//!     targets: Targets::Values(&[0.0, 1.0, 1.0, 0.0]),
//! };
//! let (mut reals, mut indices) = ([0.0; 256], [0; 8]); // see `TwoLayer::scratch_len`
//! let sav = Sav { c: 1.0, coupling: Coupling::Ratio };
//! let mut scheme = Flow::new(sav, Scalar { lambda: 1.0 }, 1e6, [0.0; 32]);
//! let mut last = f32::INFINITY;
//! for _ in 0..200 {
//!     let scratch = Scratch { reals: &mut reals, indices: &mut indices };
//!     let mut problem = network.on(Batch::all(samples, 4), Loss::Mse, scratch)?;
//!     last = scheme.step(&mut w, &mut problem)?.loss;
//! }
//! assert!(last.is_finite()); // at a step size of a million
//! # Ok::<(), gradflow_core::Error>(())
//! ```

#[cfg(any(feature = "std", test))]
extern crate std;

pub mod audit;
mod digest;
mod error;
#[cfg(feature = "wide")]
mod exponentials;
mod float;
pub mod linalg;
pub mod network;
pub mod objective;
mod random;
pub mod reference;
pub mod scheme;
mod support;
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
pub use support::{Gradient, Support};

/// The examples of the README run as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
