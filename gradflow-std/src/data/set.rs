//! Samples that own their numbers.

use gradflow_core::Float;
use gradflow_core::network::{Batch, Inputs, Samples, Targets};

use super::DataError;
use super::rows::{Answers, Rows};

/// Most numbers a data set may hold, inputs and targets together (sparse rows: zeros included).
/// A file that claims more is refused before anything is allocated for it.
pub const MAX_ENTRIES: usize = 100_000_000;

/// A set of samples with their names: `len` rows of d inputs, and k outputs to learn.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSet<T> {
    pub(super) rows: Rows<T>,
    pub(super) answers: Answers<T>,
    len: usize,
    inputs: usize,
    outputs: usize,
    input_names: Vec<String>,
    target_names: Vec<String>,
}

impl<T: Float> DataSet<T> {
    /// Dense samples of `inputs` numbers each, to be answered by as many numbers as `targets` has
    /// for each of them.
    ///
    /// # Errors
    /// [`DataError::Unsuitable`] if there is no sample, if the lengths are not multiples of the
    /// number of samples, or if a number is not finite.
    pub fn from_values(inputs: usize, x: Vec<T>, targets: Vec<T>) -> Result<Self, DataError> {
        let len = x.len().checked_div(inputs).unwrap_or(0);
        let outputs = targets.len().checked_div(len).unwrap_or(0);
        if outputs == 0 || targets.len() != len * outputs {
            return Err(DataError::Unsuitable(format!(
                "{} targets cannot be shared out among {len} samples",
                targets.len()
            )));
        }
        finite("target", outputs, &targets)?;
        Self::dense(inputs, x, Answers::Values(targets), outputs)
    }

    /// Dense samples of `inputs` numbers each, one class label a sample. The number of classes is
    /// the largest label + 1, and at least 2.
    ///
    /// # Errors
    /// [`DataError::Unsuitable`] if there is no sample, if the lengths differ, or if an input is
    /// not finite.
    pub fn from_labels(inputs: usize, x: Vec<T>, labels: Vec<u8>) -> Result<Self, DataError> {
        let classes = labels.iter().max().map_or(0, |&top| usize::from(top) + 1);
        Self::dense(inputs, x, Answers::Labels(labels), classes.max(2))
    }

    fn dense(
        inputs: usize,
        x: Vec<T>,
        answers: Answers<T>,
        outputs: usize,
    ) -> Result<Self, DataError> {
        let len = answers.len(outputs);
        if inputs == 0 || len == 0 || Some(x.len()) != inputs.checked_mul(len) {
            return Err(DataError::Unsuitable(format!(
                "{} numbers do not make {len} samples of {inputs} inputs each, at least one of both",
                x.len()
            )));
        }
        finite("input", inputs, &x)?;
        Ok(Self::assemble(Rows::Dense(x), answers, inputs, outputs))
    }

    /// Puts checked parts together. There is at least one sample, and every length fits.
    pub(super) fn assemble(
        rows: Rows<T>,
        answers: Answers<T>,
        inputs: usize,
        outputs: usize,
    ) -> Self {
        let targets = match answers {
            Answers::Values(_) => numbered("y", outputs),
            Answers::Labels(_) => vec!["label".to_owned()],
        };
        Self {
            len: answers.len(outputs),
            rows,
            answers,
            inputs,
            outputs,
            input_names: numbered("x", inputs),
            target_names: targets,
        }
    }

    /// The same set with these names, one for each column.
    #[must_use]
    pub(super) fn with_names(mut self, inputs: Vec<String>, targets: Vec<String>) -> Self {
        self.input_names = inputs;
        self.target_names = targets;
        self
    }

    /// Number of samples.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// False: a data set has at least one sample.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Number of inputs d.
    #[must_use]
    pub const fn inputs(&self) -> usize {
        self.inputs
    }

    /// Number of outputs k: columns of values, or classes.
    #[must_use]
    pub const fn outputs(&self) -> usize {
        self.outputs
    }

    /// Name of each input.
    #[must_use]
    pub fn input_names(&self) -> &[String] {
        &self.input_names
    }

    /// Name of each column of values, or of the one column of labels.
    #[must_use]
    pub fn target_names(&self) -> &[String] {
        &self.target_names
    }

