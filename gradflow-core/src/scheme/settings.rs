//! Schemes chosen by name while the program runs: what a command line, a page or a serial line
//! asks for, checked in one place.

use super::{Coupling, ExpSav, IeqAdaptive, Memory, Rule, Sav, check, check_dt};
use crate::error::{Error, Setting};
use crate::float::Float;
use crate::network::{Loss, Residual};

/// The schemes by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// [`Sgd`](super::Sgd)
    Sgd,
    /// [`Adam`](super::Adam)
    Adam,
    /// [`Sav`]
    Sav,
    /// [`ExpSav`]
    ExpSav,
    /// [`IeqFull`](super::IeqFull)
    IeqFull,
    /// [`IeqAdaptive`] or [`IeqVector`](super::IeqVector)
    IeqAdaptive,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 6] =
        [Self::Sgd, Self::Adam, Self::Sav, Self::ExpSav, Self::IeqFull, Self::IeqAdaptive];

    /// The name on a command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sgd => "sgd",
            Self::Adam => "adam",
            Self::Sav => "sav",
            Self::ExpSav => "exp-sav",
            Self::IeqFull => "ieq-full",
            Self::IeqAdaptive => "ieq-adaptive",
        }
    }

    /// The method of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// True if the method has an auxiliary variable, and so can be relaxed.
    #[must_use]
    pub const fn has_auxiliary(self) -> bool {
        !matches!(self, Self::Sgd | Self::Adam)
    }
}

/// The residuals of IEQ that can be asked for; the default depends on method and loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResidualChoice {
    /// The scalar `√(2L)`, for adaptive IEQ.
    SqrtLoss,
    /// [`Residual::Brier`]; trains the Brier score.
    Brier,
    /// [`Residual::Ggn`], for full IEQ.
    Ggn,
    /// [`Residual::Logit`]
    Logit,
    /// [`Residual::Raw`]
    Raw,
}

/// How Δt moves from step to step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// As it is set.
    Fixed,
    /// [`GainRatio`](super::GainRatio), for full IEQ.
    GainRatio,
}

/// The linear operators that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorChoice {
    /// `λI`
    Scalar,
    /// Adam's second moment as a metric, with λ.
    Diagonal,
}

/// The linear solvers of full IEQ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SolverChoice {
    /// Structured Gram matrix and Cholesky.
    Cholesky,
    /// Conjugate gradients.
    ConjugateGradients,
}

/// Everything that decides a scheme. Fields that are `None` take the method's default.
///
/// ```
/// use gradflow_core::network::Loss;
/// use gradflow_core::scheme::{AnyScheme, Method, Settings, Shape};
/// let settings = Settings { relaxed: true, dt: 1.0, ..Settings::new(Method::Sav) };
/// let shape = Shape { parameters: 301, outputs: 1, batch: 64, samples: 2_000 };
/// let scheme = AnyScheme::new(&settings, Loss::Mse, shape, |len| vec![0.0_f32; len])?;
/// # Ok::<(), gradflow_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings<T> {
    /// Which scheme.
    pub method: Method,
    /// Whether it is wrapped in [`Relaxed`](super::Relaxed).
    pub relaxed: bool,
    /// Ratio, or Consistent if relaxed.
    pub coupling: Option<Coupling>,
    /// What `q` of IEQ is.
    pub residual: Option<ResidualChoice>,
    /// Fresh, or persistent if relaxed.
    pub memory: Option<Memory>,
    /// Step-size control.
    pub control: Control,
    /// Linear operator.
    pub operator: OperatorChoice,
    /// Cholesky, or conjugate gradients if the operator is diagonal or the batch is large.
    pub solver: Option<SolverChoice>,
    /// Step size Δt.
    pub dt: T,
    /// Strength λ of the linear operator.
    pub lambda: T,
    /// C of SAV and ExpSAV.
    pub c: T,
    /// ε of adaptive IEQ.
    pub epsilon: T,
    /// η of relaxation.
    pub eta: T,
}

/// The sizes that decide how much memory a scheme needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Parameters p of the network.
    pub parameters: usize,
    /// Outputs k of the network.
    pub outputs: usize,
    /// Samples in the largest batch.
    pub batch: usize,
    /// Samples in the training set.
    pub samples: usize,
}

/// Residuals up to which full IEQ uses Cholesky unless told otherwise; its time grows with the
/// cube of their number, its memory with the square.
pub const CHOLESKY_LIMIT: usize = 2_560;

impl<T: Float> Settings<T> {
    /// A method with the defaults of the command line.
    #[must_use]
    pub fn new(method: Method) -> Self {
        Self {
            method,
            relaxed: false,
            coupling: None,
            residual: None,
            memory: None,
            control: Control::Fixed,
            operator: OperatorChoice::Scalar,
            solver: None,
            dt: T::from_f64(0.1),
            lambda: T::ZERO,
            c: T::ONE,
            epsilon: T::from_f64(1e-8),
            eta: T::from_f64(0.99),
        }
    }

    /// The coupling that holds.
    #[must_use]
    pub fn coupling(&self) -> Coupling {
        let default = if self.relaxed { Coupling::Consistent } else { Coupling::Ratio };
        self.coupling.unwrap_or(default)
    }

