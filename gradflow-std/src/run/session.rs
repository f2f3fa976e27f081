//! A run from its start, or from its checkpoint, to its end.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use gradflow_core::Float;
use gradflow_core::network::Loss;
use gradflow_core::scheme::Step;
use serde::{Deserialize, Serialize};

use super::clock::{Clock, Pace};
use super::evaluation::{Measured, measure};
use super::growing::Growing;
use super::watch::Auditor;
use super::{RunError, Sets, Trainer, checkpoint, record, weights_file};
use crate::report::Metrics;
use crate::spec::{Simd, Spec};

/// Rows of `epochs.csv` that a regression run aims at.
const EVALUATIONS: usize = 100;

/// Where a run puts what grows.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// One row a step.
    pub trace: Option<PathBuf>,
    /// One row an evaluation.
    pub epochs: Option<PathBuf>,
    /// State of an unfinished run.
    pub checkpoint: Option<PathBuf>,
}

impl Files {
    /// Takes the checkpoint away: the run's results are all written, or it begins anew.
    ///
    /// # Errors
    /// A folder that cannot be written to.
    pub fn remove_checkpoint(&self) -> Result<(), RunError> {
        let Some(path) = &self.checkpoint else { return Ok(()) };
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(RunError::file(path, &error))
            }
            _ => Ok(()),
        }
    }
}

/// One run and its surroundings.
pub struct Job<'a> {
    /// What to run.
    pub spec: &'a Spec,
    /// Its name in reports.
    pub name: &'a str,
    /// What reports call its method; runs that differ by their seed alone share it.
    pub label: &'a str,
    /// Whether wide vectors may be used.
    pub simd: Simd,
    /// Where results grow.
    pub files: Files,
    /// Whether to go on from a checkpoint.
    pub resume: bool,
    /// Set by a signal: finish the step, save, stop.
    pub stop: &'a AtomicBool,
    /// Told the steps done, the steps in all, and the last loss.
    pub progress: &'a mut dyn FnMut(usize, usize, f64),
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// All steps done.
    Done,
    /// Training left the road at this step; the text says how.
    Diverged(usize, String),
    /// A signal stopped it after this many steps.
    Stopped(usize),
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// Figures of merit.
    pub metrics: Metrics,
    /// The weights as a safetensors file.
    pub weights: Vec<u8>,
    /// `x,target,prediction` rows of a task of one input.
    pub fit: Option<String>,
}

/// What a checkpoint keeps for the session.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Progress {
    /// Bytes of the tables, if they were written.
    trace_len: Option<u64>,
    epochs_len: Option<u64>,
    loss_sum: f64,
    loss_count: u32,
    wall_s: f64,
    cpu_s: f64,
    reached: Vec<(String, u64)>,
    audit: super::watch::Counts,
}

/// Runs a job. Its checkpoint stays until the caller has written what the run came to and calls
/// [`Files::remove_checkpoint`].
///
/// # Errors
/// Bad input, or files that cannot be written. Divergence is an [`Ending`], not an error.
pub fn run<T: Float>(job: &mut Job<'_>, sets: &Sets<T>) -> Result<Outcome, RunError> {
    let spec = job.spec;
    let mut trainer = Trainer::new(spec, &sets.train, job.simd)?;
    let resumed = match &job.files.checkpoint {
        Some(path) if job.resume => checkpoint::load(path, spec, &sets.train, &mut trainer)?,
        _ => None,
    };
    let resumed: Option<Progress> = resumed;
    let batch = spec.batch.of(sets.train.len());
    let counts = resumed.as_ref().map(|progress| progress.audit).unwrap_or_default();
    let auditor = Auditor::new(spec, trainer.network(), batch, counts)?;
    if resumed.is_none() {
        job.files.remove_checkpoint()?;
    }
    let trace = open(&job.files.trace, resumed.as_ref().map(|progress| progress.trace_len))?;
    let epochs = open(&job.files.epochs, resumed.as_ref().map(|progress| progress.epochs_len))?;
    let progress = resumed.unwrap_or_default();
    let every = match spec.task_loss() {
        Loss::Mse => trainer.steps().div_ceil(EVALUATIONS).max(1),
        Loss::CrossEntropy | Loss::Brier => trainer.steps_per_epoch(),
    };
    let clock = Clock::start(progress.wall_s, progress.cpu_s);
    let mut session = Session { sets, trainer, trace, epochs, auditor, progress, clock, every };
    session.begin()?;
    let ending = session.advance(job)?;
    session.finish(job, ending)
}

/// Opens a table; of a resumed run, the bytes that it had are kept.
fn open(path: &Option<PathBuf>, kept: Option<Option<u64>>) -> Result<Option<Growing>, RunError> {
    match (path, kept) {
        (None, _) => Ok(None),
        (Some(path), Some(None)) => Err(RunError::input(format!(
            "{}: the interrupted run did not write this table: resume it without, or start anew",
            path.display()
        ))),
        (Some(path), kept) => Growing::open(path, kept.flatten()).map(Some),
    }
}

struct Session<'a, T> {
    sets: &'a Sets<T>,
    trainer: Trainer<T>,
    trace: Option<Growing>,
    epochs: Option<Growing>,
    auditor: Auditor<T>,
    progress: Progress,
    clock: Clock,
    /// Steps between evaluations.
    every: usize,
}

