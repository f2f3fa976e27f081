//! A session over a serial line of unknown bytes.

use core::convert::Infallible;

use embedded_hal::digital::{ErrorType as PinError, OutputPin};
use embedded_hal_nb::serial::{ErrorKind, ErrorType, Read, Write};
use gradflow_mcu::{Memory, Meter, serve};

use crate::any;

struct Line;
struct Pin;
struct Ticks;

impl ErrorType for Line {
    type Error = ErrorKind;
}

impl Read<u8> for Line {
    fn read(&mut self) -> nb::Result<u8, ErrorKind> {
        match any(0_u32) {
            0 => Err(nb::Error::WouldBlock),
            1 => Err(nb::Error::Other(ErrorKind::Noise)),
            byte => Ok(byte as u8),
        }
    }
}

impl Write<u8> for Line {
    fn write(&mut self, byte: u8) -> nb::Result<(), ErrorKind> {
        any(byte);
        any(Ok(()))
    }

    fn flush(&mut self) -> nb::Result<(), ErrorKind> {
        any(Ok(()))
    }
}

impl PinError for Pin {
    type Error = Infallible;
}

impl OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        any(Ok(()))
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        any(Ok(()))
    }
}

impl Meter for Ticks {
    fn ticks(&self) -> u32 {
        any(0)
    }

    fn ticks_per_second(&self) -> u32 {
        any(1)
    }

    fn repaint_stack(&mut self) {}

    fn stack_used(&self) -> u32 {
        any(0)
    }

    fn stack_depth(&self) -> u32 {
        any(0)
    }

    fn stack_size(&self) -> u32 {
        any(0)
    }
}

/// Serves the line for as long as nobody knows.
pub(crate) fn all() {
    let mut memory = any(Memory::ZERO);
    serve(Line, Pin, Ticks, &mut memory, || any(false));
}
