//! `gradflow predict`: predictions of saved weights.

use std::fmt::Write;
use std::path::PathBuf;

use gradflow_core::Float;
use gradflow_core::network::Batch;

use super::eval::{TaskArgs, Trained};
use super::{Result, distinct, say, warn_of_unused};
use crate::data::DataSet;
use crate::run::{Output, RunError, Sets, exit};
use crate::spec::Precision;

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Weights to predict with
    #[arg(long, value_name = "FILE.safetensors")]
    weights: PathBuf,
    /// Where to write the predictions, one row a sample [default: standard output]
    #[arg(long, value_name = "FILE.csv")]
    out: Option<PathBuf>,
    #[command(flatten)]
    task: TaskArgs,
}

pub(super) fn run(args: &Args, given: &[&str]) -> Result {
    let spec = args.task.spec();
    warn_of_unused(&spec, given, &format!("--task {}", spec.task.word()));
    distinct(&[
        ("--weights", Some(&args.weights)),
        ("--data", spec.data.as_deref()),
        ("--out", args.out.as_deref()),
    ])?;
    match args.task.precision {
        Precision::F32 => predict::<f32>(args),
        Precision::F64 => predict::<f64>(args),
    }
}

/// Predicts on the test set; a CSV file has none, and is predicted itself.
fn predict<T: Float>(args: &Args) -> Result {
    let sets = Sets::<T>::load(&args.task.spec())?;
    let set = sets.test.as_ref().unwrap_or(&sets.train);
    let trained = Trained::load(&args.weights, set)?;
    let out = args.out.as_deref().map(Output::open).transpose()?;
    let text = table(trained, set)?;
    match out {
        Some(out) => out.write(text.as_bytes())?,
        None => say(&text)?,
    }
    Ok(exit::DONE)
}

fn table<T: Float>(
    mut trained: Trained<T>,
    set: &DataSet<T>,
) -> std::result::Result<String, RunError> {
    let order: Vec<u32> = (0..).take(set.len()).collect();
    let (network, w, mut scratch) = trained.scratch();
    let k = network.outputs();
    let mut out = vec![T::ZERO; set.len() * k];
    for (order, out) in order.chunks(64).zip(out.chunks_mut(64 * k)) {
        network.predict(w, Batch::of(set.samples(), order), &mut scratch, out)?;
    }
    let header: Vec<String> = match set.labels() {
        Some(_) => (0..k).map(|class| format!("class_{class}")).collect(),
        None => set.target_names().to_vec(),
    };
    let mut text = header.join(",") + "\n";
    for row in out.chunks(k) {
        for (j, value) in row.iter().enumerate() {
            // Writing to a String cannot fail.
            let _ = write!(text, "{}{value:?}", if j > 0 { "," } else { "" });
        }
        text.push('\n');
    }
    Ok(text)
}
