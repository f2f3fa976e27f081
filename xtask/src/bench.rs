//! `cargo xtask bench`: builds what is measured, then `gradflow bench` measures it.

mod instructions;
mod peers;

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Result;
use lexopt::{Arg, Parser, ValueExt};

use crate::spawn::Run;
use crate::{data, experiments, stop, workspace};

use peers::Peer;

pub(crate) use instructions::check as check_instructions;

const HELP: &str = "\
Measures how fast gradflow trains, and prints one table.

cargo xtask bench [--peers [LIST]] [--rounds N] [--only PART] [--publish]
cargo xtask bench --instructions [--bless]

  --peers [LIST]   torch, jax and numpy too, or those listed, in the same rounds; they are installed
                   into target/peers (PyTorch takes 6 GB of disk). candle and burn are there for
                   who lists them (torch,candle,burn): to build them takes some minutes
  --rounds N       timed rounds, after a warm-up (7)
  --only PART      only the cases with this in their name, such as mnist-sgd or line
  --publish        then write the tables between README.md's marks `<!-- bench -->` and
                   `<!-- /bench -->`, and the figure
  --instructions   instead count the instructions of each scheme's step (valgrind), and compare them
                   with xtask/instructions.tsv
  --bless          write what was counted to that file

Results are in target/bench/bench.json. Leave the machine alone while it measures.";

/// What the command line asks for.
#[derive(Debug, Default)]
struct Options {
    peers: Vec<&'static Peer>,
    passed_on: Vec<OsString>,
    publish: bool,
    instructions: bool,
    bless: bool,
}

/// Runs the task.
pub(crate) fn run(args: &[OsString]) -> Result<()> {
    let Some(options) = parse(args)? else {
        println!("{HELP}");
        return Ok(());
    };
    experiments::build()?;
    if options.instructions {
        return instructions::compare(options.bless);
    }
    measure(&options)?;
    if options.publish {
        let from = workspace::target().join("bench");
        let publish = experiments::gradflow().args(["bench", "publish", "--from"]).arg(from);
        publish.dir(workspace::root()).run()?;
    }
    Ok(())
}

/// The options, or none if only help is wanted.
fn parse(args: &[OsString]) -> Result<Option<Options>> {
    let mut options = Options::default();
    let mut parser = Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            Arg::Long("peers") => {
                let list = match parser.optional_value() {
                    Some(list) => Some(list),
                    None => parser.values().ok().and_then(|mut values| values.next()),
                };
                let list = list.map(ValueExt::string).transpose()?;
                options.peers = peers::named(list.as_deref())?;
            }
            Arg::Long(name @ ("rounds" | "only")) => {
                options.passed_on.push(format!("--{name}").into());
                options.passed_on.push(parser.value()?);
            }
            Arg::Long("publish") => options.publish = true,
            Arg::Long("instructions") => options.instructions = true,
            Arg::Long("bless") => options.bless = true,
            _ => return Err(arg.unexpected().into()),
        }
    }
    if options.bless && !options.instructions {
        return Err(stop::usage("--bless goes with --instructions"));
    }
    Ok(Some(options))
}

fn measure(options: &Options) -> Result<()> {
    if std::env::var_os("MNIST_DIR").is_none() {
        data::complete_mnist()?;
    }
    let mut command = experiments::gradflow().arg("bench").dir(workspace::root());
    if let Some(python) = peers::install(&options.peers)? {
        command = command.arg("--python").arg(python);
    }
    for peer in &options.peers {
        command = command.arg("--peer").arg(peer.program()?);
    }
    command = command.arg("--peer").arg(machine_limits()?);
    command.arg("--out").arg(workspace::target().join("bench")).args(&options.passed_on).run()
}

/// Builds the program that measures the machine itself.
fn machine_limits() -> Result<PathBuf> {
    const NAME: &str = "machine-limits";
    Run::cargo("build").args(["--release", "--package", "xtask", "--bin", NAME]).run()?;
    let file = format!("{NAME}{}", std::env::consts::EXE_SUFFIX);
    Ok(workspace::target().join("release").join(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Option<Options>> {
        let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        parse(&args)
    }

    #[test]
    fn peers_take_a_list_or_none() {
        for (line, peers) in [
            ("--peers", &["torch", "jax", "numpy"][..]),
            ("--peers --publish", &["torch", "jax", "numpy"][..]),
            ("--peers torch,numpy", &["torch", "numpy"][..]),
            ("--peers=jax", &["jax"][..]),
            ("--peers torch,candle,burn", &["torch", "candle", "burn"][..]),
            ("", &[][..]),
        ] {
            let found = parsed(line).unwrap().unwrap().peers;
            let names: Vec<&str> = found.into_iter().map(Peer::name).collect();
            assert_eq!(names, peers, "{line}");
        }
        assert!(parsed("--peers caffe").unwrap_err().to_string().contains("caffe"));
    }

    #[test]
    fn other_options_are_passed_on_or_refused() {
        let options = parsed("--rounds 3 --only line").unwrap().unwrap();
        assert_eq!(options.passed_on, ["--rounds", "3", "--only", "line"]);
        assert!(parsed("--bless").is_err() && parsed("--fast").is_err());
        assert!(parsed("--help").unwrap().is_none());
    }
}
