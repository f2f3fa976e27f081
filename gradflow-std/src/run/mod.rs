//! Runs: from a spec to traces, figures of merit and weights.

mod checkpoint;
mod error;
mod evaluation;
mod output;
mod problem;
mod record;
mod session;
mod trainer;
mod watch;
mod wide;

pub use error::{RunError, exit};
pub use evaluation::{Measured, measure};
pub use output::{Growing, Output, write_atomically};
pub use problem::{Sets, load_weights, network};
pub use record::{EPOCHS_HEADER, TRACE_HEADER};
pub use session::{Ending, Files, Job, Outcome, run};
pub use trainer::{Trainer, Watch};
pub use wide::{Wide, evaluate};

use gradflow_core::network::TwoLayer;
use gradflow_core::scheme::{Coupling, Method};
use gradflow_core::{Float, weights};

use crate::report::Metrics;
use crate::spec::{BatchSize, Spec};

/// The weights as a safetensors file.
///
/// # Errors
/// Weights that do not belong to the network.
pub fn weights_file<T: Float>(network: &TwoLayer<T>, w: &[T]) -> Result<Vec<u8>, RunError> {
    let mut bytes = vec![0; weights::file_len(network)];
    let len = weights::write(network, w, &mut bytes)?;
    bytes.truncate(len);
    Ok(bytes)
}

/// What is known of a run before it starts.
fn describe(spec: &Spec) -> Metrics {
    let settings = spec.settings::<f64>();
    let method = settings.method;
    let sav = matches!(method, Method::Sav | Method::ExpSav);
    let coupling = match settings.coupling() {
        Coupling::Ratio => "ratio",
        Coupling::Consistent => "consistent",
    };
    Metrics {
        task: spec.task.word().to_owned(),
        method: spec.method.word().to_owned(),
        relaxed: spec.relaxed,
        coupling: sav.then(|| coupling.to_owned()),
        residual: spec.residual.map(|residual| residual.word().to_owned()),
        operator: method.has_auxiliary().then(|| spec.operator.word().to_owned()),
        control: (method == Method::IeqFull).then(|| spec.control.word().to_owned()),
        dt: Some(spec.dt()),
        lambda: method.has_auxiliary().then_some(spec.lambda),
        c: sav.then_some(spec.c),
        batch: match spec.batch {
            BatchSize::Full => None,
            BatchSize::Of(batch) => Some(batch as u64),
        },
        seed: spec.seed,
        precision: Some(spec.precision.word().to_owned()),
        ..Metrics::default()
    }
}
