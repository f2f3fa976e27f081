//! Time: what a run takes, and when to save it.

use std::thread;
use std::time::{Duration, Instant};

/// Shortest and longest time between two checkpoints.
const BETWEEN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// When checkpoints are due: often, as long as they take no more than a hundredth of the time.
#[derive(Debug)]
pub(super) struct Pace {
    saved: Instant,
    pause: Duration,
}

impl Pace {
    /// From now on.
    pub(super) fn new() -> Self {
        Self { saved: Instant::now(), pause: BETWEEN.0 }
    }

    pub(super) fn is_due(&self) -> bool {
        self.saved.elapsed() >= self.pause
    }

    /// Saves, and sets the next pause by the time that it took.
    pub(super) fn measure<R>(&mut self, save: impl FnOnce() -> R) -> R {
        let begun = Instant::now();
        let result = save();
        self.saved = Instant::now();
        self.pause = ((self.saved - begun) * 100).clamp(BETWEEN.0, BETWEEN.1);
        result
    }
}

/// Time by the clock and of this thread's processor, over all parts of a run.
pub(super) struct Clock {
    started: Instant,
    cpu_started: f64,
    wall_before: f64,
    cpu_before: f64,
}

impl Clock {
    pub(super) fn start(wall_before: f64, cpu_before: f64) -> Self {
        let cpu_started = thread_seconds();
        Self { started: Instant::now(), cpu_started, wall_before, cpu_before }
    }

    pub(super) fn wall(&self) -> f64 {
        self.wall_before + self.started.elapsed().as_secs_f64()
    }

    pub(super) fn cpu(&self) -> f64 {
        self.cpu_before + (thread_seconds() - self.cpu_started)
    }
}

/// Processor time of this thread; 0 where the system does not tell. Its count is up to a tick late, some
/// milliseconds, but when the thread yields.
pub(crate) fn thread_seconds() -> f64 {
    thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
    nanoseconds.unwrap_or(0.0) * 1e-9
}
