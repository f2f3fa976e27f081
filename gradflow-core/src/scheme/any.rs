//! A scheme chosen while the program runs.

use super::{
    Adam, AdamMetric, AnyOperator, Control, ExpSav, Flow, GainRatio, IeqAdaptive, IeqFull,
    IeqVector, LinearSolver, Memory, Method, Movement, Operator, OperatorChoice, Relaxed, Sav,
    Scalar, Scheme, Settings, Sgd, Shape, Solved, SolverChoice, Step, Store,
};
use crate::error::Error;
use crate::float::Float;
use crate::linalg::Packed;
use crate::network::Loss;
use crate::objective::Residuals;

/// The relaxed driver of a rule.
type RelaxedFlow<T, R, A, B> = Relaxed<T, Flow<T, R, A, B>, B>;

/// A scheme chosen while the program runs, over buffers of type `B`, with linear operators of type
/// `A`.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum AnyScheme<T, B, A = AnyOperator<T, B>> {
    Sgd(Flow<T, Sgd, Scalar<T>, B>),
    Adam(Adam<T, B>),
    Sav(Flow<T, Sav<T>, A, B>),
    SavRelaxed(RelaxedFlow<T, Sav<T>, A, B>),
    ExpSav(Flow<T, ExpSav<T>, A, B>),
    ExpSavRelaxed(RelaxedFlow<T, ExpSav<T>, A, B>),
    IeqScalar(Flow<T, IeqAdaptive<T>, A, B>),
    IeqScalarRelaxed(RelaxedFlow<T, IeqAdaptive<T>, A, B>),
    IeqVector(IeqVector<T, A, B>),
    IeqVectorRelaxed(Relaxed<T, IeqVector<T, A, B>, B>),
    IeqFull(IeqFull<T, A, B>),
    IeqFullRelaxed(Relaxed<T, IeqFull<T, A, B>, B>),
    IeqFullGainRatio(GainRatio<T, A, B>),
}

impl<T: Float, B: AsRef<[T]> + AsMut<[T]>> AnyScheme<T, B> {
    /// The scheme that the settings ask for, on a task with this loss. `buffer(len)` lends or
    /// makes a buffer of `len` zeros.
    ///
    /// # Errors
    /// As [`Settings::check`].
    pub fn new(
        settings: &Settings<T>,
        loss: Loss,
        shape: Shape,
        buffer: impl FnMut(usize) -> B,
    ) -> Result<Self, Error> {
        Self::with_operator(settings, loss, shape, buffer, |buffer| {
            operator(settings, shape.parameters, buffer)
        })
    }
}

impl<T: Float, B: AsRef<[T]> + AsMut<[T]>, A: Operator<T>> AnyScheme<T, B, A> {
    /// As [`new`](AnyScheme::new), with an operator that the caller makes (given the way to
    /// buffers), whatever the settings say of it.
    ///
    /// # Errors
    /// As [`Settings::check`].
    pub fn with_operator<F: FnMut(usize) -> B>(
        settings: &Settings<T>,
        loss: Loss,
        shape: Shape,
        mut buffer: F,
        operator: impl FnOnce(&mut F) -> A,
    ) -> Result<Self, Error> {
        settings.check(loss)?;
        let p = shape.parameters;
        let Settings { dt, c, epsilon, eta, relaxed, .. } = *settings;
        let coupling = settings.coupling();
        Ok(match settings.method {
            Method::Sgd => Self::Sgd(Flow::new(Sgd, Scalar { lambda: T::ZERO }, dt, buffer(p))),
            Method::Adam => Self::Adam(Adam::new(dt, buffer(p), buffer(p), buffer(p))),
            Method::Sav => {
                let operator = operator(&mut buffer);
                let flow = Flow::new(Sav { c, coupling }, operator, dt, buffer(p));
                if relaxed {
                    Self::SavRelaxed(Relaxed::new(flow, eta, buffer(p)))
                } else {
                    Self::Sav(flow)
                }
            }
            Method::ExpSav => {
                let operator = operator(&mut buffer);
                let flow = Flow::new(ExpSav { c, coupling }, operator, dt, buffer(p));
                if relaxed {
                    Self::ExpSavRelaxed(Relaxed::new(flow, eta, buffer(p)))
                } else {
                    Self::ExpSav(flow)
                }
            }
            Method::IeqAdaptive if settings.is_vector(loss) => {
                let operator = operator(&mut buffer);
                let entries = shape.batch * shape.outputs;
                let store = store(settings, shape, &mut buffer);
                let work = [buffer(entries), buffer(entries)];
                let scheme = IeqVector::new(epsilon, operator, dt, store, buffer(p), work);
                if relaxed {
                    Self::IeqVectorRelaxed(Relaxed::new(scheme, eta, buffer(p)))
                } else {
                    Self::IeqVector(scheme)
                }
            }
            Method::IeqAdaptive => {
                let operator = operator(&mut buffer);
                let rule = IeqAdaptive { epsilon, memory: settings.memory() };
                let flow = Flow::new(rule, operator, dt, buffer(p));
                if relaxed {
                    Self::IeqScalarRelaxed(Relaxed::new(flow, eta, buffer(p)))
                } else {
                    Self::IeqScalar(flow)
                }
            }
            Method::IeqFull => {
                let operator = operator(&mut buffer);
                let scheme = ieq_full(settings, shape, operator, &mut buffer);
                match settings.control {
                    Control::GainRatio => Self::IeqFullGainRatio(GainRatio::new(scheme, buffer(p))),
                    Control::Fixed if relaxed => {
                        Self::IeqFullRelaxed(Relaxed::new(scheme, eta, buffer(p)))
                    }
                    Control::Fixed => Self::IeqFull(scheme),
                }
            }
        })
    }

