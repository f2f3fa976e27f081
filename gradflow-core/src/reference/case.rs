//! Which runs there are, and what they are called.

use core::fmt;

use crate::Error;
use crate::float::Float;
use crate::network::{Init, Loss, TwoLayer};
use crate::scheme::{
    Control, Coupling, Memory, Method, OperatorChoice, ResidualChoice, Settings, Shape,
    SolverChoice,
};

/// A network with its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// One input and one output, mean squared error.
    Line,
    /// Two inputs in dense rows, mean squared error.
    Dense,
    /// Ten inputs in sparse rows, three classes, cross-entropy.
    Sparse,
    /// As `Line`, with more residuals in a step than a panel of the factorisation has rows.
    ManyOnLine,
    /// As `Dense`, likewise.
    Many,
    /// As `Dense`, with more samples in a step than are worked on together.
    Pieces,
    /// As `Sparse`, with many hidden units.
    Wide,
    /// As `Line`, with the Gram matrix in closed form.
    ClosedForm,
}

impl World {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Dense => "dense",
            Self::Sparse => "sparse",
            Self::ManyOnLine => "many-on-line",
            Self::Many => "many",
            Self::Pieces => "pieces",
            Self::Wide => "wide",
            Self::ClosedForm => "closed-form",
        }
    }

    /// The loss.
    #[must_use]
    pub const fn loss(self) -> Loss {
        match self {
            Self::Sparse | Self::Wide => Loss::CrossEntropy,
            _ => Loss::Mse,
        }
    }

    pub(super) const fn init(self) -> Init {
        match self {
            Self::Line | Self::ManyOnLine | Self::ClosedForm => Init::Ntk,
            _ => Init::Kaiming,
        }
    }

    pub(super) const fn inputs(self) -> usize {
        match self {
            Self::Line | Self::ManyOnLine | Self::ClosedForm => 1,
            Self::Dense | Self::Many | Self::Pieces => 2,
            Self::Sparse | Self::Wide => 10,
        }
    }

    pub(super) const fn outputs(self) -> usize {
        match self {
            Self::Sparse | Self::Wide => 3,
            _ => 1,
        }
    }

    /// Hidden units: no multiple of the eight lanes.
    const fn hidden(self) -> usize {
        match self {
            Self::Wide => 100,
            _ => 12,
        }
    }

    /// Samples in the set and in a batch.
    pub(super) const fn samples(self) -> (usize, usize) {
        match self {
            Self::ManyOnLine | Self::Many => (41, 41),
            Self::Pieces => (70, 70),
            _ => (20, 8),
        }
    }

    pub(super) fn network<T: Float>(self) -> Result<TwoLayer<T>, Error> {
        let network = TwoLayer::new(self.inputs(), self.hidden(), self.outputs())?;
        Ok(self.init().scale(network.with_output_bias(!self.loss().classifies())))
    }

    pub(super) fn shape<T: Float>(self, network: &TwoLayer<T>) -> Shape {
        let (samples, batch) = self.samples();
        let (parameters, outputs) = (network.parameters(), network.outputs());
        Shape { parameters, outputs, batch, samples }
    }
}

/// A run: a world, and the settings to train with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Case {
    /// Network and data.
    pub world: World,
    /// The settings. In double precision their numbers are the same.
    pub settings: Settings<f32>,
    double: bool,
}

impl Case {
    pub(super) fn new(world: World, settings: Settings<f32>) -> Self {
        Self { world, settings: with_numbers(settings), double: false }
    }

    /// Every run in single precision.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let worlds = [World::Line, World::Dense, World::Sparse].into_iter();
        let everything = worlds.flat_map(|world| {
            combinations(world.loss()).map(move |settings| Self::new(world, settings))
        });
        everything.chain(Self::large())
    }

    /// The runs that reach what small batches and networks do not.
    fn large() -> impl Iterator<Item = Self> {
        let ieq_full =
            Settings { solver: Some(SolverChoice::Cholesky), ..Settings::new(Method::IeqFull) };
        [
            Self::new(World::ManyOnLine, ieq_full),
            Self::new(World::Many, ieq_full),
            Self::new(World::Pieces, Settings::new(Method::Sgd)),
            Self::new(World::Wide, Settings::new(Method::Sgd)),
            Self::new(World::ClosedForm, ieq_full),
        ]
        .into_iter()
    }

    /// Runs in double precision.
    pub(super) fn in_double_precision() -> impl Iterator<Item = Self> {
        let relaxed = Settings { relaxed: true, ..Settings::new(Method::Sav) };
        let by = |solver| Settings { solver: Some(solver), ..Settings::new(Method::IeqFull) };
        [
            Self::new(World::Line, relaxed),
            Self::new(World::Line, by(SolverChoice::Cholesky)),
            Self::new(World::Dense, by(SolverChoice::ConjugateGradients)),
            Self::new(World::Sparse, Settings::new(Method::Adam)),
        ]
        .into_iter()
        .map(|case| Self { double: true, ..case })
    }

    /// The settings in the precision of the run.
    pub(super) fn settings_as<T: Float>(&self) -> Settings<T> {
        let Settings { method, relaxed, coupling, residual, memory, control, operator, .. } =
            self.settings;
        let Settings { solver, dt, lambda, c, epsilon, eta, .. } = self.settings;
        let [dt, lambda, c, epsilon, eta] =
            [dt, lambda, c, epsilon, eta].map(|number| T::from_f64(number.to_f64()));
        Settings {
            method,
            relaxed,
            coupling,
            residual,
            memory,
            control,
            operator,
            solver,
            dt,
            lambda,
            c,
            epsilon,
            eta,
        }
    }
}

