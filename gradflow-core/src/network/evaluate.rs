//! Predictions and figures of merit over whole sets, in pieces.

use super::dense_sparse::activate;
use super::line_problem::LineProblem;
use super::loss::Target;
use super::output_layer::respond;
use super::scratch::{PIECE, split_piece};
use super::{Batch, Inlined, Loss, Samples, Scratch, TwoLayer, Vectors};
use crate::error::{Buffer, Error};
use crate::float::Float;
use crate::linalg::Matrix as _;
use crate::objective::Objective;

/// Callers compile all of this for registers of 256 bits at most.
const LONG: Inlined = Inlined(Vectors::Long);

/// How a network does on a set.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// Mean loss over the set.
    pub loss: f64,
    /// Samples whose largest output is their class (0 for the mean squared error).
    pub correct: usize,
    /// Number of samples.
    pub samples: usize,
}

impl<T: Float> TwoLayer<T> {
    /// `f(x)` of each sample of the batch into `out`, `len × k`.
    ///
    /// # Errors
    /// Buffers whose lengths do not fit.
    pub fn predict(
        &self,
        w: &[T],
        batch: Batch<'_, T>,
        scratch: &mut Scratch<'_, T>,
        out: &mut [T],
    ) -> Result<(), Error> {
        if self.is_line() {
            return LineProblem::new(*self, batch, scratch.reborrow()).predict(w, out);
        }
        Error::check_length(Buffer::Predictions, batch.len() * self.outputs(), out.len())?;
        let layers = self.layers(w)?;
        let (mut piece, _) = split_piece(self, batch.len(), LONG, scratch)?;
        let outputs = out.chunks_mut((PIECE * self.outputs()).max(1));
        for (start, out) in (0..batch.len()).step_by(PIECE).zip(outputs) {
            let rows = batch.rows(start, PIECE, self.inputs());
            let h = piece.activations.get_mut(..rows.len * self.row_len()).unwrap_or_default();
            activate(self, &layers, &rows, &mut piece.work, h);
            respond(self, &layers, &mut piece.work, h, out);
        }
        Ok(())
    }

    /// Mean loss and number of right answers over the samples that `order` names, summed in f64.
    /// The scratch serves batches of 64.
    ///
    /// # Errors
    /// As [`on`](Self::on).
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn evaluate(
        &self,
        w: &[T],
        samples: Samples<'_, T>,
        order: &[u32],
        loss: Loss,
        scratch: &mut Scratch<'_, T>,
    ) -> Result<Evaluation, Error> {
        let mut result = Evaluation::default();
        let mut sum = 0.0;
        for piece in order.chunks(PIECE) {
            let batch = Batch::of(samples, piece);
            #[cfg_attr(not(feature = "wide"), allow(unused_mut))]
            let mut problem = self.on(batch, loss, scratch.reborrow())?;
            #[cfg(feature = "wide")]
            problem.set_caller(LONG);
            let mean = problem.loss(w)?;
            sum += mean.to_f64() * piece.len() as f64;
            result.samples += piece.len();
            if loss.classifies() && !self.is_line() {
                result.correct += self.count_correct(w, &batch, scratch)?;
            }
        }
        result.loss = sum / result.samples.max(1) as f64;
        Ok(result)
    }

    /// Right answers of a piece whose activations the loss has just left in the scratch.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn count_correct(
        &self,
        w: &[T],
        batch: &Batch<'_, T>,
        scratch: &mut Scratch<'_, T>,
    ) -> Result<usize, Error> {
        let layers = self.layers(w)?;
        let (mut piece, _) = split_piece(self, batch.len(), LONG, scratch)?;
        let k = self.outputs();
        let h = piece.activations.get(..batch.len() * self.row_len()).unwrap_or_default();
        let f = piece.outputs.get_mut(..batch.len() * k).unwrap_or_default();
        respond(self, &layers, &mut piece.work, h, f);
        let mut correct = 0;
        for (i, f) in f.rows(k).enumerate() {
            let target = Target::at(batch, i, k)?;
            if matches!(target, Target::Label(label) if argmax(f) == label) {
                correct += 1;
            }
        }
        Ok(correct)
    }
}

/// Index of the largest entry, the first of equals.
pub(crate) fn argmax<T: Float>(f: &[T]) -> usize {
    let mut best = (0, -T::INFINITY);
    for (j, &f) in f.iter().enumerate() {
        if f > best.1 {
            best = (j, f);
        }
    }
    best.0
}
