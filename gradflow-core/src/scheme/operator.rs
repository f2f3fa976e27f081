//! The linear operator `𝓛` of a scheme, seen through `A = (I + Δt𝓛)⁻¹`.
//!
//! It is added implicitly and subtracted explicitly, so it moves no fixed point and is no weight
//! decay. `𝓛 = λI` only shortens the step to `Δt' = Δt/(1 + λΔt)`; a diagonal one preconditions.

use super::check;
use crate::error::{Buffer, Error, Quantity, Setting};
use crate::float::Float;
use crate::linalg::{LANES, Lanes, norm_sq};
use crate::objective::descend_with_norm;

/// A step seen from outside, in the metric `M` in which the operator reads
/// `A = M⁻¹/(1 + λΔt)`: so `D = (1 + λΔt)/Δt ⟨Δw, M Δw⟩`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Movement<T> {
    /// `⟨Δw, M Δw⟩`
    pub update_sq: T,
    /// `⟨wⁿ⁺¹, M wⁿ⁺¹⟩`: what storing the parameters rounds is in proportion to its root.
    pub size_sq: T,
}

impl<T: Float> Movement<T> {
    /// The movement in the metric `M = I`.
    #[must_use]
    pub fn between(before: &[T], after: &[T]) -> Self {
        Self::weighted(before, after, |_| T::ONE)
    }

    /// The movement in the metric `M = diag(weightᵢ)`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn weighted(before: &[T], after: &[T], weight: impl Fn(usize) -> T) -> Self {
        let mut sums = [Lanes::ZERO; 2];
        let [update, size] = &mut sums;
        let (before, before_rest) = before.as_chunks::<LANES>();
        let (after, after_rest) = after.as_chunks::<LANES>();
        let last = before.len() * LANES;
        for (block, (before, after)) in before.iter().zip(after).enumerate() {
            let lanes = update.0.iter_mut().zip(size.0.iter_mut());
            for (lane, ((update, size), (&before, &after))) in
                lanes.zip(before.iter().zip(after)).enumerate()
            {
                let (weight, step) = (weight(block * LANES + lane), after - before);
                // The weight first: the square of a small step would vanish.
                *update += weight * step * step;
                *size += weight * after * after;
            }
        }
        let rest = || before_rest.iter().zip(after_rest).zip(last..);
        update.add_some(
            rest().map(|((&before, &after), i)| weight(i) * (after - before) * (after - before)),
        );
        size.add_some(rest().map(|((_, &after), i)| weight(i) * after * after));
        let [update, size] = sums;
        Self { update_sq: update.total(), size_sq: size.total() }
    }
}

/// `A` as the schemes use it. `g` is always the gradient of the present step.
pub trait Operator<T: Float> {
    /// Checks settings and lengths for `parameters` parameters.
    ///
    /// # Errors
    /// A setting out of range or a buffer of the wrong length.
    fn check(&self, parameters: usize) -> Result<(), Error>;

    /// `S = ⟨g, A g⟩`, given `‖g‖²`.
    fn slope(&self, g: &[T], norm_sq: T, dt: T) -> T;

    /// The number a with `A = a I`, if there is one.
    fn uniform(&self, _dt: T) -> Option<T> {
        None
    }

    /// `v ← A v`
    fn apply(&self, g: &[T], v: &mut [T], dt: T);

    /// `w ← w − length · A g`, given `‖g‖²`; returns `‖Δw‖²`.
    ///
    /// # Errors
    /// [`Error::NotFinite`]; `w` is then untouched.
    fn descend(&self, w: &mut [T], g: &[T], norm_sq: T, length: T, dt: T) -> Result<T, Error>;

    /// Keeps what the step taught about `g`.
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

    #[cfg_attr(target_arch = "x86_64", inline(always))]
    fn slope(&self, _g: &[T], norm_sq: T, dt: T) -> T {
        norm_sq * self.factor(dt)
    }

    fn uniform(&self, dt: T) -> Option<T> {
        Some(self.factor(dt))
    }

    #[cfg_attr(target_arch = "x86_64", inline(always))]
    fn apply(&self, _g: &[T], v: &mut [T], dt: T) {
        let factor = self.factor(dt);
        for v in v {
            *v *= factor;
        }
    }

    #[cfg_attr(target_arch = "x86_64", inline(always))]
    fn descend(&self, w: &mut [T], g: &[T], norm_sq: T, length: T, dt: T) -> Result<T, Error> {
        let length = length * self.factor(dt);
        descend_with_norm(w, g, length, norm_sq)?;
        Ok(length * length * norm_sq)
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

    #[cfg_attr(target_arch = "x86_64", inline(always))]
    fn slope(&self, g: &[T], _norm_sq: T, dt: T) -> T {
        weighted_sq(g, |i| self.factor(i, dt))
    }

    #[cfg_attr(target_arch = "x86_64", inline(always))]
    fn apply(&self, _g: &[T], v: &mut [T], dt: T) {
        for (i, v) in v.iter_mut().enumerate() {
            *v *= self.factor(i, dt);
        }
    }

    #[cfg_attr(target_arch = "x86_64", inline(always))]
    fn descend(&self, w: &mut [T], g: &[T], _norm_sq: T, length: T, dt: T) -> Result<T, Error> {
        descend_by(w, g, |i| length * self.factor(i, dt))
    }

    /// `M = I + Δt 𝓛`: with an operator of its own for each parameter, λ is 0.
    fn movement(&self, before: &[T], after: &[T], dt: T) -> Movement<T> {
        Movement::weighted(before, after, |i| T::ONE / self.factor(i, dt))
    }
}

/// Adam's second moment as a metric: `A = M⁻¹/(1 + λΔt)` with
/// `M = diag(√v̂) + 1e-8`, `v = β₂ v + (1 − β₂) g²` (bias-corrected, the present gradient included).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamMetric<T, B> {
    /// λ ≥ 0: the step is never longer than `1/λ` in the metric.
    pub lambda: T,
    /// β₂, 0.999 by custom.
    pub beta2: T,
    /// v, one a parameter, 0 at first.
    moments: B,
    /// β₂ⁿ
    power: T,
}

