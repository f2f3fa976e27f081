//! Figures across the methods of a task: loss, accuracy, error.

use anyhow::Result;

use super::axis::Axis;
use super::chart::{Chart, Edge};
use super::method::Named;
use super::number::{exact, percent, short};
use super::scene::{Scene, Tables, curve, lost, seeds, step_axis, steps};
use super::thin::Bucket;
use crate::report::{Group, Metric, Spread};

/// Buckets over the whole axis: few enough to calm the noise of single batches.
const BUCKETS: f64 = 120.0;

/// Bands are drawn for this many lines at most; more would hide one another.
const BANDS: usize = 4;

/// Thinned curves of one method, kept while the next one's tables are read.
pub(super) struct Curves<'a> {
    group: &'a Group<'a>,
    loss: Vec<Bucket>,
    accuracy: Vec<Bucket>,
    error: Vec<Bucket>,
}

impl<'a> Curves<'a> {
    pub(super) fn of(scene: &Scene<'_>, group: &'a Group<'a>, tables: &Tables) -> Result<Self> {
        let log = scene.log_steps();
        // Buckets as wide for short runs as for the longest.
        let length = |steps: u64| {
            let steps = steps.max(2) as f64;
            if log { steps.log10() } else { steps }
        };
        let share = length(steps(group)) / length(scene.steps());
        let count = (BUCKETS * share).ceil() as usize;
        let classifies = scene.is_classification();
        let mut error = if classifies {
            tables.epoch("epoch", "test_accuracy", false)?
        } else {
            tables.epoch("step", scene.metric.name(), log)?
        };
        let accuracy = if classifies { error.clone() } else { Vec::new() };
        if classifies {
            for bucket in &mut error {
                (bucket.low, bucket.high) = (1.0 - bucket.high, 1.0 - bucket.low);
                bucket.median = 1.0 - bucket.median;
            }
        }
        Ok(Self { group, loss: tables.trace("loss", log, count)?, accuracy, error })
    }
}

pub(super) fn figures(scene: &Scene<'_>, curves: &[Curves<'_>]) -> Vec<Named> {
    if curves.len() < 2 {
        return Vec::new();
    }
    let mut figures = vec![loss(scene, curves)];
    if curves.iter().any(|of| of.error.len() > 1) {
        figures.push(error(scene, curves));
    }
    if scene.is_classification() && curves.iter().any(|of| of.accuracy.len() > 1) {
        figures.push(accuracy(scene, curves));
    }
    figures
}

fn loss(scene: &Scene<'_>, curves: &[Curves<'_>]) -> Named {
    let log = scene.log_steps();
    let title = format!("Training loss: {}", scene.title());
    let mut chart =
        Chart::new(title, step_axis(scene.steps(), log), Axis::log("loss of the step's batch"))
            .subtitle(format!("{}, all steps in a bucket together", runs(curves)))
            .height(340.0);
    for of in curves {
        let series = curve(&of.group.shared.label, &of.loss, curves.len() <= BANDS);
        chart = chart.add(series.pen(scene.pen(of.group.shared)).lost(lost(of.group, log)));
    }
    let mut caption = "Loss on the batch of each step, every method on the same data. \
                       Bands and spikes are in each method's own figure."
        .to_owned();
    let brier = |of: &Curves<'_>| of.group.shared.residual.as_deref() == Some("brier");
    if curves.iter().any(brier) {
        caption += " What trains on the Brier score has another loss, not to be compared.";
    }
    ("loss", caption, vec![chart])
}

fn error(scene: &Scene<'_>, curves: &[Curves<'_>]) -> Named {
    let log = scene.log_steps();
    let classifies = scene.is_classification();
    let (x, y, caption) = if classifies {
        let y = Axis::log("test error").percent();
        (Axis::linear("epoch"), y, "Share of the test images that are classified wrongly.")
    } else if scene.metric == Metric::CleanLoss {
        let y = Axis::log("mean squared error, noiseless");
        (
            step_axis(scene.steps(), log),
            y,
            "Mean squared error against the noiseless target: what the noise cannot hide.",
        )
    } else {
        (step_axis(scene.steps(), log), Axis::log(scene.metric.words()), "Error after each epoch.")
    };
    let title = format!("{}: {}", if classifies { "Test error" } else { "Error" }, scene.title());
    let mut chart = Chart::new(title, x, y).subtitle(runs(curves)).height(340.0);
    for bound in scene.bounds() {
        chart = if classifies {
            chart.rule(1.0 - bound, format!("expected: at most {}", percent(1.0 - bound, 1)))
        } else {
            chart.rule(bound, format!("expected: at most {}", exact(bound)))
        };
    }
    for of in curves {
        let mean = Spread::of(of.group.values(scene.metric)).mean;
        let note = if classifies { percent(1.0 - mean, 2) } else { short(mean) };
        let series = curve(&of.group.shared.label, &of.error, true).note(note);
        chart = chart.add(series.pen(scene.pen(of.group.shared)));
    }
    let note = format!("{caption} The numbers are means over the seeds at the end.");
    ("error", note, vec![chart])
}

fn accuracy(scene: &Scene<'_>, curves: &[Curves<'_>]) -> Named {
    let title = format!("Test accuracy: {}", scene.title());
    let mut chart =
        Chart::new(title, Axis::linear("epoch"), Axis::linear("test accuracy").percent())
            .subtitle(runs(curves))
            .edge(Edge::Bottom)
            .height(340.0);
    for bound in scene.bounds() {
        chart = chart.rule(bound, format!("expected: at least {}", percent(bound, 1)));
    }
    for of in curves {
        let note = percent(Spread::of(of.group.values(Metric::Accuracy)).mean, 2);
        let series = curve(&of.group.shared.label, &of.accuracy, true).note(note);
        chart = chart.add(series.pen(scene.pen(of.group.shared)));
    }
    let caption = "Share of the test images that are classified correctly, after each epoch. \
                   The numbers are means over the seeds at the end.";
    ("accuracy", caption.into(), vec![chart])
}

fn runs(curves: &[Curves<'_>]) -> String {
    seeds(curves.iter().map(|of| of.group.runs.len()).max().unwrap_or(1))
}
