//! A session typed into the boards' serial lines, and what must come of it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::firmware::{BOARDS, Board};
use crate::serial_line::{Emulated, number, value};
use crate::setup::{self, NODE, NPM, QEMU};
use crate::spawn::Run;
use crate::{mcu_bench, workspace};

/// Points at which the desktop must predict the same bits.
const POINTS: [&str; 5] = ["-2.75", "-1", "0", "0.3", "1.9"];
/// Largest error of a prediction after training on own samples.
const TOLERANCE: f64 = 0.02;

/// Runs the sessions on both boards, and compares sizes with the budget.
pub(crate) fn check() -> Result<()> {
    setup::provide(&[QEMU, NODE, NPM])?;
    let mut digests = Vec::new();
    for board in BOARDS {
        let digest =
            session(board).with_context(|| format!("the session of the {}", board.name))?;
        println!("{}: weights {digest}", board.name);
        digests.push(digest);
    }
    ensure!(
        digests.windows(2).all(|pair| pair[0] == pair[1]),
        "the boards' weights differ: {digests:?}"
    );
    mcu_bench::check_sizes()
}

/// The function that the session teaches: not the built-in one.
#[allow(clippy::disallowed_methods)] // xtask links no core; the board only sees printed numbers
fn target(x: f64) -> f64 {
    (2.0 * x).sin() / 2.0 + x / 4.0
}

fn session(board: Board) -> Result<String> {
    let image = board.build()?;
    let mut line = Emulated::start(board, &image)?;
    for i in 0..60 {
        let x = -2.95 + 0.1 * f64::from(i);
        line.command(&format!("data {x:.4},{:.6}", target(x)))?;
    }
    line.command("dt 1e3")?;
    line.command("target 1e-6")?;
    line.command("every 10")?;
    line.command("train 40")?;
    for x in [-2.0, -0.5, 0.4, 1.7] {
        let f = predict(&mut line, &format!("{x}"))?.0;
        let error = (f - target(x)).abs();
        ensure!(error < TOLERANCE, "f({x}) is {f}, off by {error:.4}");
    }
    let before = line.command("digest")?;
    survive_noise(&mut line)?;
    ensure!(line.command("digest")? == before, "noise has changed the weights");
    desktop_agrees(&mut line, board)?;
    load_again(&mut line)?;
    stack_has_room(&mut line)?;
    let digest = value(before.first().map_or("", String::as_str), "digest");
    Ok(digest.context("no digest")?.to_string())
}

/// The stack's largest size so far leaves nine tenths of its room: there is nothing that recurses.
fn stack_has_room(line: &mut Emulated) -> Result<()> {
    let lines = line.command("stack")?;
    let report = lines.first().context("no report of the stack")?;
    let (used, size) = (number(report, "used")?, number(report, "of")?);
    println!("stack: {used} of {size} bytes");
    ensure!(10.0 * used < size, "the stack took {used} of {size} bytes");
    Ok(())
}

/// `f(x)` as a number and as bits.
fn predict(line: &mut Emulated, x: &str) -> Result<(f64, String)> {
    let lines = line.command(&format!("predict {x}"))?;
    let report = lines.first().context("nothing is predicted")?;
    let bits = value(report, "bits").context("no bits")?;
    Ok((number(report, "f")?, bits.to_string()))
}

/// 10,000 random bytes, an overlong line, and what nearly is a command.
fn survive_noise(line: &mut Emulated) -> Result<()> {
    let mut state = 0x9e37_79b9_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 16) as u8
    })
    .take(10_000)
    .collect();
    line.send(&noise)?;
    // Whatever the noise was taken for is answered before this is.
    line.send(b"\nstatus\n")?;
    line.skip_to("state ")?;
    let mut wrong: Vec<String> = [
        "tra1n 5",
        "train",
        "train -3",
        "dt nan",
        "dt 0",
        "data 1",
        "load 99999999",
        ":00",
        "eta 1",
    ]
    .map(String::from)
    .to_vec();
    wrong.push("x".repeat(5_000));
    for command in wrong {
        let answer = line.ask(&command)?;
        let error = answer.last().is_some_and(|last| last.starts_with("error:"));
        ensure!(error, "`{command:.20}` was answered by {answer:?}");
    }
    Ok(())
}

/// The file of `save`, evaluated by the desktop's command, gives the board's bits.
fn desktop_agrees(line: &mut Emulated, board: Board) -> Result<()> {
    let folder = workspace::target().join("mcu-test");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {folder:?}"))?;
    let weights = folder.join(format!("{}.safetensors", board.name));
    fs::write(&weights, hex_file(&line.command("save")?)?)?;
    let samples = folder.join("samples.csv");
    let rows: Vec<String> = POINTS.iter().map(|x| format!("{x},0")).collect();
    fs::write(&samples, format!("x,y\n{}\n", rows.join("\n")))?;
    let desktop = desktop_predictions(&weights, &samples)?;
    ensure!(desktop.len() == POINTS.len(), "the desktop predicts {desktop:?}");
    for (x, f) in POINTS.iter().zip(desktop) {
        let (_, bits) = predict(line, x)?;
        let expected = format!("{:08x}", f.to_bits());
        ensure!(bits == expected, "f({x}): board {bits}, desktop {expected}");
    }
    Ok(())
}

fn desktop_predictions(weights: &Path, samples: &Path) -> Result<Vec<f32>> {
    let text = Run::cargo("run")
        .args(["--locked", "--quiet", "--package", "gradflow-std", "--bin", "gradflow", "--"])
        .args(["predict", "--task", "csv", "--target", "y", "--weights"])
        .arg(weights)
        .arg("--data")
        .arg(samples)
        .text()?;
    text.lines().skip(1).map(|f| f.parse().with_context(|| format!("`{f}` is no number"))).collect()
}

fn hex_file(lines: &[String]) -> Result<Vec<u8>> {
    let digits: String = lines.iter().filter_map(|line| line.strip_prefix(':')).collect();
    let pairs = digits.as_bytes().chunks(2);
    let bytes = pairs.map(|pair| u8::from_str_radix(&String::from_utf8_lossy(pair), 16));
    bytes.collect::<std::result::Result<_, _>>().context("the board saves what is no hex file")
}

/// Saved weights come back after others were learnt; a damaged file is refused.
fn load_again(line: &mut Emulated) -> Result<()> {
    let before = line.command("digest")?;
    let saved = line.command("save")?;
    line.command("reset")?;
    ensure!(line.command("digest")? != before, "a reset must change the weights");
    let Some(announcement) = saved.iter().find(|line| line.trim().starts_with("load ")) else {
        bail!("save prints no length");
    };
    let pieces: Vec<&String> = saved.iter().filter(|line| line.starts_with(':')).collect();
    line.command(announcement.trim())?;
    for (number, piece) in pieces.iter().enumerate() {
        let damaged = piece.replace('0', "1");
        let piece = if number == 0 { &damaged } else { *piece };
        let answer = line.ask(piece)?;
        let last = number + 1 == pieces.len();
        let refused = answer.last().is_some_and(|last| last.starts_with("error:"));
        ensure!(refused == last, "a damaged file: piece {number} is answered by {answer:?}");
    }
    line.command(announcement.trim())?;
    for piece in pieces {
        line.command(piece)?;
    }
    ensure!(line.command("digest")? == before, "loaded weights differ from those that were saved");
    Ok(())
}
