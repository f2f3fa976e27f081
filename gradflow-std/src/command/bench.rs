//! `gradflow bench`: how fast this machine trains, beside other programs if they are there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Subcommand;
use gradflow_core::network::Inputs;
use gradflow_core::scheme::Settings;

use super::{Result, say, tell, today};
use crate::bench::{self, Plan, Program, Results};
use crate::run::{RunError, Sets, exit, write_atomically};
use crate::spec::{MethodName, Simd, Spec, TaskName};

pub(super) const EXAMPLES: &str = "\
Examples:
  gradflow bench
  gradflow bench --rounds 3 --only mnist-sgd
  gradflow bench --peer ./another-program --peer compare.py --python venv/bin/python

A peer is a program that answers one line of JSON to each line of its input: see
src/bench/protocol.rs. `cargo xtask bench --peers` brings some.";

/// Marks in a document between which the tables go.
const MARKS: [&str; 2] = ["<!-- bench -->", "<!-- /bench -->"];

#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    measure: Measure,
}

#[derive(Subcommand, Debug)]
enum Part {
    /// Be one of the programs that are measured: one case a line of standard input
    Serve(Serve),
    /// Take some steps on made-up data, for a profiler that counts instructions
    Count(Count),
    /// Put the tables of an earlier measurement between the marks of a document
    Publish(Publish),
}

#[derive(clap::Args, Debug)]
struct Measure {
    /// Timed rounds, after a warm-up
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = at_least_one)]
    rounds: usize,
    /// Only the cases with this in their name
    #[arg(long, value_name = "PART")]
    only: Option<String>,
    /// Another program to measure in the same rounds
    #[arg(long = "peer", value_name = "PROGRAM")]
    peers: Vec<PathBuf>,
    /// What runs peers that end in .py
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: PathBuf,
    /// Folder of the image files [default: $MNIST_DIR, else data/mnist]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where bench.json and the figure go
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    out: PathBuf,
}

#[derive(clap::Args, Debug)]
struct Serve {
    /// Folder of the image files [default: $MNIST_DIR, else data/mnist]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

#[derive(clap::Args, Debug)]
struct Count {
    #[arg(long, value_enum, required_unless_present = "own")]
    problem: Option<bench::Problem>,
    /// Instead of a problem: what the scheme itself does with so many parameters
    #[arg(long, value_name = "PARAMETERS", conflicts_with = "problem", value_parser = at_least_one)]
    own: Option<usize>,
    /// Scheme
    #[arg(long, value_enum)]
    method: MethodName,
    /// Its relaxed form
    #[arg(long)]
    relaxed: bool,
    /// Use the widest vectors of this machine, or not
    #[arg(long, value_enum, default_value = "auto")]
    simd: Simd,
    /// Steps
    #[arg(long, value_name = "N")]
    steps: usize,
}

#[derive(clap::Args, Debug)]
struct Publish {
    /// The measurement
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    from: PathBuf,
    /// The document
    #[arg(long, value_name = "FILE.md", default_value = "README.md")]
    out: PathBuf,
    /// Where its figure goes, and a copy of the measurement
    #[arg(long, value_name = "DIR", default_value = "data/results")]
    figures: PathBuf,
}

fn at_least_one(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a number, at least 1, is needed".into()),
        Ok(rounds) => Ok(rounds),
    }
}

pub(super) fn run(args: &Args) -> Result {
    match &args.part {
        None => measure(&args.measure),
        Some(Part::Serve(serve)) => {
            bench::serve(io::stdin().lock(), io::stdout().lock(), serve.data_dir.clone())?;
            Ok(exit::DONE)
        }
        Some(Part::Count(args)) => count(args),
        Some(Part::Publish(args)) => publish(args),
    }
}

fn measure(args: &Measure) -> Result {
    let ourselves = std::env::current_exe()
        .map_err(|error| RunError::input(format!("where is this program? {error}")))?;
    let folder = image_folder(args)?;
    let entries = entries(&folder)?;
    fs::create_dir_all(&args.out).map_err(|error| RunError::file(&args.out, &error))?;

    let mut programs = Vec::new();
    let mut wholes = Vec::new();
    let mut serve = Command::new(&ourselves);
    programs.push(Program::start(serve.args(["bench", "serve", "--data-dir"]).arg(&folder))?);
    wholes.push((String::from("gradflow"), whole_epoch(&ourselves, &folder)));
    for peer in &args.peers {
        let command = || peer_command(peer, args, &folder);
        let program = Program::start(&mut command())?;
        if peer.extension().is_some_and(|extension| extension == "py") {
            let mut whole = command();
            whole.arg("--whole");
            wholes.push((program.name().to_owned(), whole));
        }
        programs.push(program);
    }

    let mut plan = Plan { rounds: args.rounds, only: args.only.clone(), wholes };
    let measured = bench::measure(&mut programs, &mut plan, &mut |what| tell(what))?;
    let mut results = Results::here(today(), args.rounds, measured);
    results.entries = entries;
    results.program_bytes = program_bytes(&ourselves, &args.out);
    results.write(&args.out.join("bench.json"))?;
    if let Some(figure) = bench::figure(&results) {
        write_atomically(&args.out.join(FIGURE), figure.svg().as_bytes())?;
    }
    say(&bench::terminal(&results))?;
    Ok(exit::DONE)
}

