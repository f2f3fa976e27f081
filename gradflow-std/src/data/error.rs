//! Why there is no data set, in words that say where to look and what to do.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Where in a file something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    File,
    /// Offset of a byte, counted from 0; of a gzipped file, in what it unpacks to.
    Byte(u64),
    /// A line of a CSV file, counted from 1.
    Line(u64),
    /// One column of a line.
    Field {
        /// Counted from 1.
        line: u64,
        /// The column's name.
        column: String,
    },
}

/// Why a data set could not be had.
#[derive(Debug)]
#[non_exhaustive]
pub enum DataError {
    /// A data set that can be fetched is not on this machine.
    Missing {
        /// The file that was looked for.
        path: PathBuf,
        /// How to get it.
        advice: String,
    },
    /// A file cannot be opened, read or written.
    File {
        /// Which file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file is not what it should be.
    Content {
        /// Which file.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// The value found and what was expected.
        problem: String,
        /// How to get a good file, if that is known.
        advice: Option<String>,
    },
    /// Settings or arrays do not make a data set; the text says why.
    Unsuitable(String),
}

impl DataError {
    /// The exit code of a command that ends so: 4 if something is missing on this machine, 2 if
    /// the input is bad.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Missing { .. } => 4,
            Self::File { .. } | Self::Content { .. } | Self::Unsuitable(_) => 2,
        }
    }

    pub(super) fn file(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }

    pub(super) fn content(path: &Path, place: Place, problem: impl Into<String>) -> Self {
        Self::Content { path: path.to_owned(), place, problem: problem.into(), advice: None }
    }

    /// The same error with a way to a good file.
    pub(super) fn with_advice(mut self, text: &str) -> Self {
        if let Self::Content { advice, .. } = &mut self {
            *advice = Some(text.to_owned());
        }
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => Ok(()),
            Self::Byte(offset) => write!(f, ", byte {offset}"),
            Self::Line(line) => write!(f, ", line {line}"),
            Self::Field { line, column } => write!(f, ", line {line}, column `{column}`"),
        }
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path, advice } => {
                write!(f, "{} is not there. {advice}", path.display())
            }
            Self::File { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Content { path, place, problem, advice } => {
                write!(f, "{}{place}: {problem}", path.display())?;
                advice.iter().try_for_each(|advice| write!(f, ". {advice}"))
            }
            Self::Unsuitable(problem) => f.write_str(problem),
        }
    }
}

impl std::error::Error for DataError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
            _ => None,
        }
    }
}
