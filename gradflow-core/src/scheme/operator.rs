//! The linear operator `𝓛` of a scheme, seen through `A = (I + Δt𝓛)⁻¹`.
//!
//! It is added implicitly and subtracted explicitly, so it moves no fixed point and is no weight
//! decay. `𝓛 = λI` only shortens the step to `Δt' = Δt/(1 + λΔt)`; a diagonal one preconditions.

use super::{AdamMetric, Movement, check};
use crate::error::{Buffer, Error, Quantity, Setting};
use crate::float::Float;
use crate::linalg::{LANES, Lanes};
use crate::objective::descend_along;
use crate::support::{Gradient, Support};

/// `A` as the schemes use it. `g` is always the gradient of the present step, or its entries.
pub trait Operator<T: Float> {
    /// Checks settings and lengths for `parameters` parameters.
    ///
    /// # Errors
    /// A setting out of range or a buffer of the wrong length.
    fn check(&self, parameters: usize) -> Result<(), Error>;

    /// `S = ⟨g, A g⟩`
    fn slope(&self, g: &Gradient<'_, T>, dt: T) -> T;

    /// The number a with `A = a I`, if there is one; it must not depend on the gradient. Such an operator
    /// reads no entries of a gradient but those in its support, and these to descend alone. To descend
    /// must be a step of `length · a` along the gradient, S must be `a ‖g‖²` with a ≤ 1, and both may be
    /// done without it.
    fn uniform(&self, _dt: T) -> Option<T> {
        None
    }

    /// `v ← A v`
    fn apply(&self, g: &[T], v: &mut [T], dt: T);

    /// `w ← w − length · A g`; returns `‖Δw‖²`.
    ///
    /// # Errors
    /// [`Error::NotFinite`]; `w` is then untouched.
    fn descend(&self, w: &mut [T], g: &Gradient<'_, T>, length: T, dt: T) -> Result<T, Error>;

    /// Keeps what the step taught about `g`, unless the operator is [`uniform`](Self::uniform).
    fn commit(&mut self, _g: &[T]) {}

    /// What a step just committed did, from the parameters themselves. A metric of 1 unless the
    /// operator has another.
    fn movement(&self, before: &[T], after: &[T], _dt: T) -> Movement<T> {
        Movement::between(before, after)
    }

    /// See [`Scheme::visit_state`](super::Scheme::visit_state).
    fn visit_state(&mut self, _visit: &mut dyn FnMut(&'static str, &mut [T])) {}
}

/// `𝓛 = λI`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scalar<T> {
    /// λ ≥ 0
    pub lambda: T,
}

impl<T: Float> Scalar<T> {
    /// `1/(1 + λΔt)`
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn factor(&self, dt: T) -> T {
        T::ONE / (T::ONE + self.lambda * dt)
    }
}

impl<T: Float> Operator<T> for Scalar<T> {
    fn check(&self, _parameters: usize) -> Result<(), Error> {
        check_lambda(self.lambda)
    }

    #[cfg_attr(feature = "wide", inline(always))]
    fn slope(&self, g: &Gradient<'_, T>, dt: T) -> T {
        g.norm_sq * self.factor(dt)
    }

    fn uniform(&self, dt: T) -> Option<T> {
        Some(self.factor(dt))
    }

    #[cfg_attr(feature = "wide", inline(always))]
    fn apply(&self, _g: &[T], v: &mut [T], dt: T) {
        let factor = self.factor(dt);
        for v in v {
            *v *= factor;
        }
    }

    #[cfg_attr(feature = "wide", inline(always))]
    fn descend(&self, w: &mut [T], g: &Gradient<'_, T>, length: T, dt: T) -> Result<T, Error> {
        let length = length * self.factor(dt);
        descend_along(w, g, length)
    }
}

/// `𝓛 = diag(λᵢ)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Diagonal<B> {
    /// λᵢ ≥ 0, one a parameter.
    pub entries: B,
}

impl<B> Diagonal<B> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn factor<T: Float>(&self, i: usize, dt: T) -> T
    where
        B: AsRef<[T]>,
    {
        let lambda = self.entries.as_ref().get(i).copied().unwrap_or_default();
        T::ONE / (T::ONE + lambda * dt)
    }
}

impl<T: Float, B: AsRef<[T]>> Operator<T> for Diagonal<B> {
    fn check(&self, parameters: usize) -> Result<(), Error> {
        let entries = self.entries.as_ref();
        Error::check_length(Buffer::Operator, parameters, entries.len())?;
        entries.iter().try_for_each(|&lambda| check_lambda(lambda))
    }

    #[cfg_attr(feature = "wide", inline(always))]
    fn slope(&self, g: &Gradient<'_, T>, dt: T) -> T {
        weighted_sq(g.entries, |i| self.factor(i, dt))
    }

