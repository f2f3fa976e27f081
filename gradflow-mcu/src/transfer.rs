//! A weights file on its way in or out, in the desktop's format.

use gradflow_core::network::TwoLayer;
use gradflow_core::{Error, weights};

use crate::PARAMETERS;

/// Longest file: that of [`weights::file_len`].
pub(crate) const LONGEST: usize = 384 + 4 * PARAMETERS;

/// The file's bytes.
#[derive(Debug)]
pub(crate) struct Transfer {
    bytes: [u8; LONGEST],
    len: usize,
    /// Length that was announced; 0 if none is under way.
    announced: usize,
}

/// What a piece of a file led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// No file was announced, or this is more than was.
    Unexpected,
    /// More is to come: so many bytes.
    Missing(usize),
    /// That was the last piece.
    Complete,
}

impl Transfer {
    /// No file.
    pub(crate) const NONE: Self = Self { bytes: [0; LONGEST], len: 0, announced: 0 };

    /// Writes the file of these weights; returns its bytes.
    ///
    /// # Errors
    /// Weights that are not finite.
    pub(crate) fn write(&mut self, network: &TwoLayer<f32>, w: &[f32]) -> Result<&[u8], Error> {
        self.announced = 0;
        let len = weights::write(network, w, &mut self.bytes)?;
        Ok(self.bytes.get(..len).unwrap_or_default())
    }

    /// Waits for a file of `len` bytes; false if it would be too long.
    pub(crate) const fn announce(&mut self, len: usize) -> bool {
        (self.len, self.announced) = (0, if len <= LONGEST { len } else { 0 });
        self.announced > 0
    }

    /// Appends a byte; one too many ends the transfer.
    pub(crate) fn push(&mut self, byte: u8) {
        match self.bytes.get_mut(self.len) {
            Some(place) if self.len < self.announced => {
                *place = byte;
                self.len += 1;
            }
            _ => self.announced = 0,
        }
    }

    /// How far the file is.
    #[must_use]
    pub(crate) const fn progress(&self) -> Progress {
        match self.announced {
            0 => Progress::Unexpected,
            announced if self.len < announced => Progress::Missing(announced - self.len),
            _ => Progress::Complete,
        }
    }

    /// Reads the complete file of `network`'s weights into `w`.
    ///
    /// The same weights always give the same bytes: a file is right if writing its numbers gives it
    /// again, and no reader of JSON is needed.
    ///
    /// # Errors
    /// A file that is damaged, of another network or of another scale.
    pub(crate) fn read(&mut self, network: &TwoLayer<f32>, w: &mut [f32]) -> Result<(), Error> {
        const WRONG: Error = Error::Format(
            "not a file as this board writes it: one input, 100 hidden units, one output, F32",
        );
        self.announced = 0;
        let received = self.bytes.get(..self.len).unwrap_or_default();
        let before = fingerprint(received);
        let numbers = received.last_chunk::<{ 4 * PARAMETERS }>().ok_or(WRONG)?;
        for (w, &number) in w.iter_mut().zip(numbers.as_chunks().0) {
            *w = f32::from_le_bytes(number);
        }
        let len = weights::write(network, w, &mut self.bytes)?;
        let written = self.bytes.get(..len).unwrap_or_default();
        if len == self.len && fingerprint(written) == before { Ok(()) } else { Err(WRONG) }
    }
}

/// FNV-1a of bytes.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HIDDEN;

    #[test]
    fn the_buffer_holds_this_network_s_file() {
        let network = TwoLayer::<f32>::new(1, HIDDEN, 1).unwrap().with_output_bias(true);
        assert_eq!(network.parameters(), PARAMETERS);
        assert_eq!(weights::file_len(&network), LONGEST);
    }

    #[test]
    fn a_file_is_complete_at_its_announced_length_and_not_beyond() {
        let mut transfer = Transfer::NONE;
        assert_eq!(transfer.progress(), Progress::Unexpected);
        assert!(!transfer.announce(LONGEST + 1));
        assert!(transfer.announce(2));
        transfer.push(1);
        assert_eq!(transfer.progress(), Progress::Missing(1));
        transfer.push(2);
        assert_eq!(transfer.progress(), Progress::Complete);
        transfer.push(3);
        assert_eq!(transfer.progress(), Progress::Unexpected);
    }
}
