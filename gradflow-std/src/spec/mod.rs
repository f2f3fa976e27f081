//! A run as a value: what `gradflow train` is given on its command line, and what a suite keeps in
//! `spec.toml`.

mod choices;
mod values;

use std::path::PathBuf;

use clap::Args;
use gradflow_core::Float;
use gradflow_core::network::Loss;
use gradflow_core::scheme::{Memory, Method, Settings};
use serde::{Deserialize, Serialize};

pub use choices::{
    ControlName, CouplingName, LossName, MemoryName, MethodName, OperatorName, Precision,
    ResidualName, ScheduleName, Simd, SolverName, Source, Start, TaskName,
};
pub use values::{BatchSize, InitChoice};

/// Everything that decides the numbers of one run.
#[derive(Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Spec {
    /// What to learn
    #[arg(long, value_enum, help_heading = "Task")]
    pub task: TaskName,
    /// CSV file with one header line (task csv)
    #[arg(long, value_name = "FILE", help_heading = "Task")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    /// Target column or columns of the CSV file; all others are inputs
    #[arg(long, value_name = "Y[,Y2]", value_delimiter = ',', help_heading = "Task")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target: Vec<String>,
    /// Loss of task csv [default: mse]
    #[arg(long, value_enum, help_heading = "Task")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<LossName>,
    /// Scale the CSV file's inputs to mean 0 and deviation 1 over its training samples
    #[arg(long, help_heading = "Task")]
    #[serde(default, skip_serializing_if = "is_false")]
    pub standardise: bool,
    /// Standard deviation of the noise on made-up targets
    #[arg(
        long,
        allow_hyphen_values = true,
        default_value_t = 0.01,
        value_name = "STD",
        help_heading = "Task"
    )]
    #[serde(default = "default_noise")]
    pub noise: f64,
    /// Training samples of a made-up task
    #[arg(long, default_value_t = 2_000, value_name = "N", help_heading = "Task")]
    #[serde(default = "default_samples")]
    pub samples: usize,
    /// Train on the first N samples only, and test on the others instead of the test set: to
    /// choose settings without looking at the test set
    #[arg(long, value_name = "N", help_heading = "Task")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<usize>,
    /// Folder of the four image files [default: $MNIST_DIR, else data/mnist]
    #[arg(long, value_name = "DIR", help_heading = "Task")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,

    /// Scheme
    #[arg(long, value_enum, help_heading = "Method")]
    pub method: MethodName,
    /// Draw the auxiliary variable back to its definition as far as the energy law allows
    #[arg(long, help_heading = "Method")]
    #[serde(default, skip_serializing_if = "is_false")]
    pub relaxed: bool,
    /// Coupling of SAV and ExpSAV [default: ratio; consistent with --relaxed]
    #[arg(long, value_enum, help_heading = "Method")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coupling: Option<CouplingName>,
    /// Residual of IEQ [default on cross-entropy: sqrt-loss (ieq-adaptive), ggn (ieq-full)]
    #[arg(long, value_enum, help_heading = "Method")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub residual: Option<ResidualName>,
    /// How long q of IEQ lives [default: fresh; persistent with --relaxed]
    #[arg(long, value_enum, help_heading = "Method")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<MemoryName>,
    /// Step-size control
    #[arg(long, value_enum, default_value = "fixed", help_heading = "Method")]
    #[serde(default = "default_control")]
    pub control: ControlName,
    /// Linear operator of SAV, ExpSAV and IEQ
    #[arg(long, value_enum, default_value = "scalar", help_heading = "Method")]
    #[serde(default = "default_operator")]
    pub operator: OperatorName,
    /// Solver of full IEQ [default: cholesky up to 2,560 residuals a batch, then cg]
    #[arg(long, value_enum, help_heading = "Method")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub solver: Option<SolverName>,
    /// Step size Δt [default: 0.1; 0.001 for adam]
    #[arg(long, allow_hyphen_values = true, value_name = "DT", help_heading = "Method")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dt: Option<f64>,
    /// Strength λ of the linear operator
    #[arg(
        long,
        allow_hyphen_values = true,
        default_value_t = 0.0,
        value_name = "L",
        help_heading = "Method"
    )]
    #[serde(default)]
    pub lambda: f64,
    /// Shift C of SAV, factor C of ExpSAV
    #[arg(
        long,
        allow_hyphen_values = true,
        default_value_t = 1.0,
        value_name = "C",
        help_heading = "Method"
    )]
    #[serde(default = "default_c")]
    pub c: f64,
    /// Regularisation ε of adaptive IEQ
    #[arg(
        long,
        allow_hyphen_values = true,
        default_value = "1e-8",
        value_name = "E",
        help_heading = "Method"
    )]
    #[serde(default = "default_epsilon")]
    pub epsilon: f64,
    /// Share η of the dissipation that relaxation may spend
    #[arg(
        long,
        allow_hyphen_values = true,
        default_value_t = 0.99,
        value_name = "ETA",
        help_heading = "Method"
    )]
    #[serde(default = "default_eta")]
    pub eta: f64,
    /// Loss that the auxiliary variable starts from
    #[arg(long, value_enum, default_value = "batch", help_heading = "Method")]
    #[serde(default = "default_start")]
    pub r0: Start,

    /// Hidden units
    #[arg(long, default_value_t = 100, value_name = "N", help_heading = "Network")]
    #[serde(default = "default_hidden")]
    pub hidden: usize,
    /// Give each output a bias (always with --init ntk)
    #[arg(long, help_heading = "Network")]
    #[serde(default, skip_serializing_if = "is_false")]
    pub output_bias: bool,
    /// Initial weights: kaiming, ntk or a safetensors file [default: ntk for made-up tasks, else
    /// kaiming]
    #[arg(long, value_name = "INIT", help_heading = "Network")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<InitChoice>,

    /// Samples a step, or full
    #[arg(long, default_value = "64", value_name = "N|full", help_heading = "Training")]
    #[serde(default)]
    pub batch: BatchSize,
    /// Passes over the training set [default: 10]
    #[arg(long, value_name = "N", conflicts_with = "steps", help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u32>,
    /// Steps, instead of --epochs
    #[arg(long, value_name = "N", help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
    /// How Δt moves over the run
    #[arg(long, value_enum, default_value = "constant", help_heading = "Training")]
    #[serde(default = "default_schedule")]
    pub schedule: ScheduleName,
    /// Seed of weights, data, noise and shuffling
    #[arg(long, default_value_t = 0, value_name = "N", help_heading = "Training")]
    #[serde(default)]
    pub seed: u64,
    /// Floating-point type
    #[arg(long, value_enum, default_value = "f32", help_heading = "Training")]
    #[serde(default = "default_precision")]
    pub precision: Precision,
}

