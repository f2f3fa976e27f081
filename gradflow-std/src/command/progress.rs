//! Progress bars; plain lines where there is no terminal.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// A bar for one run.
#[derive(Debug)]
pub(super) struct Bar {
    bar: ProgressBar,
    shown: Instant,
}

/// Time between two drawings.
const EVERY: Duration = Duration::from_millis(100);

impl Bar {
    /// A bar of its own.
    pub(super) fn single(name: &str) -> Self {
        Self::styled(ProgressBar::new(0), name)
    }

    /// A bar among others.
    pub(super) fn among(bars: &MultiProgress, name: &str) -> Self {
        Self::styled(bars.add(ProgressBar::new(0)), name)
    }

    fn styled(bar: ProgressBar, name: &str) -> Self {
        let template = "{prefix:32!} {bar:24} {pos}/{len} steps, {eta}, {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸ "));
        }
        bar.set_prefix(name.to_owned());
        Self { bar, shown: Instant::now() }
    }

    /// Shows how far the run is.
    pub(super) fn show(&mut self, done: usize, total: usize, loss: f64) {
        if done == total || self.shown.elapsed() >= EVERY {
            self.shown = Instant::now();
            self.bar.set_length(total as u64);
            self.bar.set_position(done as u64);
            self.bar.set_message(format!("loss {loss:.3e}"));
        }
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// Whether bars can be seen.
pub(super) fn has_terminal() -> bool {
    std::io::stderr().is_terminal()
}
