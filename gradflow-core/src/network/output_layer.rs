//! The forward pass of the output layer.

use super::scratch::Work;
use super::vectors::{Caller, call};
use super::{Layers, TwoLayer};
use crate::float::Float;
use crate::linalg::{BLOCK, LANES, Matrix as _, dot_rows};

/// `f = s · A h + c` of each sample into its row of `outputs`.
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
#[cfg_attr(target_arch = "wasm32", inline(never))]
pub(super) fn respond<T: Float, C: Caller>(
    network: &TwoLayer<T>,
    layers: &Layers<'_, T>,
    work: &mut Work<'_, T, C>,
    activations: &[T],
    outputs: &mut [T],
) {
    let (m, k) = (network.hidden, network.outputs);
    if work.sums_side_by_side(network) {
        let (network, weights) = (*network, layers.output);
        let (columns, outputs) = (&mut *work.columns, &mut *outputs);
        call!(work.caller, sum_side_by_side(&network, weights, columns, activations, outputs));
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
/// Works on columns of A, filled up by zeros as the activations are. There are as many rows of outputs
/// as of activations.
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
        for (j, row) in weights.get(first * m..).unwrap_or_default().rows(m).take(BLOCK).enumerate()
        {
            for (column, &weight) in columns.iter_mut().zip(row) {
                if let Some(entry) = column.get_mut(j) {
                    *entry = weight;
                }
            }
        }
        let columns = columns.as_chunks::<LANES>().0;
        let mut samples = activations.rows(network.row_len()).enumerate();
        while let Some((s, h)) = samples.next() {
            // Two at a time, for which a column is loaded once.
            let next = samples.next().map_or(h, |(_, next)| next);
            let sums = sums([h.as_chunks().0, next.as_chunks().0], columns);
            for (s, sums) in (s..).zip(&sums) {
                put(sums, outputs.get_mut(s * k..).unwrap_or_default(), [first, k]);
            }
        }
    }
}

/// Writes the sums from `first` on into the first of some rows of `k` outputs.
#[inline(always)]
fn put<T: Float>(sums: &Each<T>, rows: &mut [T], [first, k]: [usize; 2]) {
    match rows.first_chunk_mut() {
        // What reaches into the next sample's row is overwritten when its turn comes.
        Some(block) if k <= BLOCK => *block = *sums,
        _ => {
            let row = rows.get_mut(..k).unwrap_or_default();
            for (f, &sum) in row.iter_mut().skip(first).zip(sums) {
                *f = sum;
            }
        }
    }
}

/// The lanes of [`dot`](crate::linalg::dot), each for all outputs, of two samples; and their sums in its
/// order.
#[inline(always)]
fn sums<T: Float>(h: [&[[T; LANES]]; 2], columns: &[[Each<T>; LANES]]) -> [Each<T>; 2] {
    let [first, second] = h;
    let (mut sums, mut others) = (Sums::zero(), Sums::zero());
    for ((h, g), columns) in first.iter().zip(second).zip(columns) {
        sums.add_products(h, columns);
        others.add_products(g, columns);
    }
    [sums.total(), others.total()]
}

/// The lanes of a sum. Named one by one, since an array of them is kept in memory.
struct Sums<T> {
    s0: Each<T>,
    s1: Each<T>,
    s2: Each<T>,
    s3: Each<T>,
    s4: Each<T>,
    s5: Each<T>,
    s6: Each<T>,
    s7: Each<T>,
}

impl<T: Float> Sums<T> {
    #[inline(always)]
    fn zero() -> Self {
        let zero = [T::ZERO; BLOCK];
        Self { s0: zero, s1: zero, s2: zero, s3: zero, s4: zero, s5: zero, s6: zero, s7: zero }
    }

    #[inline(always)]
    fn add_products(&mut self, h: &[T; LANES], columns: &[Each<T>; LANES]) {
        let [h0, h1, h2, h3, h4, h5, h6, h7] = h;
        let [c0, c1, c2, c3, c4, c5, c6, c7] = columns;
        add_product(&mut self.s0, *h0, c0);
        add_product(&mut self.s1, *h1, c1);
        add_product(&mut self.s2, *h2, c2);
        add_product(&mut self.s3, *h3, c3);
        add_product(&mut self.s4, *h4, c4);
        add_product(&mut self.s5, *h5, c5);
        add_product(&mut self.s6, *h6, c6);
        add_product(&mut self.s7, *h7, c7);
    }

    #[inline(always)]
    fn total(self) -> Each<T> {
        let even = add(add(self.s0, self.s4), add(self.s2, self.s6));
        let odd = add(add(self.s1, self.s5), add(self.s3, self.s7));
        add(even, odd)
    }
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
