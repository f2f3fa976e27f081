//! Weights as bytes: the one reader and writer of the safetensors layout, for every target.
//!
//! Eight bytes of header length (little-endian), a JSON header, then the numbers as they are:
//!
//! | tensor | shape | meaning |
//! |---|---|---|
//! | `hidden` | `[d+1, m]` | row `i` holds the weights of input `i`, the last row the biases |
//! | `output` | `[m, k]` | column `j` holds the weights of output `j`: [`TwoLayer`]'s, transposed |
//! | `output_bias` | `[k]` | only if the network has output biases |
//!
//! The metadata has at most the key `output_scale`, a decimal number; without it the scale is 1.
//! So the same weights always give the same bytes.
//!
//! ```
//! use gradflow_core::network::TwoLayer;
//! use gradflow_core::weights::{self, Header};
//! let network = TwoLayer::new(1, 2, 1)?.with_scale(0.5_f32);
//! let w = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
//! let mut file = [0; 512];
//! let len = weights::write(&network, &w, &mut file)?;
//!
//! let header = Header::parse(&file[..len])?;
//! assert_eq!(header.network()?, network);
//! let mut copy = [0.0; 6];
//! weights::read(&header, &file[..len], &mut copy)?;
//! assert_eq!(copy, w);
//! # Ok::<(), gradflow_core::Error>(())
//! ```

mod decimal;
mod entries;
mod header;
mod json;
mod write;

pub use header::{Dtype, Header, read};
pub use write::write;

use crate::float::Float;
use crate::network::TwoLayer;

/// Bytes before the numbers, at most: with every field at its longest it takes 373.
const PREAMBLE: usize = 384;

/// Bytes that [`write()`] needs for this network's weights: a bound that does not depend on the
/// output scale, a little above what is written.
#[must_use]
pub const fn file_len<T: Float>(network: &TwoLayer<T>) -> usize {
    PREAMBLE + network.parameters() * T::BYTES
}
