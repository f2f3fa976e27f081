//! What was measured, as it is kept in `bench.json`.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::run::{RunError, write_atomically};

/// The name of this program in its own results.
pub(super) const OURS: &str = "gradflow";

/// Everything that tables, figure and claims are made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Year-month-day.
    pub date: String,
    /// The processor's own name.
    pub cpu: String,
    /// Processors that threads may use.
    pub processors: usize,
    /// Timed rounds.
    pub rounds: usize,
    /// Entries of the images that are not zero, over the training set.
    pub entries: u64,
    /// Bytes of the program, without what debuggers read if it could be cut off.
    pub program_bytes: u64,
    /// What was measured, this program first.
    pub programs: Vec<Measured>,
}

/// One program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// What it is called.
    pub program: String,
    /// Its version.
    pub version: String,
    /// Seconds that loading its libraries took.
    pub start_s: f64,
    /// Most memory that it held over all its cases, in MiB.
    pub peak_mib: f64,
    /// One epoch of MNIST as a process of its own, its data read from the disk.
    pub whole: Option<Series>,
    /// Most memory of that process, in MiB.
    pub whole_mib: Option<f64>,
    /// Its cases.
    pub cases: Vec<Series>,
}

/// One case of one program: seconds a unit, round by round.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// The case's name.
    pub case: String,
    /// By the clock.
    pub wall_s: Vec<f64>,
    /// Of the processor.
    pub cpu_s: Vec<f64>,
}

impl Series {
    /// The median by the clock.
    pub(super) fn wall(&self) -> f64 {
        median(&self.wall_s)
    }

    /// The median of processor time.
    pub(super) fn cpu(&self) -> f64 {
        median(&self.cpu_s)
    }
}

impl Measured {
    /// A case of this program.
    pub(super) fn case(&self, name: &str) -> Option<&Series> {
        self.cases.iter().find(|series| series.case == name)
    }
}

impl Results {
    /// The median by the clock of a program's case.
    pub(super) fn wall(&self, program: &str, case: &str) -> Option<f64> {
        let measured = self.programs.iter().find(|measured| measured.program == program)?;
        measured.case(case).map(Series::wall)
    }

    /// Ours.
    pub(super) fn ours(&self, case: &str) -> Option<f64> {
        self.wall(OURS, case)
    }

    /// The median of a case that one program alone does, whichever.
    pub(super) fn only(&self, case: &str) -> Option<f64> {
        self.programs.iter().find_map(|measured| measured.case(case)).map(Series::wall)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read or is none of these.
    pub fn read(path: &Path) -> Result<Self, RunError> {
        let text = fs::read_to_string(path).map_err(|error| RunError::file(path, &error))?;
        serde_json::from_str(&text)
            .map_err(|error| RunError::input(format!("{}: {error}", path.display())))
    }

    /// Writes a file, whole or not at all.
    ///
    /// # Errors
    /// A place that cannot be written to.
    pub fn write(&self, path: &Path) -> Result<(), RunError> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| RunError::input(error.to_string()))?;
        write_atomically(path, (text + "\n").as_bytes())
    }
}

/// The middle, or the mean of the two in the middle.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted.len().saturating_sub(1) / 2, sorted.len() / 2);
    match (sorted.get(low), sorted.get(high)) {
        (Some(low), Some(high)) => f64::midpoint(*low, *high),
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        for (values, expected) in
            [(&[3.0, 1.0, 2.0][..], 2.0), (&[4.0, 1.0, 2.0, 3.0][..], 2.5), (&[7.0][..], 7.0)]
        {
            assert_eq!(median(values), expected);
        }
        assert!(median(&[]).is_nan());
    }
}
