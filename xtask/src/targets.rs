//! `cargo xtask targets`: the core builds where there is no standard library, and for the browser.

use std::ffi::OsString;

use anyhow::Result;
use lexopt::{Arg, Parser};

use crate::{setup, toolchain};

const HELP: &str = "\
Builds gradflow-core for the browser (wasm32) and for bare metal (Cortex-M4F, Cortex-M0+),
with each of its features that the target can have.

cargo xtask targets";

/// Runs the task.
pub(crate) fn run(args: &[OsString]) -> Result<()> {
    let mut parser = Parser::from_args(args);
    if let Some(arg) = parser.next()? {
        return match arg {
            Arg::Long("help") | Arg::Short('h') => {
                println!("{HELP}");
                Ok(())
            }
            _ => Err(arg.unexpected().into()),
        };
    }
    setup::provide(&[])?;
    build()?;
    println!("the core builds for {}", toolchain::TARGETS.join(", "));
    Ok(())
}

/// Builds the core for each target.
pub(crate) fn build() -> Result<()> {
    for target in toolchain::TARGETS {
        let feature = if target == toolchain::WASM { "std" } else { "micromath" };
        for features in [&[][..], &["--features", feature]] {
            toolchain::cargo_for("build", target)?
                .args(["--locked", "--release", "--package", "gradflow-core"])
                .arg("--no-default-features")
                .args(features)
                .run()?;
        }
    }
    Ok(())
}
