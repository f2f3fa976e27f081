//! Mean and spread over seeds.

/// A sample of the runs of a group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Values that are finite.
    pub count: usize,
    /// Values that are not, or are missing.
    pub missing: usize,
    /// Mean of the finite ones; NaN if there are none.
    pub mean: f64,
    /// Their standard deviation (divisor n − 1); 0 for a single one.
    pub std: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Collects the values.
    #[must_use]
    pub fn of(values: impl Iterator<Item = Option<f64>>) -> Self {
        let values: Vec<f64> = values.map(|v| v.unwrap_or(f64::NAN)).collect();
        let finite: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
        let count = finite.len();
        let mean = finite.iter().sum::<f64>() / count as f64;
        let squares: f64 = finite.iter().map(|v| (v - mean) * (v - mean)).sum();
        Self {
            count,
            missing: values.len() - count,
            mean,
            std: if count > 1 { (squares / (count - 1) as f64).sqrt() } else { 0.0 },
            min: finite.iter().copied().fold(f64::NAN, f64::min),
            max: finite.iter().copied().fold(f64::NAN, f64::max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_spread_of_the_finite() {
        let s = Spread::of([Some(1.0), None, Some(2.0), Some(6.0), Some(f64::NAN)].into_iter());
        assert_eq!((s.count, s.missing, s.mean, s.min, s.max), (3, 2, 3.0, 1.0, 6.0));
        assert!((s.std - 7f64.sqrt()).abs() < 1e-15);
        assert!(Spread::of(std::iter::empty()).mean.is_nan());
        assert_eq!(Spread::of([Some(4.0)].into_iter()).std, 0.0);
    }
}
