//! Long traces, thinned for drawing: a median line inside a band from the smallest to the largest,
//! so that no spike is lost.

/// One bucket of the horizontal axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bucket {
    pub(super) x: f64,
    pub(super) low: f64,
    pub(super) median: f64,
    pub(super) high: f64,
}

/// Puts the points of several traces (one a seed) into at most `count` buckets, equally wide on the
/// axis, or of equal ratio if `log`. What is not finite is left out; so is x ≤ 0 if `log`.
pub(super) fn thin(
    points: impl Iterator<Item = (f64, f64)>,
    count: usize,
    log: bool,
) -> Vec<Bucket> {
    let scale = |x: f64| if log { x.log10() } else { x };
    let mut points: Vec<(f64, f64, f64)> = points
        .map(|(x, y)| (scale(x), x, y))
        .filter(|p| p.0.is_finite() && p.2.is_finite())
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Vec::new();
    };
    let (start, width) = (first.0, (last.0 - first.0) / count.max(1) as f64);
    let bucket = |p: &(f64, f64, f64)| (((p.0 - start) / width) as usize).min(count.max(1) - 1);
    points.chunk_by(|a, b| bucket(a) == bucket(b)).map(summary).collect()
}

fn summary(points: &[(f64, f64, f64)]) -> Bucket {
    let mut ys: Vec<f64> = points.iter().map(|p| p.2).collect();
    ys.sort_by(f64::total_cmp);
    let middle = |values: &[f64]| {
        let half = values.len() / 2;
        let upper = values.get(half).copied().unwrap_or(f64::NAN);
        if values.len() % 2 == 1 { upper } else { 0.5 * (upper + values[half - 1]) }
    };
    let xs: Vec<f64> = points.iter().map(|p| p.1).collect();
    Bucket {
        x: middle(&xs),
        low: ys.first().copied().unwrap_or(f64::NAN),
        median: middle(&ys),
        high: ys.last().copied().unwrap_or(f64::NAN),
    }
}

/// The medians as a line.
pub(super) fn line(buckets: &[Bucket]) -> Vec<(f64, f64)> {
    buckets.iter().map(|b| (b.x, b.median)).collect()
}

/// The extremes as a band.
pub(super) fn band(buckets: &[Bucket]) -> Vec<(f64, f64, f64)> {
    buckets.iter().map(|b| (b.x, b.low, b.high)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_spike_among_thirty_thousand_survives() {
        for log in [false, true] {
            let trace = (1..=30_000).map(|n| (f64::from(n), if n == 17_171 { 1e9 } else { 0.5 }));
            let buckets = thin(trace, 300, log);
            assert!(buckets.len() <= 300, "{}", buckets.len());
            let high = buckets.iter().map(|b| b.high).fold(0.0, f64::max);
            assert_eq!(high, 1e9);
            assert!(buckets.iter().all(|b| b.median == 0.5 && b.low == 0.5));
            assert!(buckets.windows(2).all(|w| w[0].x < w[1].x));
        }
    }

    #[test]
    fn short_traces_keep_their_points() {
        let seeds = [(0.0, 1.0), (1.0, 2.0), (2.0, 4.0), (0.0, 3.0), (1.0, f64::NAN), (2.0, 8.0)];
        let buckets = thin(seeds.into_iter(), 100, false);
        let rows: Vec<_> = buckets.iter().map(|b| (b.x, b.low, b.median, b.high)).collect();
        assert_eq!(rows, [(0.0, 1.0, 2.0, 3.0), (1.0, 2.0, 2.0, 2.0), (2.0, 4.0, 6.0, 8.0)]);
        assert_eq!(thin([(3.0, 1.0)].into_iter(), 10, true).len(), 1);
        assert!(thin(std::iter::empty(), 10, false).is_empty());
    }
}
