//! The energy audit around each step of a run.

use gradflow_core::audit::{Audit, Law, Tally};
use gradflow_core::network::TwoLayer;
use gradflow_core::scheme::{AnyScheme, Step};
use gradflow_core::{Error, Float, Residuals};
use serde::{Deserialize, Serialize};

use super::room::zeros;
use super::{RunError, Watch};
use crate::report::{self, Metrics};
use crate::spec::Spec;

/// What the audit has counted, over all parts of a run.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Counts {
    checked: u64,
    violations: u64,
    first_step: Option<u64>,
    /// Largest deviation in units of its tolerance.
    worst: Option<f64>,
    loss_increases: u64,
}

impl Counts {
    /// With what one part of the run has counted.
    fn and(self, tally: &Tally) -> Self {
        let worst = tally.worst.map(|violation| violation.severity());
        Self {
            checked: self.checked.saturating_add(tally.checked),
            violations: self.violations.saturating_add(tally.violations),
            first_step: self.first_step.or(tally.first.map(|violation| violation.step)),
            worst: self.worst.into_iter().chain(worst).reduce(f64::max),
            loss_increases: self.loss_increases.saturating_add(tally.loss_increases),
        }
    }
}

/// The audit of a run.
#[derive(Debug)]
pub(super) struct Auditor<T> {
    audit: Audit<T, Vec<T>>,
    earlier: Counts,
}

impl<T: Float> Auditor<T> {
    /// An audit of batches of at most `batch` samples that has counted this much before.
    pub(super) fn new(
        spec: &Spec,
        network: &TwoLayer<T>,
        batch: usize,
        earlier: Counts,
    ) -> Result<Self, RunError> {
        let law = Law::of(&spec.settings(), spec.task_loss());
        let len = law.buffer_len(network.parameters(), batch * network.outputs());
        Ok(Self { audit: Audit::new(law, zeros(len, "the audit")?), earlier })
    }

    /// What it has counted.
    pub(super) fn counts(&self) -> Counts {
        self.earlier.and(&self.audit.tally)
    }

    /// Puts its findings into the run's figures.
    pub(super) fn report(&self, metrics: &mut Metrics) {
        let Counts { checked, violations, first_step, worst, loss_increases } = self.counts();
        let law = self.audit.law();
        let formula = law.binds().then(|| law.formula().to_owned());
        metrics.audit =
            Some(report::Audit { law: formula, checked, violations, first_step, worst });
        metrics.loss_increases = Some(loss_increases);
    }
}

impl<T: Float> Watch<T> for Auditor<T> {
    fn before(&mut self, weights: &[T]) -> Result<(), Error> {
        self.audit.before(weights)
    }

    fn after(
        &mut self,
        n: usize,
        weights: &[T],
        step: &Step<T>,
        scheme: &AnyScheme<T, Vec<T>>,
        problem: &mut dyn Residuals<T>,
    ) -> Result<(), Error> {
        self.audit.after(n as u64, weights, step, problem, scheme).map(|_| ())
    }
}
