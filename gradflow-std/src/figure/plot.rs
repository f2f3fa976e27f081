//! One chart in its place: grid, axes, the lane of what was lost, series and labels.

use std::fmt::Write as _;

use super::axis::Scale;
use super::chart::{Chart, Edge};
use super::labels;
use super::pen::Pen;
use super::series;
use super::span::{Span, Tick};
use super::text::{escape, width};

const LANE_ROW: f64 = 11.0;

/// A chart with its ranges known and its place in the picture.
pub(super) struct Plot<'a> {
    pub(super) chart: &'a Chart,
    pub(super) pens: Vec<Pen>,
    pub(super) x: Span,
    pub(super) y: Span,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    y_ticks: Vec<Tick>,
}

impl<'a> Plot<'a> {
    /// Finds the ranges; the place is set by [`Plot::place`].
    pub(super) fn new(chart: &'a Chart) -> Self {
        let all = &chart.series;
        let xs = all.iter().flat_map(|s| {
            let points = s.points.iter().filter(|p| chart.y.shows(p.1)).map(|p| p.0);
            points.chain(s.band.iter().map(|b| b.0)).chain(s.lost.iter().copied())
        });
        let ys = all.iter().flat_map(|s| {
            s.points.iter().map(|p| p.1).chain(s.band.iter().flat_map(|b| [b.1, b.2]))
        });
        let ys = ys.chain(chart.rules.iter().map(|rule| rule.0));
        let y = chart.y.span(ys);
        let pens = (0..).zip(all).map(|(i, s)| s.pen.unwrap_or_else(|| Pen::nth(i))).collect();
        Self {
            chart,
            pens,
            x: chart.x.span(xs),
            y_ticks: y.ticks((chart.height / 34.0).max(4.0) as usize),
            y,
            left: 0.0,
            right: 0.0,
            top: 0.0,
            bottom: 0.0,
        }
    }

    /// Room wanted left of the plot: tick labels and the rotated axis label.
    pub(super) fn left_margin(&self) -> f64 {
        let labels = self.y_ticks.iter().filter_map(|t| t.label.as_deref());
        let ticks = labels.map(|l| width(l, 12.0)).fold(0.0, f64::max);
        let lane = if self.lane_rows() > 0 { width("diverged", 11.0) + 14.0 } else { 0.0 };
        (ticks + 36.0).max(lane)
    }

    /// Room wanted right of the plot: the labels of the series.
    pub(super) fn right_margin(&self) -> f64 {
        labels::room(self)
    }

    fn lane_rows(&self) -> usize {
        self.chart.series.iter().filter(|s| !s.lost.is_empty()).count()
    }

    pub(super) fn lane_height(&self) -> f64 {
        match self.lane_rows() {
            0 => 0.0,
            rows => rows as f64 * LANE_ROW + 4.0,
        }
    }

    /// Puts the plot into `left..right`, starting at `top`; returns where the next thing may start.
    pub(super) fn place(&mut self, left: f64, right: f64, top: f64) -> f64 {
        (self.left, self.right) = (left, right);
        self.top = top + if self.chart.edge == Edge::Top { self.lane_height() } else { 0.0 };
        self.bottom = self.top + self.chart.height;
        self.floor() + 44.0
    }

    /// The lower end of plot and lane.
    fn floor(&self) -> f64 {
        self.bottom + if self.chart.edge == Edge::Bottom { self.lane_height() } else { 0.0 }
    }

    pub(super) fn x_at(&self, value: f64) -> f64 {
        self.left + self.x.position(value) * (self.right - self.left)
    }

    pub(super) fn y_at(&self, value: f64) -> f64 {
        self.bottom - self.y.position(value) * (self.bottom - self.top)
    }

    /// Height of the `row`-th row of the lane.
    pub(super) fn lane_at(&self, row: usize) -> f64 {
        let start =
            if self.chart.edge == Edge::Top { self.top - self.lane_height() } else { self.bottom };
        start + 2.0 + (row as f64 + 0.5) * LANE_ROW
    }

    pub(super) fn draw(&self, out: &mut String) {
        self.grid(out);
        self.lane(out);
        for (index, series) in self.chart.series.iter().enumerate() {
            series::band(self, series, self.pens[index], out);
        }
        for (index, series) in self.chart.series.iter().enumerate() {
            series::line(self, series, self.pens[index], index, out);
        }
        series::lost(self, out);
        self.rules(out);
        self.axis_labels(out);
        labels::draw(self, out);
    }

