//! Forward and backward pass of a piece of a batch, with hidden units as vector lanes.
//!
//! Both passes are weighted sums of rows ([`add_rows`]) that skip the zero inputs of sparse rows:
//! forward by sample over its inputs (or by input over its samples, where that is faster: the same
//! sums), the weight gradient by input over its samples. Sums run over inputs in ascending order and
//! over samples in the batch's order.
//!
//! Inlined, so that a caller compiled for wider vectors has them too; but once and for all on wasm32,
//! which has one width, and where copies would double the size of a page's module.

use super::samples::{Row, Rows};
use super::scratch::{PIECE, Work};
use super::transposed::Transposed;
use super::{Layers, LayersMut, TwoLayer};
use crate::float::Float;
use crate::linalg::{Matrix as _, axpy, weigh_rows};
#[cfg(feature = "wide")]
use crate::linalg::{gather_pair, spread_pair};

/// `h = relu(Wᵀ [x; 1])` of each sample into its row of `activations`. If sparse inputs are spread over
/// all samples, two after the other, they must have been transposed.
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
#[cfg_attr(target_arch = "wasm32", inline(never))]
pub(super) fn activate<T: Float>(
    network: &TwoLayer<T>,
    layers: &Layers<'_, T>,
    rows: &Rows<'_, T>,
    work: &mut Work<'_, T>,
    activations: &mut [T],
) {
    let m = network.hidden;
    let spread = work.spreads(network, rows);
    if spread {
        spread_inputs(network, layers.hidden, &mut work.inputs, activations);
    }
    let biases = layers.hidden.get(network.inputs * m..).unwrap_or_default();
    for (row, h) in rows.iter().zip(activations.rows_mut(network.row_len())) {
        let (h, padding) = h.split_at_mut_checked(m).unwrap_or_default();
        if !spread {
            weigh_inputs(row, layers.hidden, h);
        }
        for (h, &bias) in h.iter_mut().zip(biases) {
            let z = *h + bias;
            *h = if z > T::ZERO { z } else { T::ZERO };
        }
        if cfg!(feature = "wide") {
            padding.fill(T::ZERO);
        }
    }
}

/// The sums of [`weigh_inputs`] for all samples, two inputs after the other: their weights are read
/// once for all of them.
#[cfg_attr(not(debug_assertions), inline(always))]
fn spread_inputs<T: Float>(
    network: &TwoLayer<T>,
    weights: &[T],
    inputs: &mut Transposed<'_, T>,
    sums: &mut [T],
) {
    #[cfg(feature = "wide")]
    {
        let (m, width) = (network.hidden, network.row_len());
        sums.fill(T::ZERO);
        for i in (0..network.inputs).step_by(2) {
            // Beyond a row's end follows the next one, at last the biases: what they add to the
            // padding is never read. Where the last input has no partner, its values are zeros.
            let row = |i| weights.get(i * m..i * m + width);
            if let (Some(terms), Some(first)) = (inputs.complete_pair(i), row(i)) {
                spread_pair([first, row(i + 1).unwrap_or(first)], &terms, sums);
            }
        }
    }
    #[cfg(not(feature = "wide"))]
    let _ = (network, weights, inputs, sums);
}

/// `out ← Σ xᵢ · matrix[i]` over the inputs of one sample.
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
#[cfg_attr(target_arch = "wasm32", inline(never))]
pub(super) fn weigh_inputs<T: Float>(row: Row<'_, T>, matrix: &[T], out: &mut [T]) {
    match row {
        Row::Dense(x) => weigh_dense([x, matrix], [1, out.len()], out, true),
        Row::Sparse(columns, values) => {
            let terms = columns.iter().zip(values).map(|(&i, &x)| (usize::from(i), x));
            weigh_rows(matrix, out.len(), terms, out, true);
        }
    }
}

