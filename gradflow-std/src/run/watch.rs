//! The energy audit around each step of a run.

use gradflow_core::network::TwoLayer;
use gradflow_core::scheme::{AnyScheme, Step};
use gradflow_core::{Error, Float, Residuals};
use serde::{Deserialize, Serialize};

use super::{RunError, Watch};
use crate::report::Metrics;
use crate::spec::Spec;

/// What the audit has counted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Counts {}

/// The audit of a run.
#[derive(Debug)]
pub(super) struct Auditor<T> {
    counts: Counts,
    before: Vec<T>,
}

impl<T: Float> Auditor<T> {
    /// An audit that has counted this much.
    ///
    /// # Errors
    /// Settings that do not go together.
    pub(super) fn new(
        _spec: &Spec,
        _network: &TwoLayer<T>,
        counts: Counts,
    ) -> Result<Self, RunError> {
        Ok(Self { counts, before: Vec::new() })
    }

    /// What it has counted.
    pub(super) fn counts(&self) -> Counts {
        self.counts.clone()
    }

    /// Puts its findings into the run's figures.
    pub(super) fn report(&self, _metrics: &mut Metrics) {}
}

impl<T: Float> Watch<T> for Auditor<T> {
    fn before(&mut self, _weights: &[T]) {
        self.before.clear();
    }

    fn after(
        &mut self,
        _n: usize,
        _weights: &[T],
        _step: &Step<T>,
        _scheme: &mut AnyScheme<T, Vec<T>>,
        _problem: &mut dyn Residuals<T>,
    ) -> Result<(), Error> {
        Ok(())
    }
}
