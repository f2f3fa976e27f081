//! A flag that a method does not use draws a warning that names it, and indeed changes nothing;
//! one that draws none changes the run.

#![allow(clippy::unwrap_used)] // helpers of tests stop at the first error, as tests do

mod common;

use std::fs;
use std::path::Path;

use common::{CLASSES, REGRESSION, succeed, write_images};

const METHODS: [&str; 8] = [
    "sgd",
    "adam",
    "sav",
    "sav --relaxed",
    "exp-sav",
    "ieq-adaptive",
    "ieq-adaptive --relaxed",
    "ieq-full",
];

/// A flag and two of its values.
const FLAGS: [(&str, &str, &str); 10] = [
    ("--coupling", "consistent", "ratio"),
    ("--residual", "raw", ""),
    ("--q", "persistent", "fresh"),
    ("--operator", "scalar", "diagonal"),
    ("--solver", "cholesky", "cg"),
    ("--lambda", "0", "3"),
    ("--c", "1", "2"),
    ("--epsilon", "1e-8", "0.3"),
    ("--eta", "0.99", "0.01"),
    ("--r0", "batch", "train"),
];

#[test]
fn a_flag_draws_a_warning_exactly_if_it_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("data.csv"), REGRESSION).unwrap();
    for method in METHODS {
        for (flag, one, other) in FLAGS {
            // The energy law forbids these.
            if method.contains("--relaxed") && matches!(flag, "--coupling" | "--q") {
                continue;
            }
            let [one, other] = [one, other].map(|value| {
                let given =
                    if value.is_empty() { String::new() } else { format!("{flag} {value}") };
                let trace = trace(dir, &format!("{method} {given}"));
                let expected = (!value.is_empty()).then_some(flag);
                assert!(trace.1.is_none_or(|warned| Some(warned.as_str()) == expected));
                trace.0
            });
            let warned = trace(dir, &format!("{method} {}", given(flag))).1.is_some();
            assert_eq!(warned, one == other, "{flag} with {method}");
        }
    }
}

/// The flag with its first value.
fn given(flag: &str) -> String {
    let value = FLAGS.iter().find(|(name, ..)| *name == flag).map_or("", |(_, value, _)| value);
    format!("{flag} {value}")
}

/// A run's trace, and the flag that was warned of.
fn trace(dir: &Path, method: &str) -> (String, Option<String>) {
    let task = "--task csv --data data.csv --target y1,y2 --batch 5 --steps 12 --precision f64";
    let ran =
        succeed(dir, &format!("train {task} --dt 0.5 --hidden 8 --method {method} --trace t"));
    let warned = ran.errors.lines().find_map(|line| {
        let (flag, rest) = line.strip_prefix("warning: ")?.split_once(' ')?;
        assert!(rest.contains("no effect") && rest.contains("--method"), "{line}");
        Some(flag.to_owned())
    });
    (fs::read_to_string(dir.join("t")).unwrap(), warned)
}

#[test]
fn flags_of_another_task_draw_warnings_and_defaults_draw_none() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("data.csv"), REGRESSION).unwrap();
    fs::write(dir.join("classes.csv"), CLASSES).unwrap();
    write_images(&dir.join("d"));
    let few = "--steps 1 --batch 4 --hidden 4";
    let csv = "--task csv --data data.csv --target y1,y2";
    let classes = "--task csv --data classes.csv --target label --loss cross-entropy";
    succeed(dir, &format!("train {csv} --method sgd {few} --save w"));
    let images = "--task mnist --data-dir d";
    for (arguments, warned) in [
        (
            format!("train --task gaussian --method sgd {few} --data none --target y"),
            "--data --target",
        ),
        (
            format!("train --task gaussian --method sgd {few} --loss mse --standardise"),
            "--loss --standardise",
        ),
        (format!("train --task gaussian --method sgd {few} --data-dir none"), "--data-dir"),
        (format!("train {csv} --method sgd {few} --noise 1 --samples 5"), "--noise --samples"),
        (format!("train {images} --method sgd {few} --noise 1"), "--noise"),
        (
            format!("train {csv} --method sgd {few} --init w --output-bias"),
            "--hidden --output-bias",
        ),
        (format!("train {csv} --method sgd {few} --control fixed"), "--control"),
        (format!("train {csv} --method ieq-adaptive {few} --control fixed"), "--control"),
        (format!("train {classes} --method ieq-adaptive --relaxed {few} --r0 train"), ""),
        (format!("train {classes} --method ieq-full {few} --control gain-ratio"), ""),
        (format!("train {csv} --method adam {few} --standardise --train 8"), ""),
        (format!("train {images} --method exp-sav {few} --train 30"), ""),
        (format!("eval {csv} --weights w --noise 1"), "--noise"),
        (format!("predict {csv} --weights w --samples 3"), "--samples"),
        ("data gaussian --out g.csv --target y".to_owned(), "--target"),
    ] {
        let ran = succeed(dir, &arguments);
        let names = ran.errors.lines().filter_map(|line| line.strip_prefix("warning: "));
        let mut names: Vec<&str> = names.filter_map(|line| line.split(' ').next()).collect();
        names.sort_unstable();
        assert_eq!(names.join(" "), warned, "{arguments}: {}", ran.errors);
    }
    for method in ["sgd", "adam", "sav", "exp-sav", "ieq-adaptive", "ieq-full"] {
        for task in [csv, classes, images, "--task gaussian", "--task quadratic"] {
            let ran = succeed(dir, &format!("train {task} --method {method} {few}"));
            assert!(!ran.errors.contains("warning"), "{method} {task}: {}", ran.errors);
        }
    }
}

#[test]
fn classes_that_a_table_lacks_may_be_known_to_the_network() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("classes.csv"), CLASSES).unwrap();
    let few: String =
        CLASSES.lines().filter(|line| !line.ends_with(",2")).map(|l| format!("{l}\n")).collect();
    fs::write(dir.join("few.csv"), few).unwrap();
    let task = |data: &str| format!("--task csv --data {data} --target label --loss cross-entropy");
    succeed(
        dir,
        &format!("train {} --method sgd --batch 4 --steps 5 --save w", task("classes.csv")),
    );
    let ran = succeed(dir, &format!("eval {} --weights w", task("few.csv")));
    assert!(ran.out.contains("9 samples") && ran.out.contains("accuracy"), "{}", ran.out);
    let ran = succeed(dir, &format!("predict {} --weights w", task("few.csv")));
    assert_eq!(ran.out.lines().next(), Some("class_0,class_1,class_2"));
    let train = format!("train {} --method ieq-full --batch 4 --steps 5 --init w", task("few.csv"));
    succeed(dir, &train);
}
