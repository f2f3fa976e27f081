//! MNIST and Fashion-MNIST: 60,000 images of 28 × 28 pixels to train on, 10,000 to test on.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use gradflow_core::Float;

use super::rows::{Answers, Rows};
use super::{DataError, DataSet, Place, idx};

const SIDE: usize = 28;
const CLASSES: u8 = 10;

/// A data set of images in four IDX files, plain or gzipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Images {
    /// Handwritten digits.
    Mnist,
    /// Pictures of clothes.
    FashionMnist,
}

/// Which half of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Images to train on.
    Train,
    /// Images to test on, never to choose a setting by.
    Test,
}

/// Where to look, and who said so.
#[derive(Debug, PartialEq)]
struct Folder {
    path: PathBuf,
    origin: Origin,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Origin {
    Option,
    Environment,
    Default,
}

impl Images {
    /// The name that commands use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mnist => "mnist",
            Self::FashionMnist => "fashion-mnist",
        }
    }

    /// Reads one part, from `data_dir` if it is given, else (MNIST) from `$MNIST_DIR` if it is
    /// set, else from `data/mnist` or `data/fashion-mnist` below the current folder. A place that
    /// was named is used or refused, never replaced by another.
    ///
    /// # Errors
    /// [`DataError::Missing`] if the set is in none of these places, else what is wrong with
    /// which file.
    pub fn load<T: Float>(
        self,
        part: Part,
        data_dir: Option<&Path>,
    ) -> Result<DataSet<T>, DataError> {
        let folder = self.folder(data_dir, env::var_os("MNIST_DIR"));
        let advice = self.repair(&folder);
        self.read(part, &folder).map_err(|error| error.with_advice(&advice))
    }

    fn folder(self, data_dir: Option<&Path>, mnist_dir: Option<OsString>) -> Folder {
        let named = mnist_dir.filter(|dir| self == Self::Mnist && !dir.is_empty());
        match (data_dir, named) {
            (Some(dir), _) => Folder { path: dir.to_owned(), origin: Origin::Option },
            (None, Some(dir)) => Folder { path: dir.into(), origin: Origin::Environment },
            (None, None) => {
                Folder { path: Path::new("data").join(self.name()), origin: Origin::Default }
            }
        }
    }

    /// How a damaged file is replaced.
    fn repair(self, folder: &Folder) -> String {
        let fetch = format!("`cargo xtask data {}", self.name());
        match folder.origin {
            Origin::Default => format!("{fetch}` fetches it again"),
            Origin::Option | Origin::Environment => {
                format!("{fetch} --dir {}` fetches it", folder.path.display())
            }
        }
    }

    fn read<T: Float>(self, part: Part, folder: &Folder) -> Result<DataSet<T>, DataError> {
        let (images, labels) = match part {
            Part::Train => ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
            Part::Test => ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
        };
        let (path, file) = self.open(folder, images)?;
        let images = idx::read_images(idx::content(file, &path)?, &path)?;
        if (images.height, images.width) != (SIDE, SIDE) {
            let problem = format!(
                "images of {}×{} pixels, where {} has {SIDE}×{SIDE}",
                images.height,
                images.width,
                self.name()
            );
            return Err(DataError::content(&path, Place::Byte(8), problem));
        }
        let (labels_path, file) = self.open(folder, labels)?;
        let labels = idx::read_labels(idx::content(file, &labels_path)?, &labels_path, CLASSES)?;
        let count = images.rows.len();
        if labels.len() != count {
            let problem =
                format!("{} labels for the {count} images of {}", labels.len(), path.display());
            return Err(DataError::content(&labels_path, Place::Byte(4), problem));
        }
        let rows = Rows::Levels(images.rows);
        let answers = Answers::Labels(labels);
        Ok(DataSet::assemble(rows, answers, SIDE * SIDE, usize::from(CLASSES)))
    }

    /// Opens a file by its plain name, or else by its name with `.gz`.
    fn open(self, folder: &Folder, name: &str) -> Result<(PathBuf, File), DataError> {
        let plain = folder.path.join(name);
        for path in [plain.clone(), folder.path.join(format!("{name}.gz"))] {
            match File::open(&path) {
                Ok(file) => return Ok((path, file)),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(DataError::file(&path, error)),
            }
        }
        Err(self.not_found(folder, plain))
    }

    fn not_found(self, folder: &Folder, path: PathBuf) -> DataError {
        let source = match folder.origin {
            Origin::Default => {
                let advice = format!(
                    "`cargo xtask data {}`, run in the project's folder, fetches it; --data-dir \
                     DIR reads it from another place",
                    self.name()
                );
                return DataError::Missing { path, advice };
            }
            Origin::Option => "--data-dir",
            Origin::Environment => "$MNIST_DIR",
        };
        let problem = format!(
            "there is no such file, nor one with .gz, in the folder that {source} names; {}",
            self.repair(folder)
        );
        DataError::File { path, source: io::Error::new(ErrorKind::NotFound, problem) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_the_option_else_the_variable_else_the_default() {
        let option = Some(Path::new("given"));
        let variable = || Some(OsString::from("set"));
        for (set, option, variable, path, origin) in [
            (Images::Mnist, option, variable(), "given", Origin::Option),
            (Images::Mnist, None, variable(), "set", Origin::Environment),
            (Images::Mnist, None, Some(OsString::new()), "data/mnist", Origin::Default),
            (Images::Mnist, None, None, "data/mnist", Origin::Default),
            (Images::FashionMnist, option, variable(), "given", Origin::Option),
            (Images::FashionMnist, None, variable(), "data/fashion-mnist", Origin::Default),
        ] {
            assert_eq!(set.folder(option, variable), Folder { path: path.into(), origin });
        }
    }

    #[test]
    fn what_can_be_fetched_is_missing_and_what_was_named_is_wrong() {
        let empty = tempfile::tempdir().unwrap();
        for (origin, exit_code, text) in [
            (Origin::Default, 4, "`cargo xtask data mnist`"),
            (Origin::Option, 2, "--data-dir names"),
            (Origin::Environment, 2, "$MNIST_DIR names"),
        ] {
            let folder = Folder { path: empty.path().to_owned(), origin };
            let error = Images::Mnist.read::<f32>(Part::Train, &folder).unwrap_err();
            assert_eq!(error.exit_code(), exit_code);
            assert!(error.to_string().contains(text), "{error}");
            assert!(error.to_string().contains("train-images-idx3-ubyte"), "{error}");
        }
    }
}
