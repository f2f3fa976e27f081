//! `gradflow publish`: the tables and figures of suites as one Markdown document.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Result, failed, say};
use crate::report;
use crate::run::{RunError, exit, write_atomically};

/// What stands above the suites.
const INTRODUCTION: &str = "\
# Experiments

Every number and figure below was written by the program from the runs that it names; nothing was
copied by hand. To make this page again:

```sh
cargo xtask experiments                     # the suite default
cargo xtask experiments --suite seed
cargo xtask experiments --suite stability
cargo xtask publish
```

How to read it. *Noiseless error* is the mean squared error against the target without noise, on
2,001 equidistant points of [−3, 3]; *noisy loss* is the one on a test set whose noise has a
standard deviation of 0.01, and so cannot fall below 1e-4. *Law broken* counts the steps at which
the scheme's own energy law did not hold within rounding, recomputed from the weights by an audit
that stands outside the scheme. A law binds the modified energy, not the loss: the loss may rise
at single steps under every first-order scheme, and the column says nothing about that.
A diverged run counts in no mean.
";

/// What is said of a suite.
fn remarks(suite: &str) -> &'static str {
    match suite {
        "default" => {
            "The best settings known. Δt and λ were chosen by `--suite tune`: on MNIST by the \
             accuracy on the last 5,000 training images after training on the first 55,000, on the \
             regression task with seeds that are not reported here. First-order methods take 30,000 \
             steps (regression) or 10 epochs (MNIST), full IEQ 3,000 steps or 2 epochs, all with a \
             cosine schedule. On the noisy regression task Adam is the best first-order method. In \
             batches the relaxed variables only fall, so the relaxed schemes anneal and may stop \
             early: on MNIST they do."
        }
        "seed" => {
            "The settings of the document that the project started from: C = 100, λ = 4 and Δt = 0.1 \
             for SAV, unscaled residuals for IEQ, Kaiming weights, batches of 256. What it expects \
             stands beside what its settings reach; a miss is shown and is no failure of the suite."
        }
        "stability" => {
            "Every method at a constant Δt from 1e-3 to 1e5, λ = 1 where there is a scalar operator, \
             two epochs of MNIST (full IEQ one) or 10,000 steps of noiseless regression (full IEQ \
             1,000). No step size blows up a scheme with a law, unless its linear system breaks \
             down in f32; whether it also learns at a given Δt is what the figures show. Full IEQ \
             on MNIST fits each batch by itself at long steps."
        }
        _ => "",
    }
}

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Folders of finished suites
    #[arg(required = true)]
    suites: Vec<PathBuf>,
    /// The document
    #[arg(long, value_name = "FILE.md", default_value = "EXPERIMENTS.md")]
    out: PathBuf,
    /// Folder of its figures
    #[arg(long, value_name = "DIR", default_value = "data/results")]
    figures: PathBuf,
}

pub(super) fn run(args: &Args) -> Result {
    let mut text = INTRODUCTION.to_owned();
    for dir in &args.suites {
        section(args, dir, &mut text)?;
    }
    write_atomically(&args.out, text.as_bytes())?;
    say(&format!("{}, figures in {}\n", args.out.display(), args.figures.display()))?;
    Ok(exit::DONE)
}

/// Appends a suite; copies its figures that compare methods.
fn section(args: &Args, dir: &Path, text: &mut String) -> std::result::Result<(), RunError> {
    let suite = dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let tables = report::markdown(dir).map_err(|error| failed(&format!("{error:#}")))?;
    // Writing to a String cannot fail.
    let _ = write!(text, "\n## {suite}\n\n{}\n\n{tables}", remarks(&suite));
    fs::create_dir_all(&args.figures).map_err(|error| RunError::file(&args.figures, &error))?;
    for figure in comparisons(dir)? {
        let name = format!("{suite}-{}", figure.file_name().unwrap_or_default().to_string_lossy());
        let svg = fs::read(&figure).map_err(|error| RunError::file(&figure, &error))?;
        let place = args.figures.join(&name);
        write_atomically(&place, &svg)?;
        let _ = write!(text, "\n![{name}]({})\n", place.display());
    }
    Ok(())
}

/// The figures across methods: `TASK-WHAT.svg`, without a method between the two.
fn comparisons(dir: &Path) -> std::result::Result<Vec<PathBuf>, RunError> {
    let folder = dir.join("figures");
    let entries = fs::read_dir(&folder).map_err(|error| RunError::file(&folder, &error))?;
    let compares = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let stem = name.strip_suffix(".svg").and_then(|stem| stem.rsplit_once('-'));
        stem.is_some_and(|(task, what)| {
            ["gaussian", "mnist"].contains(&task)
                && ["error", "accuracy", "loss", "stability"].contains(&what)
        })
    };
    let mut paths: Vec<_> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(compares).collect();
    paths.sort();
    Ok(paths)
}
