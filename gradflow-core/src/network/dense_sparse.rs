//! Forward and backward pass of a piece of a batch, with hidden units as vector lanes.
//!
//! Both passes are weighted sums of rows ([`add_rows`]) that skip the zero inputs of sparse rows:
//! forward by sample over its inputs, the weight gradient by input over its samples. Sums run over
//! inputs in ascending order and over samples in the batch's order.
//!
//! Inlined, so that a caller compiled for wider vectors has them too; but once and for all on wasm32,
//! which has one width, and where copies would double the size of a page's module.

use super::samples::{Row, Rows};
use super::scratch::Bins;
use super::{Layers, LayersMut, TwoLayer};
use crate::float::Float;
use crate::linalg::{Matrix as _, add_rows, axpy, dot};

/// `h = relu(Wᵀ [x; 1])` of each sample into its row of `activations`.
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
#[cfg_attr(target_arch = "wasm32", inline(never))]
pub(super) fn activate<T: Float>(
    network: &TwoLayer<T>,
    layers: &Layers<'_, T>,
    rows: &Rows<'_, T>,
    activations: &mut [T],
) {
    for (row, h) in rows.iter().zip(activations.rows_mut(network.hidden)) {
        weigh_inputs(row, layers.hidden, h);
        let biases = layers.hidden.get(network.inputs * network.hidden..).unwrap_or_default();
        for (h, &bias) in h.iter_mut().zip(biases) {
            let z = *h + bias;
            *h = if z > T::ZERO { z } else { T::ZERO };
        }
    }
}

/// `out ← Σ xᵢ · matrix[i]` over the inputs of one sample.
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
#[cfg_attr(target_arch = "wasm32", inline(never))]
pub(super) fn weigh_inputs<T: Float>(row: Row<'_, T>, matrix: &[T], out: &mut [T]) {
    out.fill(T::ZERO);
    match row {
        Row::Dense(x) => add_rows(matrix, x.iter().copied().enumerate(), out),
        Row::Sparse(columns, values) => {
            let terms = columns.iter().zip(values).map(|(&i, &x)| (usize::from(i), x));
            add_rows(matrix, terms, out);
        }
    }
}

/// `f = s · A h + c` of each sample into its row of `outputs`.
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
#[cfg_attr(target_arch = "wasm32", inline(never))]
pub(super) fn respond<T: Float>(
    network: &TwoLayer<T>,
    layers: &Layers<'_, T>,
    activations: &[T],
    outputs: &mut [T],
) {
    let samples = activations.rows(network.hidden);
    for (h, f) in samples.zip(outputs.rows_mut(network.outputs)) {
        for (f, a) in f.iter_mut().zip(layers.output.rows(network.hidden)) {
            *f = network.scale * dot(a, h);
        }
        for (f, &c) in f.iter_mut().zip(layers.output_bias) {
            *f += c;
        }
    }
}

/// Adds to the gradient what the samples of a piece contribute, given the derivatives `deltas` of
/// the loss in their outputs (one row a sample). Replaces the activations by the hidden deltas,
/// and `deltas` by `s · deltas`.
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
#[cfg_attr(target_arch = "wasm32", inline(never))]
pub(super) fn pull_back<T: Float>(
    network: &TwoLayer<T>,
    layers: &Layers<'_, T>,
    rows: &Rows<'_, T>,
    activations: &mut [T],
    deltas: &mut [T],
    bins: &mut Bins<'_, T>,
    gradient: &mut LayersMut<'_, T>,
) {
    let (m, k) = (network.hidden, network.outputs);
    for delta in deltas.rows_mut(k) {
        axpy(T::ONE, delta, gradient.output_bias);
        for delta in delta {
            *delta *= network.scale;
        }
    }
    for (j, gradient) in gradient.output.rows_mut(m).enumerate() {
        let terms = deltas.rows(k).map(|delta| delta.get(j).copied().unwrap_or_default());
        add_rows(activations, terms.enumerate(), gradient);
    }
    for (h, delta) in activations.rows_mut(m).zip(deltas.rows(k)) {
        replace_by_delta(layers.output, delta, h);
    }
    let (gradient, bias) =
        gradient.hidden.split_at_mut_checked(network.inputs * m).unwrap_or_default();
    for delta in activations.rows(m) {
        axpy(T::ONE, delta, bias);
    }
    if rows.is_dense() {
        gather_dense(rows, activations, m, gradient);
    } else {
        bins.fill(rows);
        gather_binned(bins, activations, m, gradient);
    }
}

