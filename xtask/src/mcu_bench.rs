//! `cargo xtask bench --mcu`: what the firmware costs, in the emulators, against a budget.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser};

use crate::firmware::{BOARDS, Board, PICO, STM32F405};
use crate::serial_line::{Emulated, number, value};
use crate::setup::{self, NODE, NPM, QEMU};
use crate::workspace;

const HELP: &str = "\
Builds the firmware of both boards, runs it in QEMU and in rp2040js, and prints, for each board,
flash, static RAM and, for each method, what a step costs: instructions (QEMU) or cycles (rp2040js),
RAM and stack. Then the way to a mean squared error of 1e-5 and 1e-6 from 20 seeds. Everything is
compared with gradflow-mcu/budget.tsv. About five minutes.

cargo xtask bench --mcu [--update]

  --update   write what was measured into the budget

A figure that is over its goal, or over what the budget recorded by more than 2 %, is an error.";

/// Names of runs, and the commands that set them up.
const METHODS: [(&str, &[&str]); 9] = [
    ("sgd", &["method sgd", "dt 0.3"]),
    ("adam", &["method adam", "dt 1e-3"]),
    ("sav", &["method sav", "dt 1", "lambda 1"]),
    ("exp-sav", &["method exp-sav", "dt 1", "lambda 1"]),
    ("relaxed-sav", &["method sav", "relaxed on", "dt 1", "lambda 1"]),
    ("ieq-adaptive", &["method ieq-adaptive", "dt 1"]),
    ("ieq-full", &["solver cholesky", "dt 1e4"]),
    ("ieq-full-closed-form", &["solver closed-form", "dt 1e4"]),
    ("ieq-full-gain-ratio", &["control gain-ratio", "dt 1e4"]),
];
/// What brings back the settings that a board starts with.
const DEFAULTS: [&str; 8] = [
    "relaxed off",
    "control fixed",
    "method ieq-full",
    "lambda 0",
    "seed 0",
    "solver closed-form",
    "target 0",
    "batch 32",
];
const SEEDS: u32 = 20;
/// Races from each seed: name, settings beside the defaults, the most steps that are taken.
const RACES: [(&str, &[&str], u32); 3] = [
    ("1e-5", &["dt 1e4", "target 1e-5"], 25),
    ("1e-6, 64 samples", &["dt 1e5", "batch 64", "target 1e-6"], 100),
    ("1e-6, gain ratio", &["dt 1e4", "batch 64", "control gain-ratio", "target 1e-6"], 100),
];
/// Bytes of full IEQ's four vectors of 32 numbers: x, f, q and q̃.
const VECTORS: f64 = 4.0 * 32.0 * 4.0;
const TOLERANCE: f64 = 1.02;

/// Cycles of the Cortex-M0+ in a tick of the Pico's timer.
const CYCLES: f64 = 125.0;

/// Figures by name; a name begins with the board's.
type Figures = BTreeMap<String, f64>;

/// Runs the task.
pub(crate) fn run(args: &[OsString]) -> Result<()> {
    let mut update = false;
    let mut parser = Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("update") => update = true,
            Arg::Long("help") | Arg::Short('h') => {
                println!("{HELP}");
                return Ok(());
            }
            _ => return Err(arg.unexpected().into()),
        }
    }
    setup::provide(&[QEMU, NODE, NPM])?;
    let mut figures = Figures::new();
    for board in BOARDS {
        measure(board, &mut figures).with_context(|| format!("the {}", board.name))?;
    }
    let budget = Budget::read()?;
    println!("{}", budget.table(&figures));
    if update {
        return budget.write(&figures);
    }
    budget.check(&figures)
}

fn measure(board: Board, figures: &mut Figures) -> Result<()> {
    let image = board.build()?;
    let mut note = |what: String, value: f64| {
        figures.insert(format!("{} {what}", board.name), value);
    };
    note("flash".into(), image.flash.len() as f64);
    note("static RAM".into(), f64::from(image.ram));
    let scale = if board == PICO { CYCLES } else { 1.0 };
    let mut line = Emulated::start(board, &image)?;
    for (name, commands) in METHODS {
        for command in DEFAULTS.iter().chain(commands) {
            line.command(command)?;
        }
        let report = line.command(if board == PICO { "bench 2" } else { "bench 10" })?;
        let bench = last(&report, "bench ")?;
        note(format!("{name} step"), scale * number(bench, "mean")?);
        note(format!("{name} stack"), number(bench, "of-a-step")?);
        let ram = number(bench, "bytes")? + number(bench, "of-a-step")?;
        note(format!("{name} RAM"), ram);
        if name.starts_with("ieq-full") {
            note(format!("{name} RAM without vectors"), ram - VECTORS);
        }
    }
    for race in RACES {
        let (name, ..) = race;
        // On the Pico a seed of the others takes seconds; its bits are the same.
        let seeds = if board == PICO && name != "1e-5" { SEEDS / 10 } else { SEEDS };
        let (steps, ticks) = learn(&mut line, race, seeds)?;
        note(format!("{name} most steps"), most(&steps));
        note(format!("{name} median steps"), median(steps));
        note(format!("{name} median cost"), scale * median(ticks));
    }
    // Writing the weights' file takes more stack than a step.
    line.command("save")?;
    note("whole stack".into(), number(last(&line.command("stack")?, "stack ")?, "used")?);
    Ok(())
}

