//! One input and one output, whose kernels run over the samples, against plain loops in f64.

use gradflow_core::Float;
use gradflow_core::network::{Loss, Residual};
use proptest::prelude::*;

use super::case::{Case, Shape, assert_close, shapes};

/// Row of `∂f/∂w` of each sample, in the parameters' order.
fn jacobian<T: Float>(case: &Case<T>) -> Vec<Vec<f64>> {
    let (m, s) = (case.network.hidden(), case.network.scale().to_f64());
    let w = |i: usize| case.w[i].to_f64();
    let row = |x: f64| {
        let mut row = vec![0.0; case.w.len()];
        for h in 0..m {
            let z = w(h) * x + w(m + h);
            if z > 0.0 {
                row[h] = s * w(2 * m + h) * x;
                row[m + h] = s * w(2 * m + h);
                row[2 * m + h] = s * z;
            }
        }
        if case.network.output_bias() {
            row[3 * m] = 1.0;
        }
        row
    };
    case.x.iter().map(|x| row(x.to_f64())).collect()
}

fn to_f64<T: Float>(numbers: &[T]) -> Vec<f64> {
    numbers.iter().map(|x| x.to_f64()).collect()
}

/// The kernels in precision `T` against `e`, `J` and `J Jᵀ` in f64.
fn check<T: Float>(shape: &Shape, tolerance: f64) {
    let shape = Shape { d: 1, k: 1, ..shape.clone() };
    let case = Case::<T>::new(&shape, Loss::Mse);
    assert!(case.network.is_line());
    let (w, n) = (&case.w, case.n);
    let outputs = case.outputs(w);
    let e: Vec<f64> = (0..n).map(|i| outputs[i] - case.values[i].to_f64()).collect();
    let rows = jacobian(&case);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();

    let mut memory = case.memory();
    let mut problem = case.problem(Residual::Scaled, &mut memory);
    let mut gradient = vec![T::from_f64(f64::NAN); w.len()];
    let loss = problem.gradient(w, &mut gradient).unwrap();
    assert_close(&[loss.to_f64()], &[dot(&e, &e) / n as f64], tolerance);
    let column = |p: usize| rows.iter().zip(&e).map(|(row, e)| row[p] * e).sum::<f64>();
    let expected: Vec<f64> = (0..w.len()).map(|p| 2.0 / n as f64 * column(p)).collect();
    assert_close(&to_f64(&gradient), &expected, tolerance);

    let unit = (2.0 / n as f64).sqrt();
    let mut q = vec![T::from_f64(f64::NAN); n];
    problem.linearise(w, &mut q).unwrap();
    let expected: Vec<f64> = e.iter().map(|e| unit * e).collect();
    assert_close(&to_f64(&q), &expected, tolerance);

    let v = case.direction(shape.seed);
    let mut push = vec![T::from_f64(f64::NAN); n];
    problem.push_forward(w, &v, &mut push).unwrap();
    let expected: Vec<f64> = rows.iter().map(|row| unit * dot(row, &to_f64(&v))).collect();
    assert_close(&to_f64(&push), &expected, tolerance);

    let mut gram = vec![T::from_f64(f64::NAN); case.network.gram_len(n)];
    problem.gram(w, &mut gram).unwrap();
    let pairs = (0..n).flat_map(|i| (0..=i).map(move |j| (i, j)));
    let expected: Vec<f64> = pairs.map(|(i, j)| unit * unit * dot(&rows[i], &rows[j])).collect();
    assert_close(&to_f64(&gram), &expected, tolerance);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn line_kernels_are_the_plain_loops(shape in shapes()) {
        check::<f64>(&shape, 1e-13);
        check::<f32>(&shape, 1e-5);
    }
}
