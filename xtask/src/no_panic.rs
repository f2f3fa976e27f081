//! Proof that no panic can be reached from our crates: a library whose panic handler calls a
//! function that does not exist is linked for bare metal. It links only if the handler is not
//! needed.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::spawn::Run;
use crate::{toolchain, workspace};

/// Checks the core's public interface and the whole of a session.
pub(crate) fn check() -> Result<()> {
    for target in [toolchain::CORTEX_M4F, toolchain::CORTEX_M0] {
        toolchain::cargo_for("build", target)?
            .args(["--locked", "--quiet", "--release", "--package", "gradflow-mcu-no-panic"])
            .run()?;
        link(target)?;
    }
    Ok(())
}

fn link(target: &str) -> Result<()> {
    let folder = workspace::target().join("cross").join(target).join("release");
    let archive = folder.join("libgradflow_mcu_no_panic.a");
    Run::new(linker()?)
        .args(["-flavor", "gnu", "--gc-sections", "-e", "every_function", "-o"])
        .arg(folder.join("no-panic.elf"))
        .arg(&archive)
        .run()
        .with_context(|| format!("a panic can be reached on {target}: see what refers to it above"))
}

/// The linker of the user's own toolchain.
fn linker() -> Result<OsString> {
    let sysroot = Run::new("rustc").args(["--print", "sysroot"]).dir(workspace::root()).text()?;
    let version = Run::new("rustc").arg("-vV").dir(workspace::root()).text()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let folder = PathBuf::from(sysroot.trim()).join("lib/rustlib");
    Ok(folder.join(host.context("`rustc -vV` names no host")?).join("bin/rust-lld").into())
}
