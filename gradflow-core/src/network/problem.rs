//! A network on a batch: the objective that schemes see.

use core::marker::PhantomData;

use super::closed_form::GramForm;
use super::dense_sparse::{activate, pull_back, respond, weigh_inputs};
use super::gram::{GramParts, gram, padded};
use super::line_problem::LineProblem;
use super::loss::Target;
use super::samples::{Inputs, Row, Targets};
use super::scratch::{PIECE, split_piece};
use super::{Batch, Layers, Loss, Residual, Scratch, TwoLayer};
use crate::error::{Buffer, Error};
use crate::float::{Exact, Float, Math};
use crate::linalg::{BLOCK, Matrix as _, Packed, axpy, copy, dot};
use crate::objective::{Objective, Residuals};

/// A network, a batch, a loss and the memory to work in.
///
/// `M` is where the exponentials of softmax come from; see [`Math`].
#[derive(Debug)]
pub struct Problem<'a, T, M = Exact> {
    network: TwoLayer<T>,
    batch: Batch<'a, T>,
    loss: Loss,
    residual: Residual,
    scratch: Scratch<'a, T>,
    spread: bool,
    math: PhantomData<M>,
}

impl<T: Float> TwoLayer<T> {
    /// This network on a batch, as an [`Objective`] with the scratch of
    /// [`scratch_len`](Self::scratch_len), as [`Residuals`] with that of
    /// [`residual_scratch_len`](Self::residual_scratch_len).
    ///
    /// # Errors
    /// An empty batch, an index outside the set, buffers that are too short, targets that are not
    /// of the loss's kind, or classes for a network with one output.
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
    pub fn on_by<'a, M: Math<T>>(
        &self,
        batch: Batch<'a, T>,
        loss: Loss,
        scratch: Scratch<'a, T>,
    ) -> Result<Problem<'a, T, M>, Error> {
        batch.check(self.inputs, self.outputs)?;
        match batch.samples.targets {
            Targets::Values(_) if loss.classifies() => {
                return Err(Error::Unsupported("this loss needs class labels as targets"));
            }
            Targets::Labels(_) if !loss.classifies() => {
                return Err(Error::Unsupported("the mean squared error needs numbers as targets"));
            }
            Targets::Labels(_) if self.outputs < 2 => {
                return Err(Error::Unsupported("classes need a network with at least two outputs"));
            }
            _ => {}
        }
        let residual = Residual::default_for(loss);
        Ok(Problem {
            network: *self,
            batch,
            loss,
            residual,
            scratch,
            spread: false,
            math: PhantomData,
        })
    }
}

impl<'a, T: Float, M: Math<T>> Problem<'a, T, M> {
    /// The same problem with another residual for IEQ.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if the residual belongs to another loss.
    pub fn with_residual(mut self, residual: Residual) -> Result<Self, Error> {
        if !residual.fits(self.loss) {
            return Err(Error::Unsupported("this residual belongs to another loss"));
        }
        self.residual = residual;
        Ok(self)
    }

    /// The same problem, whose forward pass spreads each sparse input over all samples instead of
    /// gathering each sample's inputs: the same sums, and faster or slower with the registers that the
    /// caller is compiled for.
    #[cfg(feature = "wide")]
    #[must_use]
    pub const fn spreading(mut self, spread: bool) -> Self {
        self.spread = spread;
        self
    }

