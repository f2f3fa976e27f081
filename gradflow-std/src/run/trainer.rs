//! The training loop's body: one step of one run.

use gradflow_core::network::{Batch, Evaluation, Loss, Residual, Samples, Scratch, TwoLayer};
use gradflow_core::scheme::{AnyScheme, Method, Scheme, Settings, Shape, Step};
use gradflow_core::training::{Batches, Schedule};
use gradflow_core::{Error, Float, Residuals};

use super::RunError;
use super::prefetch::prefetch;
use super::problem::{network, shape};
use super::room::{LINE, aligned, zeros};
use super::wide::{self, Registers, Wide};
use crate::data::DataSet;
use crate::spec::{MethodName, Precision, Simd, Spec, Start};

/// A network in training: weights, scheme and the order of batches.
#[derive(Debug)]
pub struct Trainer<T> {
    network: TwoLayer<T>,
    weights: Vec<T>,
    scheme: AnyScheme<T, Vec<T>>,
    batches: Batches<Vec<u32>>,
    trained: Loss,
    residual: Residual,
    dt: T,
    schedule: Schedule,
    steps: usize,
    next: usize,
    reals: Vec<T>,
    indices: Vec<u32>,
    registers: Registers,
}

impl<T: Float> Trainer<T> {
    /// The start of a run.
    ///
    /// # Errors
    /// Settings that do not go together or with the data.
    pub fn new(spec: &Spec, set: &DataSet<T>, simd: Simd) -> Result<Self, RunError> {
        check(spec)?;
        let (network, weights) = network(spec, set)?;
        let batch = spec.batch.of(set.len());
        let batches = Batches::new(vec![0; set.len()], batch, spec.seed).map_err(|_| {
            RunError::input(format!(
                "batch {batch} is larger than the training set of {} samples: use --batch full, \
                 or a smaller --batch",
                set.len()
            ))
        })?;
        let steps = match (spec.steps, spec.epochs) {
            (Some(steps), _) => steps,
            (None, epochs) => batches.steps_per_epoch() * epochs.unwrap_or(10) as usize,
        };
        let settings = spec.settings();
        let loss = spec.task_loss();
        let shape = shape(&network, batch, set.len());
        let scheme = scheme(&settings, loss, shape)?;
        let scratch = match settings.method {
            Method::IeqFull | Method::IeqAdaptive => network.residual_scratch_len(batch),
            _ => network.scratch_len(batch),
        };
        let mut trainer = Self {
            network,
            weights,
            scheme,
            batches,
            trained: settings.trained_loss(loss),
            residual: settings.residual(loss)?,
            dt: settings.dt,
            schedule: spec.schedule.meaning(),
            steps,
            next: 0,
            reals: zeros(scratch.reals.max(network.scratch_len(64).reals) + LINE, "the batch")?,
            indices: vec![0; scratch.indices.max(network.scratch_len(64).indices)],
            registers: simd.meaning(),
        };
        trainer.start(spec, set)?;
        Ok(trainer)
    }

    /// Sees to it that the auxiliary variable exists where the run starts. Losses are not negative,
    /// so with a positive C it always does.
    fn start(&mut self, spec: &Spec, set: &DataSet<T>) -> Result<(), RunError> {
        if spec.r0 == Start::Train {
            let loss = self.evaluate(set, self.trained)?.loss;
            self.scheme.start(T::from_f64(loss))?;
        } else if spec.method == MethodName::Sav && spec.c <= 0.0 {
            let first = self.batches.clone().next_batch().to_vec();
            let loss = self.evaluate_some(set, &first, self.trained)?.loss;
            self.scheme.clone().start(T::from_f64(loss))?;
        }
        Ok(())
    }

    /// The network.
    #[must_use]
    pub const fn network(&self) -> &TwoLayer<T> {
        &self.network
    }

    /// The weights, as they are now.
    #[must_use]
    pub fn weights(&self) -> &[T] {
        &self.weights
    }

    /// Steps done.
    #[must_use]
    pub const fn done(&self) -> usize {
        self.next
    }

    /// Steps of the whole run.
    #[must_use]
    pub const fn steps(&self) -> usize {
        self.steps
    }

    /// Steps in an epoch.
    #[must_use]
    pub fn steps_per_epoch(&self) -> usize {
        self.batches.steps_per_epoch()
    }

