//! The boards, emulated.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::column::{Column, Expected};
use super::{disassembly, folder};
use crate::firmware::{self, Board, Image};
use crate::toolchain;

/// Longest time between two lines.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs the board's image.
pub(super) fn column(board: Board) -> Result<Column> {
    let image = build(board)?;
    disassembly::check(&image.elf, &disassembly::CORTEX_M)?;
    Column::of(board.name, Expected::Equal, &printed(board, &image)?)
}

/// The firmware with the reference programme, otherwise as it is flashed.
fn build(board: Board) -> Result<Image> {
    let target = folder("boards");
    toolchain::cargo_for("build", board.target)?
        .args(["--quiet", "--locked", "--profile", "firmware", "--package", "gradflow-mcu"])
        .arg(format!("--features={},reference", board.name))
        .args(["--bin", board.name])
        .env("CARGO_TARGET_DIR", &target)
        .run()?;
    Image::read(target.join(board.target).join("firmware").join(board.name))
}

/// What the board prints up to its `end`; then it is switched off.
fn printed(board: Board, image: &Image) -> Result<String> {
    let run = firmware::emulate(board, image)?;
    eprintln!("$ {run}");
    let mut command = run.into_command();
    let mut child = command
        .stdin(Stdio::piped()) // held open: a closed one ends the Pico's emulator
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {command:?}"))?;
    let text = listen(&mut child);
    child.kill()?;
    child.wait()?;
    text
}

fn listen(child: &mut Child) -> Result<String> {
    let output = child.stdout.take().context("the emulator has no output")?;
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        while lines.next().is_some_and(|line| sender.send(line).is_ok()) {}
    });
    let mut text = String::new();
    loop {
        let last = text.lines().last().unwrap_or("nothing").to_string();
        let line = lines
            .recv_timeout(PATIENCE)
            .with_context(|| format!("the board fell silent after: {last}"))?;
        if line.starts_with("error:") {
            bail!("the board says {line}");
        }
        text += line.trim_end();
        text.push('\n');
        if line.trim_end() == "end" {
            return Ok(text);
        }
    }
}
