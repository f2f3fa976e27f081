//! What a measured program in Rust says, and where it finds the images: the same as `protocol.py`.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

pub const PIXELS: usize = 784;
pub const HIDDEN: usize = 100;
pub const CLASSES: usize = 10;

/// Samples of the regression.
pub const LINE: usize = 10_000;

/// One round of a case; returns how many units (epochs or steps) that was.
pub type Round = Box<dyn FnMut() -> f64>;

/// A case's name, and what makes all that it needs.
pub type Case = (&'static str, fn() -> Round);

/// Answers one line a case, or trains one epoch if `--whole` is asked for.
pub fn serve(program: &str, started: Instant, cases: &[Case]) {
    let find = |name: &str| cases.iter().position(|(known, _)| *known == name);
    if std::env::args().any(|arg| arg == "--whole") {
        cases[find("mnist-sgd-64").unwrap()].1()();
        return;
    }
    let names: Vec<&str> = cases.iter().map(|(name, _)| *name).collect();
    let (version, start_s) = (env!("PEER_VERSION"), started.elapsed().as_secs_f64());
    say(format!(
        r#"{{"program":"{program}","version":"{version}","start_s":{start_s},"cases":{names:?}}}"#
    ));
    let mut made: Vec<Option<Round>> = cases.iter().map(|_| None).collect();
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        if line == "memory" {
            say(format!(r#"{{"peak_mib":{}}}"#, peak_mib()));
            continue;
        }
        let case = find(&line).unwrap_or_else(|| panic!("there is no case {line:?}"));
        let round = made[case].get_or_insert_with(cases[case].1);
        let (wall, cpu) = (Instant::now(), cpu_seconds());
        let units = round();
        let (wall_s, cpu_s) = (wall.elapsed().as_secs_f64(), cpu_seconds() - cpu);
        say(format!(r#"{{"wall_s":{wall_s},"cpu_s":{cpu_s},"units":{units}}}"#));
    }
}

fn say(line: String) {
    println!("{line}");
    std::io::stdout().flush().unwrap();
}

/// Of all threads.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + 1e-9 * time.tv_nsec as f64
}

fn peak_mib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: Option<f64> = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok());
    kib.unwrap_or(0.0) / 1024.0
}

/// Training images as floats between 0 and 1, one row each, and their labels.
pub fn images() -> (Vec<f32>, Vec<u8>) {
    let pixels = read("train-images-idx3-ubyte");
    let images = pixels[16..].iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
    (images, read("train-labels-idx1-ubyte")[8..].to_vec())
}

/// The bytes of an IDX file, plain or compressed.
fn read(stem: &str) -> Vec<u8> {
    let folder = PathBuf::from(std::env::args().nth(1).expect("the folder of the images"));
    let plain = folder.join(stem);
    if plain.exists() {
        fs::read(plain).unwrap()
    } else {
        expand(&folder.join(format!("{stem}.gz")))
    }
}

fn expand(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

/// Numbers between −1 and 1, evenly spread and in no order.
pub fn numbers(len: usize) -> Vec<f32> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..len).map(|_| next()).collect()
}
