//! Axes: what they are called, how they are scaled, and which range of the data they show.

use super::span::Span;

/// On a logarithmic axis at most this many decades are shown, counted from the top: an energy that
/// decays to the smallest denormal would press everything else into one line.
const MAX_DECADES: i32 = 14;

/// How values become lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Equal steps.
    Linear,
    /// Equal ratios; what is not positive is drawn at the lower edge.
    Log,
}

/// A labelled axis. Its range is that of the data unless [`Axis::range`] sets it.
#[derive(Clone, Debug)]
pub struct Axis {
    pub(super) label: String,
    pub(super) scale: Scale,
    range: Option<(f64, f64)>,
    percent: bool,
    margin: f64,
}

impl Axis {
    /// A linear axis.
    #[must_use]
    pub fn linear(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            scale: Scale::Linear,
            range: None,
            percent: false,
            margin: 0.05,
        }
    }

    /// A logarithmic axis.
    #[must_use]
    pub fn log(label: impl Into<String>) -> Self {
        Self { scale: Scale::Log, ..Self::linear(label) }
    }

    /// Shows exactly `low..=high`; values outside are drawn at the edge.
    #[must_use]
    pub fn range(mut self, low: f64, high: f64) -> Self {
        self.range = Some((low, high));
        self
    }

    /// Labels shares of one as percentages.
    #[must_use]
    pub fn percent(mut self) -> Self {
        self.percent = true;
        self
    }

    /// Ends where the data end, without a margin: right for time.
    #[must_use]
    pub fn tight(mut self) -> Self {
        self.margin = 0.0;
        self
    }

    /// Whether the axis can show `value` as it is.
    pub(super) fn shows(&self, value: f64) -> bool {
        value.is_finite() && (self.scale == Scale::Linear || value > 0.0)
    }

    /// The range shown for these values.
    pub(super) fn span(&self, values: impl Iterator<Item = f64>) -> Span {
        let (mut low, mut high) = self.range.unwrap_or_else(|| {
            values
                .filter(|&v| self.shows(v))
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
                    (low.min(v), high.max(v))
                })
        });
        if low > high {
            (low, high) = if self.scale == Scale::Log { (0.1, 1.0) } else { (0.0, 1.0) };
        }
        if self.range.is_none() {
            (low, high) = match self.scale {
                Scale::Linear => linear_margin(low, high, self.margin),
                Scale::Log => log_margin(low, high, self.margin),
            };
        }
        Span { scale: self.scale, low, high, percent: self.percent }
    }
}

fn linear_margin(low: f64, high: f64, margin: f64) -> (f64, f64) {
    let width = high - low;
    if width <= 1e-12 * high.abs().max(low.abs()) {
        let half = if high == 0.0 { 1.0 } else { 0.1 * high.abs() };
        return (low - half, high + half);
    }
    (low - margin * width, high + margin * width)
}

fn log_margin(low: f64, high: f64, margin: f64) -> (f64, f64) {
    let low = low.max(high * 10f64.powi(-MAX_DECADES));
    if high / low < 1.05 {
        return (low / 2.0, high * 2.0);
    }
    // exp(x) ≈ (1 + x/64)⁶⁴ is near enough for a margin.
    let stretch = (1.0 + margin * (high / low).log10() * std::f64::consts::LN_10 / 64.0).powi(64);
    (low / stretch, high * stretch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_ranges_give_finite_positions() {
        let cases: [&[f64]; 6] =
            [&[], &[f64::NAN], &[0.0, -1.0], &[1e-300, 1e300], &[5.0, 5.0], &[f64::INFINITY, 2.0]];
        for values in cases {
            for axis in [Axis::linear("v"), Axis::log("v")] {
                let span = axis.span(values.iter().copied());
                assert!(span.low < span.high, "{values:?} {span:?}");
                assert!(span.ticks(6).len() < 200);
                for value in [0.0, 2.0, 1e300] {
                    assert!((0.0..=1.0).contains(&span.position(value)), "{value} in {span:?}");
                }
            }
        }
    }

    #[test]
    fn a_log_axis_shows_at_most_fourteen_decades() {
        let span = Axis::log("r²").tight().span([1e-300, 1.0].into_iter());
        assert!((1e-14..1e-13).contains(&span.low), "{span:?}");
        assert_eq!(span.position(1e-300), 0.0);
    }
}