    #[cfg_attr(feature = "wide", inline(always))]
    fn apply(&self, _g: &[T], v: &mut [T], dt: T) {
        for (i, v) in v.iter_mut().enumerate() {
            *v *= self.factor(i, dt);
        }
    }

    #[cfg_attr(feature = "wide", inline(always))]
    fn descend(&self, w: &mut [T], g: &Gradient<'_, T>, length: T, dt: T) -> Result<T, Error> {
        descend_by(w, g.entries, |i| length * self.factor(i, dt))
    }

    /// `M = I + Δt 𝓛`: with an operator of its own for each parameter, λ is 0.
    fn movement(&self, before: &[T], after: &[T], dt: T) -> Movement<T> {
        Movement::weighted(before, after, |i| T::ONE / self.factor(i, dt))
    }
}

/// One of the operators, chosen while the program runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AnyOperator<T, B> {
    /// [`Scalar`]
    Scalar(Scalar<T>),
    /// [`AdamMetric`]
    AdamMetric(AdamMetric<T, B>),
}

macro_rules! forward {
    ($self:ident, $operator:ident => $call:expr) => {
        match $self {
            AnyOperator::Scalar($operator) => $call,
            AnyOperator::AdamMetric($operator) => $call,
        }
    };
}

impl<T: Float, B: AsRef<[T]> + AsMut<[T]>> Operator<T> for AnyOperator<T, B> {
    fn check(&self, parameters: usize) -> Result<(), Error> {
        forward!(self, operator => operator.check(parameters))
    }

    #[cfg_attr(feature = "wide", inline(always))]
    fn slope(&self, g: &Gradient<'_, T>, dt: T) -> T {
        forward!(self, operator => operator.slope(g, dt))
    }

    fn uniform(&self, dt: T) -> Option<T> {
        forward!(self, operator => operator.uniform(dt))
    }

    #[cfg_attr(feature = "wide", inline(always))]
    fn apply(&self, g: &[T], v: &mut [T], dt: T) {
        forward!(self, operator => operator.apply(g, v, dt));
    }

    #[cfg_attr(feature = "wide", inline(always))]
    fn descend(&self, w: &mut [T], g: &Gradient<'_, T>, length: T, dt: T) -> Result<T, Error> {
        forward!(self, operator => operator.descend(w, g, length, dt))
    }

    #[cfg_attr(feature = "wide", inline(always))]
    fn commit(&mut self, g: &[T]) {
        forward!(self, operator => operator.commit(g));
    }

    fn movement(&self, before: &[T], after: &[T], dt: T) -> Movement<T> {
        forward!(self, operator => operator.movement(before, after, dt))
    }

    fn visit_state(&mut self, visit: &mut dyn FnMut(&'static str, &mut [T])) {
        forward!(self, operator => operator.visit_state(visit));
    }
}

pub(super) fn check_lambda<T: Float>(lambda: T) -> Result<(), Error> {
    check(lambda >= T::ZERO && lambda.is_finite(), Setting::Lambda, lambda)
}

/// `Σ weightᵢ xᵢ²` in the order of a plain norm.
#[cfg_attr(feature = "wide", inline(always))]
pub(super) fn weighted_sq<T: Float>(x: &[T], weight: impl Fn(usize) -> T) -> T {
    let mut lanes = Lanes::ZERO;
    for (block, x) in x.chunks(LANES).enumerate() {
        let first = block * LANES;
        lanes.add_some(x.iter().enumerate().map(|(i, &x)| weight(first + i) * (x * x)));
    }
    lanes.total()
}

/// `w ← w − lengthᵢ gᵢ`; returns `‖Δw‖²`.
#[cfg_attr(feature = "wide", inline(always))]
pub(super) fn descend_by<T: Float>(
    w: &mut [T],
    g: &[T],
    length: impl Fn(usize) -> T,
) -> Result<T, Error> {
    let update_sq = {
        let mut lanes = Lanes::ZERO;
        for (block, g) in g.chunks(LANES).enumerate() {
            let first = block * LANES;
            lanes.add_some(g.iter().enumerate().map(|(i, &g)| {
                let step = length(first + i) * g;
                step * step
            }));
        }
        lanes.total()
    };
    super::finite(update_sq, Quantity::Update)?;
    if update_sq.sqrt() > T::SAFE_UPDATE {
        let mut next = w.iter().zip(g).enumerate().map(|(i, (&w, &g))| w - length(i) * g);
        if !next.all(T::is_finite) {
            return Err(Error::NotFinite { what: Quantity::Weights });
        }
    }
    for (i, (w, &g)) in w.iter_mut().zip(g).enumerate() {
        *w -= length(i) * g;
    }
    Ok(update_sq)
}

/// `g` with its squared norm, refused if that is not finite.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn finite_gradient<'a, T: Float>(
    g: &'a [T],
    support: Support<'a>,
) -> Result<Gradient<'a, T>, Error> {
    let g = Gradient::new(g, support);
    super::finite(g.norm_sq, Quantity::Gradient)?;
    Ok(g)
}
