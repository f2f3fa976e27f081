//! Limits, so that a slip of the keyboard is refused rather than ends in a machine without memory.

use gradflow_core::Float;

use super::RunError;

/// Most parameters of a network.
pub(super) const MAX_PARAMETERS: usize = 100_000_000;

/// Most bytes of one array of a scheme.
const MAX_BYTES: usize = 1 << 32;

/// A buffer of zeros.
///
/// # Errors
/// More than this machine or any should be asked for.
pub(super) fn zeros<T: Float>(len: usize, what: &str) -> Result<Vec<T>, RunError> {
    let mut buffer = Vec::new();
    let fits = len.checked_mul(T::BYTES).is_some_and(|bytes| bytes <= MAX_BYTES);
    if !fits || buffer.try_reserve_exact(len).is_err() {
        let gigabytes = len as f64 * T::BYTES as f64 / 1e9;
        return Err(RunError::input(format!(
            "{what} needs {gigabytes:.1} GB in one piece: use a smaller --batch, a smaller \
             --hidden, or --solver cg"
        )));
    }
    buffer.resize(len, T::ZERO);
    Ok(buffer)
}

/// Numbers in a cache line, at most.
pub(crate) const LINE: usize = 16;

/// What starts with a cache line, of a buffer with room for one more. Rows of working memory then
/// straddle no two.
pub(crate) fn aligned<T: Float>(buffer: &mut [T]) -> &mut [T] {
    let start = buffer.as_ptr().align_offset(64).min(LINE).min(buffer.len());
    &mut buffer[start..]
}
