//! What a chart holds; `draw.rs` turns it into SVG.

use super::axis::Axis;
use super::draw;
use super::pen::Pen;

/// One line, band or cloud of points.
#[derive(Clone, Debug)]
pub struct Series {
    pub(super) label: String,
    pub(super) note: String,
    pub(super) points: Vec<(f64, f64)>,
    pub(super) band: Vec<(f64, f64, f64)>,
    pub(super) lost: Vec<f64>,
    pub(super) pen: Option<Pen>,
    pub(super) form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Line,
    Pale,
    Dots,
}

impl Series {
    /// A line through `(x, y)` in the given order. Points that are not finite interrupt it.
    #[must_use]
    pub fn line(label: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self {
            label: label.into(),
            note: String::new(),
            points,
            band: Vec::new(),
            lost: Vec::new(),
            pen: None,
            form: Form::Line,
        }
    }

    /// A broad pale line: what others are held against.
    #[must_use]
    pub fn pale(label: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self { form: Form::Pale, ..Self::line(label, points) }
    }

    /// A cloud of points `(x, y)`.
    #[must_use]
    pub fn dots(label: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self { form: Form::Dots, ..Self::line(label, points) }
    }

    /// A band `(x, low, high)` behind the line.
    #[must_use]
    pub fn band(mut self, band: Vec<(f64, f64, f64)>) -> Self {
        self.band = band;
        self
    }

    /// Places `x` without a finite value: a cross at the chart's edge of loss, so that they are seen.
    #[must_use]
    pub fn lost(mut self, lost: Vec<f64>) -> Self {
        self.lost = lost;
        self
    }

    /// Draws with this pen instead of the next one.
    #[must_use]
    pub fn pen(mut self, pen: Pen) -> Self {
        self.pen = Some(pen);
        self
    }

    /// A few more characters after the label, such as the last value.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
}

/// The edge at which lost points are marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Where a loss goes when it diverges.
    Top,
    /// Where an accuracy goes.
    Bottom,
}

/// A chart: two axes and series, with a label at the end of each line.
///
/// ```
/// use gradflow_std::figure::{Axis, Chart, Series};
/// let loss = (1..100).map(|n| (f64::from(n), 1.0 / f64::from(n * n))).collect();
/// let svg = Chart::new("Loss", Axis::log("step"), Axis::log("loss"))
///     .add(Series::line("gradient descent", loss))
///     .svg();
/// assert!(svg.contains("gradient descent"));
/// ```
#[derive(Clone, Debug)]
pub struct Chart {
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) series: Vec<Series>,
    pub(super) rules: Vec<(f64, String)>,
    pub(super) height: f64,
    pub(super) edge: Edge,
}

impl Chart {
    /// An empty chart, 720 units wide.
    #[must_use]
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self {
            title: title.into(),
            subtitle: String::new(),
            x,
            y,
            series: Vec::new(),
            rules: Vec::new(),
            height: 300.0,
            edge: Edge::Top,
        }
    }

    /// A second, smaller line under the title: what the band is, how many seeds.
    #[must_use]
    pub fn subtitle(mut self, text: impl Into<String>) -> Self {
        self.subtitle = text.into();
        self
    }

    /// Height of the plot itself in units (300 unless told).
    #[must_use]
    pub fn height(mut self, height: f64) -> Self {
        self.height = height.max(60.0);
        self
    }

    /// Where lost points go (the top unless told).
    #[must_use]
    pub fn edge(mut self, edge: Edge) -> Self {
        self.edge = edge;
        self
    }

    /// Adds a series; later ones lie on top.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "adds a series, sums nothing")]
    pub fn add(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }

    /// A dashed line across the plot at height `value`: a bound, a published number.
    #[must_use]
    pub fn rule(mut self, value: f64, label: impl Into<String>) -> Self {
        self.rules.push((value, label.into()));
        self
    }

    /// Whether there is anything to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.iter().all(|s| s.points.is_empty() && s.lost.is_empty() && s.band.is_empty())
    }

    /// A file of its own: styles inside, light or dark as the reader's system asks.
    #[must_use]
    pub fn svg(&self) -> String {
        stack(std::slice::from_ref(self))
    }
}

/// Several charts in one picture, one below the other, as a file of its own. The first one's title
/// is the picture's.
#[must_use]
pub fn stack(charts: &[Chart]) -> String {
    draw::picture(charts, &draw::embedded_style())
}

/// As [`stack`], for a page that has the styles [`PAGE_STYLE`] already.
#[must_use]
pub fn inline(charts: &[Chart]) -> String {
    draw::picture(charts, "")
}

/// Light styles of the pictures, to be put once into a page with [`inline`] pictures.
pub const PAGE_STYLE: &str = include_str!("../../assets/figure.css");

/// The same for a dark page.
pub const DARK_PAGE_STYLE: &str = include_str!("../../assets/figure-dark.css");
