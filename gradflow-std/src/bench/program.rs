//! A measured program, from outside.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use super::clock::kib_of;
use super::protocol::{Hello, MEMORY, Memory, Timing};
use crate::run::RunError;

/// Time between two looks at a process.
const POLL: Duration = Duration::from_millis(1);

/// Ticks a second in which Linux tells a process's time.
const TICKS: f64 = 100.0;

/// A program that waits for the name of a case.
pub struct Program {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    hello: Hello,
}

impl Program {
    /// Starts it and waits until it is ready. What it says beside the protocol goes to standard
    /// error.
    ///
    /// # Errors
    /// A program that cannot be started or does not speak the protocol.
    pub fn start(command: &mut Command) -> Result<Self, RunError> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = one_thread(command)
            .spawn()
            .map_err(|error| RunError::input(format!("{name} cannot be started: {error}")))?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let output =
            output.ok_or_else(|| RunError::input(format!("{name} has no standard output")))?;
        let hello =
            Hello { program: name, version: String::new(), start_s: 0.0, cases: Vec::new() };
        let mut program = Self { child, input, output: BufReader::new(output), hello };
        program.hello = program.answer("starting")?;
        Ok(program)
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.hello.program
    }

    /// What it said of itself.
    pub(super) const fn hello(&self) -> &Hello {
        &self.hello
    }

    /// True if it can do the case.
    pub(super) fn does(&self, case: &str) -> bool {
        self.hello.cases.iter().any(|known| known == case)
    }

    /// Has it do a case.
    pub(super) fn time(&mut self, case: &str) -> Result<Timing, RunError> {
        self.ask(case)
    }

    /// Most memory that it has held, in MiB.
    pub(super) fn peak_mib(&mut self) -> Result<f64, RunError> {
        self.ask::<Memory>(MEMORY).map(|memory| memory.peak_mib)
    }

    fn ask<A: DeserializeOwned>(&mut self, line: &str) -> Result<A, RunError> {
        if let Some(input) = &mut self.input {
            // A program that has ended is told apart by its missing answer.
            let _ = writeln!(input, "{line}").and_then(|()| input.flush());
        }
        self.answer(line)
    }

    fn answer<A: DeserializeOwned>(&mut self, to: &str) -> Result<A, RunError> {
        let mut text = String::new();
        let read = self.output.read_line(&mut text);
        let program = &self.hello.program;
        match read {
            Ok(0) | Err(_) => {
                Err(RunError::input(format!("{program} ended while {to}; what it said is above")))
            }
            Ok(_) => serde_json::from_str(&text).map_err(|error| {
                RunError::input(format!("{program}, {to}: {:?} is no answer: {error}", text.trim()))
            }),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // No more lines: the program ends by itself.
        self.input = None;
        let _ = self.child.wait();
    }
}

/// Tells the libraries of numeric programs to use one thread, and OpenBLAS to choose its kernels
/// for the processor that it finds.
fn one_thread(command: &mut Command) -> &mut Command {
    for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"]
    {
        command.env(name, "1");
    }
    command.env_remove("OPENBLAS_CORETYPE").env_remove("OPENBLAS_L2_SIZE")
}

/// What a whole process took, from its start to its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Whole {
    pub(super) timing: Timing,
    pub(super) peak_mib: f64,
}

/// Runs a program to its end. Processor time and memory are read from Linux's process table while
/// it runs and before it is forgotten; elsewhere they are 0.
pub(super) fn run_whole(command: &mut Command) -> Result<Whole, RunError> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |what: &dyn std::fmt::Display| RunError::input(format!("{name}: {what}"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let mut child = one_thread(command).spawn().map_err(|error| failed(&error))?;
    let folder = format!("/proc/{}", child.id());
    let look = |file: &str| fs::read_to_string(format!("{folder}/{file}")).unwrap_or_default();
    let mut peak_kib = 0.0_f64;
    let mut stat = look("stat");
    while stat.contains(") ") && !stat.contains(") Z ") {
        peak_kib = peak_kib.max(kib_of(&look("status"), "VmHWM:"));
        thread::sleep(POLL);
        stat = look("stat");
    }
    let wall_s = started.elapsed().as_secs_f64();
    let status = child.wait().map_err(|error| failed(&error))?;
    if !status.success() {
        return Err(failed(&status));
    }
    // Without a process table the loop above ended at once.
    let wall_s = if stat.is_empty() { started.elapsed().as_secs_f64() } else { wall_s };
    let timing = Timing { wall_s, cpu_s: cpu_seconds(&stat), units: 1.0 };
    Ok(Whole { timing, peak_mib: peak_kib / 1024.0 })
}

/// User and system time out of a process's line in the process table.
fn cpu_seconds(stat: &str) -> f64 {
    // The name, which may hold spaces, ends with the last parenthesis; the state is field 3.
    let fields = stat.rsplit(") ").next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_from_the_process_table() {
        let stat = "12 (a b) c) Z 1 12 12 0 -1 4194304 99 0 0 0 31 4 0 0 20 0 1 0";
        assert_eq!(cpu_seconds(stat), 0.35);
        assert_eq!(cpu_seconds(""), 0.0);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_whole_process_is_timed_and_its_failure_told() {
        let whole = run_whole(Command::new("sh").args(["-c", "sleep 0.1"])).unwrap();
        assert!((0.1..5.0).contains(&whole.timing.wall_s), "{whole:?}");
        assert!(whole.peak_mib > 0.1, "{whole:?}");
        let error = run_whole(Command::new("sh").args(["-c", "exit 3"])).unwrap_err();
        assert!(error.to_string().contains("exit status: 3"), "{error}");
    }

    #[test]
    #[cfg(unix)]
    fn a_program_that_does_not_speak_the_protocol_is_named() {
        let said = |error: Result<Program, RunError>| error.err().map(|e| e.to_string());
        let error = said(Program::start(Command::new("sh").args(["-c", "echo no"]))).unwrap();
        assert!(error.contains("sh") && error.contains("\"no\""), "{error}");
        let error = said(Program::start(Command::new("sh").args(["-c", "exit 1"]))).unwrap();
        assert!(error.contains("ended while starting"), "{error}");
        let error = said(Program::start(&mut Command::new("no-such-program"))).unwrap();
        assert!(error.contains("no-such-program"), "{error}");
    }
}
