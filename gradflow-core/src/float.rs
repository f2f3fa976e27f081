//! The two floating-point types, and the only place, but for a test, where libm and micromath are named.
//!
//! Every target computes the same bits: `+ − × ÷`, comparisons and the square root are correctly
//! rounded by IEEE 754, everything else comes from one pinned version of libm, or has its bits.

use core::fmt::{Debug, Display, LowerExp};
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// `f32` or `f64`, with the functions that the schemes need.
///
/// ```
/// use gradflow_core::Float;
/// fn r<T: Float>(loss: T, c: T) -> T { (loss + c).sqrt() }
/// assert_eq!(r(3.0_f32, 1.0), 2.0);
/// ```
pub trait Float:
    Copy
    + Default
    + Debug
    + Display
    + LowerExp
    + PartialEq
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + Send
    + Sync
    + sealed::Sealed
    + 'static
{
    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;
    /// 2
    const TWO: Self;
    /// ½
    const HALF: Self;
    /// Distance from 1 to the next larger number.
    const EPSILON: Self;
    /// Positive infinity.
    const INFINITY: Self;
    /// Largest length of an update that cannot overflow any finite parameter: less than half the
    /// gap between the two largest numbers, so that `w + Δw` rounds to a finite number.
    const SAFE_UPDATE: Self;
    /// Smallest probability that softmax hands on; its square root and reciprocal are finite.
    const TINY_PROBABILITY: Self;
    /// Size in bytes.
    const BYTES: usize;

    /// Nearest number of this type.
    fn from_f64(value: f64) -> Self;
    /// Exact in f64.
    fn to_f64(self) -> f64;
    /// Nearest number of this type.
    fn from_usize(value: usize) -> Self;
    /// Bits, zero-extended.
    fn to_bits64(self) -> u64;
    /// Reads little-endian bytes; `None` unless there are [`BYTES`](Self::BYTES) of them.
    fn from_le_slice(bytes: &[u8]) -> Option<Self>;
    /// Writes little-endian bytes; `None` unless there is room for exactly [`BYTES`](Self::BYTES).
    fn write_le_slice(self, bytes: &mut [u8]) -> Option<()>;
    /// A uniform number in `[0, 1)` from one (f32: 24 bits) or two (f64: 53 bits) draws.
    fn uniform(next: impl FnMut() -> u32) -> Self;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// |x|
    #[must_use]
    fn abs(self) -> Self;
    /// √x, correctly rounded.
    #[must_use]
    fn sqrt(self) -> Self;
    /// eˣ
    #[must_use]
    fn exp(self) -> Self;
    /// Replaces each x by its [`exp`](Self::exp).
    #[inline(always)]
    fn exp_each(x: &mut [Self]) {
        for x in x {
            *x = x.exp();
        }
    }
    /// ln x
    #[must_use]
    fn ln(self) -> Self;
    /// ln(1 + x), exact for small x.
    #[must_use]
    fn ln_1p(self) -> Self;
    /// sin x
    #[must_use]
    fn sin(self) -> Self;
    /// cos x
    #[must_use]
    fn cos(self) -> Self;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

macro_rules! float {
    ($t:ident, $bits:ident, $bytes:literal, safe $safe:expr, tiny $tiny:expr,
     $sqrt:path, $exp:path, $ln:path, $ln_1p:path, $sin:path, $cos:path, |$next:ident| $uniform:expr
     $(, $more:item)*) => {
        impl Float for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const TWO: Self = 2.0;
            const HALF: Self = 0.5;
            const EPSILON: Self = $t::EPSILON;
            const INFINITY: Self = $t::INFINITY;
            const SAFE_UPDATE: Self = $safe;
            const TINY_PROBABILITY: Self = $tiny;
            const BYTES: usize = $bytes;

            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as Self
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn from_usize(value: usize) -> Self {
                value as Self
            }
            #[inline(always)]
            fn to_bits64(self) -> u64 {
                u64::from(self.to_bits())
            }
            fn from_le_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self::from_le_bytes)
            }
            fn write_le_slice(self, bytes: &mut [u8]) -> Option<()> {
                let out: &mut [u8; $bytes] = bytes.try_into().ok()?;
                *out = self.to_le_bytes();
                Some(())
            }
            #[inline(always)]
            fn uniform(mut $next: impl FnMut() -> u32) -> Self {
                $uniform
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                self.is_finite()
            }
            #[inline(always)]
            fn abs(self) -> Self {
                Self::from_bits(self.to_bits() & ($bits::MAX >> 1))
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $sqrt(self)
            }
            #[inline]
            fn exp(self) -> Self {
                $exp(self)
            }
            #[inline]
            fn ln(self) -> Self {
                $ln(self)
            }
            #[inline]
            fn ln_1p(self) -> Self {
                $ln_1p(self)
            }
            #[inline]
            fn sin(self) -> Self {
                $sin(self)
            }
            #[inline]
            fn cos(self) -> Self {
                $cos(self)
            }
            $($more)*
        }
    };
}

