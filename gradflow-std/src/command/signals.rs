//! Ctrl-C and SIGTERM: the first asks for a stop after the present step, the second ends at once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::TERM_SIGNALS;
use signal_hook::flag;

use crate::run::{RunError, exit};

/// A flag that the first signal sets.
pub(super) fn stop_flag() -> Result<Arc<AtomicBool>, RunError> {
    let stop = Arc::new(AtomicBool::new(false));
    for &signal in TERM_SIGNALS {
        let code = i32::from(exit::STOPPED);
        flag::register_conditional_shutdown(signal, code, Arc::clone(&stop))
            .and_then(|_| flag::register(signal, Arc::clone(&stop)))
            .map_err(|error| RunError::input(format!("signal {signal}: {error}")))?;
    }
    Ok(stop)
}
