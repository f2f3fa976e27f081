//! Regression problems whose every bit comes from this crate, so that each target trains on the
//! same data.
//!
//! | name | `y =` | d | inputs |
//! |---|---|---|---|
//! | `gaussian` | `exp(−x²)` | 1 | `[−3, 3]` |
//! | `sin-cos` | `sin(Σ pᵢ xᵢ) + cos(Σ qᵢ xᵢ)` | 40 | `[0, 1]` |
//! | `quadratic` | `Σ pᵢ xᵢ²` | 10 | `[−1, 1]` |
//! | `gaussian-10` | `exp(−10‖x‖²)` | 2 | `[−1, 1]` |
//!
//! Inputs are independent and uniform. The coefficients `pᵢ, qᵢ` are fixed numbers, drawn once and
//! for all from N(0, 1). Dimension and range are chosen such that targets are of order one: over
//! `[0, 5]⁴⁰` the quadratic reaches thousands, and a Gaussian of 40 inputs is zero all but
//! everywhere.

use crate::error::{Buffer, Error};
use crate::float::Float;
use crate::linalg::Matrix as _;
use crate::random::{Pcg32, Stream};

/// A regression problem with one output.
///
/// ```
/// use gradflow_core::{Pcg32, Stream, tasks::Task};
/// let (mut x, mut y) = ([0.0_f32; 32], [0.0_f32; 32]);
/// Task::Gaussian.draw_inputs(&mut Pcg32::new(0, Stream::Data), &mut x);
/// Task::Gaussian.draw_targets(0.01, &mut Pcg32::new(0, Stream::Noise), &x, &mut y)?;
/// # Ok::<(), gradflow_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// `exp(−x²)`, one input.
    Gaussian,
    /// `sin(Σ pᵢ xᵢ) + cos(Σ qᵢ xᵢ)`, 40 inputs.
    SinCos,
    /// `Σ pᵢ xᵢ²`, 10 inputs.
    Quadratic,
    /// `exp(−10‖x‖²)`, two inputs.
    Gaussian10,
}

impl Task {
    /// Every task.
    pub const ALL: [Self; 4] = [Self::Gaussian, Self::SinCos, Self::Quadratic, Self::Gaussian10];

    /// The name that commands and files use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gaussian => "gaussian",
            Self::SinCos => "sin-cos",
            Self::Quadratic => "quadratic",
            Self::Gaussian10 => "gaussian-10",
        }
    }

    /// The task of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|task| task.name() == name)
    }

    /// Number of inputs d.
    #[must_use]
    pub const fn inputs(self) -> usize {
        match self {
            Self::Gaussian => 1,
            Self::SinCos => 40,
            Self::Quadratic => 10,
            Self::Gaussian10 => 2,
        }
    }

    /// Ends of the interval from which each input is drawn.
    #[must_use]
    pub fn range<T: Float>(self) -> (T, T) {
        let end = T::from_f64(3.0);
        match self {
            Self::Gaussian => (-end, end),
            Self::SinCos => (T::ZERO, T::ONE),
            Self::Quadratic | Self::Gaussian10 => (-T::ONE, T::ONE),
        }
    }

    /// The noiseless target at `x`, one sample's inputs.
    #[inline(always)]
    pub fn target<T: Float>(self, x: &[T]) -> T {
        match self {
            Self::Gaussian => (-norm_sq(x)).exp(),
            Self::SinCos => {
                let (mut along_p, mut along_q) = (T::ZERO, T::ZERO);
                for (&x, (p, q)) in x.iter().zip(coefficients::<T>()) {
                    along_p += p * x;
                    along_q += q * x;
                }
                along_p.sin() + along_q.cos()
            }
            Self::Quadratic => {
                let terms = x.iter().zip(coefficients::<T>());
                terms.fold(T::ZERO, |sum, (&x, (p, _))| sum + p * x * x)
            }
            Self::Gaussian10 => (T::from_f64(-10.0) * norm_sq(x)).exp(),
        }
    }

    /// Draws inputs, one number for each entry of `x`: any number of samples, row-major.
    pub fn draw_inputs<T: Float>(self, rng: &mut Pcg32, x: &mut [T]) {
        let (low, high) = self.range();
        for x in x {
            *x = rng.uniform(low, high);
        }
    }

    /// The targets `y` of the samples `x`, with noise of standard deviation `noise`.
    ///
    /// The noise has a generator of its own, so that its strength changes nothing else. Without
    /// noise (0) nothing is drawn.
    ///
    /// # Errors
    /// [`Error::Length`] unless `x` has [`inputs`](Self::inputs) entries for each one of `y`.
    pub fn draw_targets<T: Float>(
        self,
        noise: T,
        rng: &mut Pcg32,
        x: &[T],
        y: &mut [T],
    ) -> Result<(), Error> {
        let needed = y.len().saturating_mul(self.inputs());
        Error::check_length(Buffer::Inputs, needed, x.len())?;
        if noise == T::ZERO {
            y.fill(T::ZERO);
        } else {
            rng.normal(noise, y);
        }
        for (y, x) in y.iter_mut().zip(x.pieces(self.inputs())) {
            *y += self.target(x);
        }
        Ok(())
    }

    /// Point `i` of `points` equidistant ones over the range, both ends included, for drawing and
    /// measuring the tasks of one input.
    ///
    /// ```
    /// use gradflow_core::tasks::Task;
    /// assert_eq!(Task::Gaussian.grid_point::<f32>(0, 2_001), -3.0);
    /// assert_eq!(Task::Gaussian.grid_point::<f32>(1_000, 2_001), 0.0);
    /// ```
    pub fn grid_point<T: Float>(self, i: usize, points: usize) -> T {
        let (low, high) = self.range::<T>();
        let intervals = T::from_usize(points.saturating_sub(1).max(1));
        low + (high - low) * T::from_usize(i) / intervals
    }
}

