//! The `gradflow` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    gradflow_std::command::main()
}
