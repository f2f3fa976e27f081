//! This program as one of the measured ones.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::thread;

use gradflow_core::Objective;
use gradflow_core::network::{Batch, Loss, Scratch, TwoLayer};
use serde::Serialize;

use super::cases::{CASES, Case, Work};
use super::clock::{Stopwatch, peak_mib};
use super::own_work::OwnWork;
use super::protocol::{Hello, MEMORY, Memory, Timing};
use crate::data::DataSet;
use crate::run::{LINE, RunError, Sets, Trainer, Wide, aligned};
use crate::spec::{Simd, Spec};

/// Steps of a round of the network of one input.
const LINE_STEPS: usize = 30_000;

/// Steps of a round of full IEQ.
const IEQ_STEPS: usize = 20;

/// Answers the lines of `input` until there are no more. Images come from `data_dir`, or from where
/// training finds them.
///
/// # Errors
/// A case that does not exist, data that cannot be read, an output that is closed.
pub fn serve(
    input: impl BufRead,
    mut output: impl Write,
    data_dir: Option<PathBuf>,
) -> Result<(), RunError> {
    let ours = CASES.iter().filter(|case| case.is_ours()).map(|case| case.name.to_owned());
    let hello = Hello {
        program: "gradflow".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        start_s: 0.0,
        cases: ours.chain(OwnWork::names()).collect(),
    };
    say(&mut output, &hello)?;
    let mut bench = Bench { data_dir, data: BTreeMap::new(), work: BTreeMap::new() };
    for line in input.lines() {
        let line = line.map_err(|error| RunError::file("standard input".as_ref(), &error))?;
        match line.trim() {
            MEMORY => say(&mut output, &Memory { peak_mib: peak_mib() })?,
            name => say(&mut output, &bench.time(name)?)?,
        }
    }
    Ok(())
}

fn say(output: &mut impl Write, line: &impl Serialize) -> Result<(), RunError> {
    let text = serde_json::to_string(line).map_err(|error| RunError::input(error.to_string()))?;
    writeln!(output, "{text}")
        .and_then(|()| output.flush())
        .map_err(|error| RunError::file("standard output".as_ref(), &error))
}

/// Data and networks, kept from round to round.
struct Bench {
    data_dir: Option<PathBuf>,
    data: BTreeMap<&'static str, DataSet<f32>>,
    work: BTreeMap<String, Running>,
}

/// A case under way.
enum Running {
    Training { trainer: Box<Trainer<f32>>, steps: usize, units: f64 },
    Losses(Box<Trainer<f32>>),
    Together(Vec<Trainer<f32>>),
    Own(Box<OwnWork>),
}

impl Bench {
    fn time(&mut self, name: &str) -> Result<Timing, RunError> {
        let case = Case::named(name).filter(Case::is_ours);
        let task = case.map_or("", |case| case.spec().task.word());
        if let (Some(case), false) = (case, self.data.contains_key(task)) {
            let spec = Spec { data_dir: self.data_dir.clone(), ..case.spec() };
            self.data.insert(task, Sets::load(&spec)?.train);
        }
        let set = self.data.get(task);
        let running = match self.work.entry(name.to_owned()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(match (case, set) {
                (Some(case), Some(set)) => Running::new(&case, set)?,
                _ => Running::Own(Box::new(OwnWork::named(name)?)),
            }),
        };
        running.time(set)
    }
}

impl Running {
    fn new(case: &Case, set: &DataSet<f32>) -> Result<Self, RunError> {
        let spec = case.spec();
        let trainer = |seed| Trainer::new(&Spec { seed, ..spec.clone() }, set, Simd::Auto);
        let trainer_0 = Box::new(trainer(0)?);
        let epoch = trainer_0.steps_per_epoch();
        Ok(match case.work {
            Work::Forward => Self::Losses(trainer_0),
            Work::SideBySide => {
                let processors = thread::available_parallelism().map_or(1, usize::from);
                Self::Together((0..processors as u64).map(trainer).collect::<Result<_, _>>()?)
            }
            Work::Line { .. } => Self::training(trainer_0, LINE_STEPS, LINE_STEPS as f64),
            Work::IeqFull => Self::training(trainer_0, IEQ_STEPS, IEQ_STEPS as f64),
            _ => Self::training(trainer_0, epoch, 1.0),
        })
    }

