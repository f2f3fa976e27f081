//! A bound of the gradient's norm, from far fewer numbers than the gradient has.
//!
//! With δ a sample's derivatives in the outputs, times s, and x its inputs, `∂W = Σ x ((Aᵀ δ) ∘ (h > 0))ᵀ`
//! over the samples. So `‖∂W‖ ≤ ‖A‖₁ Σ ‖δ‖₁ d max|x|` with sums of absolute values for norms, which may be
//! far too much, but never too little, and are not finite if anything in them is not. What follows ∂W, the
//! gradients of the biases and of the output layer, is short, and read.

use super::{Inputs, Layers, TwoLayer};
use crate::float::Float;
use crate::linalg::norm_1;

/// Sums of at most so many terms. Rounding makes one larger or smaller by less than `(1 + ε/2)ⁿ`, e-fold.
const MOST: usize = 1 << 24;

/// More than what rounding adds to the gradient and to its norm, and takes from the bound: ten sums' worth.
const ROOM: f64 = 32_768.0;

/// What the norm of a gradient at `w` cannot exceed, over `n` samples with such inputs, with `deltas` for
/// `Σ ‖δ‖₁`. ∞ where it is not known; ∞ or NaN if the gradient may have an entry that is not finite.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn gradient_bound<T: Float>(
    network: &TwoLayer<T>,
    w: &Layers<'_, T>,
    gradient: &Layers<'_, T>,
    (inputs, n): (Inputs<'_, T>, usize),
    deltas: T,
) -> T {
    let Inputs::Levels(rows) = inputs else { return T::INFINITY };
    if network.parameters().max(n) > MOST {
        return T::INFINITY;
    }
    let room = T::from_f64(ROOM);
    // No level is larger than all together. The factors in the kernels' order, the room first: so they
    // overflow wherever those in a kernel do, and vanish only where those have.
    let most = T::from_usize(network.inputs) * norm_1(rows.values());
    let first = room * norm_1(w.output) * deltas * most;
    let biases = gradient.hidden.get(network.inputs * network.hidden..).unwrap_or_default();
    first + room * (norm_1(biases) + norm_1(gradient.output) + norm_1(gradient.output_bias))
}
