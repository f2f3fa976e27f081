//! The runs of a plan, side by side.

use std::collections::HashMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use gradflow_core::Float;

use super::Planned;
use crate::report::Metrics;
use crate::run::{Ending, Files, Job, Outcome, RunError, Sets, check, run, write_atomically};
use crate::spec::{Precision, Simd, Source, Spec};

/// How a plan is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of the suite; each run has a folder in it.
    pub dir: PathBuf,
    /// Runs side by side.
    pub jobs: usize,
    /// Whether to keep finished runs and go on with unfinished ones.
    pub resume: bool,
    /// Whether wide vectors may be used.
    pub simd: Simd,
}

/// Is told how the runs go, from several threads.
pub trait Watcher: Sync {
    /// A run begins; returns who is told of its steps.
    fn begin(&self, run: &Planned) -> Box<dyn FnMut(usize, usize, f64)>;

    /// A run is over.
    fn end(&self, run: &Planned, metrics: &Metrics);
}

/// Runs a plan. The results are in the plan's order; runs that a signal kept from finishing are
/// absent. Settings and data of all runs are looked at before anything is written.
///
/// # Errors
/// The first run that could not be done (bad input, a full disk); diverged runs are results.
pub fn execute(
    runs: &[Planned],
    options: &Options,
    stop: &AtomicBool,
    watcher: &dyn Watcher,
) -> Result<Vec<Metrics>, RunError> {
    let shared = Shared {
        options,
        stop,
        watcher,
        single: Mutex::default(),
        double: Mutex::default(),
        failed: Mutex::new(None),
    };
    for run in runs {
        shared.look_at(run).map_err(|error| error.within(&run.name))?;
    }
    fs::create_dir_all(&options.dir).map_err(|error| RunError::file(&options.dir, &error))?;
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<Metrics>>> = runs.iter().map(|_| Mutex::default()).collect();
    thread::scope(|scope| {
        for _ in 0..options.jobs.clamp(1, runs.len().max(1)) {
            scope.spawn(|| {
                while let (Some(run), Some(place)) = {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    (runs.get(i), results.get(i))
                } {
                    if stop.load(Ordering::Relaxed) || !shared.take(run, place) {
                        return;
                    }
                }
            });
        }
    });
    if let Some(error) = shared.failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    Ok(results.into_iter().filter_map(|result| result.into_inner().ok().flatten()).collect())
}

/// Sets of one precision, by what decides them.
type Cache<T> = Mutex<HashMap<String, Arc<Sets<T>>>>;

/// What the threads share.
struct Shared<'a> {
    options: &'a Options,
    stop: &'a AtomicBool,
    watcher: &'a dyn Watcher,
    single: Cache<f32>,
    double: Cache<f64>,
    failed: Mutex<Option<RunError>>,
}

impl Shared<'_> {
    /// Fails if a run that is still to be done cannot be.
    fn look_at(&self, planned: &Planned) -> Result<(), RunError> {
        let spec = &planned.spec;
        check(spec)?;
        let is_images = matches!(spec.task.meaning(), Source::Images(_));
        if !is_images || Folder::of(planned, self.options)?.finished().is_some() {
            return Ok(());
        }
        match spec.precision {
            Precision::F32 => sets(spec, &self.single).map(|_| ()),
            Precision::F64 => sets(spec, &self.double).map(|_| ()),
        }
    }

    /// Does a run; false if no more should be begun.
    fn take(&self, planned: &Planned, place: &Mutex<Option<Metrics>>) -> bool {
        let result = match planned.spec.precision {
            Precision::F32 => self.run(planned, &self.single),
            Precision::F64 => self.run(planned, &self.double),
        };
        match result {
            Ok(metrics) => {
                if let Ok(mut place) = place.lock() {
                    *place = metrics;
                }
                true
            }
            Err(error) => {
                let error = error.within(&planned.name);
                if let Ok(mut failed) = self.failed.lock() {
                    failed.get_or_insert(error);
                }
                self.stop.store(true, Ordering::Relaxed);
                false
            }
        }
    }

    /// The results of a run, or `None` if a signal stopped it.
    fn run<T: Float>(
        &self,
        planned: &Planned,
        cache: &Cache<T>,
    ) -> Result<Option<Metrics>, RunError> {
        let folder = Folder::of(planned, self.options)?;
        let files = folder.files();
        if let Some(metrics) = folder.finished() {
            files.remove_checkpoint()?;
            self.watcher.end(planned, &metrics);
            return Ok(Some(metrics));
        }
        folder.begin()?;
        let sets = sets(&planned.spec, cache)?;
        let mut job = Job {
            spec: &planned.spec,
            name: &planned.name,
            label: &planned.label,
            simd: self.options.simd,
            files,
            resume: folder.goes_on,
            stop: self.stop,
            progress: &mut *self.watcher.begin(planned),
        };
        let outcome = run(&mut job, &sets)?;
        if matches!(outcome.ending, Ending::Stopped(_)) {
            return Ok(None);
        }
        keep(&folder.dir, &outcome)?;
        job.files.remove_checkpoint()?;
        self.watcher.end(planned, &outcome.metrics);
        Ok(Some(outcome.metrics))
    }
}

