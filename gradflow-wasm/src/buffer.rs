//! Memory for the kernels, aligned to cache lines.

use std::ops::{Deref, DerefMut};

/// Bytes of a cache line; a vector that lies across two of them is read twice.
const LINE: usize = 64;
const ROOM: usize = LINE / size_of::<f32>();

/// Numbers whose first lies at the start of a cache line, which no allocator of the page promises.
#[derive(Debug)]
pub(crate) struct Buffer {
    room: Vec<f32>,
    start: usize,
    len: usize,
}

impl Buffer {
    /// So many zeros. Not inlined: the schemes ask for their buffers at some thirty places.
    #[inline(never)]
    pub(crate) fn zeros(len: usize) -> Self {
        let room = vec![0.0; len + ROOM];
        let start = room.as_ptr().align_offset(LINE).min(ROOM);
        Self { room, start, len }
    }

    /// At least so many numbers; what they were is lost if there are more now.
    pub(crate) fn reserve(&mut self, len: usize) {
        if self.len < len {
            *self = Self::zeros(len);
        }
    }
}

impl Deref for Buffer {
    type Target = [f32];

    // Not inlined at the many places where a scheme looks at its buffers.
    #[inline(never)]
    fn deref(&self) -> &[f32] {
        self.room.get(self.start..self.start + self.len).unwrap_or_default()
    }
}

impl DerefMut for Buffer {
    #[inline(never)]
    fn deref_mut(&mut self) -> &mut [f32] {
        self.room.get_mut(self.start..self.start + self.len).unwrap_or_default()
    }
}

impl AsRef<[f32]> for Buffer {
    fn as_ref(&self) -> &[f32] {
        self
    }
}

impl AsMut<[f32]> for Buffer {
    fn as_mut(&mut self) -> &mut [f32] {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_buffer_starts_a_cache_line() {
        for len in 0..200 {
            let mut buffer = Buffer::zeros(len);
            assert_eq!(buffer.len(), len);
            assert_eq!(buffer.as_ptr().addr() % LINE, 0);
            buffer.fill(1.0);
            buffer.reserve(len);
            assert!(buffer.iter().all(|&number| number == 1.0));
            buffer.reserve(len + 1);
            assert_eq!(buffer.len(), len + 1);
        }
    }
}
