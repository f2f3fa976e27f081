//! Arbitrary bytes as specs and checkpoints: an error or a run, never a panic.

#![allow(clippy::unwrap_used)] // helpers of tests stop at the first error, as tests do

use std::cell::Cell;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use gradflow_std::run::{Ending, Files, Job, Outcome, RunError, Sets, check, run};
use gradflow_std::spec::{InitChoice, MethodName, Simd, Spec, TaskName};
use proptest::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};

const SPEC: &str = "task = \"gaussian\"\nnoise = 0.01\nsamples = 2000\nmethod = \"sav\"\n\
    relaxed = true\ncoupling = \"consistent\"\ncontrol = \"fixed\"\noperator = \"scalar\"\n\
    dt = 1e-3\nlambda = 4.0\nc = 100.0\nepsilon = 1e-8\neta = 0.99\nr0 = \"train\"\nhidden = 100\n\
    init = \"ntk\"\nbatch = 64\nsteps = 3000\nschedule = \"cosine\"\nseed = 7\nprecision = \"f64\"\n";

/// A text with a few bytes replaced, removed or put in.
fn damaged(text: &'static str) -> impl Strategy<Value = String> {
    let damage = (any::<prop::sample::Index>(), "[ -~\n]{0,3}", 0_usize..4);
    prop::collection::vec(damage, 0..4).prop_map(move |damages| {
        let mut bytes = text.as_bytes().to_vec();
        for (at, new, gone) in damages {
            let at = at.index(bytes.len());
            let end = bytes.len().min(at + gone);
            bytes.splice(at..end, new.into_bytes());
        }
        String::from_utf8(bytes).unwrap()
    })
}

proptest! {
    #[test]
    fn any_text_is_a_spec_or_an_error(text in prop_oneof![damaged(SPEC), any::<String>()]) {
        if let Ok(spec) = toml::from_str::<Spec>(&text) {
            let written = toml::to_string(&spec).unwrap();
            let again: Spec = toml::from_str(&written).unwrap();
            prop_assert_eq!(toml::to_string(&again).unwrap(), written);
            // Whether it can be run is another matter.
            let _ = check(&spec);
        }
    }

    #[test]
    fn numbers_of_a_spec_survive_its_file(
        dt in any::<f64>(), lambda in any::<f64>(), seed in 0..=i64::MAX as u64, steps in any::<u32>(),
    ) {
        let spec = Spec {
            dt: Some(dt),
            lambda,
            seed,
            steps: Some(steps as usize),
            init: Some(InitChoice::File("a \"quoted\"\\ name\n".into())),
            ..Spec::new(TaskName::Mnist, MethodName::IeqFull)
        };
        let again: Spec = toml::from_str(&toml::to_string(&spec).unwrap()).unwrap();
        prop_assert_eq!(again, spec);
    }
}

const STEPS: usize = 12;

fn small() -> Spec {
    Spec {
        samples: 20,
        hidden: 3,
        relaxed: true,
        steps: Some(STEPS),
        batch: "8".parse().unwrap(),
        ..Spec::new(TaskName::Gaussian, MethodName::IeqAdaptive)
    }
}

/// Runs the small spec from the checkpoint at this place; stops after `stop` steps.
fn go_on(checkpoint: &Path, sets: &Sets<f32>, stop: usize) -> Result<Outcome, RunError> {
    let spec = small();
    let flag = AtomicBool::new(false);
    let files = Files { checkpoint: Some(checkpoint.to_owned()), ..Files::default() };
    let steps = Cell::new(0);
    let mut job = Job {
        spec: &spec,
        name: "small",
        label: "small",
        simd: Simd::Off,
        files,
        resume: true,
        stop: &flag,
        progress: &mut |done, _, _| {
            steps.set(done);
            flag.store(done >= stop, std::sync::atomic::Ordering::Relaxed);
        },
    };
    run(&mut job, sets)
}

/// The checkpoint of the small spec after five steps: its line of JSON, and its arrays.
fn checkpoint(dir: &Path, sets: &Sets<f32>) -> (Value, Vec<u8>) {
    let path = dir.join("checkpoint");
    let outcome = go_on(&path, sets, 5).unwrap();
    assert_eq!(outcome.ending, Ending::Stopped(5));
    let bytes = std::fs::read(path).unwrap();
    let end = bytes.iter().position(|&byte| byte == b'\n').unwrap();
    (serde_json::from_slice(&bytes[..end]).unwrap(), bytes[end + 1..].to_vec())
}

/// Numbers, texts and lists that a line of JSON may hold in place of another.
fn foreign() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0_u64..40).prop_map(Value::from),
        Just(u64::MAX.into()),
        Just((u64::MAX / 2).into()),
        any::<f64>().prop_map(Value::from),
        Just(Value::Null),
        any::<String>().prop_map(Value::from),
        Just(Value::Array(vec![])),
    ]
}

/// Every leaf of a value, as a place to write to.
fn leaves(value: &mut Value) -> Vec<&mut Value> {
    if !(value.is_array() || value.is_object()) {
        return vec![value];
    }
    match value {
        Value::Array(items) => items.iter_mut().flat_map(leaves).collect(),
        Value::Object(items) => items.values_mut().flat_map(leaves).collect(),
        _ => Vec::new(),
    }
}

fn resume(dir: &Path, sets: &Sets<f32>, bytes: &[u8]) -> Result<Outcome, RunError> {
    let path = dir.join("damaged");
    std::fs::write(&path, bytes).unwrap();
    let result = go_on(&path, sets, usize::MAX);
    if let Err(error) = &result {
        assert!(error.to_string().contains("damaged") && error.code() == 2, "{error}");
        assert!(std::fs::read(&path).unwrap() == bytes, "a refused checkpoint stays");
    }
    result
}

#[test]
fn no_checkpoint_makes_a_run_panic() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let sets = Sets::load(&small()).unwrap();
    let (meta, body) = checkpoint(dir, &sets);
    let whole = |meta: &Value, body: &[u8]| {
        let mut bytes = serde_json::to_vec(meta).unwrap();
        bytes.push(b'\n');
        bytes.extend(body);
        bytes
    };
    assert!(resume(dir, &sets, &whole(&meta, &body)).is_ok());

    // Any damage to the arrays is found, wherever it is.
    proptest!(|(at in any::<prop::sample::Index>(), bit in 0_u8..8, cut in any::<bool>())| {
        let mut damaged = body.clone();
        let at = at.index(damaged.len());
        if cut { damaged.truncate(at) } else { damaged[at] ^= 1 << bit }
        prop_assert!(resume(dir, &sets, &whole(&meta, &damaged)).is_err());
    });
    // Arrays that were forged with their checksum, and a line of JSON that claims anything.
    proptest!(|(
        place in any::<prop::sample::Index>(), foreign in foreign(),
        at in any::<prop::sample::Index>(), word in any::<[u8; 4]>(), cut in 0_usize..9,
    )| {
        let (mut meta, mut body) = (meta.clone(), body.clone());
        let at = at.index(body.len() - 4);
        body[at..at + 4].copy_from_slice(&word);
        body.truncate(body.len() - cut);
        let hex = |bytes: &[u8]| -> String {
            Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
        };
        meta["sha256"] = hex(&body).into();
        let mut leaves = leaves(&mut meta);
        let place = place.index(leaves.len());
        *leaves[place] = foreign;
        let _ = resume(dir, &sets, &whole(&meta, &body));
    });
    // Bytes that are no checkpoint at all.
    proptest!(|(bytes in prop::collection::vec(any::<u8>(), 0..300))| {
        prop_assert!(resume(dir, &sets, &bytes).is_err());
    });
}
