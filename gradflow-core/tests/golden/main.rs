//! The bits that are promised: digests and files of the reference programme, as they are committed.

#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use gradflow_core::Digest;
use gradflow_core::reference::{self, Memory, Plain, Subject};

const DIGESTS: &str = include_str!("digests.txt");

fn lines() -> Vec<reference::Line> {
    let mut lines = Vec::new();
    let mut memory = Box::new(Memory::ZERO);
    reference::run::<Plain>(&mut memory, &mut |line| lines.push(*line)).unwrap();
    lines
}

fn golden() -> impl Iterator<Item = &'static str> {
    DIGESTS.lines().filter(|line| !line.starts_with('#'))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

#[test]
fn the_digests_are_the_committed_ones() {
    let lines = lines();
    assert_eq!(lines.len(), golden().count());
    for (line, golden) in lines.iter().zip(golden()) {
        assert_eq!(line.to_string(), golden, "see the head of tests/golden/digests.txt");
    }
}

#[test]
fn the_files_that_travel_are_the_committed_ones() {
    let mut memory = Box::new(Memory::ZERO);
    let mut files = 0;
    reference::travellers::<Plain>(&mut memory, &mut |name, bytes| {
        assert!(fs::read(folder().join(name)).unwrap() == bytes, "{name} has changed");
        files += 1;
    })
    .unwrap();
    assert_eq!(files, 4);
}

/// Moved to another machine, a run goes on as if it had stayed.
#[test]
fn a_continued_run_ends_where_the_uninterrupted_one_does() {
    let lines = lines();
    let key = |case: reference::Case, step: u32| format!("{case} {step}");
    let stayed: HashMap<String, u64> = lines
        .iter()
        .filter_map(|line| match line.subject {
            Subject::Trained(case) => Some((key(case, line.step), line.digest)),
            _ => None,
        })
        .collect();
    let mut continued = 0;
    for line in &lines {
        if let Subject::Continued(case) = line.subject {
            assert_eq!(Some(&line.digest), stayed.get(&key(case, line.step)), "{line}");
            continued += 1;
        }
    }
    assert_eq!(continued, 3);
}

/// Names are how the targets' lines are matched.
#[test]
fn every_line_has_a_name_of_its_own() {
    let mut names: Vec<&str> =
        golden().filter_map(|line| line.rsplit_once(' ')).map(|(name, _)| name).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn a_change_of_the_digests_stands_in_the_changelog() {
    let digest = golden().fold(Digest::new(), |digest, line| digest.update_bytes(line.as_bytes()));
    let needed = format!("`{:016x}`", digest.finish());
    let changelog = Path::new(env!("CARGO_MANIFEST_DIR")).join("../CHANGELOG.md");
    let changelog = fs::read_to_string(changelog).unwrap();
    assert!(
        changelog.contains(&needed),
        "the golden digests changed: say in CHANGELOG.md why, in a line that names {needed}"
    );
}
