//! Disks that are full or read-only, damaged data, numbers that leave the road: a clear end, and
//! whatever was there before is still there.

#![allow(clippy::unwrap_used)] // helpers of tests stop at the first error, as tests do

mod common;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{BINARY, REGRESSION, Ran, contents, gradflow, images, names, run, succeed};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

/// A short run on twelve samples; the weights take some kilobytes.
const TRAIN: &str = "train --task csv --data data.csv --target y1,y2 --batch full --hidden 500";

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("data.csv"), REGRESSION).unwrap();
    dir
}

/// Demands exit code 2 and a message with all of this in it.
fn refused(ran: &Ran, says: &[&str]) {
    assert_eq!(ran.code, Some(2), "{}", ran.errors);
    for text in says {
        assert!(ran.errors.contains(text), "`{text}` is missing in: {}", ran.errors);
    }
}

/// Demands that all is as before, but for the state of a run that could be gone on from.
fn spared(dir: &Path, before: &BTreeMap<PathBuf, Option<Vec<u8>>>) {
    let mut after = contents(dir);
    after.retain(|path, _| path.extension().is_none_or(|extension| extension != "checkpoint"));
    assert!(after == *before, "{:?} instead of {:?}", after.keys(), before.keys());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named_and_spares_earlier_results() {
    let dir = folder();
    let dir = dir.path();
    succeed(dir, &format!("{TRAIN} --method sav --steps 3 --trace t.csv --save w --metrics m"));
    let before = contents(dir);
    let full = "No space left";
    let arguments =
        format!("{TRAIN} --method sgd --steps 5 --trace /dev/full --save w --metrics m");
    refused(&run(dir, &arguments), &["/dev/full", full]);
    spared(dir, &before);
    let arguments = format!("{TRAIN} --method sgd --steps 5 --save /dev/full --metrics m");
    refused(&run(dir, &arguments), &["/dev/full", full]);
    spared(dir, &before);
    let arguments = format!("{TRAIN} --method sav --steps 3 --save w --metrics /dev/full");
    refused(&run(dir, &arguments), &["/dev/full", full]);
    spared(dir, &before);
    let predict = "predict --task csv --data data.csv --target y1,y2 --weights w";
    refused(&run(dir, &format!("{predict} --out /dev/full")), &["/dev/full", full]);
    refused(&run(dir, "data gaussian --out /dev/full"), &["/dev/full", full]);
    for arguments in [predict, "eval --task csv --data data.csv --target y1,y2 --weights w"] {
        let out = File::options().write(true).open("/dev/full").unwrap();
        let ran = gradflow(dir, arguments).stdout(out).stderr(Stdio::piped()).spawn().unwrap();
        refused(&ran.wait_with_output().unwrap().into(), &["standard output", full]);
    }
    spared(dir, &before);
}

/// The command in a shell that limits what it may use.
fn limited(dir: &Path, limit: &str, arguments: &str) -> Ran {
    let script = format!("{limit}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.current_dir(dir).args(["-c", &script, BINARY]).args(arguments.split_whitespace());
    command.output().unwrap().into()
}

#[cfg(unix)]
#[test]
fn files_that_cannot_grow_leave_the_old_ones() {
    // No file may have more than a few kilobytes, and the signal that says so is ignored.
    const LIMIT: &str = "trap '' XFSZ; ulimit -f 4";
    let dir = folder();
    let dir = dir.path();
    succeed(dir, &format!("{TRAIN} --method sav --steps 3 --trace t.csv --save w --metrics m"));
    let before = contents(dir);
    let arguments = format!("{TRAIN} --method sgd --steps 3 --save w --metrics m");
    refused(&limited(dir, LIMIT, &arguments), &["error: w", ": File too large"]);
    spared(dir, &before);
    let arguments = format!("{TRAIN} --method sgd --dt 1e-3 --steps 3000 --trace t.csv");
    refused(&limited(dir, LIMIT, &arguments), &["t.csv: File too large"]);
    spared(dir, &before);

    let earlier = dir.join("suite/gaussian-adam-seed0");
    fs::create_dir_all(&earlier).unwrap();
    fs::write(earlier.join("weights.safetensors"), "dear").unwrap();
    let suite = "experiments --suite quick --only gaussian-sgd --out suite";
    let ran = limited(dir, LIMIT, suite);
    refused(&ran, &["gaussian-sgd-seed0", ": File too large"]);
    assert_eq!(names(&earlier), ["weights.safetensors"]);
}

#[cfg(unix)]
#[test]
fn a_read_only_folder_is_named_before_anything_is_done() {
    use std::os::unix::fs::{PermissionsExt, chown};
    use std::os::unix::process::CommandExt;
    let dir = folder();
    let binary = dir.path().join("gradflow");
    fs::hard_link(BINARY, &binary).or_else(|_| fs::copy(BINARY, &binary).map(drop)).unwrap();
    let place = dir.path().join("place");
    fs::create_dir(&place).unwrap();
    fs::write(place.join("data.csv"), REGRESSION).unwrap();
    fs::write(place.join("w"), "dear").unwrap();
    let allow = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    allow(dir.path(), 0o755);
    allow(&place.join("w"), 0o444);
    allow(&place, 0o555);
    // Permissions do not bind the superuser.
    let is_root = chown(dir.path(), Some(0), None).is_ok();
    for (outputs, named) in [
        ("--trace t.csv", "t.csv"),
        ("--save w", "w"),
        ("--save v", "v"),
        ("--metrics m", "m"),
        ("--save /proc/w", "/proc/w"),
    ] {
        let mut command = Command::new(&binary);
        command.current_dir(&place).args(TRAIN.split(' ')).args(["--method", "sgd"]);
        command.args(outputs.split(' '));
        if is_root {
            command.uid(65_534);
        }
        let ran: Ran = command.output().unwrap().into();
        refused(&ran, &[&format!("error: {named}: ")]);
        assert!(ran.out.is_empty(), "{}", ran.out);
    }
    let mut command = Command::new(&binary);
    command.current_dir(&place).args(["experiments", "--suite", "quick", "--only", "gaussian-sgd"]);
    if is_root {
        command.uid(65_534);
    }
    refused(&command.output().unwrap().into(), &["target/experiments/quick", "ermission denied"]);
    assert_eq!(names(&place), ["data.csv", "w"]);
    assert_eq!(fs::read_to_string(place.join("w")).unwrap(), "dear");
    allow(&place, 0o755);
}

/// A command that reads images, and the files it is given.
const IMAGES: &str = "train --task mnist --data-dir d --method sgd --steps 2 --batch 10 --hidden 4";

fn write_gzipped(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let zip = |(name, bytes): (&str, Vec<u8>)| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&bytes).unwrap();
        (format!("{name}.gz"), encoder.finish().unwrap())
    };
    let files: Vec<_> = images().into_iter().map(zip).collect();
    fs::create_dir(dir.join("d")).unwrap();
    for (name, bytes) in &files {
        fs::write(dir.join("d").join(name), bytes).unwrap();
    }
    files
}

