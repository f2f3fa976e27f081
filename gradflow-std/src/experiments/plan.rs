//! A suite before it is run.

use super::Goal;
use crate::spec::Spec;

/// One run of a suite.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Name of its folder.
    pub name: String,
    /// What reports call the method.
    pub label: String,
    /// What to run.
    pub spec: Spec,
}

/// Runs, and what is expected of them.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The runs.
    pub runs: Vec<Planned>,
    /// What is expected.
    pub goals: Vec<Goal>,
}

impl Plan {
    /// Adds a run for each seed from `first` on.
    pub fn add(&mut self, spec: &Spec, note: &str, seeds: std::ops::Range<u64>) {
        let label = format!("{}{note}", spec.label());
        for seed in seeds {
            let spec = Spec { seed, ..spec.clone() };
            let name = format!("{}-{}-seed{seed}", spec.task.word(), slug(&label));
            self.runs.push(Planned { name, label: label.clone(), spec });
        }
    }

    /// Adds a run whose step size is part of its name: one point of a sweep.
    pub fn add_point(&mut self, spec: &Spec, seeds: std::ops::Range<u64>) {
        let label = spec.label();
        for seed in seeds {
            let spec = Spec { seed, ..spec.clone() };
            let name =
                format!("{}-{}-dt{:e}-seed{seed}", spec.task.word(), slug(&label), spec.dt());
            self.runs.push(Planned { name, label: label.clone(), spec });
        }
    }

    /// Keeps the runs whose name contains the pattern, and the goals that some run still serves.
    #[must_use]
    pub fn only(mut self, pattern: &str) -> Self {
        self.runs.retain(|run| run.name.contains(pattern));
        let runs = &self.runs;
        self.goals.retain(|goal| {
            runs.iter().any(|run| run.spec.task == goal.task && run.label == goal.label)
        });
        self
    }
}

/// A label as part of a file name.
fn slug(label: &str) -> String {
    let words: String = label
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' })
        .collect();
    words.split_whitespace().collect::<Vec<_>>().join("-")
}