#[cfg(feature = "std")]
use std::primitive::{f32 as sqrt32, f64 as sqrt64};

/// libm's square roots under the names of the inherent methods.
#[cfg(not(feature = "std"))]
mod soft {
    #![allow(non_camel_case_types)]
    pub(super) struct sqrt32;
    impl sqrt32 {
        pub(super) fn sqrt(x: f32) -> f32 {
            libm::sqrtf(x)
        }
    }
    pub(super) struct sqrt64;
    impl sqrt64 {
        pub(super) fn sqrt(x: f64) -> f64 {
            libm::sqrt(x)
        }
    }
}
#[cfg(not(feature = "std"))]
use soft::{sqrt32, sqrt64};

// 2^102 < ulp(f32::MAX)/2 = 2^103 and 2^969 < ulp(f64::MAX)/2 = 2^970.
float!(
    f32, u32, 4, safe f32::from_bits((127 + 102) << 23), tiny 1e-30,
    sqrt32::sqrt, libm::expf, libm::logf, libm::log1pf, libm::sinf, libm::cosf,
    |next| (next() >> 8) as f32 * (1.0 / 16_777_216.0),
    #[cfg(feature = "wide")]
    #[inline(always)]
    fn exp_each(x: &mut [Self]) {
        crate::exponentials::exp_each(x);
    }
);
float!(
    f64, u64, 8, safe f64::from_bits((1023 + 969) << 52), tiny 1e-300,
    sqrt64::sqrt, libm::exp, libm::log, libm::log1p, libm::sin, libm::cos,
    |next| {
        let high = u64::from(next() >> 5);
        let low = u64::from(next() >> 6);
        ((high << 26) | low) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }
);

/// Where exp, ln and √ of activations and initial values come from.
///
/// [`Exact`] is the default and gives the same bits on every target.
pub trait Math<T: Float>: Copy + Default {
    /// eˣ
    fn exp(x: T) -> T;
    /// Replaces each x by its [`exp`](Self::exp).
    #[inline(always)]
    fn exp_each(x: &mut [T]) {
        for x in x {
            *x = Self::exp(*x);
        }
    }
    /// ln x
    fn ln(x: T) -> T;
    /// √x
    fn sqrt(x: T) -> T;
}

/// libm: the same bits on every target.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exact;

impl<T: Float> Math<T> for Exact {
    #[inline(always)]
    fn exp(x: T) -> T {
        x.exp()
    }
    #[inline(always)]
    fn exp_each(x: &mut [T]) {
        T::exp_each(x);
    }
    #[inline(always)]
    fn ln(x: T) -> T {
        x.ln()
    }
    #[inline(always)]
    fn sqrt(x: T) -> T {
        x.sqrt()
    }
}

/// micromath's approximations: exp within 2.4e-3, √ within 6 %. Gives up the shared bits.
#[cfg(feature = "micromath")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Approximate;

#[cfg(feature = "micromath")]
impl Math<f32> for Approximate {
    fn exp(x: f32) -> f32 {
        micromath::F32Ext::exp(x)
    }
    fn ln(x: f32) -> f32 {
        micromath::F32Ext::ln(x)
    }
    fn sqrt(x: f32) -> f32 {
        micromath::F32Ext::sqrt(x)
    }
}
