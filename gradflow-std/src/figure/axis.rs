//! Axes: the range of the data, the map to pixels, and ticks at round numbers.

use super::number::{decade, fixed, power_of_ten, thousands};

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
        Self {
            scale: Scale::Log,
            ..Self::linear(label)
        }
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
            (low, high) = if self.scale == Scale::Log {
                (0.1, 1.0)
            } else {
                (0.0, 1.0)
            };
        }
        if self.range.is_none() {
            (low, high) = match self.scale {
                Scale::Linear => linear_margin(low, high, self.margin),
                Scale::Log => log_margin(low, high, self.margin),
            };
        }
        Span {
            scale: self.scale,
            low,
            high,
            percent: self.percent,
        }
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

/// A shown range.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    scale: Scale,
    pub(super) low: f64,
    pub(super) high: f64,
    percent: bool,
}

/// A tick; minor ticks have no label.
#[derive(Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: Option<String>,
}

impl Span {
    /// Where `value` lies: 0 at the low end, 1 at the high end; what lies outside is held at the edge.
    pub(super) fn position(&self, value: f64) -> f64 {
        let at = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Log if value <= 0.0 => 0.0,
            Scale::Log => (value / self.low).log10() / (self.high / self.low).log10(),
        };
        at.clamp(0.0, 1.0)
    }

    /// Ticks for an axis with room for about `room` labels.
    pub(super) fn ticks(&self, room: usize) -> Vec<Tick> {
        match self.scale {
            Scale::Linear => self.linear_ticks(room),
            Scale::Log => self.log_ticks(room),
        }
    }

    fn holds(&self, value: f64) -> bool {
        let slack = 1e-9 * (self.high - self.low);
        value >= self.low - slack && value <= self.high + slack
    }

    fn linear_ticks(&self, room: usize) -> Vec<Tick> {
        let rough = (self.high - self.low) / room.max(1) as f64;
        let unit = 10f64.powi(decade(rough));
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|m| m * unit)
            .into_iter()
            .find(|&s| s >= rough * 0.999);
        let step = step.unwrap_or(10.0 * unit);
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step).floor() as i64;
        (first..=last)
            .map(|n| n as f64 * step)
            .filter(|&at| self.holds(at))
            .map(|at| Tick {
                at,
                label: Some(self.label(at, step)),
            })
            .collect()
    }

    fn label(&self, at: f64, step: f64) -> String {
        if self.percent {
            return format!("{} %", fixed(100.0 * at, -decade(100.0 * step * 1.000_001)));
        }
        if !(1e-4..1e7).contains(&step) {
            return if at == 0.0 {
                "0".into()
            } else {
                format!("{at:.1e}").replace(".0e", "e")
            };
        }
        thousands(&fixed(at, -decade(step * 1.000_001)))
    }

    fn log_ticks(&self, room: usize) -> Vec<Tick> {
        let decades = (self.high / self.low).log10();
        let (first, last) = (decade(self.low), decade(self.high));
        if decades < 0.3 {
            return self.linear_ticks(room.min(5));
        }
        let inner = (first..=last)
            .filter(|&e| self.holds(10f64.powi(e)))
            .count();
        let powers = inner >= 3;
        let stride = inner.div_ceil(room.max(1)).max(1) as i32;
        let dense = decades <= 0.9;
        let mut ticks = Vec::new();
        for exponent in first..=last {
            for digit in 1..10 {
                let at = f64::from(digit) * 10f64.powi(exponent);
                if !self.holds(at) {
                    continue;
                }
                let label = match digit {
                    1 if powers => (exponent.rem_euclid(stride) == 0).then(|| self.power(exponent)),
                    1 | 2 | 5 if !powers => Some(self.plain(at, exponent)),
                    3 | 7 if dense => Some(self.plain(at, exponent)),
                    _ => None,
                };
                if label.is_some() || digit == 1 || decades <= 3.5 {
                    ticks.push(Tick { at, label });
                }
            }
        }
        ticks
    }

    fn power(&self, exponent: i32) -> String {
        let at = 10f64.powi(exponent);
        if self.percent {
            self.plain(at, exponent)
        } else {
            power_of_ten(exponent)
        }
    }

    fn plain(&self, at: f64, exponent: i32) -> String {
        if self.percent {
            return format!("{} %", fixed(100.0 * at, -(exponent + 2)));
        }
        if (-4..5).contains(&exponent) {
            thousands(&fixed(at, -exponent))
        } else {
            format!("{at:.0e}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(span: Span, room: usize) -> Vec<String> {
        span.ticks(room)
            .into_iter()
            .filter_map(|t| t.label)
            .collect()
    }

    #[test]
    fn linear_ticks_are_round() {
        let span = Axis::linear("x")
            .range(0.0, 30_000.0)
            .span(std::iter::empty());
        assert_eq!(
            labels(span, 6),
            [
                "0", "5,000", "10,000", "15,000", "20,000", "25,000", "30,000"
            ]
        );
        let span = Axis::linear("x").range(-3.0, 3.0).span(std::iter::empty());
        assert_eq!(labels(span, 6), ["−3", "−2", "−1", "0", "1", "2", "3"]);
        let span = Axis::linear("accuracy")
            .percent()
            .range(0.92, 0.98)
            .span(std::iter::empty());
        assert_eq!(labels(span, 4), ["92 %", "94 %", "96 %", "98 %"]);
        let span = Axis::linear("κ").range(0.0, 1.0).span(std::iter::empty());
        assert_eq!(labels(span, 5), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
    }

    #[test]
    fn log_ticks_are_decades_or_one_two_five() {
        let span = Axis::log("Δt").range(1e-3, 1e5).span(std::iter::empty());
        assert_eq!(
            labels(span, 9),
            [
                "10⁻³", "10⁻²", "10⁻¹", "1", "10", "10²", "10³", "10⁴", "10⁵"
            ]
        );
        let span = Axis::log("loss").range(0.02, 0.6).span(std::iter::empty());
        assert_eq!(labels(span, 9), ["0.02", "0.05", "0.1", "0.2", "0.5"]);
        let span = Axis::log("error")
            .percent()
            .range(0.015, 0.11)
            .span(std::iter::empty());
        assert_eq!(labels(span, 9), ["2 %", "3 %", "5 %", "7 %", "10 %"]);
        assert!(labels(Axis::log("e").range(1e-30, 1.0).span(std::iter::empty()), 8).len() <= 8);
    }

    #[test]
    fn hostile_ranges_give_finite_positions() {
        let cases: [&[f64]; 6] = [
            &[],
            &[f64::NAN],
            &[0.0, -1.0],
            &[1e-300, 1e300],
            &[5.0, 5.0],
            &[f64::INFINITY, 2.0],
        ];
        for values in cases {
            for axis in [Axis::linear("v"), Axis::log("v")] {
                let span = axis.span(values.iter().copied());
                assert!(span.low < span.high, "{values:?} {span:?}");
                assert!(span.ticks(6).len() < 200);
                for value in [0.0, 2.0, 1e300] {
                    assert!(
                        (0.0..=1.0).contains(&span.position(value)),
                        "{value} in {span:?}"
                    );
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
