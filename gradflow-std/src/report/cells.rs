//! What stands in the cells: one text for a group of runs or an expectation.

use super::metrics::{Expectation, Metric};
use super::spread::Spread;
use super::suite::Group;
use crate::figure::number::{count, exact, percent, seconds, short, with_spread};

/// Mean ± standard deviation over the seeds.
pub(super) fn spread(group: &Group<'_>, metric: Metric) -> String {
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

pub(super) fn value(metric: &str, value: f64) -> String {
    if metric.contains("accuracy") {
        percent(value, 2)
    } else if metric.starts_with("steps") {
        exact(value)
    } else {
        short(value)
    }
}

pub(super) fn bound(e: &Expectation) -> String {
    let sign = match e.op.as_str() {
        "<=" => "≤",
        ">=" => "≥",
        other => other,
    };
    let tenths = 1000.0 * e.value;
    let digits = if (tenths - tenths.round()).abs() < 1e-9 { 1 } else { 2 };
    let value =
        if e.metric.contains("accuracy") { percent(e.value, digits) } else { exact(e.value) };
    format!("{sign} {value}")
}

pub(super) fn verdict(e: &Expectation) -> &'static str {
    if e.met { "✓ met" } else { "✗ missed" }
}

/// Several of them beside the number that they are about.
pub(super) fn verdicts_in_row(list: &[&Expectation]) -> String {
    let one = |e: &&Expectation| {
        let source = if e.source.is_empty() { String::new() } else { format!(" ({})", e.source) };
        format!("{} {}{source}", bound(e), if e.met { "✓" } else { "✗" })
    };
    if list.is_empty() { "–".into() } else { list.iter().map(one).collect::<Vec<_>>().join("; ") }
}

pub(super) fn metric_words(name: &str) -> String {
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

pub(super) fn steps(group: &Group<'_>) -> String {
    range(group.runs.iter().map(|run| run.metrics.steps))
}

pub(super) fn epochs(group: &Group<'_>) -> String {
    let mean = Spread::of(group.runs.iter().map(|run| run.metrics.epochs)).mean;
    if mean.fract() == 0.0 { exact(mean) } else { short(mean) }
}

pub(super) fn law(group: &Group<'_>) -> String {
    let audits =
        || group.runs.iter().filter_map(|r| r.metrics.audit.as_ref()).filter(|a| a.law.is_some());
    if audits().next().is_none() {
        return "no law".into();
    }
    let (broken, checked) = audits().fold((0, 0), |(b, c), a| (b + a.violations, c + a.checked));
    format!("{} of {}", count(broken), count(checked))
}

pub(super) fn diverged(group: &Group<'_>) -> String {
    let lost = || group.runs.iter().filter(|run| run.metrics.diverged);
    let steps =
        range(lost().filter_map(|run| run.metrics.diverged_at).collect::<Vec<_>>().into_iter());
    match lost().count() {
        0 => "–".into(),
        n => format!("{n} of {}, step {steps}", group.runs.len()),
    }
}

pub(super) fn time(group: &Group<'_>) -> String {
    let mean = Spread::of(group.runs.iter().map(|run| run.metrics.wall_s)).mean;
    if mean.is_finite() { seconds(mean) } else { "–".into() }
}
