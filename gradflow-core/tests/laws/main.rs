//! The laws of the schemes as executable properties, in f64 and f32.
//!
//! One file a law or a family of laws; `table.rs` drives every valid combination of settings and
//! demands a law or a stated none of each. `PROPTEST_CASES` sets the number of cases.

#![allow(clippy::unwrap_used)] // helpers of tests stop at the first error, as tests do

mod equalities;
mod faults;
mod full;
mod mutants;
mod relaxation;
mod runs;
mod scalar;
mod support;
mod synthetic;
mod table;
