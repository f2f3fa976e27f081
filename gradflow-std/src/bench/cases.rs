//! The cases: what one unit of each is, and what it is called in tables.

use crate::spec::{BatchSize, MethodName, Spec, TaskName};

/// What a case does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Work {
    /// Steps of training; a unit is an epoch of MNIST.
    Epoch { method: MethodName, relaxed: bool },
    /// Losses of all batches, without gradients; a unit is an epoch of MNIST.
    Forward,
    /// As many epochs at once as there are processors; a unit is one of them.
    SideBySide,
    /// Training of the network of one input; a unit is a step.
    Line { method: MethodName },
    /// Full IEQ with its structured Gram matrix; a unit is a step.
    IeqFull,
    /// The machine itself; a unit is a multiply and an add.
    Arithmetic,
    /// The machine itself; a unit is a byte.
    Bandwidth,
}

/// A case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) batch: usize,
    pub(super) work: Work,
}

const fn case(name: &'static str, title: &'static str, batch: usize, work: Work) -> Case {
    Case { name, title, batch, work }
}

const fn epoch(method: MethodName) -> Work {
    Work::Epoch { method, relaxed: false }
}

const RELAXED: Work = Work::Epoch { method: MethodName::Sav, relaxed: true };

/// All cases, in the order of the tables.
pub(super) const CASES: [Case; 21] = [
    case("mnist-sgd-64", "SGD", 64, epoch(MethodName::Sgd)),
    case("mnist-sav-64", "SAV", 64, epoch(MethodName::Sav)),
    case("mnist-exp-sav-64", "ExpSAV", 64, epoch(MethodName::ExpSav)),
    case("mnist-relaxed-sav-64", "relaxed SAV", 64, RELAXED),
    case("mnist-adam-64", "Adam", 64, epoch(MethodName::Adam)),
    case("mnist-forward-64", "losses alone", 64, Work::Forward),
    case("mnist-sgd-256", "SGD", 256, epoch(MethodName::Sgd)),
    case("mnist-sav-256", "SAV", 256, epoch(MethodName::Sav)),
    case("mnist-exp-sav-256", "ExpSAV", 256, epoch(MethodName::ExpSav)),
    case("mnist-relaxed-sav-256", "relaxed SAV", 256, RELAXED),
    case("mnist-adam-256", "Adam", 256, epoch(MethodName::Adam)),
    case("mnist-forward-256", "losses alone", 256, Work::Forward),
    case("mnist-side-by-side-64", "SGD, a run on each processor", 64, Work::SideBySide),
    case("line-sgd-64", "SGD", 64, Work::Line { method: MethodName::Sgd }),
    case("line-exp-sav-64", "ExpSAV", 64, Work::Line { method: MethodName::ExpSav }),
    case("mnist-ieq-full-64", "full IEQ", 64, Work::IeqFull),
    case("apart-256", "multiply and add, 256 bits", 0, Work::Arithmetic),
    case("fused-256", "fused multiply-add, 256 bits", 0, Work::Arithmetic),
    case("apart-512", "multiply and add, 512 bits", 0, Work::Arithmetic),
    case("fused-512", "fused multiply-add, 512 bits", 0, Work::Arithmetic),
    case("second-level", "reading the second-level cache", 0, Work::Bandwidth),
];

impl Case {
    /// The case of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        CASES.into_iter().find(|case| case.name == name)
    }

    /// True if this program does it.
    pub(super) const fn is_ours(&self) -> bool {
        !matches!(self.work, Work::Arithmetic | Work::Bandwidth)
    }

    /// What this program trains for it.
    pub(super) fn spec(&self) -> Spec {
        let (task, method) = match self.work {
            Work::Line { method } => (TaskName::Gaussian, method),
            Work::Epoch { method, .. } => (TaskName::Mnist, method),
            Work::IeqFull => (TaskName::Mnist, MethodName::IeqFull),
            _ => (TaskName::Mnist, MethodName::Sgd),
        };
        let relaxed = matches!(self.work, Work::Epoch { relaxed: true, .. });
        let batch = BatchSize::Of(self.batch);
        Spec { samples: 10_000, batch, relaxed, ..Spec::new(task, method) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_tell_the_batch() {
        let names: HashSet<&str> = CASES.iter().map(|case| case.name).collect();
        assert_eq!(names.len(), CASES.len());
        for case in CASES.iter().filter(|case| case.is_ours()) {
            assert!(case.name.ends_with(&format!("-{}", case.batch)), "{}", case.name);
            assert_eq!(Case::named(case.name), Some(*case));
        }
    }
}
