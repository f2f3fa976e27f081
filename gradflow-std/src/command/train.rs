//! `gradflow train`: one run.

use std::fmt::Write;
use std::path::PathBuf;

use gradflow_core::Float;

use super::progress::Bar;
use super::{Result, code_of, distinct, say, signals, tell, warn, warn_of_unused};
use crate::report::Metrics;
use crate::run::{
    Ending, Files, Job, Outcome, Output, RunError, Sets, Trainer, check, is_stream, run as run_job,
};
use crate::spec::{Precision, Simd, Spec};

pub(super) const EXAMPLES: &str = "\
Examples:
  gradflow train --task gaussian --method ieq-full --dt 1e3 --noise 0 --steps 25
  gradflow train --task mnist --method sav --relaxed --lambda 1 --dt 10 --epochs 2 --save w.safetensors
  gradflow train --task csv --data trial.csv --target effect --method exp-sav --trace trace.csv

Exit codes: 0 done, 2 bad input or a file that cannot be written, 3 diverged (files are written),
4 something is missing here, 130 stopped (Ctrl-C; with --save, --resume goes on).";

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(flatten)]
    spec: Spec,
    /// Use the widest vectors of this machine, or not; the bits are the same
    #[arg(long, value_enum, default_value = "auto", help_heading = "Output")]
    simd: Simd,
    /// Write one row a step; while the run lasts, in FILE.csv.partial
    #[arg(long, value_name = "FILE.csv", help_heading = "Output")]
    trace: Option<PathBuf>,
    /// Write the final weights; while the run lasts, its state is in FILE.safetensors.checkpoint
    #[arg(long, value_name = "FILE.safetensors", help_heading = "Output")]
    save: Option<PathBuf>,
    /// Write the figures of merit
    #[arg(long, value_name = "FILE.json", help_heading = "Output")]
    metrics: Option<PathBuf>,
    /// Go on where an interrupted run with the same --save stopped
    #[arg(long, requires = "save", help_heading = "Output")]
    resume: bool,
}

/// The files that are written when the run is over.
struct Results {
    save: Option<Output>,
    metrics: Option<Output>,
}

pub(super) fn run(args: &Args, given: &[&str]) -> Result {
    let (method, task) = (args.spec.method.word(), args.spec.task.word());
    warn_of_unused(&args.spec, given, &format!("--method {method} on --task {task}"));
    distinct(&[
        ("--data", args.spec.data.as_deref()),
        ("--trace", args.trace.as_deref()),
        ("--save", args.save.as_deref()),
        ("--metrics", args.metrics.as_deref()),
    ])?;
    match args.spec.precision {
        Precision::F32 => train::<f32>(args),
        Precision::F64 => train::<f64>(args),
    }
}

fn train<T: Float>(args: &Args) -> Result {
    check(&args.spec)?;
    let stop = signals::stop_flag()?;
    let sets = Sets::<T>::load(&args.spec)?;
    // Fails on settings that do not go together with the data before anything is opened.
    Trainer::new(&args.spec, &sets.train, args.simd)?;
    let open = |path: &Option<PathBuf>| path.as_deref().map(Output::open).transpose();
    let results = Results { save: open(&args.save)?, metrics: open(&args.metrics)? };
    let files = Files { trace: args.trace.clone(), epochs: None, checkpoint: checkpoint(args) };
    let mut bar = Bar::single(&args.spec.label());
    let mut job = Job {
        spec: &args.spec,
        name: "train",
        label: &args.spec.label(),
        simd: args.simd,
        files,
        resume: args.resume,
        stop: &stop,
        progress: &mut |done, total, loss| bar.show(done, total, loss),
    };
    let outcome = run_job(&mut job, &sets);
    let files = job.files;
    bar.clear();
    let outcome = outcome?;
    if let Ending::Stopped(steps) = outcome.ending {
        let advice = match files.checkpoint {
            Some(_) => "the same command with --resume goes on",
            None => "with --save FILE it could be resumed",
        };
        tell(&format!("stopped after {steps} steps; {advice}"));
    } else {
        results.write(&outcome)?;
        files.remove_checkpoint()?;
        print(args, &outcome)?;
    }
    Ok(code_of(&outcome.ending))
}

/// Where an unfinished run is kept: beside its weights, unless they go into a pipe.
fn checkpoint(args: &Args) -> Option<PathBuf> {
    let path = args.save.as_deref().filter(|path| !is_stream(path))?;
    let mut name = path.as_os_str().to_owned();
    name.push(".checkpoint");
    let checkpoint = PathBuf::from(name);
    match (args.resume, checkpoint.exists()) {
        (true, false) => {
            warn(&format!("{} is not there: the run begins anew", checkpoint.display()));
        }
        (false, true) => warn(&format!(
            "{} of an interrupted run is given up: --resume would go on from it",
            checkpoint.display()
        )),
        _ => {}
    }
    Some(checkpoint)
}

impl Results {
    fn write(self, outcome: &Outcome) -> std::result::Result<(), RunError> {
        if let Some(file) = self.save {
            file.write(&outcome.weights)?;
        }
        match self.metrics {
            Some(file) => file.write(&json(&outcome.metrics)?),
            None => Ok(()),
        }
    }
}

/// A JSON file.
pub(super) fn json(metrics: &Metrics) -> std::result::Result<Vec<u8>, RunError> {
    let mut bytes = serde_json::to_vec_pretty(metrics).map_err(|error| super::failed(&error))?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn print(args: &Args, outcome: &Outcome) -> std::result::Result<(), RunError> {
    let metrics = &outcome.metrics;
    let wall = metrics.wall_s.unwrap_or(0.0);
    let mut text =
        format!("{} on {}: {} steps in {wall:.2} s\n", metrics.label, metrics.task, metrics.steps);
    let mut line = |name: &str, value: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {name:<22} {value}");
    };
    let number = |value: f64| format!("{value:.4e}");
    line("training loss", metrics.train_loss.map_or("not finite".to_owned(), number));
    for (name, value) in
        [("test loss (noisy)", metrics.test_loss), ("error without noise", metrics.test_loss_clean)]
    {
        value.into_iter().for_each(|value| line(name, number(value)));
    }
    if let Some(accuracy) = metrics.test_accuracy {
        line("test accuracy", format!("{:.2} %", 100.0 * accuracy));
    }
    if let Some(audit) = &metrics.audit {
        let (violations, checked) = (audit.violations, audit.checked);
        line(
            "energy law",
            match &audit.law {
                Some(law) => format!("{law}: {violations} violations in {checked} steps"),
                None => "none with these settings".to_owned(),
            },
        );
    }
    for (what, path) in
        [("trace", &args.trace), ("weights", &args.save), ("metrics", &args.metrics)]
    {
        path.iter().for_each(|path| line(what, path.display().to_string()));
    }
    say(&text)?;
    if let Ending::Diverged(step, why) = &outcome.ending {
        tell(&format!("diverged at step {step}: {why}"));
    }
    Ok(())
}
