//! `cargo xtask TASK`: gradflow's tasks, one file a task. This one only chooses.
//!
//! xtask links no gradflow crate: it starts cargo and other programs, so that
//! `cargo xtask experiments` begins at once.

mod bench;
mod browser_bench;
mod data;
mod dataset;
mod debian;
mod demo;
mod dependencies;
mod emulate;
mod experiments;
mod fetch;
mod firmware;
mod flash;
mod licence;
mod mcu_bench;
mod mcu_test;
mod monitor;
mod no_panic;
mod page;
mod place;
mod plot;
mod publish;
mod serial_line;
mod setup;
mod spawn;
mod stop;
mod summary;
mod targets;
mod test;
mod toolchain;
mod verify;
mod wasm_test;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

const HELP: &str = "\
gradflow's tasks: cargo xtask TASK [OPTIONS]

  experiments   train every method, draw the figures and print the table
  summary DIR   print the tables of finished experiments again
  publish       write EXPERIMENTS.md from the suites default, seed and stability
  data          fetch MNIST or Fashion-MNIST and check them
  demo          build and serve the page where the methods race
  bench         how fast gradflow trains, beside PyTorch, JAX and numpy if asked
  bench --browser
                time a step in Chromium, beside TensorFlow.js
  bench --mcu   instructions, memory and flash of the firmware, against its budget
  flash         the firmware onto a board
  emulate       the same image in an emulator, at this terminal
  monitor       a board's serial line, with loss and fit drawn live
  setup         find or fetch what the other targets need
  targets       build the core for wasm32 and for bare metal
  verify        the same bits on every target, and proof that a difference is noticed
  test          formatting, lints, tests, dependency rules, the other targets

`cargo xtask TASK --help` explains a task.
Exit codes: 0 done, 1 failed, 2 wrong options, 4 something is missing on this machine.";

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let task = args.next().unwrap_or_default();
    stop::exit_code(run(&task.to_string_lossy(), &args.collect::<Vec<_>>()))
}

fn run(task: &str, args: &[OsString]) -> Result<()> {
    match task {
        "experiments" => experiments::run(args),
        "summary" => summary::run(args),
        "publish" => publish::run(args),
        "data" => data::run(args),
        "demo" => demo::run(args),
        "bench" if args == ["--browser"] => browser_bench::run(),
        "bench" if args.first().is_some_and(|arg| arg == "--mcu") => mcu_bench::run(&args[1..]),
        "bench" => bench::run(args),
        "flash" => flash::run(args),
        "emulate" => emulate::run(args),
        "monitor" => monitor::run(args),
        "setup" => setup::run(args),
        "targets" => targets::run(args),
        "test" => test::run(args),
        "verify" => verify::run(args),
        "" | "help" | "-h" | "--help" => {
            println!("{HELP}");
            Ok(())
        }
        unknown => Err(stop::usage(format!("there is no task `{unknown}`\n\n{HELP}"))),
    }
}
