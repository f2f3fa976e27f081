//! Why a task stopped, where that decides the exit code. Any other error is code 1.

use std::fmt;
use std::process::ExitCode;

use anyhow::{Error, Result};

#[derive(Debug)]
enum Stop {
    /// Wrong options: code 2, as for what lexopt refuses.
    Usage(String),
    /// Something is missing on this machine; the text says what to do: code 4.
    Missing(String),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Missing(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Stop {}

/// Wrong options.
pub(crate) fn usage(text: impl Into<String>) -> Error {
    Stop::Usage(text.into()).into()
}

/// Something is missing on this machine; `text` says what to do about it.
pub(crate) fn missing(text: impl Into<String>) -> Error {
    Stop::Missing(text.into()).into()
}

/// Prints the error, if any, and turns it into the exit code.
pub(crate) fn exit_code(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(code(&error))
        }
    }
}

fn code(error: &Error) -> u8 {
    match error.downcast_ref() {
        Some(Stop::Missing(_)) => 4,
        Some(Stop::Usage(_)) => 2,
        None if error.is::<lexopt::Error>() => 2,
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context, anyhow};

    #[test]
    fn the_code_survives_added_context() {
        for (error, expected) in [
            (usage("no such task"), 2),
            (missing("no npm"), 4),
            (lexopt::Error::UnexpectedOption("--x".into()).into(), 2),
            (anyhow!("disk full"), 1),
        ] {
            assert_eq!(code(&error), expected, "{error}");
            let wrapped = Err::<(), _>(error).context("while testing").unwrap_err();
            assert_eq!(code(&wrapped), expected, "{wrapped:#}");
        }
    }
}
