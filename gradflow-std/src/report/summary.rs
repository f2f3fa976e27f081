//! The tables of a suite: results of each task, sweeps over Δt, and what was expected.

use std::collections::BTreeSet;

use super::metrics::{Expectation, Metric};
use super::spread::Spread;
use super::suite::{Group, Suite};
use super::table::Table;
use crate::figure::number::{count, exact, percent, seconds, short, with_spread};
use crate::figure::task_title;

/// The lines above and below the tables.
pub(super) struct Summary {
    pub(super) head: String,
    pub(super) tables: Vec<(String, Table)>,
    pub(super) verdicts: Vec<String>,
}

impl Summary {
    pub(super) fn of(suite: &Suite) -> Self {
        let mut tables = Vec::new();
        let mut shown = Vec::new();
        for task in suite.tasks() {
            let metric = suite.metric(task);
            let (single, swept) = split(suite.groups(task));
            if !single.is_empty() {
                tables.push((
                    task.to_owned(),
                    results(suite, task, metric, &single, &mut shown),
                ));
            }
            if !swept.is_empty() {
                tables.push((task.to_owned(), sweep(task, metric, &swept)));
            }
        }
        let rest: Vec<_> = suite
            .facts
            .expectations
            .iter()
            .filter(|e| !shown.contains(e))
            .collect();
        if !rest.is_empty() {
            tables.push((String::new(), expectations(&rest)));
        }
        Self {
            head: head(suite),
            tables,
            verdicts: verdicts(suite),
        }
    }
}

fn head(suite: &Suite) -> String {
    let facts = &suite.facts;
    let mut parts = vec![
        format!("Suite {}", facts.suite),
        format!("{} runs", count(suite.runs.len() as u64)),
    ];
    parts.extend(facts.wall_s.map(seconds));
    parts.extend(
        [&facts.cpu, &facts.created]
            .into_iter()
            .filter(|text| !text.is_empty())
            .cloned(),
    );
    parts.join(" · ")
}

/// Methods run at one Δt, and those run at several.
fn split<'a>(groups: Vec<Group<'a>>) -> (Vec<Group<'a>>, Vec<Group<'a>>) {
    let labels: Vec<&str> = groups.iter().map(|g| g.shared.label.as_str()).collect();
    let once = |g: &Group<'a>| labels.iter().filter(|&&l| l == g.shared.label).count() == 1;
    groups.into_iter().partition(once)
}

fn results<'a>(
    suite: &'a Suite,
    task: &str,
    metric: Metric,
    groups: &[Group<'_>],
    shown: &mut Vec<&'a Expectation>,
) -> Table {
    let classifies = metric == Metric::Accuracy;
    let second =
        (metric != Metric::TestLoss && metric != Metric::TrainLoss).then_some(Metric::TestLoss);
    let second_head = if metric == Metric::CleanLoss {
        "noisy loss"
    } else {
        "test loss"
    };
    let length = if classifies { "epochs" } else { "steps" };
    let lost = groups
        .iter()
        .flat_map(|g| &g.runs)
        .any(|run| run.metrics.diverged);
    let mut head = vec!["method", "Δt", length, "seeds", metric.words()];
    head.extend(second.map(|_| second_head));
    let expected_at = head.len();
    head.extend(["expected", "law broken"]);
    head.extend(lost.then_some("diverged"));
    head.push("time");
    let mut table = Table::new(task_title(task), &head);
    table.left.push(expected_at);
    let mut sources = BTreeSet::new();
    for group in groups {
        let mean = Spread::of(group.values(metric)).mean;
        let expected = suite
            .facts
            .expectations
            .iter()
            .find(|e| e.task == task && in_row(e, group, metric, mean));
        shown.extend(expected);
        sources.extend(
            expected
                .map(|e| e.source.as_str())
                .filter(|source| !source.is_empty()),
        );
        let mut row = vec![
            group.shared.label.clone(),
            group.shared.dt.map_or("–".into(), exact),
            if classifies {
                epochs(group)
            } else {
                steps(group)
            },
            group.runs.len().to_string(),
            spread(group, metric),
        ];
        row.extend(second.map(|m| short(Spread::of(group.values(m)).mean)));
        row.push(expected.map_or("–".into(), |e| format!("{} {}", bound(e), verdict(e))));
        row.push(law(group));
        row.extend(lost.then(|| diverged(group)));
        row.push(time(group));
        table.rows.push(row);
    }
    if !sources.is_empty() {
        let sources: Vec<_> = sources.into_iter().collect();
        table.remarks.push(format!(
            "Source of the expectations: {}.",
            sources.join("; ")
        ));
    }
    table
}

