//! A digest of numbers, to compare trajectories bit for bit across machines.

use crate::error::{Error, Quantity};
use crate::float::Float;

/// FNV-1a, 64 bits (Fowler, Noll and Vo), over the little-endian bytes of numbers.
///
/// It tells different weights apart; it does not protect them from forgery.
///
/// ```
/// use gradflow_core::Digest;
/// let whole = Digest::new().update(&[1.0_f32, -0.5])?.finish();
/// let parts = Digest::new().update(&[1.0_f32])?.update(&[-0.5_f32])?.finish();
/// assert_eq!(whole, parts);
/// # Ok::<(), gradflow_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

impl Digest {
    /// The digest of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// The digest with these numbers appended.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a NaN, whose bits differ between machines, or an infinity.
    pub fn update<T: Float>(mut self, numbers: &[T]) -> Result<Self, Error> {
        for &number in numbers {
            if !number.is_finite() {
                let what = Quantity::Weights;
                return Err(Error::NotFinite { what });
            }
            let bytes = number.to_bits64().to_le_bytes();
            self = self.update_bytes(bytes.get(..T::BYTES).unwrap_or_default());
        }
        Ok(self)
    }

    /// The digest with these bytes appended.
    #[must_use]
    pub const fn update_bytes(mut self, bytes: &[u8]) -> Self {
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            self.0 = (self.0 ^ byte as u64).wrapping_mul(0x0100_0000_01b3);
            rest = after;
        }
        self
    }

    /// The 64 bits.
    #[must_use]
    pub const fn finish(self) -> u64 {
        self.0
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}
