//! Runs that are killed or stopped, at any moment, end as if nothing had happened.

#![allow(clippy::unwrap_used)] // helpers of tests stop at the first error, as tests do

mod common;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use common::{REGRESSION, gradflow, kill_once_there, names, run, succeed};

/// Every kind of state: moments, a scalar, residuals of all samples, a Δt that is controlled.
const METHODS: [&str; 6] = [
    "adam --dt 1e-3",
    "sav --relaxed --operator diagonal --dt 1 --lambda 10",
    "exp-sav --coupling consistent --schedule cosine",
    "ieq-adaptive --relaxed --dt 0.01 --epsilon 0.1 --precision f64",
    "ieq-full --relaxed --lambda 1",
    "ieq-full --control gain-ratio --batch full",
];

/// A run that lasts for a few checkpoints.
fn command(method: &str) -> String {
    let batch = if method.contains("--batch") { "" } else { "--batch 5" };
    let steps = if method.contains("full") { 1_500 } else { 6_000 };
    format!(
        "train --task csv --data data.csv --target y1,y2 --hidden 20 {batch} --steps {steps} --method {method}"
    )
}

#[test]
fn killed_runs_end_as_if_nothing_had_happened() {
    thread::scope(|scope| {
        let halves = METHODS.chunks(METHODS.len() / 2);
        for methods in halves {
            scope.spawn(|| methods.iter().for_each(|method| kill_and_resume(method)));
        }
    });
}

fn kill_and_resume(method: &str) {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("data.csv"), REGRESSION).unwrap();
    let command = command(method);
    succeed(dir, &format!("{command} --trace calm.csv --save calm"));
    let arguments = format!("{command} --trace t.csv --save w --resume");
    let checkpoint = dir.join("w.checkpoint");
    let mut kills = 0;
    loop {
        let before = fs::read(&checkpoint).ok();
        let mut child = gradflow(dir, &arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let saved = wait_until(&mut child, || fs::read(&checkpoint).ok() != before);
        if !saved || kills == 4 {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            break;
        }
        thread::sleep(Duration::from_millis(kills * 13));
        // The last one is asked to stop, the others are not asked.
        if kills == 3 {
            let ran: common::Ran = interrupt(child).into();
            if ran.code == Some(0) {
                break;
            }
            assert_eq!(ran.code, Some(130), "{}", ran.errors);
            assert!(ran.errors.contains("--resume"), "{}", ran.errors);
            assert_eq!(
                names(dir),
                ["calm", "calm.csv", "data.csv", "t.csv.partial", "w.checkpoint"]
            );
        } else {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        kills += 1;
    }
    assert!(kills > 0, "{method}: it ended before its first checkpoint");
    assert_eq!(names(dir), ["calm", "calm.csv", "data.csv", "t.csv", "w"], "{method}");
    same(dir, "calm.csv", "t.csv");
    same(dir, "calm", "w");
}

/// Waits for something; false if the process ended before.
fn wait_until(child: &mut Child, mut happened: impl FnMut() -> bool) -> bool {
    while !happened() {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
    true
}

/// Ctrl-C.
fn interrupt(child: Child) -> std::process::Output {
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    child.wait_with_output().unwrap()
}

fn same(dir: &Path, one: &str, other: &str) {
    let read = |name: &str| fs::read(dir.join(name)).unwrap();
    assert!(read(one) == read(other), "{one} and {other} differ");
}

#[test]
fn a_run_killed_between_its_last_step_and_its_end_can_be_resumed() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("data.csv"), REGRESSION).unwrap();
    let arguments = format!("{} --trace t.csv --save w", command(METHODS[0]));
    kill_once_there(dir, &arguments, "w.checkpoint");
    let checkpoint = fs::read(dir.join("w.checkpoint")).unwrap();
    succeed(dir, &format!("{arguments} --resume"));
    fs::rename(dir.join("t.csv"), dir.join("calm.csv")).unwrap();
    fs::rename(dir.join("w"), dir.join("calm")).unwrap();
    // The table has its name already, the weights are there or not, the checkpoint still is.
    for weights in [false, true] {
        fs::copy(dir.join("calm.csv"), dir.join("t.csv")).unwrap();
        if weights {
            fs::copy(dir.join("calm"), dir.join("w")).unwrap();
        }
        fs::write(dir.join("w.checkpoint"), &checkpoint).unwrap();
        fs::write(dir.join("w.partial"), "half of the weights").unwrap();
        succeed(dir, &format!("{arguments} --resume"));
        same(dir, "calm.csv", "t.csv");
        same(dir, "calm", "w");
        assert_eq!(names(dir), ["calm", "calm.csv", "data.csv", "t.csv", "w"]);
        fs::remove_file(dir.join("w")).unwrap();
    }
    // A table that lost its end is not gone on from.
    fs::write(dir.join("w.checkpoint"), &checkpoint).unwrap();
    fs::write(dir.join("t.csv.partial"), "step,epoch").unwrap();
    let ran = run(dir, &format!("{arguments} --resume"));
    assert_eq!(ran.code, Some(2), "{}", ran.errors);
    assert!(ran.errors.contains("t.csv") && ran.errors.contains("checkpoint"), "{}", ran.errors);
    same(dir, "calm.csv", "t.csv");
    // Without --resume the run begins anew, and says so.
    let ran = succeed(dir, &arguments);
    assert!(ran.errors.contains("w.checkpoint"), "{}", ran.errors);
    same(dir, "calm.csv", "t.csv");
    same(dir, "calm", "w");
}

