//! The reference programme with the desktop's own kernels: compiled for each width of vectors that
//! the processor has, and in as many threads at a time as the first argument says. Prints what one
//! thread computed, once it is sure that the other widths and threads computed the same.

mod pieces;

use std::process::ExitCode;
use std::{env, iter, thread};

use gradflow_core::network::Problem;
use gradflow_core::reference::{self, Kernels, Memory};
use gradflow_core::scheme::{AnyScheme, Step};
use gradflow_core::{Error, Exact, Float};
use gradflow_std::run::{Registers, Wide, step};

fn main() -> ExitCode {
    let threads = env::args().nth(1).map_or(Ok(1), |number| number.parse());
    let text = threads.map_err(|_| "the argument is a number of threads".into()).and_then(agreed);
    let text = text.and_then(|text| pieces::agree::<f32>().map(|()| text));
    let text = text.and_then(|text| pieces::agree::<f64>().map(|()| text));
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

/// What this thread computed, in registers of either width.
fn text() -> Result<String, String> {
    let [widest, avx2] = [digests::<OnDesktop<true>>()?, digests::<OnDesktop<false>>()?];
    if widest == avx2 { Ok(widest) } else { Err("two widths computed different bits".into()) }
}

fn digests<K: Kernels<f32> + Kernels<f64>>() -> Result<String, String> {
    let mut memory = Box::new(Memory::ZERO);
    let mut text = String::new();
    reference::run::<K>(&mut memory, &mut |line| text += &format!("{line}\n"))
        .map_err(|failure| failure.to_string())?;
    Ok(text)
}

/// The kernels that training on the desktop uses.
struct OnDesktop<const AVX512: bool>;

impl<T: Float, const AVX512: bool> Kernels<T> for OnDesktop<AVX512> {
    type Math = Exact;

    fn step(
        scheme: &mut AnyScheme<T, &mut [T]>,
        w: &mut [T],
        problem: Problem<'_, T>,
    ) -> Result<Step<T>, Error> {
        let registers = if AVX512 { Registers::Avx512 } else { Registers::Avx2 };
        step(scheme, w, &mut Wide::new(problem, registers), registers)
    }
}
