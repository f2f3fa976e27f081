//! Residuals and the products of their Jacobians against definitions and differences.

use gradflow_core::linalg::norm_sq;
use gradflow_core::network::{Loss, Residual};
use gradflow_core::{Pcg32, Stream};
use proptest::prelude::*;

use super::case::{Case, Shape, assert_close, difference, normals, shapes, softmax};

const ALL: [(Loss, Residual); 5] = [
    (Loss::Mse, Residual::Scaled),
    (Loss::Mse, Residual::Raw),
    (Loss::Brier, Residual::Brier),
    (Loss::CrossEntropy, Residual::Ggn),
    (Loss::CrossEntropy, Residual::Logit),
];

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `q` by the table of the residuals.
fn naive_residual(case: &Case<f64>, residual: Residual, w: &[f64]) -> Vec<f64> {
    let (n, k) = (case.n as f64, case.network.outputs());
    let scaled = (2.0 / (n * k as f64)).sqrt();
    let mut q = Vec::new();
    for (i, f) in case.outputs(w).chunks(k).enumerate() {
        let p = softmax(f);
        q.extend((0..k).map(|j| {
            let y = case.target(i, j);
            match residual {
                Residual::Scaled => scaled * (f[j] - y),
                Residual::Raw | Residual::Logit => f[j] - y,
                Residual::Brier => scaled * (p[j] - y),
                Residual::Ggn => (p[j] - y) / (n * p[j]).sqrt(),
            }
        }));
    }
    q
}

/// `(diag √p − √p pᵀ) / √n` times the outputs' slopes: what `J v` is for `Ggn`.
fn naive_ggn_image(case: &Case<f64>, slopes: &[f64]) -> Vec<f64> {
    let k = case.network.outputs();
    let outputs = case.outputs(&case.w);
    let mut image = Vec::new();
    for (slope, f) in slopes.chunks(k).zip(outputs.chunks(k)) {
        let p = softmax(f);
        let along = dot(&p, slope);
        let entries = p.iter().zip(slope).map(|(p, v)| p.sqrt() * (v - along));
        image.extend(entries.map(|entry| entry / (case.n as f64).sqrt()));
    }
    image
}

/// Everything that is promised of one residual's `q`, `J v` and `Jᵀ u`.
fn check_products(shape: &Shape, loss: Loss, residual: Residual) {
    let case = Case::<f64>::new(shape, loss);
    let (w, p) = (&case.w, case.w.len());
    let mut memory = case.memory();
    let mut problem = case.problem(residual, &mut memory);
    let mut gradient = vec![f64::NAN; p];
    let loss_of_gradient = problem.gradient(w, &mut gradient).unwrap();
    let mut q = vec![f64::NAN; problem.residual_len()];
    let value = problem.linearise(w, &mut q).unwrap();
    assert_eq!(value.to_bits(), loss_of_gradient.to_bits());
    assert_close(&q, &naive_residual(&case, residual, w), 1e-12);

    let v = case.direction(shape.seed);
    let u: Vec<f64> = normals(&mut Pcg32::new(shape.seed, Stream::Other), q.len());
    let mut push = vec![f64::NAN; q.len()];
    let mut pull = vec![f64::NAN; p];
    problem.push_forward(w, &v, &mut push).unwrap();
    problem.pull_back(w, &u, &mut pull).unwrap();
    let expected = if residual == Residual::Ggn {
        naive_ggn_image(&case, &difference(w, &v, |w| case.outputs(w)))
    } else {
        difference(w, &v, |w| naive_residual(&case, residual, w))
    };
    assert_close(&push, &expected, 1e-9);
    assert_close(&[dot(&u, &push)], &[dot(&pull, &v)], 1e-11);

    if residual.squares_to_loss() {
        assert_close(&[0.5 * dot(&q, &q)], &[value], 1e-13);
    }
    problem.pull_back(w, &q, &mut pull).unwrap();
    match residual {
        Residual::Scaled | Residual::Brier | Residual::Ggn => assert_close(&pull, &gradient, 1e-12),
        Residual::Raw => {
            let factor = 2.0 / q.len() as f64;
            let scaled: Vec<f64> = pull.iter().map(|x| factor * x).collect();
            assert_close(&scaled, &gradient, 1e-12);
        }
        Residual::Logit => {}
    }
}

