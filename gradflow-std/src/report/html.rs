//! One page with everything in it: tables, figures, settings and what the laws promise.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::metrics::Metrics;
use super::suite::{Group, Suite};
use super::summary::Summary;
use super::table::Table;
use crate::figure::number::{count, exact, seconds, short};
use crate::figure::{DARK_PAGE_STYLE, Drawing, PAGE_STYLE, drawings, inline, task_title};

const TEMPLATE: &str = include_str!("../../assets/report.html");

/// Writes `report.html` into the suite's folder; it needs no other file and no network.
///
/// # Errors
/// If a file of the suite is missing or damaged, or the page cannot be written; the message names
/// the file.
pub fn write_html(dir: &Path) -> Result<PathBuf> {
    let page = html(&Suite::read(dir)?)?;
    let path = dir.join("report.html");
    fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

fn html(suite: &Suite) -> Result<String> {
    let summary = Summary::of(suite);
    let drawings = drawings(suite)?;
    let tasks: Vec<_> = suite
        .tasks()
        .into_iter()
        .map(|task| section(suite, task, &summary, &drawings))
        .collect::<Result<_>>()?;
    let page = Page {
        suite: suite.facts.suite.clone(),
        all_met: suite.facts.expectations.iter().all(|e| e.met),
        tasks,
        others: summary
            .tables
            .into_iter()
            .filter(|(task, _)| task.is_empty())
            .map(|(_, table)| table)
            .collect(),
        head: summary.head,
        verdicts: summary.verdicts,
        runs: runs(suite),
        figure_style: PAGE_STYLE,
        dark_figure_style: DARK_PAGE_STYLE,
    };
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_template("report.html", TEMPLATE).context("the report's template is wrong")?;
    let template =
        environment.get_template("report.html").context("the report's template is wrong")?;
    template.render(Serde(&page)).context("the report cannot be filled in")
}

/// What the template is filled with.
#[derive(Serialize)]
struct Page {
    suite: String,
    head: String,
    verdicts: Vec<String>,
    all_met: bool,
    tasks: Vec<Section>,
    others: Vec<Table>,
    runs: Table,
    figure_style: &'static str,
    dark_figure_style: &'static str,
}

#[derive(Serialize)]
struct Section {
    id: String,
    title: String,
    tables: Vec<Table>,
    figures: Vec<Figure>,
    methods: Vec<Method>,
}

#[derive(Serialize)]
struct Figure {
    svg: String,
    caption: String,
}

#[derive(Serialize)]
struct Method {
    label: String,
    law: String,
    facts: String,
    spec: String,
    figures: Vec<Figure>,
}

fn section(suite: &Suite, task: &str, summary: &Summary, drawings: &[Drawing]) -> Result<Section> {
    let figures = |label: Option<&str>| -> Vec<Figure> {
        let wanted = drawings.iter().filter(|d| d.task == task && d.label.as_deref() == label);
        wanted.map(|d| Figure { svg: inline(&d.charts), caption: d.caption.clone() }).collect()
    };
    let mut methods: Vec<Method> = Vec::new();
    for group in suite.groups(task) {
        let own = figures(Some(&group.shared.label));
        if !own.is_empty() {
            methods.push(method(&group, own)?);
        }
    }
    Ok(Section {
        id: format!("task-{}", task.replace(|c: char| !c.is_ascii_alphanumeric(), "-")),
        title: task_title(task),
        tables: summary
            .tables
            .iter()
            .filter(|(of, _)| of == task)
            .map(|(_, table)| table.clone())
            .collect(),
        figures: figures(None),
        methods,
    })
}

fn method(group: &Group<'_>, figures: Vec<Figure>) -> Result<Method> {
    let first = group.runs.first().context("a group without runs")?;
    Ok(Method {
        label: group.shared.label.clone(),
        law: group.shared.audit.as_ref().and_then(|a| a.law.clone()).unwrap_or_default(),
        facts: settings(group.shared),
        spec: first.spec()?,
        figures,
    })
}

/// The settings that decide, in one line.
fn settings(m: &Metrics) -> String {
    let words = [
        m.coupling.as_ref().map(|v| format!("coupling {v}")),
        m.residual.as_ref().map(|v| format!("residual {v}")),
        m.operator.as_ref().map(|v| format!("operator {v}")),
        m.control.as_ref().map(|v| format!("control {v}")),
        m.dt.map(|v| format!("Δt {}", exact(v))),
        m.lambda.map(|v| format!("λ {}", exact(v))),
        m.c.map(|v| format!("C {}", exact(v))),
        Some(m.batch.map_or("full batch".into(), |v| format!("batch {}", count(v)))),
        m.precision.clone(),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// Every run with its own numbers.
fn runs(suite: &Suite) -> Table {
    let head = [
        "run",
        "seed",
        "steps",
        "train loss",
        "test loss",
        "noiseless",
        "accuracy",
        "loss rose",
        "law broken",
        "diverged",
        "time",
        "processor",
    ];
    let mut table = Table::new("Every run", &head);
    for m in suite.runs.iter().map(|run| &run.metrics) {
        let number = |v: Option<f64>| v.map_or("–".into(), short);
        let time = |v: Option<f64>| v.map_or("–".into(), seconds);
        let law = m.audit.as_ref().filter(|a| a.law.is_some());
        table.rows.push(vec![
            m.name.clone(),
            m.seed.to_string(),
            count(m.steps),
            number(m.train_loss),
            number(m.test_loss),
            number(m.test_loss_clean),
            m.test_accuracy.map_or("–".into(), |v| crate::figure::number::percent(v, 2)),
            m.loss_increases.map_or("–".into(), count),
            law.map_or("no law".into(), |a| {
                format!("{} of {}", count(a.violations), count(a.checked))
            }),
            m.diverged_at.map_or(if m.diverged { "yes" } else { "–" }.into(), |n| {
                format!("step {}", count(n))
            }),
            time(m.wall_s),
            time(m.cpu_s),
        ]);
    }
    table
}
