//! The Gram matrix of one input and one output in closed form: O(mn + n²) instead of O(mn²).
//!
//! A unit `a relu(w x + b)` with `w ≥ 0` is active at two samples iff it is at the smaller one, with
//! `w < 0` iff it is at the larger one. So with
//!
//! ```text
//! A±(x) = Σ (w² + a²),   B±(x) = Σ w b,   C±(x) = Σ (b² + a²)
//! ```
//!
//! over the units that are active at x and have `w ≥ 0` (+) or `w < 0` (−), and with lo and hi the
//! smaller and the larger of `xᵢ, xⱼ`:
//!
//! ```text
//! J_f J_fᵀ[i, j] = s² ( (A₊(lo) + A₋(hi)) xᵢ xⱼ + (B₊(lo) + B₋(hi)) (xᵢ + xⱼ) + C₊(lo) + C₋(hi) ) + c
//! ```
//!
//! where c is 1 with an output bias. Rounding keeps `w x + b > 0` monotone in x, so both forms agree
//! on what is active; they add in another order, and so differ in bits.

use super::line::units;
use super::{Layers, TwoLayer};
use crate::error::{Buffer, Error};
use crate::float::Float;
use crate::linalg::Packed;

/// How the Gram matrix of full IEQ is computed for one input and one output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GramForm {
    /// Unit after unit over all pairs of samples.
    #[default]
    General,
    /// From six sums a sample; faster, with other bits. Needs
    /// [`TwoLayer::closed_form_scratch_len`].
    Closed,
}

/// Sums over a sample's active units: A, B, C of those with `w ≥ 0`, then of the others.
pub(super) const SUMS: usize = 6;

/// `unit² J_f J_fᵀ` of the samples `x` into a packed triangle.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline(always))]
pub(super) fn gram<T: Float>(
    network: &TwoLayer<T>,
    layers: &Layers<'_, T>,
    x: &[T],
    sums: &mut [[T; SUMS]],
    unit_sq: T,
    gram: &mut [T],
) -> Result<(), Error> {
    Error::check_length(Buffer::Gram, Packed::<T>::len_of(x.len()), gram.len())?;
    sum_active(network, layers, x, sums);
    let s_sq = network.scale * network.scale;
    let bias = if network.output_bias { T::ONE } else { T::ZERO };
    let mut rows = Packed::new(x.len(), gram)?;
    for (row, (&xi, si)) in rows.rows_mut().zip(x.iter().zip(sums.iter())) {
        for (out, (&xj, sj)) in row.iter_mut().zip(x.iter().zip(sums.iter())) {
            let ([a, b, c, ..], [.., d, e, f]) = if xi < xj { (si, sj) } else { (sj, si) };
            let inner = (*a + *d) * (xi * xj) + (*b + *e) * (xi + xj) + (*c + *f);
            *out = unit_sq * (s_sq * inner + bias);
        }
    }
    Ok(())
}

/// Each sample's sums over the units that are active there, in their order.
#[inline(always)]
fn sum_active<T: Float>(
    network: &TwoLayer<T>,
    layers: &Layers<'_, T>,
    x: &[T],
    sums: &mut [[T; SUMS]],
) {
    sums.fill([T::ZERO; SUMS]);
    for unit in units(network.hidden, layers) {
        let a_sq = unit.a * unit.a;
        let along_x = unit.w * unit.w + a_sq;
        let mixed = unit.w * unit.b;
        let along_one = unit.b * unit.b + a_sq;
        for (&x, [a, b, c, d, e, f]) in x.iter().zip(sums.iter_mut()) {
            if x * unit.w + unit.b > T::ZERO {
                let (a, b, c) = if unit.w >= T::ZERO { (a, b, c) } else { (d, e, f) };
                *a += along_x;
                *b += mixed;
                *c += along_one;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::GramForm;
    use crate::Residuals;
    use crate::linalg::{LANES, Packed};
    use crate::network::{Batch, Init, Inputs, Samples, Scratch, Targets, TwoLayer};
    use crate::{Pcg32, Stream};
    use proptest::prelude::*;
    use std::vec;

    proptest! {
        #[test]
        fn both_forms_are_the_same_matrix(
            n in 1..40_usize,
            m in 1..60_usize,
            seed: u64,
            bias: bool,
            repeated: bool,
        ) {
            let network = TwoLayer::<f64>::new(1, m, 1).unwrap().with_output_bias(bias);
            let network = Init::Ntk.scale(network);
            let mut w = vec![0.0; network.parameters()];
            Init::Ntk.draw(&network, seed, &mut w).unwrap();
            let mut rng = Pcg32::new(seed, Stream::Data);
            let x = (0..n).map(|_| rng.uniform(-3.0, 3.0));
            let x: vec::Vec<f64> = x.map(|x: f64| if repeated { x.trunc() } else { x }).collect();
            let y = vec![0.5; n];
            let samples = Samples { inputs: Inputs::Dense(&x), targets: Targets::Values(&y) };
            let gram = |form| {
                let mut reals = vec![0.0; TwoLayer::<f64>::closed_form_scratch_len(n).max(
                    3 * n.next_multiple_of(LANES),
                )];
                let scratch = Scratch { reals: &mut reals, indices: &mut [] };
                let problem = network.on_line(Batch::all(samples, n), scratch).unwrap();
                let mut problem = problem.with_gram_form(form);
                let (mut q, mut gram) = (vec![0.0; n], vec![0.0; Packed::<f64>::len_of(n)]);
                problem.linearise(&w, &mut q).unwrap();
                problem.gram(&w, &mut gram).unwrap();
                gram
            };
            let (general, closed) = (gram(GramForm::General), gram(GramForm::Closed));
            let largest = general.iter().fold(0.0, |top: f64, g| top.max(g.abs()));
            for (general, closed) in general.iter().zip(&closed) {
                // Sums of m terms, each rounded a few times, of either sign.
                prop_assert!((general - closed).abs() <= 1e-13 * largest.max(1e-3));
            }
        }
    }
}
