//! A shown range: the map to lengths, and ticks at round numbers.

use super::axis::Scale;
use super::number::{decade, fixed, power_of_ten, thousands};

/// A shown range.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) scale: Scale,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) percent: bool,
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
        // The finest of the steps 1, 2, 5 × 10ⁿ with at most `room` ticks; but at least two ticks.
        let rough = (self.high - self.low) / room.max(1) as f64;
        let unit = 10f64.powi(decade(rough));
        let inside = |step: f64| (self.high / step).floor() - (self.low / step).ceil() + 1.0;
        let steps = [1.0, 2.0, 5.0, 10.0].map(|m| m * unit);
        let fitting = steps.into_iter().find(|&s| s >= rough * 0.999 || inside(2.0 * s) < 2.0);
        let step = fitting.unwrap_or(10.0 * unit);
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step).floor() as i64;
        (first..=last)
            .map(|n| n as f64 * step)
            .filter(|&at| self.holds(at))
            .map(|at| Tick { at, label: Some(self.label(at, step)) })
            .collect()
    }

    fn label(&self, at: f64, step: f64) -> String {
        if self.percent {
            return format!("{} %", fixed(100.0 * at, -decade(100.0 * step * 1.000_001)));
        }
        if !(1e-4..1e7).contains(&step) {
            return if at == 0.0 { "0".into() } else { format!("{at:.1e}").replace(".0e", "e") };
        }
        thousands(&fixed(at, -decade(step * 1.000_001)))
    }

    fn log_ticks(&self, room: usize) -> Vec<Tick> {
        let decades = (self.high / self.low).log10();
        let (first, last) = (decade(self.low), decade(self.high));
        if decades < 0.3 {
            return self.linear_ticks(room.min(5));
        }
        let inner = (first..=last).filter(|&e| self.holds(10f64.powi(e))).count();
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
        if self.percent { self.plain(at, exponent) } else { power_of_ten(exponent) }
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
    use super::super::axis::Axis;
    use super::*;

    fn labels(span: Span, room: usize) -> Vec<String> {
        span.ticks(room).into_iter().filter_map(|t| t.label).collect()
    }

    #[test]
    fn linear_ticks_are_round() {
        let span = Axis::linear("x").range(0.0, 30_000.0).span(std::iter::empty());
        assert_eq!(
            labels(span, 6),
            ["0", "5,000", "10,000", "15,000", "20,000", "25,000", "30,000"]
        );
        let span = Axis::linear("x").range(-3.0, 3.0).span(std::iter::empty());
        assert_eq!(labels(span, 6), ["−3", "−2", "−1", "0", "1", "2", "3"]);
        let span = Axis::linear("accuracy").percent().range(0.92, 0.98).span(std::iter::empty());
        assert_eq!(labels(span, 4), ["92 %", "94 %", "96 %", "98 %"]);
        let span = Axis::linear("error").range(-0.0123, 0.0189).span(std::iter::empty());
        assert_eq!(labels(span, 3), ["−0.01", "0.00", "0.01"]);
        let span = Axis::linear("κ").range(0.0, 1.0).span(std::iter::empty());
        assert_eq!(labels(span, 5), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
    }

    #[test]
    fn log_ticks_are_decades_or_one_two_five() {
        let span = Axis::log("Δt").range(1e-3, 1e5).span(std::iter::empty());
        assert_eq!(
            labels(span, 9),
            ["10⁻³", "10⁻²", "10⁻¹", "1", "10", "10²", "10³", "10⁴", "10⁵"]
        );
        let span = Axis::log("loss").range(0.02, 0.6).span(std::iter::empty());
        assert_eq!(labels(span, 9), ["0.02", "0.05", "0.1", "0.2", "0.5"]);
        let span = Axis::log("error").percent().range(0.015, 0.11).span(std::iter::empty());
        assert_eq!(labels(span, 9), ["2 %", "3 %", "5 %", "7 %", "10 %"]);
        assert!(labels(Axis::log("e").range(1e-30, 1.0).span(std::iter::empty()), 8).len() <= 8);
    }
}
