//! Time by the clock and of this thread's processor.

use std::fs;
use std::time::Instant;

use super::protocol::Timing;
use crate::run::thread_seconds;

/// Runs since it was made.
pub(super) struct Stopwatch {
    started: Instant,
    cpu: f64,
}

impl Stopwatch {
    pub(super) fn start() -> Self {
        let cpu = thread_seconds();
        Self { started: Instant::now(), cpu }
    }

    /// What has passed, for so many units of work.
    pub(super) fn read(&self, units: f64) -> Timing {
        let wall_s = self.started.elapsed().as_secs_f64();
        Timing { wall_s, cpu_s: thread_seconds() - self.cpu, units }
    }
}

/// Most memory that this process has held, in MiB; 0 where the system does not tell.
pub(super) fn peak_mib() -> f64 {
    kib_of(&fs::read_to_string("/proc/self/status").unwrap_or_default(), "VmHWM:") / 1024.0
}

/// A number of KiB out of a process's status.
pub(super) fn kib_of(status: &str, name: &str) -> f64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_the_status() {
        let status = "Name:\tgradflow\nVmHWM:\t   83456 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!(kib_of(status, "VmHWM:"), 83_456.0);
        assert_eq!(kib_of(status, "VmSwap:"), 0.0);
    }
}
