//! What a scheme asks of the problem that it minimises.

use crate::error::Error;
use crate::float::Float;
use crate::linalg::{Packed, norm_sq};
use crate::support::{Gradient, Support};

/// A loss `L(w)` and its gradient, on one batch.
pub trait Objective<T: Float> {
    /// Number of parameters `p`.
    fn parameters(&self) -> usize;

    /// `L(w)`; `w` has `p` entries.
    ///
    /// # Errors
    /// A wrong length or a bad sample. A loss that is not finite is returned, not refused: what
    /// it means is the scheme's to say.
    fn loss(&mut self, w: &[T]) -> Result<T, Error>;

    /// `L(w)`, and `∇L(w)` into `gradient` (`p` entries, overwritten).
    ///
    /// # Errors
    /// As [`loss`](Self::loss).
    fn gradient(&mut self, w: &[T], gradient: &mut [T]) -> Result<T, Error>;

    /// The same, but entries outside the [`support`](Self::support) may be left as they are.
    ///
    /// # Errors
    /// As [`loss`](Self::loss).
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sparse_gradient(&mut self, w: &[T], gradient: &mut [T]) -> Result<T, Error> {
        self.gradient(w, gradient)
    }

    /// Where the gradient of the last [`sparse_gradient`](Self::sparse_gradient) can differ from 0;
    /// [`loss`](Self::loss) leaves it as it is.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn support(&self) -> Support<'_> {
        Support::all(self.parameters())
    }

    /// A number that the norm of `gradient` cannot exceed, however it is rounded, found without reading all
    /// of it; ∞ or NaN if none is known, or if an entry may not be finite. `w` and `gradient` are those of
    /// the last [`sparse_gradient`](Self::sparse_gradient), which succeeded. A step that cannot overflow then
    /// need not look at the gradient before it moves along it.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn gradient_bound(&mut self, _w: &[T], _gradient: &[T]) -> T {
        T::INFINITY
    }
}

/// A loss with a residual `q(w)` (one entry a sample and output) and its Jacobian `J = ∂q/∂w`.
///
/// The products refer to the `w` of the last [`linearise`](Self::linearise).
pub trait Residuals<T: Float>: Objective<T> {
    /// Number of outputs k: entries of `q` that belong to one sample.
    fn outputs(&self) -> usize;

    /// Number of entries of `q`.
    fn residual_len(&self) -> usize;

    /// `L(w)`, and `q(w)` into `q`.
    ///
    /// # Errors
    /// As [`Objective::loss`].
    fn linearise(&mut self, w: &[T], q: &mut [T]) -> Result<T, Error>;

    /// `J Jᵀ` into the packed lower triangle `gram`, row after row.
    ///
    /// # Errors
    /// A buffer of the wrong length.
    fn gram(&mut self, w: &[T], gram: &mut [T]) -> Result<(), Error>;

    /// Factorises `I + Δt J A Jᵀ` and solves it: `x ← (I + Δt J A Jᵀ)⁻¹ x`. A problem that is
    /// compiled for particular hardware brings the linear algebra compiled likewise.
    ///
    /// # Errors
    /// As [`Packed::factorise`].
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn solve(&mut self, system: &mut Packed<'_, T>, x: &mut [T]) -> Result<(), Error> {
        system.factorise()?;
        system.solve(x)
    }

    /// `J v` into `image`.
    ///
    /// # Errors
    /// A buffer of the wrong length.
    fn push_forward(&mut self, w: &[T], v: &[T], image: &mut [T]) -> Result<(), Error>;

    /// `Jᵀ u` into `out` (`p` entries, overwritten).
    ///
    /// # Errors
    /// A buffer of the wrong length.
    fn pull_back(&mut self, w: &[T], u: &[T], out: &mut [T]) -> Result<(), Error>;

    /// True if the energy that IEQ lowers is the loss; false for residuals whose `½‖q‖²` is
    /// something else.
    fn energy_is_loss(&self) -> bool;

