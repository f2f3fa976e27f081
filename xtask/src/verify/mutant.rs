//! The check of the check: a kernel is changed on purpose, in a copy, and must be found out.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::compare::Digests;
use super::{disassembly, folder, host};
use crate::spawn::Run;
use crate::workspace;

/// A change of the core's sources.
struct Mutant {
    name: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
    /// Whether it brings fused instructions, where the machine has them.
    fuses: bool,
}

const MUTANTS: [Mutant; 3] = [
    Mutant {
        name: "a reassociated sum",
        file: "src/linalg/reduce.rs",
        from: "((a + e) + (c + g)) + ((b + f) + (d + h))",
        to: "((a + b) + (c + d)) + ((e + f) + (g + h))",
        fuses: false,
    },
    Mutant {
        name: "a fused multiply-add",
        file: "src/linalg/reduce.rs",
        from: "*lane += a * b;",
        to: "*lane = T::from_f64(a.to_f64().mul_add(b.to_f64(), lane.to_f64()));",
        fuses: true,
    },
    Mutant {
        name: "the standard library's exponential",
        file: "src/float.rs",
        from: "$exp(self)",
        to: "self.exp()",
        fuses: false,
    },
];

/// Builds and runs each mutant; fails if one goes unnoticed.
pub(super) fn check(here: &Digests) -> Result<()> {
    for mutant in &MUTANTS {
        let binary = host::build_mutant(&copy(mutant)?)?;
        let digests = Digests::read(&Run::new(&binary).text()?)?;
        let first = here.differ_at(&digests);
        let first = first.with_context(|| format!("{} went unnoticed", mutant.name))?;
        println!("changed on purpose, {}: noticed, first {first}", mutant.name);
        if mutant.fuses && host::has_fma() {
            let found = disassembly::fused(&binary, &disassembly::HOST)?;
            ensure!(!found.is_empty(), "the disassembly does not show {}", mutant.name);
        }
    }
    Ok(())
}

/// The core alone, changed, as a workspace of its own.
fn copy(mutant: &Mutant) -> Result<PathBuf> {
    let (from, to) = (workspace::root(), folder("mutant"));
    for name in ["src", "reference", "tests/golden", "Cargo.toml"] {
        let name = Path::new("gradflow-core").join(name);
        copy_all(&from.join(&name), &to.join(&name))?;
    }
    copy_all(&from.join("Cargo.lock"), &to.join("Cargo.lock"))?;
    let manifest = text(&from.join("Cargo.toml"))?;
    let (before, rest) = manifest.split_once("members = [").context("no members in Cargo.toml")?;
    let (_, after) = rest.split_once(']').context("no end of the members in Cargo.toml")?;
    write(
        &to.join("Cargo.toml"),
        &format!("{before}members = [\"gradflow-core\", \"gradflow-core/reference\"]{after}"),
    )?;

    let path = to.join("gradflow-core").join(mutant.file);
    let source = text(&path)?;
    ensure!(
        source.matches(mutant.from).count() == 1,
        "{} has changed: `{}` is not there once, so xtask/src/verify/mutant.rs must follow",
        mutant.file,
        mutant.from
    );
    write(&path, &source.replace(mutant.from, mutant.to))?;
    Ok(to)
}

fn copy_all(from: &Path, to: &Path) -> Result<()> {
    if !from.is_dir() {
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot create {folder:?}"))?;
        }
        fs::copy(from, to).with_context(|| format!("cannot copy {from:?}"))?;
        return Ok(());
    }
    for entry in fs::read_dir(from).with_context(|| format!("cannot list {from:?}"))? {
        let entry = entry?;
        copy_all(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {path:?}"))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {path:?}"))
}
