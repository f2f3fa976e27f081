//! Tests of the browser's side: the package in Node, and the page in a real browser.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::page;
use crate::setup::{self, CHROMIUM, NODE, NPM};
use crate::spawn::Run;
use crate::{data, stop, workspace};

/// Builds the page and the desktop's command, and runs both suites against them. Pictures of the
/// page, for a person to look at, are in `target/demo-pictures`.
pub(crate) fn test() -> Result<()> {
    setup::provide(&[NODE, NPM, CHROMIUM])?;
    data::complete_mnist()?;
    let folder = page::build()?;
    Run::cargo("build").args(["--locked", "--release", "--package", "gradflow-std"]).run()?;
    node("trainer.mjs", &folder).run()?;
    node("page.mjs", &folder)
        .env("SERVER", server()?)
        .env("BROWSER", browser()?)
        .env("SHOTS", workspace::target().join("demo-pictures"))
        .run()
}

/// A suite over the built page.
fn node(suite: &str, folder: &Path) -> Run {
    Run::new("node")
        .arg("--test")
        .arg(page::source().join("test").join(suite))
        .env("PAGE", folder)
        .env("GRADFLOW", workspace::target().join("release/gradflow"))
        .limit(600)
}

/// The demo's server, built.
pub(crate) fn server() -> Result<PathBuf> {
    Run::cargo("build")
        .args(["--quiet", "--locked", "--package", "xtask", "--features", "server"])
        .args(["--bin", "demo-server"])
        .run()?;
    Ok(workspace::target().join("debug/demo-server"))
}

/// Where Chromium is.
pub(crate) fn browser() -> Result<PathBuf> {
    let found = CHROMIUM.find().map(PathBuf::from);
    found.ok_or_else(|| stop::missing("no Chromium: run `cargo xtask setup`"))
}