fn norm_sq<T: Float>(x: &[T]) -> T {
    x.iter().fold(T::ZERO, |sum, &x| sum + x * x)
}

/// The pairs `(pᵢ, qᵢ)`. Drawn in f64, so that f32 and f64 have the same problem.
fn coefficients<T: Float>() -> impl Iterator<Item = (T, T)> {
    let mut rng = Pcg32::new(0, Stream::Other);
    core::iter::repeat_with(move || {
        let mut pair = [0.0_f64; 2];
        rng.normal(1.0, &mut pair);
        let [p, q] = pair;
        (T::from_f64(p), T::from_f64(q))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    fn draw<T: Float>(task: Task, seed: u64, noise: T, samples: usize) -> (Vec<T>, Vec<T>) {
        let mut x = vec![T::ZERO; samples * task.inputs()];
        let mut y = vec![T::ZERO; samples];
        task.draw_inputs(&mut Pcg32::new(seed, Stream::Data), &mut x);
        let mut rng = Pcg32::new(seed, Stream::Noise);
        task.draw_targets(noise, &mut rng, &x, &mut y).unwrap();
        (x, y)
    }

    #[test]
    fn a_task_is_found_by_its_name_only() {
        for task in Task::ALL {
            assert_eq!(Task::from_name(task.name()), Some(task));
        }
        assert_eq!(Task::from_name("Gaussian"), None);
    }

    #[test]
    fn samples_repeat_and_depend_on_the_seed() {
        for task in Task::ALL {
            let first = draw(task, 3, 0.1_f32, 50);
            assert_eq!(first, draw(task, 3, 0.1, 50));
            assert_ne!(first.0, draw(task, 4, 0.1, 50).0);
        }
    }

    #[test]
    fn noise_changes_targets_alone_and_in_proportion() {
        for task in Task::ALL {
            let (x, clean) = draw(task, 1, 0.0_f64, 2_000);
            let (x_noisy, noisy) = draw(task, 1, 0.5, 2_000);
            let (_, noisier) = draw(task, 1, 1.0, 2_000);
            assert_eq!(x, x_noisy);
            let mut variance = 0.0;
            for ((clean, noisy), noisier) in clean.iter().zip(&noisy).zip(&noisier) {
                let noise = noisy - clean;
                assert!((noisier - clean - 2.0 * noise).abs() < 1e-12);
                variance += noise * noise / 2_000.0;
            }
            // Its standard error is √(2/2,000) of 0.25.
            assert!((variance - 0.25).abs() < 4.0 * 0.25 * (2.0_f64 / 2_000.0).sqrt());
        }
    }

    #[test]
    fn inputs_stay_in_their_range_and_targets_are_of_order_one() {
        for task in Task::ALL {
            let (x, y) = draw(task, 0, 0.0_f64, 4_000);
            let (low, high) = task.range();
            assert!(x.iter().all(|x| (low..high).contains(x)));
            let mean_sq = norm_sq(&y) / 4_000.0;
            assert!((0.01..10.0).contains(&mean_sq), "{}: {mean_sq}", task.name());
        }
    }

    #[test]
    fn both_precisions_have_the_same_function() {
        for task in Task::ALL {
            let (x, y) = draw(task, 0, 0.0_f32, 100);
            for (x, y) in x.chunks(task.inputs()).zip(y) {
                let wide: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
                // 40 terms of order one, each rounded to 24 bits.
                assert!((task.target(&wide) - f64::from(y)).abs() < 2e-5);
            }
        }
    }

    #[test]
    fn targets_at_known_points() {
        assert_eq!(Task::Gaussian.target(&[0.0_f64]), 1.0);
        assert_eq!(Task::Gaussian10.target(&[0.0_f32; 2]), 1.0);
        assert_eq!(Task::SinCos.target(&[0.0_f64; 40]), 1.0);
        assert_eq!(Task::Quadratic.target(&[0.0_f64; 10]), 0.0);
        let at = |x: &[f64]| Task::Gaussian10.target(x);
        assert!((at(&[0.1, 0.2]) - Float::exp(-0.5_f64)).abs() < 1e-15);
        // A quadratic form is even and grows with the square of its argument.
        let x: Vec<f64> = (1..=10).map(|i| f64::from(i) / 8.0).collect();
        let half: Vec<f64> = x.iter().map(|x| -x / 2.0).collect();
        assert_eq!(Task::Quadratic.target(&x), 4.0 * Task::Quadratic.target(&half));
    }

    #[test]
    fn a_wrong_length_is_refused_and_nothing_is_written() {
        let mut y = [7.0_f32; 2];
        let mut rng = Pcg32::new(0, Stream::Noise);
        let result = Task::Gaussian10.draw_targets(0.1, &mut rng, &[0.0; 3], &mut y);
        assert_eq!(result, Err(Error::Length { what: Buffer::Inputs, needed: 4, got: 3 }));
        assert_eq!(y, [7.0; 2]);
    }
}
