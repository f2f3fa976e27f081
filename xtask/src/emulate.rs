//! `cargo xtask emulate`: the image that would be flashed, in an emulator, at this terminal.

use std::ffi::OsString;

use anyhow::Result;
use lexopt::{Arg, Parser};

use crate::firmware::{self, Board, STM32F405};
use crate::setup::{self, NODE, NPM, QEMU};

const HELP: &str = "\
Builds a board's firmware and runs it: the STM32F405's in QEMU (netduinoplus2), the Pico's in
rp2040js. What you type is the serial line; `help` lists the board's commands. Ctrl-C ends it.

cargo xtask emulate [--board stm32f405|pico]";

/// Runs the task.
pub(crate) fn run(args: &[OsString]) -> Result<()> {
    let mut board = STM32F405;
    let mut parser = Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("board") => board = Board::from_option(&parser.value()?)?,
            Arg::Long("help") | Arg::Short('h') => {
                println!("{HELP}");
                return Ok(());
            }
            _ => return Err(arg.unexpected().into()),
        }
    }
    setup::provide(&[QEMU, NODE, NPM])?;
    let image = board.build()?;
    firmware::emulate(board, &image)?.replace()
}
