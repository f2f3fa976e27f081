//! The suite that chooses settings: on MNIST by the accuracy on the last 5,000 training images
//! after training on the first 55,000; on the Gaussian task by the noiseless error with seeds that
//! the default suite does not report.

use super::suites::{digits, methods, regression};
use super::{Plan, Tuned};
use crate::report::Metrics;
use crate::spec::{MethodName, OperatorName, Spec, TaskName};

/// Training images; the other 5,000 validate.
const TRAIN: usize = 55_000;

/// The first seed of tuning runs.
const FIRST_SEED: u64 = 100;

/// The settings that were chosen, and the candidates they were chosen from.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// What `default` reads.
    pub tuned: Tuned,
}

/// Every candidate, with `seeds` seeds on MNIST and three times as many on the regression task,
/// whose runs are short and differ more.
#[must_use]
pub fn candidates(seeds: u64) -> Plan {
    let mut plan = Plan::default();
    for task in [TaskName::Gaussian, TaskName::Mnist] {
        let seeds = if task == TaskName::Gaussian { 3 * seeds } else { seeds };
        for spec in methods(task) {
            for (dt, lambda) in grid(&spec) {
                let spec = Spec { dt: Some(dt), lambda, ..spec.clone() };
                let spec = match task {
                    TaskName::Gaussian => regression(spec),
                    _ => Spec { train: Some(TRAIN), ..digits(spec) },
                };
                let first = plan.runs.len();
                plan.add_point(&spec, FIRST_SEED..FIRST_SEED + seeds);
                for run in plan.runs.iter_mut().skip(first) {
                    run.name.push_str(&format!("-lambda{lambda}"));
                }
            }
        }
    }
    plan
}

/// Step sizes and operators to try.
fn grid(spec: &Spec) -> Vec<(f64, f64)> {
    let mnist = spec.task == TaskName::Mnist;
    let (dts, lambdas): (&[f64], &[f64]) = match spec.method {
        MethodName::Sgd if mnist => (&[0.1, 0.2, 0.5, 1.0], &[0.0]),
        MethodName::Sgd => (&[0.03, 0.1, 0.2, 0.3], &[0.0]),
        MethodName::Adam => (&[5e-4, 1e-3, 2e-3, 3e-3, 5e-3], &[0.0]),
        MethodName::IeqFull if mnist => (&[1.0, 10.0, 100.0], &[0.0]),
        MethodName::IeqFull => (&[10.0, 100.0, 1e3, 1e4], &[0.0]),
        // A persistent q anneals by itself: long steps freeze it.
        MethodName::IeqAdaptive if spec.relaxed => (&[0.03, 0.1, 0.3, 1.0], &[0.0, 1.0]),
        _ if spec.operator == OperatorName::Diagonal => (&[1.0, 10.0, 100.0], &[100.0, 300.0]),
        _ => (&[0.3, 1.0, 3.0, 10.0], &[0.0, 1.0]),
    };
    dts.iter().flat_map(|&dt| lambdas.iter().map(move |&lambda| (dt, lambda))).collect()
}

/// The best candidate of each method.
#[must_use]
pub fn choose(plan: &Plan, results: &[Metrics]) -> Choice {
    let mut best: Vec<(f64, &Spec)> = Vec::new();
    for run in &plan.runs {
        let score = score(&run.spec, results);
        match best
            .iter_mut()
            .find(|(_, spec)| spec.task == run.spec.task && spec.label() == run.spec.label())
        {
            Some(entry) if score > entry.0 => *entry = (score, &run.spec),
            Some(_) => {}
            None => best.push((score, &run.spec)),
        }
    }
    let mut choice = Choice::default();
    for (score, spec) in best {
        if score.is_finite() {
            choice.tuned.insert(spec);
        }
    }
    choice
}

/// Mean over the seeds, larger is better.
fn score(spec: &Spec, results: &[Metrics]) -> f64 {
    let same = |run: &&Metrics| {
        run.task == spec.task.word()
            && run.label == spec.label()
            && run.dt == Some(spec.dt())
            && run.lambda.unwrap_or(0.0) == spec.lambda
    };
    let values: Vec<f64> = results
        .iter()
        .filter(same)
        .map(|run| match spec.task {
            TaskName::Gaussian => run.test_loss_clean.map_or(f64::NEG_INFINITY, |loss| -loss),
            _ => run.test_accuracy.filter(|_| !run.diverged).unwrap_or(f64::NEG_INFINITY),
        })
        .collect();
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
