//! What a step costs beside its gradient: norm, rule and update over p parameters.

use gradflow_core::network::Loss;
use gradflow_core::scheme::{AnyScheme, Settings, Shape, Step};
use gradflow_core::{Error, Objective, Residuals};

use super::clock::Stopwatch;
use super::protocol::Timing;
use crate::run::{RunError, step};
use crate::spec::{MethodName, Simd};

/// The methods that are measured.
pub(super) const METHODS: [MethodName; 4] =
    [MethodName::Sgd, MethodName::Sav, MethodName::ExpSav, MethodName::Adam];

/// The numbers of parameters.
pub(super) const SIZES: [usize; 11] =
    [100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000];

/// Parameters that a round moves, over all its steps.
const MOVES: usize = 20_000_000;

/// A scheme on an objective that costs nothing.
pub(super) struct OwnWork {
    scheme: AnyScheme<f32, Vec<f32>>,
    weights: Vec<f32>,
    objective: Still,
}

impl OwnWork {
    /// The name of a case.
    pub(super) fn name(method: MethodName, parameters: usize) -> String {
        format!("own-{}-{parameters}", method.word())
    }

    /// The names of all cases.
    pub(super) fn names() -> impl Iterator<Item = String> {
        METHODS.into_iter().flat_map(|m| SIZES.into_iter().map(move |p| Self::name(m, p)))
    }

    /// The case of this name.
    pub(super) fn named(name: &str) -> Result<Self, RunError> {
        let all = METHODS.into_iter().flat_map(|m| SIZES.into_iter().map(move |p| (m, p)));
        let found = all.into_iter().find(|&(m, p)| Self::name(m, p) == name);
        let (method, parameters) = found
            .ok_or_else(|| RunError::input(format!("there is no case {name:?} to measure")))?;
        Self::new(&Settings { dt: 1e-3, ..Settings::new(method.meaning()) }, parameters)
    }

    /// A scheme with so many parameters.
    pub(super) fn new(settings: &Settings<f32>, parameters: usize) -> Result<Self, RunError> {
        let shape = Shape { parameters, outputs: 1, batch: 1, samples: 1 };
        let scheme = AnyScheme::new(settings, Loss::Mse, shape, |len| vec![0.0; len])?;
        let objective = Still { parameters, told: false };
        Ok(Self { scheme, weights: vec![1.0; parameters], objective })
    }

    pub(super) fn time(&mut self) -> Result<Timing, RunError> {
        let steps = MOVES / self.weights.len();
        let stopwatch = Stopwatch::start();
        for _ in 0..steps {
            self.step(Simd::Auto)?;
        }
        Ok(stopwatch.read(steps as f64))
    }

    pub(super) fn step(&mut self, simd: Simd) -> Result<Step<f32>, Error> {
        step(&mut self.scheme, &mut self.weights, &mut self.objective, simd.meaning())
    }
}

/// Leaves in the scheme's gradient what it told once. Knows no bound of it, so that SGD looks at it before
/// it moves, as the others do.
struct Still {
    parameters: usize,
    told: bool,
}

impl Objective<f32> for Still {
    fn parameters(&self) -> usize {
        self.parameters
    }

    fn loss(&mut self, _w: &[f32]) -> Result<f32, Error> {
        Ok(1.0)
    }

    fn gradient(&mut self, _w: &[f32], gradient: &mut [f32]) -> Result<f32, Error> {
        if !self.told {
            gradient.fill(1e-3);
            self.told = true;
        }
        Ok(1.0)
    }
}

/// Schemes chosen by name ask for residuals; those measured here never use them.
impl Residuals<f32> for Still {
    fn outputs(&self) -> usize {
        1
    }

    fn residual_len(&self) -> usize {
        1
    }

    fn linearise(&mut self, _w: &[f32], _q: &mut [f32]) -> Result<f32, Error> {
        NO_RESIDUALS
    }

    fn gram(&mut self, _w: &[f32], _gram: &mut [f32]) -> Result<(), Error> {
        NO_RESIDUALS.map(|_| ())
    }

    fn push_forward(&mut self, _w: &[f32], _v: &[f32], _image: &mut [f32]) -> Result<(), Error> {
        NO_RESIDUALS.map(|_| ())
    }

    fn pull_back(&mut self, _w: &[f32], _u: &[f32], _out: &mut [f32]) -> Result<(), Error> {
        NO_RESIDUALS.map(|_| ())
    }

    fn cancellation(&mut self, _w: &[f32]) -> Result<Option<[f32; 2]>, Error> {
        Ok(None)
    }

    fn energy_is_loss(&self) -> bool {
        true
    }

    fn unit(&self) -> f32 {
        1.0
    }

    fn sample(&self, i: usize) -> usize {
        i
    }
}

const NO_RESIDUALS: Result<f32, Error> = Err(Error::Unsupported("this objective has no residuals"));
