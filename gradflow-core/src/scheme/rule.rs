//! Scalar rules: the formula of a scheme, apart from all vectors.

use crate::error::{Error, Quantity};
use crate::float::Float;

/// The scalars that a rule sees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct At<T> {
    /// Loss `L(wⁿ)`.
    pub loss: T,
    /// `S = ⟨g, A g⟩`.
    pub slope: T,
    /// Step size Δt.
    pub dt: T,
}

/// What a rule answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Advance<T> {
    /// `Δw = −length · A g`.
    pub length: T,
    /// The recursion's auxiliary variable `ṽ`.
    pub auxiliary: T,
    /// Coupling κ, if the scheme has one.
    pub kappa: Option<T>,
}

impl<T: Float> Advance<T> {
    /// Itself if every number in it is finite.
    pub(crate) fn finite(self) -> Result<Self, Error> {
        if !self.length.is_finite() {
            return Err(Error::NotFinite { what: Quantity::Update });
        }
        if !self.auxiliary.is_finite() || self.kappa.is_some_and(|kappa| !kappa.is_finite()) {
            return Err(Error::NotFinite { what: Quantity::Auxiliary });
        }
        Ok(self)
    }
}

/// What relaxation is given: the scalars of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relaxation<T> {
    /// The auxiliary variable on entering the step.
    pub value: T,
    /// The recursion's value `ṽ`.
    pub predicted: T,
    /// The definition's value `v̂` at `wⁿ⁺¹`.
    pub ideal: T,
    /// `η D`, the dissipation that may be spent, with `D = ⟨Δw, A⁻¹ Δw⟩ / Δt`.
    pub budget: T,
}

impl<T: Float> Relaxation<T> {
    /// The smaller of the ideal value and the bound `B`, and the `ξ₀` that this means.
    pub(crate) fn up_to(&self, bound: T) -> (T, T) {
        if self.ideal <= bound {
            (self.ideal, T::ZERO)
        } else {
            (bound, (self.ideal - bound) / (self.ideal - self.predicted))
        }
    }
}

/// A scheme that needs nothing but scalars. Whoever trains in another engine feeds it the loss and
/// `S`, and moves the parameters by `−length · A g`.
///
/// ```
/// use gradflow_core::scheme::{At, Coupling, Rule, Sav};
/// let sav = Sav { c: 1.0, coupling: Coupling::Ratio };
/// let r = sav.define(3.0)?; // √(3 + 1)
/// let advance = sav.advance(r, &At { loss: 3.0, slope: 8.0, dt: 1.0 })?;
/// assert_eq!((advance.length, advance.auxiliary), (0.5, 1.0));
/// # Ok::<(), gradflow_core::Error>(())
/// ```
pub trait Rule<T: Float>: Copy {
    /// True if the rule has an auxiliary variable.
    const HAS_AUXILIARY: bool = true;

    /// True if the auxiliary variable is taken from its definition anew in each step.
    fn is_fresh(&self) -> bool {
        false
    }

    /// The length of every step of this Δt, if it depends on nothing else and there is no auxiliary
    /// variable: [`advance`](Self::advance) then gives it too, and cannot fail on finite numbers.
    fn fixed_length(&self, _dt: T) -> Option<T> {
        None
    }

    /// Checks the rule's settings.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] with the setting's name and value.
    fn check(&self) -> Result<(), Error>;

    /// The auxiliary variable that belongs to a loss, by its definition.
    ///
    /// # Errors
    /// A loss for which it does not exist.
    fn define(&self, loss: T) -> Result<T, Error>;

    /// Step length and next auxiliary variable.
    ///
    /// # Errors
    /// A number that is not finite or a division 0/0.
    fn advance(&self, value: T, at: &At<T>) -> Result<Advance<T>, Error>;

    /// The relaxed auxiliary variable and `ξ₀`.
    fn relax(&self, relaxation: &Relaxation<T>) -> (T, T);

    /// The auxiliary variable as reports show it.
    fn report(&self, value: T) -> T;

    /// The modified energy that belongs to an auxiliary variable.
    fn energy(&self, value: T) -> T;
}
