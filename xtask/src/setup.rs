//! `cargo xtask setup`: what the other targets need, found or fetched; else one list of commands.

use std::ffi::OsString;

use anyhow::{Result, ensure};
use lexopt::{Arg, Parser};

use crate::{debian, spawn, stop, toolchain};

const HELP: &str = "\
Finds, or fetches, what building and testing the other targets needs:

  Rust's standard library for wasm32, Cortex-M4F and Cortex-M0+: from the installed
    toolchain, else by `rustup target add`, else Debian's compiler with its sources,
    unpacked under target/toolchain
  QEMU and objdump for Arm, Chromium, Node.js with npm: installed from Debian's packages
    when run as root

cargo xtask setup

What is missing afterwards is listed with the command that installs it; exit code 4.";

/// A program that is used but not linked.
pub(crate) struct Tool {
    what: &'static str,
    /// Any of these will do.
    programs: &'static [&'static str],
    /// Debian's names.
    packages: &'static [&'static str],
}

/// Emulates the STM32F405 board.
pub(crate) const QEMU: Tool = Tool {
    what: "QEMU for Arm, to run the firmware",
    programs: &["qemu-system-arm"],
    packages: &["qemu-system-arm"],
};
/// Shows the demo page.
pub(crate) const CHROMIUM: Tool = Tool {
    what: "Chromium, to test the demo page",
    programs: &["chromium", "chromium-browser", "google-chrome"],
    packages: &["chromium"],
};
/// Runs wasm outside a browser, and the RP2040 emulator.
pub(crate) const NODE: Tool = Tool {
    what: "Node.js, to run WebAssembly and the Pico's emulator",
    programs: &["node"],
    packages: &["nodejs"],
};
/// Fetches npm packages.
pub(crate) const NPM: Tool = Tool {
    what: "npm, to fetch data sets and the page's libraries",
    programs: &["npm"],
    packages: &["npm"],
};

/// Shows the instructions of this machine's programs.
pub(crate) const OBJDUMP: Tool = Tool {
    what: "objdump, to search programs for fused instructions",
    programs: &["objdump", "llvm-objdump"],
    packages: &["binutils"],
};
/// Shows the instructions of the firmware.
pub(crate) const ARM_OBJDUMP: Tool = Tool {
    what: "objdump for Arm, to search the firmware for fused instructions",
    programs: &["arm-none-eabi-objdump", "llvm-objdump"],
    packages: &["binutils-arm-none-eabi"],
};

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
    provide(&[QEMU, CHROMIUM, NODE, NPM, OBJDUMP, ARM_OBJDUMP])?;
    println!("everything is there: compilers for {}", toolchain::TARGETS.join(", "));
    Ok(())
}

/// Makes sure of the compilers for all targets and of `tools`; lists all that is missing at once.
pub(crate) fn provide(tools: &[Tool]) -> Result<()> {
    let mut missing = Vec::new();
    if let Err(error) = toolchain::provide() {
        missing.push(format!("{error:#}"));
    }
    let tried = install(tools);
    for tool in tools.iter().filter(|tool| tool.find().is_none()) {
        missing.push(format!("{}: {}", tool.what, debian::install_command(tool.packages)));
    }
    if missing.is_empty() {
        return Ok(());
    }
    if let Err(error) = tried {
        missing.push(format!("(tried to install packages: {error:#})"));
    }
    Err(stop::missing(format!("missing on this machine:\n  {}", missing.join("\n  "))))
}

/// Installs those of `tools` that are not there, all at once.
fn install(tools: &[Tool]) -> Result<()> {
    let absent = tools.iter().filter(|tool| tool.find().is_none());
    let packages: Vec<&str> = absent.flat_map(|tool| tool.packages).copied().collect();
    if packages.is_empty() {
        return Ok(());
    }
    ensure!(spawn::find("apt-get").is_some(), "apt-get was not found");
    ensure!(debian::is_root(), "only root may");
    debian::install(&packages)
}

impl Tool {
    /// Where the program is.
    pub(crate) fn find(&self) -> Option<OsString> {
        self.programs.iter().find_map(|program| spawn::find(program))
    }

    /// Where the program is; without it, an error that says what to install.
    pub(crate) fn path(&self) -> Result<OsString> {
        self.find().ok_or_else(|| {
            stop::missing(format!("{}: {}", self.what, debian::install_command(self.packages)))
        })
    }
}
