//! Linear algebra: sums against their written order, systems against their residuals.

#![allow(clippy::unwrap_used)] // helpers of tests stop at the first error, as tests do

use gradflow_core::linalg::{
    CgBuffers, Packed, add_rows, all_finite, axpy, conjugate_gradients, dot, norm_sq, sum_of,
};
use gradflow_core::{Error, Float, Pcg32, Stream};
use proptest::prelude::*;

fn normals<T: Float>(len: usize, seed: u64) -> Vec<T> {
    let mut numbers = vec![T::ZERO; len];
    Pcg32::new(seed, Stream::Other).normal(T::ONE, &mut numbers);
    numbers
}

fn bits<T: Float>(numbers: &[T]) -> Vec<u64> {
    numbers.iter().map(|x| x.to_bits64()).collect()
}

/// Eight partial sums, combined as the module says.
fn combine<T: Float>(s: [T; 8]) -> T {
    ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
}

fn check_sums<T: Float>(len: usize, seed: u64) {
    let (a, b) = (normals::<T>(len, seed), normals::<T>(len, seed ^ 1));
    let mut lanes = [T::ZERO; 8];
    for (i, (&a, &b)) in a.iter().zip(&b).enumerate() {
        lanes[i % 8] += a * b;
    }
    assert_eq!(dot(&a, &b).to_bits64(), combine(lanes).to_bits64());

    let cube = |x: T| x * x * x;
    for (f, got) in [(&cube as &dyn Fn(T) -> T, sum_of(&a, cube)), (&|x| x * x, norm_sq(&a))] {
        let mut blocks = [[T::ZERO; 8]; 4];
        for (i, &x) in a.iter().enumerate() {
            blocks[i / 8 % 4][i % 8] += f(x);
        }
        let [s0, s1, s2, s3] = blocks;
        let lanes = core::array::from_fn(|i| (s0[i] + s2[i]) + (s1[i] + s3[i]));
        assert_eq!(got.to_bits64(), combine(lanes).to_bits64());
    }

    let mut y = b.clone();
    axpy(T::HALF, &a, &mut y);
    let expected: Vec<T> = a.iter().zip(&b).map(|(&a, &b)| b + T::HALF * a).collect();
    assert_eq!(bits(&y), bits(&expected));
}

fn check_rows<T: Float>(width: usize, rows: usize, terms: usize, seed: u64) {
    let matrix = normals::<T>(width * rows, seed);
    let start = normals::<T>(width, seed ^ 1);
    let mut rng = Pcg32::new(seed, Stream::Other);
    // Some rows more than once, some outside the matrix.
    let terms: Vec<(usize, T)> = (0..terms)
        .map(|_| (rng.below(rows as u32 + 1) as usize, rng.uniform(-T::ONE, T::ONE)))
        .collect();
    let mut out = start.clone();
    add_rows(&matrix, terms.iter().copied(), &mut out);
    let mut expected = start;
    for (row, c) in terms.into_iter().filter(|&(row, _)| row < rows) {
        for (j, out) in expected.iter_mut().enumerate() {
            *out += c * matrix[row * width + j];
        }
    }
    assert_eq!(bits(&out), bits(&expected), "width {width}");
}

/// `B Bᵀ + damping I`, whole, with `B` of `order × rank`.
fn positive_definite<T: Float>(order: usize, rank: usize, damping: T, seed: u64) -> Vec<Vec<T>> {
    let b = normals::<T>(order * rank, seed);
    let row = |i: usize| &b[i * rank..(i + 1) * rank];
    let entry = |i, j| dot(row(i), row(j)) + if i == j { damping } else { T::ZERO };
    (0..order).map(|i| (0..order).map(|j| entry(i, j)).collect()).collect()
}

fn pack<T: Copy>(matrix: &[Vec<T>]) -> Vec<T> {
    let rows = matrix.iter().enumerate();
    rows.flat_map(|(i, row)| &row[..=i]).copied().collect()
}

