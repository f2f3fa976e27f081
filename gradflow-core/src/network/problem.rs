//! A network on a batch: the objective that schemes see.

use core::marker::PhantomData;

use super::dense_sparse_backward::Zeros;
#[cfg(feature = "wide")]
use super::gradient_bound::gradient_bound;
use super::line_problem::LineProblem;
use super::scratch::PIECE;
use super::transposed::Held;
use super::{Batch, Caller, Inlined, Inputs, Loss, Residual, Scratch, TwoLayer};
use crate::error::{Buffer, Error};
use crate::float::{Exact, Float, Math};
use crate::linalg::Packed;
use crate::objective::{Objective, Residuals};
#[cfg(feature = "wide")]
use crate::support::Support;

/// A network, a batch, a loss and the memory to work in.
///
/// `M` is where the exponentials of softmax come from, see [`Math`]; `C` is who calls the kernels.
#[derive(Debug)]
pub struct Problem<'a, T, M = Exact, C = Inlined> {
    pub(super) network: TwoLayer<T>,
    pub(super) batch: Batch<'a, T>,
    pub(super) loss: Loss,
    pub(super) residual: Residual,
    pub(super) scratch: Scratch<'a, T>,
    pub(super) held: Held,
    /// The sum of the sizes of all derivatives in the outputs, times s, of the last gradient; only with
    /// wide kernels.
    pub(super) deltas: T,
    pub(super) caller: C,
    math: PhantomData<M>,
}

impl<T: Float> TwoLayer<T> {
    /// This network on a batch, as an [`Objective`] with the scratch of
    /// [`scratch_len`](Self::scratch_len), as [`Residuals`] with that of
    /// [`residual_scratch_len`](Self::residual_scratch_len).
    ///
    /// # Errors
    /// An empty batch, an index outside the set, buffers that are too short, sparse rows of another
    /// number of inputs, targets that are not of the loss's kind, or classes for a network with one
    /// output.
    ///
    /// ```
    /// use gradflow_core::network::*;
    /// use gradflow_core::Objective;
    /// let network = TwoLayer::new(1, 3, 1)?;
    /// let samples = Samples { inputs: Inputs::Dense(&[0.5]), targets: Targets::Values(&[1.0]) };
    /// let mut reals = [0.0_f64; 24];
    /// let scratch = Scratch { reals: &mut reals, indices: &mut [] };
    /// let w = [1.0, -1.0, 0.0, 0.0, 0.0, 0.5, 2.0, 2.0, 2.0];
    /// let mut problem = network.on(Batch::all(samples, 1), Loss::Mse, scratch)?;
    /// // f = 2 relu(0.5) + 2 relu(-0.5) + 2 relu(0.5) = 2
    /// assert_eq!(problem.loss(&w)?, 1.0);
    /// # Ok::<(), gradflow_core::Error>(())
    /// ```
    #[cfg_attr(feature = "wide", inline(always))]
    pub fn on<'a>(
        &self,
        batch: Batch<'a, T>,
        loss: Loss,
        scratch: Scratch<'a, T>,
    ) -> Result<Problem<'a, T>, Error> {
        self.on_by::<Exact>(batch, loss, scratch)
    }

    /// [`on`](Self::on) with a chosen source of exponentials.
    ///
    /// # Errors
    /// As [`on`](Self::on).
    #[cfg_attr(feature = "wide", inline(always))]
    pub fn on_by<'a, M: Math<T>>(
        &self,
        batch: Batch<'a, T>,
        loss: Loss,
        scratch: Scratch<'a, T>,
    ) -> Result<Problem<'a, T, M>, Error> {
        batch.check(self.inputs, self.outputs)?;
        loss.check(&batch.samples.targets, self.outputs)?;
        let residual = Residual::default_for(loss);
        Ok(Problem {
            network: *self,
            batch,
            loss,
            residual,
            scratch,
            held: None,
            deltas: T::INFINITY,
            caller: Inlined::default(),
            math: PhantomData,
        })
    }
}

impl<'a, T: Float, M: Math<T>, C: Caller> Problem<'a, T, M, C> {
    /// The same problem with another residual for IEQ.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if the residual belongs to another loss.
    #[cfg_attr(feature = "wide", inline(always))]
    pub fn with_residual(mut self, residual: Residual) -> Result<Self, Error> {
        if !residual.fits(self.loss) {
            return Err(Error::Unsupported("this residual belongs to another loss"));
        }
        self.residual = residual;
        Ok(self)
    }

    /// The same problem, with its kernels called by another.
    #[must_use]
    #[cfg_attr(feature = "wide", inline(always))]
    pub fn called_by<D: Caller>(self, caller: D) -> Problem<'a, T, M, D> {
        let Self { network, batch, loss, residual, scratch, held, deltas, math, .. } = self;
        Problem { network, batch, loss, residual, scratch, held, deltas, caller, math }
    }

    /// From now on, this caller calls the kernels.
    #[cfg(feature = "wide")]
    #[inline]
    pub const fn set_caller(&mut self, caller: C) {
        self.caller = caller;
    }

    /// The network.
    #[must_use]
    pub const fn network(&self) -> &TwoLayer<T> {
        &self.network
    }

    /// The batch.
    #[must_use]
    pub const fn batch(&self) -> Batch<'a, T> {
        self.batch
    }

    /// Whether the weights of some inputs may have no gradient, and it is known which: those of sparse
    /// inputs that are transposed in one piece.
    const fn has_support(&self) -> bool {
        let sparse = !matches!(self.batch.samples.inputs, Inputs::Dense(_));
        cfg!(feature = "wide") && sparse && self.batch.len() <= PIECE && !self.is_line()
    }

    /// The line kernels serve one input and one output under the mean squared error.
    const fn is_line(&self) -> bool {
        self.network.is_line() && matches!(self.loss, Loss::Mse)
    }

    /// This problem as its special case, where it is one.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn as_line(&mut self) -> Option<LineProblem<'_, T>> {
        self.is_line().then(|| LineProblem {
            residual: self.residual,
            vectors: self.caller.vectors(),
            ..LineProblem::new(self.network, self.batch, self.scratch.reborrow())
        })
    }
}

