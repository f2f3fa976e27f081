//! Sampling: PCG32 with one stream for each purpose, uniform and normal numbers, shuffling.

use core::convert::Infallible;

use rand_core::{SeedableRng, TryRng};

use crate::float::{Exact, Float, Math};

/// What random numbers are for. Each purpose has a stream of its own, so that, for instance, more
/// noise does not change the initial weights.
///
/// The rule: [`Pcg32`] with the seed as its state and the purpose's number as its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Initial weights (stream 1).
    Weights = 1,
    /// Inputs of the training data (stream 2).
    Data = 2,
    /// Noise on the training targets (stream 3).
    Noise = 3,
    /// Order of the samples in an epoch (stream 4).
    Shuffle = 4,
    /// Inputs and noise of the test data (stream 5).
    Test = 5,
    /// Everything else (stream 6).
    Other = 6,
}

/// PCG32 (O'Neill 2014, XSH-RR 64/32): 64 bits of state, 32 bits an output.
///
/// ```
/// use gradflow_core::{Pcg32, Stream};
/// let mut rng = Pcg32::new(0, Stream::Data);
/// let x: f32 = rng.uniform(-3.0, 3.0);
/// assert!((-3.0..3.0).contains(&x));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pcg32 {
    state: u64,
    increment: u64,
}

impl Pcg32 {
    const MULTIPLIER: u64 = 6_364_136_223_846_793_005;

    /// The generator of `seed` for one purpose.
    #[must_use]
    pub const fn new(seed: u64, stream: Stream) -> Self {
        Self::with_stream(seed, stream as u64)
    }

    /// The generator with any stream number, seeded as the reference implementation does.
    #[must_use]
    pub const fn with_stream(seed: u64, stream: u64) -> Self {
        let increment = (stream << 1) | 1;
        let state = increment.wrapping_add(seed).wrapping_mul(Self::MULTIPLIER);
        Self { state: state.wrapping_add(increment), increment }
    }

    /// State and increment, for a checkpoint.
    #[must_use]
    pub const fn to_parts(self) -> [u64; 2] {
        [self.state, self.increment]
    }

    /// The generator of a checkpoint.
    #[must_use]
    pub const fn from_parts([state, increment]: [u64; 2]) -> Self {
        Self { state, increment: increment | 1 }
    }

    /// The next 32 bits.
    pub const fn next(&mut self) -> u32 {
        let old = self.state;
        self.state = old.wrapping_mul(Self::MULTIPLIER).wrapping_add(self.increment);
        let xorshifted = (((old >> 18) ^ old) >> 27) as u32;
        xorshifted.rotate_right((old >> 59) as u32)
    }

    /// A uniform number in `[low, high)`.
    pub fn uniform<T: Float>(&mut self, low: T, high: T) -> T {
        low + (high - low) * T::uniform(|| self.next())
    }

    /// A uniform integer below `bound` (Lemire 2019, without bias); 0 if `bound` is 0.
    pub const fn below(&mut self, bound: u32) -> u32 {
        if bound == 0 {
            return 0;
        }
        let mut product = self.next() as u64 * bound as u64;
        if (product as u32) < bound {
            // The threshold is below the bound: other products need no division.
            let threshold = bound.wrapping_neg() % bound;
            while (product as u32) < threshold {
                product = self.next() as u64 * bound as u64;
            }
        }
        (product >> 32) as u32
    }

    /// Fills `out` with independent normal numbers of mean 0 and standard deviation `deviation`,
    /// in pairs by Marsaglia's polar method; an odd last one drops its partner.
    pub fn normal<T: Float>(&mut self, deviation: T, out: &mut [T]) {
        self.normal_by::<T, Exact>(deviation, out);
    }

    /// [`normal`](Self::normal) with a chosen source of ln and √.
    pub fn normal_by<T: Float, M: Math<T>>(&mut self, deviation: T, out: &mut [T]) {
        for pair in out.chunks_mut(2) {
            let (a, b) = self.normal_pair::<T, M>();
            for (out, value) in pair.iter_mut().zip([a, b]) {
                *out = deviation * value;
            }
        }
    }

    fn normal_pair<T: Float, M: Math<T>>(&mut self) -> (T, T) {
        loop {
            let u = self.uniform(-T::ONE, T::ONE);
            let v = self.uniform(-T::ONE, T::ONE);
            let s = u * u + v * v;
            if s > T::ZERO && s < T::ONE {
                let factor = M::sqrt(-T::TWO * M::ln(s) / s);
                return (u * factor, v * factor);
            }
        }
    }

    /// Puts `items` into a uniformly random order (Fisher and Yates, from the end).
    pub fn shuffle<I>(&mut self, items: &mut [I]) {
        for last in (1..items.len()).rev() {
            let bound = u32::try_from(last).map_or(u32::MAX, |last| last.saturating_add(1));
            let other = self.below(bound) as usize;
            if last < items.len() && other < items.len() {
                items.swap(last, other);
            }
        }
    }
}

impl TryRng for Pcg32 {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.next())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let low = u64::from(self.next());
        Ok((u64::from(self.next()) << 32) | low)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for word in bytes.chunks_mut(4) {
            for (out, byte) in word.iter_mut().zip(self.next().to_le_bytes()) {
                *out = byte;
            }
        }
        Ok(())
    }
}

impl SeedableRng for Pcg32 {
    type Seed = [u8; 16];

    /// The first 8 bytes are the seed, the last 8 the stream, little-endian.
    fn from_seed(seed: [u8; 16]) -> Self {
        let bits = u128::from_le_bytes(seed);
        Self::with_stream(bits as u64, (bits >> 64) as u64)
    }
}
