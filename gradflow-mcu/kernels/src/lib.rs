#![no_std]
#![forbid(unsafe_code)]
//! The core's kernels for one input and one output, in single precision.
//!
//! Generic code is compiled in the crate that names its types, at that crate's optimisation level.
//! The firmware is compiled for size; what it calls through these functions is compiled for speed,
//! and exists once.

use gradflow_core::linalg::Packed;
use gradflow_core::network::{Batch, GramForm, LineProblem, Scratch, TwoLayer};
use gradflow_core::{Error, Objective, Residuals};

/// A line problem with what the board's schemes need, and no more.
///
/// There are no products with the Jacobian, so no conjugate gradients; and full IEQ does not
/// report `‖∇L‖²` (it is 0), which saves a fifth of its step.
#[derive(Debug)]
pub struct Line<'a>(pub LineProblem<'a, f32>);

/// The network on a batch; see [`TwoLayer::on_line`]. Made here, since code for size moves it about.
///
/// # Errors
/// As there.
#[inline(never)]
pub fn line<'a>(
    network: &TwoLayer<f32>,
    batch: &Batch<'a, f32>,
    reals: &'a mut [f32],
    form: GramForm,
) -> Result<Line<'a>, Error> {
    let scratch = Scratch { reals, indices: &mut [] };
    Ok(Line(network.on_line(*batch, scratch)?.with_gram_form(form)))
}

/// The problem with its type forgotten: what is called through it is compiled here, the solver of
/// full IEQ's system included.
#[inline(never)]
pub fn objective<'p>(problem: &'p mut Line<'_>) -> &'p mut dyn Residuals<f32> {
    problem
}

/// `f(x)` of each sample; see [`LineProblem::predict`].
///
/// # Errors
/// As there.
#[inline(never)]
pub fn predict(problem: &mut Line<'_>, w: &[f32], out: &mut [f32]) -> Result<(), Error> {
    problem.0.predict(w, out)
}

impl Objective<f32> for Line<'_> {
    fn parameters(&self) -> usize {
        self.0.parameters()
    }

    fn loss(&mut self, w: &[f32]) -> Result<f32, Error> {
        self.0.loss(w)
    }

    fn gradient(&mut self, w: &[f32], gradient: &mut [f32]) -> Result<f32, Error> {
        self.0.gradient(w, gradient)
    }
}

const NO_PRODUCTS: Error =
    Error::Unsupported("conjugate gradients are left out on the board: use solver cholesky");

impl Residuals<f32> for Line<'_> {
    fn outputs(&self) -> usize {
        self.0.outputs()
    }

    fn residual_len(&self) -> usize {
        self.0.residual_len()
    }

    fn linearise(&mut self, w: &[f32], q: &mut [f32]) -> Result<f32, Error> {
        self.0.linearise(w, q)
    }

    fn gram(&mut self, w: &[f32], gram: &mut [f32]) -> Result<(), Error> {
        self.0.gram(w, gram)
    }

    fn solve(&mut self, system: &mut Packed<'_, f32>, x: &mut [f32]) -> Result<(), Error> {
        self.0.solve(system, x)
    }

    fn push_forward(&mut self, _w: &[f32], _v: &[f32], _image: &mut [f32]) -> Result<(), Error> {
        Err(NO_PRODUCTS)
    }

    fn pull_back(&mut self, _w: &[f32], _u: &[f32], _out: &mut [f32]) -> Result<(), Error> {
        Err(NO_PRODUCTS)
    }

    fn energy_is_loss(&self) -> bool {
        self.0.energy_is_loss()
    }

    fn cancellation(&mut self, w: &[f32]) -> Result<Option<[f32; 2]>, Error> {
        self.0.cancellation(w)
    }

    fn unit(&self) -> f32 {
        self.0.unit()
    }

    fn sample(&self, i: usize) -> usize {
        self.0.sample(i)
    }

    fn gradient_norm_sq(&mut self, _w: &[f32], _buffer: &mut [f32]) -> Result<f32, Error> {
        Ok(0.0)
    }

    fn descend(
        &mut self,
        w: &mut [f32],
        u: &[f32],
        length: f32,
        buffer: &mut [f32],
    ) -> Result<f32, Error> {
        self.0.descend(w, u, length, buffer)
    }
}
