//! The suites.

use clap::ValueEnum;

use super::{Goal, Plan, Statistic, Tuned};
use crate::spec::{
    BatchSize, ControlName, CouplingName, InitChoice, MethodName, OperatorName, ResidualName,
    ScheduleName, SolverName, Spec, Start, TaskName,
};

/// The suites by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SuiteName {
    /// the best settings known, with what is expected of them
    Default,
    /// the source's own settings and formulas
    Seed,
    /// every method over nine decades of Δt
    Stability,
    /// a look at everything in under a minute
    Quick,
    /// choose the settings of the default suite on a validation set
    Tune,
}

impl SuiteName {
    /// The name on the command line, and of the folder.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Seed => "seed",
            Self::Stability => "stability",
            Self::Quick => "quick",
            Self::Tune => "tune",
        }
    }
}

/// The runs and goals of a suite. `tune` has a plan of its own.
#[must_use]
pub fn plan(suite: SuiteName, seeds: Option<u64>, tuned: &Tuned) -> Plan {
    match suite {
        SuiteName::Default => default(seeds.unwrap_or(3), tuned),
        SuiteName::Seed => seed(seeds.unwrap_or(1)),
        SuiteName::Stability => stability(seeds.unwrap_or(1), tuned),
        SuiteName::Quick => quick(seeds.unwrap_or(1), tuned),
        SuiteName::Tune => Plan::default(),
    }
}

/// The schemes that are compared: plain and relaxed.
pub(super) fn methods(task: TaskName) -> Vec<Spec> {
    use MethodName::{Adam, ExpSav, IeqAdaptive, IeqFull, Sav, Sgd};
    let mut specs = Vec::new();
    for method in [Sgd, Adam, Sav, ExpSav, IeqAdaptive, IeqFull] {
        specs.push(Spec::new(task, method));
        if method.meaning().has_auxiliary() {
            let relaxed = Spec { relaxed: true, ..Spec::new(task, method) };
            // On cross-entropy the vector-valued relaxed IEQ trains the Brier score.
            let brier = method == IeqFull && task == TaskName::Mnist;
            specs.push(Spec { residual: brier.then_some(ResidualName::Brier), ..relaxed });
        }
    }
    // Not relaxed: in batches the relaxed variable falls so fast under this metric that it freezes.
    specs.push(Spec { operator: OperatorName::Diagonal, lambda: 100.0, ..Spec::new(task, Sav) });
    specs
}

/// Gaussian regression with noise: first-order methods take 30,000 steps, full IEQ far fewer.
pub(super) fn regression(spec: Spec) -> Spec {
    let full = spec.method == MethodName::IeqFull;
    Spec {
        samples: 10_000,
        noise: 0.01,
        steps: Some(if full { 3_000 } else { 30_000 }),
        schedule: ScheduleName::Cosine,
        ..spec
    }
}

/// MNIST with a cosine schedule: 10 epochs in batches of 100; full IEQ, whose time grows with the
/// cube of the batch, 2 epochs in batches of 64.
pub(super) fn digits(spec: Spec) -> Spec {
    let full = spec.method == MethodName::IeqFull;
    Spec {
        batch: BatchSize::Of(if full { 64 } else { 100 }),
        epochs: Some(if full { 2 } else { 10 }),
        schedule: ScheduleName::Cosine,
        ..spec
    }
}

const PUBLISHED: &str = "published";
const GOAL: &str = "goal";

fn default(seeds: u64, tuned: &Tuned) -> Plan {
    let mut plan = Plan::default();
    for spec in methods(TaskName::Gaussian) {
        plan.add(&tuned.apply(regression(spec)), "", 0..seeds);
    }
    noiseless(&mut plan, seeds.max(5));
    for spec in methods(TaskName::Mnist) {
        plan.add(&tuned.apply(digits(spec)), "", 0..seeds);
    }
    plan.goals = default_goals();
    plan
}

/// Full IEQ on noiseless data: a few steps are enough, and no step size needs to be chosen.
fn noiseless(plan: &mut Plan, seeds: u64) {
    let base =
        Spec { noise: 0.0, samples: 2_000, ..Spec::new(TaskName::Gaussian, MethodName::IeqFull) };
    let batches = Spec { dt: Some(1e4), steps: Some(25), ..base.clone() };
    plan.add(&batches, ", noiseless", 0..seeds);
    let controlled = Spec {
        control: ControlName::GainRatio,
        dt: Some(1.0),
        batch: BatchSize::Full,
        steps: Some(60),
        init: Some(InitChoice::Kaiming),
        output_bias: true,
        solver: Some(SolverName::Cholesky),
        ..base
    };
    plan.add(&controlled, ", noiseless", 0..seeds);
}

