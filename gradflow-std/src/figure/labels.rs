//! Labels right of the plot, each beside the end of its line, none on top of another.

use std::fmt::Write as _;

use super::chart::{Form, Series};
use super::path::Path;
use super::plot::Plot;
use super::series::{label_mark, mark_style, stroke};
use super::text::{escape, width};

const SIZE: f64 = 13.0;
const ROW: f64 = 17.0;
const LEADER: f64 = 12.0;
const SWATCH: f64 = 24.0;
/// Where the first fonts of the list are missing, wider ones take their place.
const WIDER: f64 = 1.07;

/// Room that the labels need.
pub(super) fn room(plot: &Plot<'_>) -> f64 {
    let widths = plot.chart.series.iter().filter(|s| !s.label.is_empty()).map(|s| {
        let note = if s.note.is_empty() { 0.0 } else { width(&s.note, 12.0) + 6.0 };
        width(&s.label, SIZE) + note
    });
    widths.fold(0.0, f64::max) * WIDER + LEADER + SWATCH + 14.0
}

pub(super) fn draw(plot: &Plot<'_>, out: &mut String) {
    let series = &plot.chart.series;
    let named: Vec<usize> = (0..series.len()).filter(|&i| !series[i].label.is_empty()).collect();
    let wanted: Vec<f64> = named.iter().map(|&i| wanted(plot, &series[i])).collect();
    let places = apart(&wanted, ROW, plot.top + 4.0, plot.bottom - 4.0);
    for ((&index, place), wanted) in named.iter().zip(places).zip(wanted) {
        label(plot, index, place, wanted, out);
    }
}

/// The height at which a line ends: its last point's, or that of the lane where it was lost later.
fn wanted(plot: &Plot<'_>, series: &Series) -> f64 {
    let last = series.points.iter().rev().find(|p| p.1.is_finite());
    let lost = series.lost.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match last {
        Some(&(x, y)) if x >= lost => plot.y_at(y),
        _ => plot.lane_at(0),
    }
}

fn label(plot: &Plot<'_>, index: usize, y: f64, end: f64, out: &mut String) {
    let (series, pen) = (&plot.chart.series[index], plot.pens[index]);
    let start = plot.right + LEADER;
    let last = series.points.iter().rev().find(|p| p.1.is_finite());
    if last.is_some_and(|p| series.form != Form::Dots && plot.x_at(p.0) > plot.right - 20.0) {
        let mut path = Path::default();
        path.move_to(plot.right + 3.0, end);
        path.line_to(start - 2.0, y);
        let _ = writeln!(out, r#"<path class="leader" d="{}"/>"#, path.as_str());
    }
    let _ = write!(out, r#"<g class="c{}">"#, pen.colour);
    if series.form != Form::Dots {
        let line = stroke(series, pen);
        let _ = write!(out, r#"<path {line} d="M{start:.1} {y:.1}h{SWATCH}"/>"#);
    }
    if let Some(mark) = label_mark(series, pen) {
        let mut path = Path::default();
        path.move_to(start + 0.5 * SWATCH, y);
        path.push(mark.path());
        let _ = write!(out, r#"<path {} d="{}"/>"#, mark_style(pen), path.as_str());
    }
    let _ = write!(
        out,
        r#"<text x="{:.1}" y="{:.1}" font-size="{SIZE}">{}"#,
        start + SWATCH + 6.0,
        y + 4.5,
        escape(&series.label)
    );
    if !series.note.is_empty() {
        let note = escape(&series.note);
        let _ = write!(out, r#"<tspan class="soft" dx="6" font-size="12">{note}</tspan>"#);
    }
    let _ = writeln!(out, "</text></g>");
}

/// Moves the wanted heights as little as needed so that neighbours are `gap` apart within
/// `top..=bottom`. Runs that touch are merged and centred on what they wanted, from the top down.
fn apart(wanted: &[f64], gap: f64, top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]).then(a.cmp(&b)));
    // Each run: its members' wanted centres, and how many they are.
    let mut runs: Vec<(f64, usize)> = Vec::new();
    let held = |centre: f64, count: usize| {
        let half = 0.5 * gap * (count - 1) as f64;
        centre.min(bottom - half).max(top + half)
    };
    for &i in &order {
        runs.push((held(wanted[i], 1), 1));
        while let [.., (above, n), (below, m)] = runs[..] {
            let touching = below - above < 0.5 * gap * (n + m) as f64;
            if !touching {
                break;
            }
            let centre = (above * n as f64 + below * m as f64) / (n + m) as f64;
            runs.truncate(runs.len() - 2);
            runs.push((held(centre, n + m), n + m));
        }
    }
    let mut places = vec![0.0; wanted.len()];
    let mut sorted = order.iter();
    for (centre, count) in runs {
        let first = centre - 0.5 * gap * (count - 1) as f64;
        for (row, &i) in sorted.by_ref().take(count).enumerate() {
            places[i] = first + gap * row as f64;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_apart_and_inside() {
        let wanted = [100.0, 101.0, 5.0, 299.0, 300.0, 300.0, 102.0];
        let places = apart(&wanted, 17.0, 4.0, 296.0);
        let mut sorted = places.clone();
        sorted.sort_by(f64::total_cmp);
        for pair in sorted.windows(2) {
            assert!(pair[1] - pair[0] >= 17.0 - 1e-9, "{places:?}");
        }
        assert!(sorted[0] >= 4.0 && sorted[6] <= 296.0, "{places:?}");
        assert_eq!(places[1], 101.0, "the middle of a run stays where it belongs");
    }
}