    /// The memory of q that holds.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let default = if self.relaxed { Memory::Persistent } else { Memory::Fresh };
        self.memory.unwrap_or(default)
    }

    /// The loss that training minimises on a task with this loss: the Brier residual trains the
    /// Brier score.
    #[must_use]
    pub const fn trained_loss(&self, loss: Loss) -> Loss {
        match (loss, self.residual) {
            (Loss::CrossEntropy, Some(ResidualChoice::Brier)) => Loss::Brier,
            _ => loss,
        }
    }

    /// The residual that the problem is to be set up with, given the task's loss.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a residual that the method or the loss does not have.
    pub fn residual(&self, loss: Loss) -> Result<Residual, Error> {
        let trained = self.trained_loss(loss);
        let residual = match self.residual {
            None | Some(ResidualChoice::SqrtLoss) => Residual::default_for(trained),
            Some(ResidualChoice::Brier) => Residual::Brier,
            Some(ResidualChoice::Ggn) => Residual::Ggn,
            Some(ResidualChoice::Logit) => Residual::Logit,
            Some(ResidualChoice::Raw) => Residual::Raw,
        };
        if residual.fits(trained) {
            return Ok(residual);
        }
        Err(Error::Unsupported(match residual {
            Residual::Raw => "residual raw belongs to the mse; classification has logit",
            _ => "residuals brier, ggn and logit belong to the cross-entropy; the mse has raw",
        }))
    }

    /// Refuses combinations that have no meaning, and settings of the method that are out of range.
    ///
    /// # Errors
    /// [`Error::Unsupported`], whose text says what to change; [`Error::OutOfRange`].
    pub fn check(&self, loss: Loss) -> Result<(), Error> {
        self.check_combination(loss)?;
        let Self { method, relaxed, dt, lambda, c, epsilon, eta, .. } = *self;
        check_dt(dt)?;
        if method.has_auxiliary() {
            check(lambda >= T::ZERO && lambda.is_finite(), Setting::Lambda, lambda)?;
        }
        if relaxed {
            check(eta >= T::ZERO && eta < T::ONE, Setting::Eta, eta)?;
        }
        let (coupling, memory) = (self.coupling(), self.memory());
        match method {
            Method::Sav => Sav { c, coupling }.check(),
            Method::ExpSav => ExpSav { c, coupling }.check(),
            Method::IeqAdaptive => IeqAdaptive { epsilon, memory }.check(),
            Method::Sgd | Method::Adam | Method::IeqFull => Ok(()),
        }
    }

    fn check_combination(&self, loss: Loss) -> Result<(), Error> {
        let residual = self.residual(loss)?;
        let fresh = self.memory() == Memory::Fresh;
        let is_full = self.method == Method::IeqFull;
        let refused = match self.method {
            Method::Sgd | Method::Adam if self.relaxed => {
                "sgd and adam have no auxiliary variable to relax"
            }
            Method::Sav if self.relaxed && self.coupling() == Coupling::Ratio => {
                "relaxed sav with coupling ratio breaks its energy law: use coupling consistent"
            }
            Method::IeqFull | Method::IeqAdaptive if self.relaxed && fresh => {
                "relaxation needs a persistent q"
            }
            _ if self.control == Control::GainRatio && !is_full => {
                "control gain-ratio belongs to ieq-full"
            }
            _ if self.control == Control::GainRatio && !fresh => {
                "control gain-ratio needs a fresh q, and so no relaxation"
            }
            Method::IeqFull if self.residual == Some(ResidualChoice::SqrtLoss) => {
                "residual sqrt-loss belongs to ieq-adaptive"
            }
            Method::IeqAdaptive if self.residual == Some(ResidualChoice::Ggn) => {
                "residual ggn belongs to ieq-full"
            }
            Method::IeqFull if residual == Residual::Ggn && !fresh => {
                "residual ggn has no persistent form: use residual brier"
            }
            Method::IeqFull
                if self.operator == OperatorChoice::Diagonal
                    && self.solver == Some(SolverChoice::Cholesky) =>
            {
                "a diagonal operator has no structured Gram matrix: use solver cg"
            }
            _ => return Ok(()),
        };
        Err(Error::Unsupported(refused))
    }

    /// True if adaptive IEQ needs a residual a sample rather than the scalar `√(2L)`. With fresh
    /// scaled residuals `‖q‖² = 2L`, and the scalar says all.
    pub(crate) fn is_vector(&self, loss: Loss) -> bool {
        match self.residual {
            Some(ResidualChoice::Logit | ResidualChoice::Raw) => true,
            Some(ResidualChoice::SqrtLoss) => false,
            _ => {
                self.memory() == Memory::Persistent && self.trained_loss(loss) != Loss::CrossEntropy
            }
        }
    }

    /// The solver that full IEQ uses for this shape.
    #[must_use]
    pub fn solver(&self, shape: Shape) -> SolverChoice {
        let large = shape.batch.saturating_mul(shape.outputs) > CHOLESKY_LIMIT;
        match self.solver {
            Some(solver) => solver,
            None if large || self.operator == OperatorChoice::Diagonal => {
                SolverChoice::ConjugateGradients
            }
            None => SolverChoice::Cholesky,
        }
    }
}
