//! `cargo xtask experiments`: the data, the release build, then `gradflow experiments` itself.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::spawn::Run;
use crate::{data, workspace};

const HELP: &str = "\
cargo xtask experiments [OPTIONS]

Makes sure that MNIST is in data/mnist (unless --data-dir or $MNIST_DIR names another
place, which is then used or refused), builds the `gradflow` command in release mode and
runs `gradflow experiments` with all the options given, from the workspace's root. Its
exit code is passed on: 0 every expectation met, 2 wrong options, 4 something is missing.

These are its options:
";

/// Options whose value is a path: relative ones count from where the user is.
const PATHS: [&str; 3] = ["--out", "--data-dir", "--tuned"];

/// Runs the task.
pub(crate) fn run(args: &[OsString]) -> Result<()> {
    if has(args, "--help") || has(args, "-h") {
        println!("{HELP}");
    } else if !has(args, "--data-dir") && env::var_os("MNIST_DIR").is_none() {
        match data::complete_mnist() {
            // A selection may do without the images, which gradflow knows and this task does not.
            Err(error) if has(args, "--only") => eprintln!("warning: {error:#}"),
            complete => complete?,
        }
    }
    build()?;
    let here = env::current_dir()?;
    let mut command = gradflow().arg("experiments").dir(workspace::root());
    if here == workspace::root() {
        command = command.args(args);
    } else {
        command = command.args(absolute(args, &here));
        if let Some(folder) = env::var_os("MNIST_DIR") {
            command = command.env("MNIST_DIR", here.join(folder));
        }
    }
    command.replace()
}

/// Builds the `gradflow` command.
pub(crate) fn build() -> Result<()> {
    Run::cargo("build").args(["--release", "--package", "gradflow-std", "--bin", "gradflow"]).run()
}

/// The `gradflow` command that [`build`] builds.
pub(crate) fn gradflow() -> Run {
    Run::new(gradflow_path())
}

/// Where that command is.
pub(crate) fn gradflow_path() -> PathBuf {
    let name = format!("gradflow{}", env::consts::EXE_SUFFIX);
    workspace::target().join("release").join(name)
}

/// True for `option` alone and for `option=value`.
fn has(args: &[OsString], option: &str) -> bool {
    args.iter().any(|arg| {
        let rest = arg.to_str().and_then(|arg| arg.strip_prefix(option));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    })
}

/// The arguments with the values of [`PATHS`] made absolute.
fn absolute(args: &[OsString], here: &Path) -> Vec<OsString> {
    let mut value_is_path = false;
    let path = |value: &OsStr| here.join(value).into_os_string();
    args.iter()
        .map(|arg| {
            if std::mem::take(&mut value_is_path) {
                return path(arg);
            }
            value_is_path = PATHS.iter().any(|option| arg == option);
            match arg.to_str().and_then(|arg| arg.split_once('=')) {
                Some((option, value)) if PATHS.contains(&option) => {
                    let mut joined = OsString::from(format!("{option}="));
                    joined.push(path(value.as_ref()));
                    joined
                }
                _ => arg.clone(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn an_option_is_found_in_both_spellings_only() {
        assert!(has(&args("--suite quick --data-dir x"), "--data-dir"));
        assert!(has(&args("--data-dir=x"), "--data-dir"));
        assert!(!has(&args("--data-dirs x --suite=quick"), "--data-dir"));
    }

    #[test]
    #[cfg(unix)]
    fn paths_count_from_where_the_user_is() {
        let given = args("--suite quick --out results --data-dir=/mnist --only out");
        let expected = args("--suite quick --out /home/results --data-dir=/mnist --only out");
        assert_eq!(absolute(&given, Path::new("/home")), expected);
    }
}