/// The figure's name.
const FIGURE: &str = "own-work.svg";

/// Images of the training set as gradflow finds them, as an absolute path for the peers.
fn image_folder(args: &Measure) -> std::result::Result<PathBuf, RunError> {
    let set = std::env::var_os("MNIST_DIR").map(PathBuf::from);
    let folder = args.data_dir.clone().or(set).unwrap_or_else(|| PathBuf::from("data/mnist"));
    fs::canonicalize(&folder).map_err(|error| RunError::file(&folder, &error))
}

/// Entries of the training images that are not zero.
fn entries(folder: &Path) -> std::result::Result<u64, RunError> {
    let spec =
        Spec { data_dir: Some(folder.to_owned()), ..Spec::new(TaskName::Mnist, MethodName::Sgd) };
    let sets = Sets::<f32>::load(&spec)?;
    Ok(match sets.train.samples().inputs {
        Inputs::Dense(values) => values.iter().filter(|&&x| x != 0.0).count() as u64,
        Inputs::Sparse(rows) => rows.into_parts().2.len() as u64,
        Inputs::Levels(rows) => {
            let rows = (0..rows.len()).flat_map(|i| rows.row(i).terms());
            rows.filter(|&(_, x)| x != 0.0).count() as u64
        }
    })
}

/// One epoch as users start it.
fn whole_epoch(ourselves: &Path, folder: &Path) -> Command {
    let mut command = Command::new(ourselves);
    command.args(["train", "--task", "mnist", "--method", "sgd", "--epochs", "1", "--data-dir"]);
    command.arg(folder);
    command
}

fn peer_command(peer: &Path, args: &Measure, folder: &Path) -> Command {
    let script = peer.extension().is_some_and(|extension| extension == "py");
    let mut command = Command::new(if script { &args.python } else { peer });
    if script {
        command.arg(peer);
    }
    command.arg(folder);
    command
}

/// The size of the program without what debuggers read, where `strip` is there to cut it off.
fn program_bytes(program: &Path, out: &Path) -> u64 {
    let stripped = out.join("stripped");
    let done = Command::new("strip").arg("-o").arg(&stripped).arg(program).status();
    let place = if done.is_ok_and(|status| status.success()) { &stripped } else { program };
    let bytes = fs::metadata(place).map_or(0, |metadata| metadata.len());
    // It may not exist, and it is only in the way.
    let _ = fs::remove_file(&stripped);
    bytes
}

fn count(args: &Count) -> Result {
    let dt = if args.method == MethodName::Adam { 1e-3 } else { 1e-2 };
    let settings = Settings { relaxed: args.relaxed, dt, ..Settings::new(args.method.meaning()) };
    let loss = match (args.own, args.problem) {
        (Some(parameters), _) => {
            bench::count_own_work(parameters, &settings, args.simd, args.steps)?
        }
        (None, Some(problem)) => bench::count(problem, &settings, args.simd, args.steps)?,
        (None, None) => return Err(RunError::input("a problem to count on is missing".into())),
    };
    say(&format!("loss after {} steps: {loss:?}\n", args.steps))?;
    Ok(exit::DONE)
}

fn publish(args: &Publish) -> Result {
    let results = Results::read(&args.from.join("bench.json"))?;
    let text = fs::read_to_string(&args.out).map_err(|error| RunError::file(&args.out, &error))?;
    let mut body = bench::markdown(&results);
    fs::create_dir_all(&args.figures).map_err(|error| RunError::file(&args.figures, &error))?;
    results.write(&args.figures.join("bench.json"))?;
    if let Some(figure) = bench::figure(&results) {
        let place = args.figures.join(FIGURE);
        write_atomically(&place, figure.svg().as_bytes())?;
        body += &format!("\n![{}]({})\n", "What a step costs beside its gradient", place.display());
    }
    let new = between_marks(&text, &body).ok_or_else(|| {
        let [first, last] = MARKS;
        RunError::input(format!(
            "{}: the tables go between a line `{first}` and a line `{last}`, which are not there",
            args.out.display()
        ))
    })?;
    write_atomically(&args.out, new.as_bytes())?;
    say(&format!("{}\n", args.out.display()))?;
    Ok(exit::DONE)
}

/// The document with `body` in place of what stood between the marks.
fn between_marks(text: &str, body: &str) -> Option<String> {
    let [first, last] = MARKS;
    let (before, rest) = text.split_once(first)?;
    let (_, after) = rest.split_once(last)?;
    Some(format!("{before}{first}\n{}\n{last}{after}", body.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_replace_what_stands_between_the_marks() {
        let text = "# T\n<!-- bench -->\nold\n<!-- /bench -->\nend\n";
        let new = between_marks(text, "| new |\n").unwrap();
        assert_eq!(new, "# T\n<!-- bench -->\n| new |\n<!-- /bench -->\nend\n");
        assert_eq!(between_marks(&new, "| new |"), Some(new.clone()));
        assert_eq!(between_marks("no marks", "x"), None);
        assert_eq!(between_marks("<!-- bench --> cut off", "x"), None);
    }
}