/// `h ← (Σ deltaⱼ A[j]) ∘ (h > 0)`
#[cfg_attr(not(debug_assertions), inline(always))]
fn replace_by_delta<T: Float>(output: &[T], delta: &[T], h: &mut [T]) {
    const WIDTH: usize = 8;
    // A few columns at a time, so that the mask is read before it is overwritten.
    let m = h.len();
    for (block, h) in h.chunks_mut(WIDTH).enumerate() {
        let mut sum = [T::ZERO; WIDTH];
        for (row, &delta) in output.rows(m).zip(delta) {
            let row = row.get(block * WIDTH..).unwrap_or_default();
            if let Some(row) = row.first_chunk::<WIDTH>() {
                for (sum, &a) in sum.iter_mut().zip(row) {
                    *sum += delta * a;
                }
            } else {
                axpy(delta, row, &mut sum);
            }
        }
        for (h, sum) in h.iter_mut().zip(sum) {
            *h = if *h > T::ZERO { sum } else { T::ZERO };
        }
    }
}

/// Weight gradient of dense inputs: `gradient[i] += Σ xₛᵢ · deltas[s]`.
#[cfg_attr(not(debug_assertions), inline(always))]
fn gather_dense<T: Float>(rows: &Rows<'_, T>, deltas: &[T], m: usize, gradient: &mut [T]) {
    for (i, gradient) in gradient.rows_mut(m).enumerate() {
        let terms = rows.iter().map(|row| match row {
            Row::Dense(x) => x.get(i).copied().unwrap_or_default(),
            Row::Sparse(..) => T::ZERO,
        });
        add_rows(deltas, terms.enumerate(), gradient);
    }
}

/// Weight gradient of sparse inputs, touching the rows of active inputs only.
#[cfg_attr(not(debug_assertions), inline(always))]
fn gather_binned<T: Float>(bins: &Bins<'_, T>, deltas: &[T], m: usize, gradient: &mut [T]) {
    let capacity = bins.capacity.max(1);
    let samples = bins.samples.rows(capacity);
    let values = bins.values.rows(capacity);
    let bins = bins.counts.iter().zip(samples).zip(values);
    for (((&count, samples), values), gradient) in bins.zip(gradient.rows_mut(m)) {
        let count = count as usize;
        if count == 0 {
            continue;
        }
        let terms = samples.iter().zip(values).take(count).map(|(&s, &x)| (s as usize, x));
        add_rows(deltas, terms, gradient);
    }
}

impl<T: Float> Bins<'_, T> {
    /// Sorts the entries of sparse rows by input; samples stay in order.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn fill(&mut self, rows: &Rows<'_, T>) {
        self.counts.fill(0);
        for (s, row) in rows.iter().enumerate() {
            let Row::Sparse(columns, values) = row else {
                continue;
            };
            for (&i, &x) in columns.iter().zip(values) {
                let i = usize::from(i);
                let Some(count) = self.counts.get_mut(i) else {
                    continue;
                };
                let at = i * self.capacity + *count as usize;
                if let (Some(sample), Some(value)) =
                    (self.samples.get_mut(at), self.values.get_mut(at))
                {
                    *sample = s as u32;
                    *value = x;
                    *count += 1;
                }
            }
        }
    }
}
