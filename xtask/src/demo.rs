//! `cargo xtask demo`: the page where the methods race, built and served on this machine.

use std::ffi::OsString;

use anyhow::Result;
use lexopt::{Arg, Parser, ValueExt};

use crate::page;

const HELP: &str = "\
Builds the page where the methods race and serves it on this machine alone.

cargo xtask demo [--build] [--port PORT]

  --build      build only: target/demo is then a folder that any web server can serve
  --port PORT  the port to listen on; 8000 unless given, 0 for any that is free

The digits need MNIST: `cargo xtask data` fetches it. The rest of the page needs no data.";

/// Runs the task.
pub(crate) fn run(args: &[OsString]) -> Result<()> {
    let (mut build_only, mut port) = (false, 8000_u16);
    let mut parser = Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("help") | Arg::Short('h') => {
                println!("{HELP}");
                return Ok(());
            }
            Arg::Long("build") => build_only = true,
            Arg::Long("port") => port = parser.value()?.parse()?,
            _ => return Err(arg.unexpected().into()),
        }
    }
    let folder = page::build()?;
    if build_only {
        println!("the page is in {}", folder.display());
        return Ok(());
    }
    page::tool("server", "demo-server").arg(folder).arg(port.to_string()).replace()
}
