//! From a spec to what can be trained: data, network, initial weights.

use gradflow_core::Float;
use gradflow_core::network::{Init, TwoLayer};
use gradflow_core::scheme::Shape;

use super::room::{MAX_PARAMETERS, zeros};
use super::{RunError, load_weights};
use crate::data::{DataSet, Part, Scaling, clean, noisy_test, read_csv, train};
use crate::spec::{InitChoice, Source, Spec};

/// Samples of the noisy test set of a made-up task.
const TEST_SAMPLES: usize = 2_000;

/// The data of a task. Parts that a task does not have are absent.
#[derive(Clone, Debug)]
pub struct Sets<T> {
    /// To train on.
    pub train: DataSet<T>,
    /// To test on: noisy, if the training set is.
    pub test: Option<DataSet<T>>,
    /// The noiseless target.
    pub clean: Option<DataSet<T>>,
}

impl<T: Float> Sets<T> {
    /// Makes or reads the data of a spec.
    ///
    /// # Errors
    /// What is wrong with the data or where it was looked for.
    pub fn load(spec: &Spec) -> Result<Self, RunError> {
        let noise = T::from_f64(spec.noise);
        let sets = match spec.task.meaning() {
            Source::Made(task) => Self {
                train: train(task, spec.seed, spec.samples, noise)?,
                test: Some(noisy_test(task, spec.seed, TEST_SAMPLES, noise)?),
                clean: Some(clean(task)?),
            },
            Source::Images(images) => {
                let dir = spec.data_dir.as_deref();
                let train = images.load(Part::Train, dir)?;
                let test = match spec.train {
                    None => Some(images.load(Part::Test, dir)?),
                    Some(_) => None,
                };
                Self { train, test, clean: None }
            }
            Source::Csv => Self { train: read_table(spec)?, test: None, clean: None },
        };
        let mut sets = sets.hold_out(spec.train)?;
        if spec.standardise && spec.task.meaning() == Source::Csv {
            let scaling = Scaling::of(&sets.train)?;
            scaling.apply(&mut sets.train)?;
            sets.test.as_mut().map_or(Ok(()), |test| scaling.apply(test))?;
        }
        Ok(sets)
    }

    /// With `--train N`: the first N samples to train on, the others to test on.
    fn hold_out(mut self, first: Option<usize>) -> Result<Self, RunError> {
        let Some(first) = first else { return Ok(self) };
        let samples = self.train.len();
        if first == 0 || first >= samples {
            return Err(RunError::input(format!(
                "--train {first} leaves nothing to train on or nothing to test on: there are \
                 {samples} samples"
            )));
        }
        let (train, test) = self.train.split(samples - first)?;
        (self.train, self.test) = (train, Some(test));
        Ok(self)
    }
}

fn read_table<T: Float>(spec: &Spec) -> Result<DataSet<T>, RunError> {
    let path = spec.data.as_deref().ok_or_else(|| {
        RunError::input("task csv needs --data FILE and --target COLUMN".to_owned())
    })?;
    if spec.target.is_empty() {
        return Err(RunError::input(format!(
            "task csv needs --target: which column of {} is to be learnt?",
            path.display()
        )));
    }
    Ok(read_csv(path, &spec.target, spec.task_loss())?)
}

/// The network of a spec with its initial weights.
///
/// # Errors
/// A width of 0, or what is wrong with the file of weights.
pub fn network<T: Float>(spec: &Spec, set: &DataSet<T>) -> Result<(TwoLayer<T>, Vec<T>), RunError> {
    let init = match spec.init() {
        InitChoice::File(path) => return load_weights(&path, set),
        InitChoice::Kaiming => Init::Kaiming,
        InitChoice::Ntk => Init::Ntk,
    };
    let network = TwoLayer::new(set.inputs(), spec.hidden, set.outputs())?;
    let network = init.scale(network.with_output_bias(spec.output_bias || init == Init::Ntk));
    if network.parameters() > MAX_PARAMETERS {
        return Err(RunError::input(format!(
            "{} hidden units on {} inputs make {} parameters, of which at most {MAX_PARAMETERS} \
             are trained",
            spec.hidden,
            set.inputs(),
            network.parameters()
        )));
    }
    let mut w = zeros(network.parameters(), "the network")?;
    init.draw(&network, spec.seed, &mut w)?;
    Ok((network, w))
}

/// The sizes that decide the scheme's memory.
pub(super) fn shape<T: Float>(network: &TwoLayer<T>, batch: usize, samples: usize) -> Shape {
    Shape { parameters: network.parameters(), outputs: network.outputs(), batch, samples }
}
