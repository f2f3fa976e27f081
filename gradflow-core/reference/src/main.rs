//! Prints the digests of the reference programme, as every target does.
//!
//! With a folder as its argument it writes the files there that travel between machines, instead.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use gradflow_core::reference::{self, Memory};

#[cfg(not(feature = "micromath"))]
use gradflow_core::reference::Plain as Kernels;

#[cfg(feature = "micromath")]
use gradflow_core::reference::Micromath as Kernels;

fn main() -> ExitCode {
    let mut memory = Box::new(Memory::ZERO);
    let done = match env::args_os().nth(1) {
        None => print(&mut memory),
        Some(folder) => write(&mut memory, Path::new(&folder)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print(memory: &mut Memory) -> Result<(), Box<dyn Error>> {
    reference::run::<Kernels>(memory, &mut |line| println!("{line}"))?;
    println!("end");
    Ok(())
}

fn write(memory: &mut Memory, folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut written = Ok(());
    reference::travellers::<Kernels>(memory, &mut |name, bytes| {
        if written.is_ok() {
            written = fs::write(folder.join(name), bytes);
        }
    })?;
    Ok(written?)
}
