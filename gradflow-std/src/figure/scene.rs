//! What the figures of a task share: its groups, their pens, the horizontal axis.

use std::collections::BTreeMap;

use anyhow::Result;

use super::axis::Axis;
use super::chart::Series;
use super::pen::Pen;
use super::thin::{Bucket, band, line, thin};
use crate::report::{Columns, Expectation, Group, Metric, Metrics, Suite, family};

/// A task of a suite.
pub(super) struct Scene<'a> {
    pub(super) task: &'a str,
    pub(super) metric: Metric,
    /// Methods run at one Δt.
    pub(super) single: Vec<Group<'a>>,
    /// Methods run at several, each with its groups by rising Δt.
    pub(super) swept: Vec<Vec<Group<'a>>>,
    pens: BTreeMap<&'a str, Pen>,
    expectations: &'a [Expectation],
}

impl<'a> Scene<'a> {
    pub(super) fn new(suite: &'a Suite, task: &'a str) -> Self {
        let methods = suite.methods(task);
        let mut variants = BTreeMap::<usize, usize>::new();
        let mut pens = BTreeMap::new();
        for method in &methods {
            let shared = method[0].shared;
            let variant = variants.entry(family(&shared.method)).or_default();
            pens.insert(shared.label.as_str(), pen(&shared.method).dashed(*variant));
            *variant += 1;
        }
        let (single, swept): (Vec<_>, _) = methods.into_iter().partition(|m| m.len() == 1);
        let single = single.into_iter().flatten().collect();
        let expectations = &suite.facts.expectations;
        Self { task, metric: suite.metric(task), single, swept, pens, expectations }
    }

    pub(super) fn pen(&self, metrics: &Metrics) -> Pen {
        self.pens.get(metrics.label.as_str()).copied().unwrap_or_else(|| Pen::nth(0))
    }

    pub(super) fn is_classification(&self) -> bool {
        self.metric == Metric::Accuracy
    }

    /// The task in words.
    pub(super) fn title(&self) -> String {
        task_title(self.task)
    }

    /// Steps on a logarithmic axis? A regression falls by powers of ten; classification does not.
    pub(super) fn log_steps(&self) -> bool {
        let least = self.single.iter().map(steps).min().unwrap_or(1);
        !self.is_classification() || self.steps() / least.max(1) > 20
    }

    /// Steps of the longest run of all methods.
    pub(super) fn steps(&self) -> u64 {
        self.single.iter().map(steps).max().unwrap_or(1)
    }

    /// Bounds on the metric that are expected of more than one method.
    pub(super) fn bounds(&self) -> Vec<f64> {
        let of_metric = |e: &&Expectation| e.task == self.task && e.metric == self.metric.name();
        let mut bounds: Vec<f64> =
            self.expectations.iter().filter(of_metric).map(|e| e.value).collect();
        bounds.sort_by(f64::total_cmp);
        bounds.chunk_by(|a, b| a == b).filter(|same| same.len() > 1).map(|same| same[0]).collect()
    }
}

/// The task in words.
pub(crate) fn task_title(task: &str) -> String {
    match task {
        "gaussian" => "Gaussian regression".into(),
        "sin-cos" => "Sum of sines and cosines".into(),
        "quadratic" => "Weighted sum of squares".into(),
        "gaussian-10" => "Gaussian in ten dimensions".into(),
        "mnist" => "MNIST".into(),
        "fashion-mnist" => "Fashion-MNIST".into(),
        other => other.into(),
    }
}

/// A colour for each family of methods, the same in every figure.
fn pen(method: &str) -> Pen {
    let colours = [6, 3, 0, 1, 4, 2, 5];
    Pen::nth(colours.get(family(method)).copied().unwrap_or(5))
}

/// The axis of steps. Counted from 1 if logarithmic, as 0 has no place there.
pub(super) fn step_axis(steps: u64, log: bool) -> Axis {
    let end = steps.max(2) as f64;
    if log {
        Axis::log("step (the first is 1)").range(1.0, end)
    } else {
        Axis::linear("step").range(0.0, end)
    }
}

/// Steps of the longest run.
pub(super) fn steps(group: &Group<'_>) -> u64 {
    group.runs.iter().map(|run| run.metrics.steps).max().unwrap_or(1)
}

/// The tables of a group, one a seed.
pub(super) struct Tables {
    pub(super) traces: Vec<Columns>,
    pub(super) epochs: Vec<Columns>,
}

impl Tables {
    pub(super) fn read(group: &Group<'_>) -> Result<Self> {
        Ok(Self {
            traces: group.runs.iter().map(|run| run.trace()).collect::<Result<_>>()?,
            epochs: group.runs.iter().map(|run| run.epochs()).collect::<Result<_>>()?,
        })
    }

    /// A column of the traces against the step, thinned to `count` buckets.
    pub(super) fn trace(&self, name: &str, log: bool, count: usize) -> Result<Vec<Bucket>> {
        let shift = if log { 1.0 } else { 0.0 };
        Ok(thin(pairs(&self.traces, "step", name, shift)?.into_iter(), count, log))
    }

    /// A column of the epochs against another.
    pub(super) fn epoch(&self, x: &str, y: &str, log: bool) -> Result<Vec<Bucket>> {
        Ok(thin(pairs(&self.epochs, x, y, 0.0)?.into_iter(), 160, log))
    }
}

fn pairs(tables: &[Columns], x: &str, y: &str, shift: f64) -> Result<Vec<(f64, f64)>> {
    let mut all = Vec::new();
    for table in tables {
        let (xs, ys) = (table.column(x)?, table.column(y)?);
        all.extend(xs.iter().zip(ys).map(|(x, y)| (x + shift, *y)));
    }
    Ok(all)
}

/// Buckets as a line, with their band if it has any width.
pub(super) fn curve(label: &str, buckets: &[Bucket], banded: bool) -> Series {
    let series = Series::line(label, line(buckets));
    let wide = buckets.iter().any(|b| b.low < b.high);
    if banded && wide { series.band(band(buckets)) } else { series }
}

/// Steps at which runs of a group diverged, as places on the axis of steps.
pub(super) fn lost(group: &Group<'_>, log: bool) -> Vec<f64> {
    let shift = if log { 1.0 } else { 0.0 };
    group
        .runs
        .iter()
        .filter_map(|run| run.metrics.diverged_at)
        .map(|step| step as f64 + shift)
        .collect()
}

/// How the lines and bands of a group are to be read.
pub(super) fn seeds(count: usize) -> String {
    match count {
        1 => "one seed".into(),
        _ => format!("{count} seeds; line: median, band: smallest to largest"),
    }
}
