//! Suites made up on disk, read back as tables, figures and page.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Suite, markdown, terminal, write_html};
use crate::figure::{draw_suite, drawings, stack};

const TRACE: &str = "step,epoch,loss,auxiliary,energy,kappa,xi,dt,grad_norm_sq,update_norm_sq";
const EPOCHS: &str = "epoch,step,train_loss,test_loss,test_loss_clean,test_accuracy,wall_s";

/// A folder for a suite with these expectations.
fn suite(expectations: &Value) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let facts = json!({"suite": "made up", "created": "2026-01-02", "cpu": "an abacus", "wall_s": 61.0,
        "expectations": expectations});
    fs::write(dir.path().join("suite.json"), facts.to_string()).unwrap();
    dir
}

/// A run of `steps` steps with a loss of 1/(n+1); `over` replaces entries of its metrics.
fn run(suite: &TempDir, name: &str, steps: u64, over: &Value) -> PathBuf {
    let dir = suite.path().join(name);
    fs::create_dir(&dir).unwrap();
    let mut metrics = json!({"name": name, "label": "SAV", "task": "gaussian", "method": "sav", "relaxed": false,
        "coupling": "consistent", "dt": 0.1, "lambda": 1.0, "c": 1.0, "batch": 64, "seed": 0, "precision": "f32",
        "steps": steps, "epochs": 3, "wall_s": 1.5, "train_loss": 2e-4, "test_loss": 3e-4, "test_loss_clean": 1e-5,
        "audit": {"law": "r never rises", "checked": steps, "violations": 0, "first_step": null, "worst": 0.0},
        "diverged": false, "diverged_at": null});
    for (key, value) in over.as_object().unwrap() {
        metrics[key] = value.clone();
    }
    fs::write(dir.join("metrics.json"), metrics.to_string()).unwrap();
    fs::write(dir.join("spec.toml"), "method = \"sav\"\n").unwrap();
    let mut trace = format!("{TRACE}\n");
    for n in 0..steps {
        let loss = 1.0 / (n + 1) as f64;
        writeln!(trace, "{n},0,{loss:?},1.2,1.5,0.9,,0.1,1,1").unwrap();
    }
    fs::write(dir.join("trace.csv"), trace).unwrap();
    let accuracy = metrics["test_accuracy"].as_f64().map(|a| a.to_string()).unwrap_or_default();
    let epochs = format!("{EPOCHS}\n1,{steps},2e-4,3e-4,1e-5,{accuracy},0.5\n");
    fs::write(dir.join("epochs.csv"), epochs).unwrap();
    dir
}

fn expectation(label: &str, metric: &str, op: &str, value: f64, measured: f64, met: bool) -> Value {
    json!({"task": "gaussian", "method": label, "metric": metric, "op": op, "value": value,
        "measured": measured, "met": met, "source": "a paper"})
}

#[test]
fn tables_hold_mean_spread_and_verdict() {
    let list = [
        expectation("SAV", "test_loss_clean", "<=", 1e-5, 2e-5, false),
        expectation("SAV", "steps_to_1e-5", "<=", 10.0, 8.0, true),
    ];
    let suite = suite(&json!(list));
    for (seed, error) in [1e-5, 2e-5, 3e-5].into_iter().enumerate() {
        run(&suite, &format!("r{seed}"), 5, &json!({"seed": seed, "test_loss_clean": error}));
    }
    run(
        &suite,
        "lost",
        3,
        &json!({"label": "SGD | plain", "method": "sgd", "audit": null, "test_loss_clean": null,
        "test_loss": null, "diverged": true, "diverged_at": 3}),
    );
    let text = markdown(suite.path()).unwrap();
    let rows = [
        "| SAV | 0.1 | 5 | 3 | (2.00 ± 1.00)e-5 | 3.00e-4 | ≤ 1e-5 ✗ (a paper) | 0 of 15 | – | 1.50 s |",
        "| SGD \\| plain | 0.1 | 3 | 1 | – | – | – | no law | 1 of 1, step 3 | 1.50 s |",
        "| Gaussian regression | SAV | steps to 1e-5 | ≤ 10 | 8 | ✓ met | a paper |",
        "- Missed: SAV on Gaussian regression, noiseless error: expected ≤ 1e-5, measured 2.00e-5.",
        "- Energy laws: broken at 0 of 15 checked steps.",
        "Expected: ✓ met, ✗ missed; in parentheses who expects it.",
    ];
    for row in rows {
        assert!(text.contains(row), "{row}\nis not in\n{text}");
    }
    let text = terminal(suite.path()).unwrap();
    assert!(
        text.contains("(2.00 ± 1.00)e-5") && text.contains("1 of 2 expectations met"),
        "{text}"
    );
}

#[test]
fn what_diverged_or_is_unfinished_counts_for_nothing_and_is_said() {
    let suite = suite(&json!([]));
    run(&suite, "r0", 3, &json!({"seed": 0, "test_loss_clean": 4e-5}));
    let lost = json!({"seed": 1, "test_loss_clean": 9.0, "diverged": true, "diverged_at": 2});
    run(&suite, "r1", 2, &lost);
    let unfinished = run(&suite, "r2", 3, &json!({"seed": 2}));
    fs::remove_file(unfinished.join("metrics.json")).unwrap();
    let text = markdown(suite.path()).unwrap();
    assert!(text.contains("| 2–3 | 2 | 4.00e-5 (1 of 2) |"), "{text}");
    assert!(text.contains("1 of 2, step 2") && text.contains("left out: r2."), "{text}");
}