impl<T: Float, M: Math<T>, C: Caller> Objective<T> for Problem<'_, T, M, C> {
    fn parameters(&self) -> usize {
        self.network.parameters()
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn loss(&mut self, w: &[T]) -> Result<T, Error> {
        match self.as_line() {
            Some(mut line) => line.loss(w),
            None => self.general_loss(w),
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn gradient(&mut self, w: &[T], gradient: &mut [T]) -> Result<T, Error> {
        let loss = self.sparse_gradient(w, gradient)?;
        self.support().clear_outside(gradient);
        Ok(loss)
    }

    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    fn sparse_gradient(&mut self, w: &[T], gradient: &mut [T]) -> Result<T, Error> {
        let zeros = if self.has_support() { Zeros::Left } else { Zeros::Written };
        match self.as_line() {
            Some(mut line) => line.gradient(w, gradient),
            None => self.general_gradient(w, gradient, zeros),
        }
    }

    #[cfg(feature = "wide")]
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn support(&self) -> Support<'_> {
        let parameters = self.network.parameters();
        if !self.has_support() || self.held != Some(0) {
            return Support::all(parameters);
        }
        let marks = self.scratch.indices.as_chunks().0;
        let marks = marks.get(..self.network.inputs).unwrap_or_default();
        Support::of_rows(marks, self.network.hidden, parameters)
    }

    #[cfg(feature = "wide")]
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn gradient_bound(&mut self, w: &[T], gradient: &[T]) -> T {
        let (Ok(w), Ok(gradient)) = (self.network.layers(w), self.network.layers(gradient)) else {
            return T::INFINITY;
        };
        let inputs = (self.batch.samples.inputs, self.batch.len());
        gradient_bound(&self.network, &w, &gradient, inputs, self.deltas)
    }
}

impl<T: Float, M: Math<T>, C: Caller> Residuals<T> for Problem<'_, T, M, C> {
    fn outputs(&self) -> usize {
        self.network.outputs
    }

    fn residual_len(&self) -> usize {
        self.batch.len() * self.network.outputs
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn linearise(&mut self, w: &[T], q: &mut [T]) -> Result<T, Error> {
        Error::check_length(Buffer::Residual, self.residual_len(), q.len())?;
        match self.as_line() {
            Some(mut line) => line.linearise(w, q),
            None => self.general_linearise(w, q),
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn gram(&mut self, w: &[T], gram: &mut [T]) -> Result<(), Error> {
        match self.as_line() {
            Some(mut line) => line.gram(w, gram),
            None => self.general_gram(w, gram),
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn push_forward(&mut self, w: &[T], v: &[T], image: &mut [T]) -> Result<(), Error> {
        Error::check_length(Buffer::Residual, self.residual_len(), image.len())?;
        match self.as_line() {
            Some(mut line) => line.push_forward(w, v, image),
            None => self.general_push(w, v, image),
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn pull_back(&mut self, w: &[T], u: &[T], out: &mut [T]) -> Result<(), Error> {
        Error::check_length(Buffer::Residual, self.residual_len(), u.len())?;
        match self.as_line() {
            Some(mut line) => line.pull_back(w, u, out),
            None => self.general_pull(w, u, out),
        }
    }

    fn energy_is_loss(&self) -> bool {
        self.residual.energy_is_loss()
    }

    fn cancellation(&mut self, w: &[T]) -> Result<Option<[T; 2]>, Error> {
        self.general_cancellation(w)
    }

    fn unit(&self) -> T {
        self.residual.unit(self.batch.len(), self.network.outputs)
    }

    fn sample(&self, i: usize) -> usize {
        self.batch.sample(i)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn gradient_norm_sq(&mut self, w: &[T], buffer: &mut [T]) -> Result<T, Error> {
        if let Some(mut line) = self.as_line() {
            return line.gradient_norm_sq(w, buffer);
        }
        crate::objective::gradient_norm_sq(self, w, buffer)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn descend(&mut self, w: &mut [T], u: &[T], length: T, buffer: &mut [T]) -> Result<T, Error> {
        Error::check_length(Buffer::Residual, self.residual_len(), u.len())?;
        if let Some(mut line) = self.as_line() {
            return line.descend(w, u, length, buffer);
        }
        crate::objective::descend(self, w, u, length, buffer)
    }
}

impl<T: Float> TwoLayer<T> {
    /// Entries of the packed Gram matrix of `batch` samples.
    #[must_use]
    pub const fn gram_len(&self, batch: usize) -> usize {
        Packed::<T>::len_of(batch * self.outputs)
    }
}
