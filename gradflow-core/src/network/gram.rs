//! The Gram matrix `J Jᵀ` of a batch from its structure, without the Jacobian.
//!
//! With `E = M (m ∘ A)` (row of sample and output: the output weights of its active units, mixed
//! by the sample's block `M`):
//!
//! ```text
//! J Jᵀ[(i,k),(j,l)] = s² ( (⟨xᵢ, xⱼ⟩ + 1) ⟨E_ik, E_jl⟩ + ⟨hᵢ, hⱼ⟩ ⟨M_ik, M_jl⟩ ) + c ⟨M_ik, M_jl⟩
//! ```
//!
//! where `c` is 1 with an output bias and 0 without.

use super::residual::Residual;
use super::samples::{Row, Rows};
use super::{Layers, TwoLayer};
use crate::error::{Buffer, Error};
use crate::float::Float;
use crate::linalg::{LANES, Lanes, Packed, dot, dot_eight};

/// What the last linearisation left, and room for the factors of the Gram matrix.
pub(super) struct GramParts<'a, T> {
    /// `n × m`
    pub(super) activations: &'a [T],
    /// `n × k`
    pub(super) probabilities: &'a [T],
    /// `nk × m`: E
    pub(super) mixed: &'a mut [T],
    /// `nk × k`: M
    pub(super) blocks: &'a mut [T],
    /// Two packed `n × n` triangles: `⟨xᵢ, xⱼ⟩ + 1` and `⟨hᵢ, hⱼ⟩`.
    pub(super) products: &'a mut [T],
    /// `d`: one sample's inputs, spread out.
    pub(super) row: &'a mut [T],
}

#[inline(always)]
pub(super) fn gram<T: Float>(
    network: &TwoLayer<T>,
    layers: &Layers<'_, T>,
    rows: &Rows<'_, T>,
    residual: Residual,
    parts: &mut GramParts<'_, T>,
    gram: &mut [T],
) -> Result<(), Error> {
    let (n, k, m) = (rows.len, network.outputs, network.hidden);
    Error::check_length(Buffer::Gram, Packed::<T>::len_of(n * k), gram.len())?;
    let unit = residual.unit(n, k);
    mix_outputs(network, layers, residual, unit, parts);
    let triangle = Packed::<T>::len_of(n);
    let (inputs, hidden) = parts.products.split_at_mut_checked(triangle).unwrap_or_default();
    multiply_inputs(rows, parts.row, inputs);
    multiply_rows(parts.activations, m, hidden);

    let s_sq = network.scale * network.scale;
    let bias = if network.output_bias { T::ONE } else { T::ZERO };
    let mut gram_rest = gram;
    let mut products = (&*inputs, &*hidden);
    let (mixed, blocks) = (&*parts.mixed, &*parts.blocks);
    for i in 0..n {
        let (Some((xx, x_rest)), Some((hh, h_rest))) =
            (products.0.split_at_checked(i + 1), products.1.split_at_checked(i + 1))
        else {
            break;
        };
        products = (x_rest, h_rest);
        for r in i * k..(i + 1) * k {
            let Some((out, rest)) = gram_rest.split_at_mut_checked(r + 1) else {
                return Ok(());
            };
            gram_rest = rest;
            let (Some(e), Some(b)) =
                (mixed.get(r * m..(r + 1) * m), blocks.get(r * k..(r + 1) * k))
            else {
                continue;
            };
            dot_rows(e, mixed, out);
            let others = blocks.chunks_exact(k * k).zip(xx.iter().zip(hh));
            for (out, (block, (&xx, &hh))) in out.chunks_mut(k).zip(others) {
                let (inputs, hidden) = (s_sq * xx, s_sq * hh + bias);
                for (out, other) in out.iter_mut().zip(block.chunks_exact(k)) {
                    *out = inputs * *out + hidden * dot(b, other);
                }
            }
        }
    }
    Ok(())
}