#[test]
fn a_sweep_has_a_column_for_each_step_size() {
    let suite = suite(&json!([]));
    for (dt, accuracy, lost) in
        [(0.1, Some(0.93), None), (1.0, Some(0.96), None), (1e5, None, Some(12))]
    {
        let over = json!({"task": "mnist", "dt": dt, "test_accuracy": accuracy, "test_loss_clean": null,
            "diverged": lost.is_some(), "diverged_at": lost});
        run(&suite, &format!("dt{dt}"), 5, &over);
    }
    let text = markdown(suite.path()).unwrap();
    assert!(text.contains("| method | steps | 0.1 | 1 | 1e5 | law broken |"), "{text}");
    assert!(text.contains("| SAV | 5 | 93.0 % | 96.0 % | ✗ 12 | 0 of 15 |"), "{text}");
    let files = draw_suite(suite.path()).unwrap();
    let svg =
        fs::read_to_string(files.iter().find(|f| f.ends_with("mnist-stability.svg")).unwrap())
            .unwrap();
    assert!(svg.contains(">diverged</text>") && svg.contains("diverged at Δt 1.00e5"), "{svg}");
    assert_eq!(cfg!(feature = "png"), files.iter().any(|f| f.ends_with("mnist-stability.png")));
}

#[test]
fn a_missing_or_damaged_file_is_named() {
    type Damage = fn(&Path);
    let cases: [(&str, Damage); 6] = [
        ("r0/trace.csv", |dir| {
            fs::remove_file(dir.join("r0/trace.csv")).unwrap();
        }),
        ("no finished run", |dir| {
            fs::remove_file(dir.join("r0/metrics.json")).unwrap();
        }),
        ("suite.json", |dir| {
            fs::remove_file(dir.join("suite.json")).unwrap();
        }),
        ("r0/metrics.json is damaged", |dir| {
            fs::write(dir.join("r0/metrics.json"), "{\"name\": \"r0\"").unwrap();
        }),
        ("r0/epochs.csv is cut off", |dir| {
            fs::write(dir.join("r0/epochs.csv"), "epoch,step\n1,2").unwrap();
        }),
        ("r0/epochs.csv has no column", |dir| {
            fs::write(dir.join("r0/epochs.csv"), "epoch,step\n1,2\n").unwrap();
        }),
    ];
    for (message, damage) in cases {
        let suite = suite(&json!([]));
        run(&suite, "r0", 3, &json!({}));
        write_html(suite.path()).unwrap();
        damage(suite.path());
        let error = format!("{:#}", write_html(suite.path()).unwrap_err());
        assert!(error.contains(message), "{message}: {error}");
    }
    let empty = suite(&json!([]));
    assert!(format!("{:#}", terminal(empty.path()).unwrap_err()).contains("holds no finished run"));
}

#[test]
fn the_page_stands_alone_and_escapes_labels() {
    let suite = suite(&json!([]));
    let label = "<script>alert('1')</script> & \"SAV\"";
    run(&suite, "r0", 40, &json!({"label": label}));
    run(&suite, "r1", 40, &json!({"label": "SGD", "method": "sgd", "audit": null}));
    let path = write_html(suite.path()).unwrap();
    let page = fs::read_to_string(&path).unwrap();
    assert!(!page.contains("<script"), "a label became markup");
    assert!(page.contains("&lt;script&gt;alert"));
    for link in [" src=", "@import", "url(", "<link"] {
        assert!(!page.contains(link), "{link} asks for another file");
    }
    let elsewhere = page.replace("http://www.w3.org/2000/svg", "");
    assert!(!elsewhere.contains("http:") && !elsewhere.contains("https:"), "an address outside");
    assert!(page.matches("<svg").count() >= 6, "loss, error, and each method's own");
    assert!(
        page.contains("Law checked at every step: r never rises.")
            && page.contains("no energy law")
    );
}

#[test]
fn figures_stay_small_and_keep_spikes() {
    let suite = suite(&json!([]));
    for method in 0..9 {
        run(&suite, &format!("r{method}"), 2_000, &json!({"label": format!("method {method}")}));
    }
    let spiked = suite.path().join("r3/trace.csv");
    let trace = fs::read_to_string(&spiked)
        .unwrap()
        .replace("\n1500,0,", "\n1500,0,7e7,1,1,1,,1,1,1\n1501,0,");
    fs::write(&spiked, trace).unwrap();
    let drawings = drawings(&Suite::read(suite.path()).unwrap()).unwrap();
    for drawing in &drawings {
        let size = stack(&drawing.charts).len();
        assert!(size < 40_000, "{} has {size} bytes", drawing.name);
    }
    let spiked = drawings.iter().find(|d| d.name == "gaussian-method-3-loss").unwrap();
    let svg = stack(&spiked.charts);
    assert!(svg.contains(">10⁶</text>"), "the spike sets the range of the axis");
}
