//! What is kept of a run: the rows of a trace, ever further apart.

use gradflow_core::scheme::Step;

/// Rows are kept this fraction of their number apart, so that a curve is equally fine all along
/// a logarithmic axis, and a run of any length fits into memory: 512 rows for the first 512 steps,
/// then 512 for each factor e.
const FINENESS: u32 = 512;

/// Columns of the trace, by the names that the desktop's trace uses, after `step`.
pub const COLUMNS: [&str; 8] =
    ["loss", "auxiliary", "energy", "kappa", "xi", "dt", "grad_norm_sq", "update_norm_sq"];

/// Rows of a trace, by column. What a method does not have is NaN.
#[derive(Debug, Default)]
pub struct Curve {
    steps: Vec<u32>,
    epochs: Vec<u32>,
    columns: [Vec<f32>; COLUMNS.len()],
}

impl Curve {
    /// Shows the row of step `n`; it is kept if it is far enough from the last one.
    pub(crate) fn record(&mut self, n: u32, epoch: u32, step: &Step<f32>) {
        if self.steps.last().is_some_and(|&last| n - last < n / FINENESS) {
            return;
        }
        self.steps.push(n);
        self.epochs.push(epoch);
        for (column, value) in self.columns.iter_mut().zip(row(step)) {
            column.push(value);
        }
    }

    /// Numbers of the steps that are kept.
    #[must_use]
    pub fn steps(&self) -> &[u32] {
        &self.steps
    }

    /// Their epochs.
    #[must_use]
    pub fn epochs(&self) -> &[u32] {
        &self.epochs
    }

    /// A column by its name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&[f32]> {
        let place = COLUMNS.iter().position(|&column| column == name)?;
        self.columns.get(place).map(Vec::as_slice)
    }
}

/// The numbers of a step, in the order of [`COLUMNS`].
fn row(step: &Step<f32>) -> [f32; COLUMNS.len()] {
    let auxiliary = step.auxiliary;
    [
        step.loss,
        auxiliary.map_or(f32::NAN, |auxiliary| auxiliary.reported),
        auxiliary.map_or(f32::NAN, |auxiliary| auxiliary.energy),
        auxiliary.and_then(|auxiliary| auxiliary.kappa).unwrap_or(f32::NAN),
        auxiliary.and_then(|auxiliary| auxiliary.xi).unwrap_or(f32::NAN),
        step.dt,
        step.gradient_norm_sq,
        step.update_norm_sq,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_keeps_few_rows_and_no_large_gap() {
        let step = Step {
            loss: 1.0,
            dt: 0.1,
            gradient_norm_sq: 2.0,
            update_norm_sq: 3.0,
            auxiliary: None,
            accepted: true,
        };
        let mut curve = Curve::default();
        for n in 0..1_000_000 {
            curve.record(n, n / 10, &step);
        }
        let steps = curve.steps();
        assert!(steps.len() < 6_000, "{}", steps.len());
        assert!((0..1_000).all(|n| steps[n] == n as u32));
        assert!(steps.windows(2).all(|pair| pair[1] - pair[0] <= 1 + pair[1] / FINENESS));
        assert_eq!(curve.epochs()[700], 70);
        assert_eq!(curve.column("grad_norm_sq").unwrap()[5], 2.0);
        assert!(curve.column("kappa").unwrap()[5].is_nan());
        assert!(curve.column("no-column").is_none());
    }
}
