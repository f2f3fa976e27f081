//! `cargo xtask bench --browser`: a step in Chromium, beside TensorFlow.js.

use std::fs;

use anyhow::{Context, Result};

use crate::setup::{self, CHROMIUM, NODE, NPM};
use crate::spawn::Run;
use crate::{data, page, wasm_test, workspace};

/// What is copied from the npm packages that only the benchmark needs.
const PEER: [&str; 3] = [
    "tfjs/dist/tf.min.js",
    "tfjs-backend-wasm/dist/tf-backend-wasm.min.js",
    "tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm",
];

/// Builds the page and a page that holds both, and prints the table; fails when a goal is missed.
pub(crate) fn run() -> Result<()> {
    setup::provide(&[NODE, NPM, CHROMIUM])?;
    data::complete_mnist()?;
    let demo = page::build()?;
    let source = page::source().join("bench");
    page::npm_packages(&source)?;
    let folder = workspace::target().join("demo-bench");
    let images = folder.join("data/mnist");
    fs::create_dir_all(&images).with_context(|| format!("cannot create {images:?}"))?;
    for file in ["gradflow.js", "gradflow_bg.wasm"] {
        page::copy(&demo.join(file), &folder.join(file))?;
    }
    for file in ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"] {
        page::copy(&demo.join("data/mnist").join(file), &images.join(file))?;
    }
    for file in PEER {
        let from = source.join("node_modules/@tensorflow").join(file);
        let name = from.file_name().unwrap_or_default().to_owned();
        page::copy(&from, &folder.join(name))?;
    }
    for file in ["index.html", "race.js"] {
        page::copy(&source.join(file), &folder.join(file))?;
    }
    Run::new("node")
        .arg(source.join("run.mjs"))
        .env("BENCH", folder)
        .env("PAGE", demo)
        .env("SERVER", wasm_test::server()?)
        .env("BROWSER", wasm_test::browser()?)
        .limit(600)
        .run()
}