/// `out ← out + Σ xᵢ · matrix[i]`, or from zeros (`fresh`), with every `step`-th of the numbers x and
/// rows that start every `stride` entries.
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
#[cfg_attr(target_arch = "wasm32", inline(never))]
fn weigh_dense<T: Float>(
    [x, matrix]: [&[T]; 2],
    [step, stride]: [usize; 2],
    out: &mut [T],
    fresh: bool,
) {
    weigh_rows(matrix, stride, x.iter().step_by(step.max(1)).copied().enumerate(), out, fresh);
}

/// What becomes of the gradient's rows for sparse inputs that are zero in all samples.
#[derive(Clone, Copy)]
pub(super) enum Zeros {
    /// They are written.
    Written,
    /// The rows may be left as they are. Only for a batch of one piece: a second one would add to them.
    Left,
}

/// A gradient, to write.
pub(super) struct GradientMut<'w, T> {
    pub(super) layers: LayersMut<'w, T>,
    pub(super) zeros: Zeros,
}

impl Zeros {
    const fn are_written(self) -> bool {
        matches!(self, Self::Written)
    }
}

/// Adds to the gradient what the samples of a piece contribute, given the derivatives `deltas` of
/// the loss in their outputs (one row a sample); the first piece of a batch overwrites it. Replaces
/// the activations by the hidden deltas, and `deltas` by `s · deltas`.
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
#[cfg_attr(target_arch = "wasm32", inline(never))]
pub(super) fn pull_back<T: Float>(
    network: &TwoLayer<T>,
    layers: &Layers<'_, T>,
    rows: &Rows<'_, T>,
    activations: &mut [T],
    deltas: &mut [T],
    work: &mut Work<'_, T>,
    gradient: &mut GradientMut<'_, T>,
) {
    let (m, k, fresh) = (network.hidden, network.outputs, rows.begins());
    let width = network.row_len();
    let GradientMut { layers: gradient, zeros } = gradient;
    let (hidden, bias) =
        gradient.hidden.split_at_mut_checked(network.inputs * m).unwrap_or_default();
    if fresh {
        gradient.output_bias.fill(T::ZERO);
    }
    for delta in deltas.rows(k) {
        axpy(T::ONE, delta, gradient.output_bias);
    }
    for delta in deltas.iter_mut() {
        *delta *= network.scale;
    }
    for (j, gradient) in gradient.output.rows_mut(m).enumerate() {
        let column = deltas.get(j..).unwrap_or_default();
        weigh_dense([column, activations], [k, width], gradient, fresh);
    }
    let row = work.row.get_mut(..m).unwrap_or_default();
    for (h, delta) in activations.rows_mut(width).zip(deltas.rows(k)) {
        replace_by_delta(layers.output, delta, h, row);
    }
    let deltas = Deltas { entries: activations, width };
    let ones = (0..rows.len).map(|s| (s, T::ONE));
    weigh_deltas(&deltas, ones, &mut [(0, T::ZERO); PIECE], bias, fresh);
    let gradient = hidden.rows_mut(m);
    if rows.is_dense() {
        gather_dense(rows, &deltas, gradient);
    } else if work.pairs(network) {
        gather_pairs(&work.inputs, &deltas, gradient, fresh, *zeros);
    } else {
        gather_sparse(&work.inputs, &deltas, gradient, fresh, *zeros);
    }
}

/// `h ← (Σ deltaⱼ A[j]) ∘ (h > 0)`, with a row of working memory.
#[cfg_attr(not(debug_assertions), inline(always))]
fn replace_by_delta<T: Float>(output: &[T], delta: &[T], h: &mut [T], row: &mut [T]) {
    weigh_dense([delta, output], [1, row.len()], row, true);
    for (h, &sum) in h.iter_mut().zip(row.iter()) {
        *h = if *h > T::ZERO { sum } else { T::ZERO };
    }
}

/// The hidden deltas of a piece.
struct Deltas<'a, T> {
    entries: &'a [T],
    /// Entries from one sample's to the next one's.
    width: usize,
}