/// Numbers with which no run diverges and every formula has its say.
fn with_numbers(settings: Settings<f32>) -> Settings<f32> {
    let dt = match settings.method {
        Method::Sgd => 0.1,
        Method::Adam => 0.01,
        Method::Sav | Method::ExpSav | Method::IeqAdaptive => 0.5,
        Method::IeqFull => 4.0,
    };
    Settings { dt, lambda: 0.25, epsilon: 1e-4, ..settings }
}

/// Every combination of choices that [`Settings::check`] accepts for this loss, each choice that a
/// method has made in every way, with the numbers of [`Settings::new`].
pub fn combinations(loss: Loss) -> impl Iterator<Item = Settings<f32>> {
    let chosen = move |number| {
        combination(number).filter(|settings| is_plain(settings) && settings.check(loss).is_ok())
    };
    (0..).map_while(|number| (number < COMBINATIONS).then_some(number)).filter_map(chosen)
}

const COMBINATIONS: usize = 6 * 2 * 3 * 6 * 3 * 2 * 2 * 3;

/// The combination whose choices are the digits of a number.
fn combination(mut number: usize) -> Option<Settings<f32>> {
    use ResidualChoice::{Brier, Ggn, Logit, Raw, SqrtLoss};
    let residuals = [None, Some(SqrtLoss), Some(Brier), Some(Ggn), Some(Logit), Some(Raw)];
    let solvers = [None, Some(SolverChoice::Cholesky), Some(SolverChoice::ConjugateGradients)];
    let number = &mut number;
    let operator = digit(number, &[OperatorChoice::Scalar, OperatorChoice::Diagonal])?;
    let solver = digit(number, &solvers)?;
    let memory = digit(number, &[None, Some(Memory::Fresh), Some(Memory::Persistent)])?;
    let residual = digit(number, &residuals)?;
    let coupling = digit(number, &[None, Some(Coupling::Ratio), Some(Coupling::Consistent)])?;
    let control = digit(number, &[Control::Fixed, Control::GainRatio])?;
    let relaxed = digit(number, &[false, true])?;
    let method = digit(number, &Method::ALL)?;
    let settings = Settings::new(method);
    Some(Settings { relaxed, coupling, residual, memory, control, operator, solver, ..settings })
}

fn digit<C: Copy>(number: &mut usize, choices: &[C]) -> Option<C> {
    let choice = number.checked_rem(choices.len())?;
    *number /= choices.len();
    choices.get(choice).copied()
}

/// True if choices are made where the method has them, and only there.
fn is_plain(settings: &Settings<f32>) -> bool {
    let method = settings.method;
    let couples = matches!(method, Method::Sav | Method::ExpSav);
    let quadratises = matches!(method, Method::IeqFull | Method::IeqAdaptive);
    settings.coupling.is_some() == couples
        && settings.memory.is_some() == quadratises
        && (settings.residual.is_none() || quadratises)
        && settings.solver.is_some() == (method == Method::IeqFull)
        && (settings.operator == OperatorChoice::Scalar || method.has_auxiliary())
}

/// `scheme/world,choices`: the scheme with solver, control and relaxation, then what it trains and
/// how.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { method, relaxed, coupling, residual, memory, control, operator, .. } =
            self.settings;
        f.write_str(method.name())?;
        f.write_str(match self.settings.solver {
            Some(SolverChoice::Cholesky) => "-cholesky",
            Some(SolverChoice::ConjugateGradients) => "-cg",
            None => "",
        })?;
        f.write_str(if control == Control::GainRatio { "-gain-ratio" } else { "" })?;
        f.write_str(if relaxed { "-relaxed/" } else { "/" })?;
        f.write_str(self.world.name())?;
        f.write_str(if self.double { ",f64" } else { "" })?;
        f.write_str(match coupling {
            Some(Coupling::Ratio) => ",ratio",
            Some(Coupling::Consistent) => ",consistent",
            None => "",
        })?;
        f.write_str(match residual {
            Some(ResidualChoice::SqrtLoss) => ",sqrt-loss",
            Some(ResidualChoice::Brier) => ",brier",
            Some(ResidualChoice::Ggn) => ",ggn",
            Some(ResidualChoice::Logit) => ",logit",
            Some(ResidualChoice::Raw) => ",raw",
            None => "",
        })?;
        f.write_str(match memory {
            Some(Memory::Fresh) => ",fresh",
            Some(Memory::Persistent) => ",persistent",
            None => "",
        })?;
        f.write_str(if operator == OperatorChoice::Diagonal { ",diagonal" } else { "" })
    }
}
