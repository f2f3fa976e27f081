//! `cargo xtask monitor`: a board's serial line, with loss and fit drawn live.

use std::ffi::OsString;
use std::io::{BufRead, Read, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser};

use crate::firmware::{self, Board};
use crate::plot::Canvas;
use crate::serial_line::number;
use crate::setup::{self, NODE, NPM, QEMU};
use crate::stop;

const HELP: &str = "\
Follows the serial line of a board that runs the firmware: draws the loss of its steps and, after
training, its fit. What you type is sent to the board (`train 20`, `help`). Ctrl-D ends it.

cargo xtask monitor [--port PORT] [--board stm32f405|pico]

  --port    the serial port, such as /dev/ttyACM0 or COM3 [the only one that there is]
  --board   an emulated board instead of a real one";

const BAUD: u32 = 115_200;
const WIDTH: usize = 38;
const HEIGHT: usize = 12;
/// What is asked for after training.
const FIT: &[u8] = b"fit 65\n";

enum Event {
    /// From the board.
    Line(String),
    /// From the keyboard.
    Typed(String),
    /// Nothing more is typed.
    End,
    /// The serial line is at its end.
    Gone,
}

/// Runs the task.
pub(crate) fn run(args: &[OsString]) -> Result<()> {
    let (mut port, mut board) = (None, None);
    let mut parser = Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("port") => port = Some(PathBuf::from(parser.value()?)),
            Arg::Long("board") => board = Some(Board::from_option(&parser.value()?)?),
            Arg::Long("help") | Arg::Short('h') => {
                println!("{HELP}");
                return Ok(());
            }
            _ => return Err(arg.unexpected().into()),
        }
    }
    let (events, received) = mpsc::channel();
    match (board, port) {
        (Some(_), Some(_)) => Err(stop::usage("give --port or --board, not both")),
        (Some(board), None) => follow_emulated(board, true, events, &received),
        (None, port) => follow_port(&port.map_or_else(only_port, Ok)?, events, &received),
    }
}

/// Runs a board's image at this terminal, without drawing.
pub(crate) fn emulate(board: Board) -> Result<()> {
    let (events, received) = mpsc::channel();
    follow_emulated(board, false, events, &received)
}

fn only_port() -> Result<PathBuf> {
    let mut ports = serial2::SerialPort::available_ports().context("cannot list serial ports")?;
    ports.retain(|port| !port.to_string_lossy().contains("ttyS"));
    match ports.as_slice() {
        [port] => Ok(port.clone()),
        [] => bail!("no serial port was found: plug the board in, or name it with --port"),
        _ => bail!("there are several serial ports, choose one with --port: {ports:?}"),
    }
}

fn follow_port(port: &PathBuf, events: Sender<Event>, received: &Receiver<Event>) -> Result<()> {
    let mut serial = serial2::SerialPort::open(port, BAUD)
        .with_context(|| format!("cannot open {port:?}: is it the board's, and yours to use?"))?;
    // Short, so that the reader notices the end.
    serial.set_read_timeout(Duration::from_millis(500))?;
    let reader = serial.try_clone()?;
    read_keyboard(events.clone());
    thread::spawn(move || send_lines(reader, &events));
    // The board may have been started long ago: make it say something.
    serial.write_all(b"\nstatus\n")?;
    follow(&mut serial, received, true, 1)
}

/// The emulator gets what is typed line by line, so that this terminal echoes and edits it.
fn follow_emulated(
    board: Board,
    draws: bool,
    events: Sender<Event>,
    received: &Receiver<Event>,
) -> Result<()> {
    setup::provide(&[QEMU, NODE, NPM])?;
    let image = board.build()?;
    let mut command = firmware::emulate(board, &image)?.into_command();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        bail!("the emulator has no pipes");
    };
    let lines = events.clone();
    thread::spawn(move || send_lines(output, &lines));
    // What is sent before the board is up is lost.
    loop {
        let Event::Line(line) = received.recv()? else { bail!("the emulator ended") };
        println!("{line}");
        if line == "ok" {
            break;
        }
    }
    read_keyboard(events);
    let result = follow(&mut input, received, draws, 0);
    child.kill()?;
    child.wait()?;
    result
}

fn read_keyboard(events: Sender<Event>) {
    thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if events.send(Event::Typed(line)).is_err() {
                return;
            }
        }
        // Nobody listens any more if that fails.
        let _ = events.send(Event::End);
    });
}