    fn x_ticks(&self) -> Vec<Tick> {
        let room = if self.chart.x.scale == Scale::Log { 44.0 } else { 66.0 };
        self.x.ticks(((self.right - self.left) / room) as usize)
    }

    fn grid(&self, out: &mut String) {
        let (left, right, top, floor) = (self.left, self.right, self.top, self.floor());
        let (mut minor, mut major) = (String::new(), String::new());
        for tick in &self.y_ticks {
            let lines = if tick.label.is_some() { &mut major } else { &mut minor };
            let _ = write!(lines, "M{left:.0} {:.1}H{right:.0}", self.y_at(tick.at));
        }
        for tick in self.x_ticks() {
            let lines = if tick.label.is_some() { &mut major } else { &mut minor };
            let _ = write!(lines, "M{:.1} {top:.0}V{floor:.0}", self.x_at(tick.at));
        }
        for (class, lines) in [("minor", minor), ("grid", major)] {
            if !lines.is_empty() {
                let _ = writeln!(out, r#"<path class="{class}" d="{lines}"/>"#);
            }
        }
        let _ = writeln!(out, r#"<path class="axis" d="M{left:.0} {floor:.1}H{right:.0}"/>"#);
    }

    /// Reference values: a dashed line with its label on it, at the left where it hides least.
    fn rules(&self, out: &mut String) {
        for (value, label) in &self.chart.rules {
            let (y, left, right) = (self.y_at(*value), self.left, self.right);
            let _ = writeln!(
                out,
                r#"<path class="axis" stroke-dasharray="1.5 3" d="M{left:.0} {y:.1}H{right:.0}"/>"#
            );
            let _ = writeln!(
                out,
                r#"<text class="soft halo" x="{:.0}" y="{:.1}" font-size="11">{}</text>"#,
                left + 6.0,
                y - 5.0,
                escape(label)
            );
        }
    }

    fn lane(&self, out: &mut String) {
        if self.lane_rows() == 0 {
            return;
        }
        let (top, height) = (self.lane_at(0) - 0.5 * LANE_ROW - 2.0, self.lane_height());
        let _ = writeln!(
            out,
            r#"<rect class="lane" x="{:.0}" y="{top:.1}" width="{:.0}" height="{height:.1}"/>"#,
            self.left,
            self.right - self.left
        );
        let _ = writeln!(
            out,
            r#"<text class="soft" x="{:.0}" y="{:.1}" text-anchor="end" font-size="11">diverged</text>"#,
            self.left - 6.0,
            top + 0.5 * height + 4.0
        );
    }

    fn axis_labels(&self, out: &mut String) {
        let floor = self.floor();
        let _ = writeln!(out, r#"<g class="soft" font-size="12" text-anchor="end">"#);
        for tick in &self.y_ticks {
            if let Some(label) = &tick.label {
                let (x, y) = (self.left - 6.0, self.y_at(tick.at) + 4.0);
                let _ = writeln!(
                    out,
                    r#"<text class="soft" x="{x:.0}" y="{y:.1}">{}</text>"#,
                    escape(label)
                );
            }
        }
        let _ = writeln!(out, r#"</g><g font-size="12" text-anchor="middle">"#);
        for tick in self.x_ticks() {
            if let Some(label) = &tick.label {
                let (x, y) = (self.x_at(tick.at), floor + 16.0);
                let _ = writeln!(
                    out,
                    r#"<text class="soft" x="{x:.1}" y="{y:.1}">{}</text>"#,
                    escape(label)
                );
            }
        }
        let (x, y) = (0.5 * (self.left + self.right), floor + 35.0);
        let _ =
            writeln!(out, r#"<text x="{x:.0}" y="{y:.1}">{}</text>"#, escape(&self.chart.x.label));
        let y = 0.5 * (self.top + self.bottom);
        let _ = writeln!(
            out,
            r#"<text transform="translate(18 {y:.0})rotate(-90)">{}</text></g>"#,
            escape(&self.chart.y.label)
        );
    }

    /// Whether both axes are logarithmic or only one: said in words for who cannot see the ticks.
    pub(super) fn scales(&self) -> &'static str {
        match (self.chart.x.scale, self.chart.y.scale) {
            (Scale::Linear, Scale::Linear) => "linear axes",
            (Scale::Log, Scale::Log) => "logarithmic axes",
            (Scale::Log, Scale::Linear) => "logarithmic horizontal axis",
            (Scale::Linear, Scale::Log) => "logarithmic vertical axis",
        }
    }
}
