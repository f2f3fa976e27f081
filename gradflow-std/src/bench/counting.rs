//! Steps to be counted, not timed: the same instructions every time, on data that are made up.

use gradflow_core::network::{
    Batch, Init, Inputs, LevelEntry, LevelRows, Loss, Samples, Scratch, Targets, TwoLayer,
};
use gradflow_core::scheme::{AnyScheme, Method, Settings, Shape};
use gradflow_core::{Error, Pcg32, Stream};

use super::own_work::OwnWork;
use crate::data::push_level;
use crate::run::{LINE, RunError, Wide, aligned, step};
use crate::spec::Simd;

/// Samples of a step.
const BATCH: usize = 64;

/// A problem with the shape of MNIST, sparse or dense, or the network of one input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Problem {
    /// 784-100-10 on sparse inputs, cross-entropy
    Sparse,
    /// The same on dense inputs
    Dense,
    /// 1-100-1, mean squared error
    Line,
}

/// Takes `steps` steps of a scheme.
///
/// # Errors
/// Settings that do not go together.
pub fn count(
    problem: Problem,
    settings: &Settings<f32>,
    simd: Simd,
    steps: usize,
) -> Result<f32, RunError> {
    let (inputs, outputs, loss) = match problem {
        Problem::Line => (1, 1, Loss::Mse),
        Problem::Sparse | Problem::Dense => (784, 10, Loss::CrossEntropy),
    };
    let data = Data::new(problem, inputs, outputs)?;
    let network = TwoLayer::new(inputs, 100, outputs)?;
    let mut weights = vec![0.0; network.parameters()];
    Init::Kaiming.draw(&network, 0, &mut weights)?;
    let shape = Shape { parameters: network.parameters(), outputs, batch: BATCH, samples: BATCH };
    let mut scheme = AnyScheme::new(settings, loss, shape, |len| vec![0.0; len])?;
    let ieq = matches!(settings.method, Method::IeqFull | Method::IeqAdaptive);
    let len = if ieq { network.residual_scratch_len(BATCH) } else { network.scratch_len(BATCH) };
    let (mut reals, mut indices) = (vec![0.0; len.reals + LINE], vec![0; len.indices]);
    let mut last = f32::NAN;
    for _ in 0..steps {
        let scratch = Scratch { reals: aligned(&mut reals), indices: &mut indices };
        let batch = Batch::all(data.samples(problem), BATCH);
        let on = network.on(batch, settings.trained_loss(loss), scratch)?;
        let on = on.with_residual(settings.residual(loss)?)?;
        let mut on = Wide::new(on, simd.meaning());
        last = step(&mut scheme, &mut weights, &mut on, simd.meaning())?.loss;
    }
    Ok(last)
}

/// Takes `steps` steps of a scheme with so many parameters, on an objective that costs nothing.
///
/// # Errors
/// Settings that do not go together.
pub fn count_own_work(
    parameters: usize,
    settings: &Settings<f32>,
    simd: Simd,
    steps: usize,
) -> Result<f32, RunError> {
    let mut work = OwnWork::new(settings, parameters)?;
    let mut last = f32::NAN;
    for _ in 0..steps {
        last = work.step(simd)?.loss;
    }
    Ok(last)
}

/// A batch whose inputs are not zero at one place in five.
struct Data {
    dense: Vec<f32>,
    rows: LevelRows<Vec<u32>, Vec<LevelEntry>, [f32; 256]>,
    labels: Vec<u8>,
    targets: Vec<f32>,
}

impl Data {
    fn new(problem: Problem, inputs: usize, outputs: usize) -> Result<Self, Error> {
        let mut rng = Pcg32::new(0, Stream::Other);
        let (mut dense, mut labels, mut targets) = (Vec::new(), Vec::new(), Vec::new());
        let (mut starts, mut entries) = (vec![0], Vec::new());
        let values = std::array::from_fn(|level| level as f32 / 255.0);
        for sample in 0..BATCH {
            let mut last = 0;
            for column in 0..inputs {
                let (chance, level) = (rng.uniform(0.0_f32, 1.0), 25 + rng.below(230) as u8);
                let level = if problem == Problem::Line || chance < 0.2 { level } else { 0 };
                dense.push(values[usize::from(level)]);
                if level > 0 {
                    push_level(&mut entries, last, (column, level));
                    last = column;
                }
            }
            starts.push(entries.len() as u32);
            labels.push((sample % outputs) as u8);
            targets.push(rng.uniform(0.0, 1.0));
        }
        let rows = LevelRows::new(inputs, starts, entries, values)?;
        Ok(Self { dense, rows, labels, targets })
    }

    fn samples(&self, problem: Problem) -> Samples<'_, f32> {
        let inputs = match problem {
            Problem::Sparse => Inputs::Levels(self.rows.as_slices()),
            Problem::Dense | Problem::Line => Inputs::Dense(&self.dense),
        };
        let targets = match problem {
            Problem::Line => Targets::Values(&self.targets),
            Problem::Sparse | Problem::Dense => Targets::Labels(&self.labels),
        };
        Samples { inputs, targets }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparse_and_dense_inputs_give_the_same_loss_and_it_falls() {
        let sgd = Settings { dt: 1e-2, ..Settings::new(Method::Sgd) };
        let after = |problem, steps| count(problem, &sgd, Simd::Auto, steps).unwrap();
        assert_eq!(after(Problem::Sparse, 3).to_bits(), after(Problem::Dense, 3).to_bits());
        for problem in [Problem::Sparse, Problem::Line] {
            assert!(after(problem, 20) < after(problem, 1), "{problem:?}");
        }
    }

    #[test]
    fn own_work_is_done_on_so_many_parameters() {
        let sgd = Settings { dt: 1e-2, ..Settings::new(Method::Sgd) };
        assert_eq!(count_own_work(1000, &sgd, Simd::Auto, 3).unwrap(), 1.0);
        let backwards = Settings { dt: -1e-2, ..sgd };
        assert!(count_own_work(1000, &backwards, Simd::Auto, 3).is_err());
    }
}