#[test]
fn a_run_goes_on_with_its_own_settings_and_data_alone() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let data = dir.join("data.csv");
    fs::write(&data, REGRESSION).unwrap();
    let arguments = format!("{} --trace t.csv --save w", command(METHODS[0]));
    kill_once_there(dir, &arguments, "w.checkpoint");
    let before = common::contents(dir);
    for changed in ["--seed 1", "--lambda 2", "--c 3", "--init ntk", "--output-bias"] {
        let ran = run(dir, &format!("{arguments} --resume {changed}"));
        assert_eq!(ran.code, Some(2), "{changed}: {}", ran.errors);
        assert!(ran.errors.contains("w.checkpoint") && ran.errors.contains("other settings"));
    }
    assert_eq!(common::contents(dir), before);
    fs::write(&data, REGRESSION.replace("1.623", "1.624")).unwrap();
    let ran = run(dir, &format!("{arguments} --resume"));
    assert_eq!(ran.code, Some(2), "{}", ran.errors);
    assert!(ran.errors.contains("data have changed"), "{}", ran.errors);
    fs::write(&data, REGRESSION).unwrap();
    assert_eq!(common::contents(dir), before);
}

#[test]
fn ctrl_c_without_save_keeps_what_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("data.csv"), REGRESSION).unwrap();
    let arguments = "train --task csv --data data.csv --target y1,y2 --batch full --steps 100000000 \
                     --method sav --trace t.csv";
    let mut child =
        gradflow(dir, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let partial = dir.join("t.csv.partial");
    let grown = || fs::metadata(&partial).is_ok_and(|metadata| metadata.len() > 0);
    assert!(wait_until(&mut child, grown));
    let ran: common::Ran = interrupt(child).into();
    assert_eq!(ran.code, Some(130), "{}", ran.errors);
    assert!(ran.errors.contains("--save"), "{}", ran.errors);
    assert_eq!(names(dir), ["data.csv", "t.csv"]);
    let trace = fs::read_to_string(dir.join("t.csv")).unwrap();
    assert!(trace.ends_with('\n') && trace.lines().all(|line| line.split(',').count() == 10));
}

#[test]
fn killed_suites_end_as_if_nothing_had_happened() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let suite = "experiments --suite quick --only gaussian-sav --seeds 2";
    let calm = thread::scope(|scope| {
        let calm = scope.spawn(|| succeed(dir, &format!("{suite} --jobs 1 --out calm")));
        kill_once_there(
            dir,
            &format!("{suite} --jobs 2 --out s"),
            "s/gaussian-sav-seed1/checkpoint",
        );
        // Neither finished runs nor what a killed process left in the middle may be in the way.
        let arguments = format!("{suite} --jobs 1 --out s --resume");
        kill_once_there(dir, &arguments, "s/gaussian-sav-seed0/metrics.json");
        fs::write(dir.join("s/gaussian-sav-seed1/weights.safetensors.partial"), "half").unwrap();
        let checkpoint = dir.join("s/gaussian-sav-seed1/checkpoint");
        let before = fs::read(&checkpoint).ok();
        let mut child = gradflow(dir, &arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        if wait_until(&mut child, || fs::read(&checkpoint).ok() != before) {
            let ran: common::Ran = interrupt(child).into();
            // It may just have come to its end.
            let stopped = ran.code == Some(130) && ran.errors.contains("--resume");
            assert!(stopped || ran.code == Some(0), "{}", ran.errors);
        }
        calm.join().unwrap()
    });
    let written = || fs::metadata(dir.join("s/gaussian-sav-seed0/trace.csv")).unwrap().modified();
    let before = written().unwrap();
    let resumed = succeed(dir, &format!("{suite} --jobs 2 --out s --resume"));
    for run in ["gaussian-sav-seed0", "gaussian-sav-seed1"] {
        assert_eq!(names(&dir.join("calm").join(run)), names(&dir.join("s").join(run)));
        for file in ["spec.toml", "trace.csv", "weights.safetensors", "fit.csv"] {
            same(dir, &format!("calm/{run}/{file}"), &format!("s/{run}/{file}"));
        }
    }
    assert_eq!(before, written().unwrap(), "a run that was complete is not run again");
    assert!(calm.out.contains("SAV") && resumed.out.contains("SAV"));
}