impl Spec {
    /// A run with the command line's defaults.
    #[must_use]
    pub fn new(task: TaskName, method: MethodName) -> Self {
        Self {
            task,
            data: None,
            target: Vec::new(),
            loss: None,
            standardise: false,
            noise: default_noise(),
            samples: default_samples(),
            train: None,
            data_dir: None,
            method,
            relaxed: false,
            coupling: None,
            residual: None,
            q: None,
            control: default_control(),
            operator: default_operator(),
            solver: None,
            dt: None,
            lambda: 0.0,
            c: default_c(),
            epsilon: default_epsilon(),
            eta: default_eta(),
            r0: default_start(),
            hidden: default_hidden(),
            output_bias: false,
            init: None,
            batch: BatchSize::default(),
            epochs: None,
            steps: None,
            schedule: default_schedule(),
            seed: 0,
            precision: default_precision(),
        }
    }

    /// The step size that holds.
    #[must_use]
    pub fn dt(&self) -> f64 {
        let default = if self.method == MethodName::Adam { 1e-3 } else { 0.1 };
        self.dt.unwrap_or(default)
    }

    /// The task's loss.
    #[must_use]
    pub fn task_loss(&self) -> Loss {
        match self.task.meaning() {
            Source::Made(_) => Loss::Mse,
            Source::Images(_) => Loss::CrossEntropy,
            Source::Csv => self.loss.unwrap_or(LossName::Mse).meaning(),
        }
    }

    /// The initialisation that holds.
    #[must_use]
    pub fn init(&self) -> InitChoice {
        let default = match self.task.meaning() {
            Source::Made(_) => InitChoice::Ntk,
            Source::Images(_) | Source::Csv => InitChoice::Kaiming,
        };
        self.init.clone().unwrap_or(default)
    }

