//! Lines, bands, points and crosses of the series.

use std::fmt::Write as _;

use super::chart::{Form, Series};
use super::path::Path;
use super::pen::{Mark, Pen};
use super::plot::Plot;

/// Lines with up to this many points have a mark at each.
const MARK_EACH: usize = 30;

/// Others have this many along their way.
const MARKS_ALONG: usize = 5;

pub(super) fn band(plot: &Plot<'_>, series: &Series, pen: Pen, out: &mut String) {
    let shown =
        |b: &&(f64, f64, f64)| plot.chart.x.shows(b.0) && b.1.is_finite() && b.2.is_finite();
    let rows: Vec<_> = series.band.iter().filter(shown).collect();
    if rows.len() < 2 {
        return;
    }
    let mut path = Path::default();
    for (i, &&(x, _, high)) in rows.iter().enumerate() {
        let (x, y) = (plot.x_at(x), plot.y_at(high));
        if i == 0 {
            path.move_to(x, y);
        } else {
            path.line_to(x, y);
        }
    }
    for &&(x, low, _) in rows.iter().rev() {
        path.line_to(plot.x_at(x), plot.y_at(low));
    }
    path.close();
    let _ = writeln!(
        out,
        r#"<path class="c{}" fill="currentColor" fill-opacity=".2" d="{}"/>"#,
        pen.colour,
        path.as_str()
    );
}

pub(super) fn line(plot: &Plot<'_>, series: &Series, pen: Pen, index: usize, out: &mut String) {
    if series.form == Form::Dots {
        return dots(plot, series, pen, out);
    }
    let mut path = Path::default();
    let mut drawing = false;
    for &(x, y) in &series.points {
        if !plot.chart.x.shows(x) || !y.is_finite() {
            drawing = false;
            continue;
        }
        let (x, y) = (plot.x_at(x), plot.y_at(y));
        if drawing {
            path.line_to(x, y);
        } else {
            path.move_to(x, y);
        }
        drawing = true;
    }
    if !path.is_empty() {
        let _ = writeln!(
            out,
            r#"<path class="c{}" {} d="{}"/>"#,
            pen.colour,
            stroke(series, pen),
            path.as_str()
        );
    }
    marks(plot, series, pen, index, out);
}

/// Stroke attributes of a series' line, here and in its label.
pub(super) fn stroke(series: &Series, pen: Pen) -> String {
    let dash = match pen.dash_pattern() {
        "" => String::new(),
        pattern => format!(r#" stroke-dasharray="{pattern}""#),
    };
    let width = match series.form {
        Form::Pale => r#"stroke-width="7" stroke-opacity=".3""#,
        _ => r#"stroke-width="1.8""#,
    };
    format!(r#"fill="none" stroke="currentColor" {width} stroke-linejoin="round"{dash}"#)
}

/// Fill attributes of a mark: those of dashed lines are hollow.
pub(super) fn mark_style(pen: Pen) -> &'static str {
    if pen.is_hollow() {
        r#"class="bg" stroke="currentColor" stroke-width="1.5""#
    } else {
        r#"fill="currentColor""#
    }
}

fn marks(plot: &Plot<'_>, series: &Series, pen: Pen, index: usize, out: &mut String) {
    let shown = |p: &&(f64, f64)| plot.chart.x.shows(p.0) && p.1.is_finite();
    let points: Vec<_> = series.points.iter().filter(shown).collect();
    let lines = plot.chart.series.len();
    let each = points.len() <= MARK_EACH;
    if points.is_empty() || series.form == Form::Pale || (!each && lines < 2) {
        return;
    }
    let mut path = Path::default();
    let mut put = |&&(x, y): &&(f64, f64)| {
        path.move_to(plot.x_at(x), plot.y_at(y));
        path.push(pen.mark.path());
    };
    if each {
        points.iter().for_each(&mut put);
    } else {
        // Staggered, so that the marks of neighbouring lines do not hide one another.
        let stride = points.len() / MARKS_ALONG;
        points.iter().skip(stride * (index + 1) / (lines + 1)).step_by(stride).for_each(&mut put);
    }
    let _ = writeln!(
        out,
        r#"<g class="c{}"><path {} d="{}"/></g>"#,
        pen.colour,
        mark_style(pen),
        path.as_str()
    );
}

fn dots(plot: &Plot<'_>, series: &Series, pen: Pen, out: &mut String) {
    let mut path = Path::default();
    for &(x, y) in series.points.iter().filter(|p| plot.chart.x.shows(p.0) && p.1.is_finite()) {
        path.move_to(plot.x_at(x), plot.y_at(y));
        path.push("h0");
    }
    if !path.is_empty() {
        let _ = writeln!(
            out,
            r#"<path class="c{}" fill="none" stroke="currentColor" stroke-width="3.6" stroke-opacity=".6" stroke-linecap="round" d="{}"/>"#,
            pen.colour,
            path.as_str()
        );
    }
}

/// Crosses in the lane, one row a series.
pub(super) fn lost(plot: &Plot<'_>, out: &mut String) {
    let rows = plot.chart.series.iter().zip(&plot.pens).filter(|(s, _)| !s.lost.is_empty());
    for (row, (series, pen)) in rows.enumerate() {
        let mut path = Path::default();
        for &x in series.lost.iter().filter(|&&x| plot.chart.x.shows(x)) {
            path.move_to(plot.x_at(x), plot.lane_at(row));
            path.push(CROSS);
        }
        let _ = writeln!(
            out,
            r#"<path class="c{}" fill="none" stroke="currentColor" stroke-width="2" d="{}"/>"#,
            pen.colour,
            path.as_str()
        );
    }
}

const CROSS: &str = "m-3.5-3.5l7 7m0-7l-7 7";

/// The mark in a label: that of the line's points, none for a pale line.
pub(super) fn label_mark(series: &Series, pen: Pen) -> Option<Mark> {
    (series.form != Form::Pale).then_some(pen.mark)
}
