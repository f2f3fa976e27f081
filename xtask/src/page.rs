//! The demo page as a folder of files that any web server can serve: built into `target/demo`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::dataset::MNIST;
use crate::place::{self, State};
use crate::setup::{self, NPM};
use crate::spawn::{self, Run};
use crate::{toolchain, workspace};

/// 128-bit vectors, which every current browser has. Unrolled further than this, the kernels of one
/// input need more registers than there are: five times slower, and larger.
pub(crate) const RUSTFLAGS: &str = "-Ctarget-feature=+simd128 -Cllvm-args=--unroll-threshold=30 \
    -Cllvm-args=--inline-threshold=20";
/// What the compiler may have used.
const WASM_FEATURES: [&str; 6] = [
    "simd",
    "bulk-memory",
    "sign-ext",
    "nontrapping-float-to-int",
    "mutable-globals",
    "multivalue",
];
/// What a visitor's browser loads one after another; each with all that it imports.
const ENTRIES: [&str; 5] = ["start.js", "main.js", "worker.js", "offline.js", "style.css"];

/// The crate's folder.
pub(crate) fn source() -> PathBuf {
    workspace::root().join("gradflow-wasm")
}

/// Builds everything and returns the folder.
pub(crate) fn build() -> Result<PathBuf> {
    setup::provide(&[NPM])?;
    let folder = workspace::target().join("demo");
    // What an earlier page was made of would be served, and counted, with this one.
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {folder:?}"))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {folder:?}"))?;
    module(&folder)?;
    npm_packages(&source())?;
    let uplot = source().join("node_modules/uplot");
    copy(&uplot.join("dist/uPlot.iife.min.js"), &folder.join("uPlot.iife.min.js"))?;
    copy(&uplot.join("LICENSE"), &folder.join("uPlot.LICENSE.txt"))?;
    sources(&folder)?;
    images(&folder)?;
    Ok(folder)
}

/// The WebAssembly module and the JavaScript that loads it.
fn module(folder: &Path) -> Result<()> {
    // A folder of its own: other flags than those of the tests' builds must not rebuild theirs.
    let target = workspace::target().join("page");
    let compiler = || toolchain::cargo_for("build", toolchain::WASM);
    compiler()
        .or_else(|_| toolchain::provide().and_then(|()| compiler()))?
        .args(["--locked", "--package", "gradflow-wasm", "--profile", "page"])
        .env("CARGO_TARGET_DIR", &target)
        .env("RUSTFLAGS", RUSTFLAGS)
        .run()?;
    let module = target.join(toolchain::WASM).join("page/gradflow_wasm.wasm");
    tool("glue", "wasm-glue").arg(module).arg(folder).arg("gradflow").run()?;
    optimise(&folder.join("gradflow_bg.wasm"))
}

/// Makes the module smaller, if Binaryen is installed. The bits that it computes stay.
fn optimise(module: &Path) -> Result<()> {
    if spawn::find("wasm-opt").is_none() {
        return Ok(());
    }
    let features = WASM_FEATURES.map(|feature| format!("--enable-{feature}"));
    let run = Run::new("wasm-opt").arg("-Os").args(features).arg(module).arg("-o").arg(module);
    if let Err(error) = run.run() {
        eprintln!("note: the module stays as the compiler made it: {error:#}");
    }
    Ok(())
}

/// The page's own files. A few scripts instead of one for each module: fewer requests before the
/// first step, and fewer bytes.
fn sources(folder: &Path) -> Result<()> {
    let page = source().join("page");
    copy(&page.join("index.html"), &folder.join("index.html"))?;
    Run::new(source().join("node_modules/.bin/esbuild"))
        .args(["--bundle", "--format=esm", "--minify", "--charset=utf8", "--log-level=warning"])
        // The module's JavaScript is also for other pages, and stays a file of its own.
        .args(["--external:./gradflow.js", "--allow-overwrite", "--entry-names=[name]"])
        .arg(format!("--outdir={}", folder.display()))
        .args(ENTRIES.map(|entry| page.join(entry)))
        .arg(folder.join("gradflow.js"))
        .run()
}

/// A program of xtask's that has a feature of its own.
pub(crate) fn tool(feature: &str, program: &str) -> Run {
    Run::cargo("run")
        .args(["--quiet", "--locked", "--package", "xtask", "--features", feature])
        .args(["--bin", program, "--"])
}

/// The npm packages of a folder's lockfile, unless they are there.
pub(crate) fn npm_packages(folder: &Path) -> Result<()> {
    let lock = folder.join("package-lock.json");
    let done = folder.join("node_modules/.package-lock.json");
    let time = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    if time(&done).is_some_and(|done| time(&lock).is_some_and(|lock| lock <= done)) {
        return Ok(());
    }
    Run::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .dir(folder)
        .limit(300)
        .run()
}

/// The images of MNIST, if they are complete: linked where that is possible.
fn images(folder: &Path) -> Result<()> {
    let home = workspace::root().join("data").join(MNIST.name);
    let to = folder.join("data").join(MNIST.name);
    for file in &MNIST.files {
        let right = home.is_dir() && place::check(&home, file)? == State::Right;
        if !right {
            eprintln!("note: no images of digits in the page: `cargo xtask data` fetches them");
            return Ok(());
        }
    }
    fs::create_dir_all(&to).with_context(|| format!("cannot create {to:?}"))?;
    for file in &MNIST.files {
        let (from, to) = (home.join(file.name), to.join(file.name));
        if to.exists() {
            fs::remove_file(&to).with_context(|| format!("cannot replace {to:?}"))?;
        }
        if fs::hard_link(&from, &to).is_err() {
            copy(&from, &to)?;
        }
    }
    Ok(())
}

/// Copies one file.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("cannot copy {from:?} to {to:?}"))?;
    Ok(())
}
