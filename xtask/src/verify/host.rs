//! This machine, in its variants.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::column::{Column, Expected};
use super::{disassembly, folder};
use crate::spawn::Run;
use crate::workspace;

/// What may be compiled to fused instructions, and must not be.
const FMA: &str = "-Ctarget-cpu=x86-64-v3";
/// Optimised as far as it takes to be quick to build and to run: once more another compilation.
const LITTLE: &str = "--config=profile.release.opt-level=1";

/// The core's programme, built in a folder of its own.
fn build(variant: &str, options: &[&str], flags: Option<&str>) -> Result<PathBuf> {
    let target = folder(variant);
    let mut run = Run::cargo("build")
        .args(["--quiet", "--locked", "--package", "gradflow-reference"])
        .args(options)
        .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
        .env("CARGO_TARGET_DIR", &target);
    if let Some(flags) = flags {
        run = run.env("RUSTFLAGS", flags);
    }
    run.run()?;
    let profile = if options.contains(&"--release") { "release" } else { "debug" };
    Ok(target.join(profile).join("reference"))
}

fn plain() -> Result<PathBuf> {
    build("host", &["--release", "--features=std"], None)
}

/// What the release build prints: the baseline of all comparisons.
pub(super) fn release() -> Result<String> {
    Run::new(plain()?).text()
}

/// Writes the files that travel from one machine to another.
pub(super) fn write_travellers(to: &Path) -> Result<()> {
    Run::new(plain()?).arg(to).run()
}

/// True if this machine has AVX2 and fused multiply-add.
pub(super) fn has_fma() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// The variants.
pub(super) fn columns(notes: &mut Vec<String>) -> Result<Vec<Column>> {
    let mut columns = Vec::new();
    let mut push = |name: &str, expected, run: Run| -> Result<()> {
        columns.push(Column::of(name, expected, &run.text()?)?);
        Ok(())
    };
    disassembly::check(&plain()?, &disassembly::HOST)?;
    let core = |options: &[&str]| build("host", options, None);
    let unoptimised = "--config=profile.dev.package.gradflow-core.opt-level=0";
    push("debug", Expected::Equal, Run::new(core(&[unoptimised])?))?;
    push("no-std", Expected::Equal, Run::new(core(&["--release", LITTLE])?))?;

    let wide = build_wide()?;
    push("threads-1", Expected::Equal, Run::new(&wide).arg("1"))?;
    push("threads-2", Expected::Equal, Run::new(&wide).arg("2"))?;
    disassembly::check(&wide, &disassembly::HOST)?;
    if has_fma() {
        let fma = build("fma", &["--release", "--features=std"], Some(FMA))?;
        push("x86-64-v3", Expected::Equal, Run::new(&fma))?;
        disassembly::check(&fma, &disassembly::HOST)?;
    } else {
        notes.push("not run: AVX2 and fused multiply-add, which this processor lacks".into());
    }
    let micromath = core(&["--release", LITTLE, "--features=std,micromath"])?;
    push("micromath", Expected::Different, Run::new(micromath))?;
    Ok(columns)
}

/// The desktop's kernels; where the command itself is built, so that little is left to do.
fn build_wide() -> Result<PathBuf> {
    Run::cargo("build")
        .args(["--quiet", "--locked", "--release", "--package", "gradflow-std"])
        .args(["--example", "wide_reference"])
        .run()?;
    Ok(workspace::target().join("release/examples/wide_reference"))
}

/// A build of changed sources in `root`, with fused instructions where the machine has them.
pub(super) fn build_mutant(root: &Path) -> Result<PathBuf> {
    let target = folder("mutants");
    let mut run = Run::cargo("build")
        .args(["--quiet", "--offline", "--release", LITTLE, "--features=std"])
        .dir(root.join("gradflow-core/reference"))
        .env("CARGO_TARGET_DIR", &target);
    if has_fma() {
        run = run.env("RUSTFLAGS", FMA);
    }
    run.run()?;
    Ok(target.join("release/reference"))
}
