//! The laws of the schemes as executable properties, in f64 and f32.
//!
//! One file a law or a family of laws; `table.rs` drives every valid combination of settings and
//! demands a law or a stated none of each. `PROPTEST_CASES` sets the number of cases.

mod equalities;
mod faults;
mod full;
mod relaxation;
mod runs;
mod scalar;
mod support;
mod synthetic;
mod table;