    fn spreads(&self) -> bool {
        self.spread
            && self.network.hidden >= BLOCK
            && matches!(self.batch.samples.inputs, Inputs::Sparse { .. })
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

    /// The line kernels serve one input and one output under the mean squared error.
    const fn is_line(&self) -> bool {
        self.network.is_line() && matches!(self.loss, Loss::Mse)
    }

    /// This problem as its special case, where it is one.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn as_line(&mut self) -> Option<LineProblem<'_, T>> {
        self.is_line().then(|| LineProblem {
            network: self.network,
            batch: self.batch,
            residual: self.residual,
            scratch: self.scratch.reborrow(),
            gram_form: GramForm::General,
        })
    }

    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    fn general_loss(&mut self, w: &[T]) -> Result<T, Error> {
        let (network, batch, loss) = (self.network, self.batch, self.loss);
        let spread = self.spreads();
        let layers = network.layers(w)?;
        let (mut piece, _) = split_piece(&network, batch.len(), &mut self.scratch)?;
        let mut sum = T::ZERO;
        for start in (0..batch.len()).step_by(PIECE) {
            let rows = batch.rows(start, PIECE, network.inputs);
            let h = piece.activations.get_mut(..rows.len * network.row_len()).unwrap_or_default();
            let f = piece.outputs.get_mut(..rows.len * network.outputs).unwrap_or_default();
            if spread {
                piece.work.active.mark(&rows);
            }
            activate(&network, &layers, &rows, &mut piece.work, h, spread);
            respond(&network, &layers, h, f);
            for (i, f) in f.rows_mut(network.outputs).enumerate() {
                let target = Target::at(&batch, start + i, network.outputs)?;
                sum += loss.value::<T, M>(f, target);
            }
        }
        Ok(sum / loss.divisor(batch.len(), network.outputs))
    }

    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    fn general_gradient(&mut self, w: &[T], gradient: &mut [T]) -> Result<T, Error> {
        let (network, batch, loss) = (self.network, self.batch, self.loss);
        let spread = self.spreads();
        let layers = network.layers(w)?;
        let mut gradient = network.layers_mut(gradient)?;
        let (mut piece, _) = split_piece(&network, batch.len(), &mut self.scratch)?;
        let divisor = loss.divisor(batch.len(), network.outputs);
        let factor = T::ONE / divisor;
        let mut sum = T::ZERO;
        for start in (0..batch.len()).step_by(PIECE) {
            let rows = batch.rows(start, PIECE, network.inputs);
            let h = piece.activations.get_mut(..rows.len * network.row_len()).unwrap_or_default();
            let f = piece.outputs.get_mut(..rows.len * network.outputs).unwrap_or_default();
            piece.work.active.mark(&rows);
            activate(&network, &layers, &rows, &mut piece.work, h, spread);
            respond(&network, &layers, h, f);
            for (i, f) in f.rows_mut(network.outputs).enumerate() {
                let target = Target::at(&batch, start + i, network.outputs)?;
                sum += loss.delta::<T, M>(f, target, factor);
            }
            pull_back(&network, &layers, &rows, h, f, &mut piece.work, &mut gradient);
        }
        Ok(sum / divisor)
    }

