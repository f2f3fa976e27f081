//! `cargo xtask data`: the data sets of images, complete and verified.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Result;
use lexopt::{Arg, Parser, ValueExt};

use crate::dataset::{DataSet, FASHION_MNIST, MNIST};
use crate::{fetch, stop, workspace};

const HELP: &str = "\
Fetches the data sets of images and checks each file by its length and SHA-256.
What is already right is kept, what is damaged is fetched again.

cargo xtask data [mnist|fashion-mnist|all] [--dir DIR]

  mnist           the digits (the default), into data/mnist
  fashion-mnist   the clothes, into data/fashion-mnist
  all             both
  --dir DIR       into this folder instead; takes one data set

data/README.md tells what they are and where gradflow looks for them.";

/// Runs the task.
pub(crate) fn run(args: &[OsString]) -> Result<()> {
    let (mut sets, mut dir) = (vec![&MNIST], None);
    let mut parser = Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("help") | Arg::Short('h') => {
                println!("{HELP}");
                return Ok(());
            }
            Arg::Long("dir") => dir = Some(PathBuf::from(parser.value()?)),
            Arg::Value(name) => sets = named(&name.string()?)?,
            _ => return Err(arg.unexpected().into()),
        }
    }
    if dir.is_some() && sets.len() > 1 {
        return Err(stop::usage("--dir takes one data set: say which instead of `all`"));
    }
    for set in sets {
        let folder = dir.clone().unwrap_or_else(|| home(set));
        fetch::complete(set, &folder)?;
        println!("{}: complete and right in {}", set.name, folder.display());
        if set.name == MNIST.name && dir.is_none() && env::var_os("MNIST_DIR").is_some() {
            println!("note: $MNIST_DIR is set, so gradflow reads that folder and not this one");
        }
    }
    Ok(())
}

/// Makes MNIST complete in `data/mnist`.
pub(crate) fn complete_mnist() -> Result<()> {
    fetch::complete(&MNIST, &home(&MNIST))
}

/// Where a data set is kept unless told otherwise.
fn home(set: &DataSet) -> PathBuf {
    workspace::root().join("data").join(set.name)
}

fn named(name: &str) -> Result<Vec<&'static DataSet>> {
    match name {
        "mnist" => Ok(vec![&MNIST]),
        "fashion-mnist" => Ok(vec![&FASHION_MNIST]),
        "all" => Ok(vec![&MNIST, &FASHION_MNIST]),
        _ => Err(stop::usage(format!(
            "there is no data set `{name}` to fetch: it is mnist, fashion-mnist or all"
        ))),
    }
}
