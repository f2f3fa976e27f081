//! `gradflow experiments` and `gradflow summary`: suites.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Instant;
use std::{env, fs, thread};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::progress::{Bar, has_terminal};
use super::{Result, failed, say, signals, tell};
use crate::experiments::{
    Options, Plan, Planned, SuiteName, Tuned, Watcher, candidates, choose, execute, judge, plan,
};
use crate::report::{Expectation, Facts, Metrics};
use crate::run::{Output, RunError, exit, write_atomically};
use crate::spec::{Simd, Source};
use crate::{figure, report};

pub(super) const EXAMPLES: &str = "\
Examples:
  gradflow experiments                                  the default suite: every expectation is checked
  gradflow experiments --suite quick                    a look at everything in under a minute
  gradflow experiments --suite stability --only mnist   final accuracy against Δt
  gradflow experiments --resume                         go on where Ctrl-C or a crash stopped

Exit codes: 0 every expectation met, 1 one was missed or a law was broken, 2 bad input,
4 something is missing here, 130 stopped.";

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Which experiments
    #[arg(long, value_enum, default_value = "default")]
    suite: SuiteName,
    /// Only the runs whose name contains this text
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Seeds a method [default: 3 for default, else 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000))]
    seeds: Option<u64>,
    /// Runs side by side [default: one a processor]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Folder of the results [default: target/experiments/SUITE]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Folder of the four image files [default: $MNIST_DIR, else data/mnist]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Settings to use, or to write with --suite tune [default: built in; tune writes
    /// gradflow-std/suites/tuned.toml]
    #[arg(long, value_name = "FILE.toml")]
    tuned: Option<PathBuf>,
    /// Keep the runs that are complete and go on with the others
    #[arg(long)]
    resume: bool,
    /// Use the widest vectors of this machine, or not; the bits are the same
    #[arg(long, value_enum, default_value = "auto")]
    simd: Simd,
}

#[derive(clap::Args, Debug)]
pub(super) struct SummaryArgs {
    /// Folder of a suite's results
    dir: PathBuf,
    /// Print the tables as Markdown
    #[arg(long)]
    markdown: bool,
}

pub(super) fn summary(args: &SummaryArgs) -> Result {
    let print = if args.markdown { report::markdown } else { report::terminal };
    let tables = print(&args.dir).map_err(|error| failed(&format!("{error:#}")))?;
    say(&format!("{tables}\n"))?;
    Ok(exit::DONE)
}

pub(super) fn run(args: &Args) -> Result {
    let started = Instant::now();
    let stop = signals::stop_flag()?;
    let tunes = args.suite == SuiteName::Tune;
    let tuned = if tunes { Tuned::default() } else { Tuned::read(args.tuned.as_deref())? };
    let plan = planned(args, &tuned)?;
    let chosen = args.tuned.clone().unwrap_or_else(|| "gradflow-std/suites/tuned.toml".into());
    if tunes {
        Output::open(&chosen)?;
    }
    let options = Options {
        dir: args
            .out
            .clone()
            .unwrap_or_else(|| Path::new("target/experiments").join(args.suite.word())),
        jobs: args.jobs.map_or_else(processors, Into::into),
        resume: args.resume,
        simd: args.simd,
    };
    let display = Display::new(args.suite, plan.runs.len(), options.jobs);
    let results = execute(&plan.runs, &options, &stop, &display)?;
    display.finish();
    if stop.load(Ordering::Relaxed) {
        tell("stopped; the same command with --resume goes on");
        return Ok(exit::STOPPED);
    }
    if tunes {
        let comment = "Written by `cargo xtask experiments --suite tune`.";
        choose(&plan, &results).tuned.write(&chosen, comment)?;
        say(&format!("the best settings are in {}\n", chosen.display()))?;
    }
    conclude(args, &options.dir, &plan, &results, started.elapsed().as_secs_f64())
}

/// The runs that the arguments ask for.
fn planned(args: &Args, tuned: &Tuned) -> std::result::Result<Plan, RunError> {
    let mut plan = match args.suite {
        SuiteName::Tune => candidates(args.seeds.unwrap_or(1)),
        suite => plan(suite, args.seeds, tuned),
    };
    if let Some(pattern) = &args.only {
        plan = plan.only(pattern);
    }
    if plan.runs.is_empty() {
        let pattern = args.only.as_deref().unwrap_or_default();
        return Err(RunError::input(format!("no run's name contains `{pattern}`")));
    }
    for run in &mut plan.runs {
        if matches!(run.spec.task.meaning(), Source::Images(_)) {
            run.spec.data_dir.clone_from(&args.data_dir);
        }
    }
    Ok(plan)
}

