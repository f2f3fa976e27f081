//! The order of a training run: batches drawn without replacement, epoch after epoch, and
//! step sizes that follow a schedule. The same on every target.

use crate::error::{Error, Setting};
use crate::float::Float;
use crate::linalg::copy;
use crate::random::{Pcg32, Stream};

/// Batches of a training set, in an order that belongs to a seed.
///
/// Each epoch begins by shuffling; every sample is drawn once, and the last batch of an epoch may
/// be smaller. A batch as large as the set shuffles nothing.
///
/// ```
/// use gradflow_core::training::Batches;
/// let mut order = [0; 5];
/// let mut batches = Batches::new(&mut order[..], 2, 0)?;
/// let sizes: Vec<usize> = (0..3).map(|_| batches.next_batch().len()).collect();
/// assert_eq!(sizes, [2, 2, 1]);
/// assert_eq!(batches.epoch(), 0);
/// batches.next_batch();
/// assert_eq!(batches.epoch(), 1);
/// # Ok::<(), gradflow_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Batches<I> {
    order: I,
    batch: usize,
    rng: Pcg32,
    /// First sample of the next batch.
    start: usize,
    epoch: u32,
    begun: bool,
}

impl<I: AsRef<[u32]> + AsMut<[u32]>> Batches<I> {
    /// Batches of `batch` samples from a set as large as `order`, whose contents do not matter.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if `batch` is 0 or larger than the set.
    pub fn new(mut order: I, batch: usize, seed: u64) -> Result<Self, Error> {
        let samples = order.as_ref().len();
        if batch == 0 || batch > samples {
            return Err(Error::OutOfRange { what: Setting::Batch, value: batch as f64 });
        }
        for (place, index) in order.as_mut().iter_mut().zip(0..) {
            *place = index;
        }
        let rng = Pcg32::new(seed, Stream::Shuffle);
        Ok(Self { order, batch, rng, start: 0, epoch: 0, begun: false })
    }

    /// Steps in an epoch.
    #[must_use]
    pub fn steps_per_epoch(&self) -> usize {
        self.order.as_ref().len().div_ceil(self.batch.max(1))
    }

    /// The epoch of the last batch, counted from 0.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Indices of the next batch's samples.
    pub fn next_batch(&mut self) -> &[u32] {
        let samples = self.order.as_ref().len();
        if self.start >= samples || !self.begun {
            if self.begun {
                self.epoch += 1;
            }
            self.begun = true;
            self.start = 0;
            if self.batch < samples {
                self.rng.shuffle(self.order.as_mut());
            }
        }
        let start = self.start;
        let end = samples.min(start + self.batch);
        self.start = end;
        self.order.as_ref().get(start..end).unwrap_or_default()
    }

    /// Generator state, position and epoch, for a checkpoint; the order itself is
    /// [`order`](Self::order).
    #[must_use]
    pub const fn position(&self) -> [u64; 4] {
        let [state, increment] = self.rng.to_parts();
        let begun = if self.begun { 1 << 32 } else { 0 };
        [state, increment, self.start as u64, self.epoch as u64 | begun]
    }

    /// The present order of the samples.
    #[must_use]
    pub fn order(&self) -> &[u32] {
        self.order.as_ref()
    }

    /// Goes to the position of a checkpoint.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if the order is not one of this set's samples.
    pub fn resume(&mut self, order: &[u32], position: [u64; 4]) -> Result<(), Error> {
        let [state, increment, start, epoch] = position;
        let samples = self.order.as_ref().len();
        let fits = order.len() == samples
            && start <= samples as u64
            && order.iter().all(|&index| (index as usize) < samples);
        if !fits {
            return Err(Error::Unsupported("the checkpoint belongs to another training set"));
        }
        copy(order, self.order.as_mut());
        self.rng = Pcg32::from_parts([state, increment]);
        self.start = start as usize;
        self.epoch = epoch as u32;
        self.begun = epoch >> 32 != 0;
        Ok(())
    }
}

/// How the step size moves over a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// It does not.
    Constant,
    /// `Δt ½ (1 + cos(π n / N))`: from Δt down to nearly 0 at the last step.
    Cosine,
}

impl Schedule {
    /// Δt of step `n` of `steps`, counted from 0.
    #[must_use]
    pub fn at<T: Float>(self, dt: T, n: usize, steps: usize) -> T {
        match self {
            Self::Constant => dt,
            Self::Cosine => {
                let progress = n as f64 / steps.max(1) as f64;
                let factor = 0.5 * (1.0 + Float::cos(core::f64::consts::PI * progress));
                dt * T::from_f64(factor)
            }
        }
    }
}
