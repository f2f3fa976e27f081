//! Proof that no panic can be reached from our crates: a library whose panic handler calls a
//! function that does not exist is linked for bare metal. It links only if the handler is not
//! needed.
//!
//! The images that are flashed also hold the chips' hardware abstraction layers, which can panic
//! while they set clocks and ports up. Each panic in an image carries its place in the sources:
//! all are listed, and none may lie elsewhere.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::firmware::{BOARDS, Image};
use crate::spawn::Run;
use crate::{toolchain, workspace};

/// Crates that may panic in an image, before a session begins.
const LAYERS: [&str; 3] = ["rp2040-hal", "stm32f4xx-hal", "fugit"];

/// Checks the core's public interface, the whole of a session, and the images.
pub(crate) fn check() -> Result<()> {
    for target in [toolchain::CORTEX_M4F, toolchain::CORTEX_M0] {
        toolchain::cargo_for("build", target)?
            .args(["--locked", "--quiet", "--release", "--package", "gradflow-mcu-no-panic"])
            .run()?;
        link(target)?;
    }
    for board in BOARDS {
        let places = places(&board.build()?);
        println!("{}: panics of the hardware abstraction layer: {places:?}", board.name);
        let ours: Vec<_> = places.iter().filter(|place| !in_a_layer(place)).collect();
        ensure!(ours.is_empty(), "the {}'s image can panic at {ours:?}", board.name);
    }
    Ok(())
}

/// The places of all panics in an image, as `crate-version/src/file.rs:line`.
fn places(image: &Image) -> BTreeSet<String> {
    let words: Vec<u32> =
        image.flash.as_chunks().0.iter().map(|&word| u32::from_le_bytes(word)).collect();
    words.windows(4).filter_map(|window| place(image, window)).collect()
}

/// `core::panic::Location`: the file's address and length, line, column.
fn place(image: &Image, words: &[u32]) -> Option<String> {
    let &[address, length, line, 1..1_000] = words else { return None };
    let start = address.checked_sub(image.address)? as usize;
    let path = image.flash.get(start..start.checked_add(length as usize)?)?;
    let path = std::str::from_utf8(path).ok()?;
    if !path.ends_with(".rs") || !(1..100_000).contains(&line) {
        return None;
    }
    let parts: Vec<&str> = path.split(['/', '\\']).collect();
    let source = parts.iter().rposition(|&part| part == "src").unwrap_or(0);
    Some(format!("{}:{line}", parts.get(source.saturating_sub(1)..)?.join("/")))
}

fn in_a_layer(place: &str) -> bool {
    LAYERS.iter().any(|layer| place.strip_prefix(layer).is_some_and(|rest| rest.starts_with('-')))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_and_only_those_of_layers_are_allowed() {
        let paths = ["/home/registry/src/i/rp2040-hal-0.12.0/src/sio.rs", "gradflow-core/src/x.rs"];
        let (address, mut flash) = (0x1000_0000, Vec::new());
        for path in paths {
            flash.extend(path.bytes());
        }
        flash.resize(flash.len().next_multiple_of(4), 0);
        let mut start = address;
        for (path, line) in paths.into_iter().zip([118_u32, 7]) {
            for word in [start, path.len() as u32, line, 9] {
                flash.extend(word.to_le_bytes());
            }
            start += path.len() as u32;
        }
        let places = places(&Image { elf: PathBuf::new(), address, flash, ram: 0 });
        let expected = ["gradflow-core/src/x.rs:7", "rp2040-hal-0.12.0/src/sio.rs:118"];
        assert_eq!(places.iter().collect::<Vec<_>>(), expected);
        assert_eq!(places.iter().map(|place| in_a_layer(place)).collect::<Vec<_>>(), [false, true]);
    }
}
