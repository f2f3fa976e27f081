//! Sets of samples, shared by all trainers of a race.

use gradflow_core::network::{Inputs, Loss, Samples, SparseRows, Targets};
use gradflow_core::tasks::Task;
use gradflow_core::{Pcg32, Stream};

use crate::message::message;

/// Points of the grid on which a task of one input is measured, as on the desktop.
const GRID_POINTS: usize = 2_001;
/// Samples by which a task of several inputs is measured, as on the desktop.
const CLEAN_SAMPLES: usize = 2_000;
/// No page needs a set with more numbers than this.
const MAX_ENTRIES: usize = 1 << 26;
const CLASSES: usize = 10;

/// Samples with one kind of inputs and one kind of targets.
#[derive(Debug)]
pub struct Data {
    inputs: usize,
    outputs: usize,
    len: usize,
    rows: Rows,
    answers: Answers,
}

#[derive(Debug)]
enum Rows {
    Dense(Vec<f32>),
    Sparse(SparseRows<Vec<u32>, Vec<u16>, Vec<f32>>),
}

#[derive(Debug)]
enum Answers {
    Values(Vec<f32>),
    Labels(Vec<u8>),
}

impl Data {
    /// `samples` samples of a task to train on, with noise of standard deviation `noise`.
    ///
    /// # Errors
    /// An unknown task, a number of samples that is 0 or too large, or a bad `noise`.
    pub fn train(task: &str, seed: u64, samples: usize, noise: f32) -> Result<Self, String> {
        let task = named(task)?;
        if samples == 0 || samples > MAX_ENTRIES / (task.inputs() + 1) {
            return Err(format!("{samples} samples: ask for at least 1, and for fewer"));
        }
        if !(noise >= 0.0 && noise.is_finite()) {
            return Err("the noise must be finite and not negative".into());
        }
        let mut x = vec![0.0; samples * task.inputs()];
        task.draw_inputs(&mut Pcg32::new(seed, Stream::Data), &mut x);
        Self::of_task(task, &mut Pcg32::new(seed, Stream::Noise), x, noise)
    }

    /// The noiseless target of a task: on a grid for one input, else at random points that are the
    /// same in every run.
    ///
    /// # Errors
    /// An unknown task.
    pub fn clean(task: &str) -> Result<Self, String> {
        let task = named(task)?;
        let mut rng = Pcg32::new(0, Stream::Test);
        let x = if task.inputs() == 1 {
            (0..GRID_POINTS).map(|i| task.grid_point(i, GRID_POINTS)).collect()
        } else {
            let mut x = vec![0.0; CLEAN_SAMPLES * task.inputs()];
            task.draw_inputs(&mut rng, &mut x);
            x
        };
        Self::of_task(task, &mut rng, x, 0.0)
    }

    fn of_task(task: Task, rng: &mut Pcg32, x: Vec<f32>, noise: f32) -> Result<Self, String> {
        let mut y = vec![0.0; x.len() / task.inputs()];
        task.draw_targets(noise, rng, &x, &mut y).map_err(message)?;
        Self::values(task.inputs(), x, y)
    }

    /// Rows of `inputs` numbers, and one target for each row.
    ///
    /// # Errors
    /// No samples, a number of inputs that does not fit, or a number that is not finite.
    pub fn values(inputs: usize, x: Vec<f32>, y: Vec<f32>) -> Result<Self, String> {
        let len = y.len();
        if inputs == 0 || len == 0 || len.checked_mul(inputs) != Some(x.len()) {
            return Err(format!("{} inputs and {len} targets are no rows of {inputs}", x.len()));
        }
        if !x.iter().chain(&y).all(|number| number.is_finite()) {
            return Err("every number of a data set must be finite".into());
        }
        Ok(Self { inputs, outputs: 1, len, rows: Rows::Dense(x), answers: Answers::Values(y) })
    }

    /// Images and labels as two IDX files hold them; pixels become numbers from 0 to 1.
    ///
    /// # Errors
    /// Bytes that are not such files, or files that do not belong together.
    pub fn images(images: &[u8], labels: &[u8]) -> Result<Self, String> {
        let ([count, height, width], pixels) = idx(images, 2_051, "images")?;
        let ([labelled], labels) = idx(labels, 2_049, "labels")?;
        let inputs = height.saturating_mul(width);
        let fits = (1..=usize::from(u16::MAX)).contains(&inputs)
            && count.checked_mul(inputs) == Some(pixels.len());
        if !fits {
            return Err(format!(
                "{} bytes are no {count} images of {height}×{width}",
                pixels.len()
            ));
        }
        if count == 0 || labelled != count || labels.len() != count {
            return Err(format!("{} labels for {count} images", labels.len()));
        }
        if let Some(label) = labels.iter().find(|&&label| usize::from(label) >= CLASSES) {
            return Err(format!("label {label} where there are {CLASSES} classes"));
        }
        let entries = pixels.iter().filter(|&&pixel| pixel != 0).count();
        let mut starts = Vec::with_capacity(count + 1);
        let (mut columns, mut values) = (Vec::with_capacity(entries), Vec::with_capacity(entries));
        starts.push(0);
        for image in pixels.chunks_exact(inputs) {
            for (column, &pixel) in (0..).zip(image).filter(|(_, pixel)| **pixel != 0) {
                columns.push(column);
                values.push(f32::from(pixel) / 255.0);
            }
            starts.push(columns.len() as u32);
        }
        let rows = SparseRows::new(inputs, starts, columns, values).map_err(message)?;
        let rows = Rows::Sparse(rows);
        let answers = Answers::Labels(labels.to_vec());
        Ok(Self { inputs, outputs: CLASSES, len: count, rows, answers })
    }

