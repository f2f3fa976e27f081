//! The figures of one method: loss, energy against loss, κ, step size, accuracy, fitted curve.

use anyhow::Result;

use super::axis::Axis;
use super::chart::{Chart, Edge, Series};
use super::number::{percent, short};
use super::pen::Pen;
use super::scene::{Scene, Tables, curve, lost, seeds, step_axis, steps};
use super::thin::{Bucket, line, thin};
use crate::report::{Columns, Group, Metric, Metrics, Spread};

const BUCKETS: usize = 300;

/// A figure's name, its caption and its charts.
pub(super) type Named = (&'static str, String, Vec<Chart>);

pub(super) fn figures(scene: &Scene<'_>, group: &Group<'_>, tables: &Tables) -> Result<Vec<Named>> {
    let view = View { scene, group, tables, log: scene.log_steps() };
    let mut figures = vec![view.loss()?];
    figures.extend(view.energy()?);
    figures.extend(view.kappa()?);
    figures.extend(view.step_size()?);
    figures.extend(view.accuracy()?);
    figures.extend(view.fit()?);
    Ok(figures)
}

struct View<'a> {
    scene: &'a Scene<'a>,
    group: &'a Group<'a>,
    tables: &'a Tables,
    log: bool,
}

impl View<'_> {
    fn pen(&self) -> Pen {
        self.scene.pen(self.group.shared)
    }

    fn steps(&self) -> Axis {
        step_axis(steps(self.group), self.log)
    }

    fn chart(&self, what: &str, x: Axis, y: Axis) -> Chart {
        let title = format!("{what}: {}, {}", self.group.shared.label, self.scene.title());
        Chart::new(title, x, y).subtitle(seeds(self.group.runs.len()))
    }

    fn loss(&self) -> Result<Named> {
        let batch = self.tables.trace("loss", self.log, BUCKETS)?;
        let mut chart = self.chart("Loss", self.steps(), Axis::log("loss"));
        let label = if self.group.shared.batch.is_some() { "batch" } else { "full batch" };
        let lost = lost(self.group, self.log);
        chart = chart.add(curve(label, &batch, true).pen(self.pen().dashed(0)).lost(lost));
        let losses = [
            ("train", "train_loss", Pen::nth(6).dashed(1)),
            ("test", "test_loss", Pen::nth(3).dashed(2)),
            ("test, noiseless", "test_loss_clean", Pen::nth(5).dashed(0)),
        ];
        for (label, name, pen) in losses {
            let buckets = self.tables.epoch("step", name, self.log)?;
            if let Some(last) = buckets.last() {
                chart = chart.add(curve(label, &buckets, true).pen(pen).note(short(last.median)));
            }
        }
        let caption = "Loss on the batch of each step, and over the whole training and test set. \
                       The band of the batch loss reaches from the smallest to the largest value, so no spike is lost.";
        Ok(("loss", caption.into(), vec![chart]))
    }

    /// The modified energy, which the law binds, and what it stands for.
    fn energy(&self) -> Result<Option<Named>> {
        let energy = self.tables.trace("energy", self.log, BUCKETS)?;
        if energy.is_empty() {
            return Ok(None);
        }
        let (stands_for, name, shift) = energy_words(self.group.shared);
        let mut truth = self.tables.trace("loss", self.log, BUCKETS)?;
        for bucket in &mut truth {
            bucket.low += shift;
            bucket.median += shift;
            bucket.high += shift;
        }
        let positive = energy.iter().all(|b| b.low >= 0.0);
        let y = if positive { Axis::log("energy") } else { Axis::linear("energy") };
        let grey = Pen::nth(6).dashed(1);
        let chart = self
            .chart("Modified energy against true loss", self.steps(), y)
            .add(curve(stands_for, &truth, true).pen(grey))
            .add(curve(name, &energy, true).pen(self.pen().dashed(0)));
        let caption = format!(
            "The law binds the modified energy, {name}. It stands for {stands_for}, the true loss on the \
             step's batch; where the two part, the law says nothing about the loss."
        );
        Ok(Some(("energy", caption, vec![chart])))
    }

    fn kappa(&self) -> Result<Option<Named>> {
        let kappa = self.tables.trace("kappa", self.log, BUCKETS)?;
        let xi = self.tables.trace("xi", self.log, BUCKETS)?;
        let mut charts = Vec::new();
        if !kappa.is_empty() {
            let small = kappa.iter().any(|b| b.low < 0.05);
            let y =
                if small { Axis::log("κ") } else { Axis::linear("κ").range(0.0, top(&kappa)) };
            charts.push(
                self.chart("Coupling κ", self.steps(), y)
                    .height(if xi.is_empty() { 260.0 } else { 190.0 })
                    .add(curve("κ", &kappa, true).pen(self.pen().dashed(0)).note(last(&kappa))),
            );
        }
        if !xi.is_empty() {
            let y = Axis::linear("ξ₀").range(0.0, 1.0);
            let mut chart = self.chart("Relaxation ξ₀", self.steps(), y).height(150.0);
            if !kappa.is_empty() {
                chart = chart.subtitle("0: the definition; 1: the recursion");
            }
            charts.push(chart.add(curve("ξ₀", &xi, true).pen(Pen::nth(5)).note(last(&xi))));
        }
        let caption = "κ is how much of the auxiliary variable's drift acts on the step: 1 is a plain step, \
                       towards 0 training freezes. ξ₀ is how far relaxation had to stay from the definition.";
        Ok((!charts.is_empty()).then(|| ("kappa", caption.into(), charts)))
    }

    /// Only where the step size is controlled.
    fn step_size(&self) -> Result<Option<Named>> {
        let dt = self.tables.trace("dt", self.log, BUCKETS)?;
        let first = dt.first().map_or(0.0, |b| b.low);
        if dt.iter().all(|b| b.low == first && b.high == first) {
            return Ok(None);
        }
        let chart = self
            .chart("Step size", self.steps(), Axis::log("Δt"))
            .height(240.0)
            .add(curve("Δt", &dt, true).pen(self.pen().dashed(0)).note(last(&dt)));
        let caption = "The step size that the control or the schedule chose.";
        Ok(Some(("dt", caption.into(), vec![chart])))
    }

    fn accuracy(&self) -> Result<Option<Named>> {
        let accuracy = self.tables.epoch("epoch", "test_accuracy", false)?;
        if accuracy.len() < 2 {
            return Ok(None);
        }
        let note = percent(Spread::of(self.group.values(Metric::Accuracy)).mean, 2);
        let chart = self
            .chart("Test accuracy", Axis::linear("epoch"), Axis::linear("test accuracy").percent())
            .edge(Edge::Bottom)
            .add(curve("accuracy", &accuracy, true).pen(self.pen()).note(note));
        let caption = "Share of the test images that are classified correctly, after each epoch.";
        Ok(Some(("accuracy", caption.into(), vec![chart])))
    }

    fn fit(&self) -> Result<Option<Named>> {
        let fits: Vec<Columns> = self
            .group
            .runs
            .iter()
            .filter_map(|run| run.fit().transpose())
            .collect::<Result<_>>()?;
        if fits.is_empty() {
            return Ok(None);
        }
        let grid = |y: &dyn Fn(f64, f64) -> f64| -> Result<Vec<Bucket>> {
            let mut points = Vec::new();
            for fit in &fits {
                let (x, target, prediction) =
                    (fit.column("x")?, fit.column("target")?, fit.column("prediction")?);
                points.extend(
                    x.iter().zip(target.iter().zip(prediction)).map(|(x, (t, p))| (*x, y(*t, *p))),
                );
            }
            Ok(thin(points.into_iter(), 240, false))
        };
        let (target, prediction) = (grid(&|t, _| t)?, grid(&|_, p| p)?);
        let error = grid(&|t, p| p - t)?;
        let pen = self.pen().dashed(0);
        let fitted = self
            .chart("Fitted curve", Axis::linear("x").tight(), Axis::linear("f(x)"))
            .height(230.0)
            .add(Series::pale("target", line(&target)).pen(Pen::nth(6)))
            .add(curve("network", &prediction, true).pen(pen));
        let below = Chart::new(
            "Error of the fit",
            Axis::linear("x").tight(),
            Axis::linear("network − target"),
        )
        .height(120.0)
        .add(curve("error", &error, true).pen(pen));
        let caption =
            "The trained network over the noiseless target, and below it what is left, enlarged.";
        Ok(Some(("fit", caption.into(), vec![fitted, below])))
    }
}

fn top(buckets: &[Bucket]) -> f64 {
    1.05 * buckets.iter().map(|b| b.high).fold(1.0, f64::max)
}

fn last(buckets: &[Bucket]) -> String {
    buckets.last().map(|b| short(b.median)).unwrap_or_default()
}

/// What the modified energy stands for, its name, and what the loss is raised by to compare them.
fn energy_words(metrics: &Metrics) -> (&'static str, &'static str, f64) {
    let c = metrics.c.unwrap_or(0.0);
    match metrics.method.as_str() {
        "sav" => ("L + C", "r²", c),
        "exp-sav" => ("L + ln C", "ln r", c.log10() * std::f64::consts::LN_10),
        _ => ("L", "½‖q‖²", 0.0),
    }
}