/// `‖b − K x‖ / (‖K‖ ‖x‖)` in the largest-entry norms: the backward error.
fn backward_error<T: Float>(matrix: &[Vec<T>], x: &[T], b: &[T]) -> f64 {
    let size = |x: &[f64]| x.iter().fold(0.0, |top: f64, x| top.max(x.abs()));
    let residual = |(row, b): (&Vec<T>, &T)| {
        b.to_f64() - row.iter().zip(x).map(|(k, x)| k.to_f64() * x.to_f64()).sum::<f64>()
    };
    let residuals: Vec<f64> = matrix.iter().zip(b).map(residual).collect();
    let sums: Vec<f64> =
        matrix.iter().map(|row| row.iter().map(|k| k.to_f64().abs()).sum()).collect();
    let x: Vec<f64> = x.iter().map(|x| x.to_f64()).collect();
    size(&residuals) / (size(&sums) * size(&x))
}

fn check_cholesky<T: Float>(order: usize, rank: usize, seed: u64) {
    let matrix = positive_definite(order, rank, T::ONE, seed);
    let mut entries = pack(&matrix);
    entries.extend([T::ONE; 3]); // more room than is needed
    let mut system = Packed::new(order, &mut entries).unwrap();
    system.factorise().unwrap();
    let b = normals::<T>(order, seed ^ 2);
    let mut x = b.clone();
    system.solve(&mut x).unwrap();
    assert!(backward_error(&matrix, &x, &b) < 4.0 * order as f64 * T::EPSILON.to_f64());

    // L Lᵀ is the matrix; the diagonal holds 1/Lᵢᵢ.
    let factor: Vec<Vec<f64>> = system
        .rows_mut()
        .map(|row| {
            let mut row: Vec<f64> = row.iter().map(|x| x.to_f64()).collect();
            let last = row.len() - 1;
            row[last] = 1.0 / row[last];
            row
        })
        .collect();
    assert_eq!(factor.len(), order);
    for (i, row) in factor.iter().enumerate() {
        for j in 0..=i {
            let product: f64 = row.iter().zip(&factor[j]).map(|(a, b)| a * b).sum();
            let size = (matrix[i][i] * matrix[j][j]).to_f64().sqrt();
            let error = (product - matrix[i][j].to_f64()).abs() / size;
            assert!(error < 4.0 * order as f64 * T::EPSILON.to_f64(), "{i}, {j}: {error:e}");
        }
    }
    assert_eq!(bits(&entries[order * (order + 1) / 2..]), bits(&[T::ONE; 3]));
}

/// Solves `K x = b` until `‖b − K x‖ ≤ tolerance ‖b‖`.
fn solve_by_cg(
    matrix: &[Vec<f64>],
    b: &[f64],
    tolerance: f64,
    most: usize,
) -> Result<(Vec<f64>, usize), Error> {
    let mut x = vec![f64::NAN; b.len()];
    let [mut residual, mut direction, mut image] = [(); 3].map(|()| vec![f64::NAN; b.len()]);
    let mut buffers =
        CgBuffers { residual: &mut residual, direction: &mut direction, image: &mut image };
    let multiply = |v: &[f64], out: &mut [f64]| {
        for (out, row) in out.iter_mut().zip(matrix) {
            *out = dot(row, v);
        }
        Ok(())
    };
    let enough = tolerance * tolerance * norm_sq(b);
    let stop = |_: &[f64], residual_sq: f64| residual_sq <= enough;
    let products = conjugate_gradients(b, &mut x, &mut buffers, most, multiply, stop)?;
    Ok((x, products))
}

