//! All figures of a suite, in memory or as files.

use std::collections::BTreeSet;
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context as _, Result, anyhow};

use super::chart::{Chart, stack};
use super::compare::{self, Curves};
use super::method;
use super::scene::{Scene, Tables};
use super::stability;
use crate::report::Suite;

/// A figure of a suite.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// Its file's name without ending.
    pub name: String,
    /// The task it belongs to.
    pub task: String,
    /// The method, none if it compares methods.
    pub label: Option<String>,
    /// A sentence or two about what is to be seen.
    pub caption: String,
    /// The charts, one below the other.
    pub charts: Vec<Chart>,
}

/// Every figure of a suite: of each task those across its methods first, then those of each method.
///
/// # Errors
/// If a table of a run is missing or damaged; the message names the file.
pub fn drawings(suite: &Suite) -> Result<Vec<Drawing>> {
    let mut drawings = Vec::new();
    let mut taken = BTreeSet::new();
    for task in suite.tasks() {
        let scene = Scene::new(suite, task);
        let (mut curves, mut own) = (Vec::new(), Vec::new());
        for group in &scene.single {
            let tables = Tables::read(group)?;
            curves.push(Curves::of(&scene, group, &tables)?);
            let figures = method::figures(&scene, group, &tables)?;
            own.extend(
                figures.into_iter().map(|figure| (Some(group.shared.label.clone()), figure)),
            );
        }
        let across = stability::figure(&scene).into_iter().chain(compare::figures(&scene, &curves));
        for (label, (kind, caption, charts)) in across.map(|figure| (None, figure)).chain(own) {
            let name = unused(&mut taken, &file_name(task, label.as_deref(), kind));
            drawings.push(Drawing { name, task: task.into(), label, caption, charts });
        }
    }
    Ok(drawings)
}

/// Draws every figure of the suite in `dir` into `dir/figures`, as SVG and, with the feature `png`,
/// as PNG. Returns the files.
///
/// # Errors
/// If a table of a run is missing or damaged, or a file cannot be written; the message names it.
pub fn draw_suite(dir: &Path) -> Result<Vec<PathBuf>> {
    let drawings = drawings(&Suite::read(dir)?)?;
    let folder = dir.join("figures");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        while let Some(drawing) = drawings.get(next.fetch_add(1, Ordering::Relaxed)) {
            files.extend(write(drawing, &folder)?);
        }
        Ok(files)
    };
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let mut files = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, Result<Vec<PathBuf>>>| {
            thread.join().unwrap_or_else(|_| Err(anyhow!("drawing a figure failed")))
        };
        threads.into_iter().map(join).collect::<Result<Vec<_>>>()
    })?
    .concat();
    files.sort();
    Ok(files)
}

fn write(drawing: &Drawing, folder: &Path) -> Result<Vec<PathBuf>> {
    let svg = stack(&drawing.charts);
    let path = folder.join(format!("{}.svg", drawing.name));
    let save = |path: &Path, bytes: &[u8]| {
        fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
    };
    save(&path, svg.as_bytes())?;
    #[cfg(feature = "png")]
    {
        let picture = path.with_extension("png");
        save(&picture, &super::png(&svg)?)?;
        Ok(vec![path, picture])
    }
    #[cfg(not(feature = "png"))]
    Ok(vec![path])
}

fn file_name(task: &str, label: Option<&str>, kind: &str) -> String {
    let words = [Some(task), label, Some(kind)];
    let text = words.into_iter().flatten().collect::<Vec<_>>().join("-");
    let mut name = String::new();
    for c in text.chars().map(|c| c.to_ascii_lowercase()) {
        if c.is_ascii_alphanumeric() {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name
}

/// `name`, numbered if another figure has it.
fn unused(taken: &mut BTreeSet<String>, name: &str) -> String {
    let mut candidate = name.to_owned();
    let mut number = 2;
    while !taken.insert(candidate.clone()) {
        candidate = format!("{name}-{number}");
        number += 1;
    }
    candidate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_plain_and_unique() {
        assert_eq!(
            file_name("mnist", Some("IEQ full, gain ratio (Δt₀ = 1)"), "loss"),
            "mnist-ieq-full-gain-ratio-t-1-loss"
        );
        assert_eq!(file_name("../x", None, "loss"), "x-loss");
        let mut taken = BTreeSet::new();
        assert_eq!(unused(&mut taken, "a"), "a");
        assert_eq!(unused(&mut taken, "a"), "a-2");
    }
}
