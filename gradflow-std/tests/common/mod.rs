//! The command as its users see it: arguments in, exit code, text and files out.

#![allow(dead_code)] // each test uses some of this
#![allow(clippy::unwrap_used)] // helpers of tests stop at the first error, as tests do

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_gradflow");

/// What a command that has ended left to see.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) errors: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The command in this folder, with arguments parted by blanks.
pub(crate) fn gradflow(dir: &Path, arguments: &str) -> Command {
    let mut command = Command::new(BINARY);
    command.current_dir(dir).args(arguments.split_whitespace()).env_remove("MNIST_DIR");
    command
}

/// Runs it to its end.
pub(crate) fn run(dir: &Path, arguments: &str) -> Ran {
    gradflow(dir, arguments).output().unwrap().into()
}

/// Runs it, and demands exit code 0.
pub(crate) fn succeed(dir: &Path, arguments: &str) -> Ran {
    let ran = run(dir, arguments);
    assert_eq!(ran.code, Some(0), "gradflow {arguments}\n{}", ran.errors);
    ran
}

/// Every file and folder below this one, with the contents of files.
pub(crate) fn contents(dir: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let bytes = if path.is_file() { fs::read(&path).ok() } else { None };
            if path.is_dir() && !path.is_symlink() {
                folders.push(path.clone());
            }
            found.insert(path, bytes);
        }
    }
    found
}

/// Names of the files in a folder.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Twelve samples of three inputs and two targets.
pub(crate) const REGRESSION: &str = include_str!("../golden/regression.csv");

/// Twelve samples of four inputs and three classes.
pub(crate) const CLASSES: &str = include_str!("../golden/classes.csv");

/// The four files of a data set of images: 40 to train on, 20 to test on.
pub(crate) fn images() -> [(&'static str, Vec<u8>); 4] {
    let pixels = |count: u32| {
        let header = [0x0803, count, 28, 28].into_iter().flat_map(u32::to_be_bytes);
        let pixel = |i: u32| {
            if i.is_multiple_of(5) { (i.wrapping_mul(2_654_435_761) >> 24) as u8 } else { 0 }
        };
        header.chain((0..count * 28 * 28).map(pixel)).collect()
    };
    let labels = |count: u32| {
        let header = [0x0801, count].into_iter().flat_map(u32::to_be_bytes);
        header.chain((0..count).map(|i| (i % 10) as u8)).collect()
    };
    [
        ("train-images-idx3-ubyte", pixels(40)),
        ("train-labels-idx1-ubyte", labels(40)),
        ("t10k-images-idx3-ubyte", pixels(20)),
        ("t10k-labels-idx1-ubyte", labels(20)),
    ]
}

/// Puts a data set of images into a folder that is made for it.
pub(crate) fn write_images(dir: &Path) {
    fs::create_dir_all(dir).unwrap();
    for (name, bytes) in images() {
        fs::write(dir.join(name), bytes).unwrap();
    }
}

/// Starts the command and kills it as soon as a file is there that it writes meanwhile.
pub(crate) fn kill_once_there(dir: &Path, arguments: &str, file: &str) {
    let mut child = gradflow(dir, arguments).stderr(Stdio::null()).spawn().unwrap();
    while !dir.join(file).exists() {
        assert!(child.try_wait().unwrap().is_none(), "gradflow {arguments} ended before {file}");
        thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
