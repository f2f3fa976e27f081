//! The network's kernels against definitions: differences of the loss, explicit Jacobians, and
//! one another.

#![allow(clippy::unwrap_used)] // helpers of tests stop at the first error, as tests do

mod batches;
#[cfg(feature = "wide")]
mod bounds;
mod case;
mod compressed;
mod gradients;
mod line;
mod refusals;

mod residuals;
