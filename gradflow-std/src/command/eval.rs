//! `gradflow eval`: loss and accuracy of saved weights.

use std::path::PathBuf;

use gradflow_core::network::{Loss, Scratch};
use gradflow_core::{Float, network::Evaluation};

use super::Result;
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

pub(super) fn run(args: &Args) -> Result {
    match args.task.precision {
        Precision::F32 => eval::<f32>(args),
        Precision::F64 => eval::<f64>(args),
    }
}

fn eval<T: Float>(args: &Args) -> Result {
    let spec = args.task.spec();
    let sets = Sets::<T>::load(&spec)?;
    println!("{} on {}", args.weights.display(), spec.task.word());
    let parts = [
        ("training set", Some(&sets.train)),
        ("test set", sets.test.as_ref()),
        ("noiseless target", sets.clean.as_ref()),
    ];
    for (name, set) in parts {
        let Some(set) = set else { continue };
        let result = evaluate_file(args, set, spec.task_loss())?;
        print!("  {name:<17} {} samples, loss {:?}", result.samples, result.loss);
        if spec.task_loss().classifies() {
            let accuracy = 100.0 * result.correct as f64 / result.samples as f64;
            print!(", accuracy {accuracy:.2} %");
        }
        println!();
    }
    Ok(exit::DONE)
}

fn evaluate_file<T: Float>(
    args: &Args,
    set: &DataSet<T>,
    loss: Loss,
) -> std::result::Result<Evaluation, RunError> {
    let (network, w) = load_weights(&args.weights, set)?;
    let len = network.scratch_len(64);
    let (mut reals, mut indices) = (vec![T::ZERO; len.reals], vec![0; len.indices]);
    let mut scratch = Scratch { reals: &mut reals, indices: &mut indices };
    let order: Vec<u32> = (0..).take(set.len()).collect();
    let simd = Simd::Auto.meaning();
    Ok(evaluate(&network, &w, set.samples(), &order, loss, &mut scratch, simd)?)
}