/// Whether an expectation is about the very number in a group's row.
fn in_row(e: &Expectation, group: &Group<'_>, metric: Metric, mean: f64) -> bool {
    let same = match e.measured {
        Some(measured) => (measured - mean).abs() <= 1e-6 * mean.abs(),
        None => !mean.is_finite(),
    };
    same && e.method == group.shared.label && e.metric == metric.name()
}

fn sweep(task: &str, metric: Metric, groups: &[Group<'_>]) -> Table {
    let mut steps: Vec<f64> = groups.iter().filter_map(|g| g.shared.dt).collect();
    steps.sort_by(f64::total_cmp);
    steps.dedup();
    let title = format!("{}: {} over Δt", task_title(task), metric.words());
    let mut table = Table::new(title, &["method"]);
    table.head.extend(steps.iter().map(|&dt| exact(dt)));
    table.head.push("law broken".into());
    for method in groups.chunk_by(|a, b| a.shared.label == b.shared.label) {
        let cell = |dt: &f64| {
            method
                .iter()
                .find(|g| g.shared.dt == Some(*dt))
                .map_or("–".into(), |g| swept(g, metric))
        };
        let mut row = vec![method[0].shared.label.clone()];
        row.extend(steps.iter().map(cell));
        let runs = method.iter().flat_map(|g| g.runs.iter().copied()).collect();
        row.push(law(&Group {
            runs,
            shared: method[0].shared,
        }));
        table.rows.push(row);
    }
    table
        .remarks
        .push("Mean over the seeds; ✗ n: diverged at step n, in the first seed that did.".into());
    table
}

fn swept(group: &Group<'_>, metric: Metric) -> String {
    let mean = Spread::of(group.values(metric)).mean;
    let value = match metric {
        Metric::Accuracy => percent(mean, 1),
        _ => short(mean),
    };
    match group.runs.iter().find(|run| run.metrics.diverged) {
        None => value,
        Some(run) => {
            let step = run.metrics.diverged_at.map_or("?".into(), count);
            if mean.is_finite() {
                format!("{value} ✗ {step}")
            } else {
                format!("✗ {step}")
            }
        }
    }
}

fn expectations(list: &[&Expectation]) -> Table {
    let head = ["task", "method", "metric", "expected", "measured", "", "by"];
    let mut table = Table::new("Expected and measured", &head);
    table.left.extend([1, 2, 5, 6]);
    for e in list {
        let measured = e.measured.map_or("–".into(), |v| value(&e.metric, v));
        table.rows.push(vec![
            task_title(&e.task),
            e.method.clone(),
            metric_words(&e.metric),
            bound(e),
            measured,
            verdict(e).into(),
            e.source.clone(),
        ]);
    }
    table
}

fn verdicts(suite: &Suite) -> Vec<String> {
    let mut lines = Vec::new();
    let all = &suite.facts.expectations;
    if !all.is_empty() {
        let met = all.iter().filter(|e| e.met).count();
        lines.push(format!("{met} of {} expectations met.", all.len()));
    }
    for e in all.iter().filter(|e| !e.met) {
        let measured = e
            .measured
            .map_or("nothing finite".into(), |v| value(&e.metric, v));
        lines.push(format!(
            "Missed: {} on {}, {}: expected {}, measured {measured}.",
            e.method,
            task_title(&e.task),
            metric_words(&e.metric),
            bound(e)
        ));
    }
    let audits = || {
        suite
            .runs
            .iter()
            .filter_map(|run| run.metrics.audit.as_ref())
            .filter(|a| a.law.is_some())
    };
    let checked: u64 = audits().map(|a| a.checked).sum();
    let broken: u64 = audits().map(|a| a.violations).sum();
    lines.push(format!(
        "Energy laws: broken at {} of {} checked steps.",
        count(broken),
        count(checked)
    ));
    let diverged = suite.runs.iter().filter(|run| run.metrics.diverged).count();
    if diverged > 0 {
        lines.push(format!("{diverged} of {} runs diverged.", suite.runs.len()));
    }
    lines
}

/// Mean ± standard deviation over the seeds.
fn spread(group: &Group<'_>, metric: Metric) -> String {
    let s = Spread::of(group.values(metric));
    let mut text = match (metric, s.count) {
        (_, 0) => "–".into(),
        (Metric::Accuracy, 1) => percent(s.mean, 2),
        (Metric::Accuracy, _) => format!("{:.2} ± {:.2} %", 100.0 * s.mean, 100.0 * s.std),
        (_, 1) => short(s.mean),
        _ => with_spread(s.mean, s.std),
    };
    if s.count > 0 && s.missing > 0 {
        text += &format!(" ({} of {})", s.count, s.count + s.missing);
    }
    text
}

fn value(metric: &str, value: f64) -> String {
    if metric.contains("accuracy") {
        percent(value, 2)
    } else {
        short(value)
    }
}

fn bound(e: &Expectation) -> String {
    let sign = match e.op.as_str() {
        "<=" => "≤",
        ">=" => "≥",
        other => other,
    };
    let digits = if (1000.0 * e.value).fract().abs() < 1e-9 {
        1
    } else {
        2
    };
    let value = if e.metric.contains("accuracy") {
        percent(e.value, digits)
    } else {
        exact(e.value)
    };
    format!("{sign} {value}")
}

fn verdict(e: &Expectation) -> &'static str {
    if e.met { "✓ met" } else { "✗ missed" }
}

