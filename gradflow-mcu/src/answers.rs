//! What the commands that ask for something print.

use embedded_hal::digital::OutputPin;
use embedded_hal_nb::serial::{Read, Write};
use gradflow_core::Digest;

use crate::HIDDEN;
use crate::command::HELP;
use crate::meter::Meter;
use crate::session::{Failure, Session};

/// Bytes of a line of `save`.
const PIECE: usize = 32;

impl<S, P, M> Session<'_, S, P, M>
where
    S: Read<u8> + Write<u8>,
    P: OutputPin,
    M: Meter,
{
    /// The commands, a line each.
    pub(crate) fn help(&mut self) {
        for line in HELP.split(|&byte| byte == b'\n') {
            self.port.bytes(line);
            self.port.end();
        }
    }

    /// Settings and state.
    pub(crate) fn status(&mut self) {
        self.port.settings(&self.choice);
        self.port.text("state");
        self.port.count("steps", self.trainer.steps());
        self.port.count("samples", self.trainer.samples() as u32);
        self.port.count("ticks-per-second", self.meter.ticks_per_second());
        self.port.end();
    }

    /// The output at `x`, and its bits.
    pub(crate) fn predict(&mut self, x: f32) -> Result<(), Failure> {
        let f = self.trainer.predict(x)?;
        self.port.text("predict");
        self.port.real("x", x);
        self.port.real("f", f);
        self.port.text(" bits ");
        self.port.bytes(&crate::number::hex([f.to_bits()]));
        self.port.end();
        Ok(())
    }

    /// Output and target at points of equal distance.
    pub(crate) fn fit(&mut self, points: u32) -> Result<(), Failure> {
        for point in 0..points {
            let (x, f, y) = self.trainer.point(point as usize, points as usize)?;
            self.port.text("fit");
            self.port.real("x", x);
            self.port.real("f", f);
            self.port.real("y", y);
            self.port.end();
        }
        Ok(())
    }

    /// The mean squared error on the grid.
    pub(crate) fn error(&mut self) -> Result<(), Failure> {
        let error = self.trainer.grid_error()?;
        self.port.real("error", error);
        self.port.end();
        Ok(())
    }

    /// The losses of the last steps.
    pub(crate) fn recent(&mut self) {
        for &(step, loss) in &self.recent {
            self.port.count("step", step);
            self.port.real("loss", loss);
            self.port.end();
        }
    }

    /// The parameters, a line each hidden unit.
    pub(crate) fn weights(&mut self) {
        for [w, b, a] in (0..HIDDEN).filter_map(|unit| self.trainer.unit(unit)) {
            self.port.text("unit");
            self.port.real("w", w);
            self.port.real("b", b);
            self.port.real("a", a);
            self.port.end();
        }
        if let Some(&bias) = self.trainer.weights().last() {
            self.port.real("bias", bias);
            self.port.end();
        }
    }

    /// The weights' digest.
    pub(crate) fn digest(&mut self) -> Result<(), Failure> {
        let digest = Digest::new().update(self.trainer.weights())?.finish();
        self.port.bits("digest", digest);
        self.port.end();
        Ok(())
    }

    /// The weights as a file, in lines that load it again.
    pub(crate) fn save(&mut self) -> Result<(), Failure> {
        let network = self.trainer.network()?;
        let file = self.transfer.write(&network, self.trainer.weights())?;
        self.port.count("load", file.len() as u32);
        self.port.end();
        let (pieces, rest) = file.as_chunks::<PIECE>();
        let rest = (!rest.is_empty()).then_some(rest);
        for piece in pieces.iter().map(<[u8; PIECE]>::as_slice).chain(rest) {
            self.port.text(":");
            for &byte in piece {
                self.port.bytes(&crate::number::hex_digits(byte));
            }
            self.port.end();
        }
        self.digest()
    }
}
