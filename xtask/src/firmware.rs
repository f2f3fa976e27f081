//! The boards, and the images that are flashed and emulated.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use lexopt::ValueExt as _;
use object::elf::{FileHeader32, PT_LOAD};
use object::read::elf::{FileHeader as _, ProgramHeader as _};
use object::{Endianness, elf};

use crate::spawn::Run;
use crate::{setup, stop, toolchain, workspace};

/// A board that the firmware is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Board {
    /// Its feature and its binary in gradflow-mcu.
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
    /// Its name for probe-rs.
    pub(crate) chip: &'static str,
}

/// All boards.
pub(crate) const BOARDS: [Board; 2] = [STM32F405, PICO];
/// Feather STM32F405, Olimex H405, Netduino Plus 2.
pub(crate) const STM32F405: Board =
    Board { name: "stm32f405", target: toolchain::CORTEX_M4F, chip: "STM32F405RG" };
/// Raspberry Pi Pico.
pub(crate) const PICO: Board = Board { name: "pico", target: toolchain::CORTEX_M0, chip: "RP2040" };

/// An image and its bytes.
pub(crate) struct Image {
    /// The ELF file.
    pub(crate) elf: PathBuf,
    /// Where flash begins.
    pub(crate) address: u32,
    /// What flash holds from there on.
    pub(crate) flash: Vec<u8>,
    /// Bytes of RAM that variables take.
    pub(crate) ram: u32,
}

impl Board {
    /// The board that an option names.
    pub(crate) fn from_option(value: &std::ffi::OsStr) -> Result<Self> {
        let name = value.to_os_string().string()?;
        BOARDS.into_iter().find(|board| board.name == name).ok_or_else(|| {
            let names = BOARDS.map(|board| board.name).join(" or ");
            stop::usage(format!("there is no board `{name}`: use --board {names}"))
        })
    }

    /// Builds the image.
    pub(crate) fn build(self) -> Result<Image> {
        setup::provide(&[])?;
        toolchain::cargo_for("build", self.target)?
            .args(["--locked", "--quiet", "--profile", "firmware", "--package", "gradflow-mcu"])
            .args(["--features", self.name, "--bin", self.name])
            .run()?;
        let folder = workspace::target().join("cross").join(self.target).join("firmware");
        Image::read(folder.join(self.name))
    }
}

impl Image {
    /// Reads an ELF file.
    pub(crate) fn read(elf: PathBuf) -> Result<Self> {
        let bytes = fs::read(&elf).with_context(|| format!("cannot read {elf:?}"))?;
        let (address, flash, ram) =
            segments(&bytes).with_context(|| format!("{elf:?} is no image"))?;
        Ok(Self { elf, address, flash, ram })
    }

    /// Writes the bytes of flash beside the ELF file, as `NAME.EXTENSION`.
    pub(crate) fn write(&self, extension: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.elf.with_extension(extension);
        fs::write(&path, bytes).with_context(|| format!("cannot write {path:?}"))?;
        Ok(path)
    }
}

/// First address and bytes of what is loaded into flash, and the size of the variables.
fn segments(bytes: &[u8]) -> Result<(u32, Vec<u8>, u32)> {
    let header = FileHeader32::<Endianness>::parse(bytes)?;
    let endian = header.endian()?;
    let (mut loaded, mut ram) = (Vec::new(), 0);
    for segment in header.program_headers(endian, bytes)? {
        if segment.p_type(endian) != PT_LOAD {
            continue;
        }
        if segment.p_flags(endian) & elf::PF_W != 0 {
            ram += segment.p_memsz(endian);
        }
        let Ok(data) = segment.data(endian, bytes) else { bail!("a segment is cut short") };
        if !data.is_empty() {
            loaded.push((segment.p_paddr(endian), data));
        }
    }
    loaded.sort_by_key(|&(address, _)| address);
    let Some(&(first, _)) = loaded.first() else { bail!("nothing is loaded") };
    let mut flash = Vec::new();
    for (address, data) in loaded {
        let start = (address - first) as usize;
        if start < flash.len() || start > 1 << 24 {
            bail!("a segment is loaded to {address:#x}");
        }
        flash.resize(start, 0xff);
        flash.extend_from_slice(data);
    }
    Ok((first, flash, ram))
}

/// The packages of the Pico's emulator, fetched once.
pub(crate) fn emulator() -> Result<PathBuf> {
    let folder = workspace::root().join("xtask/emulator");
    crate::page::npm_packages(&folder)?;
    Ok(folder.join("pico.js"))
}

/// The command that runs an image with the serial line on standard input and output. Time passes
/// one nanosecond an instruction (STM32F405), 8 a cycle (Pico).
pub(crate) fn emulate(board: Board, image: &Image) -> Result<Run> {
    if board == PICO {
        let script = emulator()?;
        let flash = image.write("bin", &image.flash)?;
        return Ok(Run::new("node").arg(script).arg(flash));
    }
    Ok(Run::new("qemu-system-arm")
        .args(["-M", "netduinoplus2", "-nographic", "-monitor", "none", "-serial", "stdio"])
        .args(["-icount", "shift=0", "-kernel"])
        .arg(&image.elf))
}
