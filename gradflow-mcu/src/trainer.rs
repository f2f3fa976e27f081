//! The network, its samples and its steps, in static memory.

use gradflow_core::network::{Batch, GramForm, Init, Inputs, Samples, Targets, TwoLayer};
use gradflow_core::scheme::{Scheme as _, Step};
use gradflow_core::tasks::Task;
use gradflow_core::{Error, Pcg32, Stream};
use gradflow_mcu_kernels as kernels;

use crate::settings::{Choice, Scheme, Source};
use crate::{HIDDEN, LARGEST_BATCH, PARAMETERS, SAMPLES};

/// Points at which the error is measured, from one end of the interval to the other.
pub(crate) const GRID: usize = 129;

/// Entries of scratch: the largest batch needs two numbers a sample, and weights that were loaded
/// wait here until they are known to be right.
const SCRATCH: usize = PARAMETERS;
const _: () = assert!(SCRATCH >= 2 * LARGEST_BATCH);

/// The network, the samples, and room to work in. All zero at first, so that it costs no flash.
#[derive(Debug)]
pub(crate) struct Trainer {
    weights: [f32; PARAMETERS],
    /// Output scale of the network.
    scale: f32,
    scratch: [f32; SCRATCH],
    /// The step's samples, if they are drawn; points of the grid.
    drawn: [[f32; LARGEST_BATCH]; 2],
    /// Samples that were fed: inputs and targets.
    fed: [[f32; SAMPLES]; 2],
    /// A permutation of the places in use, of which a batch takes the first.
    order: [u32; SAMPLES],
    /// Samples that were fed, and the place of the next.
    len: usize,
    next: usize,
    data: Option<Pcg32>,
    shuffle: Option<Pcg32>,
    steps: u32,
}

impl Trainer {
    /// Nothing learnt, nothing fed. Call [`restart`](Self::restart) first.
    pub(crate) const ZERO: Self = Self {
        weights: [0.0; PARAMETERS],
        scale: 0.0,
        scratch: [0.0; SCRATCH],
        drawn: [[0.0; LARGEST_BATCH]; 2],
        fed: [[0.0; SAMPLES]; 2],
        order: [0; SAMPLES],
        len: 0,
        next: 0,
        data: None,
        shuffle: None,
        steps: 0,
    };

    /// One input, [`HIDDEN`] units, one output with a bias.
    ///
    /// # Errors
    /// None for widths that are not 0.
    pub(crate) fn network(&self) -> Result<TwoLayer<f32>, Error> {
        let network = TwoLayer::new(1, HIDDEN, 1)?.with_output_bias(true);
        Ok(network.with_scale(self.scale))
    }

    /// Weights and generators as the seed gives them; samples that were fed stay.
    ///
    /// # Errors
    /// As [`network`](Self::network).
    pub(crate) fn restart(&mut self, seed: u32) -> Result<(), Error> {
        let seed = u64::from(seed);
        self.data = Some(Pcg32::new(seed, Stream::Data));
        self.shuffle = Some(Pcg32::new(seed, Stream::Shuffle));
        self.steps = 0;
        let network = Init::Ntk.scale(self.network()?);
        self.scale = network.scale();
        Init::Ntk.draw(&network, seed, &mut self.weights)
    }

    /// The weights.
    #[must_use]
    pub(crate) const fn weights(&self) -> &[f32; PARAMETERS] {
        &self.weights
    }