fn metric_words(name: &str) -> String {
    Metric::named(name).map_or_else(|| name.replace('_', " "), |m| m.words().into())
}

/// Least and most, if they differ.
fn range(values: impl Iterator<Item = u64> + Clone) -> String {
    match (values.clone().min(), values.max()) {
        (Some(least), Some(most)) if least < most => format!("{}–{}", count(least), count(most)),
        (Some(least), _) => count(least),
        _ => "–".into(),
    }
}

fn steps(group: &Group<'_>) -> String {
    range(group.runs.iter().map(|run| run.metrics.steps))
}

fn epochs(group: &Group<'_>) -> String {
    let mean = Spread::of(group.runs.iter().map(|run| run.metrics.epochs)).mean;
    if mean.fract() == 0.0 {
        exact(mean)
    } else {
        short(mean)
    }
}

fn law(group: &Group<'_>) -> String {
    let audits = || {
        group
            .runs
            .iter()
            .filter_map(|r| r.metrics.audit.as_ref())
            .filter(|a| a.law.is_some())
    };
    if audits().next().is_none() {
        return "no law".into();
    }
    let (broken, checked) = audits().fold((0, 0), |(b, c), a| (b + a.violations, c + a.checked));
    format!("{} of {}", count(broken), count(checked))
}

fn diverged(group: &Group<'_>) -> String {
    let lost = || group.runs.iter().filter(|run| run.metrics.diverged);
    let steps = range(
        lost()
            .filter_map(|run| run.metrics.diverged_at)
            .collect::<Vec<_>>()
            .into_iter(),
    );
    match lost().count() {
        0 => "–".into(),
        n => format!("{n} of {}, step {steps}", group.runs.len()),
    }
}

fn time(group: &Group<'_>) -> String {
    let mean = Spread::of(group.runs.iter().map(|run| run.metrics.wall_s)).mean;
    if mean.is_finite() {
        seconds(mean)
    } else {
        "–".into()
    }
}
