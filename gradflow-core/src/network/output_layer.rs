//! The forward pass of the output layer.

use super::scratch::Work;
use super::{Layers, TwoLayer};
use crate::float::Float;
use crate::linalg::{BLOCK, LANES, Matrix as _, dot_rows};

/// `f = s · A h + c` of each sample into its row of `outputs`.
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
#[cfg_attr(target_arch = "wasm32", inline(never))]
pub(super) fn respond<T: Float>(
    network: &TwoLayer<T>,
    layers: &Layers<'_, T>,
    work: &mut Work<'_, T>,
    activations: &[T],
    outputs: &mut [T],
) {
    let (m, k) = (network.hidden, network.outputs);
    if work.sums_side_by_side(network) {
        sum_side_by_side(network, layers.output, work.columns, activations, outputs);
    } else {
        let samples = activations.rows(network.row_len());
        for (h, f) in samples.zip(outputs.rows_mut(k)) {
            // Elsewhere rows have no padding, and a length that might be 0 would leave a panic behind.
            let h = if cfg!(feature = "wide") { h.get(..m).unwrap_or_default() } else { h };
            dot_rows(h, layers.output, f);
        }
    }
    for f in outputs.iter_mut() {
        *f = network.scale * *f;
    }
    for f in outputs.rows_mut(k) {
        for (f, &c) in f.iter_mut().zip(layers.output_bias) {
            *f += c;
        }
    }
}

/// A number for each of some outputs.
type Each<T> = [T; BLOCK];

/// `A h` of each sample, with outputs side by side in a register, so that no sum across one is left.
/// Works on columns of A, filled up by zeros as the activations are.
#[cfg_attr(not(debug_assertions), inline(always))]
fn sum_side_by_side<T: Float>(
    network: &TwoLayer<T>,
    weights: &[T],
    columns: &mut [T],
    activations: &[T],
    outputs: &mut [T],
) {
    let (m, k) = (network.hidden, network.outputs);
    for first in (0..k).step_by(BLOCK) {
        let columns = columns.as_chunks_mut::<BLOCK>().0;
        columns.fill([T::ZERO; BLOCK]);
        for (j, row) in weights.rows(m).skip(first).take(BLOCK).enumerate() {
            for (column, &weight) in columns.iter_mut().zip(row) {
                if let Some(entry) = column.get_mut(j) {
                    *entry = weight;
                }
            }
        }
        let columns = columns.as_chunks::<LANES>().0;
        let samples = activations.rows(network.row_len()).zip(outputs.rows_mut(k));
        for (h, f) in samples {
            let sums = sums(h.as_chunks().0, columns);
            for (f, sum) in f.iter_mut().skip(first).zip(sums) {
                *f = sum;
            }
        }
    }
}

/// The lanes of [`dot`](crate::linalg::dot), each for all outputs, and their sum in its order.
#[inline(always)]
fn sums<T: Float>(h: &[[T; LANES]], columns: &[[Each<T>; LANES]]) -> Each<T> {
    let zero = [T::ZERO; BLOCK];
    let (mut s0, mut s1, mut s2, mut s3) = (zero, zero, zero, zero);
    let (mut s4, mut s5, mut s6, mut s7) = (zero, zero, zero, zero);
    for ([h0, h1, h2, h3, h4, h5, h6, h7], [c0, c1, c2, c3, c4, c5, c6, c7]) in
        h.iter().zip(columns)
    {
        add_product(&mut s0, *h0, c0);
        add_product(&mut s1, *h1, c1);
        add_product(&mut s2, *h2, c2);
        add_product(&mut s3, *h3, c3);
        add_product(&mut s4, *h4, c4);
        add_product(&mut s5, *h5, c5);
        add_product(&mut s6, *h6, c6);
        add_product(&mut s7, *h7, c7);
    }
    let even = add(add(s0, s4), add(s2, s6));
    let odd = add(add(s1, s5), add(s3, s7));
    add(even, odd)
}

#[inline(always)]
fn add_product<T: Float>(sums: &mut Each<T>, h: T, column: &Each<T>) {
    for (sum, &a) in sums.iter_mut().zip(column) {
        *sum += h * a;
    }
}

#[inline(always)]
fn add<T: Float>(mut sums: Each<T>, others: Each<T>) -> Each<T> {
    for (sum, other) in sums.iter_mut().zip(others) {
        *sum += other;
    }
    sums
}