    const fn training(trainer: Box<Trainer<f32>>, steps: usize, units: f64) -> Self {
        Self::Training { trainer, steps, units }
    }

    /// Training steps without the audit, as frameworks have none.
    fn time(&mut self, set: Option<&DataSet<f32>>) -> Result<Timing, RunError> {
        match (self, set) {
            (Self::Training { trainer, steps, units }, Some(set)) => {
                let stopwatch = Stopwatch::start();
                advance(trainer, set, *steps)?;
                Ok(stopwatch.read(*units))
            }
            (Self::Losses(trainer), Some(set)) => losses(trainer, set),
            (Self::Together(trainers), Some(set)) => together(trainers, set),
            (Self::Own(work), _) => work.time(),
            _ => Err(RunError::input("a case without its data".into())),
        }
    }
}

fn advance(trainer: &mut Trainer<f32>, set: &DataSet<f32>, steps: usize) -> Result<(), RunError> {
    for _ in 0..steps {
        trainer.step(set, &mut ())?;
    }
    Ok(())
}

/// The loss of each batch of an epoch.
fn losses(trainer: &Trainer<f32>, set: &DataSet<f32>) -> Result<Timing, RunError> {
    let network: &TwoLayer<f32> = trainer.network();
    let batch = set.len().div_ceil(trainer.steps_per_epoch());
    let len = network.scratch_len(batch);
    let (mut reals, mut indices) = (vec![0.0; len.reals + LINE], vec![0; len.indices]);
    let (order, _) = trainer.order();
    let stopwatch = Stopwatch::start();
    for some in order.chunks(batch) {
        let scratch = Scratch { reals: aligned(&mut reals), indices: &mut indices };
        let problem = network.on(Batch::of(set.samples(), some), Loss::CrossEntropy, scratch)?;
        Wide::new(problem, Simd::Auto.meaning()).loss(trainer.weights())?;
    }
    Ok(stopwatch.read(1.0))
}

/// One epoch of each, at the same time.
fn together(trainers: &mut [Trainer<f32>], set: &DataSet<f32>) -> Result<Timing, RunError> {
    let whole = Stopwatch::start();
    let parts = thread::scope(|scope| {
        let mut threads = Vec::new();
        for trainer in trainers {
            threads.push(scope.spawn(move || {
                let stopwatch = Stopwatch::start();
                advance(trainer, set, trainer.steps_per_epoch()).map(|()| stopwatch.read(1.0))
            }));
        }
        let ended = threads.into_iter().map(|thread| {
            let ended = thread.join();
            ended.unwrap_or_else(|_| Err(RunError::input("a run ended in a panic".into())))
        });
        ended.collect::<Result<Vec<_>, _>>()
    })?;
    let cpu_s = parts.iter().map(|part: &Timing| part.cpu_s).sum();
    Ok(Timing { cpu_s, ..whole.read(parts.len() as f64) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_answered_line_by_line_and_an_unknown_one_refused() {
        let mut output = Vec::new();
        serve(&b"line-sgd-64\nown-sav-100\nmemory\n"[..], &mut output, None).unwrap();
        let text = String::from_utf8(output).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let [hello, line, own, memory] = lines[..] else { panic!("{text}") };
        let hello: Hello = serde_json::from_str(hello).unwrap();
        assert!(hello.cases.iter().any(|case| case == "mnist-sgd-64"), "{hello:?}");
        let line: Timing = serde_json::from_str(line).unwrap();
        assert!(line.units == LINE_STEPS as f64 && line.wall_s > 0.0, "{line:?}");
        let own: Timing = serde_json::from_str(own).unwrap();
        assert!(own.units > 0.0 && own.wall_s > 0.0, "{own:?}");
        serde_json::from_str::<Memory>(memory).unwrap();

        let error = serve(&b"mnist-lamb-64\n"[..], Vec::new(), None).unwrap_err();
        assert!(error.to_string().contains("mnist-lamb-64"), "{error}");
    }
}