#[test]
fn one_flipped_bit_of_a_gzipped_file_is_found_and_so_is_a_missing_end() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let files = write_gzipped(dir);
    succeed(dir, &format!("{IMAGES} --save good"));
    let (mut flips, mut harmless) = (0, 0);
    for (name, bytes) in &files {
        let file = dir.join("d").join(name);
        let spread = (0..12).map(|i| 10 + i * (bytes.len() - 11) / 11);
        for (i, place) in (0..10).chain(spread).enumerate() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << (i % 8);
            fs::write(&file, damaged).unwrap();
            let ran = run(dir, &format!("{IMAGES} --save w"));
            flips += 1;
            if ran.code == Some(0) {
                // A time, where it was made, the bits that fill up the last byte: they say nothing.
                assert!(fs::read(dir.join("w")).unwrap() == fs::read(dir.join("good")).unwrap());
                fs::remove_file(dir.join("w")).unwrap();
                harmless += 1;
            } else {
                refused(&ran, &[name, "cargo xtask data mnist"]);
            }
            assert_eq!(names(dir), ["d", "good"]);
        }
        for part in 0..8 {
            fs::write(&file, &bytes[..part * bytes.len() / 8]).unwrap();
            refused(&run(dir, &format!("{IMAGES} --save w")), &[name.trim_end_matches(".gz")]);
            assert_eq!(names(dir), ["d", "good"]);
        }
        fs::write(&file, bytes).unwrap();
    }
    assert!(flips == 88 && harmless <= 28, "{harmless} of {flips} flips were not found");
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_header_claims_costs_nothing() {
    const LIMIT: &str = "ulimit -v 300000";
    let dir = folder();
    let dir = dir.path();
    succeed(dir, &format!("{TRAIN} --method sgd --steps 1 --save good"));
    let ran = limited(dir, LIMIT, &format!("{TRAIN} --method sgd --steps 1 --init good --save w"));
    assert_eq!(ran.code, Some(0), "the limit leaves room for what is good: {}", ran.errors);
    fs::create_dir(dir.join("d")).unwrap();
    for (i, (name, mut bytes)) in images().into_iter().enumerate() {
        if i == 0 {
            bytes[4..8].copy_from_slice(&100_000_000_u32.to_be_bytes());
            bytes[8..16].copy_from_slice(&[0, 0, 0, 1, 0, 0, 0, 1]);
        }
        fs::write(dir.join("d").join(name), bytes).unwrap();
    }
    let tensors =
        r#"{"hidden":{"dtype":"F64","shape":[4,134217728],"data_offsets":[0,4294967296]}}"#;
    let mut claims = (tensors.len() as u64).to_le_bytes().to_vec();
    claims.extend(tensors.as_bytes());
    fs::write(dir.join("claims"), &claims).unwrap();
    claims[..8].fill(0xff);
    fs::write(dir.join("longer"), &claims).unwrap();
    for (arguments, says) in [
        (IMAGES.to_owned(), "d/train-images-idx3-ubyte"),
        (format!("{TRAIN} --method sgd --init claims"), "claims: "),
        (format!("{TRAIN} --method sgd --init longer"), "longer: "),
        (format!("{TRAIN} --method sgd --init /dev/zero"), "/dev/zero: "),
        (
            "train --task csv --data /dev/zero --target y --method sgd".to_owned(),
            "/dev/zero, line 1",
        ),
        ("experiments --tuned /dev/zero".to_owned(), "/dev/zero: "),
        ("train --task gaussian --method sgd --hidden 30000000".to_owned(), "GB"),
    ] {
        refused(&limited(dir, LIMIT, &arguments), &[says]);
    }
}

