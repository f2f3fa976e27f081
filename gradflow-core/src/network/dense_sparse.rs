//! Forward pass of a piece of a batch, with hidden units as vector lanes.
//!
//! It is made of weighted sums of rows ([`weigh_rows`]) that skip the zero inputs of sparse rows: by sample
//! over its inputs, or by input over its samples where that is faster. These are the same sums, in the
//! inputs' ascending order.
//!
//! Inlined, so that a caller compiled for wider vectors has them too; but once and for all on wasm32,
//! which has one width, and where copies would double the size of a page's module.

use super::samples::{Row, Rows};
use super::scratch::Work;
use super::transposed::Transposed;
use super::vectors::{Caller, call};
use super::{Layers, TwoLayer};
use crate::float::Float;
use crate::linalg::{Matrix as _, weigh_rows};
#[cfg(feature = "wide")]
use crate::linalg::{gather_pair, spread_pair};

/// `h = relu(Wᵀ [x; 1])` of each sample into its row of `activations`. If sparse inputs are spread over
/// all samples, two after the other, they must have been transposed.
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
#[cfg_attr(target_arch = "wasm32", inline(never))]
pub(super) fn activate<T: Float, C: Caller>(
    network: &TwoLayer<T>,
    layers: &Layers<'_, T>,
    rows: &Rows<'_, T>,
    work: &mut Work<'_, T, C>,
    activations: &mut [T],
) {
    let m = network.hidden;
    let spread = work.spreads(network, rows);
    if spread {
        let (network, weights) = (*network, layers.hidden);
        let (mut inputs, sums) = (work.inputs.reborrow(), &mut *activations);
        call!(work.caller, spread_inputs(&network, weights, &mut inputs, sums));
    }
    let pairs = rows.is_dense() && work.takes_two(network);
    if pairs {
        let (network, rows, weights, sums) = (*network, *rows, layers.hidden, &mut *activations);
        call!(work.caller, weigh_pairs(&network, weights, &rows, sums));
    }
    let biases = layers.hidden.get(network.inputs * m..).unwrap_or_default();
    for (row, h) in rows.iter().zip(activations.rows_mut(network.row_len())) {
        let (h, padding) = h.split_at_mut_checked(m).unwrap_or_default();
        if !spread && !pairs {
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
        for (i, terms) in inputs.complete_pairs() {
            // Beyond a row's end follows the next one, at last the biases: what they add to the
            // padding is never read. Where the last input has no partner, its values are zeros.
            let row = |i| weights.get(i * m..i * m + width);
            if let Some(first) = row(i) {
                spread_pair([first, row(i + 1).unwrap_or(first)], &terms, sums);
            }
        }
    }
    #[cfg(not(feature = "wide"))]
    let _ = (network, weights, inputs, sums);
}

/// The sums of [`weigh_inputs`] for dense rows, two samples after the other: they share the weights that are
/// read.
#[cfg_attr(not(debug_assertions), inline(always))]
fn weigh_pairs<T: Float>(
    network: &TwoLayer<T>,
    weights: &[T],
    rows: &Rows<'_, T>,
    activations: &mut [T],
) {
    #[cfg(feature = "wide")]
    {
        let (m, width) = (network.hidden, network.row_len());
        let mut samples = rows.iter().zip(activations.rows_mut(width));
        while let Some((Row::Dense(x), h)) = samples.next() {
            let h = h.get_mut(..m).unwrap_or_default();
            if let Some((Row::Dense(y), g)) = samples.next() {
                let terms = x.iter().copied().zip(y.iter().copied()).enumerate();
                let g = g.get_mut(..m).unwrap_or_default();
                gather_pair(weights, m, &terms, [h, g], true);
            } else {
                weigh_dense([x, weights], [1, m], h, true);
            }
        }
    }
    #[cfg(not(feature = "wide"))]
    let _ = (network, weights, rows, activations);
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
        #[cfg(feature = "wide")]
        Row::Levels(row) => weigh_rows(matrix, out.len(), row.terms(), out, true),
    }
}

/// `out ← out + Σ xᵢ · matrix[i]`, or from zeros (`fresh`), with every `step`-th of the numbers x and
/// rows that start every `stride` entries.
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
#[cfg_attr(target_arch = "wasm32", inline(never))]
pub(super) fn weigh_dense<T: Float>(
    [x, matrix]: [&[T]; 2],
    [step, stride]: [usize; 2],
    out: &mut [T],
    fresh: bool,
) {
    weigh_rows(matrix, stride, x.iter().step_by(step.max(1)).copied().enumerate(), out, fresh);
}
