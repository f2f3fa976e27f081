//! Hands the linker the memory map of the chosen board: the block fenced as `ld` in the header of
//! its file, so that every fact about a board stays in one place.

use std::{env, fs, io, path::Path};

const BOARDS: [&str; 2] = ["stm32f405", "pico"];

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    let chosen =
        |board: &&&str| env::var_os(format!("CARGO_FEATURE_{}", board.to_uppercase())).is_some();
    let bare_metal = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "none");
    let (Some(board), true) = (BOARDS.iter().find(chosen), bare_metal) else {
        return Ok(());
    };
    let file = format!("src/board/{board}.rs");
    println!("cargo:rerun-if-changed={file}");
    let source = fs::read_to_string(file)?;
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("memory.x"), memory_map(&source))?;
    println!("cargo:rustc-link-search={out}");
    println!("cargo:rustc-link-arg-bins=--nmagic");
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    Ok(())
}

fn memory_map(source: &str) -> String {
    let header = source.lines().map_while(|line| line.strip_prefix("//!"));
    let block = header.skip_while(|line| line.trim() != "```ld").skip(1);
    block.take_while(|line| line.trim() != "```").collect::<Vec<_>>().join("\n")
}