fn default_goals() -> Vec<Goal> {
    let mut goals = Vec::new();
    let mut add = |task, label: &str, metric: &str, statistic, at_most, bound, source| {
        let (label, metric) = (label.to_owned(), metric.to_owned());
        goals.push(Goal { task, label, metric, statistic, at_most, bound, source });
    };
    use Statistic::{Mean, Median, Worst};
    let gaussian = TaskName::Gaussian;
    for (label, bound, source) in [
        ("SAV", 1e-5, GOAL),
        ("ExpSAV", 1e-5, PUBLISHED),
        ("IEQ adaptive", 1e-5, PUBLISHED),
        ("IEQ full", 1e-5, PUBLISHED),
        ("IEQ full", 3e-6, GOAL),
    ] {
        add(gaussian, label, "test_loss_clean", Mean, true, bound, source);
    }
    add(gaussian, "IEQ full, noiseless", "steps to 1e-5", Worst, true, 25.0, GOAL);
    let controlled = "IEQ full, gain ratio, noiseless";
    add(gaussian, controlled, "steps to 1e-5", Median, true, 10.0, GOAL);
    add(gaussian, controlled, "steps to 1e-6", Median, true, 20.0, GOAL);
    add(gaussian, controlled, "test_loss_clean", Median, true, 3e-7, GOAL);
    let mnist = TaskName::Mnist;
    for label in ["ExpSAV", "IEQ adaptive", "IEQ full"] {
        add(mnist, label, "test_accuracy", Mean, false, 0.92, PUBLISHED);
    }
    for label in ["SAV", "ExpSAV"] {
        add(mnist, label, "test_accuracy", Mean, false, 0.975, GOAL);
    }
    add(mnist, "IEQ adaptive", "test_accuracy", Mean, false, 0.979, GOAL);
    goals
}

/// The source's settings. Its network has no output bias and Kaiming weights; its auxiliary
/// variables start from the whole training set; its residuals are unscaled.
fn seed(seeds: u64) -> Plan {
    let mut plan = Plan::default();
    for task in [TaskName::Gaussian, TaskName::Mnist] {
        for spec in seed_methods(task) {
            plan.add(&spec, "", 0..seeds);
        }
        let (metric, at_most, bound) = match task {
            TaskName::Gaussian => ("test_loss_clean", true, 1e-5),
            _ => ("test_accuracy", false, 0.92),
        };
        for label in seed_claims(task) {
            plan.goals.push(Goal {
                task,
                label: label.to_owned(),
                metric: metric.to_owned(),
                statistic: Statistic::Mean,
                at_most,
                bound,
                source: PUBLISHED,
            });
        }
    }
    plan
}

const fn seed_claims(task: TaskName) -> [&'static str; 3] {
    match task {
        TaskName::Gaussian => ["ExpSAV", "IEQ adaptive, raw", "IEQ full, raw"],
        _ => ["ExpSAV", "IEQ adaptive, logit", "IEQ full, logit"],
    }
}

fn seed_methods(task: TaskName) -> Vec<Spec> {
    let regression = task == TaskName::Gaussian;
    let residual = Some(if regression { ResidualName::Raw } else { ResidualName::Logit });
    let base = |method, dt| Spec {
        samples: 10_000,
        noise: 0.01,
        init: Some(InitChoice::Kaiming),
        batch: BatchSize::Of(256),
        epochs: Some(if regression { 200 } else { 10 }),
        dt: Some(dt),
        ..Spec::new(task, method)
    };
    let ratio = Some(CouplingName::Ratio);
    vec![
        base(MethodName::Sgd, 1e-3),
        base(MethodName::Adam, 1e-3),
        Spec {
            c: 100.0,
            lambda: 4.0,
            coupling: ratio,
            r0: Start::Train,
            ..base(MethodName::Sav, 0.1)
        },
        Spec {
            lambda: if regression { 1.0 } else { 0.0 },
            coupling: ratio,
            r0: Start::Train,
            ..base(MethodName::ExpSav, 0.1)
        },
        Spec { residual, ..base(MethodName::IeqAdaptive, 0.1) },
        // 2,560 residuals a batch on MNIST: conjugate gradients, and one epoch.
        Spec {
            residual,
            solver: Some(SolverName::Cg),
            epochs: Some(if regression { 20 } else { 1 }),
            ..base(MethodName::IeqFull, 0.1)
        },
    ]
}

/// The step sizes of the sweep.
pub(super) const DECADES: [f64; 9] = [1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5];

/// Every method at every Δt, constant, λ = 1 where there is an operator.
fn stability(seeds: u64, _tuned: &Tuned) -> Plan {
    let mut plan = Plan::default();
    for task in [TaskName::Gaussian, TaskName::Mnist] {
        for spec in methods(task) {
            for dt in DECADES {
                plan.add_point(&sweep_point(&spec, dt), 0..seeds);
            }
        }
    }
    plan
}

fn sweep_point(spec: &Spec, dt: f64) -> Spec {
    let full = spec.method == MethodName::IeqFull;
    let mnist = spec.task == TaskName::Mnist;
    let lambda = match spec.method {
        MethodName::Sav | MethodName::ExpSav if spec.operator == OperatorName::Scalar => 1.0,
        _ => spec.lambda,
    };
    Spec {
        dt: Some(dt),
        lambda,
        noise: 0.0,
        batch: BatchSize::Of(if mnist && !full { 100 } else { 64 }),
        epochs: mnist.then_some(if full { 1 } else { 2 }),
        steps: (!mnist).then_some(if full { 1_000 } else { 10_000 }),
        ..spec.clone()
    }
}

fn quick(seeds: u64, tuned: &Tuned) -> Plan {
    let mut plan = Plan::default();
    for spec in methods(TaskName::Gaussian) {
        let spec = tuned.apply(regression(spec));
        let steps = spec.steps.map(|steps| steps / 10);
        plan.add(&Spec { steps, samples: 2_000, ..spec }, "", 0..seeds);
    }
    for spec in methods(TaskName::Mnist) {
        let full = spec.method == MethodName::IeqFull;
        let spec = tuned.apply(digits(spec));
        let (epochs, steps) = if full { (None, Some(100)) } else { (Some(1), None) };
        plan.add(&Spec { epochs, steps, ..spec }, "", 0..seeds);
    }
    plan
}
