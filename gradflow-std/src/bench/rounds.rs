//! Rounds over all cases and all programs.

use std::collections::BTreeMap;
use std::process::Command;
use std::thread;

use super::cases::CASES;
use super::own_work::OwnWork;
use super::program::{Program, Whole, run_whole};
use super::protocol::Timing;
use super::results::{Measured, Results, Series, median};
use crate::run::RunError;

/// What is to be measured.
pub struct Plan {
    /// Timed rounds, after one that is not.
    pub rounds: usize,
    /// Only cases with this in their name.
    pub only: Option<String>,
    /// One epoch as a process, a command for each program that has one.
    pub wholes: Vec<(String, Command)>,
}

impl Plan {
    fn chooses(&self, case: &str) -> bool {
        self.only.as_ref().is_none_or(|part| case.contains(part.as_str()))
    }

    /// The cases in the order in which they are measured: close together those that are compared.
    fn cases(&self) -> Vec<String> {
        let named = CASES.iter().map(|case| case.name.to_owned());
        named.chain(OwnWork::names()).filter(|name| self.chooses(name)).collect()
    }
}

/// Times of one program, round by round.
#[derive(Default)]
struct Times {
    cases: BTreeMap<String, Series>,
    wholes: Vec<Whole>,
}

/// Measures; `progress` is told what is being done.
///
/// # Errors
/// A program that fails.
pub fn measure(
    programs: &mut [Program],
    plan: &mut Plan,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<Measured>, RunError> {
    let cases = plan.cases();
    let mut times: Vec<Times> = programs.iter().map(|_| Times::default()).collect();
    for round in 0..=plan.rounds {
        // The first round brings everything into caches and compiles what is compiled.
        let timed = round > 0;
        let what =
            if timed { format!("round {round} of {}", plan.rounds) } else { "warm-up".into() };
        for case in &cases {
            progress(&format!("{what}: {case}"));
            for (program, times) in programs.iter_mut().zip(&mut times) {
                if program.does(case) {
                    // Of two turns in a row the second counts, as in training an epoch follows an
                    // epoch: the first finds in the caches what another program left there.
                    program.time(case)?;
                    if timed {
                        times.keep(case, program.time(case)?);
                    }
                }
            }
        }
        if plan.chooses("whole") {
            progress(&format!("{what}: one epoch as a process"));
            measure_wholes(programs, plan, timed, &mut times)?;
        }
    }
    programs.iter_mut().zip(times).map(|(program, times)| times.into_measured(program)).collect()
}

fn measure_wholes(
    programs: &[Program],
    plan: &mut Plan,
    timed: bool,
    times: &mut [Times],
) -> Result<(), RunError> {
    for (name, command) in &mut plan.wholes {
        let whole = run_whole(command)?;
        let place = programs.iter().position(|program| program.hello().program == *name);
        if let (Some(times), true) = (place.and_then(|place| times.get_mut(place)), timed) {
            times.wholes.push(whole);
        }
    }
    Ok(())
}

impl Times {
    fn keep(&mut self, case: &str, timing: Timing) {
        let series = self.cases.entry(case.to_owned()).or_default();
        case.clone_into(&mut series.case);
        series.wall_s.push(timing.wall_s / timing.units);
        series.cpu_s.push(timing.cpu_s / timing.units);
    }

    fn into_measured(self, program: &mut Program) -> Result<Measured, RunError> {
        let peak_mib = program.peak_mib()?;
        let hello = program.hello();
        let wholes = &self.wholes;
        let whole = Series {
            case: "whole".into(),
            wall_s: wholes.iter().map(|whole| whole.timing.wall_s).collect(),
            cpu_s: wholes.iter().map(|whole| whole.timing.cpu_s).collect(),
        };
        let mib: Vec<f64> = wholes.iter().map(|whole| whole.peak_mib).collect();
        let known = !wholes.is_empty();
        Ok(Measured {
            program: hello.program.clone(),
            version: hello.version.clone(),
            start_s: hello.start_s,
            peak_mib,
            whole: known.then_some(whole),
            whole_mib: known.then(|| median(&mib)),
            cases: self.cases.into_values().collect(),
        })
    }
}

/// What the machine says of itself.
pub(super) fn machine() -> (String, usize) {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(": ")).map_or("unknown", |(_, name)| name);
    (name.to_owned(), thread::available_parallelism().map_or(1, usize::from))
}

impl Results {
    /// What was measured on this machine.
    #[must_use]
    pub fn here(date: String, rounds: usize, programs: Vec<Measured>) -> Self {
        let (cpu, processors) = machine();
        Self { date, cpu, processors, rounds, entries: 0, program_bytes: 0, programs }
    }
}
