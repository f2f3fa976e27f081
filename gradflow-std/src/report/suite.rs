//! A suite on disk: its facts, its runs, and the runs grouped by what they have in common.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde::de::DeserializeOwned;

use super::columns::Columns;
use super::metrics::{Facts, Metric, Metrics};

/// A folder of runs.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The folder.
    pub dir: PathBuf,
    /// `suite.json`.
    pub facts: Facts,
    /// The runs: by task, method, label, Δt and seed.
    pub runs: Vec<Run>,
    /// Names of the runs that were begun and have no results yet.
    pub unfinished: Vec<String>,
}

/// One run's folder; its tables are read when asked for.
#[derive(Clone, Debug)]
pub struct Run {
    /// The folder.
    pub dir: PathBuf,
    /// `metrics.json`.
    pub metrics: Metrics,
}

/// The runs that differ by their seed alone.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// The runs, at least one.
    pub runs: Vec<&'a Run>,
    /// The first of them, for what they share.
    pub shared: &'a Metrics,
}

impl Suite {
    /// Reads `suite.json` and the `metrics.json` of each run in `dir`.
    ///
    /// # Errors
    /// If one of them is damaged, there is no `suite.json` or no finished run; the message names the file.
    pub fn read(dir: &Path) -> Result<Self> {
        let facts = json(&dir.join("suite.json"))?;
        let entries =
            fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))?;
        let (mut runs, mut unfinished) = (Vec::new(), Vec::new());
        for entry in entries {
            let dir = entry.with_context(|| format!("cannot list {}", dir.display()))?.path();
            if dir.join("metrics.json").exists() {
                let metrics = json(&dir.join("metrics.json"))?;
                runs.push(Run { dir, metrics });
            } else if dir.join("spec.toml").exists() {
                unfinished.extend(dir.file_name().map(|name| name.to_string_lossy().into_owned()));
            }
        }
        ensure!(!runs.is_empty(), "{} holds no finished run", dir.display());
        unfinished.sort();
        runs.sort_by(|a, b| {
            order(&a.metrics).partial_cmp(&order(&b.metrics)).unwrap_or(a.dir.cmp(&b.dir))
        });
        Ok(Self { dir: dir.to_owned(), facts, runs, unfinished })
    }

    /// The tasks, in order.
    #[must_use]
    pub fn tasks(&self) -> Vec<&str> {
        let names: BTreeSet<_> = self.runs.iter().map(|run| run.metrics.task.as_str()).collect();
        names.into_iter().collect()
    }

    /// The groups of a task, in order.
    #[must_use]
    pub fn groups(&self, task: &str) -> Vec<Group<'_>> {
        let mut groups: Vec<Group<'_>> = Vec::new();
        for run in self.runs.iter().filter(|run| run.metrics.task == task) {
            match groups.last_mut() {
                Some(group) if group.takes(&run.metrics) => group.runs.push(run),
                _ => groups.push(Group { runs: vec![run], shared: &run.metrics }),
            }
        }
        groups
    }

    /// The groups of a task by method: one for each Δt that it was run at.
    #[must_use]
    pub fn methods(&self, task: &str) -> Vec<Vec<Group<'_>>> {
        let mut methods: Vec<Vec<Group<'_>>> = Vec::new();
        for group in self.groups(task) {
            match methods.last_mut() {
                Some(method) if method.iter().all(|g| g.shared.label == group.shared.label) => {
                    method.push(group);
                }
                _ => methods.push(vec![group]),
            }
        }
        methods
    }

    /// The number by which the runs of a task are compared: the first that any of them has.
    #[must_use]
    pub fn metric(&self, task: &str) -> Metric {
        let has = |metric: &Metric| {
            let mut runs = self.runs.iter().filter(|run| run.metrics.task == task);
            runs.any(|run| metric.of(&run.metrics).is_some())
        };
        Metric::ALL.into_iter().find(has).unwrap_or(Metric::TrainLoss)
    }
}

impl Run {
    /// `trace.csv`: one row a step.
    ///
    /// # Errors
    /// If the file is missing or damaged.
    pub fn trace(&self) -> Result<Columns> {
        Columns::read(&self.dir.join("trace.csv"))
    }

    /// `epochs.csv`: one row an epoch.
    ///
    /// # Errors
    /// If the file is missing or damaged.
    pub fn epochs(&self) -> Result<Columns> {
        Columns::read(&self.dir.join("epochs.csv"))
    }

    /// `fit.csv`: target and prediction on a grid, for regression in one dimension only.
    ///
    /// # Errors
    /// If the file is damaged.
    pub fn fit(&self) -> Result<Option<Columns>> {
        let path = self.dir.join("fit.csv");
        if path.exists() { Columns::read(&path).map(Some) } else { Ok(None) }
    }

    /// The text of `spec.toml`.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn spec(&self) -> Result<String> {
        let path = self.dir.join("spec.toml");
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }
}

impl Group<'_> {
    fn takes(&self, metrics: &Metrics) -> bool {
        let dt = |m: &Metrics| m.dt.map(f64::to_bits);
        self.shared.label == metrics.label && dt(self.shared) == dt(metrics)
    }

    /// The values of a metric, one a run; a run that diverged has none, whatever its last weights
    /// still gave.
    pub fn values(&self, metric: Metric) -> impl Iterator<Item = Option<f64>> + '_ {
        let kept = |run: &&Run| !run.metrics.diverged;
        self.runs.iter().map(move |run| Some(*run).filter(kept).and_then(|r| metric.of(&r.metrics)))
    }
}

/// First-order methods, then the schemes from the simplest on; plain before relaxed.
fn order(m: &Metrics) -> (&str, usize, bool, &str, f64, u64) {
    (&m.task, family(&m.method), m.relaxed, &m.label, m.dt.unwrap_or(0.0), m.seed)
}

/// The place of a method among its fellows, also that of its colour.
#[must_use]
pub fn family(method: &str) -> usize {
    let known = ["sgd", "adam", "sav", "exp-sav", "ieq-adaptive", "ieq-full"];
    known.iter().position(|&name| name == method).unwrap_or(known.len())
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let file = path.display();
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read {file}: was the run or suite interrupted?"))?;
    serde_json::from_str(&text).with_context(|| format!("{file} is damaged"))
}
