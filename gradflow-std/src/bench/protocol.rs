//! What a measured program says: one line of JSON on starting, then one for each line that it is
//! given, until there are no more.
//!
//! ```text
//! → {"program":"gradflow","version":"0.1.0","start_s":0.2,"cases":["mnist-sgd-64", …]}
//! ← mnist-sgd-64
//! → {"wall_s":0.11,"cpu_s":0.11,"units":1}
//! ← memory
//! → {"peak_mib":81.5}
//! ```
//!
//! The first time that a case is named, the program makes what it needs for it, outside the time.

use serde::{Deserialize, Serialize};

/// The line that is not a case.
pub(super) const MEMORY: &str = "memory";

/// The first line of a program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// What it is called in tables.
    pub program: String,
    /// Its version.
    pub version: String,
    /// Seconds that loading its libraries took.
    pub start_s: f64,
    /// The cases that it can do.
    pub cases: Vec<String>,
}

/// How long a case took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// By the clock.
    pub wall_s: f64,
    /// Of the processor, over all threads.
    pub cpu_s: f64,
    /// How much was done: epochs, or steps.
    pub units: f64,
}

/// How much memory a program has held.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Memory {
    /// At most, in MiB.
    pub(super) peak_mib: f64,
}