/// The folder of a run.
struct Folder {
    dir: PathBuf,
    /// Contents of `spec.toml`.
    spec: String,
    /// Whether what is there belongs to this run and is to be gone on from.
    goes_on: bool,
}

impl Folder {
    fn of(planned: &Planned, options: &Options) -> Result<Self, RunError> {
        let dir = options.dir.join(&planned.name);
        let spec = toml::to_string(&planned.spec)
            .map_err(|error| RunError::input(format!("{}: {error}", dir.display())))?;
        let there = fs::read(dir.join(SPEC));
        let goes_on = options.resume && there.is_ok_and(|there| there == spec.as_bytes());
        Ok(Self { dir, spec, goes_on })
    }

    fn files(&self) -> Files {
        Files {
            trace: Some(self.dir.join("trace.csv")),
            epochs: Some(self.dir.join("epochs.csv")),
            checkpoint: Some(self.dir.join("checkpoint")),
        }
    }

    /// The figures of a run that is complete.
    fn finished(&self) -> Option<Metrics> {
        let bytes = fs::read(self.dir.join("metrics.json")).ok().filter(|_| self.goes_on)?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Empties the folder, unless the run goes on from what is there.
    fn begin(&self) -> Result<(), RunError> {
        if !self.goes_on {
            clear(&self.dir).map_err(|error| RunError::file(&self.dir, &error))?;
        }
        write_atomically(&self.dir.join(SPEC), self.spec.as_bytes())
    }
}

/// The settings of a run. Without this file nothing in the folder counts.
const SPEC: &str = "spec.toml";

/// An empty folder for a run, at no moment one with half of an earlier run's results.
fn clear(dir: &Path) -> io::Result<()> {
    for gone in [fs::remove_file(dir.join(SPEC)), fs::remove_dir_all(dir)] {
        gone.or_else(
            |error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) },
        )?;
    }
    fs::create_dir_all(dir)
}

/// Writes what a run came to; the figures last, since they say that it is complete.
fn keep(dir: &Path, outcome: &Outcome) -> Result<(), RunError> {
    write_atomically(&dir.join("weights.safetensors"), &outcome.weights)?;
    if let Some(fit) = &outcome.fit {
        write_atomically(&dir.join("fit.csv"), fit.as_bytes())?;
    }
    let metrics = serde_json::to_vec_pretty(&outcome.metrics)
        .map_err(|error| RunError::input(error.to_string()))?;
    write_atomically(&dir.join("metrics.json"), &metrics)
}

/// The data of a spec; images are read once for all runs.
fn sets<T: Float>(spec: &Spec, cache: &Cache<T>) -> Result<Arc<Sets<T>>, RunError> {
    if !matches!(spec.task.meaning(), Source::Images(_)) {
        return Sets::load(spec).map(Arc::new);
    }
    let key = format!("{} {:?} {:?}", spec.task.word(), spec.data_dir, spec.train);
    let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(sets) = cache.get(&key) {
        return Ok(Arc::clone(sets));
    }
    let sets = Arc::new(Sets::load(spec)?);
    cache.insert(key, Arc::clone(&sets));
    Ok(sets)
}