proptest! {
    #[test]
    fn sums_have_their_written_order(len in 0_usize..300, seed: u64) {
        check_sums::<f64>(len, seed);
        check_sums::<f32>(len, seed);
    }

    #[test]
    fn what_is_not_finite_is_found(len in 1_usize..80, at: prop::sample::Index, seed: u64) {
        let mut numbers = normals::<f32>(len, seed);
        numbers[at.index(len)] = f32::MAX;
        prop_assert!(all_finite(&numbers));
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            numbers[at.index(len)] = bad;
            prop_assert!(!all_finite(&numbers));
        }
    }

    #[test]
    fn systems_are_solved(order in 1_usize..60, rank in 1_usize..80, seed: u64) {
        check_cholesky::<f64>(order, rank, seed);
        check_cholesky::<f32>(order, rank, seed);
    }

    /// Taking the last pivot below zero is noticed at its row, and not before.
    #[test]
    fn a_bad_pivot_is_named(order in 1_usize..40, row: prop::sample::Index, seed: u64, nan: bool) {
        let row = row.index(order);
        let mut matrix = positive_definite(order, order + 5, 1.0_f64, seed);
        matrix[row][row] = if nan { f64::NAN } else { -1.0 };
        let mut entries = pack(&matrix);
        let factorised = Packed::new(order, &mut entries).unwrap().factorise();
        prop_assert_eq!(factorised, Err(Error::Singular { row }));
    }

    #[test]
    fn conjugate_gradients_solve(order in 1_usize..40, rank in 1_usize..40, seed: u64) {
        let matrix = positive_definite(order, rank, 1.0, seed);
        let b = normals::<f64>(order, seed ^ 2);
        let (x, products) = solve_by_cg(&matrix, &b, 1e-10, 20 * order).unwrap();
        prop_assert!(backward_error(&matrix, &x, &b) < 1e-9);
        // In exact arithmetic as many as K has eigenvalues.
        prop_assert!(products <= 3 * order.min(rank + 1) + 3, "{} products", products);
        let (zero, none) = solve_by_cg(&matrix, &vec![0.0; order], 1e-10, 0).unwrap();
        prop_assert_eq!((zero, none), (vec![0.0; order], 0));
    }
}

#[test]
fn rows_of_every_width_are_added_in_order() {
    for width in 1..261 {
        check_rows::<f32>(width, 7, 12, width as u64);
        check_rows::<f64>(width, 5, 9, width as u64);
    }
    check_rows::<f64>(100, 3, 0, 1);
}

#[test]
fn conjugate_gradients_say_why_they_stop() {
    let spread: Vec<Vec<f64>> = (0..20)
        .map(|i| (0..20).map(|j| if i == j { f64::from(i) + 1.0 } else { 0.0 }).collect())
        .collect();
    let b = vec![1.0; 20];
    let stopped = solve_by_cg(&spread, &b, 1e-12, 3);
    assert_eq!(stopped, Err(Error::NoConvergence { iterations: 3 }));
    // The 20 eigenvalues are found one after another.
    let (_, products) = solve_by_cg(&spread, &b, 1e-12, 40).unwrap();
    assert!((15..=21).contains(&products), "{products}");

    let indefinite = [vec![1.0, 0.0], vec![0.0, -2.0]];
    let refused = solve_by_cg(&indefinite, &[1.0, 1.0], 1e-9, 9);
    assert!(matches!(refused, Err(Error::Singular { .. })));
}

#[test]
fn lengths_are_checked() {
    let short = Packed::new(3, &mut [1.0_f64; 5]).map(drop);
    assert!(matches!(short, Err(Error::Length { needed: 6, got: 5, .. })));
    let mut entries = [1.0, 0.0, 1.0];
    let mut system = Packed::new(2, &mut entries).unwrap();
    system.factorise().unwrap();
    assert!(matches!(system.solve(&mut [1.0; 3]), Err(Error::Length { needed: 2, got: 3, .. })));
    for long in 0..4 {
        let mut vectors: [Vec<f64>; 4] =
            core::array::from_fn(|i| vec![0.0; 2 + usize::from(i == long)]);
        let [x, residual, direction, image] = &mut vectors;
        let mut buffers = CgBuffers { residual, direction, image };
        let result =
            conjugate_gradients(&[1.0; 2], x, &mut buffers, 5, |_, _| Ok(()), |_, _| false);
        assert!(matches!(result, Err(Error::Length { needed: 2, got: 3, .. })));
    }
}