    /// Cuts off what a linearisation keeps: activations and probabilities of every sample.
    fn split_kept<'s>(
        network: &TwoLayer<T>,
        n: usize,
        rest: &'s mut [T],
    ) -> Result<[&'s mut [T]; 3], Error> {
        let needed = network.residual_scratch_len(n).reals;
        let got = needed.min(network.scratch_len(n).reals + rest.len());
        let short = Error::Length { what: Buffer::Scratch, needed, got };
        let (activations, rest) = rest.split_at_mut_checked(n * network.row_len()).ok_or(short)?;
        let (outputs, rest) = rest.split_at_mut_checked(n * network.outputs).ok_or(short)?;
        Ok([activations, outputs, rest])
    }

    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    fn general_linearise(&mut self, w: &[T], q: &mut [T]) -> Result<T, Error> {
        let (network, batch, loss, residual) = (self.network, self.batch, self.loss, self.residual);
        let spread = self.spreads();
        let layers = network.layers(w)?;
        let (n, k) = (batch.len(), network.outputs);
        let (mut piece, rest) = split_piece(&network, n, &mut self.scratch)?;
        let [activations, outputs, _] = Self::split_kept(&network, n, rest)?;
        let pieces = activations.pieces_mut(PIECE * network.row_len());
        for (start, h) in (0..n).step_by(PIECE).zip(pieces) {
            let rows = batch.rows(start, PIECE, network.inputs);
            if spread {
                piece.work.active.mark(&rows);
            }
            activate(&network, &layers, &rows, &mut piece.work, h, spread);
        }
        respond(&network, &layers, activations, outputs);
        let unit = residual.unit(n, k);
        let mut sum = T::ZERO;
        let samples = outputs.rows_mut(k).zip(q.rows_mut(k));
        for (i, (f, q)) in samples.enumerate() {
            let target = Target::at(&batch, i, k)?;
            let work = piece.outputs.get_mut(..k).unwrap_or_default();
            copy(f, work);
            sum += loss.value::<T, M>(work, target);
            residual.prepare::<T, M>(f);
            residual.entries(unit, f, target, q);
        }
        Ok(sum / loss.divisor(n, k))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn general_push(&mut self, w: &[T], v: &[T], image: &mut [T]) -> Result<(), Error> {
        let (network, batch, residual) = (self.network, self.batch, self.residual);
        let (layers, v) = (network.layers(w)?, network.layers(v)?);
        let (n, m, k) = (batch.len(), network.hidden, network.outputs);
        let unit = residual.unit(n, k);
        let (piece, rest) = split_piece(&network, n, &mut self.scratch)?;
        let [activations, outputs, _] = Self::split_kept(&network, n, rest)?;
        let z = piece.activations.get_mut(..m).unwrap_or_default();
        let biases = v.hidden.get(network.inputs * m..).unwrap_or_default();
        let samples = activations.rows(network.row_len()).zip(outputs.rows(k));
        let rows = batch.rows(0, n, network.inputs);
        for ((row, (h, p)), image) in rows.iter().zip(samples).zip(image.rows_mut(k)) {
            let h = h.get(..m).unwrap_or_default();
            weigh_inputs(row, v.hidden, z);
            for ((z, &bias), &h) in z.iter_mut().zip(biases).zip(h) {
                *z = if h > T::ZERO { *z + bias } else { T::ZERO };
            }
            let outputs = layers.output.rows(m).zip(v.output.rows(m));
            for (image, (a, v_a)) in image.iter_mut().zip(outputs) {
                *image = network.scale * (dot(a, z) + dot(v_a, h));
            }
            axpy(T::ONE, v.output_bias, image);
            residual.apply(unit, p, image);
        }
        Ok(())
    }

    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    fn general_pull(&mut self, w: &[T], u: &[T], out: &mut [T]) -> Result<(), Error> {
        let (network, batch, residual) = (self.network, self.batch, self.residual);
        let layers = network.layers(w)?;
        let (n, k) = (batch.len(), network.outputs);
        let unit = residual.unit(n, k);
        let mut out = network.layers_mut(out)?;
        let (mut piece, rest) = split_piece(&network, n, &mut self.scratch)?;
        let [activations, outputs, _] = Self::split_kept(&network, n, rest)?;
        let kept = activations.pieces(PIECE * network.row_len()).zip(outputs.pieces(PIECE * k));
        for (start, ((h, p), u)) in (0..n).step_by(PIECE).zip(kept.zip(u.pieces(PIECE * k))) {
            let rows = batch.rows(start, PIECE, network.inputs);
            let deltas = piece.outputs.get_mut(..u.len()).unwrap_or_default();
            copy(u, deltas);
            for (delta, p) in deltas.rows_mut(k).zip(p.rows(k)) {
                residual.apply_transposed(unit, p, delta);
            }
            let work = piece.activations.get_mut(..h.len()).unwrap_or_default();
            copy(h, work);
            piece.work.active.mark(&rows);
            pull_back(&network, &layers, &rows, work, deltas, &mut piece.work, &mut out);
        }
        Ok(())
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn general_gram(&mut self, w: &[T], out: &mut [T]) -> Result<(), Error> {
        let (network, batch, residual) = (self.network, self.batch, self.residual);
        let layers = network.layers(w)?;
        let (n, m, k) = (batch.len(), network.hidden, network.outputs);
        let (_, rest) = split_piece(&network, n, &mut self.scratch)?;
        let [activations, probabilities, rest] = Self::split_kept(&network, n, rest)?;
        let needed = network.residual_scratch_len(n).reals;
        let short = Error::Length { what: Buffer::Scratch, needed, got: rest.len() };
        let (mixed, rest) = rest.split_at_mut_checked(n * k * padded(m)).ok_or(short)?;
        let (products, rest) = rest.split_at_mut_checked(n * (n + 1)).ok_or(short)?;
        let row = rest.get_mut(..network.inputs).ok_or(short)?;
        let mut parts = GramParts { activations, probabilities, mixed, products, row };
        let rows = batch.rows(0, n, network.inputs);
        gram(&network, &layers, &rows, residual, &mut parts, out)
    }
}

impl<T: Float, M: Math<T>> Objective<T> for Problem<'_, T, M> {
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
        match self.as_line() {
            Some(mut line) => line.gradient(w, gradient),
            None => self.general_gradient(w, gradient),
        }
    }
}

