//! Each kernel by itself: `cargo bench --package gradflow-std`.
//!
//! Batches of 64, 784-100-10 with one input in five not zero, or 1-100-1; wide vectors where the
//! processor has them, except for what is called on the core directly.

#![allow(clippy::unwrap_used)] // a benchmark stops at the first error

use divan::{Bencher, black_box};
use gradflow_core::linalg::{Packed, add_rows, axpy, dot, norm_sq};
use gradflow_core::network::{
    Batch, Init, Inputs, LevelEntry, LevelRows, Loss, Problem, Samples, Scratch, Targets, TwoLayer,
};
use gradflow_core::{Float, Objective, Pcg32, Residuals, Stream};
use gradflow_std::run::{Registers, Wide};
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2};

const BATCH: usize = 64;
const PARAMETERS: usize = 79_500;

fn main() {
    divan::main();
}

fn random(len: usize) -> Vec<f32> {
    let mut values = vec![0.0; len];
    Pcg32::new(0, Stream::Other).normal(1.0, &mut values);
    values
}

/// Linear algebra, compiled for any processor.
mod linear_algebra {
    use super::*;

    #[divan::bench(args = [100, 640, PARAMETERS])]
    fn dot_product(bencher: Bencher<'_, '_>, len: usize) {
        let (a, b) = (random(len), random(len));
        bencher.bench(|| dot(black_box(&a), black_box(&b)));
    }

    #[divan::bench(args = [100, 640, PARAMETERS])]
    fn norm(bencher: Bencher<'_, '_>, len: usize) {
        let a = random(len);
        bencher.bench(|| norm_sq(black_box(&a)));
    }

    #[divan::bench(args = [100, 640, PARAMETERS])]
    fn update(bencher: Bencher<'_, '_>, len: usize) {
        let (a, mut b) = (random(len), random(len));
        bencher.bench_local(|| axpy(1e-9, black_box(&a), black_box(&mut b)));
    }

    /// 150 rows of 100, as one image has.
    #[divan::bench]
    fn sum_of_rows(bencher: Bencher<'_, '_>) {
        let (matrix, mut out) = (random(784 * 100), vec![0.0; 100]);
        let terms = (0..150).map(|i| (5 * i, 0.5));
        bencher.bench_local(|| add_rows(black_box(&matrix), terms.clone(), black_box(&mut out)));
    }

    #[divan::bench(args = [64, 640])]
    fn cholesky(bencher: Bencher<'_, '_>, order: usize) {
        let mut entries = vec![0.0_f32; Packed::<f32>::len_of(order)];
        bencher.bench_local(|| {
            let mut system = Packed::new(order, &mut entries).unwrap();
            for row in system.rows_mut() {
                row.fill(0.5);
                *row.last_mut().unwrap() = 2.0;
            }
            system.factorise().unwrap();
            system.solve(&mut vec![1.0; order]).unwrap();
        });
    }
}

/// A network, a batch and room to work.
struct Case {
    network: TwoLayer<f32>,
    weights: Vec<f32>,
    dense: Vec<f32>,
    rows: LevelRows<Vec<u32>, Vec<LevelEntry>, [f32; 256]>,
    targets: Vec<f32>,
    labels: Vec<u8>,
    reals: Vec<f32>,
    indices: Vec<u32>,
    sparse: bool,
}

impl Case {
    fn new(inputs: usize, outputs: usize, sparse: bool) -> Self {
        let network = TwoLayer::new(inputs, 100, outputs).unwrap();
        let mut weights = vec![0.0; network.parameters()];
        Init::Kaiming.draw(&network, 0, &mut weights).unwrap();
        let table = std::array::from_fn(|level| level as f32 / 255.0);
        let mut dense = random(BATCH * inputs);
        let (mut starts, mut entries) = (vec![0], Vec::new());
        for row in dense.chunks_mut(inputs).filter(|row| row.len() > 1) {
            row.fill(0.0);
            for (column, x) in row.iter_mut().enumerate().step_by(5) {
                let level = 1 + (7 * entries.len() % 255) as u8;
                entries.push([if column > 0 { 5 } else { 0 }, level]);
                *x = table[usize::from(level)];
            }
            starts.push(entries.len() as u32);
        }
        let len = network.residual_scratch_len(BATCH);
        Self {
            network,
            weights,
            dense,
            rows: LevelRows::new(inputs, starts, entries, table).unwrap(),
            targets: random(BATCH * outputs),
            labels: (0..BATCH).map(|i| (i % outputs) as u8).collect(),
            reals: vec![0.0; len.reals],
            indices: vec![0; len.indices],
            sparse,
        }
    }

    fn images(sparse: bool) -> Self {
        Self::new(784, 10, sparse)
    }

    fn line() -> Self {
        Self::new(1, 1, false)
    }

    /// The problem, and the weights to ask it at.
    fn problem(&mut self) -> (Wide<'_, f32>, &[f32]) {
        let inputs = if self.sparse {
            Inputs::Levels(self.rows.as_slices())
        } else {
            Inputs::Dense(&self.dense)
        };
        let (targets, loss) = if self.network.is_line() {
            (Targets::Values(&self.targets), Loss::Mse)
        } else {
            (Targets::Labels(&self.labels), Loss::CrossEntropy)
        };
        let scratch = Scratch { reals: &mut self.reals, indices: &mut self.indices };
        let batch = Batch::all(Samples { inputs, targets }, BATCH);
        let problem: Problem<'_, f32> = self.network.on(batch, loss, scratch).unwrap();
        (Wide::new(problem, Registers::Avx512), &self.weights)
    }
}

