//! The serial port: bytes out, bytes in, nothing lost while it writes.

use embedded_hal_nb::serial::{Read, Write};
use heapless::Deque;

/// Bytes that wait until the session has time for them.
const WAITING: usize = 128;

/// A serial port with a queue for what arrives meanwhile.
#[derive(Debug)]
pub(crate) struct Port<S> {
    serial: S,
    waiting: Deque<u8, WAITING>,
    damaged: bool,
}

impl<S: Read<u8> + Write<u8>> Port<S> {
    /// The port over a chip's serial interface.
    pub(crate) const fn new(serial: S) -> Self {
        Self { serial, waiting: Deque::new(), damaged: false }
    }

    /// Takes what has arrived, as far as there is room; to be called often. What the chip itself
    /// has no room for, it reports as an overrun.
    pub(crate) fn poll(&mut self) {
        while !self.waiting.is_full() {
            match self.serial.read() {
                Ok(byte) => self.damaged |= self.waiting.push_back(byte).is_err(),
                Err(nb::Error::WouldBlock) => return,
                // Overrun, noise, a wrong stop bit: bytes are missing or wrong.
                Err(nb::Error::Other(_)) => {
                    self.damaged = true;
                    return;
                }
            }
        }
    }

    /// The next byte, if one has arrived.
    pub(crate) fn read(&mut self) -> Option<u8> {
        self.poll();
        self.waiting.pop_front()
    }

    /// True, once, if bytes were lost or damaged since the last question.
    pub(crate) const fn was_damaged(&mut self) -> bool {
        core::mem::replace(&mut self.damaged, false)
    }

    /// True if the byte waits in the queue; it and all before it are then dropped.
    pub(crate) fn interrupted_by(&mut self, byte: u8) -> bool {
        self.poll();
        if !self.waiting.iter().any(|&waiting| waiting == byte) {
            return false;
        }
        while self.waiting.pop_front().is_some_and(|waiting| waiting != byte) {}
        true
    }

    /// Writes text; what arrives meanwhile is kept. A port that fails is given up for this text.
    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Writes bytes, as [`text`](Self::text).
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            loop {
                match self.serial.write(byte) {
                    Ok(()) => break,
                    Err(nb::Error::WouldBlock) => self.poll(),
                    Err(nb::Error::Other(_)) => return,
                }
            }
        }
    }
}
