//! `cargo xtask test`: everything that must hold before a change goes in.

use std::ffi::OsString;
use std::time::Instant;

use anyhow::{Context, Result};
use lexopt::{Arg, Parser};

use crate::spawn::{self, Run};
use crate::{bench, dependencies, mcu_test, no_panic, setup, targets, verify, wasm_test};

const HELP: &str = "\
Runs every check and stops at the first that fails: formatting, lints, unit, property and
documentation tests, the core with each set of features, the dependency rules; then
`cargo xtask setup` and the other targets: their builds, the proof that no panic is reachable,
the page in a browser, the boards in their emulators, and the comparison of bits.

cargo xtask test [--host-only]

  --host-only    leave the other targets out: needs Rust alone, and takes a few minutes

What cannot run on this machine is an error that says what to install.";

/// Sets of the core's features.
const FEATURES: [&[&str]; 4] =
    [&[], &["--features=std,wide"], &["--features=micromath"], &["--features=std,micromath"]];

type Check = (&'static str, fn() -> Result<()>);

const HOST: [Check; 6] = [
    ("formatting", formatting),
    ("lints", lints),
    ("tests", tests),
    ("the core with each set of features", feature_sets),
    ("documentation", documentation),
    ("dependency rules", dependencies::check),
];

const OTHER_TARGETS: [Check; 6] = [
    ("compilers and tools", || setup::provide(&[])),
    ("the core on other targets", targets::build),
    ("no panic", no_panic::check),
    ("the demo page", wasm_test::test),
    ("the boards", mcu_test::check),
    ("the same bits on every target", verify::check),
];

/// Runs the task.
pub(crate) fn run(args: &[OsString]) -> Result<()> {
    let mut host_only = false;
    let mut parser = Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("help") | Arg::Short('h') => {
                println!("{HELP}");
                return Ok(());
            }
            Arg::Long("host-only") => host_only = true,
            _ => return Err(arg.unexpected().into()),
        }
    }
    let start = Instant::now();
    let others = if host_only { &[][..] } else { &OTHER_TARGETS };
    for (name, check) in HOST.iter().chain(others) {
        eprintln!("\n== {name}");
        check().with_context(|| format!("the check of {name} failed"))?;
    }
    let mut not_run = spelling()?;
    not_run.extend(bench::check_instructions()?);
    if host_only {
        not_run.push("the other targets (--host-only)".into());
    }
    let seconds = start.elapsed().as_secs();
    let not_run = if not_run.is_empty() { "nothing".into() } else { not_run.join(", ") };
    println!("\nall checks passed in {seconds} s; not run: {not_run}");
    Ok(())
}

fn formatting() -> Result<()> {
    Run::cargo("fmt").args(["--all", "--check"]).run()
}

fn lints() -> Result<()> {
    Run::cargo("clippy")
        .args(["--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])
        .run()
}

fn tests() -> Result<()> {
    Run::cargo("test").args(["--workspace", "--locked"]).run()
}

fn feature_sets() -> Result<()> {
    FEATURES.iter().try_for_each(|features| {
        Run::cargo("clippy")
            .args(["--package", "gradflow-core", "--locked", "--no-default-features"])
            .args(*features)
            .args(["--", "-D", "warnings"])
            .run()
    })
}

fn documentation() -> Result<()> {
    Run::cargo("doc")
        .args(["--workspace", "--no-deps", "--locked"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()
}

/// Checks the spelling where the tool for it is at hand; returns what was not run.
fn spelling() -> Result<Vec<String>> {
    if spawn::find("typos").is_none() {
        return Ok(vec!["spelling (typos is not installed)".into()]);
    }
    eprintln!("\n== spelling");
    Run::new("typos").dir(crate::workspace::root()).run()?;
    Ok(Vec::new())
}
