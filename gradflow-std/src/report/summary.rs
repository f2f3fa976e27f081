//! The tables of a suite: results of each task, sweeps over Δt, and what was expected.

use super::cells::{
    bound, diverged, epochs, law, metric_words, spread, steps, time, value, verdict,
    verdicts_in_row,
};
use super::metrics::{Expectation, Metric};
use super::spread::Spread;
use super::suite::{Group, Suite};
use super::table::Table;
use crate::figure::number::{count, exact, percent, seconds, short};
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
            let (single, swept): (Vec<_>, Vec<_>) =
                suite.methods(task).into_iter().partition(|method| method.len() == 1);
            if !single.is_empty() {
                let groups: Vec<_> = single.into_iter().flatten().collect();
                tables.push((task.to_owned(), results(suite, task, &groups, &mut shown)));
            }
            if !swept.is_empty() {
                tables.push((task.to_owned(), sweep(task, suite.metric(task), &swept)));
            }
        }
        let rest: Vec<_> = suite.facts.expectations.iter().filter(|e| !shown.contains(e)).collect();
        if !rest.is_empty() {
            tables.push((String::new(), expectations(&rest)));
        }
        Self { head: head(suite), tables, verdicts: verdicts(suite) }
    }
}

fn head(suite: &Suite) -> String {
    let facts = &suite.facts;
    let mut parts =
        vec![format!("Suite {}", facts.suite), format!("{} runs", count(suite.runs.len() as u64))];
    parts.extend(facts.wall_s.map(seconds));
    parts.extend([&facts.cpu, &facts.created].into_iter().filter(|text| !text.is_empty()).cloned());
    parts.join(" · ")
}

fn results<'a>(
    suite: &'a Suite,
    task: &str,
    groups: &[Group<'_>],
    shown: &mut Vec<&'a Expectation>,
) -> Table {
    let metric = suite.metric(task);
    let mut table = results_head(task, metric);
    for group in groups {
        let all = suite.facts.expectations.iter();
        let expected: Vec<_> = all.filter(|e| e.task == task && in_row(e, group, metric)).collect();
        let mut row = vec![
            group.shared.label.clone(),
            group.shared.dt.map_or("–".into(), exact),
            if metric == Metric::Accuracy { epochs(group) } else { steps(group) },
            group.runs.len().to_string(),
            spread(group, metric),
        ];
        row.extend(second(metric).map(|(m, _)| short(Spread::of(group.values(m)).mean)));
        row.extend([verdicts_in_row(&expected), law(group), diverged(group), time(group)]);
        table.rows.push(row);
        shown.extend(expected);
    }
    if shown.iter().any(|e| e.task == task) {
        table.remarks.push("Expected: ✓ met, ✗ missed; in parentheses who expects it.".into());
    }
    table.without_empty_columns()
}

fn results_head(task: &str, metric: Metric) -> Table {
    let length = if metric == Metric::Accuracy { "epochs" } else { "steps" };
    let mut head = vec!["method", "Δt", length, "seeds", metric.words()];
    head.extend(second(metric).map(|(_, words)| words));
    let expected_at = head.len();
    head.extend(["expected", "law broken", "diverged", "time"]);
    let mut table = Table::new(task_title(task), &head);
    table.left.push(expected_at);
    table
}

/// What stands beside the metric, with its heading.
fn second(metric: Metric) -> Option<(Metric, &'static str)> {
    match metric {
        Metric::CleanLoss => Some((Metric::TestLoss, "noisy loss")),
        Metric::Accuracy => Some((Metric::TestLoss, "test loss")),
        Metric::TestLoss | Metric::TrainLoss => None,
    }
}

/// Whether an expectation is about the very number in a group's row, the mean.
fn in_row(e: &Expectation, group: &Group<'_>, metric: Metric) -> bool {
    let spread = Spread::of(group.values(metric));
    let same = match e.measured {
        Some(measured) => (measured - spread.mean).abs() <= 1e-6 * spread.mean.abs(),
        None => spread.missing > 0,
    };
    same && e.method == group.shared.label && e.metric == metric.name()
}

fn sweep(task: &str, metric: Metric, methods: &[Vec<Group<'_>>]) -> Table {
    let mut steps: Vec<f64> = methods.iter().flatten().filter_map(|g| g.shared.dt).collect();
    steps.sort_by(f64::total_cmp);
    steps.dedup();
    let title = format!("{}: {} over Δt", task_title(task), metric.words());
    let mut table = Table::new(title, &["method", "steps"]);
    table.head.extend(steps.iter().map(|&dt| exact(dt)));
    table.head.push("law broken".into());
    for method in methods {
        let Some(first) = method.first() else { continue };
        let cell = |dt: &f64| {
            let group = method.iter().find(|g| g.shared.dt == Some(*dt));
            group.map_or("–".into(), |g| swept(g, metric))
        };
        let runs: Vec<_> = method.iter().flat_map(|g| g.runs.iter().copied()).collect();
        let steps_made = runs.iter().map(|run| run.metrics.steps).max().unwrap_or(0);
        let mut row = vec![first.shared.label.clone(), count(steps_made)];
        row.extend(steps.iter().map(cell));
        row.push(law(&Group { runs, shared: first.shared }));
        table.rows.push(row);
    }
    let remark = "Mean over the seeds; ✗ n: diverged at step n, in the first seed that did.";
    table.remarks.push(remark.into());
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
            if mean.is_finite() { format!("{value} ✗ {step}") } else { format!("✗ {step}") }
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
        let measured = e.measured.map_or("nothing finite".into(), |v| value(&e.metric, v));
        lines.push(format!(
            "Missed: {} on {}, {}: expected {}, measured {measured}.",
            e.method,
            task_title(&e.task),
            metric_words(&e.metric),
            bound(e)
        ));
    }
    let audits = || {
        suite.runs.iter().filter_map(|run| run.metrics.audit.as_ref()).filter(|a| a.law.is_some())
    };
    let checked: u64 = audits().map(|a| a.checked).sum();
    let broken: u64 = audits().map(|a| a.violations).sum();
    lines.push(match checked {
        0 => "No energy law was checked.".into(),
        _ => {
            format!("Energy laws: broken at {} of {} checked steps.", count(broken), count(checked))
        }
    });
    if !suite.unfinished.is_empty() {
        lines.push(format!("Unfinished, and left out: {}.", suite.unfinished.join(", ")));
    }
    let diverged = suite.runs.iter().filter(|run| run.metrics.diverged).count();
    if diverged > 0 {
        lines.push(format!("{diverged} of {} runs diverged.", suite.runs.len()));
    }
    lines
}
