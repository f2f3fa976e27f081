//! The reference programme in place of a session: an image of its own, with the feature
//! `reference`, whose digests are compared with those of the other targets.

use core::fmt::{self, Write as _};

use embedded_hal::digital::OutputPin;
use embedded_hal_nb::serial::{Read, Write};
pub use gradflow_core::reference::Memory;
use gradflow_core::reference::{self, Plain};

use crate::meter::Meter;
use crate::port::Port;

/// Prints the digests, then `end` or `error: …`; after that it waits for as long as `more` says so.
/// Boards call it as they call a session.
pub fn serve<S, P, M>(
    serial: S,
    _pin: P,
    _meter: M,
    memory: &mut Memory,
    mut more: impl FnMut() -> bool,
) where
    S: Read<u8> + Write<u8>,
    P: OutputPin,
    M: Meter,
{
    let mut out = Text(Port::new(serial));
    // Writing never fails: a port that does is given up for the rest of a text.
    let done = reference::run::<Plain>(memory, &mut |line| {
        let _ = write!(out, "{line}\r\n");
    });
    let _ = match done {
        Ok(()) => out.write_str("end\r\n"),
        Err(failure) => write!(out, "error: {failure}\r\n"),
    };
    while more() {
        core::hint::spin_loop();
    }
}

/// A port that takes formatted text.
struct Text<S>(Port<S>);

impl<S: Read<u8> + Write<u8>> fmt::Write for Text<S> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.text(text);
        Ok(())
    }
}
