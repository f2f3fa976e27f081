//! `cargo xtask emulate`: the image that would be flashed, in an emulator, at this terminal.

use std::ffi::OsString;

use anyhow::Result;
use lexopt::{Arg, Parser};

use crate::firmware::{Board, STM32F405};
use crate::monitor;

const HELP: &str = "\
Builds a board's firmware and runs it: the STM32F405's in QEMU (netduinoplus2), the Pico's in
rp2040js. What you type is sent to its serial line; `help` lists the board's commands. Ctrl-C ends
it, and Ctrl-D once all is answered: so commands can be piped in, too.

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
    monitor::emulate(board)
}