/// Weight gradient of dense inputs: `Σ xₛᵢ · deltas[s]` for input i.
#[cfg_attr(not(debug_assertions), inline(always))]
fn gather_dense<'g, T: Float>(
    rows: &Rows<'_, T>,
    deltas: &Deltas<'_, T>,
    gradient: impl Iterator<Item = &'g mut [T]>,
) {
    let mut list = [(0, T::ZERO); PIECE];
    for (i, gradient) in gradient.enumerate() {
        let terms = rows.iter().map(|row| match row {
            Row::Dense(x) => x.get(i).copied().unwrap_or_default(),
            Row::Sparse(..) => T::ZERO,
        });
        weigh_deltas(deltas, terms.enumerate(), &mut list, gradient, rows.begins());
    }
}

/// Weight gradient of sparse inputs, which have been transposed. Rows of inputs that are zero
/// everywhere are not read.
#[cfg_attr(not(debug_assertions), inline(always))]
fn gather_sparse<'g, T: Float>(
    inputs: &Transposed<'_, T>,
    deltas: &Deltas<'_, T>,
    gradient: impl Iterator<Item = &'g mut [T]>,
    fresh: bool,
    zeros: Zeros,
) {
    let mut list = [(0, T::ZERO); PIECE];
    for (i, gradient) in gradient.enumerate() {
        let Some(terms) = inputs.terms(i) else { return };
        if fresh && zeros.are_written() || terms.samples != 0 {
            weigh_deltas(deltas, terms, &mut list, gradient, fresh);
        }
    }
}

/// The same of two inputs at a time. They share the deltas that are read, and skip samples at which
/// both are zero.
#[cfg_attr(not(debug_assertions), inline(always))]
fn gather_pairs<'g, T: Float>(
    inputs: &Transposed<'_, T>,
    deltas: &Deltas<'_, T>,
    mut gradient: impl Iterator<Item = &'g mut [T]>,
    fresh: bool,
    zeros: Zeros,
) {
    #[cfg(feature = "wide")]
    for i in (0..).step_by(2) {
        let Some(first) = gradient.next() else { return };
        let Some(second) = gradient.next() else {
            let Some(terms) = inputs.terms(i) else { return };
            if fresh && zeros.are_written() || terms.samples != 0 {
                weigh_rows(deltas.entries, deltas.width, terms, first, fresh);
            }
            return;
        };
        let Some(terms) = inputs.pairs(i) else { return };
        if fresh && zeros.are_written() || terms.samples != 0 {
            gather_pair(deltas.entries, deltas.width, &terms, [first, second], fresh);
        }
    }
    #[cfg(not(feature = "wide"))]
    let _ = (inputs, deltas, gradient.next(), fresh, zeros);
}

/// Samples and their values at one input.
type List<T> = [(usize, T); PIECE];

/// `out ← out + Σ xₛ · deltas[s]` over the terms `(s, xₛ)`, or from zeros (`fresh`).
#[cfg_attr(not(debug_assertions), inline(always))]
fn weigh_deltas<T: Float>(
    deltas: &Deltas<'_, T>,
    terms: impl Iterator<Item = (usize, T)> + Clone,
    list: &mut List<T>,
    out: &mut [T],
    fresh: bool,
) {
    // On wasm32 a sum takes several passes over its terms: there they are looked up once for all.
    if cfg!(target_arch = "wasm32") {
        let mut count = 0;
        for (place, term) in list.iter_mut().zip(terms) {
            *place = term;
            count += 1;
        }
        weigh_listed(list, count, deltas, out, fresh);
    } else {
        weigh_rows(deltas.entries, deltas.width, terms, out, fresh);
    }
}

/// `out ← out + Σ xₛ · deltas[s]` over the first terms of a list, or from zeros (`fresh`).
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
#[cfg_attr(target_arch = "wasm32", inline(never))]
fn weigh_listed<T: Float>(
    list: &List<T>,
    count: usize,
    deltas: &Deltas<'_, T>,
    out: &mut [T],
    fresh: bool,
) {
    let terms = list.get(..count).unwrap_or_default();
    weigh_rows(deltas.entries, deltas.width, terms.iter().copied(), out, fresh);
}
