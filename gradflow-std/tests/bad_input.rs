//! A catalogue of wrong inputs. Each ends in its exit code with a message that names what is wrong
//! and where, and leaves the folder as it was.

#![allow(clippy::unwrap_used)] // helpers of tests stop at the first error, as tests do

mod common;

use std::fs;
use std::path::Path;

use common::{CLASSES, REGRESSION, contents, gradflow, images, kill_once_there, succeed};

/// Arguments, and what the message must contain. `$csv` and `$classes` stand for a good task.
type Case = (&'static str, &'static [&'static str]);

const CSV: &str = "--task csv --data good.csv --target y1,y2";
const LABELS: &str = "--task csv --data classes.csv --target label --loss cross-entropy";

/// What clap refuses, and what a command line lacks.
const COMMAND_LINES: &[Case] = &[
    ("", &["Usage"]),
    ("trian", &["trian", "train"]),
    ("train --task gaussian", &["--method"]),
    ("train --method sav", &["--task"]),
    ("train --task mnsit --method sav", &["mnsit", "mnist"]),
    ("train --task gaussian --method momentum", &["momentum", "adam"]),
    ("train --task gaussian --method sav --steps 5 --epochs 5", &["--steps", "--epochs"]),
    ("train --task gaussian --method sav --steps -5", &["-5"]),
    ("train --task gaussian --method sav --steps 1e3", &["1e3", "--steps"]),
    ("train --task gaussian --method sav --epochs 5000000000", &["5000000000", "--epochs"]),
    ("train --task gaussian --method sav --seed 1.5", &["1.5", "--seed"]),
    ("train --task gaussian --method sav --precision f16", &["f16", "f32"]),
    ("train --task gaussian --method sav --simd on", &["on", "auto"]),
    ("train --task gaussian --method sav --schedule linear", &["linear", "cosine"]),
    ("train --task gaussian --method sav --coupling loose", &["loose", "ratio"]),
    ("train --task gaussian --method sav --loss l1", &["l1", "mse"]),
    ("train --task gaussian --method sav --dt fast", &["fast", "--dt"]),
    ("train --task gaussian --method sav --dt 1 --dt 2", &["--dt"]),
    ("train --task gaussian --method sav --batch 0", &["0", "--batch", "at least one sample"]),
    ("train --task gaussian --method sav --batch half", &["half", "--batch", "full"]),
    ("train --task gaussian --method sav --speed 3", &["--speed"]),
    ("train --task gaussian --method sav --resume", &["--save"]),
    ("train --task gaussian --method sav --trace=", &["--trace"]),
    ("eval --task gaussian", &["--weights"]),
    ("data gaussian", &["--out", "--plot"]),
    ("experiments --suite everything", &["everything", "quick"]),
    ("experiments --suite quick --seeds 0", &["0", "--seeds"]),
    ("experiments --suite quick --seeds 1000000000", &["1000000000", "--seeds"]),
    ("experiments --suite quick --jobs 0", &["0", "--jobs"]),
    ("experiments --suite quick --only lion", &["lion"]),
];

/// Numbers out of range, and settings that do not go together.
const SETTINGS: &[Case] = &[
    ("train $csv --method sgd --dt 0", &["dt = 0", "positive"]),
    ("train $csv --method sav --dt -1", &["dt = -1", "positive"]),
    ("train $csv --method ieq-full --dt nan", &["dt = NaN"]),
    ("train $csv --method adam --dt inf", &["dt = inf"]),
    ("train $csv --method sav --dt 1e60", &["--dt 1e60", "f32"]),
    ("train $csv --method sav --dt 1e-60", &["--dt 1e-60", "f32"]),
    ("train $csv --method sav --lambda -1", &["lambda = -1", "not negative"]),
    ("train $csv --method ieq-full --lambda nan", &["lambda = NaN"]),
    ("train $csv --method ieq-adaptive --epsilon -1e-8", &["epsilon = -", "not negative"]),
    ("train $csv --method ieq-adaptive --epsilon inf", &["epsilon = inf"]),
    ("train $csv --method sav --relaxed --eta 1", &["eta = 1", "less than 1"]),
    ("train $csv --method ieq-full --relaxed --eta -0.5", &["eta = -0.5", "at least 0"]),
    ("train $csv --method exp-sav --c 0", &["c = 0", "positive"]),
    ("train $csv --method exp-sav --c -1", &["c = -1", "positive"]),
    ("train $csv --method sav --c nan", &["c = NaN"]),
    ("train $csv --method sav --batch full --c -100", &["L + C = -", "larger C"]),
    ("train $csv --method sav --batch 4 --c -100", &["L + C = -", "larger C"]),
    ("train $csv --method sav --batch full --c -100 --r0 train", &["L + C = -", "larger C"]),
    ("train $csv --method sgd --batch full --hidden 0", &["width = 0"]),
    ("train $csv --method sgd --batch full --hidden 1000000000", &["width = 1000000000"]),
    ("train $csv --method sgd --batch full --hidden 300000000", &["300000000", "parameters"]),
    ("train $csv --method sgd", &["batch 64", "12 samples", "--batch full"]),
    ("train $csv --method sgd --batch 13", &["batch 13", "12 samples"]),
    ("train $csv --method sgd --train 0", &["--train 0", "12 samples"]),
    ("train $csv --method sgd --train 12", &["--train 12", "12 samples"]),
    ("train --task gaussian --method sgd --samples 0", &["0 samples", "gaussian"]),
    ("train --task sin-cos --method sgd --samples 9000000000", &["9000000000 samples", "sin-cos"]),
    ("train --task gaussian --method sgd --noise -1", &["noise -1", "not negative"]),
    ("train --task gaussian --method sgd --noise nan", &["noise NaN", "finite"]),
    (
        "train --task gaussian --method ieq-full --samples 99999 --batch full --solver cholesky",
        &["GB", "--solver cg"],
    ),
    ("train $csv --method sgd --relaxed", &["sgd", "no auxiliary variable"]),
    ("train $csv --method adam --relaxed", &["adam", "no auxiliary variable"]),
    ("train $csv --method sav --relaxed --coupling ratio", &["coupling ratio", "consistent"]),
    ("train $csv --method sav --control gain-ratio", &["gain-ratio", "ieq-full"]),
    ("train $csv --method ieq-full --control gain-ratio --relaxed", &["gain-ratio", "relaxation"]),
    ("train $csv --method ieq-full --control gain-ratio --q persistent", &["gain-ratio", "fresh"]),
    ("train $csv --method ieq-full --relaxed --q fresh", &["relaxation", "persistent q"]),
    ("train $csv --method ieq-full --residual sqrt-loss", &["sqrt-loss", "ieq-adaptive"]),
    ("train $csv --method ieq-full --residual brier", &["brier", "mse"]),
    ("train $csv --method ieq-adaptive --residual logit", &["logit", "mse"]),
    ("train $classes --method ieq-full --residual raw", &["raw", "classification"]),
    ("train $classes --method ieq-adaptive --residual ggn", &["ggn", "ieq-full"]),
    ("train $classes --method ieq-full --relaxed", &["ggn", "brier"]),
    ("train $csv --method ieq-full --operator diagonal --solver cholesky", &["diagonal", "cg"]),
];

/// Data that are not there or are not what they should be.
const DATA: &[Case] = &[
    ("train --task csv --method sgd", &["--data"]),
    ("train --task csv --method sgd --data good.csv", &["--target", "good.csv"]),
    ("train --task csv --method sgd --data none.csv --target y", &["none.csv", "No such file"]),
    ("train --task csv --method sgd --data folder --target y", &["folder", "directory"]),
    ("train --task csv --method sgd --data empty.csv --target y", &["empty.csv", "empty"]),
    ("train --task csv --method sgd --data header.csv --target y", &["header.csv", "no sample"]),
    ("train --task csv --method sgd --data numbers.csv --target y", &["numbers.csv", "header"]),
    ("train --task csv --method sgd --data twice.csv --target y", &["twice.csv", "two", "`x`"]),
    ("train --task csv --method sgd --data nameless.csv --target y", &["nameless.csv", "column 2"]),
    ("train --task csv --method sgd --data ragged.csv --target y", &["ragged.csv, line 3", "3"]),
    ("train --task csv --method sgd --data nan.csv --target y", &["nan.csv, line 3", "`x`", "NaN"]),
    ("train --task csv --method sgd --data inf.csv --target y", &["inf.csv, line 2", "`y`", "inf"]),
    ("train --task csv --method sgd --data word.csv --target y", &["word.csv, line 2", "`many`"]),
    ("train --task csv --method sgd --data blank.csv --target y", &["blank.csv, line 2", "empty"]),
    (
        "train --task csv --method sgd --data big.csv --target y",
        &["big.csv, line 2", "1e39", "f32"],
    ),
    ("train --task csv --method sgd --data latin.csv --target y", &["latin.csv, line 2", "UTF-8"]),
    ("train --task csv --method sgd --data /dev/zero --target y", &["/dev/zero", "bytes"]),
    ("train --task csv --method sgd --data good.csv --target z", &["good.csv", "`z`", "y1"]),
    ("train --task csv --method sgd --data good.csv --target y1,y1", &["`y1`", "twice"]),
    ("train --task csv --method sgd --data good.csv --target x1,x2,x3,y1,y2", &["no input"]),
    (
        "train --task csv --method sgd --data good.csv --target y1,y2 --loss cross-entropy",
        &["2 targets", "one column"],
    ),
    ("train --task csv --loss cross-entropy --method sgd --data minus.csv --target y", &["`-1`"]),
    ("train --task csv --loss cross-entropy --method sgd --data half.csv --target y", &["`0.5`"]),
    ("train --task csv --loss cross-entropy --method sgd --data 256.csv --target y", &["`256`"]),
    ("train --task mnist --method sgd --data-dir folder", &["folder/train-images", "--data-dir"]),
    ("train --task mnist --method sgd --data-dir none", &["none/train-images", "--data-dir"]),
    ("train --task mnist --method sgd --data-dir good.csv", &["good.csv/train-images"]),
    ("train --task mnist --method sgd --data-dir cut", &["cut/t10k-images", "cut short"]),
    ("train --task mnist --method sgd --data-dir long", &["long/train-images", "bytes follow"]),
    ("train --task mnist --method sgd --data-dir magic", &["magic/train-labels", "magic number"]),
    ("train --task mnist --method sgd --data-dir claims", &["claims/train-images", "4294967295"]),
    ("train --task mnist --method sgd --data-dir sizes", &["sizes/train-images", "27×28"]),
    ("train --task mnist --method sgd --data-dir ten", &["ten/train-labels", "label 10", "byte 8"]),
    ("train --task mnist --method sgd --data-dir few", &["few/train-labels", "39 labels", "40"]),
    ("train --task fashion-mnist --method sgd --data-dir cut", &["cut/t10k", "fashion-mnist"]),
    ("data csv --out new.csv", &["--data"]),
    ("data quadratic --out new.csv --plot new.svg", &["quadratic", "one input"]),
    ("data mnist --data-dir folder --out new.csv", &["folder/train-images"]),
];

/// Weights, checkpoints and settings files.
const FILES: &[Case] = &[
    ("train $csv --method sgd --batch full --init none.safetensors", &["none.safetensors"]),
    ("train $csv --method sgd --batch full --init kaimng", &["kaimng", "No such file"]),
    ("train $csv --method sgd --batch full --init folder", &["folder", "directory"]),
    ("train $csv --method sgd --batch full --init good.csv", &["good.csv", "safetensors"]),
    ("train $csv --method sgd --batch full --init empty.csv", &["empty.csv", "safetensors"]),
    ("train $csv --method sgd --batch full --init /dev/zero", &["/dev/zero", "safetensors"]),
    ("train $csv --method sgd --batch full --init cut.safetensors", &["cut.safetensors", "end"]),
    ("train $csv --method sgd --batch full --init nan.safetensors", &["nan.safetensors", "finite"]),
    (
        "train $csv --method sgd --batch full --init huge.safetensors",
        &["huge.safetensors", "shape"],
    ),
    ("train $csv --method sgd --batch full --init odd.safetensors", &["odd.safetensors", "tensor"]),
    (
        "train $classes --method sgd --batch full --init good.safetensors",
        &["good.safetensors", "3 inputs", "4 inputs"],
    ),
    ("eval $csv --weights none.safetensors", &["none.safetensors", "No such file"]),
    ("eval $classes --weights good.safetensors", &["good.safetensors", "3 inputs", "4 inputs"]),
    ("eval --task gaussian --weights good.safetensors", &["good.safetensors", "1 inputs"]),
    (
        "eval --task csv --data four.csv --target label --loss cross-entropy --weights \
         three.safetensors",
        &["three.safetensors", "3 outputs", "4 outputs"],
    ),
    ("predict $csv --weights cut.safetensors --out new.csv", &["cut.safetensors"]),
    ("predict $csv --weights good.safetensors --out folder", &["folder", "directory"]),
    (
        "train $resumed --save other.safetensors --seed 1",
        &["other.safetensors.checkpoint", "other"],
    ),
    ("train $resumed --save cut.safetensors", &["cut.safetensors.checkpoint", "checksum"]),
    ("train $resumed --save flipped.safetensors", &["flipped.safetensors.checkpoint", "checksum"]),
    ("train $resumed --save text.safetensors", &["text.safetensors.checkpoint", "no checkpoint"]),
    ("train $resumed --save other.safetensors --trace new.csv", &["new.csv", "did not write"]),
    ("experiments --suite quick --tuned none.toml --out new", &["none.toml"]),
    ("experiments --suite quick --tuned folder --out new", &["folder", "directory"]),
    ("experiments --suite quick --tuned good.csv --out new", &["good.csv", "line 1"]),
    ("experiments --suite quick --tuned /dev/zero --out new", &["/dev/zero", "bytes"]),
    ("experiments --suite quick --tuned key.toml --out new", &["key.toml", "speed"]),
    ("experiments --suite quick --tuned type.toml --out new", &["type.toml", "fast"]),
    ("experiments --suite quick --tuned label.toml --out new", &["label.toml", "SAW"]),
    (
        "experiments --suite quick --only gaussian --tuned range.toml --out new",
        &["gaussian-sav-seed0", "dt = -1"],
    ),
    ("experiments --suite quick --only gaussian --out good.csv", &["good.csv"]),
    ("experiments --suite quick --data-dir folder --out new", &["folder/train-images"]),
    ("experiments --suite tune --only gaussian --tuned folder --out new", &["folder", "directory"]),
    ("summary none", &["none/suite.json"]),
    ("summary good.csv", &["good.csv"]),
    ("summary folder", &["folder/suite.json"]),
    ("summary suite", &["suite/suite.json"]),
    ("publish none --out new.md --figures new", &["none/suite.json"]),
];

/// Places that cannot be written to.
const PLACES: &[Case] = &[
    ("train $csv --method sgd --batch full --trace folder", &["folder", "directory"]),
    ("train $csv --method sgd --batch full --save folder", &["folder", "directory"]),
    ("train $csv --method sgd --batch full --metrics folder", &["folder", "directory"]),
    ("train $csv --method sgd --batch full --trace none/t.csv", &["none/t.csv", "No such file"]),
    ("train $csv --method sgd --batch full --save none/w", &["none/w", "No such file"]),
    ("train $csv --method sgd --batch full --save good.csv/w", &["good.csv/w", "ot a directory"]),
    ("train $csv --method sgd --batch full --metrics none/m", &["none/m", "No such file"]),
    ("train $csv --method sgd --batch full --trace a --save ./a", &["--trace", "--save", "./a"]),
    ("train $csv --method sgd --batch full --trace good.csv", &["--data", "--trace", "good.csv"]),
    ("train $csv --method sgd --batch full --save new --metrics new", &["--save", "--metrics"]),
    ("predict $csv --weights good.safetensors --out good.safetensors", &["--weights", "--out"]),
    ("data gaussian --out new --plot new", &["--out", "--plot", "new"]),
    ("data gaussian --out folder", &["folder", "directory"]),
    ("data gaussian --plot none/p.svg", &["none/p.svg", "No such file"]),
];

#[test]
fn wrong_inputs_are_refused_in_words_that_help_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    prepare(dir.path());
    let before = contents(dir.path());
    let mut count = 0;
    let mut faults = Vec::new();
    for (arguments, says) in [COMMAND_LINES, SETTINGS, DATA, FILES, PLACES].concat() {
        let arguments = arguments
            .replace("$csv", CSV)
            .replace("$classes", LABELS)
            .replace("$resumed", &format!("{CSV} {INTERRUPTED} --resume"));
        count += 1;
        refuse(dir.path(), &arguments, 2, says, &mut faults);
        if contents(dir.path()) != before {
            faults.push(format!("gradflow {arguments}\n  changed the folder"));
        }
    }
    assert!(faults.is_empty(), "{} of {count} inputs:\n{}", faults.len(), faults.join("\n"));
    assert!(count >= 60, "{count} inputs");
    println!("{count} wrong inputs refused");
}

#[test]
fn what_can_be_fetched_is_missing_here_and_what_was_named_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let mut faults = Vec::new();
    for (arguments, says) in [
        ("train --task mnist --method sgd", "cargo xtask data mnist"),
        ("train --task fashion-mnist --method sgd", "cargo xtask data fashion-mnist"),
        ("eval --task mnist --weights w", "data/mnist/train-images"),
        ("data mnist --out new.csv", "data/mnist/train-images"),
        ("experiments --suite quick", "data/mnist/train-images"),
    ] {
        refuse(dir.path(), arguments, 4, &[says], &mut faults);
    }
    let mut command = gradflow(dir.path(), "train --task mnist --method sgd --trace new.csv");
    let ran: common::Ran = command.env("MNIST_DIR", "nowhere").output().unwrap().into();
    assert_eq!(ran.code, Some(2), "{}", ran.errors);
    assert!(ran.errors.contains("nowhere/train-images") && ran.errors.contains("$MNIST_DIR"));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(contents(dir.path()).is_empty());
}

