//! Linear algebra over slices. Every sum has one written order, the same on all targets.

mod blocked;
mod cholesky;
mod conjugate_gradients;
mod matrix;
#[cfg(feature = "wide")]
mod pairs;
mod reduce;
mod rows;
mod runs;

pub(crate) use blocked::{dot_rows, multiply_rows};
pub use cholesky::Packed;
pub use conjugate_gradients::{CgBuffers, conjugate_gradients};
pub(crate) use matrix::Matrix;
#[cfg(feature = "wide")]
pub(crate) use pairs::{gather_pair, spread_pair};
pub use reduce::{LANES, dot, norm_sq, sum_of};
pub(crate) use reduce::{Lanes, norm_1};
pub use rows::add_rows;
pub(crate) use rows::{BLOCK, weigh_rows};
pub(crate) use runs::{axpy_norm_sq_of_runs, norm_sq_of_runs};

use crate::float::Float;

/// `y ← y + a x`, elementwise over the shorter of the two.
#[inline(always)]
pub fn axpy<T: Float>(a: T, x: &[T], y: &mut [T]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y += a * x;
    }
}

/// `(x, y) ← (y, y + a x)`: [`axpy`] that keeps what y was.
#[inline(always)]
pub(crate) fn axpy_keeping<T: Float>(a: T, x: &mut [T], y: &mut [T]) {
    for (y, x) in y.iter_mut().zip(x) {
        let before = *y;
        *y += a * *x;
        *x = before;
    }
}

/// `to ← from`, over the shorter of the two: a copy that cannot panic.
#[inline(always)]
pub(crate) fn copy<T: Copy>(from: &[T], to: &mut [T]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = from;
    }
}

/// True if no entry is infinite or NaN.
#[inline]
pub fn all_finite<T: Float>(x: &[T]) -> bool {
    // A product with zero is NaN exactly for what is not finite; the sum has no branch.
    let mut probe = T::ZERO;
    for &x in x {
        probe += x * T::ZERO;
    }
    probe == T::ZERO
}
