//! One programme that every target runs, to show that all of them compute the same bits.
//!
//! It samples, draws initial weights, trains with every valid combination of settings, solves,
//! saves, loads and predicts, and reports a digest every few steps. Each adapter runs this very
//! function and prints its lines; `cargo xtask verify` compares them. What a digest covers is all
//! that the rest of a run depends on: weights, the scheme's state, the order of the samples. It
//! refuses what is not finite.
//!
//! ```
//! use gradflow_core::reference::{self, Memory, Plain};
//! let mut memory = Box::new(Memory::ZERO);
//! let mut lines = Vec::new();
//! reference::run::<Plain>(&mut memory, &mut |line| lines.push(line.to_string()))?;
//! assert!(lines[0].starts_with("sampling/uniform 0 "));
//! # Ok::<(), reference::Failure>(())
//! ```

mod case;
mod data;
mod probe;
mod training;
mod travel;

use core::fmt;

pub use case::{Case, World, combinations};
pub use travel::travellers;

use crate::error::Error;
use crate::float::{Exact, Float, Math};
use crate::network::Problem;
use crate::objective::Residuals;
use crate::scheme::{AnyScheme, Scheme, Step};

/// Seed of everything that is drawn.
const SEED: u64 = 2_024;
/// Steps of a run: with [`data`]'s sizes one epoch, whose last batch is smaller, and one step more.
const STEPS: u32 = 4;
/// Steps from one digest to the next. The first of them is where a run is saved and moved.
const EVERY: u32 = 2;

/// How a target compiles the kernels: the seam where an adapter puts its own.
pub trait Kernels<T: Float> {
    /// Where the exponentials of softmax and the roots of initial weights come from.
    type Math: Math<T>;

    /// Takes a step of the scheme on the problem.
    ///
    /// # Errors
    /// Those of the step.
    fn step(
        scheme: &mut AnyScheme<T, &mut [T]>,
        w: &mut [T],
        problem: Problem<'_, T, Self::Math>,
    ) -> Result<Step<T>, Error>;
}

/// The core's kernels as they are.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

impl<T: Float> Kernels<T> for Plain {
    type Math = Exact;

    fn step(
        scheme: &mut AnyScheme<T, &mut [T]>,
        w: &mut [T],
        mut problem: Problem<'_, T>,
    ) -> Result<Step<T>, Error> {
        scheme.step(w, &mut problem as &mut dyn Residuals<T>)
    }
}

/// Micromath's approximations in single precision, to show that they give other bits.
#[cfg(feature = "micromath")]
#[derive(Clone, Copy, Debug)]
pub struct Micromath;

#[cfg(feature = "micromath")]
impl Kernels<f32> for Micromath {
    type Math = crate::float::Approximate;

    #[inline] // compiled where it is called, as generic code is
    fn step(
        scheme: &mut AnyScheme<f32, &mut [f32]>,
        w: &mut [f32],
        mut problem: Problem<'_, f32, Self::Math>,
    ) -> Result<Step<f32>, Error> {
        scheme.step(w, &mut problem as &mut dyn Residuals<f32>)
    }
}

#[cfg(feature = "micromath")]
impl Kernels<f64> for Micromath {
    type Math = Exact;

    #[inline] // compiled where it is called, as generic code is
    fn step(
        scheme: &mut AnyScheme<f64, &mut [f64]>,
        w: &mut [f64],
        problem: Problem<'_, f64>,
    ) -> Result<Step<f64>, Error> {
        Plain::step(scheme, w, problem)
    }
}

/// Numbers of double precision that there is room for. Wide kernels need more of it.
const DOUBLES: usize = if cfg!(feature = "wide") { 3_072 } else { 1_536 };

/// The programme's memory: 42 kB, for a static on a board.
#[derive(Debug)]
pub struct Memory {
    singles: [f32; 6_144],
    doubles: [f64; DOUBLES],
    indices: [u32; 256],
    columns: [u16; 256],
    labels: [u8; 32],
    bytes: [u8; 2_560],
}

impl Memory {
    /// Memory before use; its contents do not matter.
    pub const ZERO: Self = Self {
        singles: [0.0; 6_144],
        doubles: [0.0; DOUBLES],
        indices: [0; 256],
        columns: [0; 256],
        labels: [0; 32],
        bytes: [0; 2_560],
    };

    fn single(&mut self) -> Lent<'_, f32> {
        Lent {
            reals: Arena(&mut self.singles),
            indices: Arena(&mut self.indices),
            columns: &mut self.columns,
            labels: &mut self.labels,
            bytes: &mut self.bytes,
        }
    }

    fn double(&mut self) -> Lent<'_, f64> {
        Lent {
            reals: Arena(&mut self.doubles),
            indices: Arena(&mut self.indices),
            columns: &mut self.columns,
            labels: &mut self.labels,
            bytes: &mut self.bytes,
        }
    }
}

/// The memory for one run.
struct Lent<'a, T> {
    reals: Arena<'a, T>,
    indices: Arena<'a, u32>,
    columns: &'a mut [u16],
    labels: &'a mut [u8],
    bytes: &'a mut [u8],
}

/// A slice that buffers are cut from.
struct Arena<'a, N>(&'a mut [N]);

impl<'a, N: Default> Arena<'a, N> {
    /// The next `len` entries, zeroed. Fewer if the arena is used up: whoever needs the buffer
    /// then refuses it by its name.
    fn take(&mut self, len: usize) -> &'a mut [N] {
        let free = core::mem::take(&mut self.0);
        let len = len.min(free.len());
        let (taken, rest) = free.split_at_mut_checked(len).unwrap_or_default();
        self.0 = rest;
        taken.fill_with(N::default);
        taken
    }
}

/// What a digest is of. Up to the first `/` its name is that of a scheme or of a group of probes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Subject {
    /// Something other than a training run.
    Probe(&'static str),
    /// The same in double precision.
    Double(&'static str),
    /// A training run.
    Trained(Case),
    /// A training run that was saved half way: the bytes of its checkpoint.
    Saved(Case),
    /// A training run that continues from the checkpoint of another machine.
    Continued(Case),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Probe(name) => f.write_str(name),
            Self::Double(name) => write!(f, "{name},f64"),
            Self::Trained(case) => case.fmt(f),
            Self::Saved(case) => write!(f, "checkpoint/{case}"),
            Self::Continued(case) => write!(f, "continued/{case}"),
        }
    }
}

/// A digest after a number of steps. Shown as `name step digest`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// What it is of.
    pub subject: Subject,
    /// Steps taken.
    pub step: u32,
    /// The digest.
    pub digest: u64,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {:016x}", self.subject, self.step, self.digest)
    }
}

/// What could not be done; a defect of the target, since nothing here depends on its surroundings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Failure {
    /// Where.
    pub subject: Subject,
    /// Why.
    pub error: Error,
}

impl Failure {
    fn of(subject: Subject) -> impl Fn(Error) -> Self + Copy {
        move |error| Self { subject, error }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.error)
    }
}

impl core::error::Error for Failure {}

/// Runs the whole programme.
///
/// # Errors
/// The first thing that fails.
pub fn run<K: Kernels<f32> + Kernels<f64>>(
    memory: &mut Memory,
    report: &mut dyn FnMut(&Line),
) -> Result<(), Failure> {
    probe::run::<K>(memory, report)?;
    for case in Case::all() {
        training::run::<f32, K>(case, memory.single(), report)?;
    }
    for case in Case::in_double_precision() {
        training::run::<f64, K>(case, memory.double(), report)?;
    }
    travel::run::<K>(memory, report)
}
