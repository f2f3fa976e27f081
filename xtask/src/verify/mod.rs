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
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use lexopt::{Arg, Parser, ValueExt as _};

use crate::firmware::{PICO, STM32F405};
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

/// What to run.
struct Wanted {
    host: bool,
    node: bool,
    chromium: bool,
    stm32f405: bool,
    pico: bool,
}

impl Wanted {
    /// All targets, or those that are named.
    fn of(named: &[Target]) -> Self {
        let wanted = |target| named.is_empty() || named.contains(&target);
        let wasm = named.contains(&Target::Wasm);
        Self {
            host: wanted(Target::Host),
            node: wasm || wanted(Target::Node),
            chromium: wasm || wanted(Target::Chromium),
            stm32f405: wanted(Target::Stm32f405),
            pico: wanted(Target::Pico),
        }
    }

    /// True if a compiler for another target is needed.
    fn elsewhere(&self) -> bool {
        self.node || self.chromium || self.stm32f405 || self.pico
    }

    fn tools(&self) -> Vec<Tool> {
        let needed: [(bool, Tool); 6] = [
            (self.host, OBJDUMP),
            (self.stm32f405, QEMU),
            (self.stm32f405 || self.pico, ARM_OBJDUMP),
            (self.chromium, CHROMIUM),
            (self.node || self.pico, NODE),
            (self.pico, NPM),
        ];
        needed.into_iter().filter_map(|(needed, tool)| needed.then_some(tool)).collect()
    }
}

fn verify(named: &[Target]) -> Result<()> {
    let wanted = Wanted::of(named);
    if wanted.elsewhere() {
        setup::provide(&wanted.tools())?;
    }
    let here = Digests::read(&host::release()?)?;
    let path = golden();
    let committed = fs::read_to_string(&path).with_context(|| format!("cannot read {path:?}"))?;
    let mut columns = vec![Column::of("committed", Expected::Equal, &committed)?];
    let mut notes = Vec::new();
    // Two builds at once: each keeps one processor busy for most of its time.
    let (on_host, elsewhere) = thread::scope(|scope| {
        let elsewhere = scope.spawn(|| other_columns(&wanted));
        let on_host = if wanted.host { host_columns(&here, &mut notes) } else { Ok(Vec::new()) };
        (on_host, elsewhere.join())
    });
    columns.extend(on_host?);
    columns.extend(elsewhere.unwrap_or_else(|panic| resume_unwind(panic))?);
    let differences = compare::print(&here, &columns);
    for note in &notes {
        println!("note: {note}");
    }
    ensure!(differences == 0, "{differences} of {} columns are not as they must be", columns.len());
    println!("the same bits everywhere: {} digests on each target", here.len());
    Ok(())
}

/// The columns of this machine; and what is changed on purpose, which must be noticed.
fn host_columns(here: &Digests, notes: &mut Vec<String>) -> Result<Vec<Column>> {
    let columns = host::columns(notes)?;
    mutant::check(here)?;
    Ok(columns)
}

/// The columns of Node and Chromium, and of the boards.
fn other_columns(wanted: &Wanted) -> Result<Vec<Column>> {
    let mut columns = Vec::new();
    if wanted.node || wanted.chromium {
        wasm::columns(wanted.node, wanted.chromium, &mut columns)?;
    }
    for (wanted, board) in [(wanted.stm32f405, STM32F405), (wanted.pico, PICO)] {
        if wanted {
            columns.push(board::column(board)?);
        }
    }
    Ok(columns)
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