impl<T: Float, M: Math<T>> Residuals<T> for Problem<'_, T, M> {
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
        let (network, batch, residual) = (self.network, self.batch, self.residual);
        if !residual.mixes() {
            return Ok(None);
        }
        let layers = network.layers(w)?;
        let (n, k) = (batch.len(), network.outputs);
        let (_, rest) = split_piece(&network, n, &mut self.scratch)?;
        let [activations, probabilities, _] = Self::split_kept(&network, n, rest)?;
        let mut sums = [T::ZERO; 2];
        let rows = batch.rows(0, n, network.inputs);
        let kept = activations.rows(network.row_len()).zip(probabilities.rows(k));
        for (row, (h, p)) in rows.iter().zip(kept) {
            residual.add_sizes(p, slope_sq(&network, &layers, row, h), &mut sums);
        }
        let unit = residual.unit::<T>(n, k);
        Ok(Some(sums.map(|sum| unit * unit * sum)))
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
        self.gradient(w, buffer)?;
        Ok(crate::linalg::norm_sq(buffer))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn descend(&mut self, w: &mut [T], u: &[T], length: T, buffer: &mut [T]) -> Result<T, Error> {
        Error::check_length(Buffer::Residual, self.residual_len(), u.len())?;
        if let Some(mut line) = self.as_line() {
            return line.descend(w, u, length, buffer);
        }
        self.general_pull(w, u, buffer)?;
        crate::objective::descend_along(w, buffer, length)
    }
}

/// The squared norm of a sample's rows of `J_f`.
fn slope_sq<T: Float>(
    network: &TwoLayer<T>,
    layers: &Layers<'_, T>,
    row: Row<'_, T>,
    h: &[T],
) -> T {
    let (Row::Dense(x) | Row::Sparse(_, x)) = row;
    let mut active_sq = T::ZERO;
    for a in layers.output.rows(network.hidden) {
        for (&a, &h) in a.iter().zip(h) {
            active_sq += if h > T::ZERO { a * a } else { T::ZERO };
        }
    }
    let outputs = T::from_usize(network.outputs);
    let bias = if network.output_bias { outputs } else { T::ZERO };
    let s_sq = network.scale * network.scale;
    s_sq * ((dot(x, x) + T::ONE) * active_sq + outputs * dot(h, h)) + bias
}

/// Entries of the packed Gram matrix of a batch.
impl<T: Float> TwoLayer<T> {
    /// Entries of the packed Gram matrix of `batch` samples.
    #[must_use]
    pub const fn gram_len(&self, batch: usize) -> usize {
        Packed::<T>::len_of(batch * self.outputs)
    }
}