/// Notes a fault unless the command ends with this code and a message that says this.
fn refuse(dir: &Path, arguments: &str, code: i32, says: &[&str], faults: &mut Vec<String>) {
    let ran = common::run(dir, arguments);
    let mut note =
        |what: String| faults.push(format!("gradflow {arguments}\n  {what}\n{}", ran.errors));
    if ran.code != Some(code) {
        note(format!("ends with {:?} and not with {code}", ran.code));
    }
    for text in says {
        if !ran.errors.contains(text) {
            note(format!("does not say `{text}`"));
        }
    }
    if !ran.out.is_empty() {
        note(format!("prints `{}`", ran.out));
    }
    if ran.errors.contains("panicked") {
        note("panics".to_owned());
    }
}

/// Settings of a run that was interrupted.
const INTERRUPTED: &str = "--method sav --batch full --steps 1000000";

/// Puts good files and broken ones into a folder.
fn prepare(dir: &Path) {
    let put = |name: &str, bytes: &[u8]| fs::write(dir.join(name), bytes).unwrap();
    fs::create_dir(dir.join("folder")).unwrap();
    put("good.csv", REGRESSION.as_bytes());
    put("classes.csv", CLASSES.as_bytes());
    for (name, text) in [
        ("empty.csv", &b""[..]),
        ("header.csv", b"x,y\n"),
        ("numbers.csv", b"1,2\n3,4\n"),
        ("twice.csv", b"x,x,y\n1,2,3\n"),
        ("nameless.csv", b"x,,y\n1,2,3\n"),
        ("ragged.csv", b"x,y\n1,2\n1,2,3\n"),
        ("nan.csv", b"x,y\n1,2\nNaN,4\n"),
        ("inf.csv", b"x,y\n1,inf\n"),
        ("word.csv", b"x,y\n1,many\n"),
        ("blank.csv", b"x,y\n1,\n"),
        ("big.csv", b"x,y\n1e39,2\n"),
        ("latin.csv", b"x,y\n1,\xe9\n"),
        ("minus.csv", b"x,y\n1,-1\n"),
        ("half.csv", b"x,y\n1,0.5\n"),
        ("256.csv", b"x,y\n1,256\n"),
        ("four.csv", b"x1,x2,x3,x4,label\n1,2,3,4,3\n"),
        ("key.toml", b"[gaussian.SAV]\ndt = 1.0\nspeed = 3\n"),
        ("type.toml", b"[gaussian.SAV]\ndt = \"fast\"\n"),
        ("label.toml", b"[gaussian.SAW]\ndt = 1.0\n"),
        ("range.toml", b"[gaussian.SAV]\ndt = -1.0\n"),
    ] {
        put(name, text);
    }
    fs::create_dir(dir.join("suite")).unwrap();
    put("suite/suite.json", b"{\"suite\": ");
    break_images(dir);
    break_weights(dir);
    break_checkpoints(dir);
}