    /// The scheme's settings.
    #[must_use]
    pub fn settings<T: Float>(&self) -> Settings<T> {
        Settings {
            relaxed: self.relaxed,
            coupling: self.coupling.map(CouplingName::meaning),
            residual: self.residual.map(ResidualName::meaning),
            memory: self.q.map(MemoryName::meaning),
            control: self.control.meaning(),
            operator: self.operator.meaning(),
            solver: self.solver.map(SolverName::meaning),
            dt: T::from_f64(self.dt()),
            lambda: T::from_f64(self.lambda),
            c: T::from_f64(self.c),
            epsilon: T::from_f64(self.epsilon),
            eta: T::from_f64(self.eta),
            ..Settings::new(self.method.meaning())
        }
    }

    /// The method in words, with what makes it a variant: what tables and figures call it.
    #[must_use]
    pub fn label(&self) -> String {
        let mut label = String::new();
        if self.relaxed {
            label.push_str("relaxed ");
        }
        label.push_str(match self.method.meaning() {
            Method::Sgd => "SGD",
            Method::Adam => "Adam",
            Method::Sav => "SAV",
            Method::ExpSav => "ExpSAV",
            Method::IeqFull => "IEQ full",
            Method::IeqAdaptive => "IEQ adaptive",
        });
        if self.coupling == Some(CouplingName::Consistent) && !self.relaxed {
            label.push_str(", consistent");
        }
        if let Some(residual) = self.residual {
            label.push_str(&format!(", {}", residual.word()));
        }
        if self.control == ControlName::GainRatio {
            label.push_str(", gain ratio");
        }
        if self.operator == OperatorName::Diagonal {
            label.push_str(", diagonal");
        }
        label
    }

    /// Whether adaptive IEQ keeps one number for the whole run, which starts from some loss.
    fn has_lasting_scalar(&self) -> bool {
        let settings = self.settings::<f64>();
        let scalar = match self.residual {
            Some(residual) => residual == ResidualName::SqrtLoss,
            None => self.task_loss().classifies(),
        };
        self.method == MethodName::IeqAdaptive && settings.memory() == Memory::Persistent && scalar
    }

    /// The flags that were given though the method has no use for them.
    #[must_use]
    pub fn unused<'f>(&self, given: &[&'f str]) -> Vec<&'f str> {
        let method = self.method.meaning();
        let sav = matches!(method, Method::Sav | Method::ExpSav);
        let ieq = matches!(method, Method::IeqFull | Method::IeqAdaptive);
        let source = self.task.meaning();
        let used = |flag: &str| match flag {
            "coupling" | "c" => sav,
            "residual" | "q" => ieq,
            "control" | "solver" => method == Method::IeqFull,
            "operator" | "lambda" => sav || ieq,
            "epsilon" => method == Method::IeqAdaptive,
            "eta" => self.relaxed,
            "r0" => sav || self.has_lasting_scalar(),
            "data" | "target" | "loss" | "standardise" => source == Source::Csv,
            "noise" | "samples" => matches!(source, Source::Made(_)),
            "data_dir" => matches!(source, Source::Images(_)),
            "hidden" | "output_bias" => !matches!(self.init, Some(InitChoice::File(_))),
            _ => true,
        };
        given.iter().copied().filter(|flag| !used(flag)).collect()
    }
}

const fn is_false(flag: &bool) -> bool {
    !*flag
}
const fn default_noise() -> f64 {
    0.01
}
const fn default_samples() -> usize {
    2_000
}
const fn default_control() -> ControlName {
    ControlName::Fixed
}
const fn default_operator() -> OperatorName {
    OperatorName::Scalar
}
const fn default_c() -> f64 {
    1.0
}
const fn default_epsilon() -> f64 {
    1e-8
}
const fn default_eta() -> f64 {
    0.99
}
const fn default_start() -> Start {
    Start::Batch
}
const fn default_hidden() -> usize {
    100
}
const fn default_schedule() -> ScheduleName {
    ScheduleName::Constant
}
const fn default_precision() -> Precision {
    Precision::F32
}
