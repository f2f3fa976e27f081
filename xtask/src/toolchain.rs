//! Compilers for the targets that are not this machine.
//!
//! A target's standard library comes from the first of: the sysroot of the user's own compiler; its
//! sources there, built by `-Zbuild-std`; Debian's compiler with its sources, unpacked under
//! `target/toolchain` (or installed), again by `-Zbuild-std`. Only [`provide`] fetches.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use crate::debian::Apt;
use crate::spawn::{self, Run};
use crate::{stop, workspace};

/// The browser.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";
/// Cortex-M4F: STM32F405.
pub(crate) const CORTEX_M4F: &str = "thumbv7em-none-eabihf";
/// Cortex-M0+: RP2040.
pub(crate) const CORTEX_M0: &str = "thumbv6m-none-eabi";
/// All that gradflow is built for beside this machine.
pub(crate) const TARGETS: [&str; 3] = [WASM, CORTEX_M4F, CORTEX_M0];

/// Seconds that rustup may take before Debian's compiler is tried.
const RUSTUP: u64 = 20;
const DEBIAN_COMPILER: [&str; 2] = ["rustc-web", "libstd-rust-web-dev"];
const DEBIAN_SOURCES: &str = "rust-web-src";

/// What builds for a target.
enum Compiler {
    /// The user's own, with the target's standard library.
    Own,
    /// One that has the library's sources.
    FromSource { rustc: PathBuf, sysroot: PathBuf },
}

/// `cargo SUBCOMMAND --target TARGET`, in the root, with what the target needs; add options and run
/// it. What it builds is under `target/cross/TARGET`. Call [`provide`] first.
pub(crate) fn cargo_for(subcommand: &str, target: &str) -> Result<Run> {
    let own = own_sysroot()?;
    let compiler = find(target, &own).ok_or_else(|| {
        stop::missing(format!("no compiler for {target}: run `cargo xtask setup`"))
    })?;
    // A folder of its own: another compiler than the host's must not rebuild the host's crates.
    let run = Run::cargo(subcommand)
        .args(["--target", target])
        .env("CARGO_TARGET_DIR", workspace::target().join("cross"));
    let Compiler::FromSource { rustc, sysroot } = compiler else {
        return Ok(run);
    };
    let std = if target == WASM { "std,panic_abort" } else { "core" };
    let mut run = run
        .arg(format!("-Zbuild-std={std}"))
        .env("RUSTC", rustc)
        // -Z options, with a stable compiler.
        .env("RUSTC_BOOTSTRAP", "1");
    if sysroot != own {
        run = run.env("LD_LIBRARY_PATH", libraries(&sysroot));
        // Debian's compiler comes without a linker for other targets; rustup's does.
        if let Some(linker) = rust_lld(&own)? {
            run = run.env(linker_variable(target), linker);
        }
    }
    Ok(run)
}

/// Finds the compilers for all targets, or fetches what is missing.
pub(crate) fn provide() -> Result<()> {
    let own = own_sysroot()?;
    let absent = || TARGETS.into_iter().filter(|target| find(target, &own).is_none());
    if absent().next().is_none() {
        return Ok(());
    }
    let lacking: Vec<&str> = absent().collect();
    let rustup = add_by_rustup(&lacking);
    if absent().next().is_none() {
        return Ok(());
    }
    let debian = unpack_debian();
    if absent().next().is_none() {
        return Ok(());
    }
    let names = lacking.join(" ");
    let reason = |tried: Result<()>| tried.map_or_else(|e| format!("{e:#}"), |()| "no use".into());
    Err(stop::missing(format!(
        "Rust's standard library for {names}: rustup target add {names}\n    \
         tried: {}\n    tried Debian's compiler: {}",
        reason(rustup),
        reason(debian)
    )))
}

fn add_by_rustup(targets: &[&str]) -> Result<()> {
    if spawn::find("rustup").is_none() {
        return Err(anyhow!("rustup was not found on this machine"));
    }
    Run::new("rustup").args(["target", "add"]).args(targets).limit(RUSTUP).run()
}

fn unpack_debian() -> Result<()> {
    let apt = Apt::new()?;
    let mut packages = apt.with_dependencies(&DEBIAN_COMPILER)?;
    // Sources alone: what they depend on is for building a compiler.
    packages.push(DEBIAN_SOURCES.to_string());
    apt.unpack(&packages, &unpacked())
}

fn find(target: &str, own: &Path) -> Option<Compiler> {
    if has_library(own, target) {
        return Some(Compiler::Own);
    }
    [own.to_path_buf(), unpacked().join("usr"), PathBuf::from("/usr")].into_iter().find_map(
        |sysroot| {
            let rustc = sysroot.join("bin/rustc");
            let sources = sysroot.join("lib/rustlib/src/rust/library/Cargo.lock");
            (rustc.is_file() && sources.is_file())
                .then_some(Compiler::FromSource { rustc, sysroot })
        },
    )
}

/// Where Debian's compiler is unpacked to.
fn unpacked() -> PathBuf {
    workspace::target().join("toolchain")
}

fn has_library(sysroot: &Path, target: &str) -> bool {
    let library = sysroot.join("lib/rustlib").join(target).join("lib");
    fs::read_dir(library).is_ok_and(|entries| {
        entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
    })
}

fn own_sysroot() -> Result<PathBuf> {
    let sysroot = rustc(&["--print", "sysroot"])?;
    Ok(PathBuf::from(sysroot.trim()))
}

/// The linker that is part of rustup's toolchains.
fn rust_lld(sysroot: &Path) -> Result<Option<PathBuf>> {
    let version = rustc(&["-vV"])?;
    let host = host(&version).context("`rustc -vV` names no host")?;
    let linker = sysroot.join("lib/rustlib").join(host).join("bin/rust-lld");
    Ok(linker.is_file().then_some(linker))
}

fn rustc(args: &[&str]) -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    Run::new(rustc).args(args).dir(workspace::root()).text()
}

fn host(version: &str) -> Option<&str> {
    version.lines().find_map(|line| line.strip_prefix("host: "))
}

/// Folders in which an unpacked Debian compiler finds its own libraries.
fn libraries(sysroot: &Path) -> OsString {
    sysroot.join(format!("lib/{}-linux-gnu", std::env::consts::ARCH)).into_os_string()
}

fn linker_variable(target: &str) -> String {
    format!("CARGO_TARGET_{}_LINKER", target.to_uppercase().replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_s_variables_are_spelled_its_way() {
        assert_eq!(linker_variable(CORTEX_M0), "CARGO_TARGET_THUMBV6M_NONE_EABI_LINKER");
    }

    #[test]
    fn the_host_is_read_from_the_version() {
        let version = "rustc 1.95.0\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\nLLVM: 22";
        assert_eq!(host(version), Some("x86_64-unknown-linux-gnu"));
        assert_eq!(host("rustc 1.95.0"), None);
    }

    #[test]
    fn this_machine_has_its_own_library_and_none_for_an_unknown_target() {
        let own = own_sysroot().unwrap();
        assert!(has_library(&own, host(&rustc(&["-vV"]).unwrap()).unwrap()));
        assert!(!has_library(&own, "no-such-target"));
    }
}