impl<T: Float> Session<'_, T> {
    fn begin(&mut self) -> Result<(), RunError> {
        if self.trainer.done() == 0 {
            if let Some(trace) = &mut self.trace {
                trace.line(format_args!("{}", record::TRACE_HEADER))?;
            }
            if let Some(epochs) = &mut self.epochs {
                epochs.line(format_args!("{}", record::EPOCHS_HEADER))?;
            }
        }
        Ok(())
    }

    /// Steps until the run ends in one way or another.
    fn advance(&mut self, job: &mut Job<'_>) -> Result<Ending, RunError> {
        let total = self.trainer.steps();
        let mut pace = Pace::new();
        while self.trainer.done() < total {
            let n = self.trainer.done();
            let step = match self.trainer.step(&self.sets.train, &mut self.auditor) {
                Ok(step) => step,
                Err(error) if error.is_divergence() => {
                    return Ok(Ending::Diverged(n, error.to_string()));
                }
                Err(error) => return Err(error.into()),
            };
            self.record(n, &step)?;
            (job.progress)(n + 1, total, step.loss.to_f64());
            if (n + 1).is_multiple_of(self.every) || n + 1 == total {
                self.evaluate(job.spec)?;
            }
            if job.stop.load(Ordering::Relaxed) && n + 1 < total {
                self.save(job)?;
                return Ok(Ending::Stopped(n + 1));
            }
            if job.files.checkpoint.is_some() && pace.is_due() {
                pace.measure(|| self.save(job))?;
            }
        }
        Ok(Ending::Done)
    }

    fn record(&mut self, n: usize, step: &Step<T>) -> Result<(), RunError> {
        self.progress.loss_sum += step.loss.to_f64();
        self.progress.loss_count = self.progress.loss_count.saturating_add(1);
        match &mut self.trace {
            Some(trace) => trace.line(format_args!(
                "{}",
                record::TraceRow { n, epoch: self.trainer.epoch(), step }
            )),
            None => Ok(()),
        }
    }

    fn evaluate(&mut self, spec: &Spec) -> Result<(), RunError> {
        let (sum, count) = (self.progress.loss_sum, self.progress.loss_count);
        (self.progress.loss_sum, self.progress.loss_count) = (0.0, 0);
        let measured = measure(&mut self.trainer, self.sets, spec.task_loss())?;
        self.note_reached(&measured);
        let Some(epochs) = &mut self.epochs else { return Ok(()) };
        let epoch = self.trainer.done() as f64 / self.trainer.steps_per_epoch() as f64;
        epochs.line(format_args!(
            "{}",
            record::EpochRow {
                epoch,
                step: self.trainer.done(),
                train_loss: sum / f64::from(count.max(1)),
                measured: &measured,
                wall_s: self.clock.wall(),
            }
        ))
    }

    /// Keeps the first step at which each power of ten was reached.
    fn note_reached(&mut self, measured: &Measured) {
        let Some(loss) = measured.test_loss_clean else { return };
        for (bound, name) in [(1e-3, "1e-3"), (1e-4, "1e-4"), (1e-5, "1e-5"), (1e-6, "1e-6")] {
            let known = self.progress.reached.iter().any(|(reached, _)| reached == name);
            if loss <= bound && !known {
                self.progress.reached.push((name.to_owned(), self.trainer.done() as u64));
            }
        }
    }

    fn save(&mut self, job: &Job<'_>) -> Result<(), RunError> {
        let Some(path) = &job.files.checkpoint else { return Ok(()) };
        let sync = |file: &mut Option<Growing>| file.as_mut().map(Growing::sync).transpose();
        self.progress.trace_len = sync(&mut self.trace)?;
        self.progress.epochs_len = sync(&mut self.epochs)?;
        (self.progress.wall_s, self.progress.cpu_s) = (self.clock.wall(), self.clock.cpu());
        self.progress.audit = self.auditor.counts();
        let data = &self.sets.train;
        checkpoint::save(path, job.spec, data, &mut self.trainer, self.progress.clone())
    }

    fn finish(mut self, job: &Job<'_>, ending: Ending) -> Result<Outcome, RunError> {
        let stopped = matches!(ending, Ending::Stopped(_));
        let weights = weights_file(self.trainer.network(), self.trainer.weights())?;
        let metrics = self.metrics(job, &ending)?;
        let fit = super::evaluation::fit(&self.trainer, self.sets)?;
        if !(stopped && job.files.checkpoint.is_some()) {
            for file in [self.trace.take(), self.epochs.take()].into_iter().flatten() {
                file.finish()?;
            }
        }
        Ok(Outcome { ending, metrics, weights, fit })
    }

    fn metrics(&mut self, job: &Job<'_>, ending: &Ending) -> Result<Metrics, RunError> {
        let spec = job.spec;
        let (wall, cpu) = (self.clock.wall(), self.clock.cpu());
        let measured = measure(&mut self.trainer, self.sets, spec.task_loss())?;
        let train_loss = self.trainer.evaluate(&self.sets.train, spec.task_loss());
        let diverged_at = match ending {
            Ending::Diverged(step, _) => Some(*step as u64),
            Ending::Done | Ending::Stopped(_) => None,
        };
        let mut metrics = super::describe(spec);
        metrics.name = job.name.to_owned();
        metrics.label = job.label.to_owned();
        metrics.steps = self.trainer.done() as u64;
        metrics.epochs = Some(self.trainer.done() as f64 / self.trainer.steps_per_epoch() as f64);
        metrics.wall_s = Some(wall);
        metrics.cpu_s = Some(cpu).filter(|&cpu| cpu > 0.0);
        metrics.train_loss = train_loss.ok().map(|e| e.loss).filter(|loss| loss.is_finite());
        metrics.test_loss = measured.test_loss;
        metrics.test_loss_clean = measured.test_loss_clean;
        metrics.test_accuracy = measured.test_accuracy;
        metrics.first_reached = self.progress.reached.iter().cloned().collect();
        metrics.diverged = diverged_at.is_some();
        metrics.diverged_at = diverged_at;
        self.auditor.report(&mut metrics);
        Ok(metrics)
    }
}
