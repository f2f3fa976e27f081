//! Single-precision instances that are compiled in this crate, at its optimisation level.
//!
//! Generic code is compiled in the crate that names its types. A firmware is optimised for size; what
//! it calls through these functions is as fast as this crate is told to be, and exists once.

use crate::error::Error;
use crate::network::LineProblem;
use crate::objective::Residuals;
use crate::scheme::{AnyScheme, Scheme, Step};

/// A line problem with its type forgotten.
#[inline(never)]
pub fn line_problem<'p>(problem: &'p mut LineProblem<'_, f32>) -> &'p mut dyn Residuals<f32> {
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

/// One step of a scheme over lent buffers; see [`Scheme::step`].
///
/// # Errors
/// As the scheme's.
#[inline(never)]
pub fn step(
    scheme: &mut AnyScheme<f32, &mut [f32]>,
    w: &mut [f32],
    objective: &mut dyn Residuals<f32>,
) -> Result<Step<f32>, Error> {
    scheme.step(w, objective)
}