/// Six folders of images, with one fault each.
fn break_images(dir: &Path) {
    for (folder, file, alter) in [
        ("cut", 2, (|bytes| bytes.truncate(bytes.len() - 1)) as fn(&mut Vec<u8>)),
        ("long", 0, |bytes| bytes.push(0)),
        ("magic", 1, |bytes| bytes[3] = 3),
        ("claims", 0, |bytes| bytes[4..8].fill(0xff)),
        ("sizes", 0, |bytes| {
            bytes[11] = 27;
            bytes.truncate(16 + 40 * 27 * 28);
        }),
        ("ten", 1, |bytes| bytes[8] = 10),
        ("few", 1, |bytes| {
            bytes[7] -= 1;
            bytes.truncate(8 + 39);
        }),
    ] {
        fs::create_dir(dir.join(folder)).unwrap();
        for (i, (name, mut bytes)) in images().into_iter().enumerate() {
            if i == file {
                alter(&mut bytes);
            }
            fs::write(dir.join(folder).join(name), bytes).unwrap();
        }
    }
}

/// Good weights of two shapes, and broken ones.
fn break_weights(dir: &Path) {
    let few = "--method sgd --batch full --steps 1 --hidden 4";
    succeed(dir, &format!("train {CSV} {few} --save good.safetensors"));
    succeed(dir, &format!("train {LABELS} {few} --save three.safetensors"));
    let good = fs::read(dir.join("good.safetensors")).unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(dir.join(name), bytes).unwrap();
    put("cut.safetensors", &good[..good.len() - 4]);
    let mut nan = good;
    let last = nan.len() - 4;
    nan[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    put("nan.safetensors", &nan);
    let tensors = |text: &str| {
        let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
        bytes.extend(text.as_bytes());
        bytes
    };
    let huge = r#"{"hidden":{"dtype":"F32","shape":[4,268435456],"data_offsets":[0,64]},
        "output":{"dtype":"F32","shape":[268435456,2],"data_offsets":[64,128]}}"#;
    put("huge.safetensors", &tensors(huge));
    put("odd.safetensors", &tensors(r#"{"attention":{"dtype":"F32"}}"#));
}

/// The checkpoint of a killed run under several names, with one fault each.
fn break_checkpoints(dir: &Path) {
    let arguments = format!("train {CSV} {INTERRUPTED} --save other.safetensors");
    kill_once_there(dir, &arguments, "other.safetensors.checkpoint");
    let good = fs::read(dir.join("other.safetensors.checkpoint")).unwrap();
    let put = |name: &str, bytes: &[u8]| {
        fs::write(dir.join(format!("{name}.safetensors.checkpoint")), bytes).unwrap();
    };
    put("cut", &good[..good.len() - 1]);
    let mut flipped = good.clone();
    let middle = good.len() - 40;
    flipped[middle] ^= 1;
    put("flipped", &flipped);
    put("text", b"this is a letter\n");
}
