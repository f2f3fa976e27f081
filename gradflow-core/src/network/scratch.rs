//! The network's working memory, lent by the caller.

use super::gram::padded;
use super::samples::Rows;
use super::transposed::Transposed;
use super::{Caller, TwoLayer};
use crate::error::{Buffer, Error};
use crate::float::Float;
use crate::linalg::{BLOCK, LANES};

/// Rows of a batch's padded length that the kernels of one input work in.
pub(super) const LINE_ROWS: usize = if cfg!(feature = "wide") { 3 } else { 2 };

/// Samples that are worked on together, so that their activations stay in the nearest cache; as many
/// as [`Transposed`] has bits.
pub(super) const PIECE: usize = 64;

/// As many outputs are summed one by one in the time that a block of them takes side by side.
const FEW: usize = 4;

/// Values of each input that are transposed, for a piece of so many samples.
const fn values_of(piece: usize) -> usize {
    if cfg!(feature = "wide") { PIECE } else { piece }
}

/// How much working memory a batch needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScratchLen {
    /// Entries of [`Scratch::reals`].
    pub reals: usize,
    /// Entries of [`Scratch::indices`].
    pub indices: usize,
}

/// Working memory over the caller's slices; its contents between calls do not matter, except
/// between [`linearise`](crate::Residuals::linearise) and the products that refer to it.
#[derive(Debug)]
pub struct Scratch<'a, T> {
    /// Numbers.
    pub reals: &'a mut [T],
    /// Indices.
    pub indices: &'a mut [u32],
}

const fn smaller(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}

impl<T: Float> TwoLayer<T> {
    /// True if the network maps one number to one number: its kernels run over the samples, not
    /// over the hidden units.
    #[must_use]
    pub const fn is_line(&self) -> bool {
        self.inputs == 1 && self.outputs == 1
    }

    /// Entries from one sample's activations to the next one's: whole blocks where the kernels have
    /// wide ones, filled up by zeros.
    pub(super) const fn row_len(&self) -> usize {
        if cfg!(feature = "wide") { self.hidden.next_multiple_of(BLOCK) } else { self.hidden }
    }

    /// Inputs that are transposed: two by two where the kernels take two at a time.
    const fn transposed_inputs(&self) -> usize {
        if cfg!(feature = "wide") { self.inputs.next_multiple_of(2) } else { self.inputs }
    }

    /// Entries of a sample's hidden deltas, or of two samples'.
    const fn sums_len(&self) -> usize {
        if cfg!(feature = "wide") { 2 * self.row_len() } else { self.row_len() }
    }

    /// Entries of some columns of the output weights.
    const fn columns_len(&self) -> usize {
        if cfg!(feature = "wide") && self.outputs > FEW { self.row_len() * BLOCK } else { 0 }
    }

    /// Working memory for losses and gradients on batches of at most `batch` samples.
    #[must_use]
    pub const fn scratch_len(&self, batch: usize) -> ScratchLen {
        if self.is_line() {
            return ScratchLen { reals: LINE_ROWS * batch.next_multiple_of(LANES), indices: 0 };
        }
        let piece = smaller(batch, PIECE);
        ScratchLen {
            reals: piece * (self.row_len() + self.outputs)
                + values_of(piece) * self.transposed_inputs()
                + self.sums_len()
                + self.columns_len(),
            indices: 2 * self.transposed_inputs(),
        }
    }

    /// Working memory for the residuals of at most `batch` samples and their Jacobian's products.
    #[must_use]
    pub const fn residual_scratch_len(&self, batch: usize) -> ScratchLen {
        let ScratchLen { reals, indices } = self.scratch_len(batch);
        if self.is_line() {
            return ScratchLen { reals, indices };
        }
        let entries = batch * self.outputs;
        let kept = batch * (self.row_len() + self.outputs);
        let rows = entries * padded(self.hidden) + batch * padded(self.inputs);
        let gram = rows + batch * (batch + 1);
        ScratchLen { reals: reals + kept + gram, indices }
    }
}

/// The scratch of a piece, cut into its parts.
pub(super) struct Piece<'a, T, C> {
    /// `PIECE × m'`: activations, then their deltas, in rows of `TwoLayer::row_len`.
    pub(super) activations: &'a mut [T],
    /// `PIECE × k`: outputs, then their deltas.
    pub(super) outputs: &'a mut [T],
    /// What both passes work in.
    pub(super) work: Work<'a, T, C>,
}

/// Working memory of both passes, and who calls their kernels.
pub(super) struct Work<'a, T, C> {
    /// `m'`, twice with wide kernels: hidden deltas while they are summed.
    pub(super) sums: &'a mut [T],
    /// `m' × BLOCK`, for a caller with wide registers; else none.
    pub(super) columns: &'a mut [T],
    /// Sparse inputs.
    pub(super) inputs: Transposed<'a, T>,
    pub(super) caller: C,
}

impl<T: Float, C: Caller> Work<'_, T, C> {
    /// Whether the forward pass spreads the inputs of these rows, which then must be transposed.
    pub(super) fn spreads(&self, network: &TwoLayer<T>, rows: &Rows<'_, T>) -> bool {
        self.caller.vectors().spread() && network.hidden >= BLOCK && !rows.is_dense()
    }

    /// Whether the output layer sums for a block of outputs at a time.
    pub(super) fn sums_side_by_side(&self, network: &TwoLayer<T>) -> bool {
        self.caller.vectors().longest() && network.outputs > FEW
    }

    /// Whether the backward pass takes two sparse inputs at a time, and two samples for their deltas.
    pub(super) fn takes_two(&self, network: &TwoLayer<T>) -> bool {
        self.caller.vectors().longest() && network.hidden >= BLOCK
    }
}

impl<T> Scratch<'_, T> {
    /// The same memory for a shorter time.
    pub fn reborrow(&mut self) -> Scratch<'_, T> {
        Scratch { reals: self.reals, indices: self.indices }
    }
}

/// The parts for a piece, and the numbers that are left.
pub(super) fn split_piece<'s, T: Float, C: Caller>(
    network: &TwoLayer<T>,
    batch: usize,
    caller: C,
    scratch: &'s mut Scratch<'_, T>,
) -> Result<(Piece<'s, T, C>, &'s mut [T]), Error> {
    let needed = network.scratch_len(batch);
    let piece = batch.min(PIECE);
    let (reals, indices) = (scratch.reals.len(), scratch.indices.len());
    let short = Error::Length { what: Buffer::Scratch, needed: needed.reals, got: reals };
    let short_indices =
        Error::Length { what: Buffer::Indices, needed: needed.indices, got: indices };

    let rest = &mut *scratch.reals;
    let (activations, rest) = rest.split_at_mut_checked(piece * network.row_len()).ok_or(short)?;
    let (outputs, rest) = rest.split_at_mut_checked(piece * network.outputs).ok_or(short)?;
    let (sums, rest) = rest.split_at_mut_checked(network.sums_len()).ok_or(short)?;
    let (stride, inputs) = (values_of(piece), network.transposed_inputs());
    let (values, rest) = rest.split_at_mut_checked(stride * inputs).ok_or(short)?;
    let (columns, rest) = rest.split_at_mut_checked(network.columns_len()).ok_or(short)?;
    let indices = &mut *scratch.indices;
    let samples = indices.get_mut(..2 * inputs).ok_or(short_indices)?.as_chunks_mut().0;
    let inputs = Transposed { samples, values, stride };
    let work = Work { sums, columns, inputs, caller };
    Ok((Piece { activations, outputs, work }, rest))
}
