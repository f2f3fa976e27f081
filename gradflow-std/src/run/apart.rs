//! Kernels of the core, each called from a function of its own.

use gradflow_core::network::{Caller, Vectors};

/// A caller compiled for the registers it names. The kernels that [`Caller::call`] is given run in functions
/// of their own where they are compiled for 512 bits.
#[derive(Clone, Copy)]
pub(super) struct Apart(Vectors);

impl Apart {
    /// Registers that every processor has.
    pub(super) const fn short() -> Self {
        Self(Vectors::Short)
    }

    /// 256 bits.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn long() -> Self {
        Self(Vectors::Long)
    }

    /// 512 bits.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx512f,avx512vl")]
    pub(super) fn longest() -> Self {
        Self(Vectors::Longest)
    }
}

impl Caller for Apart {
    #[inline(always)]
    fn vectors(self) -> Vectors {
        self.0
    }

    #[inline(always)]
    fn call<R>(self, kernel: impl FnOnce() -> R) -> R {
        #[cfg(target_arch = "x86_64")]
        if self.0 == Vectors::Longest {
            return apart(kernel);
        }
        kernel()
    }
}

/// The compiler (1.95) forgets `inline(never)` of a function with target features, and would inline `wide`
/// into a caller that has them: so it is called from one that has not.
#[cfg(target_arch = "x86_64")]
#[inline(never)]
fn apart<R>(kernel: impl FnOnce() -> R) -> R {
    #[target_feature(enable = "avx512f,avx512vl")]
    fn wide<R>(kernel: impl FnOnce() -> R) -> R {
        kernel()
    }
    // SAFETY: `longest` alone makes the caller that calls this, and was called where the features are.
    #[allow(unsafe_code)]
    unsafe {
        wide(kernel)
    }
}
