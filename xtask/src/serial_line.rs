//! A conversation with the firmware: a command, then its lines up to `ok` or `error:`.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::firmware::{self, Board, Image};

/// Longest silence in the middle of an answer.
const PATIENCE: Duration = Duration::from_secs(300);

/// An emulated board.
pub(crate) struct Emulated {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Emulated {
    /// Starts the image and waits until it is ready.
    pub(crate) fn start(board: Board, image: &Image) -> Result<Self> {
        let run = firmware::emulate(board, image)?;
        eprintln!("$ {run}");
        let mut command: Command = run.into_command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("the emulator has no pipes");
        };
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let mut line = Vec::new();
            for byte in std::io::BufReader::new(output).bytes().map_while(Result::ok) {
                if byte != b'\n' {
                    line.push(byte);
                    continue;
                }
                let text = String::from_utf8_lossy(&line).trim_end().to_string();
                line.clear();
                if sender.send(text).is_err() {
                    return;
                }
            }
        });
        let mut this = Self { child, input, lines };
        this.answer()?;
        Ok(this)
    }

    /// Sends bytes as they are.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.input.write_all(bytes)?;
        Ok(self.input.flush()?)
    }

    /// A command's lines, the last one being `ok` or the error.
    pub(crate) fn ask(&mut self, command: &str) -> Result<Vec<String>> {
        self.send(command.as_bytes())?;
        self.send(b"\n")?;
        self.answer()
    }

    /// A command that must succeed; its lines without the `ok`.
    pub(crate) fn command(&mut self, command: &str) -> Result<Vec<String>> {
        let mut lines = self.ask(command)?;
        match lines.pop() {
            Some(last) if last == "ok" => Ok(lines),
            last => bail!("the board answered `{command}` with {last:?}"),
        }
    }

    /// Lines up to `ok` or `error:`.
    pub(crate) fn answer(&mut self) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    let last = line == "ok" || line.starts_with("error:");
                    lines.push(line);
                    if last {
                        return Ok(lines);
                    }
                }
                Err(RecvTimeoutError::Timeout) => bail!("the emulated board is silent"),
                Err(RecvTimeoutError::Disconnected) => bail!("the emulator ended"),
            }
        }
    }

    /// Drops what arrives before a line of this beginning, and the rest of that line's answer.
    pub(crate) fn skip_to(&mut self, start: &str) -> Result<()> {
        while !self.answer()?.iter().any(|line| line.starts_with(start)) {}
        Ok(())
    }
}

impl Drop for Emulated {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The value after a name in a line such as `bench steps 10 mean 205466`.
pub(crate) fn value<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let mut words = line.split_whitespace();
    words.by_ref().find(|&word| word == name)?;
    words.next()
}

/// That value as a number.
pub(crate) fn number(line: &str, name: &str) -> Result<f64> {
    let value = value(line, name).and_then(|value| value.parse().ok());
    value.with_context(|| format!("`{line}` has no number `{name}`"))
}
