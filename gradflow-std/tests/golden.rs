//! Every trajectory of the golden table, computed independently in another language, is
//! reproduced; and the width of the vectors changes no bit.

#![allow(clippy::unwrap_used)] // helpers of tests stop at the first error, as tests do

mod common;

use std::fs;
use std::path::Path;

use common::succeed;

/// Numbers of a column must agree to this, relative to the expected one.
const TOLERANCE: f64 = 1e-9;

#[test]
fn every_golden_trace_is_reproduced() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let results = tempfile::tempdir().unwrap();
    let table = fs::read_to_string(golden.join("cases.tsv")).unwrap();
    let cases: Vec<Vec<&str>> = table.lines().skip(1).map(|l| l.split('\t').collect()).collect();
    assert!(cases.len() >= 56, "only {} cases", cases.len());
    for case in cases {
        let (name, arguments) = (case[0], case[5]);
        let [auto, avx2, off] = ["auto", "avx2", "off"].map(|simd| {
            let trace = results.path().join(format!("{name}-{simd}.csv"));
            succeed(
                &golden,
                &format!("train {arguments} --simd {simd} --trace {}", trace.display()),
            );
            fs::read_to_string(trace).unwrap()
        });
        assert!(auto == avx2 && auto == off, "{name}: the vectors' width changes bits");
        let expected = fs::read_to_string(golden.join(format!("{name}.csv"))).unwrap();
        compare(name, &expected, &auto);
    }
}

fn compare(name: &str, expected: &str, found: &str) {
    assert_eq!(expected.lines().count(), found.lines().count(), "{name}: number of rows");
    let mut lines = expected.lines().zip(found.lines());
    let (header, same) = lines.next().unwrap();
    assert_eq!(header, same, "{name}: columns");
    for (expected, found) in lines {
        let fields = expected.split(',').zip(found.split(','));
        for (column, (expected, found)) in header.split(',').zip(fields) {
            let place = format!("{name}, {column} of `{found}` where `{expected}` is expected");
            assert_eq!(expected.is_empty(), found.is_empty(), "{place}");
            if expected.is_empty() {
                continue;
            }
            let (expected, found): (f64, f64) = (expected.parse().unwrap(), found.parse().unwrap());
            // κ and ξ lie in [0, 1], and the smallest of them are differences.
            let scale = if matches!(column, "kappa" | "xi") { 1.0 } else { expected.abs() };
            assert!((expected - found).abs() <= TOLERANCE * scale, "{place}");
        }
        assert_eq!(expected.split(',').count(), found.split(',').count(), "{name}: {found}");
    }
}
