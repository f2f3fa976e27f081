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

use super::line_unit::units;
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
    /// From six sums a sample; faster, with other bits.
    Closed,
}

/// A sample's sums over its active units: A, B, C of those with `w ≥ 0`, then of the others.
type Sums<T> = [T; 6];

/// Samples whose sums have a place of their own. The others' stand at the beginning of the matrix,
/// which is written from its last row on: row i begins behind those of its samples, since
/// `i (i + 1)/2 ≥ 6 (i + 1 − 4)`.
const FIRST: usize = 4;

/// `unit² J_f J_fᵀ` of the samples `x` into a packed triangle.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline(always))]
pub(super) fn gram<T: Float>(
    network: &TwoLayer<T>,
    layers: &Layers<'_, T>,
    x: &[T],
    unit_sq: T,
    gram: &mut [T],
) -> Result<(), Error> {
    let (needed, got) = (Packed::<T>::len_of(x.len()), gram.len());
    Error::check_length(Buffer::Gram, needed, got)?;
    let short = Error::Length { what: Buffer::Gram, needed, got };
    let mut first = [Sums::default(); FIRST];
    let (x_first, x_rest) = x.split_at_checked(FIRST).unwrap_or((x, &[]));
    sum_active(network, layers, x_first, &mut first);
    sum_active(network, layers, x_rest, gram.as_chunks_mut().0);

    let mut rows = &mut *gram;
    for (i, &xi) in x.iter().enumerate().rev() {
        let split = rows.split_at_mut_checked(Packed::<T>::len_of(i));
        let (before, row) = split.ok_or(short)?;
        let rest: &[Sums<T>] = before.as_chunks().0;
        let si = i.checked_sub(FIRST).map_or_else(|| first.get(i), |i| rest.get(i));
        let si = si.ok_or(short)?;
        if let Some((row_first, row_rest)) = row.split_at_mut_checked(FIRST) {
            fill(row_first, (xi, si), x_first, &first);
            fill(row_rest, (xi, si), x_rest, rest);
        } else {
            fill(row, (xi, si), x_first, &first);
        }
        rows = before;
    }
    let s_sq = network.scale * network.scale;
    let bias = if network.output_bias { T::ONE } else { T::ZERO };
    for entry in gram {
        *entry = unit_sq * (s_sq * *entry + bias);
    }
    Ok(())
}

/// A part of sample i's row: what stands in the large brackets, for the samples `x`.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline(always))]
fn fill<T: Float>(row: &mut [T], (xi, si): (T, &Sums<T>), x: &[T], sums: &[Sums<T>]) {
    for (out, (&xj, sj)) in row.iter_mut().zip(x.iter().zip(sums)) {
        let ([a, b, c, ..], [.., d, e, f]) = if xi < xj { (si, sj) } else { (sj, si) };
        *out = (*a + *d) * (xi * xj) + (*b + *e) * (xi + xj) + (*c + *f);
    }
}

/// Each sample's sums over the units that are active there, in their order.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline(always))]
fn sum_active<T: Float>(
    network: &TwoLayer<T>,
    layers: &Layers<'_, T>,
    x: &[T],
    sums: &mut [Sums<T>],
) {
    sums.iter_mut().zip(x).for_each(|(sums, _)| *sums = Sums::default());
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
    use crate::linalg::Packed;
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
                let mut reals = vec![0.0; network.scratch_len(n).reals];
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