    /// Target numbers, row-major `len × k`, unless the targets are labels.
    #[must_use]
    pub fn values(&self) -> Option<&[T]> {
        match &self.answers {
            Answers::Values(values) => Some(values),
            Answers::Labels(_) => None,
        }
    }

    /// Class labels, one a sample, unless the targets are numbers.
    #[must_use]
    pub fn labels(&self) -> Option<&[u8]> {
        match &self.answers {
            Answers::Values(_) => None,
            Answers::Labels(labels) => Some(labels),
        }
    }

    /// The samples as the core reads them.
    #[must_use]
    pub fn samples(&self) -> Samples<'_, T> {
        Samples {
            inputs: match &self.rows {
                Rows::Dense(x) => Inputs::Dense(x),
                Rows::Levels(rows) => Inputs::Levels(rows.as_slices()),
            },
            targets: match &self.answers {
                Answers::Values(y) => Targets::Values(y),
                Answers::Labels(y) => Targets::Labels(y),
            },
        }
    }

    /// All samples as one batch.
    #[must_use]
    pub fn all(&self) -> Batch<'_, T> {
        Batch::all(self.samples(), self.len)
    }

    /// Writes the inputs of one sample into `row`, which becomes d numbers long.
    /// A sample that does not exist is all zeros.
    pub fn copy_row(&self, sample: usize, row: &mut Vec<T>) {
        row.clear();
        if let Rows::Dense(x) = &self.rows {
            let rest = x.get(sample * self.inputs..).unwrap_or_default();
            row.extend(rest.iter().take(self.inputs));
        }
        row.resize(self.inputs, T::ZERO);
        if let Rows::Levels(rows) = &self.rows {
            for (column, value) in rows.as_slices().row(sample).terms() {
                if let Some(entry) = row.get_mut(column) {
                    *entry = value;
                }
            }
        }
    }

    /// The same set with `classes` classes, for a network that knows more of them than occur here.
    ///
    /// # Errors
    /// [`DataError::Unsuitable`] if the targets are no labels, or a label is not below `classes`.
    pub fn with_classes(mut self, classes: usize) -> Result<Self, DataError> {
        let Some(top) = self.labels().and_then(|labels| labels.iter().max().copied()) else {
            return Err(DataError::Unsuitable("the targets are numbers, not classes".to_owned()));
        };
        if usize::from(top) >= classes {
            return Err(DataError::Unsuitable(format!(
                "label {top} is not one of the {classes} classes from 0 on"
            )));
        }
        self.outputs = classes;
        Ok(self)
    }

    /// All but the last `n_validation` samples to train on, and those to choose settings by.
    ///
    /// # Errors
    /// [`DataError::Unsuitable`] unless both parts have at least one sample.
    pub fn split(self, n_validation: usize) -> Result<(Self, Self), DataError> {
        let at = self.len.saturating_sub(n_validation);
        self.split_at(at)
    }

    fn split_at(self, at: usize) -> Result<(Self, Self), DataError> {
        if at == 0 || at >= self.len {
            return Err(DataError::Unsuitable(format!(
                "{} samples cannot be cut after the first {at}: each part needs at least one",
                self.len
            )));
        }
        let (rows, rest_rows) = self.rows.split(at, self.inputs)?;
        let (answers, rest_answers) = self.answers.split(at, self.outputs);
        let rest = Self {
            rows: rest_rows,
            answers: rest_answers,
            len: self.len - at,
            input_names: self.input_names.clone(),
            target_names: self.target_names.clone(),
            ..self
        };
        Ok((Self { rows, answers, len: at, ..self }, rest))
    }
}

/// `x` alone, or `x1`, `x2`, …
fn numbered(name: &str, count: usize) -> Vec<String> {
    if count == 1 {
        return vec![name.to_owned()];
    }
    (1..=count).map(|i| format!("{name}{i}")).collect()
}

fn finite<T: Float>(what: &str, width: usize, numbers: &[T]) -> Result<(), DataError> {
    match numbers.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(at) => Err(DataError::Unsuitable(format!(
            "{what} {} of sample {} is not finite",
            at % width,
            at / width
        ))),
    }
}
