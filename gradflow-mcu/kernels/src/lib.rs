#![no_std]
#![forbid(unsafe_code)]
//! The core's kernels for one input and one output, in single precision.
//!
//! Generic code is compiled in the crate that names its types, at that crate's optimisation level.
//! The firmware is compiled for size; what it calls through these functions is compiled for speed,
//! and exists once.

use gradflow_core::network::LineProblem;
use gradflow_core::{Error, Residuals};

/// The problem with its type forgotten: what is called through it is compiled here, the solver of
/// full IEQ's system included.
#[inline(never)]
pub fn objective<'p>(problem: &'p mut LineProblem<'_, f32>) -> &'p mut dyn Residuals<f32> {
    problem
}

/// `f(x)` of each sample; see [`LineProblem::predict`].
///
/// # Errors
/// As there.
#[inline(never)]
pub fn predict(
    problem: &mut LineProblem<'_, f32>,
    w: &[f32],
    out: &mut [f32],
) -> Result<(), Error> {
    problem.predict(w, out)
}
