//! Instructions of a step, counted by valgrind: unlike times they repeat, so a slowdown is seen.
//!
//! Counted are the steps on made-up data of `gradflow bench count`, as the difference of two runs.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::spawn::{self, Run};
use crate::{experiments, stop, workspace};

/// Steps of the two runs.
const STEPS: [u64; 2] = [4, 12];

/// Difference that is taken for a change: what a C library does in between differs a little from
/// one to the next.
const TOLERANCE: f64 = 0.02;

/// How many instructions a parameter more the own work of a scheme may take with the most parameters than with
/// the fewest: it is linear.
const GROWTH: f64 = 1.01;

/// What writes down the counts as they are.
const BLESS: &str = "cargo xtask bench --instructions --bless";

/// A row of the table.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    /// Options of `gradflow bench count`.
    options: String,
    instructions: u64,
}

/// The table: which compiler it is for, and what it counted.
#[derive(Clone, Debug, PartialEq)]
struct Table {
    compiler: String,
    rows: Vec<Row>,
}

/// Compares, where that means something; returns what was not compared, and why.
pub(crate) fn check() -> Result<Option<String>> {
    let table = Table::read()?;
    let present = compiler()?;
    if spawn::find("valgrind").is_none() {
        return Ok(Some("instruction counts (valgrind is not installed)".into()));
    }
    if present != table.compiler {
        return Ok(Some(format!(
            "instruction counts (they are for {}, not {present})",
            table.compiler
        )));
    }
    if !has_avx2() {
        return Ok(Some("instruction counts (this processor has no AVX2)".into()));
    }
    eprintln!("\n== instruction counts");
    experiments::build()?;
    compare(false)?;
    Ok(None)
}

/// Counts every row of the table and compares, or writes it anew.
pub(super) fn compare(bless: bool) -> Result<()> {
    if spawn::find("valgrind").is_none() {
        return Err(stop::missing("valgrind is not installed: sudo apt-get install valgrind"));
    }
    let table = Table::read()?;
    let mut rows = Vec::new();
    for row in &table.rows {
        let instructions = count(&row.options)?;
        println!("{}", verdict(row, instructions));
        rows.push(Row { instructions, ..row.clone() });
    }
    check_growth(&rows)?;
    if bless {
        return Table { compiler: compiler()?, rows }.write();
    }
    let changes = || table.rows.iter().zip(&rows).map(|(old, new)| change(old, new.instructions));
    let (more, fewer) = (
        changes().filter(|&change| change > TOLERANCE).count(),
        changes().filter(|&change| change < -TOLERANCE).count(),
    );
    let percent = 100.0 * TOLERANCE;
    if more > 0 {
        bail!("{more} counts are more than {percent} % higher. If that is meant: {BLESS}");
    }
    if fewer > 0 {
        println!("{fewer} counts are more than {percent} % lower. To keep that: {BLESS}");
    }
    Ok(())
}

/// Checks that what a scheme does beside its gradient grows no faster than in proportion to its parameters,
/// which memory hides from a clock.
fn check_growth(rows: &[Row]) -> Result<()> {
    let own = || rows.iter().filter_map(Row::own_work);
    for (parameters, scheme, each) in own() {
        let fewer = own().find(|&(fewer, other, _)| other == scheme && fewer < parameters);
        if let Some((fewer, _, of_fewer)) =
            fewer.filter(|&(_, _, of_fewer)| each > GROWTH * of_fewer)
        {
            bail!(
                "{scheme}: {each:.3} instructions a parameter with {parameters}, {of_fewer:.3} with {fewer}; a \
                 step's own work should be linear"
            );
        }
    }
    Ok(())
}

fn verdict(row: &Row, instructions: u64) -> String {
    let percent = 100.0 * change(row, instructions);
    format!("{instructions:>12} instructions a step ({percent:+6.2} %)  {}", row.options)
}

fn change(row: &Row, instructions: u64) -> f64 {
    instructions as f64 / row.instructions.max(1) as f64 - 1.0
}

/// Instructions of one step.
fn count(options: &str) -> Result<u64> {
    let [few, more] = STEPS;
    let (start, end) = (count_run(options, few)?, count_run(options, more)?);
    Ok(end.saturating_sub(start) / (more - few))
}