/// Steps and ticks from each seed to the race's target, by full IEQ in closed form.
fn learn(
    line: &mut Emulated,
    (name, settings, most): (&str, &[&str], u32),
    seeds: u32,
) -> Result<(Vec<f64>, Vec<f64>)> {
    let (mut steps, mut ticks) = (Vec::new(), Vec::new());
    for command in DEFAULTS.iter().chain(settings) {
        line.command(command)?;
    }
    for seed in 0..seeds {
        line.command(&format!("seed {seed}"))?;
        let report = line.command(&format!("bench {most}"))?;
        let reached = report
            .iter()
            .filter(|line| line.starts_with("reached"))
            .find(|line| value(line, "error").is_some_and(|error| name.starts_with(error)))
            .with_context(|| format!("{name}: seed {seed} does not get there in {most} steps"))?;
        steps.push(number(reached, "steps")?);
        ticks.push(number(reached, "ticks")?);
    }
    Ok((steps, ticks))
}

fn last<'l>(report: &'l [String], start: &str) -> Result<&'l str> {
    let line = report.iter().rev().find(|line| line.starts_with(start));
    line.map(String::as_str).with_context(|| format!("the board did not report `{start}`"))
}

fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

/// The upper median.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The table in the repository: figure, goal (if there is one), what was measured last.
struct Budget {
    path: PathBuf,
    lines: Vec<(String, Option<f64>, Option<f64>)>,
}

impl Budget {
    fn read() -> Result<Self> {
        let path = workspace::root().join("gradflow-mcu/budget.tsv");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path:?}"))?;
        let mut lines = Vec::new();
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.starts_with('#')) {
            let mut fields = line.split('\t');
            let (Some(figure), Some(goal), Some(measured)) =
                (fields.next(), fields.next(), fields.next())
            else {
                bail!("{path:?}, line {number}: three columns are needed");
            };
            lines.push((figure.to_string(), goal.parse().ok(), measured.parse().ok()));
        }
        Ok(Self { path, lines })
    }

    fn entry(&self, figure: &str) -> (Option<f64>, Option<f64>) {
        let found = self.lines.iter().find(|(name, ..)| name == figure);
        found.map_or((None, None), |&(_, goal, measured)| (goal, measured))
    }

    fn table(&self, figures: &Figures) -> String {
        let mut table = format!("{:<44}{:>12}{:>12}{:>12}\n", "", "measured", "budget", "goal");
        let cell =
            |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.0}"));
        for (figure, value) in figures {
            let (goal, before) = self.entry(figure);
            let (before, goal) = (cell(before), cell(goal));
            table += &format!("{figure:<44}{value:>12.0}{before:>12}{goal:>12}\n");
        }
        table
    }

    fn check(&self, figures: &Figures) -> Result<()> {
        let mut over = Vec::new();
        for (figure, value) in figures {
            let (goal, before) = self.entry(figure);
            if goal.is_some_and(|goal| *value > goal) {
                over.push(format!("{figure}: {value:.0} is over the goal"));
            } else if before.is_none_or(|before| *value > TOLERANCE * before) {
                over.push(format!("{figure}: {value:.0} is over the budget"));
            }
        }
        if over.is_empty() {
            return Ok(());
        }
        bail!("{}\nif that is as it must be: cargo xtask bench --mcu --update", over.join("\n"))
    }

    fn write(&self, figures: &Figures) -> Result<()> {
        let mut text = String::from(
            "# figure, goal, measured (cargo xtask bench --mcu --update). Bytes; steps; a step's cost in\n\
             # instructions (stm32f405, QEMU) or cycles (pico, rp2040js).\n",
        );
        let cell =
            |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.0}"));
        for (figure, value) in figures {
            text += &format!("{figure}\t{}\t{value:.0}\n", cell(self.entry(figure).0));
        }
        fs::write(&self.path, text).with_context(|| format!("cannot write {:?}", self.path))
    }
}

/// The figures that a quick test looks at: flash and RAM of both images.
pub(crate) fn check_sizes() -> Result<()> {
    let mut figures = Figures::new();
    for board in [STM32F405, PICO] {
        let image = board.build()?;
        figures.insert(format!("{} flash", board.name), image.flash.len() as f64);
        figures.insert(format!("{} static RAM", board.name), f64::from(image.ram));
    }
    Budget::read()?.check(&figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_beyond_goal_or_budget_is_an_error() {
        let lines = vec![("a".into(), Some(110.0), Some(100.0)), ("b".into(), None, Some(100.0))];
        let budget = Budget { path: PathBuf::new(), lines };
        let check = |name: &str, value| budget.check(&Figures::from([(name.into(), value)]));
        assert!(check("a", 101.0).is_ok());
        assert!(check("a", 103.0).is_err(), "more than 2 % over the budget");
        assert!(check("a", 111.0).is_err());
        assert!(check("b", 90.0).is_ok());
        assert!(check("c", 1.0).is_err(), "a figure without a budget");
    }

    #[test]
    fn the_median_of_an_odd_number_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(most(&[3.0, 1.0]), 3.0);
    }
}
