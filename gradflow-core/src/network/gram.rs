//! The Gram matrix `J Jᵀ` of a batch from its structure, without the Jacobian.
//!
//! A sample's block of the Jacobian is `M J_f` with `M = u diag(w) (I − 1 pᵀ)` for softmax residuals
//! and `M = u I` for the others ([`Residual`]). With
//! `E_ik = u w_ik (A_k − Σ_l p_il A_l) ∘ (hᵢ > 0)`, or `u A_k ∘ (hᵢ > 0)`,
//!
//! ```text
//! J Jᵀ[(i,k),(j,l)] = s² (⟨xᵢ, xⱼ⟩ + 1) ⟨E_ik, E_jl⟩ + (s² ⟨hᵢ, hⱼ⟩ + c) (Mᵢ Mⱼᵀ)_kl
//! (Mᵢ Mⱼᵀ)_kl = u² w_ik w_jl (δ_kl − p_jk − p_il + ⟨pᵢ, pⱼ⟩), or u² δ_kl
//! ```
//!
//! where `c` is 1 with an output bias and 0 without.

use super::residual::Residual;
use super::samples::{Row, Rows};
use super::{Layers, TwoLayer};
use crate::error::{Buffer, Error};
use crate::float::Float;
use crate::linalg::{LANES, Matrix as _, Packed, axpy, copy, dot_rows, multiply_rows};

/// What the last linearisation left, and room for the factors of the Gram matrix.
pub(super) struct GramParts<'a, T> {
    /// `n × m'`, in rows of [`TwoLayer::row_len`], filled up by zeros.
    pub(super) activations: &'a [T],
    /// `n × k`
    pub(super) probabilities: &'a [T],
    /// `nk × m'`: E, with its rows filled up to whole blocks of lanes by zeros, which change no sum.
    pub(super) mixed: &'a mut [T],
    /// Two packed `n × n` triangles: `⟨xᵢ, xⱼ⟩ + 1` and `⟨hᵢ, hⱼ⟩`.
    pub(super) products: &'a mut [T],
    /// `n × d'`: inputs, filled up likewise.
    pub(super) inputs: &'a mut [T],
}

#[cfg_attr(not(debug_assertions), inline(always))]
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
    let (inputs, hidden) =
        parts.products.split_at_mut_checked(Packed::<T>::len_of(n)).unwrap_or_default();
    multiply_inputs(rows, parts.inputs, padded(network.inputs), inputs);
    multiply_hidden(parts.activations, network.row_len(), hidden);

    let s_sq = network.scale * network.scale;
    let bias = if network.output_bias { T::ONE } else { T::ZERO };
    multiply_rows(parts.mixed, padded(m), gram);
    let mut entries = Packed::new(n * k, gram)?;
    let mut entries = entries.rows_mut();
    let triangles = Packed::new(n, inputs)?;
    let hidden = Packed::new(n, hidden)?;
    let probabilities = parts.probabilities.rows(k);
    for ((xx, hh), p) in triangles.rows().zip(hidden.rows()).zip(probabilities.clone()) {
        for (class, out) in entries.by_ref().take(k).enumerate() {
            let others = xx.iter().zip(hh).zip(probabilities.clone());
            for (out, ((&xx, &hh), q)) in out.pieces_mut(k).zip(others) {
                let (of_inputs, of_outputs) = (s_sq * xx, (s_sq * hh + bias) * (unit * unit));
                for out in out.iter_mut() {
                    *out *= of_inputs;
                }
                residual.add_products(of_outputs, class, p, q, out);
            }
        }
    }
    Ok(())
}

/// Whole blocks of lanes.
pub(super) const fn padded(m: usize) -> usize {
    m.next_multiple_of(LANES)
}

/// `E` of each sample.
#[cfg_attr(not(debug_assertions), inline(always))]
fn mix_outputs<T: Float>(
    network: &TwoLayer<T>,
    layers: &Layers<'_, T>,
    residual: Residual,
    unit: T,
    parts: &mut GramParts<'_, T>,
) {
    let (k, m) = (network.outputs, network.hidden);
    let width = padded(m);
    parts.mixed.fill(T::ZERO);
    let samples = parts.activations.rows(network.row_len()).zip(parts.probabilities.rows(k));
    for ((h, p), mixed) in samples.zip(parts.mixed.rows_mut(k * width)) {
        // The last row of E holds the mean Σ p_l A_l until its own turn comes.
        let (first, mean) = mixed.split_at_mut_checked((k - 1) * width).unwrap_or_default();
        if residual.mixes() {
            for (&p, a) in p.iter().zip(layers.output.rows(m)) {
                axpy(p, a, mean);
            }
        }
        let weights = p.iter().map(|&p| unit * residual.weight(p));
        let mut outputs = weights.zip(layers.output.rows(m));
        for (e, (weight, a)) in first.rows_mut(width).zip(outputs.by_ref()) {
            for ((e, &mean), (&a, &h)) in e.iter_mut().zip(mean.iter()).zip(a.iter().zip(h)) {
                *e = if h > T::ZERO { weight * (a - mean) } else { T::ZERO };
            }
        }
        if let Some((weight, a)) = outputs.next() {
            for (mean, (&a, &h)) in mean.iter_mut().zip(a.iter().zip(h)) {
                *mean = if h > T::ZERO { weight * (a - *mean) } else { T::ZERO };
            }
        }
    }
}

/// `⟨xᵢ, xⱼ⟩ + 1` for `j ≤ i`, with all inputs in rows of `matrix`.
#[cfg_attr(not(debug_assertions), inline(always))]
fn multiply_inputs<T: Float>(rows: &Rows<'_, T>, matrix: &mut [T], width: usize, out: &mut [T]) {
    matrix.fill(T::ZERO);
    for (row, place) in rows.iter().zip(matrix.rows_mut(width)) {
        match row {
            Row::Dense(x) => copy(x, place),
            Row::Sparse(columns, values) => {
                for (&i, &x) in columns.iter().zip(values) {
                    if let Some(entry) = place.get_mut(usize::from(i)) {
                        *entry = x;
                    }
                }
            }
            #[cfg(feature = "wide")]
            Row::Levels(row) => {
                for (i, x) in row.terms() {
                    if let Some(entry) = place.get_mut(i) {
                        *entry = x;
                    }
                }
            }
        }
    }
    multiply_rows(matrix, width, out);
    for out in out {
        *out += T::ONE;
    }
}

/// `⟨rowᵢ, rowⱼ⟩` for `j ≤ i`.
#[cfg_attr(not(debug_assertions), inline(always))]
fn multiply_hidden<T: Float>(matrix: &[T], width: usize, out: &mut [T]) {
    if cfg!(feature = "wide") {
        // Rows are whole blocks long.
        return multiply_rows(matrix, width, out);
    }
    let mut rest = out;
    for (i, row) in matrix.rows(width).enumerate() {
        let Some((out, after)) = rest.split_at_mut_checked(i + 1) else {
            return;
        };
        rest = after;
        dot_rows(row, matrix, out);
    }
}
