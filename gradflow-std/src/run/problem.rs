//! From a spec to what can be trained: data, network, initial weights.

use std::fs;
use std::path::Path;

use gradflow_core::network::{Init, TwoLayer};
use gradflow_core::scheme::Shape;
use gradflow_core::weights::{self, Header};
use gradflow_core::{Error, Float};

use super::RunError;
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
        sets.hold_out(spec.train)
    }

    /// With `--train N`: the first N samples to train on, the others to test on.
    fn hold_out(mut self, first: Option<usize>) -> Result<Self, RunError> {
        if let Some(first) = first {
            let rest = self.train.len().saturating_sub(first);
            let (train, test) = self.train.split(rest)?;
            (self.train, self.test) = (train, Some(test));
        }
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
    let mut set = read_csv(path, &spec.target, spec.task_loss())?;
    if spec.standardise {
        Scaling::of(&set)?.apply(&mut set)?;
    }
    Ok(set)
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
    let mut w = vec![T::ZERO; network.parameters()];
    init.draw(&network, spec.seed, &mut w)?;
    Ok((network, w))
}

/// A network and its weights from a file, for a data set.
///
/// # Errors
/// A file that cannot be read, is not a file of weights, or is one of another shape.
pub fn load_weights<T: Float>(
    path: &Path,
    set: &DataSet<T>,
) -> Result<(TwoLayer<T>, Vec<T>), RunError> {
    let bytes = fs::read(path).map_err(|error| RunError::file(path, &error))?;
    let (network, w) = parse_weights(&bytes)
        .map_err(|error| RunError::input(format!("{}: {error}", path.display())))?;
    let (inputs, outputs) = (network.inputs(), network.outputs());
    if (inputs, outputs) != (set.inputs(), set.outputs()) {
        return Err(RunError::input(format!(
            "{}: the weights map {inputs} inputs to {outputs} outputs, but the data has {} inputs \
             and {} outputs",
            path.display(),
            set.inputs(),
            set.outputs()
        )));
    }
    Ok((network, w))
}

fn parse_weights<T: Float>(bytes: &[u8]) -> Result<(TwoLayer<T>, Vec<T>), Error> {
    let header = Header::parse(bytes)?;
    let network = header.network()?;
    let mut w = vec![T::ZERO; network.parameters()];
    weights::read(&header, bytes, &mut w)?;
    Ok((network, w))
}

/// The sizes that decide the scheme's memory.
pub(super) fn shape<T: Float>(network: &TwoLayer<T>, batch: usize, samples: usize) -> Shape {
    Shape { parameters: network.parameters(), outputs: network.outputs(), batch, samples }
}