    /// Replaces the weights by what `read` writes for this network; if it fails they stay.
    ///
    /// # Errors
    /// As `read`.
    pub(crate) fn replace(
        &mut self,
        read: impl FnOnce(&TwoLayer<f32>, &mut [f32]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let network = self.network()?;
        let read_to = self.scratch.get_mut(..PARAMETERS).unwrap_or_default();
        read(&network, read_to)?;
        for (w, &read) in self.weights.iter_mut().zip(read_to.iter()) {
            *w = read;
        }
        Ok(())
    }

    /// Steps since the last restart.
    #[must_use]
    pub(crate) const fn steps(&self) -> u32 {
        self.steps
    }

    /// Samples at hand.
    #[must_use]
    pub(crate) const fn samples(&self) -> usize {
        self.len
    }

    /// Keeps a sample, in place of the oldest if there is no room.
    pub(crate) fn feed(&mut self, x: f32, y: f32) {
        for (row, value) in self.fed.iter_mut().zip([x, y]) {
            if let Some(entry) = row.get_mut(self.next) {
                *entry = value;
            }
        }
        if self.len < SAMPLES {
            if let Some(place) = self.order.get_mut(self.len) {
                *place = self.next as u32;
            }
            self.len += 1;
        }
        self.next = if self.next + 1 < SAMPLES { self.next + 1 } else { 0 };
    }

    /// Forgets all samples that were fed.
    pub(crate) const fn forget(&mut self) {
        (self.len, self.next) = (0, 0);
    }

    /// Feeds `n` samples of the built-in function.
    pub(crate) fn draw(&mut self, n: u32) {
        for _ in 0..n {
            let Some(data) = &mut self.data else { return };
            let mut x = [0.0];
            Task::Gaussian.draw_inputs(data, &mut x);
            let y = Task::Gaussian.target(&x);
            let [x] = x;
            self.feed(x, y);
        }
    }

    /// Takes a step on the next batch.
    ///
    /// # Errors
    /// The scheme's; weights are then as they were.
    pub(crate) fn step(
        &mut self,
        choice: &Choice,
        scheme: &mut Scheme<'_>,
    ) -> Result<Step<f32>, Error> {
        let network = self.network()?;
        let batch = match choice.source {
            Source::Function => {
                draw_batch(&mut self.drawn, choice.batch, self.data.as_mut());
                Batch::all(samples(&self.drawn), choice.batch)
            }
            Source::Data => {
                let used = self.order.get_mut(..self.len).unwrap_or_default();
                pick_batch(&self.fed, used, choice.batch, self.shuffle.as_mut())
            }
        };
        // In its place: to move a problem takes twice the stack.
        match &mut kernels::line(&network, &batch, &mut self.scratch, choice.gram_form) {
            Ok(line) => {
                let step = scheme.step(&mut self.weights, kernels::objective(line));
                self.steps = self.steps.saturating_add(u32::from(step.is_ok()));
                step
            }
            Err(error) => Err(*error),
        }
    }

    /// Mean squared error against the noiseless function, on [`GRID`] points.
    ///
    /// # Errors
    /// None while the weights are finite.
    pub(crate) fn grid_error(&mut self) -> Result<f32, Error> {
        let network = self.network()?;
        let mut sum = 0.0;
        for start in (0..GRID).step_by(LARGEST_BATCH) {
            let len = LARGEST_BATCH.min(GRID - start);
            let [x, y] = &mut self.drawn;
            for (i, (x, y)) in (start..start + len).zip(x.iter_mut().zip(y.iter_mut())) {
                *x = Task::Gaussian.grid_point(i, GRID);
                *y = Task::Gaussian.target(&[*x]);
            }
            let batch = Batch::all(samples(&self.drawn), len);
            let form = GramForm::General; // none is needed
            let mut problem = kernels::line(&network, &batch, &mut self.scratch, form)?;
            let mean = kernels::objective(&mut problem).loss(&self.weights)?;
            sum += mean * len as f32;
        }
        Ok(sum / GRID as f32)
    }

    /// `f(x)`
    ///
    /// # Errors
    /// None.
    pub(crate) fn predict(&mut self, x: f32) -> Result<f32, Error> {
        let network = self.network()?;
        let (x, y) = ([x], [0.0]);
        let one = Samples { inputs: Inputs::Dense(&x), targets: Targets::Values(&y) };
        let (batch, form) = (Batch::all(one, 1), GramForm::General); // none is needed
        let mut problem = kernels::line(&network, &batch, &mut self.scratch, form)?;
        let mut out = [0.0];
        kernels::predict(&mut problem, &self.weights, &mut out)?;
        let [f] = out;
        Ok(f)
    }
}

impl Trainer {
    /// Point `i` of `points` over the function's interval: x, `f(x)` and the noiseless target.
    ///
    /// # Errors
    /// None.
    pub(crate) fn point(&mut self, i: usize, points: usize) -> Result<(f32, f32, f32), Error> {
        let x = Task::Gaussian.grid_point(i, points);
        Ok((x, self.predict(x)?, Task::Gaussian.target(&[x])))
    }

    /// Entries that a step works with beside the scheme's: weights, samples, scratch.
    #[must_use]
    pub(crate) fn numbers_of_a_step(&self, choice: &Choice) -> usize {
        let scratch = self.network().map_or(0, |network| network.scratch_len(choice.batch).reals);
        PARAMETERS + 2 * choice.batch + scratch
    }

    /// Weight, bias and output weight of a unit.
    pub(crate) fn unit(&self, unit: usize) -> Option<[f32; 3]> {
        let entry = |row: usize| self.weights.get(row * HIDDEN + unit).copied();
        Some([entry(0)?, entry(1)?, entry(2)?])
    }
}

fn samples<'a>([x, y]: &'a [impl AsRef<[f32]>; 2]) -> Samples<'a, f32> {
    Samples { inputs: Inputs::Dense(x.as_ref()), targets: Targets::Values(y.as_ref()) }
}

/// `n` fresh samples of the built-in function: the interval is cut into `n` equal parts, and one is
/// drawn from each. They cover it better than `n` drawn from the whole, and ascend, so that the Gram
/// matrix skips what is not active with the least work.
#[inline(never)] // its stack is free again before the step's is needed
fn draw_batch(drawn: &mut [[f32; LARGEST_BATCH]; 2], n: usize, rng: Option<&mut Pcg32>) {
    let Some(rng) = rng else { return };
    let (low, high) = Task::Gaussian.range::<f32>();
    let width = (high - low) / n as f32;
    let [x, y] = drawn;
    for (part, (x, y)) in x.iter_mut().zip(y).take(n).enumerate() {
        let start = low + width * part as f32;
        *x = rng.uniform(start, start + width);
        *y = Task::Gaussian.target(&[*x]);
    }
}

/// `n` different samples of those that were fed, or all of them.
fn pick_batch<'a>(
    fed: &'a [[f32; SAMPLES]; 2],
    order: &'a mut [u32],
    n: usize,
    rng: Option<&mut Pcg32>,
) -> Batch<'a, f32> {
    let n = n.min(order.len());
    if let (Some(rng), true) = (rng, n < order.len()) {
        shuffle_first(order, n, rng);
    }
    Batch::of(samples(fed), order.get(..n).unwrap_or_default())
}

/// The first `n` steps of Fisher and Yates.
#[inline(never)]
fn shuffle_first(order: &mut [u32], n: usize, rng: &mut Pcg32) {
    for place in 0..n {
        let rest = order.get_mut(place..).unwrap_or_default();
        let other = rng.below(rest.len() as u32) as usize;
        if let Some((first, others)) = rest.split_first_mut()
            && let Some(other) = others.get_mut(other.wrapping_sub(1))
        {
            core::mem::swap(first, other);
        }
    }
}
