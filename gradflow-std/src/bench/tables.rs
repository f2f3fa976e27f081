//! Tables of the results, for the terminal and for a document, and the figure.

use gradflow_core::Float;

use super::cases::{CASES, Case, Work};
use super::claims::{bytes_of_weights, claims, dense_operations, sparse_operations};
use super::own_work::{METHODS, OwnWork, SIZES};
use super::results::{Measured, OURS, Results, Series as Times};
use crate::figure::number::short;
use crate::figure::{Axis, Chart, Series};
use crate::report::Table;
use crate::spec::{MethodName, Spec, TaskName};

/// All tables, for a terminal.
#[must_use]
pub fn terminal(results: &Results) -> String {
    let tables = [times(results), wholes(results), limits(results), standing(results)];
    let mut text = format!("{}\n\n", conditions(results));
    for table in tables.iter().filter(|table| !table.rows.is_empty()) {
        text += &table.terminal();
        text.push('\n');
    }
    text
}

/// All tables, in Markdown.
#[must_use]
pub fn markdown(results: &Results) -> String {
    let tables = [times(results), wholes(results), limits(results), standing(results)];
    let shown = tables.iter().filter(|table| !table.rows.is_empty()).map(Table::markdown);
    format!("{}\n\n{}", conditions(results), shown.collect::<Vec<_>>().join("\n"))
}

/// Where, when and how it was measured.
fn conditions(results: &Results) -> String {
    let versions = results.programs.iter().filter(|measured| !measured.version.is_empty());
    let versions: Vec<_> = versions.map(|m| format!("{} {}", m.program, m.version)).collect();
    format!(
        "Measured on {} on one thread of {} ({} processors), 32-bit floats; medians of {} rounds \
         in which all programs took turns, after a warm-up; of two turns in a row the second \
         counts. {}. Training steps alone: data in memory, no evaluation, no audit.",
        results.date,
        results.cpu,
        results.processors,
        results.rounds,
        versions.join(", ")
    )
}

/// What programs other than the machine itself are there.
fn programs(results: &Results) -> impl Iterator<Item = &Measured> {
    let trains = |measured: &&Measured| {
        CASES.iter().any(|case| case.is_ours() && measured.case(case.name).is_some())
    };
    results.programs.iter().filter(trains)
}

fn times(results: &Results) -> Table {
    let mut head = vec!["a unit", "method", "batch"];
    head.extend(programs(results).map(|measured| measured.program.as_str()));
    let mut table = Table::new("Time by the clock / of the processor", &head);
    table.left.push(1);
    let measured = |case: &&Case| case.is_ours() && results.ours(case.name).is_some();
    for case in CASES.iter().filter(measured) {
        let mut row = vec![unit(case).into(), case.title.into(), case.batch.to_string()];
        row.extend(programs(results).map(|m| cell(results, m, case.name)));
        table.rows.push(row);
    }
    if programs(results).count() > 1 {
        table.remarks.push("In parentheses: how many times as long as gradflow.".into());
    }
    table
}

fn unit(case: &Case) -> &'static str {
    match case.work {
        Work::Line { .. } => "regression step (1-100-1)",
        Work::IeqFull => "MNIST step (784-100-10)",
        _ => "MNIST epoch (784-100-10)",
    }
}

/// Wall and processor time, and the ratio to ours.
fn cell(results: &Results, measured: &Measured, case: &str) -> String {
    let Some(times) = measured.case(case) else { return "–".into() };
    let both = wall_and_cpu(times);
    match results.ours(case) {
        Some(ours) if measured.program != OURS => {
            format!("{both} ({}×)", short(times.wall() / ours))
        }
        _ => both,
    }
}

fn wall_and_cpu(times: &Times) -> String {
    let (scale, unit) = match times.wall() {
        wall if wall < 1e-3 => (1e6, "µs"),
        wall if wall < 1.0 => (1e3, "ms"),
        _ => (1.0, "s"),
    };
    format!("{} / {} {unit}", short(scale * times.wall()), short(scale * times.cpu()))
}

