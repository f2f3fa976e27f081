//! Fetching a batch from memory all at once.

use gradflow_core::network::Inputs;

/// Asks for the levels of these samples. Shuffled samples lie anywhere in memory, and would be
/// waited for one after the other.
pub(super) fn prefetch<T: Copy>(inputs: Inputs<'_, T>, samples: &[u32]) {
    let Inputs::Levels(rows) = inputs else { return };
    for &sample in samples {
        fetch(rows.row(sample as usize).entries());
    }
}

/// Asks for the cache lines of some numbers; the last is left out where they begin within one.
#[cfg(target_arch = "x86_64")]
fn fetch<T>(numbers: &[T]) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    for number in numbers.iter().step_by(64 / size_of::<T>()) {
        // SAFETY: a hint, which reads nothing.
        #[allow(unsafe_code)]
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(number).cast());
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn fetch<T>(_: &[T]) {}
