//! A training run, its digest and its checkpoint.

use super::case::{Case, World};
use super::{EVERY, Failure, Kernels, Lent, Line, SEED, STEPS, Subject, data};
use crate::digest::Digest;
use crate::error::{Buffer, Error};
use crate::float::Float;
use crate::network::{Batch, GramForm, Loss, Residual, Samples, Scratch, TwoLayer};
use crate::objective::Residuals;
use crate::scheme::{AnyScheme, Method, Scheme};
use crate::training::Batches;

/// A network in training.
pub(super) struct Run<'a, T> {
    world: World,
    pub(super) network: TwoLayer<T>,
    samples: Samples<'a, T>,
    pub(super) w: &'a mut [T],
    scheme: AnyScheme<T, &'a mut [T]>,
    batches: Batches<&'a mut [u32]>,
    loss: Loss,
    residual: Residual,
    scratch: Scratch<'a, T>,
}

impl<'a, T: Float> Run<'a, T> {
    /// A run at its start.
    pub(super) fn new<K: Kernels<T>>(case: Case, lent: &mut Lent<'a, T>) -> Result<Self, Error> {
        let Case { world, .. } = case;
        let settings = case.settings_as::<T>();
        let network = world.network()?;
        let samples = data::samples(world, lent)?;
        let w = lent.reals.take(network.parameters());
        world.init().draw_by::<T, K::Math>(&network, SEED, w)?;
        let (len, batch) = world.samples();
        let needed = match settings.method {
            Method::IeqFull | Method::IeqAdaptive => network.residual_scratch_len(batch),
            _ => network.scratch_len(batch),
        };
        let scratch = Scratch {
            reals: lent.reals.take(needed.reals),
            indices: lent.indices.take(needed.indices),
        };
        let order = lent.indices.take(len);
        let shape = world.shape(&network);
        Ok(Self {
            world,
            network,
            samples,
            w,
            scheme: AnyScheme::new(&settings, world.loss(), shape, |len| lent.reals.take(len))?,
            batches: Batches::new(order, batch, SEED)?,
            loss: settings.trained_loss(world.loss()),
            residual: settings.residual(world.loss())?,
            scratch,
        })
    }

    /// Takes one step.
    pub(super) fn step<K: Kernels<T>>(&mut self) -> Result<(), Error> {
        let batch = Batch::of(self.samples, self.batches.next_batch());
        let scratch = self.scratch.reborrow();
        if self.world == World::ClosedForm {
            let problem = self.network.on_line(batch, scratch)?;
            let problem: &mut dyn Residuals<T> = &mut problem.with_gram_form(GramForm::Closed);
            return self.scheme.step(self.w, problem).map(|_| ());
        }
        let problem = self.network.on_by::<K::Math>(batch, self.loss, scratch)?;
        let problem = problem.with_residual(self.residual)?;
        K::step(&mut self.scheme, self.w, problem).map(|_| ())
    }

    /// Shows every array of numbers that the rest of the run depends on.
    fn visit(&mut self, visit: &mut dyn FnMut(&'static str, &mut [T])) {
        visit("weights", self.w);
        Scheme::<T, dyn Residuals<T>>::visit_state(&mut self.scheme, visit);
    }

    /// The digest of all that the rest of the run depends on.
    pub(super) fn digest(&mut self) -> Result<u64, Error> {
        let mut digest = Ok(Digest::new());
        self.visit(&mut |_, numbers| {
            for &number in numbers.iter() {
                // ∞ marks what is not defined yet.
                if number != T::INFINITY {
                    digest = digest.and_then(|digest| digest.update(&[number]));
                }
            }
        });
        let mut digest = digest?;
        for index in self.batches.order() {
            digest = digest.update_bytes(&index.to_le_bytes());
        }
        for part in self.batches.position() {
            digest = digest.update_bytes(&part.to_le_bytes());
        }
        Ok(digest.finish())
    }

    /// Writes the run to the start of `bytes`: the arrays, the order of the samples and the place
    /// in it, little-endian. Returns how many bytes that took.
    pub(super) fn save(&mut self, bytes: &mut [u8]) -> Result<usize, Error> {
        let got = bytes.len();
        let mut rest = bytes;
        let mut written = Some(());
        let mut put = |source: [u8; 8], len: usize| {
            written = written.and_then(|()| {
                for (to, from) in rest.split_off_mut(..len)?.iter_mut().zip(source) {
                    *to = from;
                }
                Some(())
            });
        };
        self.visit(&mut |_, numbers| {
            for number in numbers.iter() {
                put(number.to_bits64().to_le_bytes(), T::BYTES);
            }
        });
        for &index in self.batches.order() {
            put(u64::from(index).to_le_bytes(), 4);
        }
        for part in self.batches.position() {
            put(part.to_le_bytes(), 8);
        }
        let full = Error::Length { what: Buffer::Bytes, needed: got + 1, got };
        written.ok_or(full).map(|()| got - rest.len())
    }

    /// Puts the run where the one was that wrote these bytes. `order` has an entry a sample.
    pub(super) fn load(&mut self, bytes: &[u8], order: &mut [u32]) -> Result<(), Error> {
        let mut rest = bytes;
        let mut read = Some(());
        self.visit(&mut |_, numbers| {
            for number in numbers.iter_mut() {
                read = read.and_then(|()| {
                    *number = T::from_le_slice(rest.split_off(..T::BYTES)?)?;
                    Some(())
                });
            }
        });
        let (words, rest) = rest.split_at_checked(4 * order.len()).unwrap_or_default();
        for (index, &word) in order.iter_mut().zip(words.as_chunks().0) {
            *index = u32::from_le_bytes(word);
        }
        let position = match (read, rest.as_chunks()) {
            (Some(()), (&[a, b, c, d], [])) => [a, b, c, d].map(u64::from_le_bytes),
            _ => return Err(Error::Format("the checkpoint has another length than this run's")),
        };
        self.batches.resume(order, position)
    }
}

/// Trains, and reports every few steps.
pub(super) fn run<T: Float, K: Kernels<T>>(
    case: Case,
    mut lent: Lent<'_, T>,
    report: &mut dyn FnMut(&Line),
) -> Result<(), Failure> {
    let subject = Subject::Trained(case);
    let mut run = Run::new::<K>(case, &mut lent).map_err(Failure::of(subject))?;
    carry_on::<T, K>(&mut run, 0, subject, report)
}

/// Takes the steps after `done`, with a digest every few of them.
pub(super) fn carry_on<T: Float, K: Kernels<T>>(
    run: &mut Run<'_, T>,
    done: u32,
    subject: Subject,
    report: &mut dyn FnMut(&Line),
) -> Result<(), Failure> {
    for step in done + 1..=STEPS {
        run.step::<K>().map_err(Failure::of(subject))?;
        if step.is_multiple_of(EVERY) {
            let digest = run.digest().map_err(Failure::of(subject))?;
            report(&Line { subject, step, digest });
        }
    }
    Ok(())
}