impl<T: Float, B: AsRef<[T]>> AdamMetric<T, B> {
    /// A metric with no history, over moments that are all zero.
    #[must_use]
    pub fn new(lambda: T, moments: B) -> Self {
        Self { lambda, beta2: T::from_f64(0.999), moments, power: T::ONE }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn moment(&self, i: usize, g: T) -> T {
        let v = self.moments.as_ref().get(i).copied().unwrap_or_default();
        self.beta2 * v + (T::ONE - self.beta2) * (g * g)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn metric(&self, moment: T, power: T) -> T {
        (moment / (T::ONE - power)).sqrt() + T::from_f64(1e-8)
    }

    /// `Aᵢᵢ` in the step with gradient g.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn factor(&self, i: usize, g: &[T], dt: T) -> T {
        let g = g.get(i).copied().unwrap_or_default();
        let metric = self.metric(self.moment(i, g), self.power * self.beta2);
        T::ONE / (metric * (T::ONE + self.lambda * dt))
    }
}

impl<T: Float, B: AsRef<[T]> + AsMut<[T]>> Operator<T> for AdamMetric<T, B> {
    fn check(&self, parameters: usize) -> Result<(), Error> {
        Error::check_length(Buffer::Moments, parameters, self.moments.as_ref().len())?;
        let beta2 = self.beta2;
        check(beta2 >= T::ZERO && beta2 < T::ONE, Setting::Beta, beta2)?;
        check_lambda(self.lambda)
    }

    #[cfg_attr(target_arch = "x86_64", inline(always))]
    fn slope(&self, g: &[T], _norm_sq: T, dt: T) -> T {
        weighted_sq(g, |i| self.factor(i, g, dt))
    }

    #[cfg_attr(target_arch = "x86_64", inline(always))]
    fn apply(&self, g: &[T], v: &mut [T], dt: T) {
        for (i, v) in v.iter_mut().enumerate() {
            *v *= self.factor(i, g, dt);
        }
    }

    #[cfg_attr(target_arch = "x86_64", inline(always))]
    fn descend(&self, w: &mut [T], g: &[T], _norm_sq: T, length: T, dt: T) -> Result<T, Error> {
        descend_by(w, g, |i| length * self.factor(i, g, dt))
    }

    #[cfg_attr(target_arch = "x86_64", inline(always))]
    fn commit(&mut self, g: &[T]) {
        self.power *= self.beta2;
        let (beta2, rest) = (self.beta2, T::ONE - self.beta2);
        for (v, &g) in self.moments.as_mut().iter_mut().zip(g) {
            *v = beta2 * *v + rest * (g * g);
        }
    }

    fn movement(&self, before: &[T], after: &[T], _dt: T) -> Movement<T> {
        let moments = self.moments.as_ref();
        let weight = |i| self.metric(moments.get(i).copied().unwrap_or_default(), self.power);
        Movement::weighted(before, after, weight)
    }

    fn visit_state(&mut self, visit: &mut dyn FnMut(&'static str, &mut [T])) {
        visit("metric_moments", self.moments.as_mut());
        visit("metric_power", core::slice::from_mut(&mut self.power));
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

    #[cfg_attr(target_arch = "x86_64", inline(always))]
    fn slope(&self, g: &[T], norm_sq: T, dt: T) -> T {
        forward!(self, operator => operator.slope(g, norm_sq, dt))
    }

    fn uniform(&self, dt: T) -> Option<T> {
        forward!(self, operator => operator.uniform(dt))
    }

    #[cfg_attr(target_arch = "x86_64", inline(always))]
    fn apply(&self, g: &[T], v: &mut [T], dt: T) {
        forward!(self, operator => operator.apply(g, v, dt));
    }

    #[cfg_attr(target_arch = "x86_64", inline(always))]
    fn descend(&self, w: &mut [T], g: &[T], norm_sq: T, length: T, dt: T) -> Result<T, Error> {
        forward!(self, operator => operator.descend(w, g, norm_sq, length, dt))
    }

    #[cfg_attr(target_arch = "x86_64", inline(always))]
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

fn check_lambda<T: Float>(lambda: T) -> Result<(), Error> {
    check(lambda >= T::ZERO && lambda.is_finite(), Setting::Lambda, lambda)
}

/// `Σ weightᵢ xᵢ²` in the order of a plain norm.
#[cfg_attr(target_arch = "x86_64", inline(always))]
fn weighted_sq<T: Float>(x: &[T], weight: impl Fn(usize) -> T) -> T {
    let mut lanes = Lanes::ZERO;
    for (block, x) in x.chunks(LANES).enumerate() {
        let first = block * LANES;
        lanes.add_some(x.iter().enumerate().map(|(i, &x)| weight(first + i) * (x * x)));
    }
    lanes.total()
}

/// `w ← w − lengthᵢ gᵢ`; returns `‖Δw‖²`.
#[cfg_attr(target_arch = "x86_64", inline(always))]
fn descend_by<T: Float>(w: &mut [T], g: &[T], length: impl Fn(usize) -> T) -> Result<T, Error> {
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

/// `‖g‖²`, refused if it is not finite.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn finite_norm_sq<T: Float>(g: &[T]) -> Result<T, Error> {
    super::finite(norm_sq(g), Quantity::Gradient)
}
