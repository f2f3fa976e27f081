//! WebAssembly: with and without 128-bit vectors, in Node and in Chromium.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::column::{Column, Expected};
use super::folder;
use crate::page::{self, RUSTFLAGS};
use crate::spawn::Run;
use crate::{toolchain, wasm_test};

/// Adds the columns of both modules.
pub(super) fn columns(node: bool, chromium: bool, columns: &mut Vec<Column>) -> Result<()> {
    // The page's module is the one with vectors; the other is built with less effort.
    let little = ["--config=profile.page.opt-level=1", "--config=profile.page.lto=false"];
    for (suffix, flags, options) in [("", "", &little[..]), ("-simd", RUSTFLAGS, &[])] {
        let module = build(suffix, flags, options)?;
        if node {
            let text = in_node(&module)?;
            columns.push(Column::of(&format!("node{suffix}"), Expected::Equal, &text)?);
        }
        if chromium {
            let text = in_chromium(&module)?;
            columns.push(Column::of(&format!("chromium{suffix}"), Expected::Equal, &text)?);
        }
    }
    Ok(())
}

fn build(suffix: &str, flags: &str, options: &[&str]) -> Result<PathBuf> {
    let target = folder(&format!("wasm{suffix}"));
    toolchain::cargo_for("build", toolchain::WASM)?
        .args(["--quiet", "--locked", "--package", "gradflow-wasm", "--profile", "page"])
        .args(["--example", "wasm_reference"])
        .args(options)
        .env("CARGO_TARGET_DIR", &target)
        .env("RUSTFLAGS", flags)
        .run()?;
    let module = target.join(toolchain::WASM).join("page/examples/wasm_reference.wasm");
    // Plain WebAssembly has no fused multiply-add; relaxed vectors have one.
    let bytes = fs::read(&module).with_context(|| format!("cannot read {module:?}"))?;
    let relaxed = b"relaxed-simd";
    ensure!(
        !bytes.windows(relaxed.len()).any(|part| part == relaxed),
        "{module:?} may use relaxed vectors, which round as each machine likes"
    );
    Ok(module)
}

/// The script that Node and the page share.
fn script() -> Result<String> {
    let path = page::source().join("test/reference.js");
    fs::read_to_string(&path).with_context(|| format!("cannot read {path:?}"))
}

fn in_node(module: &Path) -> Result<String> {
    let read = "process.stdout.write(referenceText(require('fs').readFileSync(process.argv[1])))";
    Run::new("node").arg("-e").arg(script()? + read).arg(module).limit(120).text()
}

/// A page that holds the module itself, so that no server is needed.
fn in_chromium(module: &Path) -> Result<String> {
    let bytes = fs::read(module).with_context(|| format!("cannot read {module:?}"))?;
    let mut hex = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(hex, "{byte:02x}");
    }
    let page = format!(
        "<!doctype html><pre></pre><script>{}\n\
         const bytes = \"{hex}\".match(/../g).map((digits) => parseInt(digits, 16));\n\
         document.querySelector('pre').textContent = referenceText(new Uint8Array(bytes));\n\
         </script>",
        script()?
    );
    let path = module.with_extension("html");
    fs::write(&path, page).with_context(|| format!("cannot write {path:?}"))?;
    let profile = folder("chromium");
    let _ = fs::remove_dir_all(&profile);
    let document = Run::new(wasm_test::browser()?)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg("--dump-dom")
        .arg(format!("file://{}", path.display()))
        .limit(120)
        .text()?;
    let text = document.split_once("<pre>").and_then(|(_, rest)| rest.split_once("</pre>"));
    Ok(text.context("Chromium did not show the page")?.0.to_string())
}
