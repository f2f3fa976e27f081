//! The Gram matrix of a network with one input and one output, unit after unit.

use super::line::Line;
use super::line_unit::units;
use super::{Layers, TwoLayer};
use crate::error::{Buffer, Error};
use crate::float::Float;
use crate::linalg::Packed;

impl<T: Float> Line<'_, T> {
    /// `unit² J_f J_fᵀ` of the first `n` samples into a packed triangle, unit after unit:
    /// `s² Σ [ (xᵢxⱼ + 1) a² + hᵢ hⱼ ] + c` over the units that are active at both. The values are
    /// then a unit's.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(super) fn gram(
        &mut self,
        network: &TwoLayer<T>,
        layers: &Layers<'_, T>,
        n: usize,
        unit_sq: T,
        gram: &mut [T],
    ) -> Result<(), Error> {
        Error::check_length(Buffer::Gram, Packed::<T>::len_of(n), gram.len())?;
        gram.fill(T::ZERO);
        let (Some(x), Some(h)) = (self.x.get(..n), self.values.get_mut(..n)) else {
            return Ok(());
        };
        for unit in units(network.hidden, layers) {
            for (h, &x) in h.iter_mut().zip(x) {
                *h = unit.hidden(x);
            }
            add_unit(gram, h, x, unit.a * unit.a);
        }
        let s_sq = network.scale * network.scale;
        let bias = if network.output_bias { T::ONE } else { T::ZERO };
        for entry in gram {
            *entry = unit_sq * (s_sq * *entry + bias);
        }
        Ok(())
    }
}

/// Adds a unit's share to the packed triangle. Only samples between its first and its last active
/// one can get any: half of them, if x ascends.
#[cfg_attr(any(target_os = "none", target_arch = "wasm32"), inline(never))]
#[cfg_attr(not(any(target_os = "none", target_arch = "wasm32")), inline(always))]
fn add_unit<T: Float>(gram: &mut [T], h: &[T], x: &[T], a_sq: T) {
    let active = |&h: &T| h > T::ZERO;
    let Some(first) = h.iter().position(active) else { return };
    let end = h.iter().rposition(active).map_or(0, |last| last + 1);
    let (Some(h), Some(x)) = (h.get(first..end), x.get(first..end)) else { return };
    let all_active = h.iter().all(active);
    let mut rest = gram.get_mut(Packed::<T>::len_of(first)..).unwrap_or_default();
    for (i, (&hi, &xi)) in (first..).zip(h.iter().zip(x)) {
        let Some((row, after)) = rest.split_at_mut_checked(i + 1) else { return };
        rest = after;
        let Some(row) = row.get_mut(first..) else { return };
        if all_active {
            add_products::<T, true>(row, h, x, [hi, xi, a_sq]);
        } else if hi > T::ZERO {
            add_products::<T, false>(row, h, x, [hi, xi, a_sq]);
        }
    }
}

/// A unit's share of a row: `(xᵢxⱼ + 1) a² + hᵢ hⱼ` where it is active.
#[inline(always)]
fn add_products<T: Float, const ALL_ACTIVE: bool>(
    row: &mut [T],
    h: &[T],
    x: &[T],
    [hi, xi, a_sq]: [T; 3],
) {
    for (out, (&hj, &xj)) in row.iter_mut().zip(h.iter().zip(x)) {
        let a_sq = if ALL_ACTIVE || hj > T::ZERO { a_sq } else { T::ZERO };
        *out += (xi * xj + T::ONE) * a_sq + hi * hj;
    }
}