fn send_lines(mut from: impl Read, events: &Sender<Event>) {
    let (mut line, mut bytes) = (Vec::new(), [0; 256]);
    loop {
        let read = match from.read(&mut bytes) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => continue,
            Err(_) => break,
        };
        for &byte in &bytes[..read] {
            if byte != b'\n' {
                line.push(byte);
            } else if events.send(Event::Line(text(&mut line))).is_err() {
                return;
            }
        }
    }
    let _ = events.send(Event::Gone);
}

fn text(line: &mut Vec<u8>) -> String {
    let text = String::from_utf8_lossy(line).trim_end().to_string();
    line.clear();
    text
}

/// Prints, and `draws`, what comes until the keyboard or the board is at its end; so many answers
/// are `open`.
fn follow(
    board: &mut impl Write,
    received: &Receiver<Event>,
    draws: bool,
    mut open: usize,
) -> Result<()> {
    let mut picture = Picture::default();
    // Typed lines are answered in order; after the last of them the end may come.
    let mut ended = false;
    while !(ended && open == 0) {
        match received.recv()? {
            Event::End => ended = true,
            Event::Gone => bail!("the serial line ended"),
            Event::Typed(line) => {
                board.write_all(line.as_bytes())?;
                board.write_all(b"\n")?;
                open += usize::from(!line.trim().is_empty());
            }
            Event::Line(line) => {
                let last = line == "ok" || line.starts_with("error:");
                open -= usize::from(last && open > 0);
                if draws && picture.take(&line) && last {
                    board.write_all(FIT)?;
                    open += 1;
                }
                if !(draws && picture.draws(&line)) {
                    println!("{line}");
                } else if last {
                    println!("{}", picture.drawn());
                }
            }
        }
    }
    Ok(())
}

/// What was learnt so far.
#[derive(Default)]
struct Picture {
    /// Steps and the logarithms of their losses.
    losses: Vec<(f64, f64)>,
    /// x, f(x) and the target.
    fit: Vec<[f64; 3]>,
    trained: bool,
    fitted: bool,
}

impl Picture {
    /// Takes a line in; true if it ends training, so that the fit is worth asking for.
    fn take(&mut self, line: &str) -> bool {
        if let (true, Ok(step), Ok(loss)) =
            (line.starts_with("step "), number(line, "step"), number(line, "loss"))
        {
            if self.losses.last().is_some_and(|last| last.0 >= step) {
                self.losses.clear();
            }
            self.losses.push((step, loss.max(f64::MIN_POSITIVE).log10()));
            self.trained = true;
        }
        if line.starts_with("fit ")
            && let (Ok(x), Ok(f), Ok(y)) = (number(line, "x"), number(line, "f"), number(line, "y"))
        {
            if !self.fitted {
                self.fit.clear();
            }
            self.fit.push([x, f, y]);
            self.fitted = true;
        }
        let finished = self.trained && line == "ok";
        self.trained &= !finished;
        finished
    }

    /// True for lines that are in the picture instead of in print.
    fn draws(&mut self, line: &str) -> bool {
        line.starts_with("fit ") || (line == "ok" && std::mem::take(&mut self.fitted))
    }

    /// Loss at the left, fit at the right.
    fn drawn(&self) -> String {
        let (mut left, mut right) = (Canvas::new(WIDTH, HEIGHT), Canvas::new(WIDTH, HEIGHT));
        let (low, high) = left.curve(&self.losses, None);
        let pair = |i: usize| self.fit.iter().map(|row| (row[0], row[i])).collect::<Vec<_>>();
        let range = right.curve(&pair(2), None);
        right.curve(&pair(1), Some(range));
        let mut text =
            format!("{:<WIDTH$}  f(x) and exp(-x^2)\n", format!("loss, 1e{low:.1} to 1e{high:.1}"));
        for (left, right) in left.lines().iter().zip(right.lines()) {
            text += &format!("{left}  {right}\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_and_fit_are_drawn() {
        let mut picture = Picture::default();
        assert!(!picture.take("step 1 loss 0.5 energy 0.5 dt 1 error 1"));
        assert!(!picture.take("step 2 loss 0.005 energy 0.5 dt 1 error 1"));
        assert!(picture.take("ok"), "the fit is asked for once");
        assert!(!picture.take("ok"));
        picture.take("fit x -1 f 0.3 y 0.37");
        assert!(picture.draws("fit x -1 f 0.3 y 0.37"));
        assert!(picture.draws("ok"));
        assert!(!picture.draws("ok"));
        assert_eq!(picture.losses.len(), 2);
        assert_eq!(picture.fit, [[-1.0, 0.3, 0.37]]);
        assert_eq!(picture.drawn().lines().count(), 1 + HEIGHT);
        picture.take("step 1 loss 0.1 energy 1 dt 1 error 1");
        assert_eq!(picture.losses.len(), 1, "a new run begins");
    }
}
