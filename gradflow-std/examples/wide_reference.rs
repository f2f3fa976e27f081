//! The reference programme with the desktop's own kernels: compiled for wide vectors, and in as
//! many threads at a time as the first argument says. Prints what one thread computed, once it is
//! sure that the others computed the same.

use std::process::ExitCode;
use std::{env, iter, thread};

use gradflow_core::network::Problem;
use gradflow_core::reference::{self, Kernels, Memory};
use gradflow_core::scheme::{AnyScheme, Step};
use gradflow_core::{Error, Exact, Float};
use gradflow_std::run::{Wide, step};

fn main() -> ExitCode {
    let threads = env::args().nth(1).map_or(Ok(1), |number| number.parse());
    let text = threads.map_err(|_| "the argument is a number of threads".into()).and_then(agreed);
    match text {
        Ok(text) => {
            println!("{text}end");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What every thread computed.
fn agreed(threads: usize) -> Result<String, String> {
    let started: Vec<_> = iter::repeat_with(|| thread::spawn(text)).take(threads).collect();
    let mut texts = Vec::new();
    for thread in started {
        texts.push(thread.join().map_err(|_| "a thread panicked")??);
    }
    let first = texts.pop().ok_or("at least one thread is needed")?;
    if texts.iter().any(|text| *text != first) {
        return Err("two threads computed different bits".into());
    }
    Ok(first)
}

fn text() -> Result<String, String> {
    let mut memory = Box::new(Memory::ZERO);
    let mut text = String::new();
    reference::run::<Wider>(&mut memory, &mut |line| text += &format!("{line}\n"))
        .map_err(|failure| failure.to_string())?;
    Ok(text)
}

/// The kernels that training on the desktop uses.
struct Wider;

impl<T: Float> Kernels<T> for Wider {
    type Math = Exact;

    fn step(
        scheme: &mut AnyScheme<T, &mut [T]>,
        w: &mut [T],
        problem: Problem<'_, T>,
    ) -> Result<Step<T>, Error> {
        step(scheme, w, &mut Wide::new(problem, true), true)
    }
}
