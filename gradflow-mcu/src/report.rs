//! What the session says.

use embedded_hal_nb::serial::{Read, Write};
use gradflow_core::Error;
use gradflow_core::network::GramForm;
use gradflow_core::scheme::{Control, Coupling, Method};

use crate::command::Refusal;
use crate::number::{hex, integer, real};
use crate::port::Port;
use crate::settings::{Choice, Source};

impl<S: Read<u8> + Write<u8>> Port<S> {
    /// Ends a line.
    pub(crate) fn end(&mut self) {
        self.text("\r\n");
    }

    /// A blank, a name, a blank and a whole number.
    pub(crate) fn count(&mut self, name: &str, value: u32) {
        self.named(name);
        self.bytes(&integer(value));
    }

    /// A blank, a name, a blank and a number.
    pub(crate) fn real(&mut self, name: &str, value: f32) {
        self.named(name);
        self.bytes(&real(value));
    }

    /// A blank, a name, a blank and a word.
    pub(crate) fn word(&mut self, name: &str, value: &str) {
        self.named(name);
        self.text(value);
    }

    /// A blank, a name, a blank and 64 bits in hexadecimal digits.
    pub(crate) fn bits(&mut self, name: &str, value: u64) {
        self.named(name);
        self.bytes(&hex([(value >> 32) as u32, value as u32]));
    }

    fn named(&mut self, name: &str) {
        self.text(" ");
        self.text(name);
        self.text(" ");
    }

    /// What is wrong with a line.
    pub(crate) fn refusal(&mut self, refusal: Refusal) {
        match refusal {
            Refusal::Unknown => self.text("error: no such command; help lists them\r\n"),
            Refusal::Needs(what) => {
                self.text("error: this command needs ");
                self.text(what);
                self.end();
            }
        }
    }

    /// What went wrong in the core.
    pub(crate) fn error(&mut self, error: Error) {
        self.text("error: ");
        match error {
            Error::Length { what, needed, got } => {
                self.text(what.name());
                self.count("needs", needed as u32);
                self.count("entries, not", got as u32);
            }
            Error::NotFinite { what } => {
                self.text(what.name());
                self.text(" is not finite");
            }
            Error::OutOfRange { what, value } => {
                let (name, range) = what.name_and_range();
                self.text(name);
                self.real("=", value as f32);
                self.text(" must be ");
                self.text(range);
            }
            Error::ShiftTooSmall { loss_plus_c } => {
                self.text("c is too small:");
                self.real("L + C =", loss_plus_c as f32);
            }
            Error::Degenerate => self.text("the auxiliary variable vanished"),
            Error::Singular { row } => {
                self.text("the Gram matrix is not positive definite: use a smaller dt;");
                self.count("row", row as u32);
            }
            Error::NoConvergence { iterations } => {
                self.text("conjugate gradients did not converge in");
                self.count("iterations:", iterations as u32);
            }
            Error::Label { .. } => self.text("a class label is out of range"),
            Error::Unsupported(text) | Error::Format(text) => self.text(text),
            _ => self.text("the step failed"),
        }
        self.end();
    }

    /// The settings, on three lines.
    pub(crate) fn settings(&mut self, choice: &Choice) {
        let scheme = &choice.scheme;
        self.text("settings");
        self.word("method", scheme.method.name());
        self.real("dt", scheme.dt);
        self.word("relaxed", if scheme.relaxed { "on" } else { "off" });
        if scheme.method == Method::IeqFull {
            self.word("solver", solver(choice));
            self.word(
                "control",
                match scheme.control {
                    Control::Fixed => "fixed",
                    Control::GainRatio => "gain-ratio",
                },
            );
        }
        self.text("\r\nsettings");
        self.real("lambda", scheme.lambda);
        self.real("c", scheme.c);
        self.real("eta", scheme.eta);
        self.real("epsilon", scheme.epsilon);
        self.word(
            "coupling",
            match scheme.coupling() {
                Coupling::Ratio => "ratio",
                Coupling::Consistent => "consistent",
            },
        );
        self.text("\r\nsettings");
        self.word(
            "source",
            match choice.source {
                Source::Function => "function",
                Source::Data => "data",
            },
        );
        self.count("batch", choice.batch as u32);
        self.count("seed", choice.seed);
        self.real("target", choice.target);
        self.count("every", choice.every);
        self.count("auto", choice.auto);
        self.end();
    }
}

const fn solver(choice: &Choice) -> &'static str {
    match choice.gram_form {
        GramForm::Closed => "closed-form",
        GramForm::General => "cholesky",
    }
}