    /// `‖J‖²` and the sum of squares of the numbers whose differences make up `J`, where these are
    /// apart, as they are for a softmax that is nearly sure: rounding is in proportion to the latter.
    /// `None` where they are not.
    ///
    /// # Errors
    /// A buffer of the wrong length.
    fn cancellation(&mut self, w: &[T]) -> Result<Option<[T; 2]>, Error>;

    /// The factor that turns a stored, unscaled residual `f − y` into an entry of `q`.
    fn unit(&self) -> T;

    /// Place of sample `i` of this batch in the whole set.
    fn sample(&self, i: usize) -> usize;

    /// `‖∇L(w)‖²`, with `p` entries of working memory.
    ///
    /// # Errors
    /// As [`Objective::gradient`].
    fn gradient_norm_sq(&mut self, w: &[T], buffer: &mut [T]) -> Result<T, Error> {
        gradient_norm_sq(self, w, buffer)
    }

    /// `w ← w − length · Jᵀ u`, and `‖Δw‖²`; `buffer` has `p` entries.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if the step would leave the range of numbers; `w` is then untouched.
    fn descend(&mut self, w: &mut [T], u: &[T], length: T, buffer: &mut [T]) -> Result<T, Error> {
        descend(self, w, u, length, buffer)
    }
}

/// [`Residuals::gradient_norm_sq`] by way of the gradient.
///
/// # Errors
/// As [`Objective::gradient`].
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn gradient_norm_sq<T, O>(objective: &mut O, w: &[T], buffer: &mut [T]) -> Result<T, Error>
where
    T: Float,
    O: Residuals<T> + ?Sized,
{
    objective.gradient(w, buffer)?;
    Ok(norm_sq(buffer))
}

/// [`Residuals::descend`] by way of `Jᵀ u`.
///
/// # Errors
/// As [`Residuals::descend`].
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn descend<T, O>(
    objective: &mut O,
    w: &mut [T],
    u: &[T],
    length: T,
    buffer: &mut [T],
) -> Result<T, Error>
where
    T: Float,
    O: Residuals<T> + ?Sized,
{
    objective.pull_back(w, u, buffer)?;
    descend_along(w, &Gradient::new(buffer, Support::all(buffer.len())), length)
}

/// `w ← w − length · direction`, and `‖Δw‖²`.
///
/// # Errors
/// [`Error::NotFinite`] if the update or a new parameter is not finite; `w` is then untouched.
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
#[cfg_attr(target_arch = "wasm32", inline(never))]
pub(crate) fn descend_along<T: Float>(
    w: &mut [T],
    direction: &Gradient<'_, T>,
    length: T,
) -> Result<T, Error> {
    let update_sq = checked_update_norm_sq(w, direction, length)?;
    direction.add_to(-length, w);
    Ok(update_sq)
}

/// Whether [`descend_along`] succeeds along any direction whose norm is at most `bound`, and the square of
/// that norm is finite. An update whose square is finite is shorter than [`Float::SAFE_UPDATE`].
#[inline(always)]
pub(crate) fn is_safe<T: Float>(length: T, bound: T) -> bool {
    (length * length * (bound * bound)).is_finite()
}

/// `‖length · direction‖²`.
///
/// # Errors
/// [`Error::NotFinite`] if it, or a parameter of `w − length · direction`, is not finite.
#[inline(always)]
pub(crate) fn checked_update_norm_sq<T: Float>(
    w: &[T],
    direction: &Gradient<'_, T>,
    length: T,
) -> Result<T, Error> {
    use crate::error::Quantity::{Update, Weights};
    let update = length * direction.norm_sq.sqrt();
    let update_sq = length * length * direction.norm_sq;
    if !update.is_finite() || !update_sq.is_finite() {
        return Err(Error::NotFinite { what: Update });
    }
    // Shorter updates cannot overflow a finite parameter, see `Float::SAFE_UPDATE`.
    if update > T::SAFE_UPDATE && !direction.is_finite_from(w, length) {
        return Err(Error::NotFinite { what: Weights });
    }
    Ok(update_sq)
}
