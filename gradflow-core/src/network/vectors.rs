//! The registers that kernels run in, and who calls them there.

/// The vector registers that a caller is compiled for. Which of equal kernels are the fastest depends
/// on them; the bits do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Vectors {
    /// Of 128 bits, or none: what is assumed.
    #[default]
    Short,
    /// Sixteen of 256 bits.
    Long,
    /// Thirty-two of 512 bits.
    Longest,
}

impl Vectors {
    /// Whether the forward pass spreads each sparse input over all samples, instead of gathering each
    /// sample's inputs. Sixteen registers hold a sample's sums, but not rows of weights beside them.
    pub(super) const fn spread(self) -> bool {
        cfg!(feature = "wide") && !matches!(self, Self::Long)
    }

    /// Whether there are enough registers, and wide enough, for two sums beside one another.
    pub(super) const fn longest(self) -> bool {
        cfg!(feature = "wide") && matches!(self, Self::Longest)
    }
}

/// Who calls a problem's kernels.
///
/// Kernels are inlined into the caller. Those that take much of the time are handed to
/// [`call`](Self::call), which may run each in a function of its own: in one large function, the
/// compiler keeps constants of the others in the registers that their innermost loops need.
pub trait Caller: Copy {
    /// The registers that the kernels are compiled for.
    fn vectors(self) -> Vectors;

    /// Calls a kernel, once, from a function that is compiled for the same registers.
    fn call<R>(self, kernel: impl FnOnce() -> R) -> R;
}

/// A caller that is compiled for these registers and inlines all kernels.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inlined(pub Vectors);

impl Caller for Inlined {
    #[inline(always)]
    fn vectors(self) -> Vectors {
        self.0
    }

    #[inline(always)]
    fn call<R>(self, kernel: impl FnOnce() -> R) -> R {
        kernel()
    }
}

/// Has a [`Caller`] call a kernel. The closure is inlined always, else it would not be compiled for the
/// caller's registers; and the variables that it names are moved, else each would be read by way of a
/// reference to it. They should be local ones: of `work.inputs`, all of `work` is moved.
macro_rules! call {
    ($caller:expr, $kernel:expr) => {
        $caller.call(
            #[inline(always)]
            move || $kernel,
        )
    };
}
pub(super) use call;