    /// Epoch of the last step, counted from 0.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.batches.epoch()
    }

    /// Takes the next step, with `watch` around it.
    ///
    /// # Errors
    /// As [`Scheme::step`]; the weights are then those before the step.
    pub fn step(&mut self, set: &DataSet<T>, watch: &mut impl Watch<T>) -> Result<Step<T>, Error> {
        let order = self.batches.next_batch();
        prefetch(set.samples().inputs, order);
        let batch = Batch::of(set.samples(), order);
        let scratch = Scratch { reals: aligned(&mut self.reals), indices: &mut self.indices };
        let problem = self.network.on(batch, self.trained, scratch)?;
        let mut problem = Wide::new(problem.with_residual(self.residual)?, self.registers);
        let problem: &mut dyn Residuals<T> = &mut problem;
        if self.schedule != Schedule::Constant {
            let dt = self.schedule.at(self.dt, self.next, self.steps);
            Scheme::<T, dyn Residuals<T>>::set_dt(&mut self.scheme, dt);
        }
        watch.before(&self.weights)?;
        let step = wide::step(&mut self.scheme, &mut self.weights, problem, self.registers)?;
        watch.after(self.next, &self.weights, &step, &self.scheme, problem)?;
        self.next += 1;
        Ok(step)
    }

    /// Loss and right answers over a whole set.
    ///
    /// # Errors
    /// A set of another shape.
    pub fn evaluate(&mut self, set: &DataSet<T>, loss: Loss) -> Result<Evaluation, Error> {
        let order: Vec<u32> = (0..).take(set.len()).collect();
        self.evaluate_some(set, &order, loss)
    }

    fn evaluate_some(
        &mut self,
        set: &DataSet<T>,
        order: &[u32],
        loss: Loss,
    ) -> Result<Evaluation, Error> {
        let samples: Samples<'_, T> = set.samples();
        let mut scratch = Scratch { reals: aligned(&mut self.reals), indices: &mut self.indices };
        wide::evaluate(
            &self.network,
            &self.weights,
            samples,
            order,
            loss,
            &mut scratch,
            self.registers,
        )
    }

    /// Shows every array of numbers that the rest of the run depends on.
    pub fn visit_state(&mut self, visit: &mut dyn FnMut(&'static str, &mut [T])) {
        visit("weights", &mut self.weights);
        Scheme::<T, dyn Residuals<T>>::visit_state(&mut self.scheme, visit);
    }

    /// The order of the samples and the position in it.
    #[must_use]
    pub fn order(&self) -> (&[u32], [u64; 4]) {
        (self.batches.order(), self.batches.position())
    }

    /// Goes on after step `done` of a checkpoint whose arrays
    /// [`visit_state`](Self::visit_state) has put back.
    ///
    /// # Errors
    /// An order of another set.
    pub fn resume(&mut self, done: usize, order: &[u32], position: [u64; 4]) -> Result<(), Error> {
        self.batches.resume(order, position)?;
        self.next = done;
        Ok(())
    }
}

/// The scheme with its buffers.
fn scheme<T: Float>(
    settings: &Settings<T>,
    loss: Loss,
    shape: Shape,
) -> Result<AnyScheme<T, Vec<T>>, RunError> {
    let mut refused = None;
    let scheme = AnyScheme::new(settings, loss, shape, |len| {
        zeros(len, "the scheme").unwrap_or_else(|error| {
            refused.get_or_insert(error);
            Vec::new()
        })
    })?;
    refused.map_or(Ok(scheme), Err)
}

/// Refuses settings that no data can make sense of.
///
/// # Errors
/// What is wrong, and with which setting.
pub fn check(spec: &Spec) -> Result<(), RunError> {
    let loss = spec.task_loss();
    if spec.precision == Precision::F64 {
        return Ok(spec.settings::<f64>().check(loss)?);
    }
    let numbers = [
        ("dt", spec.dt()),
        ("lambda", spec.lambda),
        ("c", spec.c),
        ("epsilon", spec.epsilon),
        ("eta", spec.eta),
    ];
    for (name, value) in numbers {
        if value.is_normal() && !(value as f32).is_normal() {
            return Err(RunError::input(format!(
                "--{name} {value:e} leaves the range of f32: use --precision f64"
            )));
        }
    }
    Ok(spec.settings::<f32>().check(loss)?)
}

/// Looks at each step from outside.
pub trait Watch<T: Float> {
    /// Sees the weights before the step.
    ///
    /// # Errors
    /// Weights of another length.
    fn before(&mut self, weights: &[T]) -> Result<(), Error>;

    /// Sees the weights after step `n`, what the scheme says of it, and the problem.
    ///
    /// # Errors
    /// A loss that cannot be recomputed.
    fn after(
        &mut self,
        n: usize,
        weights: &[T],
        step: &Step<T>,
        scheme: &AnyScheme<T, Vec<T>>,
        problem: &mut dyn Residuals<T>,
    ) -> Result<(), Error>;
}

/// Sees nothing.
impl<T: Float> Watch<T> for () {
    fn before(&mut self, _weights: &[T]) -> Result<(), Error> {
        Ok(())
    }

    fn after(
        &mut self,
        _n: usize,
        _weights: &[T],
        _step: &Step<T>,
        _scheme: &AnyScheme<T, Vec<T>>,
        _problem: &mut dyn Residuals<T>,
    ) -> Result<(), Error> {
        Ok(())
    }
}
