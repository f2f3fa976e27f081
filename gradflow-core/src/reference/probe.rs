//! What a run is made of, one by one, so that a difference can be told from its consequences.

use core::hint::black_box;

use super::case::World;
use super::{Arena, Failure, Kernels, Line, Memory, SEED, Subject};
use crate::digest::Digest;
use crate::error::Error;
use crate::float::Float;
use crate::linalg::{dot, norm_sq};
use crate::network::TwoLayer;
use crate::random::{Pcg32, Stream};
use crate::tasks::Task;
use crate::training::Schedule;

/// Numbers of a probe.
const MANY: usize = 96;

/// A name, and what fills the numbers.
type Probe<T> = (&'static str, fn(&mut [T]));

/// Reports the digests of all probes.
pub(super) fn run<K: Kernels<f32> + Kernels<f64>>(
    memory: &mut Memory,
    report: &mut dyn FnMut(&Line),
) -> Result<(), Failure> {
    of_type::<f32, K>(memory.single().reals, Subject::Probe, report)?;
    of_type::<f64, K>(memory.double().reals, Subject::Double, report)
}

fn of_type<T: Float, K: Kernels<T>>(
    mut reals: Arena<'_, T>,
    subject: fn(&'static str) -> Subject,
    report: &mut dyn FnMut(&Line),
) -> Result<(), Failure> {
    let numbers = reals.take(MANY);
    for (name, fill) in probes::<T>() {
        fill(numbers);
        let digest = Digest::new().update(numbers).map_err(Failure::of(subject(name)))?;
        report(&Line { subject: subject(name), step: 0, digest: digest.finish() });
    }
    for (name, world) in
        [("initial-weights/ntk", World::Line), ("initial-weights/kaiming", World::Dense)]
    {
        let digest = initial_weights::<T, K>(world, numbers).map_err(Failure::of(subject(name)))?;
        report(&Line { subject: subject(name), step: 0, digest });
    }
    Ok(())
}

fn probes<T: Float>() -> [Probe<T>; 12] {
    [
        ("sampling/uniform", |numbers| uniform(-1.0, 1.0, numbers)),
        ("sampling/normal", |numbers| rng().normal(T::ONE, numbers)),
        ("sampling/shuffled", shuffled),
        ("sampling/tasks", tasks),
        ("functions/exp", |numbers| map(-20.0, 20.0, T::exp, numbers)),
        ("functions/ln", |numbers| map(0.0, 50.0, T::ln, numbers)),
        ("functions/ln_1p", |numbers| map(-0.99, 3.0, T::ln_1p, numbers)),
        ("functions/sin", |numbers| map(-50.0, 50.0, T::sin, numbers)),
        ("functions/cos", |numbers| map(-50.0, 50.0, T::cos, numbers)),
        ("functions/sqrt", |numbers| map(0.0, 1e4, T::sqrt, numbers)),
        ("sums", sums),
        ("denormals", denormals),
    ]
}

fn rng() -> Pcg32 {
    Pcg32::new(SEED, Stream::Other)
}

fn uniform<T: Float>(low: f64, high: f64, numbers: &mut [T]) {
    let mut rng = rng();
    let (low, high) = (T::from_f64(low), T::from_f64(high));
    numbers.fill_with(|| rng.uniform(low, high));
}

fn map<T: Float>(low: f64, high: f64, function: fn(T) -> T, numbers: &mut [T]) {
    uniform(low, high, numbers);
    for number in numbers {
        *number = function(*number);
    }
}

fn shuffled<T: Float>(numbers: &mut [T]) {
    for (i, number) in numbers.iter_mut().enumerate() {
        *number = T::from_usize(i);
    }
    rng().shuffle(numbers);
}

/// Targets of each task, and a schedule.
fn tasks<T: Float>(numbers: &mut [T]) {
    let mut rng = rng();
    let mut x = [T::ZERO; 40];
    for (n, targets) in numbers.chunks_mut(Task::ALL.len() + 1).enumerate() {
        targets.fill(Schedule::Cosine.at(T::ONE, n, MANY));
        for (task, target) in Task::ALL.into_iter().zip(targets) {
            let x = x.get_mut(..task.inputs()).unwrap_or_default();
            task.draw_inputs(&mut rng, x);
            *target = task.target(x);
        }
    }
}

/// Sums of every length.
fn sums<T: Float>(numbers: &mut [T]) {
    uniform(-1.0, 1.0, numbers);
    for len in (1..numbers.len()).rev() {
        let (terms, rest) = numbers.split_at_mut_checked(len).unwrap_or_default();
        if let Some(sum) = rest.first_mut() {
            *sum += dot(terms, terms) / norm_sq(terms);
        }
    }
}

/// Numbers below the smallest normal one, which some machines would rather take for zero.
fn denormals<T: Float>(numbers: &mut [T]) {
    let tiny = black_box(T::TINY_PROBABILITY) * black_box(T::from_f64(1e-9));
    uniform(0.0, 1.0, numbers);
    for quad in numbers.chunks_mut(4) {
        if let [product, sum, root, total] = quad {
            let (a, b) = (*product, *sum);
            *product = tiny * a;
            *sum = *product + tiny * b;
            *root = black_box(*product / (T::TWO + T::TWO)).sqrt();
            *total = dot(&[*product; 9], &[b; 9]);
        }
    }
}

fn initial_weights<T: Float, K: Kernels<T>>(world: World, w: &mut [T]) -> Result<u64, Error> {
    let network: TwoLayer<T> = world.network()?;
    let w = w.get_mut(..network.parameters()).unwrap_or_default();
    world.init().draw_by::<T, K::Math>(&network, SEED, w)?;
    Digest::new().update(w).map(Digest::finish)
}