/// Writes the report, prints the tables, and says by the exit code whether all went as expected.
fn conclude(args: &Args, dir: &Path, plan: &Plan, results: &[Metrics], wall_s: f64) -> Result {
    let expectations = judge(&plan.goals, results);
    let facts = Facts {
        suite: args.suite.word().to_owned(),
        created: super::today(),
        cpu: processor(),
        wall_s: Some(wall_s),
        expectations,
    };
    let json = serde_json::to_vec_pretty(&facts).map_err(|error| failed(&error))?;
    write_atomically(&dir.join("suite.json"), &json)?;
    let explained = |error: anyhow::Error| failed(&format!("{error:#}"));
    figure::draw_suite(dir).map_err(explained)?;
    let page = report::write_html(dir).map_err(explained)?;
    let tables = report::terminal(dir).map_err(explained)?;
    say(&format!("{tables}\nreport: {}\n", page.display()))?;
    Ok(verdict(args.suite, &facts.expectations, results))
}

/// The suite `seed` shows what the source's settings reach: its misses are no failure.
fn verdict(suite: SuiteName, expectations: &[Expectation], results: &[Metrics]) -> u8 {
    let broken: u64 =
        results.iter().filter_map(|run| run.audit.as_ref()).map(|a| a.violations).sum();
    let missed = expectations.iter().filter(|expectation| !expectation.met).count();
    if broken > 0 {
        tell(&format!("{broken} steps broke their energy law"));
    }
    if missed > 0 {
        tell(&format!("{missed} of {} expectations missed", expectations.len()));
    }
    let failed = broken > 0 || (missed > 0 && suite != SuiteName::Seed);
    if failed { exit::MISSED } else { exit::DONE }
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, Into::into)
}

/// The processor's name, where the system tells it.
fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    name.map_or_else(|| env::consts::ARCH.to_owned(), str::to_owned)
}

/// Bars for the running runs and one for the whole; lines where there is no terminal.
struct Display {
    bars: MultiProgress,
    whole: ProgressBar,
}

impl Display {
    fn new(suite: SuiteName, runs: usize, jobs: usize) -> Self {
        let bars = MultiProgress::new();
        let whole = bars.add(ProgressBar::new(runs as u64));
        if let Ok(style) =
            ProgressStyle::with_template("{prefix:32!} {bar:24} {pos}/{len} runs, {elapsed}")
        {
            whole.set_style(style.progress_chars("━╸ "));
        }
        whole.set_prefix(format!("suite {}", suite.word()));
        if !has_terminal() {
            tell(&format!("suite {}: {runs} runs, {jobs} side by side", suite.word()));
        }
        Self { bars, whole }
    }

    fn finish(&self) {
        self.whole.finish_and_clear();
    }
}

/// Takes a run's bar away when the run is over.
struct Shown(Bar);

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.clear();
    }
}

impl Watcher for Display {
    fn begin(&self, run: &Planned) -> Box<dyn FnMut(usize, usize, f64)> {
        self.whole.tick();
        let mut shown = Shown(Bar::among(&self.bars, &run.name));
        Box::new(move |done, total, loss| shown.0.show(done, total, loss))
    }

    fn end(&self, run: &Planned, metrics: &Metrics) {
        self.whole.inc(1);
        if has_terminal() {
            return;
        }
        let figure = match (metrics.test_accuracy, metrics.test_loss_clean, metrics.test_loss) {
            (Some(accuracy), ..) => format!("accuracy {:.2} %", 100.0 * accuracy),
            (None, Some(loss), _) => format!("error {loss:.2e}"),
            (None, None, Some(loss)) => format!("loss {loss:.2e}"),
            (None, None, None) => "nothing finite".to_owned(),
        };
        let wall = metrics.wall_s.unwrap_or(0.0);
        let diverged = metrics.diverged_at.map(|step| format!(", diverged at step {step}"));
        tell(&format!("{}: {figure}{}, {wall:.1} s", run.name, diverged.unwrap_or_default()));
    }
}
