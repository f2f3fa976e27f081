//! What schemes ask of any network, piece by piece of a batch.

use super::dense_sparse::{activate, weigh_inputs};
use super::dense_sparse_backward::{GradientMut, Zeros, pull_back};
use super::gram::{GramParts, gram, padded};
use super::loss::{PieceTargets, Target};
use super::output_layer::respond;
use super::samples::Row;
use super::scratch::{PIECE, split_piece};
use super::{Caller, Layers, Problem, TwoLayer};
use crate::error::{Buffer, Error};
use crate::float::{Float, Math};
#[cfg(feature = "wide")]
use crate::linalg::{LANES, Lanes};
use crate::linalg::{Matrix as _, axpy, copy, dot, norm_1};

impl<T: Float, M: Math<T>, C: Caller> Problem<'_, T, M, C> {
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    pub(super) fn general_loss(&mut self, w: &[T]) -> Result<T, Error> {
        let (network, batch, loss) = (self.network, self.batch, self.loss);
        let layers = network.layers(w)?;
        let (mut piece, _) = split_piece(&network, batch.len(), self.caller, &mut self.scratch)?;
        // If a gradient has left the last piece transposed, it goes first, and its losses are added last.
        let mut starts = (0..batch.len()).step_by(PIECE);
        let held = starts.clone().next_back().filter(|_| cfg!(feature = "wide"));
        let held = held.filter(|&last| last > 0 && self.held == Some(last));
        let mut held_losses = [T::ZERO; PIECE];
        let mut sum = T::ZERO;
        let mut next = held.or_else(|| starts.next());
        while let Some(start) = next {
            let rows = batch.rows(start, PIECE, network.inputs);
            let h = piece.activations.get_mut(..rows.len * network.row_len()).unwrap_or_default();
            let f = piece.outputs.get_mut(..rows.len * network.outputs).unwrap_or_default();
            if piece.work.spreads(&network, &rows) {
                piece.work.inputs.fill(&rows, &mut self.held);
            }
            activate(&network, &layers, &rows, &mut piece.work, h);
            respond(&network, &layers, &mut piece.work, h, f);
            let targets = PieceTargets { batch, start, outputs: network.outputs };
            let losses = loss.values::<T, M>(f, &targets)?;
            if Some(start) == held {
                held_losses = losses;
            } else {
                losses.iter().take(rows.len).for_each(|&loss| sum += loss);
            }
            next = starts.next().filter(|&start| Some(start) != held);
        }
        if let Some(start) = held {
            held_losses.iter().take(batch.len() - start).for_each(|&loss| sum += loss);
        }
        Ok(sum / loss.divisor(batch.len(), network.outputs))
    }

    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    pub(super) fn general_gradient(
        &mut self,
        w: &[T],
        gradient: &mut [T],
        zeros: Zeros,
    ) -> Result<T, Error> {
        let (network, batch, loss) = (self.network, self.batch, self.loss);
        let layers = network.layers(w)?;
        let mut gradient = GradientMut { layers: network.layers_mut(gradient)?, zeros };
        let (mut piece, _) = split_piece(&network, batch.len(), self.caller, &mut self.scratch)?;
        let divisor = loss.divisor(batch.len(), network.outputs);
        let factor = T::ONE / divisor;
        let (mut sum, mut deltas) = (T::ZERO, T::ZERO);
        for start in (0..batch.len()).step_by(PIECE) {
            let rows = batch.rows(start, PIECE, network.inputs);
            let h = piece.activations.get_mut(..rows.len * network.row_len()).unwrap_or_default();
            let f = piece.outputs.get_mut(..rows.len * network.outputs).unwrap_or_default();
            piece.work.inputs.fill(&rows, &mut self.held);
            activate(&network, &layers, &rows, &mut piece.work, h);
            respond(&network, &layers, &mut piece.work, h, f);
            let targets = PieceTargets { batch, start, outputs: network.outputs };
            loss.add_deltas::<T, M>(f, &targets, factor, &mut sum)?;
            pull_back(&network, &layers, &rows, h, f, &mut piece.work, &mut gradient);
            if cfg!(feature = "wide") {
                deltas += norm_1(f);
            }
        }
        self.deltas = deltas;
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
    pub(super) fn general_linearise(&mut self, w: &[T], q: &mut [T]) -> Result<T, Error> {
        let (network, batch, loss, residual) = (self.network, self.batch, self.loss, self.residual);
        let layers = network.layers(w)?;
        let (n, k) = (batch.len(), network.outputs);
        let (mut piece, rest) = split_piece(&network, n, self.caller, &mut self.scratch)?;
        let [activations, outputs, _] = Self::split_kept(&network, n, rest)?;
        let pieces = activations.pieces_mut(PIECE * network.row_len());
        for (start, h) in (0..n).step_by(PIECE).zip(pieces) {
            let rows = batch.rows(start, PIECE, network.inputs);
            if piece.work.spreads(&network, &rows) {
                piece.work.inputs.fill(&rows, &mut self.held);
            }
            activate(&network, &layers, &rows, &mut piece.work, h);
        }
        respond(&network, &layers, &mut piece.work, activations, outputs);
        let mut sum = T::ZERO;
        for (start, f) in (0..n).step_by(PIECE).zip(outputs.pieces(PIECE * k)) {
            let work = piece.outputs.get_mut(..f.len()).unwrap_or_default();
            copy(f, work);
            let targets = PieceTargets { batch, start, outputs: k };
            let losses = loss.values::<T, M>(work, &targets)?;
            losses.iter().take(n - start).for_each(|&loss| sum += loss);
        }
        let unit = residual.unit(n, k);
        let samples = outputs.rows_mut(k).zip(q.rows_mut(k));
        for (i, (f, q)) in samples.enumerate() {
            let target = Target::at(&batch, i, k)?;
            residual.prepare::<T, M>(f);
            residual.entries(unit, f, target, q);
        }
        Ok(sum / loss.divisor(n, k))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn general_push(&mut self, w: &[T], v: &[T], image: &mut [T]) -> Result<(), Error> {
        let (network, batch, residual) = (self.network, self.batch, self.residual);
        let (layers, v) = (network.layers(w)?, network.layers(v)?);
        let (n, m, k) = (batch.len(), network.hidden, network.outputs);
        let unit = residual.unit(n, k);
        let (piece, rest) = split_piece(&network, n, self.caller, &mut self.scratch)?;
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
    pub(super) fn general_pull(&mut self, w: &[T], u: &[T], out: &mut [T]) -> Result<(), Error> {
        let (network, batch, residual) = (self.network, self.batch, self.residual);
        let layers = network.layers(w)?;
        let (n, k) = (batch.len(), network.outputs);
        let unit = residual.unit(n, k);
        let mut out = GradientMut { layers: network.layers_mut(out)?, zeros: Zeros::Written };
        let (mut piece, rest) = split_piece(&network, n, self.caller, &mut self.scratch)?;
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
            piece.work.inputs.fill(&rows, &mut self.held);
            if piece.work.takes_two(&network) && !rows.is_dense() {
                piece.work.inputs.complete();
            }
            pull_back(&network, &layers, &rows, work, deltas, &mut piece.work, &mut out);
        }
        Ok(())
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn general_gram(&mut self, w: &[T], out: &mut [T]) -> Result<(), Error> {
        let (network, batch, residual) = (self.network, self.batch, self.residual);
        let layers = network.layers(w)?;
        let (n, m, k) = (batch.len(), network.hidden, network.outputs);
        let (_, rest) = split_piece(&network, n, self.caller, &mut self.scratch)?;
        let [activations, probabilities, rest] = Self::split_kept(&network, n, rest)?;
        let needed = network.residual_scratch_len(n).reals;
        let short = Error::Length { what: Buffer::Scratch, needed, got: rest.len() };
        let (mixed, rest) = rest.split_at_mut_checked(n * k * padded(m)).ok_or(short)?;
        let (products, rest) = rest.split_at_mut_checked(n * (n + 1)).ok_or(short)?;
        let inputs = rest.get_mut(..n * padded(network.inputs)).ok_or(short)?;
        let mut parts = GramParts { activations, probabilities, mixed, products, inputs };
        let rows = batch.rows(0, n, network.inputs);
        gram(&network, &layers, &rows, residual, &mut parts, out)
    }

    /// What [`Residuals::cancellation`](crate::Residuals::cancellation) wants.
    pub(super) fn general_cancellation(&mut self, w: &[T]) -> Result<Option<[T; 2]>, Error> {
        let (network, batch, residual) = (self.network, self.batch, self.residual);
        if !residual.mixes() {
            return Ok(None);
        }
        let layers = network.layers(w)?;
        let (n, k) = (batch.len(), network.outputs);
        let (_, rest) = split_piece(&network, n, self.caller, &mut self.scratch)?;
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
}

/// The squared norm of a sample's rows of `J_f`.
fn slope_sq<T: Float>(
    network: &TwoLayer<T>,
    layers: &Layers<'_, T>,
    row: Row<'_, T>,
    h: &[T],
) -> T {
    let x_sq = match row {
        Row::Dense(x) | Row::Sparse(_, x) => dot(x, x),
        #[cfg(feature = "wide")]
        Row::Levels(row) => {
            let mut lanes = Lanes::ZERO;
            // The lanes of sparse rows, in which no zero is stored.
            let values = row.terms().map(|(_, x)| x).filter(|&x| x != T::ZERO);
            for (i, x) in values.enumerate() {
                if let Some(lane) = lanes.0.get_mut(i % LANES) {
                    *lane += x * x;
                }
            }
            lanes.total()
        }
    };
    let mut active_sq = T::ZERO;
    for a in layers.output.rows(network.hidden) {
        for (&a, &h) in a.iter().zip(h) {
            active_sq += if h > T::ZERO { a * a } else { T::ZERO };
        }
    }
    let outputs = T::from_usize(network.outputs);
    let bias = if network.output_bias { outputs } else { T::ZERO };
    let s_sq = network.scale * network.scale;
    s_sq * ((x_sq + T::ONE) * active_sq + outputs * dot(h, h)) + bias
}
