//! Where results may go: links stay links, and pipes, terminals and devices are written through.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // helpers of tests stop at the first error, as tests do

mod common;

use std::fs::{self, File};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use common::{REGRESSION, Ran, gradflow, names, succeed};

const TRAIN: &str =
    "train --task csv --data data.csv --target y1,y2 --batch full --steps 3 --method sav";

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("data.csv"), REGRESSION).unwrap();
    dir
}

fn read(dir: &Path, name: &str) -> Vec<u8> {
    fs::read(dir.join(name)).unwrap()
}

#[test]
fn links_stay_links() {
    let dir = folder();
    let dir = dir.path();
    succeed(dir, &format!("{TRAIN} --trace t.csv --save w"));
    fs::create_dir(dir.join("far")).unwrap();
    fs::write(dir.join("far/old"), "old").unwrap();
    fs::set_permissions(dir.join("far/old"), fs::Permissions::from_mode(0o600)).unwrap();
    symlink("far/old", dir.join("link")).unwrap();
    symlink("far/new", dir.join("loose")).unwrap();
    succeed(dir, &format!("{TRAIN} --trace loose --save link"));
    for link in ["link", "loose"] {
        assert!(dir.join(link).is_symlink());
    }
    assert!(read(dir, "far/new") == read(dir, "t.csv") && read(dir, "far/old") == read(dir, "w"));
    assert_eq!(names(&dir.join("far")), ["new", "old"]);
    let mode = fs::metadata(dir.join("far/old")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "permissions stay");
}

#[test]
fn pipes_and_devices_are_written_through() {
    let dir = folder();
    let dir = dir.path();
    succeed(dir, &format!("{TRAIN} --trace t.csv --save w"));
    assert!(Command::new("mkfifo").arg(dir.join("pipe")).status().unwrap().success());
    let reader = thread::spawn({
        let pipe = dir.join("pipe");
        move || fs::read(pipe).unwrap()
    });
    succeed(dir, &format!("{TRAIN} --save pipe --metrics /dev/null --trace /dev/null"));
    assert!(reader.join().unwrap() == read(dir, "w"));
    assert!(fs::metadata(dir.join("pipe")).unwrap().file_type().is_fifo());
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    assert_eq!(names(dir), ["data.csv", "pipe", "t.csv", "w"]);
}

#[test]
fn standard_output_takes_results_in_their_order() {
    let dir = folder();
    let dir = dir.path();
    succeed(dir, &format!("{TRAIN} --trace t.csv --save w"));
    let arguments = format!("{TRAIN} --trace /dev/stdout");
    let piped = succeed(dir, &arguments);
    let out = File::create(dir.join("out")).unwrap();
    assert!(gradflow(dir, &arguments).stdout(out).status().unwrap().success());
    let filed = fs::read_to_string(dir.join("out")).unwrap();
    let trace = fs::read_to_string(dir.join("t.csv")).unwrap();
    for text in [&piped.out, &filed] {
        let rest = text.strip_prefix(&trace).expect("the trace comes first, whole");
        assert!(rest.starts_with("SAV on csv"), "{rest}");
    }
    assert!(Path::new("/dev/stdout").is_symlink());
}

#[test]
fn a_reader_that_goes_is_no_fault() {
    let dir = folder();
    let dir = dir.path();
    succeed(dir, &format!("{TRAIN} --save w"));
    let task = "--task csv --data data.csv --target y1,y2 --weights w";
    for arguments in [format!("predict {task}"), format!("eval {task}"), TRAIN.to_owned()] {
        let mut command = gradflow(dir, &arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ran: Ran = child.wait_with_output().unwrap().into();
        assert_eq!(ran.code, Some(0), "{arguments}: {}", ran.errors);
    }
}
