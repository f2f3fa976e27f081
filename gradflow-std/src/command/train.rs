//! `gradflow train`: one run.

use std::path::PathBuf;

use gradflow_core::Float;

use super::progress::Bar;
use super::{Result, code_of, signals, warn};
use crate::report::Metrics;
use crate::run::{Ending, Files, Job, Outcome, Output, RunError, Sets, run as run_job};
use crate::spec::{Precision, Simd, Spec};

pub(super) const EXAMPLES: &str = "\
Examples:
  gradflow train --task gaussian --method ieq-full --dt 1e3 --noise 0 --steps 25
  gradflow train --task mnist --method sav --relaxed --lambda 1 --dt 10 --epochs 2 --save w.safetensors
  gradflow train --task csv --data trial.csv --target effect --method exp-sav --trace trace.csv

Exit codes: 0 done, 2 bad input, 3 diverged (files are written), 4 something is missing here.";

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(flatten)]
    spec: Spec,
    /// Use the widest vectors of this machine, or not; the bits are the same
    #[arg(long, value_enum, default_value = "auto", help_heading = "Output")]
    simd: Simd,
    /// Write one row a step
    #[arg(long, value_name = "FILE.csv", help_heading = "Output")]
    trace: Option<PathBuf>,
    /// Write the final weights
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
    for flag in args.spec.unused(given) {
        let (method, task) = (args.spec.method.word(), args.spec.task.word());
        let flag = flag.replace('_', "-");
        warn(&format!("--{flag} has no effect with --method {method} on --task {task}"));
    }
    match args.spec.precision {
        Precision::F32 => train::<f32>(args),
        Precision::F64 => train::<f64>(args),
    }
}

fn train<T: Float>(args: &Args) -> Result {
    let stop = signals::stop_flag()?;
    let sets = Sets::<T>::load(&args.spec)?;
    // Fails on settings that do not go together before anything is opened.
    crate::run::Trainer::new(&args.spec, &sets.train, args.simd)?;
    let open = |path: &Option<PathBuf>| path.as_deref().map(Output::open).transpose();
    let results = Results { save: open(&args.save)?, metrics: open(&args.metrics)? };
    let checkpoint = args.save.as_ref().map(|path| {
        let mut name = path.as_os_str().to_owned();
        name.push(".checkpoint");
        PathBuf::from(name)
    });
    let mut bar = Bar::single(&args.spec.label());
    let outcome = run_job(
        &mut Job {
            spec: &args.spec,
            name: "train",
            label: &args.spec.label(),
            simd: args.simd,
            files: Files { trace: args.trace.clone(), epochs: None, checkpoint },
            resume: args.resume,
            stop: &stop,
            progress: &mut |done, total, loss| bar.show(done, total, loss),
        },
        &sets,
    );
    bar.clear();
    let outcome = outcome?;
    finish(args, results, &outcome)
}

fn finish(args: &Args, results: Results, outcome: &Outcome) -> Result {
    if let Ending::Stopped(steps) = outcome.ending {
        match &args.save {
            Some(_) => {
                eprintln!("stopped after {steps} steps; the same command with --resume goes on")
            }
            None => eprintln!("stopped after {steps} steps; with --save it could be resumed"),
        }
        return Ok(code_of(&outcome.ending));
    }
    if let Some(file) = results.save {
        file.write(&outcome.weights)?;
    }
    if let Some(file) = results.metrics {
        file.write(&json(&outcome.metrics)?)?;
    }
    print(args, outcome);
    Ok(code_of(&outcome.ending))
}

/// A JSON file.
pub(super) fn json(metrics: &Metrics) -> std::result::Result<Vec<u8>, RunError> {
    let mut bytes = serde_json::to_vec_pretty(metrics).map_err(|error| super::failed(&error))?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn print(args: &Args, outcome: &Outcome) {
    let metrics = &outcome.metrics;
    let wall = metrics.wall_s.unwrap_or(0.0);
    println!("{} on {}: {} steps in {wall:.2} s", metrics.label, metrics.task, metrics.steps);
    let number = |value: Option<f64>| value.map_or("not finite".to_owned(), |v| format!("{v:.4e}"));
    println!("  training loss          {}", number(metrics.train_loss));
    for (name, value) in [
        ("test loss (noisy)     ", metrics.test_loss),
        ("error without noise   ", metrics.test_loss_clean),
    ] {
        if let Some(value) = value {
            println!("  {name} {value:.4e}");
        }
    }
    if let Some(accuracy) = metrics.test_accuracy {
        println!("  test accuracy          {:.2} %", 100.0 * accuracy);
    }
    if let Some(audit) = &metrics.audit {
        let law = audit.law.as_deref().unwrap_or("none");
        println!(
            "  energy law             {law}: {} violations in {} steps",
            audit.violations, audit.checked
        );
    }
    for (what, path) in
        [("trace", &args.trace), ("weights", &args.save), ("metrics", &args.metrics)]
    {
        if let Some(path) = path {
            println!("  {what} in {}", path.display());
        }
    }
    if let Ending::Diverged(step, why) = &outcome.ending {
        eprintln!("diverged at step {step}: {why}");
    }
}
