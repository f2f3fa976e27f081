//! Rows of `trace.csv` and `epochs.csv`. Numbers are in their shortest form that reads back as the
//! same number.

use std::fmt;

use gradflow_core::Float;
use gradflow_core::scheme::Step;

use super::evaluation::Measured;

/// Columns of a trace.
pub const TRACE_HEADER: &str =
    "step,epoch,loss,auxiliary,energy,kappa,xi,dt,grad_norm_sq,update_norm_sq";

/// Columns of `epochs.csv`.
pub const EPOCHS_HEADER: &str =
    "epoch,step,train_loss,test_loss,test_loss_clean,test_accuracy,wall_s";

/// An attempted step.
#[derive(Clone, Copy, Debug)]
pub(super) struct TraceRow<'a, T> {
    /// The step, counted from 0.
    pub n: usize,
    /// Its epoch, counted from 0.
    pub epoch: u32,
    /// What it did.
    pub step: &'a Step<T>,
}

/// A number, or nothing.
struct Field<T>(Option<T>);

impl<T: fmt::Debug> fmt::Display for Field<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => write!(f, "{value:?}"),
            None => Ok(()),
        }
    }
}

impl<T: Float> fmt::Display for TraceRow<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Step { loss, dt, gradient_norm_sq, update_norm_sq, auxiliary, .. } = self.step;
        write!(
            f,
            "{},{},{loss:?},{},{},{},{},{dt:?},{gradient_norm_sq:?},{update_norm_sq:?}",
            self.n,
            self.epoch,
            Field(auxiliary.map(|auxiliary| auxiliary.reported)),
            Field(auxiliary.map(|auxiliary| auxiliary.energy)),
            Field(auxiliary.and_then(|auxiliary| auxiliary.kappa)),
            Field(auxiliary.and_then(|auxiliary| auxiliary.xi)),
        )
    }
}

/// An evaluation.
#[derive(Clone, Copy, Debug)]
pub(super) struct EpochRow<'a> {
    /// Passes over the training set so far.
    pub epoch: f64,
    /// Steps so far.
    pub step: usize,
    /// Mean loss of the steps since the last evaluation.
    pub train_loss: f64,
    /// Figures of merit.
    pub measured: &'a Measured,
    /// Seconds since the start.
    pub wall_s: f64,
}

impl fmt::Display for EpochRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Measured { test_loss, test_loss_clean, test_accuracy } = *self.measured;
        write!(
            f,
            "{},{},{:?},{},{},{},{:.3}",
            self.epoch,
            self.step,
            self.train_loss,
            Field(test_loss),
            Field(test_loss_clean),
            Field(test_accuracy),
            self.wall_s
        )
    }
}
