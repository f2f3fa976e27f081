//! gradflow on the desktop: data sets, runs, suites of experiments, figures and reports, and the
//! `gradflow` command. Formulas are the core's; see [`gradflow_core`].

pub mod bench;
pub mod command;
pub mod data;
pub mod experiments;
pub mod figure;
pub mod report;
pub mod run;
pub mod spec;
