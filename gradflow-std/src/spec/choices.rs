//! The words of the command line and of spec files, and what they mean to the core.

use clap::ValueEnum;
use gradflow_core::network::Loss;
use gradflow_core::scheme::{
    Control, Coupling, Memory, Method, OperatorChoice, ResidualChoice, SolverChoice,
};
use gradflow_core::tasks::Task;
use gradflow_core::training::Schedule;
use serde::{Deserialize, Serialize};

use crate::data::Images;
use crate::run::Registers;

/// An enum whose variants have one name on the command line and in files, and a meaning.
macro_rules! choices {
    ($(#[$doc:meta])* $name:ident is $meaning:ty { $($(#[$help:meta])* $variant:ident = $word:literal => $value:expr,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$help])* #[value(name = $word)] #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// What the word means.
            #[must_use]
            pub const fn meaning(self) -> $meaning {
                match self { $(Self::$variant => $value,)+ }
            }

            /// The word.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

/// Where the samples of a task come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// They are made up.
    Made(Task),
    /// Images on disk.
    Images(Images),
    /// A CSV file.
    Csv,
}

choices! {
    /// What is to be learnt.
    TaskName is Source {
        /// y = exp(−x²) + noise, one input
        Gaussian = "gaussian" => Source::Made(Task::Gaussian),
        /// a sine plus a cosine of 40 inputs
        SinCos = "sin-cos" => Source::Made(Task::SinCos),
        /// Σ cᵢ xᵢ² of 10 inputs
        Quadratic = "quadratic" => Source::Made(Task::Quadratic),
        /// exp(−10 ‖x‖²) of two inputs
        Gaussian10 = "gaussian-10" => Source::Made(Task::Gaussian10),
        /// handwritten digits
        Mnist = "mnist" => Source::Images(Images::Mnist),
        /// pictures of clothes
        FashionMnist = "fashion-mnist" => Source::Images(Images::FashionMnist),
        /// your own table: --data FILE --target y
        Csv = "csv" => Source::Csv,
    }
}

choices! {
    /// The scheme.
    MethodName is Method {
        /// stochastic gradient descent; no energy law
        Sgd = "sgd" => Method::Sgd,
        /// Adam; no energy law
        Adam = "adam" => Method::Adam,
        /// scalar auxiliary variable √(L + C)
        Sav = "sav" => Method::Sav,
        /// exponential scalar auxiliary variable C exp(L)
        ExpSav = "exp-sav" => Method::ExpSav,
        /// invariant energy quadratisation with the whole Jacobian
        IeqFull = "ieq-full" => Method::IeqFull,
        /// invariant energy quadratisation as an adaptive step
        IeqAdaptive = "ieq-adaptive" => Method::IeqAdaptive,
    }
}

choices! {
    /// What training minimises.
    LossName is Loss {
        /// mean squared error over samples and outputs
        Mse = "mse" => Loss::Mse,
        /// softmax cross-entropy
        CrossEntropy = "cross-entropy" => Loss::CrossEntropy,
    }
}

choices! {
    /// How the auxiliary variable acts on the step.
    CouplingName is Coupling {
        /// κ = 1: r only watches
        Ratio = "ratio" => Coupling::Ratio,
        /// κ compares r with its definition; the energy law binds the step
        Consistent = "consistent" => Coupling::Consistent,
    }
}

choices! {
    /// What q of IEQ is.
    ResidualName is ResidualChoice {
        /// q = √(2L), one number
        SqrtLoss = "sqrt-loss" => ResidualChoice::SqrtLoss,
        /// probabilities minus one-hot; trains the Brier score
        Brier = "brier" => ResidualChoice::Brier,
        /// generalised Gauss-Newton
        Ggn = "ggn" => ResidualChoice::Ggn,
        /// outputs minus one-hot, unscaled; no law
        Logit = "logit" => ResidualChoice::Logit,
        /// outputs minus targets, unscaled; no law
        Raw = "raw" => ResidualChoice::Raw,
    }
}

choices! {
    /// How long q of IEQ lives.
    MemoryName is Memory {
        /// for one step
        Fresh = "fresh" => Memory::Fresh,
        /// for the whole run
        Persistent = "persistent" => Memory::Persistent,
    }
}

choices! {
    /// How Δt moves.
    ControlName is Control {
        /// as it is set
        Fixed = "fixed" => Control::Fixed,
        /// chosen from the ratio of true to predicted decrease (ieq-full)
        GainRatio = "gain-ratio" => Control::GainRatio,
    }
}

choices! {
    /// The linear operator 𝓛.
    OperatorName is OperatorChoice {
        /// λI
        Scalar = "scalar" => OperatorChoice::Scalar,
        /// Adam's second moment as a metric, with λ
        Diagonal = "diagonal" => OperatorChoice::Diagonal,
    }
}

choices! {
    /// How full IEQ solves its system.
    SolverName is SolverChoice {
        /// structured Gram matrix and Cholesky
        Cholesky = "cholesky" => SolverChoice::Cholesky,
        /// conjugate gradients
        Cg = "cg" => SolverChoice::ConjugateGradients,
    }
}

choices! {
    /// How Δt moves over the run.
    ScheduleName is Schedule {
        /// not at all
        Constant = "constant" => Schedule::Constant,
        /// down to 0 along half a cosine
        Cosine = "cosine" => Schedule::Cosine,
    }
}

choices! {
    /// What the auxiliary variable starts from.
    Start is bool {
        /// the loss of the first batch
        Batch = "batch" => false,
        /// the loss of the whole training set
        Train = "train" => true,
    }
}

choices! {
    /// The floating-point type.
    Precision is usize {
        /// 32 bits
        F32 = "f32" => 4,
        /// 64 bits
        F64 = "f64" => 8,
    }
}

choices! {
    /// Whether kernels use the widest vectors of this machine; the bits are the same.
    Simd is Registers {
        /// the widest that this machine has
        Auto = "auto" => Registers::Avx512,
        /// at most 256 bits
        Avx2 = "avx2" => Registers::Avx2,
        /// those that every machine of this kind has
        Off = "off" => Registers::Baseline,
    }
}
