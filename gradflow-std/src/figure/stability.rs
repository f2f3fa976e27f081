//! Final accuracy and loss against Δt: the figure that shows why these schemes exist.

use super::axis::Axis;
use super::chart::{Chart, Edge, Series};
use super::method::Named;
use super::scene::{Scene, seeds};
use crate::report::{Group, Metric, Spread};

/// A final loss beyond this has diverged for every purpose, even if it is finite.
const HOPELESS: f64 = 1e6;

pub(super) fn figure(scene: &Scene<'_>) -> Option<Named> {
    if scene.swept.is_empty() {
        return None;
    }
    let first = scene.metric;
    let title = format!("Stability over Δt: {}", scene.title());
    let mut charts = vec![chart(scene, first, &title)];
    if scene.is_classification() {
        charts.push(chart(scene, Metric::TestLoss, ""));
    }
    let caption = "Every method over the whole range of step sizes, each with as many steps at one Δt as at \
                   another. A cross in the lane marks a step size at which at least one seed diverged.";
    Some(("stability", caption.into(), charts))
}

fn chart(scene: &Scene<'_>, metric: Metric, title: &str) -> Chart {
    let (y, edge) = match metric {
        Metric::Accuracy => {
            (Axis::linear("final test accuracy").percent().range(0.0, 1.0), Edge::Bottom)
        }
        _ => (Axis::log(format!("final {}", metric.words())), Edge::Top),
    };
    let count = scene.swept.iter().flatten().map(|group| group.runs.len()).max().unwrap_or(1);
    let mut chart = Chart::new(title, Axis::log("Δt"), y).edge(edge).height(250.0);
    if !title.is_empty() {
        chart = chart.subtitle(seeds(count).replace("median", "mean"));
    }
    for method in &scene.swept {
        chart = chart.add(series(scene, method, metric));
    }
    chart
}

fn series(scene: &Scene<'_>, method: &[Group<'_>], metric: Metric) -> Series {
    let (mut points, mut band, mut lost) = (Vec::new(), Vec::new(), Vec::new());
    for group in method {
        let Some(dt) = group.shared.dt else { continue };
        let kept = |v: &f64| v.is_finite() && *v < HOPELESS;
        let spread = Spread::of(group.values(metric).map(|v| v.filter(kept)));
        let diverged = group.runs.iter().any(|run| run.metrics.diverged);
        if diverged || spread.missing > 0 {
            lost.push(dt);
        }
        // A gap in the line where nothing is left, not a bridge over it.
        points.push((dt, spread.mean));
        band.push((dt, spread.min, spread.max));
    }
    let shared = method[0].shared;
    Series::line(&shared.label, points).band(band).lost(lost).pen(scene.pen(shared))
}
