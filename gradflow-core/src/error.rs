//! What can go wrong in a step, small enough to travel through a serial line.

use core::fmt;

/// A buffer lent by the caller, as errors name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buffer {
    /// Parameters `w` of the network.
    Weights,
    /// Gradient `∇L(w)`.
    Gradient,
    /// A copy of the parameters, from which a rejected step is undone.
    Backup,
    /// First or second moments of Adam or of a diagonal metric.
    Moments,
    /// Entries of a diagonal operator.
    Operator,
    /// Residual `q` or a vector of its length.
    Residual,
    /// Packed Gram matrix `I + Δt J A Jᵀ`.
    Gram,
    /// Residuals kept from one visit of a sample to the next.
    Store,
    /// Inputs of a batch.
    Inputs,
    /// Targets of a batch.
    Targets,
    /// Predictions of a batch.
    Predictions,
    /// Working memory of the network.
    Scratch,
    /// Indices of samples.
    Indices,
    /// Bytes of a weights file.
    Bytes,
}

/// A number that must be finite, as errors name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Loss `L(wⁿ)`.
    Loss,
    /// Loss at the new parameters, `L(wⁿ⁺¹)`.
    NextLoss,
    /// Gradient, or the square of its norm.
    Gradient,
    /// Residual `q`, or the square of its norm.
    Residual,
    /// Step `Δw`, or the square of its norm.
    Update,
    /// Parameters.
    Weights,
    /// Auxiliary variable.
    Auxiliary,
    /// Moments of Adam or of a diagonal metric.
    Moments,
}

/// A setting that has a range, as errors name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Step size Δt, finite and positive.
    Dt,
    /// Strength λ of the linear operator, finite and not negative.
    Lambda,
    /// Shift C of SAV (finite) or factor C of ExpSAV (finite, positive).
    C,
    /// Regularisation ε of IEQ, finite and not negative.
    Epsilon,
    /// Share η of the dissipation that relaxation may spend, `0 ≤ η < 1`.
    Eta,
    /// Decay β of a moment, `0 ≤ β < 1` and `β₁² < β₂`.
    Beta,
    /// Number of samples in a batch, at least 1 and at most the set's size.
    Batch,
    /// Number of inputs, hidden units or outputs, at least 1, with fewer than 2³¹ parameters.
    Width,
    /// A sample's index, less than the number of samples.
    Sample,
}

/// Why a step, or the set-up before it, was refused. Parameters and state are as they were.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// A buffer's length does not fit the problem.
    Length {
        /// Which buffer.
        what: Buffer,
        /// Length that the problem needs.
        needed: usize,
        /// Length that was lent.
        got: usize,
    },
    /// A number left the range of its type.
    NotFinite {
        /// Which number.
        what: Quantity,
    },
    /// A setting lies outside its range.
    OutOfRange {
        /// Which setting.
        what: Setting,
        /// Its value.
        value: f64,
    },
    /// `L + C ≤ 0`: SAV's square root does not exist. A larger C is needed.
    ShiftTooSmall {
        /// The value of `L + C`.
        loss_plus_c: f64,
    },
    /// A division 0/0: the auxiliary variable vanished while the gradient did not.
    Degenerate,
    /// The Gram matrix is not positive definite in this precision.
    Singular {
        /// Row at which the factorisation broke down.
        row: usize,
    },
    /// Conjugate gradients did not reach the tolerance.
    NoConvergence {
        /// Iterations done.
        iterations: usize,
    },
    /// A class label is not below the number of classes.
    Label {
        /// Index of the sample.
        sample: usize,
        /// Its label.
        label: usize,
        /// Number of classes.
        classes: usize,
    },
    /// A combination of settings or of data has no meaning; the text says what to change.
    Unsupported(&'static str),
    /// Bytes are not a weights file of this network; the text says what is wrong.
    Format(&'static str),
}

impl Error {
    /// True if training left the road, rather than having been set up wrongly.
    #[must_use]
    pub const fn is_divergence(self) -> bool {
        matches!(
            self,
            Self::NotFinite { .. }
                | Self::ShiftTooSmall { .. }
                | Self::Degenerate
                | Self::Singular { .. }
                | Self::NoConvergence { .. }
        )
    }

    /// `Ok` if `got == needed`, else the error that names the buffer.
    pub(crate) const fn check_length(what: Buffer, needed: usize, got: usize) -> Result<(), Self> {
        if got == needed { Ok(()) } else { Err(Self::Length { what, needed, got }) }
    }

    /// `Ok` if the buffer holds at least `needed` entries.
    pub(crate) const fn check_room(what: Buffer, needed: usize, got: usize) -> Result<(), Self> {
        if got >= needed { Ok(()) } else { Err(Self::Length { what, needed, got }) }
    }
}

impl Buffer {
    /// Its name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Weights => "weights",
            Self::Gradient => "gradient",
            Self::Backup => "backup",
            Self::Moments => "moments",
            Self::Operator => "operator",
            Self::Residual => "residual",
            Self::Gram => "Gram matrix",
            Self::Store => "stored residuals",
            Self::Inputs => "inputs",
            Self::Targets => "targets",
            Self::Predictions => "predictions",
            Self::Scratch => "scratch",
            Self::Indices => "indices",
            Self::Bytes => "bytes",
        }
    }
}

impl Quantity {
    /// Its name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loss => "the loss",
            Self::NextLoss => "the loss after the step",
            Self::Gradient => "the gradient or its squared norm",
            Self::Residual => "the residual or its squared norm",
            Self::Update => "the update",
            Self::Weights => "the weights",
            Self::Auxiliary => "the auxiliary variable",
            Self::Moments => "the moments",
        }
    }
}

impl Setting {
    /// Its name and its range in messages.
    #[must_use]
    pub const fn name_and_range(self) -> (&'static str, &'static str) {
        match self {
            Self::Dt => ("dt", "finite and positive"),
            Self::Lambda => ("lambda", "finite and not negative"),
            Self::C => ("c", "finite (SAV), finite and positive (ExpSAV)"),
            Self::Epsilon => ("epsilon", "finite and not negative"),
            Self::Eta => ("eta", "at least 0 and less than 1"),
            Self::Beta => ("beta", "at least 0 and less than 1, with beta1² < beta2"),
            Self::Batch => ("batch", "at least 1 and at most the number of samples"),
            Self::Width => ("width", "at least 1, with fewer than 2³¹ parameters in all"),
            Self::Sample => ("sample index", "less than the number of samples"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Length { what, needed, got } => {
                write!(
                    f,
                    "the {} buffer holds {got} entries where {needed} are needed",
                    what.name()
                )
            }
            Self::NotFinite { what } => write!(f, "{} is not finite", what.name()),
            Self::OutOfRange { what, value } => {
                let (name, range) = what.name_and_range();
                write!(f, "{name} = {value} is out of range: it must be {range}")
            }
            Self::ShiftTooSmall { loss_plus_c } => {
                write!(f, "L + C = {loss_plus_c} is not positive: choose a larger C")
            }
            Self::Degenerate => {
                f.write_str("the auxiliary variable vanished while the gradient did not")
            }
            Self::Singular { row } => write!(
                f,
                "the Gram matrix is not positive definite at row {row}: use a smaller dt or f64"
            ),
            Self::NoConvergence { iterations } => {
                write!(f, "conjugate gradients did not converge in {iterations} iterations")
            }
            Self::Label { sample, label, classes } => {
                write!(f, "sample {sample} has label {label}, but there are {classes} classes")
            }
            Self::Unsupported(what) | Self::Format(what) => f.write_str(what),
        }
    }
}

impl core::error::Error for Error {}
