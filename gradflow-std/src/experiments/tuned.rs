//! The settings that the suite `tune` found and the suite `default` uses.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::suites::methods;
use crate::run::{RunError, write_atomically};
use crate::spec::{Spec, TaskName};

/// Settings of one method.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Setting {
    /// Step size Δt.
    pub dt: f64,
    /// Strength λ of the operator.
    #[serde(default)]
    pub lambda: f64,
}

/// Settings by task and label.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tuned(BTreeMap<String, BTreeMap<String, Setting>>);

/// What was found last.
const BUILT_IN: &str = include_str!("../../suites/tuned.toml");

impl Tuned {
    /// The settings of a file, or those built in.
    ///
    /// # Errors
    /// A file that cannot be read or is not one of settings.
    pub fn read(path: Option<&Path>) -> Result<Self, RunError> {
        let (text, name) = match path {
            Some(path) => {
                let text = read(path).map_err(|error| RunError::file(path, &error))?;
                (text, path.display().to_string())
            }
            None => (BUILT_IN.to_owned(), "the built-in settings".to_owned()),
        };
        let wrong = |problem: String| RunError::input(format!("{name}: {problem}"));
        let tuned: Self = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        tuned.unknown().map_or(Ok(tuned), |key| Err(wrong(format!("no run of a suite is {key}"))))
    }

    /// A setting that no run of a suite takes up: a slip of the keyboard, which must not go unseen.
    fn unknown(&self) -> Option<String> {
        let known: Vec<(TaskName, String)> = [TaskName::Gaussian, TaskName::Mnist]
            .into_iter()
            .flat_map(|task| methods(task).into_iter().map(move |spec| (task, spec.label())))
            .collect();
        let keys = self.0.iter().flat_map(|(task, labels)| labels.keys().map(move |l| (task, l)));
        keys.into_iter()
            .find(|(task, label)| !known.iter().any(|(t, l)| t.word() == *task && l == *label))
            .map(|(task, label)| format!("`{task}.{label}`"))
    }

    /// Puts the tuned settings into a spec, if there are any for its task and label.
    #[must_use]
    pub fn apply(&self, mut spec: Spec) -> Spec {
        let setting = self.0.get(spec.task.word()).and_then(|task| task.get(&spec.label()));
        if let Some(&Setting { dt, lambda }) = setting {
            spec.dt = Some(dt);
            spec.lambda = lambda;
        }
        spec
    }

    /// Keeps a spec's settings.
    pub fn insert(&mut self, spec: &Spec) {
        let setting = Setting { dt: spec.dt(), lambda: spec.lambda };
        self.0.entry(spec.task.word().to_owned()).or_default().insert(spec.label(), setting);
    }

    /// Writes the file, with a line above that says where it comes from.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, path: &Path, comment: &str) -> Result<(), RunError> {
        let body = toml::to_string(self).map_err(|error| RunError::input(error.to_string()))?;
        write_atomically(path, format!("# {comment}\n\n{body}").as_bytes())
    }
}

/// Longest file of settings that is read.
const MAX_BYTES: u64 = 1 << 20;

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let len = File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if len as u64 > MAX_BYTES {
        return Err(io::Error::other(format!("it has more than {MAX_BYTES} bytes")));
    }
    Ok(text)
}
