//! `cargo xtask verify`: the same bits on every target.

mod board;
mod column;
mod compare;
mod disassembly;
mod host;
mod mutant;
mod wasm;

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use lexopt::{Arg, Parser, ValueExt as _};

use crate::setup::{self, ARM_OBJDUMP, CHROMIUM, NODE, NPM, OBJDUMP, QEMU, Tool};
use crate::{stop, workspace};
use column::{Column, Expected};
use compare::Digests;

const HELP: &str = "\
Builds the reference programme for every target, runs it there and compares the digests of its
weights and states, bit for bit, with those that this machine computes in the same run and with
the committed ones. Then changes the kernels on purpose and checks that it is noticed.

cargo xtask verify [--target NAME]... [--renew]

  --target NAME  only this target: host, wasm (node and chromium), node, chromium, stm32f405
                 (in QEMU), pico (in rp2040js)
  --renew        write the committed digests anew, and nothing else

A cell of the table says `equal`, or the first step that differs. Exit code 1 on any difference.";

/// Runs the task.
pub(crate) fn run(args: &[OsString]) -> Result<()> {
    let mut targets = Vec::new();
    let mut parser = Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("target") => targets.push(Target::from_name(&parser.value()?.string()?)?),
            Arg::Long("renew") => return renew(),
            Arg::Long("help") | Arg::Short('h') => {
                println!("{HELP}");
                return Ok(());
            }
            _ => return Err(arg.unexpected().into()),
        }
    }
    verify(&targets)
}

/// Compares all targets.
pub(crate) fn check() -> Result<()> {
    verify(&[])
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Host,
    Wasm,
    Node,
    Chromium,
    Stm32f405,
    Pico,
}

impl Target {
    fn from_name(name: &str) -> Result<Self> {
        Ok(match name {
            "host" => Self::Host,
            "wasm" => Self::Wasm,
            "node" => Self::Node,
            "chromium" => Self::Chromium,
            "stm32f405" => Self::Stm32f405,
            "pico" => Self::Pico,
            _ => return Err(stop::usage(format!("there is no target `{name}`\n\n{HELP}"))),
        })
    }
}

/// All targets, or those that are named.
fn verify(named: &[Target]) -> Result<()> {
    let wanted = |target| named.is_empty() || named.contains(&target);
    let (host, stm32f405, pico) =
        (wanted(Target::Host), wanted(Target::Stm32f405), wanted(Target::Pico));
    let wasm = named.contains(&Target::Wasm);
    let (node, chromium) = (wasm || wanted(Target::Node), wasm || wanted(Target::Chromium));

    let needed: [(bool, Tool); 6] = [
        (host, OBJDUMP),
        (stm32f405, QEMU),
        (stm32f405 || pico, ARM_OBJDUMP),
        (chromium, CHROMIUM),
        (node || pico, NODE),
        (pico, NPM),
    ];
    let tools: Vec<Tool> =
        needed.into_iter().filter_map(|(needed, tool)| needed.then_some(tool)).collect();
    if stm32f405 || pico || node || chromium {
        setup::provide(&tools)?;
    }

    let here = Digests::read(&host::release()?)?;
    let path = golden();
    let committed = fs::read_to_string(&path).with_context(|| format!("cannot read {path:?}"))?;
    let mut columns = vec![Column::of("committed", Expected::Equal, &committed)?];
    let mut notes = Vec::new();
    if host {
        host::columns(&mut columns, &mut notes)?;
    }
    if node || chromium {
        wasm::columns(node, chromium, &mut columns)?;
    }
    for (wanted, board) in [(stm32f405, crate::firmware::STM32F405), (pico, crate::firmware::PICO)]
    {
        if wanted {
            columns.push(board::column(board)?);
        }
    }
    let differences = compare::print(&here, &columns);
    if host {
        mutant::check(&here)?;
    }
    for note in &notes {
        println!("note: {note}");
    }
    ensure!(differences == 0, "{differences} of {} columns are not as they must be", columns.len());
    println!("the same bits everywhere: {} digests on each target", here.len());
    Ok(())
}

/// The committed digests.
fn golden() -> PathBuf {
    workspace::root().join("gradflow-core/tests/golden/digests.txt")
}

/// Writes the files that travel, and with them the digests.
fn renew() -> Result<()> {
    let path = golden();
    let old = fs::read_to_string(&path).with_context(|| format!("cannot read {path:?}"))?;
    let head = old.lines().take_while(|line| line.starts_with('#'));
    let Some(folder) = path.parent() else { bail!("{path:?} has no folder") };
    host::write_travellers(folder)?;
    // Built again with these files.
    let text = host::release()?;
    let lines = text.lines().filter(|line| *line != "end");
    let new: Vec<&str> = head.chain(lines).collect();
    fs::write(&path, new.join("\n") + "\n").with_context(|| format!("cannot write {path:?}"))?;
    println!(
        "written: {}; `cargo test -p gradflow-core --test golden` says what else",
        path.display()
    );
    Ok(())
}

/// Where verify builds what others do not.
fn folder(name: &str) -> PathBuf {
    workspace::target().join("verify").join(name)
}
