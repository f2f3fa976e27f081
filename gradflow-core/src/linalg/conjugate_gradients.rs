//! Conjugate gradients (Hestenes and Stiefel 1952) for operators that are only known by products.

use super::{axpy, dot};
use crate::error::{Buffer, Error};
use crate::float::Float;

/// Working memory: three vectors as long as the system.
pub struct CgBuffers<'a, T> {
    /// Residual of the linear system.
    pub residual: &'a mut [T],
    /// Search direction.
    pub direction: &'a mut [T],
    /// Image of the direction.
    pub image: &'a mut [T],
}

/// Solves `K x = b` from `x = 0` for a symmetric positive definite `K`, given by
/// `multiply(v, out)`: `out ← K v`.
///
/// Stops once `stop(x, ‖b − K x‖²)` says so; starting from zero matters to laws that hold for
/// every iterate. Returns the number of products.
///
/// # Errors
/// [`Error::NoConvergence`] after `most` products, [`Error::Singular`] if `K` shows itself not to
/// be positive definite, [`Error::Length`] if a buffer's length differs from `b`'s, and whatever
/// `multiply` returns.
pub fn conjugate_gradients<T: Float>(
    b: &[T],
    x: &mut [T],
    buffers: &mut CgBuffers<'_, T>,
    most: usize,
    mut multiply: impl FnMut(&[T], &mut [T]) -> Result<(), Error>,
    mut stop: impl FnMut(&[T], T) -> bool,
) -> Result<usize, Error> {
    let CgBuffers { residual, direction, image } = buffers;
    for buffer in [&*x, &**residual, &**direction, &**image] {
        Error::check_length(Buffer::Residual, b.len(), buffer.len())?;
    }
    x.fill(T::ZERO);
    for ((r, p), &b) in residual.iter_mut().zip(direction.iter_mut()).zip(b) {
        *r = b;
        *p = b;
    }
    let mut residual_sq = dot(residual, residual);
    for iteration in 0..=most {
        if residual_sq == T::ZERO || stop(x, residual_sq) {
            return Ok(iteration);
        }
        if iteration == most {
            break;
        }
        multiply(direction, image)?;
        let curvature = dot(direction, image);
        if !(curvature > T::ZERO && curvature.is_finite()) {
            return Err(Error::Singular { row: iteration });
        }
        let length = residual_sq / curvature;
        axpy(length, direction, x);
        axpy(-length, image, residual);
        let next_sq = dot(residual, residual);
        let ratio = next_sq / residual_sq;
        for (p, &r) in direction.iter_mut().zip(residual.iter()) {
            *p = r + ratio * *p;
        }
        residual_sq = next_sq;
    }
    Err(Error::NoConvergence { iterations: most })
}
