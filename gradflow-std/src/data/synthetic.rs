//! The core's regression problems as data sets.

use gradflow_core::tasks::Task;
use gradflow_core::{Float, Pcg32, Stream};

use super::{DataError, DataSet, MAX_ENTRIES};

/// Points of the grid on which a task of one input is measured.
pub const GRID_POINTS: usize = 2_001;

/// Samples by which a task of several inputs is measured.
pub const CLEAN_SAMPLES: usize = 2_000;

/// `samples` samples to train on, with noise of standard deviation `noise` on the targets.
///
/// Inputs and noise have streams of their own: another noise leaves the inputs as they are.
///
/// # Errors
/// [`DataError::Unsuitable`] if there is no sample, if there are more than [`MAX_ENTRIES`]
/// numbers, or if `noise` is negative or not finite.
pub fn train<T: Float>(
    task: Task,
    seed: u64,
    samples: usize,
    noise: T,
) -> Result<DataSet<T>, DataError> {
    let mut inputs = Pcg32::new(seed, Stream::Data);
    let x = draw_inputs(task, &mut inputs, samples)?;
    with_targets(task, &mut Pcg32::new(seed, Stream::Noise), x, noise)
}

/// `samples` other samples of the same kind, to test on. With noise, no network can have a
/// smaller loss here than `noise²`: see [`clean`].
///
/// # Errors
/// As [`train`].
pub fn noisy_test<T: Float>(
    task: Task,
    seed: u64,
    samples: usize,
    noise: T,
) -> Result<DataSet<T>, DataError> {
    let mut rng = Pcg32::new(seed, Stream::Test);
    let x = draw_inputs(task, &mut rng, samples)?;
    with_targets(task, &mut rng, x, noise)
}

/// The noiseless target: for one input at [`GRID_POINTS`] equidistant points of its range, else at
/// [`CLEAN_SAMPLES`] random points, the same in every run.
///
/// # Errors
/// None that these sizes can cause.
pub fn clean<T: Float>(task: Task) -> Result<DataSet<T>, DataError> {
    let mut rng = Pcg32::new(0, Stream::Test);
    let x = if task.inputs() == 1 {
        let points = (0..GRID_POINTS).map(|i| task.grid_point(i, GRID_POINTS));
        points.collect()
    } else {
        draw_inputs(task, &mut rng, CLEAN_SAMPLES)?
    };
    with_targets(task, &mut rng, x, T::ZERO)
}

fn draw_inputs<T: Float>(task: Task, rng: &mut Pcg32, samples: usize) -> Result<Vec<T>, DataError> {
    let columns = task.inputs() + 1;
    if samples == 0 || samples > MAX_ENTRIES / columns {
        return Err(DataError::Unsuitable(format!(
            "{samples} samples of {}: ask for at least 1 and at most {}",
            task.name(),
            MAX_ENTRIES / columns
        )));
    }
    let mut x = vec![T::ZERO; samples * task.inputs()];
    task.draw_inputs(rng, &mut x);
    Ok(x)
}

fn with_targets<T: Float>(
    task: Task,
    rng: &mut Pcg32,
    x: Vec<T>,
    noise: T,
) -> Result<DataSet<T>, DataError> {
    if !noise.is_finite() || noise < T::ZERO {
        return Err(DataError::Unsuitable(format!(
            "noise {noise} is not a standard deviation: it must be finite and not negative"
        )));
    }
    let mut y = vec![T::ZERO; x.len() / task.inputs()];
    task.draw_targets(noise, rng, &x, &mut y)
        .map_err(|error| DataError::Unsuitable(error.to_string()))?;
    DataSet::from_values(task.inputs(), x, y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_repeat_and_training_and_test_inputs_differ() {
        for task in Task::ALL {
            let set = train(task, 5, 300, 0.1_f32).unwrap();
            assert_eq!(set, train(task, 5, 300, 0.1).unwrap());
            assert_eq!((set.len(), set.inputs(), set.outputs()), (300, task.inputs(), 1));
            assert_ne!(set.rows, noisy_test(task, 5, 300, 0.1).unwrap().rows);
            assert_ne!(set.rows, train(task, 6, 300, 0.1).unwrap().rows);
        }
    }

    #[test]
    fn noise_leaves_inputs_alone() {
        for make in [train::<f64>, noisy_test::<f64>] {
            let (quiet, loud) = (make(Task::SinCos, 2, 100, 0.0), make(Task::SinCos, 2, 100, 1.0));
            let (quiet, loud) = (quiet.unwrap(), loud.unwrap());
            assert_eq!(quiet.rows, loud.rows);
            assert_ne!(quiet.values(), loud.values());
        }
    }

    #[test]
    fn the_grid_spans_its_range_and_bears_no_noise() {
        let set = clean::<f64>(Task::Gaussian).unwrap();
        assert_eq!(set.len(), 2_001);
        let (mut row, mut last) = (Vec::new(), f64::NEG_INFINITY);
        for (i, &y) in set.values().unwrap().iter().enumerate() {
            set.copy_row(i, &mut row);
            assert_eq!(y, Task::Gaussian.target(&row));
            assert!(row[0] > last);
            last = row[0];
        }
        assert_eq!(last, 3.0);
        assert_eq!(clean::<f32>(Task::SinCos).unwrap().len(), CLEAN_SAMPLES);
    }

    #[test]
    fn senseless_settings_are_refused() {
        for (samples, noise) in [(0, 0.0), (usize::MAX, 0.0), (10, -1.0), (10, f64::NAN)] {
            let error = train(Task::Quadratic, 0, samples, noise).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{error}");
        }
    }
}