    /// Numbers of one sample's inputs.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Outputs of a network for this set: classes, or 1.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Number of samples, never 0.
    #[must_use]
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The loss that belongs to the targets.
    #[must_use]
    pub fn loss(&self) -> Loss {
        match self.answers {
            Answers::Values(_) => Loss::Mse,
            Answers::Labels(_) => Loss::CrossEntropy,
        }
    }

    /// Inputs as dense rows; empty for images, whose zeros are not stored.
    #[must_use]
    pub fn x(&self) -> &[f32] {
        match &self.rows {
            Rows::Dense(x) => x,
            Rows::Sparse(_) => &[],
        }
    }

    /// Targets; empty where they are labels.
    #[must_use]
    pub fn y(&self) -> &[f32] {
        match &self.answers {
            Answers::Values(y) => y,
            Answers::Labels(_) => &[],
        }
    }

    /// The set as the core sees it.
    pub(crate) fn samples(&self) -> Samples<'_, f32> {
        let inputs = match &self.rows {
            Rows::Dense(x) => Inputs::Dense(x),
            Rows::Sparse(rows) => Inputs::Sparse(rows.as_slices()),
        };
        let targets = match &self.answers {
            Answers::Values(y) => Targets::Values(y),
            Answers::Labels(labels) => Targets::Labels(labels),
        };
        Samples { inputs, targets }
    }
}

fn named(task: &str) -> Result<Task, String> {
    Task::from_name(task).ok_or_else(|| format!("there is no task `{task}`"))
}

/// Dimensions and content of an IDX file of bytes: big-endian words, the first of them `magic`.
fn idx<'a, const N: usize>(
    bytes: &'a [u8],
    magic: u32,
    what: &str,
) -> Result<([usize; N], &'a [u8]), String> {
    let (words, _) = bytes.as_chunks::<4>();
    let mut words = words.iter().map(|&word| u32::from_be_bytes(word));
    let content = bytes.get(4 * (N + 1)..);
    match (words.next(), content) {
        (Some(first), Some(content)) if first == magic => {
            Ok((std::array::from_fn(|_| words.next().unwrap_or(0) as usize), content))
        }
        _ => Err(format!("this is no IDX file of {what}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idx_file(words: &[u32], bytes: &[u8]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).chain(bytes.iter().copied()).collect()
    }

    #[test]
    fn images_keep_what_is_not_zero() {
        let images = idx_file(&[2_051, 2, 1, 3], &[0, 255, 51, 0, 0, 1]);
        let data = Data::images(&images, &idx_file(&[2_049, 2], &[7, 3])).unwrap();
        assert_eq!((data.len(), data.inputs(), data.outputs()), (2, 3, 10));
        let Rows::Sparse(rows) = &data.rows else { panic!("dense") };
        assert_eq!(rows.as_slices().row(0), (&[1, 2][..], &[1.0, 51.0 / 255.0][..]));
        assert_eq!(rows.as_slices().row(1), (&[2][..], &[1.0 / 255.0][..]));
    }

    #[test]
    fn what_is_no_set_is_refused() {
        let images = idx_file(&[2_051, 1, 1, 2], &[0, 1]);
        let labels = idx_file(&[2_049, 1], &[7]);
        for (images, labels, reason) in [
            (vec![], labels.clone(), "no IDX file of images"),
            (labels.clone(), labels.clone(), "no IDX file of images"),
            (images[..17].to_vec(), labels.clone(), "1 bytes are no 1 images"),
            (images.clone(), idx_file(&[2_049, 2], &[7, 3]), "2 labels for 1 images"),
            (images.clone(), idx_file(&[2_049, 1], &[10]), "label 10"),
            (idx_file(&[2_051, u32::MAX, u32::MAX, 2], &[0]), labels, "are no"),
        ] {
            let error = Data::images(&images, &labels).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
        assert!(Data::values(1, vec![0.0, f32::NAN], vec![0.0; 2]).is_err());
        assert!(Data::values(2, vec![0.0; 3], vec![0.0; 2]).is_err());
        assert!(Data::train("gaussian", 0, 0, 0.0).is_err());
        assert!(Data::train("gaussian", 0, 10, -1.0).is_err());
        assert!(Data::train("no-task", 0, 10, 0.0).is_err());
    }

    #[test]
    fn the_clean_set_covers_the_range() {
        let data = Data::clean("gaussian").unwrap();
        assert_eq!((data.len(), data.x()[0], data.x()[2_000]), (2_001, -3.0, 3.0));
        assert_eq!(data.y()[1_000], 1.0);
    }
}
