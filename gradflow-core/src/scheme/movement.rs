//! What a step did to the parameters, for the audit.

use crate::float::Float;
use crate::linalg::{LANES, Lanes};

/// A step seen from outside, in the metric `M` in which the operator reads
/// `A = M⁻¹/(1 + λΔt)`: so `D = (1 + λΔt)/Δt ⟨Δw, M Δw⟩`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Movement<T> {
    /// `⟨Δw, M Δw⟩`
    pub update_sq: T,
    /// `⟨wⁿ⁺¹, M wⁿ⁺¹⟩`: what storing the parameters rounds is in proportion to its root.
    pub size_sq: T,
}

impl<T: Float> Movement<T> {
    /// The movement in the metric `M = I`.
    #[must_use]
    pub fn between(before: &[T], after: &[T]) -> Self {
        Self::weighted(before, after, |_| T::ONE)
    }

    /// The movement in the metric `M = diag(weightᵢ)`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn weighted(before: &[T], after: &[T], weight: impl Fn(usize) -> T) -> Self {
        let mut sums = [Lanes::ZERO; 2];
        let [update, size] = &mut sums;
        let (before, before_rest) = before.as_chunks::<LANES>();
        let (after, after_rest) = after.as_chunks::<LANES>();
        let last = before.len() * LANES;
        for (block, (before, after)) in before.iter().zip(after).enumerate() {
            let lanes = update.0.iter_mut().zip(size.0.iter_mut());
            for (lane, ((update, size), (&before, &after))) in
                lanes.zip(before.iter().zip(after)).enumerate()
            {
                let (weight, step) = (weight(block * LANES + lane), after - before);
                // The weight first: the square of a small step would vanish.
                *update += weight * step * step;
                *size += weight * after * after;
            }
        }
        let rest = || before_rest.iter().zip(after_rest).zip(last..);
        update.add_some(
            rest().map(|((&before, &after), i)| weight(i) * (after - before) * (after - before)),
        );
        size.add_some(rest().map(|((_, &after), i)| weight(i) * after * after));
        let [update, size] = sums;
        Self { update_sq: update.total(), size_sq: size.total() }
    }
}
