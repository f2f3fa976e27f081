//! `gradflow eval`: loss and accuracy of saved weights.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use gradflow_core::Float;
use gradflow_core::network::{Scratch, TwoLayer};

use super::{Result, say, warn_of_unused};
use crate::data::DataSet;
use crate::run::{RunError, Sets, evaluate, exit, load_weights};
use crate::spec::{Precision, Simd, Spec};

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Weights to evaluate
    #[arg(long, value_name = "FILE.safetensors")]
    pub(super) weights: PathBuf,
    #[command(flatten)]
    pub(super) task: TaskArgs,
}

/// The options that choose data.
#[derive(clap::Args, Debug)]
pub(super) struct TaskArgs {
    #[command(flatten)]
    task: super::data::TaskOptions,
    /// Floating-point type
    #[arg(long, value_enum, default_value = "f32")]
    pub(super) precision: Precision,
}

impl TaskArgs {
    /// A spec with these data.
    pub(super) fn spec(&self) -> Spec {
        self.task.spec()
    }
}

/// Weights, the network that they belong to, and room to use it.
pub(super) struct Trained<T> {
    pub(super) network: TwoLayer<T>,
    pub(super) w: Vec<T>,
    reals: Vec<T>,
    indices: Vec<u32>,
}

impl<T: Float> Trained<T> {
    /// Weights from a file, for a data set.
    pub(super) fn load(path: &Path, set: &DataSet<T>) -> std::result::Result<Self, RunError> {
        let (network, w) = load_weights(path, set)?;
        let len = network.scratch_len(64);
        let (reals, indices) = (vec![T::ZERO; len.reals], vec![0; len.indices]);
        Ok(Self { network, w, reals, indices })
    }

    /// Room for 64 samples.
    pub(super) fn scratch(&mut self) -> (&TwoLayer<T>, &[T], Scratch<'_, T>) {
        let scratch = Scratch { reals: &mut self.reals, indices: &mut self.indices };
        (&self.network, &self.w, scratch)
    }
}

pub(super) fn run(args: &Args, given: &[&str]) -> Result {
    warn_of_unused(&args.task.spec(), given, &format!("--task {}", args.task.spec().task.word()));
    match args.task.precision {
        Precision::F32 => eval::<f32>(args),
        Precision::F64 => eval::<f64>(args),
    }
}

fn eval<T: Float>(args: &Args) -> Result {
    let spec = args.task.spec();
    let sets = Sets::<T>::load(&spec)?;
    let mut trained = Trained::load(&args.weights, &sets.train)?;
    let mut text = format!("{} on {}\n", args.weights.display(), spec.task.word());
    let parts = [
        ("training set", Some(&sets.train)),
        ("test set", sets.test.as_ref()),
        ("noiseless target", sets.clean.as_ref()),
    ];
    for (name, set) in parts {
        let Some(set) = set else { continue };
        let order: Vec<u32> = (0..).take(set.len()).collect();
        let (network, w, mut scratch) = trained.scratch();
        let (loss, registers) = (spec.task_loss(), Simd::Auto.meaning());
        let result = evaluate(network, w, set.samples(), &order, loss, &mut scratch, registers)?;
        let (samples, loss) = (result.samples, result.loss);
        // Writing to a String cannot fail.
        let _ = write!(text, "  {name:<17} {samples} samples, loss {loss:?}");
        if spec.task_loss().classifies() {
            let accuracy = 100.0 * result.correct as f64 / samples as f64;
            let _ = write!(text, ", accuracy {accuracy:.2} %");
        }
        text.push('\n');
    }
    say(&text)?;
    Ok(exit::DONE)
}
