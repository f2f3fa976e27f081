//! Fetching inputs from memory ahead of the step that reads them.

use gradflow_core::network::Inputs;

/// Asks for the sparse inputs of these samples. Shuffled samples lie anywhere in memory, and what is
/// asked for a step earlier is in the cache when it is read.
pub(super) fn prefetch<T: Copy>(inputs: Inputs<'_, T>, samples: &[u32]) {
    let Inputs::Sparse { starts, columns, values } = inputs else { return };
    for &sample in samples {
        let sample = sample as usize;
        if let (Some(&start), Some(&end)) = (starts.get(sample), starts.get(sample + 1)) {
            fetch(columns.get(start as usize..end as usize).unwrap_or_default());
            fetch(values.get(start as usize..end as usize).unwrap_or_default());
        }
    }
}

/// Asks for each cache line of some numbers.
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
