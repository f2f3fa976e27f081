//! Why a run did not come to its end, with the exit code that says so to a script.

use std::fmt;
use std::io;
use std::path::Path;

use crate::data::DataError;

/// Exit codes of the commands.
pub mod exit {
    /// Done.
    pub const DONE: u8 = 0;
    /// An expectation of the suite was missed, or a law was broken.
    pub const MISSED: u8 = 1;
    /// Bad input; nothing was written.
    pub const INPUT: u8 = 2;
    /// Training diverged; what was asked for is written.
    pub const DIVERGED: u8 = 3;
    /// Something is missing on this machine.
    pub const MISSING: u8 = 4;
    /// Stopped by a signal, after saving.
    pub const STOPPED: u8 = 130;
}

/// An error with the exit code that belongs to it.
#[derive(Clone, Debug)]
pub struct RunError {
    message: String,
    code: u8,
}

impl RunError {
    /// Input that cannot be used.
    #[must_use]
    pub const fn input(message: String) -> Self {
        Self { message, code: exit::INPUT }
    }

    /// A file that cannot be read or written.
    #[must_use]
    pub fn file(path: &Path, error: &io::Error) -> Self {
        Self::input(format!("{}: {error}", path.display()))
    }

    /// The same error with what it happened to in front.
    #[must_use]
    pub fn within(self, context: &str) -> Self {
        Self { message: format!("{context}: {}", self.message), code: self.code }
    }

    /// The exit code.
    #[must_use]
    pub const fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RunError {}

impl From<DataError> for RunError {
    fn from(error: DataError) -> Self {
        Self { message: error.to_string(), code: error.exit_code() }
    }
}

impl From<gradflow_core::Error> for RunError {
    fn from(error: gradflow_core::Error) -> Self {
        Self::input(error.to_string())
    }
}