    /// Takes the scalar auxiliary variable's initial value from this loss instead of the first
    /// batch's; schemes without one ignore it.
    ///
    /// # Errors
    /// A loss for which it does not exist.
    pub fn start(&mut self, loss: T) -> Result<(), Error> {
        match self {
            Self::Sav(flow) => flow.start(loss),
            Self::SavRelaxed(relaxed) => relaxed.inner_mut().start(loss),
            Self::ExpSav(flow) => flow.start(loss),
            Self::ExpSavRelaxed(relaxed) => relaxed.inner_mut().start(loss),
            Self::IeqScalar(flow) => flow.start(loss),
            Self::IeqScalarRelaxed(relaxed) => relaxed.inner_mut().start(loss),
            _ => Ok(()),
        }
    }
}

fn operator<T: Float, B: AsRef<[T]>>(
    settings: &Settings<T>,
    parameters: usize,
    buffer: &mut impl FnMut(usize) -> B,
) -> AnyOperator<T, B> {
    let lambda = settings.lambda;
    match settings.operator {
        OperatorChoice::Scalar => AnyOperator::Scalar(Scalar { lambda }),
        OperatorChoice::Diagonal => {
            AnyOperator::AdamMetric(AdamMetric::new(lambda, buffer(parameters)))
        }
    }
}

fn store<T: Float, B: AsMut<[T]>>(
    settings: &Settings<T>,
    shape: Shape,
    buffer: &mut impl FnMut(usize) -> B,
) -> Store<B> {
    match settings.memory() {
        Memory::Fresh => Store::Fresh,
        Memory::Persistent => {
            let mut residuals = buffer(shape.samples * shape.outputs);
            residuals.as_mut().fill(T::INFINITY);
            Store::Persistent(residuals)
        }
    }
}

fn ieq_full<T: Float, B: AsRef<[T]> + AsMut<[T]>, A>(
    settings: &Settings<T>,
    shape: Shape,
    operator: A,
    buffer: &mut impl FnMut(usize) -> B,
) -> IeqFull<T, A, B> {
    let (p, entries) = (shape.parameters, shape.batch * shape.outputs);
    let solver = match settings.solver(shape) {
        SolverChoice::Cholesky => LinearSolver::Cholesky(buffer(Packed::<T>::len_of(entries))),
        SolverChoice::ConjugateGradients => LinearSolver::ConjugateGradients {
            work: [buffer(entries), buffer(entries), buffer(entries)],
            gradient: buffer(p),
        },
    };
    let store = store(settings, shape, buffer);
    let work = [buffer(entries), buffer(entries)];
    IeqFull::new(operator, settings.dt, solver, store, buffer(p), work)
}

macro_rules! forward {
    ($self:ident, $scheme:ident => $call:expr) => {
        match $self {
            AnyScheme::Sgd($scheme) => $call,
            AnyScheme::Adam($scheme) => $call,
            AnyScheme::Sav($scheme) => $call,
            AnyScheme::SavRelaxed($scheme) => $call,
            AnyScheme::ExpSav($scheme) => $call,
            AnyScheme::ExpSavRelaxed($scheme) => $call,
            AnyScheme::IeqScalar($scheme) => $call,
            AnyScheme::IeqScalarRelaxed($scheme) => $call,
            AnyScheme::IeqVector($scheme) => $call,
            AnyScheme::IeqVectorRelaxed($scheme) => $call,
            AnyScheme::IeqFull($scheme) => $call,
            AnyScheme::IeqFullRelaxed($scheme) => $call,
            AnyScheme::IeqFullGainRatio($scheme) => $call,
        }
    };
}

impl<T, B, A, O> Scheme<T, O> for AnyScheme<T, B, A>
where
    T: Float,
    B: AsRef<[T]> + AsMut<[T]>,
    A: Operator<T>,
    O: Residuals<T> + ?Sized,
{
    #[cfg_attr(feature = "wide", inline(always))]
    fn step(&mut self, w: &mut [T], objective: &mut O) -> Result<Step<T>, Error> {
        forward!(self, scheme => scheme.step(w, objective))
    }

    fn dt(&self) -> T {
        forward!(self, scheme => Scheme::<T, O>::dt(scheme))
    }

    fn set_dt(&mut self, dt: T) {
        forward!(self, scheme => Scheme::<T, O>::set_dt(scheme, dt));
    }

    fn visit_state(&mut self, visit: &mut dyn FnMut(&'static str, &mut [T])) {
        forward!(self, scheme => Scheme::<T, O>::visit_state(scheme, visit));
    }

    fn movement(&self, before: &[T], after: &[T], dt: T) -> Movement<T> {
        forward!(self, scheme => Scheme::<T, O>::movement(scheme, before, after, dt))
    }

    fn solved(&self) -> Solved<T> {
        forward!(self, scheme => Scheme::<T, O>::solved(scheme))
    }
}
