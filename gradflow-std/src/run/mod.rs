//! Runs: from a spec to traces, figures of merit and weights.

mod apart;
mod checkpoint;
mod clock;
mod error;
mod evaluation;
mod growing;
mod output;
mod prefetch;
mod problem;
mod record;
mod room;
mod session;
mod trainer;
mod watch;
mod weights;
mod wide;

pub(crate) use clock::thread_seconds;
pub use error::{RunError, exit};
pub use evaluation::{Measured, measure};
pub use growing::Growing;
pub use output::{Output, is_stream, write_atomically};
pub use problem::{Sets, network};
pub use record::{EPOCHS_HEADER, TRACE_HEADER};
pub(crate) use room::{LINE, aligned};
pub use session::{Ending, Files, Job, Outcome, run};
pub use trainer::{Trainer, Watch, check};
pub use weights::{load_weights, weights_file};
pub use wide::{Registers, Wide, evaluate, step};

use gradflow_core::scheme::{Coupling, Method};

use crate::report::Metrics;
use crate::spec::{BatchSize, Spec};

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