fn count_run(options: &str, steps: u64) -> Result<u64> {
    let log = workspace::target().join("callgrind.log");
    let mut option = std::ffi::OsString::from("--log-file=");
    option.push(&log);
    Run::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(option)
        .arg(experiments::gradflow_path())
        .args(["bench", "count", "--steps", &steps.to_string()])
        .args(options.split_whitespace())
        .text()?;
    let text = fs::read_to_string(&log).with_context(|| format!("cannot read {log:?}"))?;
    collected(&text).with_context(|| format!("{}: no line `Collected`", log.display()))
}

/// The count in callgrind's log.
fn collected(log: &str) -> Option<u64> {
    let line = log.lines().find_map(|line| line.split_once("Collected : "))?;
    line.1.trim().parse().ok()
}

fn compiler() -> Result<String> {
    let text = Run::new("rustc").arg("--version").dir(workspace::root()).text()?;
    Ok(text.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

fn has_avx2() -> bool {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    text.lines().any(|line| line.starts_with("flags") && line.split(' ').any(|f| f == "avx2"))
}

impl Row {
    /// Parameters, scheme and instructions a parameter, if the row is of own work.
    fn own_work(&self) -> Option<(u64, &str, f64)> {
        let (parameters, scheme) = self.options.strip_prefix("--own ")?.split_once(' ')?;
        let parameters = parameters.parse().ok()?;
        Some((parameters, scheme, self.instructions as f64 / parameters as f64))
    }
}

impl Table {
    fn path() -> PathBuf {
        workspace::root().join("xtask/instructions.tsv")
    }

    fn read() -> Result<Self> {
        let path = Self::path();
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path:?}"))?;
        Self::parse(&text).with_context(|| format!("{} is damaged", path.display()))
    }

    /// A line with the compiler, then one a row: instructions, a tab, options.
    fn parse(text: &str) -> Option<Self> {
        let (compiler, rest) = text.split_once('\n')?;
        let row = |line: &str| {
            let (instructions, options) = line.split_once('\t')?;
            Some(Row { options: options.into(), instructions: instructions.parse().ok()? })
        };
        let rows = rest.lines().map(row).collect::<Option<_>>()?;
        Some(Self { compiler: compiler.into(), rows })
    }

    fn write(&self) -> Result<()> {
        let path = Self::path();
        fs::write(&path, self.text()).with_context(|| format!("cannot write {path:?}"))
    }

    fn text(&self) -> String {
        let rows = self.rows.iter().map(|row| format!("{}\t{}\n", row.instructions, row.options));
        format!("{}\n{}", self.compiler, rows.collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_as_it_is_written() {
        let table = Table::read().unwrap();
        assert!(table.compiler.starts_with("rustc ") && table.rows.len() > 5);
        assert_eq!(Table::parse(&table.text()), Some(table));
        assert_eq!(Table::parse("rustc 1\nmany\t--x\n"), None);
    }

    #[test]
    fn a_slowdown_is_seen_and_a_flutter_is_not() {
        let row = Row { options: String::new(), instructions: 1_000_000 };
        assert!(change(&row, 1_010_000).abs() < TOLERANCE);
        assert!(change(&row, 1_030_000) > TOLERANCE && change(&row, 960_000) < -TOLERANCE);
    }

    #[test]
    fn own_work_that_grows_faster_than_its_parameters_is_seen() {
        let row = |parameters: u64, instructions| Row {
            options: format!("--own {parameters} --method adam"),
            instructions,
        };
        let other = Row { options: "--own 100 --method sgd".into(), instructions: 1 };
        let linear = [other, row(10_000, 80_000), row(1_000_000, 8_010_000)];
        check_growth(&linear).unwrap();
        let faster = check_growth(&[row(1_000_000, 9_000_000), row(10_000, 80_000)]).unwrap_err();
        assert!(faster.to_string().contains("--method adam: 9.000"), "{faster}");
    }

    #[test]
    fn the_count_is_read_from_the_log() {
        let log = "==1== \n==1== Events    : Ir\n==1== Collected : 310801987\n==1== \n";
        assert_eq!(collected(log), Some(310_801_987));
        assert_eq!(collected("==1== nothing"), None);
    }
}