/// `J Jᵀ` by structure against `J Jᵀ` from the rows of `J`, each a product `Jᵀ eᵢ`.
fn check_gram(shape: &Shape, loss: Loss, residual: Residual) {
    let case = Case::<f64>::new(shape, loss);
    let (w, p) = (&case.w, case.w.len());
    let mut memory = case.memory();
    let mut problem = case.problem(residual, &mut memory);
    let mut q = vec![f64::NAN; problem.residual_len()];
    problem.linearise(w, &mut q).unwrap();
    let mut gram = vec![f64::NAN; case.network.gram_len(case.n)];
    problem.gram(w, &mut gram).unwrap();

    let rows: Vec<Vec<f64>> = (0..q.len())
        .map(|i| {
            let mut unit = vec![0.0; q.len()];
            unit[i] = 1.0;
            let mut row = vec![f64::NAN; p];
            problem.pull_back(w, &unit, &mut row).unwrap();
            row
        })
        .collect();
    let explicit: Vec<f64> = (0..q.len())
        .flat_map(|i| (0..=i).map(move |j| (i, j)))
        .map(|(i, j)| dot(&rows[i], &rows[j]))
        .collect();
    assert_close(&gram, &explicit, 1e-13);
    // The products still hold after the Gram matrix was formed.
    let v = case.direction(shape.seed);
    let mut push = vec![f64::NAN; q.len()];
    problem.push_forward(w, &v, &mut push).unwrap();
    let by_rows: Vec<f64> = rows.iter().map(|row| dot(row, &v)).collect();
    assert_close(&push, &by_rows, 1e-12);
}

/// `Jᵀ J v` for `Ggn` against `J_fᵀ H J_f v`, with `J_f` from `Logit` and `H` written out.
fn check_gauss_newton(shape: &Shape) {
    let case = Case::<f64>::new(shape, Loss::CrossEntropy);
    let (w, k) = (&case.w, case.network.outputs());
    let v = case.direction(shape.seed);
    let len = case.n * k;
    let mut twice = [Residual::Ggn, Residual::Logit].map(|residual| {
        let mut memory = case.memory();
        let mut problem = case.problem(residual, &mut memory);
        problem.linearise(w, &mut vec![0.0; len]).unwrap();
        let mut image = vec![f64::NAN; len];
        problem.push_forward(w, &v, &mut image).unwrap();
        if residual == Residual::Logit {
            for (image, f) in image.chunks_mut(k).zip(case.outputs(w).chunks(k)) {
                let p = softmax(f);
                let along = dot(&p, image);
                for (image, p) in image.iter_mut().zip(p) {
                    *image = p * (*image - along) / case.n as f64;
                }
            }
        }
        let mut out = vec![f64::NAN; w.len()];
        problem.pull_back(w, &image, &mut out).unwrap();
        out
    });
    let [ggn, logit] = &mut twice;
    assert_close(ggn, logit, 1e-12);
}

/// The fused ways of the line kernels, and the default ones, against their definitions.
fn check_descent(shape: &Shape, loss: Loss, residual: Residual) {
    let case = Case::<f64>::new(shape, loss);
    let (w, p) = (&case.w, case.w.len());
    let mut memory = case.memory();
    let mut problem = case.problem(residual, &mut memory);
    let mut gradient = vec![f64::NAN; p];
    problem.gradient(w, &mut gradient).unwrap();
    let mut buffer = vec![f64::NAN; p];
    let gradient_sq = problem.gradient_norm_sq(w, &mut buffer).unwrap();
    assert_close(&[gradient_sq], &[norm_sq(&gradient)], 1e-13);

    let mut q = vec![f64::NAN; problem.residual_len()];
    problem.linearise(w, &mut q).unwrap();
    let mut pull = vec![f64::NAN; p];
    problem.pull_back(w, &q, &mut pull).unwrap();
    let mut moved = w.clone();
    let moved_sq = problem.descend(&mut moved, &q, 0.25, &mut buffer).unwrap();
    let expected: Vec<f64> = w.iter().zip(&pull).map(|(w, g)| w - 0.25 * g).collect();
    assert_close(&moved, &expected, 1e-14);
    assert_close(&[moved_sq], &[0.0625 * norm_sq(&pull)], 1e-13);
}

fn any_residual() -> impl Strategy<Value = (Loss, Residual)> {
    prop::sample::select(&ALL[..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]
    #[test]
    fn products_are_those_of_the_jacobian(shape in shapes(), kind in any_residual()) {
        check_products(&shape, kind.0, kind.1);
    }

    #[test]
    fn descent_is_what_it_says(shape in shapes(), kind in any_residual()) {
        check_descent(&shape, kind.0, kind.1);
    }

    #[test]
    fn ggn_is_the_generalised_gauss_newton_matrix(shape in shapes()) {
        check_gauss_newton(&shape);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn gram_is_the_product_of_the_jacobians(mut shape in shapes(), kind in any_residual()) {
        // The explicit product is quadratic in n k.
        shape.n = shape.n.min(66);
        shape.k = shape.k.min(3);
        check_gram(&shape, kind.0, kind.1);
    }
}