#[test]
fn a_run_that_diverges_says_where_and_keeps_its_files() {
    let dir = folder();
    let dir = dir.path();
    let train = "train --task csv --data data.csv --target y1,y2 --batch full --steps 50 --dt 1e6 \
                 --trace t.csv --save w --metrics m";
    for precision in ["f32", "f64"] {
        let ran = run(dir, &format!("{train} --method sgd --precision {precision}"));
        assert_eq!(ran.code, Some(3), "{}", ran.errors);
        let metrics: Value = serde_json::from_slice(&fs::read(dir.join("m")).unwrap()).unwrap();
        assert_eq!(metrics["diverged"], true);
        let at = metrics["diverged_at"].as_u64().unwrap();
        assert!(ran.errors.contains(&format!("diverged at step {at}: ")), "{}", ran.errors);
        assert!(at > 0 && at < 50 && metrics["steps"] == at, "{metrics}");
        // A header and a row for each step that was done, none for the one that failed.
        let trace = fs::read_to_string(dir.join("t.csv")).unwrap();
        assert_eq!(trace.lines().count() as u64, 1 + at);
        assert!(trace.lines().skip(1).all(finite), "{trace}");
        let eval = "eval --task csv --data data.csv --target y1,y2 --weights w --precision";
        succeed(dir, &format!("{eval} {precision}"));
    }
    for method in ["sav", "sav --relaxed", "exp-sav", "ieq-adaptive", "ieq-full --lambda 1"] {
        succeed(dir, &format!("{train} --method {method}"));
        let metrics: Value = serde_json::from_slice(&fs::read(dir.join("m")).unwrap()).unwrap();
        assert_eq!((&metrics["diverged"], &metrics["diverged_at"]), (&false.into(), &Value::Null));
        let trace = fs::read_to_string(dir.join("t.csv")).unwrap();
        assert_eq!(trace.lines().count(), 51, "{method}");
        assert!(trace.lines().skip(1).all(finite), "{trace}");
    }
}

/// Whether all numbers of a row are.
fn finite(row: &str) -> bool {
    row.split(',').filter(|f| !f.is_empty()).all(|f| f.parse().is_ok_and(f64::is_finite))
}

#[test]
fn a_suite_goes_on_after_a_run_that_diverged() {
    let dir = tempfile::tempdir().unwrap();
    let suite = "experiments --suite stability --only gaussian-sgd-dt1e5 --seeds 2 --jobs 1";
    let ran = succeed(dir.path(), &format!("{suite} --out s"));
    for seed in 0..2 {
        let run = dir.path().join(format!("s/gaussian-sgd-dt1e5-seed{seed}"));
        let metrics = fs::read(run.join("metrics.json")).unwrap();
        let metrics: Value = serde_json::from_slice(&metrics).unwrap();
        assert_eq!(metrics["diverged"], true, "{metrics}");
        assert!(metrics["diverged_at"].is_u64(), "{metrics}");
        assert_eq!(ran.errors.matches("diverged at step").count(), 2, "{}", ran.errors);
        assert!(run.join("weights.safetensors").exists() && !run.join("checkpoint").exists());
    }
    assert!(dir.path().join("s/report.html").exists());
}
