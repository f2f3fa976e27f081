//! `metrics.json` of a run and `suite.json` of a suite.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What one run came to. What is not finite is null in the file and `None` here.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Metrics {
    /// Name of the run, which is also its folder's.
    pub name: String,
    /// The method in words, with its variant: runs that differ by their seed alone share it.
    pub label: String,
    /// The task as on the command line.
    pub task: String,
    /// The method as on the command line.
    pub method: String,
    /// Whether the auxiliary variable is relaxed.
    #[serde(default)]
    pub relaxed: bool,
    /// `ratio` or `consistent`; none for methods without an auxiliary variable.
    pub coupling: Option<String>,
    /// Residual of IEQ.
    pub residual: Option<String>,
    /// `scalar` or `diagonal`.
    pub operator: Option<String>,
    /// `fixed` or `gain-ratio`.
    pub control: Option<String>,
    /// Step size Δt, the first one if it is controlled.
    pub dt: Option<f64>,
    /// The operator's λ.
    pub lambda: Option<f64>,
    /// The shift C.
    pub c: Option<f64>,
    /// Samples a batch; none for full batches.
    pub batch: Option<u64>,
    /// Seed.
    #[serde(default)]
    pub seed: u64,
    /// `f32` or `f64`.
    pub precision: Option<String>,
    /// Steps made.
    #[serde(default)]
    pub steps: u64,
    /// Epochs made.
    pub epochs: Option<f64>,
    /// Time by the clock in seconds.
    pub wall_s: Option<f64>,
    /// Time of the processor in seconds.
    pub cpu_s: Option<f64>,
    /// Loss over the training set.
    pub train_loss: Option<f64>,
    /// Loss over the test set, noise included.
    pub test_loss: Option<f64>,
    /// Error against the noiseless target.
    pub test_loss_clean: Option<f64>,
    /// Share of the test set that is classified correctly.
    pub test_accuracy: Option<f64>,
    /// The step after which the noiseless error was first at most 1e-3, 1e-4, ...
    #[serde(default)]
    pub first_reached: BTreeMap<String, u64>,
    /// Steps at which the true loss rose.
    pub loss_increases: Option<u64>,
    /// The discrete energy law, checked at each step.
    pub audit: Option<Audit>,
    /// Whether a value stopped being finite.
    #[serde(default)]
    pub diverged: bool,
    /// The step at which it did.
    pub diverged_at: Option<u64>,
}

/// How a run kept its energy law.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Audit {
    /// The law; none for methods that have none.
    pub law: Option<String>,
    /// Steps checked.
    #[serde(default)]
    pub checked: u64,
    /// Steps at which it did not hold within the tolerance.
    #[serde(default)]
    pub violations: u64,
    /// The first of them.
    pub first_step: Option<u64>,
    /// The largest excess.
    pub worst: Option<f64>,
}

/// `suite.json`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Facts {
    /// Name of the suite.
    pub suite: String,
    /// When it was run.
    #[serde(default)]
    pub created: String,
    /// The processor it ran on.
    #[serde(default)]
    pub cpu: String,
    /// Time by the clock in seconds.
    pub wall_s: Option<f64>,
    /// Published numbers and goals, beside what was measured.
    #[serde(default)]
    pub expectations: Vec<Expectation>,
}

/// A number that was expected of a method.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Expectation {
    /// Task as on the command line.
    pub task: String,
    /// Label of the method.
    pub method: String,
    /// Which number, by its name in `metrics.json`.
    pub metric: String,
    /// `<=` or `>=`.
    pub op: String,
    /// The bound.
    pub value: f64,
    /// What was measured; none if nothing finite was.
    pub measured: Option<f64>,
    /// Whether the bound was kept.
    pub met: bool,
    /// Who expects it.
    #[serde(default)]
    pub source: String,
}

/// The number by which the runs of a task are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Share of the test set that is classified correctly; more is better.
    Accuracy,
    /// Error against the noiseless target.
    CleanLoss,
    /// Loss over the test set.
    TestLoss,
    /// Loss over the training set.
    TrainLoss,
}

impl Metric {
    /// Those in use, the most telling first.
    pub const ALL: [Self; 4] = [Self::Accuracy, Self::CleanLoss, Self::TestLoss, Self::TrainLoss];

    /// Its name in `metrics.json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "test_accuracy",
            Self::CleanLoss => "test_loss_clean",
            Self::TestLoss => "test_loss",
            Self::TrainLoss => "train_loss",
        }
    }

    /// Its name for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Accuracy => "test accuracy",
            Self::CleanLoss => "noiseless error",
            Self::TestLoss => "test loss",
            Self::TrainLoss => "training loss",
        }
    }

    /// The metric with this name in `metrics.json`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.name() == name)
    }

    /// Its value in a run.
    #[must_use]
    pub fn of(self, metrics: &Metrics) -> Option<f64> {
        match self {
            Self::Accuracy => metrics.test_accuracy,
            Self::CleanLoss => metrics.test_loss_clean,
            Self::TestLoss => metrics.test_loss,
            Self::TrainLoss => metrics.train_loss,
        }
    }
}
