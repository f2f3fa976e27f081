//! Weights and runs that move from one machine to another.
//!
//! The files of `tests/golden` were written on the desktop. Every target reads them: its
//! predictions with those weights, and the rest of those runs, must have the desktop's bits. Every
//! target also writes them: so what it would hand to another is what the desktop hands to it.

use super::case::{Case, World};
use super::training::{Run, carry_on};
use super::{EVERY, Failure, Kernels, Lent, Line, Memory, STEPS, Subject};
use crate::digest::Digest;
use crate::error::Error;
use crate::network::{Batch, Inputs, Samples, Scratch, Targets};
use crate::scheme::Memory::Persistent;
use crate::scheme::{Coupling, Method, Settings, SolverChoice};
use crate::tasks::Task;
use crate::weights::{self, Header};

const WRITTEN: Subject = Subject::Probe("weights/written");
const PREDICTED: Subject = Subject::Probe("weights/predictions");

/// Points at which the network is asked.
const POINTS: usize = 33;

/// Where the weights of the first run are kept.
const WEIGHTS: (&str, &[u8]) =
    ("trained.safetensors", include_bytes!("../../tests/golden/trained.safetensors"));

/// Runs that move half way, with the file that keeps each.
fn movers() -> [(Case, &'static str, &'static [u8]); 3] {
    let sav = Settings {
        relaxed: true,
        coupling: Some(Coupling::Consistent),
        ..Settings::new(Method::Sav)
    };
    let ieq_full = Settings {
        relaxed: true,
        memory: Some(Persistent),
        solver: Some(SolverChoice::Cholesky),
        ..Settings::new(Method::IeqFull)
    };
    [
        (
            Case::new(World::Line, Settings::new(Method::Adam)),
            "adam.checkpoint",
            include_bytes!("../../tests/golden/adam.checkpoint"),
        ),
        (
            Case::new(World::Sparse, sav),
            "sav-relaxed.checkpoint",
            include_bytes!("../../tests/golden/sav-relaxed.checkpoint"),
        ),
        (
            Case::new(World::Dense, ieq_full),
            "ieq-full-relaxed.checkpoint",
            include_bytes!("../../tests/golden/ieq-full-relaxed.checkpoint"),
        ),
    ]
}

/// Writes and reads what travels.
pub(super) fn run<K: Kernels<f32>>(
    memory: &mut Memory,
    report: &mut dyn FnMut(&Line),
) -> Result<(), Failure> {
    for (case, _, golden) in movers() {
        let subject = Subject::Saved(case);
        let bytes = half_way::<K>(case, memory.single()).map_err(Failure::of(subject))?;
        report(&Line { subject, step: EVERY, digest: of_bytes(bytes) });
        continued::<K>(case, golden, memory.single(), report)?;
    }
    let bytes = trained::<K>(memory.single()).map_err(Failure::of(WRITTEN))?;
    report(&Line { subject: WRITTEN, step: STEPS, digest: of_bytes(bytes) });
    let digest = predictions(memory.single()).map_err(Failure::of(PREDICTED))?;
    report(&Line { subject: PREDICTED, step: STEPS, digest });
    Ok(())
}

/// Shows the name and the bytes of each file that travels, as this machine writes it.
///
/// # Errors
/// As [`run`](super::run).
pub fn travellers<K: Kernels<f32>>(
    memory: &mut Memory,
    show: &mut dyn FnMut(&'static str, &[u8]),
) -> Result<(), Failure> {
    for (case, name, _) in movers() {
        let bytes = half_way::<K>(case, memory.single());
        show(name, bytes.map_err(Failure::of(Subject::Saved(case)))?);
    }
    show(WEIGHTS.0, trained::<K>(memory.single()).map_err(Failure::of(WRITTEN))?);
    Ok(())
}

/// The checkpoint of a run after its first steps.
fn half_way<'a, K: Kernels<f32>>(case: Case, mut lent: Lent<'a, f32>) -> Result<&'a [u8], Error> {
    let mut run = Run::new::<K>(case, &mut lent)?;
    for _ in 0..EVERY {
        run.step::<K>()?;
    }
    let len = run.save(lent.bytes)?;
    Ok(lent.bytes.get(..len).unwrap_or_default())
}

/// The rest of the run that a checkpoint was made of.
fn continued<K: Kernels<f32>>(
    case: Case,
    checkpoint: &[u8],
    mut lent: Lent<'_, f32>,
    report: &mut dyn FnMut(&Line),
) -> Result<(), Failure> {
    let subject = Subject::Continued(case);
    let (samples, _) = case.world.samples();
    let order = lent.indices.take(samples);
    let resumed = Run::new::<K>(case, &mut lent).and_then(|mut run| {
        run.load(checkpoint, order)?;
        Ok(run)
    });
    let mut run = resumed.map_err(Failure::of(subject))?;
    carry_on::<f32, K>(&mut run, EVERY, subject, report)
}

/// The weights file of the first run, trained to its end.
fn trained<'a, K: Kernels<f32>>(mut lent: Lent<'a, f32>) -> Result<&'a [u8], Error> {
    let [(case, ..), ..] = movers();
    let mut run = Run::new::<K>(case, &mut lent)?;
    for _ in 0..STEPS {
        run.step::<K>()?;
    }
    let len = weights::write(&run.network, run.w, lent.bytes)?;
    Ok(lent.bytes.get(..len).unwrap_or_default())
}

/// The digest of what a network answers whose weights came in a file.
fn predictions(mut lent: Lent<'_, f32>) -> Result<u64, Error> {
    let (_, file) = WEIGHTS;
    let header = Header::parse(file)?;
    let network = header.network()?;
    let w = lent.reals.take(network.parameters());
    weights::read(&header, file, w)?;
    let x = lent.reals.take(POINTS);
    for (i, x) in x.iter_mut().enumerate() {
        *x = Task::Gaussian.grid_point(i, POINTS);
    }
    let needed = network.scratch_len(POINTS);
    let reals = lent.reals.take(needed.reals);
    let mut scratch = Scratch { reals, indices: lent.indices.take(needed.indices) };
    let samples = Samples { inputs: Inputs::Dense(x), targets: Targets::Values(&[]) };
    let out = lent.reals.take(POINTS);
    network.predict(w, Batch::all(samples, POINTS), &mut scratch, out)?;
    Digest::new().update(out).map(Digest::finish)
}

fn of_bytes(bytes: &[u8]) -> u64 {
    Digest::new().update_bytes(bytes).finish()
}
