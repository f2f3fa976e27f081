//! Backward pass of a piece of a batch, with hidden units as vector lanes: weighted sums of rows, as the
//! [forward pass](super::dense_sparse).
//!
//! The weight gradient is summed by input over the samples at which it is not zero, in the batch's order.

use super::dense_sparse::weigh_dense;
use super::samples::{Row, Rows};
use super::scratch::{PIECE, Work};
use super::transposed::Transposed;
use super::vectors::{Caller, call};
use super::{Layers, LayersMut, TwoLayer};
use crate::float::Float;
#[cfg(feature = "wide")]
use crate::linalg::gather_pair;
use crate::linalg::{Matrix as _, axpy, weigh_rows};

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
pub(super) fn pull_back<T: Float, C: Caller>(
    network: &TwoLayer<T>,
    layers: &Layers<'_, T>,
    rows: &Rows<'_, T>,
    activations: &mut [T],
    deltas: &mut [T],
    work: &mut Work<'_, T, C>,
    gradient: &mut GradientMut<'_, T>,
) {
    let (m, width, fresh) = (network.hidden, network.row_len(), rows.begins());
    let (caller, two) = (work.caller, work.takes_two(network));
    let GradientMut { layers: gradient, zeros } = gradient;
    let (hidden, bias) =
        gradient.hidden.split_at_mut_checked(network.inputs * m).unwrap_or_default();
    gather_output_bias(deltas.rows(network.outputs), gradient.output_bias, fresh);
    for delta in deltas.iter_mut() {
        *delta *= network.scale;
    }
    let (network, deltas) = (*network, &*deltas);
    let (h, output) = (&*activations, &mut *gradient.output);
    call!(caller, gather_output(&network, deltas, h, output, fresh));
    let pairs = if two { rows.len / 2 } else { 0 };
    let (h, sums, output) = (&mut *activations, &mut *work.sums, layers.output);
    call!(caller, replace_by_deltas(&network, output, deltas, h, sums, pairs));
    let deltas = Deltas { entries: activations, width };
    let ones = (0..rows.len).map(|s| (s, T::ONE));
    weigh_deltas(&deltas, ones, &mut [(0, T::ZERO); PIECE], bias, fresh);
    let gradient = hidden.rows_mut(m);
    if rows.is_dense() && two {
        call!(caller, gather_dense_pairs(rows, &deltas, gradient));
    } else if rows.is_dense() {
        gather_dense(rows, &deltas, gradient);
    } else if two {
        let (inputs, zeros) = (work.inputs.reborrow(), *zeros);
        call!(caller, gather_pairs(&inputs, &deltas, gradient, fresh, zeros));
    } else {
        gather_sparse(&work.inputs, &deltas, gradient, fresh, *zeros);
    }
}

/// Gradient of the output bias, the sum of the samples' deltas.
#[cfg_attr(not(debug_assertions), inline(always))]
fn gather_output_bias<'d, T: Float>(
    deltas: impl Iterator<Item = &'d [T]>,
    gradient: &mut [T],
    fresh: bool,
) {
    if fresh {
        gradient.fill(T::ZERO);
    }
    for delta in deltas {
        axpy(T::ONE, delta, gradient);
    }
}

/// Weight gradient of the output layer: `Σ deltaₛⱼ · h[s]` for output j.
#[cfg_attr(not(debug_assertions), inline(always))]
fn gather_output<T: Float>(
    network: &TwoLayer<T>,
    deltas: &[T],
    activations: &[T],
    gradient: &mut [T],
    fresh: bool,
) {
    for (j, gradient) in gradient.rows_mut(network.hidden).enumerate() {
        let column = deltas.get(j..).unwrap_or_default();
        let steps = [network.outputs, network.row_len()];
        weigh_dense([column, activations], steps, gradient, fresh);
    }
}

/// `h ← (Σ deltaⱼ A[j]) ∘ (h > 0)` of each sample. Reads the rows of A once for both samples of the first
/// pairs, of which there are `pairs`, and then has memory for the sums of two.
#[cfg_attr(not(debug_assertions), inline(always))]
fn replace_by_deltas<T: Float>(
    network: &TwoLayer<T>,
    output: &[T],
    deltas: &[T],
    activations: &mut [T],
    sums: &mut [T],
    pairs: usize,
) {
    let m = network.hidden;
    let (sums, others) = sums.split_at_mut_checked(network.row_len()).unwrap_or_default();
    let sums = sums.get_mut(..m).unwrap_or_default();
    let mut samples = activations.rows_mut(network.row_len()).zip(deltas.rows(network.outputs));
    #[cfg(feature = "wide")]
    for _ in 0..pairs {
        let others = others.get_mut(..m).unwrap_or_default();
        let (first, second) = (samples.next(), samples.next());
        let (Some((h, delta)), Some((g, other))) = (first, second) else { return };
        let terms = delta.iter().copied().zip(other.iter().copied()).enumerate();
        gather_pair(output, m, &terms, [&mut *sums, &mut *others], true);
        put_where_active(sums, h);
        put_where_active(others, g);
    }
    #[cfg(not(feature = "wide"))]
    let _ = (others, pairs, &mut samples);
    for (h, delta) in samples {
        weigh_dense([delta, output], [1, m], sums, true);
        put_where_active(sums, h);
    }
}

/// `h ← sums ∘ (h > 0)`
#[inline(always)]
fn put_where_active<T: Float>(sums: &[T], h: &mut [T]) {
    for (h, &sum) in h.iter_mut().zip(sums) {
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
            _ => T::ZERO, // of dense rows alone
        });
        weigh_deltas(deltas, terms.enumerate(), &mut list, gradient, rows.begins());
    }
}

/// The same of two inputs at a time, which share the deltas that are read.
#[cfg_attr(not(debug_assertions), inline(always))]
fn gather_dense_pairs<'g, T: Float>(
    rows: &Rows<'_, T>,
    deltas: &Deltas<'_, T>,
    mut gradient: impl Iterator<Item = &'g mut [T]>,
) {
    #[cfg(feature = "wide")]
    for i in (0..).step_by(2) {
        let Some(first) = gradient.next() else { return };
        let x = |i: usize| {
            rows.iter().map(move |row| match row {
                Row::Dense(x) => x.get(i).copied().unwrap_or_default(),
                _ => T::ZERO, // of dense rows alone
            })
        };
        if let Some(second) = gradient.next() {
            let terms = x(i).zip(x(i + 1)).enumerate();
            gather_pair(deltas.entries, deltas.width, &terms, [first, second], rows.begins());
        } else {
            weigh_rows(deltas.entries, deltas.width, x(i).enumerate(), first, rows.begins());
        }
    }
    #[cfg(not(feature = "wide"))]
    let _ = (rows, deltas, gradient.next());
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
    for (i, terms) in (0..).step_by(2).zip(inputs.pairs()) {
        let Some(first) = gradient.next() else { return };
        let second = gradient.next();
        if terms.samples == 0 && !(fresh && zeros.are_written()) {
            continue;
        }
        if let Some(second) = second {
            gather_pair(deltas.entries, deltas.width, &terms, [first, second], fresh);
        } else if let Some(terms) = inputs.terms(i) {
            weigh_rows(deltas.entries, deltas.width, terms, first, fresh);
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
