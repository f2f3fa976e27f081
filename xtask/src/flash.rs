//! `cargo xtask flash`: the firmware onto a board.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use lexopt::{Arg, Parser};

use crate::firmware::{Board, Image, PICO};
use crate::spawn::{self, Run};
use crate::stop;

const HELP: &str = "\
Builds a board's firmware and flashes it: with probe-rs where a debug probe is found; else, for the
Pico, as a UF2 file that is copied to the board if it is mounted. Otherwise the files are named, and
the next step.

cargo xtask flash --board stm32f405|pico";

/// Bytes of a UF2 block that are the image's.
const PAYLOAD: usize = 256;
/// The RP2040's family, so that other chips refuse the file.
const FAMILY: u32 = 0xe48b_ff56;
/// Volume label of a Pico that waits for a file.
const VOLUME: &str = "RPI-RP2";

/// Runs the task.
pub(crate) fn run(args: &[OsString]) -> Result<()> {
    let mut board = None;
    let mut parser = Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("board") => board = Some(Board::from_option(&parser.value()?)?),
            Arg::Long("help") | Arg::Short('h') => {
                println!("{HELP}");
                return Ok(());
            }
            _ => return Err(arg.unexpected().into()),
        }
    }
    let board = board.ok_or_else(|| stop::usage(format!("which board?\n\n{HELP}")))?;
    let image = board.build()?;
    if probe_is_there() {
        Run::new("probe-rs").args(["download", "--chip", board.chip]).arg(&image.elf).run()?;
        return Run::new("probe-rs").args(["reset", "--chip", board.chip]).run();
    }
    if board == PICO { by_file(&image) } else { by_hand(board, &image) }
}

fn probe_is_there() -> bool {
    spawn::find("probe-rs").is_some()
        && Run::new("probe-rs")
            .arg("list")
            .limit(20)
            .text()
            .is_ok_and(|list| list.lines().any(|line| line.trim_start().starts_with("[0]")))
}

/// The Pico's boot loader shows itself as a drive; a UF2 file that is put there is flashed.
fn by_file(image: &Image) -> Result<()> {
    let path = image.write("uf2", &uf2(image.address, &image.flash))?;
    let Some(drive) = drive() else {
        println!(
            "no debug probe and no {VOLUME} drive were found. The image is\n  {}\nHold the board's \
             BOOTSEL button while you plug it in, then copy the file to the drive {VOLUME}, or run \
             this again",
            path.display()
        );
        return Ok(());
    };
    let to = drive.join("gradflow.uf2");
    fs::copy(&path, &to).with_context(|| format!("cannot copy {path:?} to {to:?}"))?;
    println!("copied to {}: the board restarts and learns", to.display());
    Ok(())
}

fn by_hand(board: Board, image: &Image) -> Result<()> {
    let flash = image.write("bin", &image.flash)?;
    println!(
        "no debug probe was found (or no probe-rs: https://probe.rs). The images are\n  {}\n  {}\n\
         Either connect a probe to SWDIO, SWCLK, GND and run this again; or hold BOOT0 high at \
         reset and run\n  dfu-util -a 0 -s {:#x}:leave -D {}",
        image.elf.display(),
        flash.display(),
        image.address,
        flash.display()
    );
    eprintln!("note: nothing was flashed to the {}", board.name);
    Ok(())
}

/// Where the systems mount drives.
fn drive() -> Option<PathBuf> {
    let user = std::env::var_os("USER").unwrap_or_default();
    ["/run/media", "/media"]
        .iter()
        .flat_map(|folder| [Path::new(folder).join(&user), PathBuf::from(folder)])
        .chain([PathBuf::from("/Volumes"), PathBuf::from("/mnt")])
        .map(|folder| folder.join(VOLUME))
        .find(|drive| drive.join("INFO_UF2.TXT").is_file())
}

/// The image in blocks of 512 bytes, each with its address.
fn uf2(address: u32, image: &[u8]) -> Vec<u8> {
    let blocks = image.chunks(PAYLOAD);
    let count = blocks.len() as u32;
    let mut file = Vec::new();
    for (number, payload) in (0_u32..).zip(blocks) {
        let place = address + number * PAYLOAD as u32;
        let header =
            [0x0a32_4655, 0x9e5d_5157, 0x2000, place, PAYLOAD as u32, number, count, FAMILY];
        let start = file.len();
        file.extend(header.iter().flat_map(|word: &u32| word.to_le_bytes()));
        file.extend_from_slice(payload);
        file.resize(start + 508, 0);
        file.extend(0x0ab1_6f30_u32.to_le_bytes());
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uf2_file_has_the_image_in_numbered_blocks() {
        let image: Vec<u8> = (0..600_u32).map(|i| i as u8).collect();
        let file = uf2(0x1000_0000, &image);
        assert_eq!(file.len(), 3 * 512);
        let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        for block in 0..3 {
            let at = block * 512;
            assert_eq!(
                [word(at), word(at + 4), word(at + 508)],
                [0x0a32_4655, 0x9e5d_5157, 0x0ab1_6f30]
            );
            assert_eq!(word(at + 12), 0x1000_0000 + 256 * block as u32);
            assert_eq!([word(at + 16), word(at + 20), word(at + 24)], [256, block as u32, 3]);
            assert_eq!(word(at + 28), FAMILY);
        }
        assert_eq!(file[32..288], image[..256]);
        assert_eq!(file[2 * 512 + 32..][..88], image[512..]);
        assert!(file[2 * 512 + 32 + 88..3 * 512 - 4].iter().all(|&byte| byte == 0));
    }
}
