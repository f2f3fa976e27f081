//! `gradflow data`: the data set of a task, as a table and as a picture.

use std::path::PathBuf;

use super::{Result, distinct, failed, tell, warn_of_unused};
use crate::data::{DataSet, write_csv};
use crate::figure::{Axis, Chart, Pen, Series};
use crate::run::{Output, RunError, Sets, exit};
use crate::spec::{LossName, MethodName, Spec, TaskName};

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Task whose training data are wanted
    #[arg(value_enum)]
    name: TaskName,
    /// Where to write the samples
    #[arg(long, value_name = "FILE.csv")]
    out: Option<PathBuf>,
    /// Where to draw them (tasks of one input)
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    #[command(flatten)]
    options: DataOptions,
}

/// What decides the samples of a task.
#[derive(clap::Args, Debug)]
struct DataOptions {
    /// CSV file with one header line (task csv)
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Target column or columns of the CSV file
    #[arg(long, value_name = "Y[,Y2]", value_delimiter = ',')]
    target: Vec<String>,
    /// Loss of task csv [default: mse]
    #[arg(long, value_enum)]
    loss: Option<LossName>,
    /// Scale the CSV file's inputs to mean 0 and deviation 1 over this file
    #[arg(long)]
    standardise: bool,
    /// Standard deviation of the noise on made-up targets
    #[arg(long, default_value_t = 0.01, value_name = "STD")]
    noise: f64,
    /// Samples of a made-up task
    #[arg(long, default_value_t = 2_000, value_name = "N")]
    samples: usize,
    /// Folder of the four image files [default: $MNIST_DIR, else data/mnist]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Seed of data and noise
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
}

/// A task and what decides its samples.
#[derive(clap::Args, Debug)]
pub(super) struct TaskOptions {
    /// Task whose data are used
    #[arg(long, value_enum)]
    task: TaskName,
    #[command(flatten)]
    options: DataOptions,
}

impl TaskOptions {
    /// A spec with these data.
    pub(super) fn spec(&self) -> Spec {
        self.options.spec(self.task)
    }
}

impl DataOptions {
    fn spec(&self, task: TaskName) -> Spec {
        Spec {
            data: self.data.clone(),
            target: self.target.clone(),
            loss: self.loss,
            standardise: self.standardise,
            noise: self.noise,
            samples: self.samples,
            data_dir: self.data_dir.clone(),
            seed: self.seed,
            ..Spec::new(task, MethodName::Sgd)
        }
    }
}

pub(super) fn run(args: &Args, given: &[&str]) -> Result {
    if args.out.is_none() && args.plot.is_none() {
        return Err(RunError::input(
            "nothing to do: give --out FILE.csv, --plot FILE.svg or both".to_owned(),
        ));
    }
    let spec = args.options.spec(args.name);
    warn_of_unused(&spec, given, &format!("task {}", args.name.word()));
    distinct(&[
        ("--data", spec.data.as_deref()),
        ("--out", args.out.as_deref()),
        ("--plot", args.plot.as_deref()),
    ])?;
    let sets = Sets::<f32>::load(&spec)?;
    let picture = args.plot.as_ref().map(|_| draw(args.name, &sets)).transpose()?;
    let open = |path: &Option<PathBuf>| path.as_deref().map(Output::open).transpose();
    let (out, plot) = (open(&args.out)?, open(&args.plot)?);
    if let Some(out) = out {
        let mut bytes = Vec::new();
        write_csv(&sets.train, &mut bytes).map_err(|error| failed(&error))?;
        out.write(&bytes)?;
    }
    if let (Some(plot), Some(picture)) = (plot, picture) {
        plot.write(picture.as_bytes())?;
    }
    tell(&format!("{} samples of {}", sets.train.len(), args.name.word()));
    Ok(exit::DONE)
}

/// Samples over the noiseless target.
fn draw(name: TaskName, sets: &Sets<f32>) -> std::result::Result<String, RunError> {
    if sets.train.inputs() != 1 || sets.train.values().is_none() {
        return Err(RunError::input(format!(
            "{} has {} inputs: only tasks of one input can be drawn",
            name.word(),
            sets.train.inputs()
        )));
    }
    let title = format!("Training data of {}", name.word());
    let mut chart = Chart::new(title, Axis::linear("x"), Axis::linear("y"))
        .add(Series::dots("samples", points(&sets.train)).pen(Pen::nth(0)));
    if let Some(clean) = &sets.clean {
        chart = chart.add(Series::line("target", points(clean)).pen(Pen::nth(1)));
    }
    Ok(chart.svg())
}

fn points(set: &DataSet<f32>) -> Vec<(f64, f64)> {
    let mut row = Vec::new();
    let values = set.values().unwrap_or_default();
    let point = |(i, y): (usize, &f32)| {
        set.copy_row(i, &mut row);
        (f64::from(row.first().copied().unwrap_or_default()), f64::from(*y))
    };
    values.iter().enumerate().map(point).collect()
}