fn wholes(results: &Results) -> Table {
    let head = ["one epoch of SGD from start to end", "by the clock", "processor", "memory"];
    let mut table = Table::new("As a process: start, load MNIST, train", &head);
    for measured in &results.programs {
        let (Some(times), Some(mib)) = (&measured.whole, measured.whole_mib) else { continue };
        table.rows.push(vec![
            measured.program.clone(),
            format!("{} s", short(times.wall())),
            format!("{} s", short(times.cpu())),
            format!("{mib:.0} MiB"),
        ]);
    }
    if results.program_bytes > 0 && !table.rows.is_empty() {
        let mib = results.program_bytes as f64 / f64::from(1 << 20);
        table.remarks.push(format!(
            "gradflow's includes the audit of every step and the test; the program takes {mib:.1} \
             MiB on the disk."
        ));
    }
    table
}

/// What the processor can do at most, and how far the epoch is from it.
fn limits(results: &Results) -> Table {
    let head = ["limit", "measured", "an epoch at least", "gradflow's SGD, batch 64"];
    let mut table = Table::new("Limits of one processor", &head);
    let entries = results.entries as f64;
    let mut row = |what: &str, measured: String, least: f64| {
        let ratio = results.ours("mnist-sgd-64").map_or(f64::NAN, |epoch| epoch / least);
        let least = format!("{} s", short(least));
        table.rows.push(vec![what.into(), measured, least, format!("{} × as long", short(ratio))]);
    };
    let arithmetic = [
        ("apart-256", "multiply, add, 256 bits"),
        ("fused-256", "fused multiply-add, 256 bits"),
        ("apart-512", "multiply, add, 512 bits"),
        ("fused-512", "fused multiply-add, 512 bits"),
    ];
    for (case, how) in arithmetic {
        let Some(pair) = results.only(case) else { continue };
        let per_s = 2.0 / pair;
        let shown = format!("{} GFLOP/s", short(per_s / 1e9));
        let dense = format!("{how}: every pixel");
        row(&dense, shown.clone(), dense_operations() / per_s);
        let sparse = format!("{how}: pixels that are not zero");
        row(&sparse, shown, sparse_operations(entries) / per_s);
    }
    if let Some(byte) = results.only("second-level") {
        let shown = format!("{} GB/s", short(1e-9 / byte));
        row("second-level cache: weights of these pixels", shown, bytes_of_weights(entries) * byte);
    }
    table
}

fn standing(results: &Results) -> Table {
    let mut table = Table::new("Goals", &["goal", "bound", "measured", ""]);
    table.left.push(3);
    for claim in claims(results) {
        let verdict = if claim.is_met() { "✓ met" } else { "✗ missed" };
        table.rows.push(vec![claim.what.clone(), claim.bound(), claim.measured(), verdict.into()]);
    }
    table.remarks.extend(growth(results));
    table
}

/// How the own work of a scheme grows with its parameters.
fn growth(results: &Results) -> Option<String> {
    let each = |p: usize| {
        let time = results.ours(&OwnWork::name(MethodName::ExpSav, p))?;
        Some(1e9 * time / p as f64)
    };
    let (few, most) = (each(10_000)?, each(10_000_000)?);
    let exponent = 1.0 + Float::ln(most / few) / Float::ln(1e3);
    Some(format!(
        "ExpSAV's own work, norm, rule and update, takes {} ns a parameter at p = 1e4 and {} ns at 1e7: \
         it grows like p to the power of {}, since the numbers come from memory and no more from a cache. \
         The instructions grow in proportion to p, which the tests check by counting them.",
        short(few),
        short(most),
        short(exponent)
    ))
}

/// What a step costs beside its gradient, against the number of parameters.
#[must_use]
pub fn figure(results: &Results) -> Option<Chart> {
    let time = |method, p| results.ours(&OwnWork::name(method, p)).map(|time| (p as f64, time));
    let points = |method: MethodName| -> Vec<(f64, f64)> {
        SIZES.into_iter().filter_map(|p| time(method, p)).collect()
    };
    let title = "What a step costs beside its gradient";
    let mut chart = Chart::new(title, Axis::log("parameters"), Axis::log("seconds a step"))
        .subtitle(format!("norm, rule and update; {}, one thread", results.cpu));
    let sizes = SIZES.map(|p| p as f64);
    let anchor = points(MethodName::Sgd).into_iter().find(|&(p, _)| p >= 1e5);
    if let Some((p, time)) = anchor {
        let line = sizes.map(|size| (size, time * size / p)).to_vec();
        chart = chart.add(Series::pale("in proportion", line));
    }
    for method in METHODS {
        let label = Spec::new(TaskName::Mnist, method).label();
        chart = chart.add(Series::line(label, points(method)));
    }
    (!points(MethodName::Sgd).is_empty()).then_some(chart)
}