/// The gradient of the network 784-100-10 on dense inputs, by matrices.
struct Products {
    hidden: Array2<f32>,
    deltas: Array2<f32>,
    outputs: Array2<f32>,
    labels: Vec<u8>,
}

impl Products {
    fn new(case: &Case) -> Self {
        Self {
            hidden: Array2::zeros((BATCH, 100)),
            deltas: Array2::zeros((BATCH, 100)),
            outputs: Array2::zeros((BATCH, 10)),
            labels: case.labels.clone(),
        }
    }

    fn gradient(&mut self, x: &[f32], weights: &[f32], gradient: &mut [f32]) {
        let Self { hidden: h, deltas, outputs: f, labels } = self;
        let x = ArrayView2::from_shape((BATCH, 784), x).unwrap();
        let (w, rest) = weights.split_at(784 * 100);
        let (biases, a) = rest.split_at(100);
        let w = ArrayView2::from_shape((784, 100), w).unwrap();
        let a = ArrayView2::from_shape((10, 100), a).unwrap();
        general_mat_mul(1.0, &x, &w, 0.0, h);
        for mut row in h.rows_mut() {
            row.iter_mut().zip(biases).for_each(|(h, bias)| *h = (*h + bias).max(0.0));
        }
        general_mat_mul(1.0, h, &a.t(), 0.0, f);
        for (mut row, &label) in f.rows_mut().into_iter().zip(&*labels) {
            let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            row.mapv_inplace(|f| Float::exp(f - top));
            let total: f32 = row.iter().sum();
            row.mapv_inplace(|e| e / total / BATCH as f32);
            row[usize::from(label)] -= 1.0 / BATCH as f32;
        }
        general_mat_mul(1.0, f, &a, 0.0, deltas);
        deltas.zip_mut_with(h, |delta, &h| *delta = if h > 0.0 { *delta } else { 0.0 });

        let (w, rest) = gradient.split_at_mut(784 * 100);
        let (biases, a) = rest.split_at_mut(100);
        let mut w = ArrayViewMut2::from_shape((784, 100), w).unwrap();
        let mut a = ArrayViewMut2::from_shape((10, 100), a).unwrap();
        general_mat_mul(1.0, &x.t(), deltas, 0.0, &mut w);
        general_mat_mul(1.0, &f.t(), h, 0.0, &mut a);
        biases.fill(0.0);
        for row in deltas.rows() {
            biases.iter_mut().zip(row).for_each(|(sum, delta)| *sum += delta);
        }
    }
}

/// The network's passes.
mod network {
    use super::*;

    fn loss_of(bencher: Bencher<'_, '_>, mut case: Case) {
        let (mut problem, weights) = case.problem();
        bencher.bench_local(|| problem.loss(black_box(weights)).unwrap());
    }

    fn gradient_of(bencher: Bencher<'_, '_>, mut case: Case) {
        let (mut problem, weights) = case.problem();
        let mut gradient = vec![0.0; weights.len()];
        bencher.bench_local(|| problem.gradient(black_box(weights), &mut gradient).unwrap());
    }

    #[divan::bench]
    fn sparse_loss(bencher: Bencher<'_, '_>) {
        loss_of(bencher, Case::images(true));
    }

    #[divan::bench]
    fn sparse_gradient(bencher: Bencher<'_, '_>) {
        gradient_of(bencher, Case::images(true));
    }

    #[divan::bench]
    fn dense_gradient(bencher: Bencher<'_, '_>) {
        gradient_of(bencher, Case::images(false));
    }

    /// The same gradient by general products of matrices, those of the crate `matrixmultiply`.
    #[divan::bench]
    fn dense_gradient_by_matrixmultiply(bencher: Bencher<'_, '_>) {
        let mut case = Case::images(false);
        let (x, weights) = (case.dense.clone(), case.weights.clone());
        let mut products = Products::new(&case);
        let mut expected = vec![0.0; weights.len()];
        case.problem().0.gradient(&weights, &mut expected).unwrap();
        let mut gradient = vec![0.0; weights.len()];
        products.gradient(&x, &weights, &mut gradient);
        for (found, expected) in gradient.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-5, "{found}, not {expected}");
        }
        bencher.bench_local(|| products.gradient(&x, black_box(&weights), &mut gradient));
    }

    #[divan::bench]
    fn line_loss(bencher: Bencher<'_, '_>) {
        loss_of(bencher, Case::line());
    }

    #[divan::bench]
    fn line_gradient(bencher: Bencher<'_, '_>) {
        gradient_of(bencher, Case::line());
    }

    #[divan::bench(args = ["sparse", "dense", "line"])]
    fn gram(bencher: Bencher<'_, '_>, kind: &str) {
        let mut case = if kind == "line" { Case::line() } else { Case::images(kind == "sparse") };
        let entries = BATCH * case.network.outputs();
        let (mut problem, weights) = case.problem();
        problem.linearise(weights, &mut vec![0.0; entries]).unwrap();
        let mut gram = vec![0.0; Packed::<f32>::len_of(entries)];
        bencher.bench_local(|| problem.gram(black_box(weights), &mut gram).unwrap());
    }

    #[divan::bench]
    fn products_with_the_jacobian(bencher: Bencher<'_, '_>) {
        let mut case = Case::images(true);
        let entries = BATCH * case.network.outputs();
        let (mut problem, weights) = case.problem();
        let (mut u, mut v) = (vec![0.0; entries], vec![0.0; weights.len()]);
        problem.linearise(weights, &mut u).unwrap();
        bencher.bench_local(|| {
            problem.pull_back(weights, black_box(&u), &mut v).unwrap();
            problem.push_forward(weights, &v, &mut u).unwrap();
        });
    }
}
