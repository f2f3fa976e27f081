//! The `gradflow` command: one file a subcommand.

mod bench;
mod data;
mod eval;
mod experiments;
mod predict;
mod progress;
mod publish;
mod signals;
mod train;

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::run::{RunError, exit, is_stream};
use crate::spec::Spec;

/// Train small networks as gradient flows, with energy laws that are checked at every step.
#[derive(Parser, Debug)]
#[command(name = "gradflow", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Train one network
    #[command(after_help = train::EXAMPLES)]
    Train(Box<train::Args>),
    /// Report loss and accuracy of saved weights
    Eval(Box<eval::Args>),
    /// Write the predictions of saved weights as CSV
    Predict(Box<predict::Args>),
    /// Write and draw the data set of a task
    Data(data::Args),
    /// Run a suite of experiments and report on it
    #[command(after_help = experiments::EXAMPLES)]
    Experiments(experiments::Args),
    /// Print the tables of a suite that was run before
    Summary(experiments::SummaryArgs),
    /// Write the tables and figures of suites as one Markdown document
    Publish(publish::Args),
    /// Measure how fast this machine trains, beside other programs if they are there
    #[command(after_help = bench::EXAMPLES)]
    Bench(bench::Args),
}

/// Parses the command line and does what it says.
#[must_use]
pub fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let given = given(&matches);
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    let result = match cli.command {
        Command::Train(args) => train::run(&args, &given),
        Command::Eval(args) => eval::run(&args, &given),
        Command::Predict(args) => predict::run(&args, &given),
        Command::Data(args) => data::run(&args, &given),
        Command::Experiments(args) => experiments::run(&args),
        Command::Summary(args) => experiments::summary(&args),
        Command::Publish(args) => publish::run(&args),
        Command::Bench(args) => bench::run(&args),
    };
    let code = result.unwrap_or_else(|error| {
        tell(&format!("error: {error}"));
        error.code()
    });
    ExitCode::from(code)
}

/// What a subcommand returns: its exit code, or why it failed.
type Result = std::result::Result<u8, RunError>;

/// Names of the options that the user gave to the subcommand.
fn given(matches: &ArgMatches) -> Vec<String> {
    let Some((_, matches)) = matches.subcommand() else { return Vec::new() };
    let by_user = |id: &&str| matches.value_source(id) == Some(ValueSource::CommandLine);
    matches.ids().map(clap::Id::as_str).filter(by_user).map(str::to_owned).collect()
}

/// Prints results. That whoever reads them has gone (`| head`) is no error.
fn say(text: &str) -> std::result::Result<(), RunError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(RunError::file("standard output".as_ref(), &error))
        }
        _ => Ok(()),
    }
}

/// Prints a line beside the results. If that is not possible, there is no one to tell.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Prints a warning.
fn warn(message: &str) {
    tell(&format!("warning: {message}"));
}

/// Warns of flags that change nothing.
fn warn_of_unused(spec: &Spec, given: &[&str], what: &str) {
    for flag in spec.unused(given) {
        warn(&format!("--{} has no effect with {what}", flag.replace('_', "-")));
    }
}

/// Refuses one file for two purposes, of which one would be lost.
fn distinct(places: &[(&str, Option<&Path>)]) -> std::result::Result<(), RunError> {
    let identity = |path: &Path| -> Option<PathBuf> {
        let (folder, name) = (path.parent()?, path.file_name()?);
        let folder = if folder.as_os_str().is_empty() { ".".as_ref() } else { folder };
        path.canonicalize().or_else(|_| folder.canonicalize().map(|folder| folder.join(name))).ok()
    };
    let files = places.iter().filter_map(|&(flag, path)| {
        let path = path.filter(|path| !is_stream(path))?;
        Some((flag, path, identity(path)?))
    });
    let files: Vec<_> = files.collect();
    for (i, (flag, path, file)) in files.iter().enumerate() {
        if let Some((other, ..)) = files.iter().take(i).find(|(.., other)| other == file) {
            let path = path.display();
            return Err(RunError::input(format!("{other} and {flag} name the same file, {path}")));
        }
    }
    Ok(())
}

/// The exit code of a run.
const fn code_of(ending: &crate::run::Ending) -> u8 {
    match ending {
        crate::run::Ending::Done => exit::DONE,
        crate::run::Ending::Diverged(..) => exit::DIVERGED,
        crate::run::Ending::Stopped(_) => exit::STOPPED,
    }
}

/// An error of a library that is not expected to fail.
fn failed(error: &impl std::fmt::Display) -> RunError {
    RunError::input(error.to_string())
}

/// The date, year-month-day, UTC (days to civil date after Hinnant).
fn today() -> String {
    let seconds = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs());
    let shifted = seconds / 86_400 + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
