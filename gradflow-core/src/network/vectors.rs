//! The registers that kernels run in.

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