/// `⟨row, matrix[i]⟩` into each place `i` of `out`.
#[inline(always)]
fn dot_rows<T: Float>(row: &[T], matrix: &[T], out: &mut [T]) {
    let width = row.len();
    let (blocks, rest) = out.as_chunks_mut::<LANES>();
    for (out, others) in blocks.iter_mut().zip(matrix.chunks_exact(LANES * width)) {
        let mut rows = [row; LANES];
        for (row, other) in rows.iter_mut().zip(others.chunks_exact(width)) {
            *row = other;
        }
        *out = dot_eight(row, &rows);
    }
    let done = blocks.len() * LANES * width;
    let others = matrix.get(done..).unwrap_or_default().chunks_exact(width);
    for (place, other) in rest.iter_mut().zip(others) {
        *place = dot(row, other);
    }
}

/// `M` and `E = M (m ∘ A)` of each sample.
#[inline(always)]
fn mix_outputs<T: Float>(
    network: &TwoLayer<T>,
    layers: &Layers<'_, T>,
    residual: Residual,
    unit: T,
    parts: &mut GramParts<'_, T>,
) {
    let (k, m) = (network.outputs, network.hidden);
    let samples = parts.activations.chunks_exact(m).zip(parts.probabilities.chunks_exact(k));
    let places = parts.mixed.chunks_exact_mut(k * m).zip(parts.blocks.chunks_exact_mut(k * k));
    for ((h, p), (mixed, block)) in samples.zip(places) {
        // Column j of M is M applied to unit vector j; the buffer of E serves as its home first.
        for j in 0..k {
            let Some(column) = mixed.get_mut(..k) else {
                break;
            };
            column.fill(T::ZERO);
            if let Some(entry) = column.get_mut(j) {
                *entry = T::ONE;
            }
            residual.apply(unit, p, column);
            for (to, &from) in block.iter_mut().skip(j).step_by(k).zip(column.iter()) {
                *to = from;
            }
        }
        for (e, row) in mixed.chunks_exact_mut(m).zip(block.chunks_exact(k)) {
            e.fill(T::ZERO);
            for (&weight, a) in row.iter().zip(layers.output.chunks_exact(m)) {
                for ((e, &a), &h) in e.iter_mut().zip(a).zip(h) {
                    *e += if h > T::ZERO { weight * a } else { T::ZERO };
                }
            }
        }
    }
}

/// `⟨xᵢ, xⱼ⟩ + 1` for `j ≤ i`.
#[inline(always)]
fn multiply_inputs<T: Float>(rows: &Rows<'_, T>, spread: &mut [T], out: &mut [T]) {
    let mut rest = out;
    for i in 0..rows.len {
        let Some((out, after)) = rest.split_at_mut_checked(i + 1) else {
            return;
        };
        rest = after;
        match rows.row(i) {
            Row::Dense(x) => {
                for (out, row) in out.iter_mut().zip(rows.iter()) {
                    if let Row::Dense(other) = row {
                        *out = dot(x, other) + T::ONE;
                    }
                }
            }
            Row::Sparse(columns, values) => {
                spread.fill(T::ZERO);
                for (&i, &x) in columns.iter().zip(values) {
                    if let Some(entry) = spread.get_mut(usize::from(i)) {
                        *entry = x;
                    }
                }
                for (out, row) in out.iter_mut().zip(rows.iter()) {
                    *out = dot_spread(row, spread) + T::ONE;
                }
            }
        }
    }
}

/// `⟨row, spread⟩`, lane `i mod 8` for input `i`, as [`dot`] does it.
#[inline(always)]
fn dot_spread<T: Float>(row: Row<'_, T>, spread: &[T]) -> T {
    let mut lanes = Lanes::ZERO;
    if let Row::Sparse(columns, values) = row {
        for (&i, &x) in columns.iter().zip(values) {
            let i = usize::from(i);
            if let (Some(lane), Some(&y)) = (lanes.0.get_mut(i % LANES), spread.get(i)) {
                *lane += x * y;
            }
        }
    }
    lanes.total()
}

/// `⟨rowᵢ, rowⱼ⟩` for `j ≤ i`.
#[inline(always)]
fn multiply_rows<T: Float>(matrix: &[T], width: usize, out: &mut [T]) {
    let mut rest = out;
    for (i, row) in matrix.chunks_exact(width).enumerate() {
        let Some((out, after)) = rest.split_at_mut_checked(i + 1) else {
            return;
        };
        rest = after;
        dot_rows(row, matrix, out);
    }
}
