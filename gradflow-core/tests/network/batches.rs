//! The same samples give the same bits, however they are stored and named, and whatever registers the
//! kernels are for.

#[cfg(feature = "wide")]
use gradflow_core::network::Inlined;
use gradflow_core::network::{Batch, Inputs, Loss, Residual, Samples, Targets, Vectors};
use gradflow_core::scheme::{Coupling, Flow, Relaxed, Sav, Scalar, Scheme};
use gradflow_core::{Error, Float, Objective, Pcg32, Quantity, Residuals, Stream, Support};
use proptest::prelude::*;

use super::case::{Case, Memory, Shape, assert_close, boxed_in, normals, shapes};

const LOSSES: [Loss; 3] = [Loss::Mse, Loss::CrossEntropy, Loss::Brier];

/// The bits of all that a problem computes on a batch, in scratch full of `junk`.
fn fingerprint<T: Float>(case: &Case<T>, batch: Batch<'_, T>, junk: f64) -> Vec<u64> {
    let all = [Vectors::Short, Vectors::Long, Vectors::Longest];
    let [short, long, longest] = all.map(|vectors| fingerprint_in(vectors, case, batch, junk));
    assert!(short == long && short == longest, "kernels for some registers change bits");
    short
}

fn fingerprint_in<T: Float>(
    vectors: Vectors,
    case: &Case<T>,
    batch: Batch<'_, T>,
    junk: f64,
) -> Vec<u64> {
    let (network, w) = (&case.network, &case.w);
    let mut memory = Memory::new(network, batch.len(), junk);
    let residual = Residual::default_for(case.loss);
    let mut problem = boxed_in(vectors, network, batch, (case.loss, residual), memory.lend());
    let (p, len) = (w.len(), problem.residual_len());
    let mut rng = Pcg32::new(1, Stream::Other);
    let (v, u) = (normals(&mut rng, p), normals(&mut rng, len));

    // Twice, since what the first call transposes is held.
    let mut out = vec![problem.loss(w).unwrap(), problem.loss(w).unwrap()];
    let mut gradient = vec![T::ONE; p];
    out.push(problem.gradient(w, &mut gradient).unwrap());
    assert_support_holds(problem.as_mut(), w, &gradient);
    out.push(problem.gradient_norm_sq(w, &mut vec![T::ONE; p]).unwrap());
    let mut q = vec![T::ONE; len];
    out.push(problem.linearise(w, &mut q).unwrap());
    let mut push = vec![T::ONE; len];
    problem.push_forward(w, &v, &mut push).unwrap();
    let mut pull = vec![T::ONE; p];
    problem.pull_back(w, &u, &mut pull).unwrap();
    let mut gram = Vec::new();
    if len <= 140 {
        gram.resize(network.gram_len(batch.len()), T::ONE);
        problem.gram(w, &mut gram).unwrap();
    }
    let mut moved = w.clone();
    let mut buffer = vec![T::ONE; p];
    out.push(problem.descend(&mut moved, &u, T::HALF, &mut buffer).unwrap());
    let mut f = vec![T::ONE; len];
    let mut memory = Memory::new(network, batch.len(), junk);
    network.predict(w, batch, &mut memory.lend(), &mut f).unwrap();
    let all = [out, gradient, q, push, pull, gram, moved, f].concat();
    all.into_iter().map(T::to_bits64).collect()
}

/// The sparse gradient is the gradient in its support, and leaves what is elsewhere, where that is 0.
fn assert_support_holds<T: Float>(problem: &mut (dyn Residuals<T> + '_), w: &[T], gradient: &[T]) {
    let untouched = T::from_f64(7.0);
    let mut sparse = vec![untouched; w.len()];
    let loss = problem.sparse_gradient(w, &mut sparse).unwrap();
    assert_eq!(loss.to_bits64(), problem.loss(w).unwrap().to_bits64());
    let mut inside = vec![false; w.len()];
    for run in problem.support().runs() {
        inside[run].fill(true);
    }
    for ((&found, &expected), inside) in sparse.iter().zip(gradient).zip(inside) {
        if inside || found != untouched {
            assert_eq!(found.to_bits64(), expected.to_bits64());
        } else {
            assert_eq!(expected.to_bits64(), T::ZERO.to_bits64());
        }
    }
}

/// A dense set of the samples that `order` names.
fn gather<T: Float>(case: &Case<T>, order: &[u32]) -> (Vec<T>, Vec<T>, Vec<u8>) {
    let rows = |all: &[T], width: usize| {
        let row = |&i: &u32| &all[i as usize * width..(i as usize + 1) * width];
        order.iter().flat_map(row).copied().collect()
    };
    let labels = order.iter().map(|&i| case.labels[i as usize]).collect();
    let (d, k) = (case.network.inputs(), case.network.outputs());
    (rows(&case.x, d), rows(&case.values, k), labels)
}

fn check<T: Float>(shape: &Shape, loss: Loss) {
    let case = Case::<T>::new(shape, loss);
    let whole = fingerprint(&case, Batch::all(case.dense(), case.n), f64::NAN);
    let sparse = fingerprint(&case, Batch::all(case.sparse(), case.n), f64::NAN);
    assert_eq!(whole, sparse);
    assert_eq!(whole, fingerprint(&case, Batch::all(case.levels(), case.n), f64::NAN));
    let zeroed = fingerprint(&case, Batch::all(case.dense(), case.n), 0.0);
    assert_eq!(whole, zeroed);

    let mut rng = Pcg32::new(shape.seed, Stream::Shuffle);
    let mut order: Vec<u32> = (0..case.n as u32).collect();
    rng.shuffle(&mut order);
    order.truncate(1 + rng.below(case.n as u32) as usize);
    order.push(order[0]);
    let (x, values, labels) = gather(&case, &order);
    let targets =
        if loss.classifies() { Targets::Labels(&labels) } else { Targets::Values(&values) };
    let inputs = Inputs::Dense(&x);
    let gathered = Batch::all(Samples { inputs, targets }, order.len());
    let gathered = fingerprint(&case, gathered, f64::NAN);
    assert_eq!(gathered, fingerprint(&case, Batch::of(case.dense(), &order), f64::NAN));
    assert_eq!(gathered, fingerprint(&case, Batch::of(case.sparse(), &order), f64::NAN));
    assert_eq!(gathered, fingerprint(&case, Batch::of(case.levels(), &order), f64::NAN));
}

/// Full pieces of 64 samples, and networks whose activations fill seven blocks, have kernels of their
/// own.
#[test]
fn whole_pieces_change_no_bit() {
    for m in [96, 97, 100, 112, 113] {
        for n in [63, 64, 65, 128] {
            for (d, k) in [(4, 3), (5, 6)] {
                let shape = Shape { d, m, k, n, output_bias: true, scale: 1.0, seed: 0 };
                check::<f32>(&shape, Loss::CrossEntropy);
                check::<f64>(&shape, Loss::CrossEntropy);
            }
        }
    }
}

/// Rows of levels have entries of value 0 between those.
#[test]
fn inputs_far_from_one_another_change_no_bit() {
    for (d, n) in [(600, 40), (901, 66)] {
        let shape = Shape { d, m: 20, k: 3, n, output_bias: true, scale: 1.0, seed: 4 };
        check::<f32>(&shape, Loss::CrossEntropy);
        check::<f64>(&shape, Loss::Mse);
    }
}

/// Outputs are summed in blocks of 16, of which a sample's row may fill a part, one or more, and samples
/// are taken two at a time.
#[test]
fn blocks_of_outputs_change_no_bit() {
    for k in [5, 10, 15, 16, 17, 33] {
        for (m, n) in [(20, 1), (20, 3), (9, 66), (100, 65)] {
            let shape = Shape { d: 3, m, k, n, output_bias: true, scale: 0.7, seed: 1 };
            check::<f32>(&shape, Loss::CrossEntropy);
            check::<f64>(&shape, Loss::Mse);
        }
    }
}

/// Parameters after some relaxed steps on random batches of a set whose inputs 2 and 3 are zero, each tried
/// once before with an end that is refused.
fn trained(case: &Case<f32>, samples: Samples<'_, f32>, vectors: Vectors) -> Vec<u32> {
    let rule = Sav { c: 1.0, coupling: Coupling::Ratio };
    let gradient = vec![f32::NAN; case.w.len()];
    let flow = Flow::new(rule, Scalar { lambda: 0.5 }, 0.7, gradient);
    let mut scheme = Relaxed::new(flow, 0.9, vec![0.0; case.w.len()]);
    let mut w = case.w.clone();
    w[2 * case.network.hidden()] = -0.0;
    let mut rng = Pcg32::new(3, Stream::Shuffle);
    for size in [1, 7, 2, 64, 5, 3, 60, 64] {
        let order: Vec<u32> = (0..size).map(|_| rng.below(case.n as u32)).collect();
        let mut memory = Memory::new(&case.network, order.len(), f64::NAN);
        let residual = Residual::default_for(case.loss);
        let batch = Batch::of(samples, &order);
        let settings = (case.loss, residual);
        let mut problem = boxed_in(vectors, &case.network, batch, settings, memory.lend());
        let before = (bits(&w), state(&mut scheme));
        let refused = scheme.step(&mut w, &mut Diverging(problem.as_mut()));
        assert_eq!(refused, Err(Error::NotFinite { what: Quantity::NextLoss }));
        assert_eq!((bits(&w), state(&mut scheme)), before);
        scheme.step(&mut w, problem.as_mut()).unwrap();
        let inside: usize = problem.support().runs().map(|run| run.len()).sum();
        let sparse = !matches!(samples.inputs, Inputs::Dense(_)) && cfg!(feature = "wide");
        let most = w.len() - if sparse { 2 * case.network.hidden() } else { 0 };
        assert!(inside <= most, "{inside} of {} parameters may have a gradient", w.len());
    }
    bits(&w)
}

fn bits(w: &[f32]) -> Vec<u32> {
    w.iter().map(|w| w.to_bits()).collect()
}

/// Every number of a scheme's state, as bits.
fn state<'a>(scheme: &mut impl Scheme<f32, dyn Residuals<f32> + 'a>) -> Vec<u32> {
    let mut state = Vec::new();
    scheme.visit_state(&mut |_, values| state.extend(bits(values)));
    state
}

/// A problem whose loss is no number wherever a step may lead.
struct Diverging<'a>(&'a mut dyn Residuals<f32>);

impl Objective<f32> for Diverging<'_> {
    fn parameters(&self) -> usize {
        self.0.parameters()
    }

    fn loss(&mut self, w: &[f32]) -> Result<f32, Error> {
        self.0.loss(w).map(|_| f32::NAN)
    }

    fn gradient(&mut self, w: &[f32], gradient: &mut [f32]) -> Result<f32, Error> {
        self.0.gradient(w, gradient)
    }

    fn sparse_gradient(&mut self, w: &[f32], gradient: &mut [f32]) -> Result<f32, Error> {
        self.0.sparse_gradient(w, gradient)
    }

    fn support(&self) -> Support<'_> {
        self.0.support()
    }
}

#[test]
fn steps_that_skip_zeros_change_no_bit() {
    for (d, m) in [(9, 100), (12, 24), (6, 5)] {
        let shape = Shape { d, m, k: 4, n: 64, output_bias: true, scale: 1.0, seed: 5 };
        let case = Case::<f32>::new(&shape, Loss::CrossEntropy);
        let expected = trained(&case, case.dense(), Vectors::Short);
        for vectors in [Vectors::Short, Vectors::Long, Vectors::Longest] {
            assert_eq!(trained(&case, case.sparse(), vectors), expected, "{vectors:?}");
            assert_eq!(trained(&case, case.levels(), vectors), expected, "{vectors:?}, levels");
        }
    }
}

/// What one caller's kernels leave transposed serves another's.
#[cfg(feature = "wide")]
#[test]
fn another_caller_on_the_same_batch_changes_no_bit() {
    let all = [Vectors::Short, Vectors::Long, Vectors::Longest];
    for (m, n) in [(20, 7), (100, 64), (112, 65)] {
        let shape = Shape { d: 5, m, k: 6, n, output_bias: true, scale: 1.0, seed: 2 };
        let case = Case::<f32>::new(&shape, Loss::CrossEntropy);
        let (w, u) = (&case.w, normals(&mut Pcg32::new(1, Stream::Other), 6 * n));
        let bits = |first, second| {
            let mut memory = case.memory();
            let batch = Batch::all(case.sparse(), n);
            let mut problem = case.network.on(batch, case.loss, memory.lend()).unwrap();
            problem.set_caller(Inlined(first));
            let mut out = vec![f32::NAN; w.len()];
            problem.linearise(w, &mut vec![0.0; u.len()]).unwrap();
            problem.pull_back(w, &u, &mut out).unwrap();
            problem.set_caller(Inlined(second));
            problem.gradient(w, &mut out).unwrap();
            let mut pull = vec![f32::NAN; w.len()];
            problem.linearise(w, &mut vec![0.0; u.len()]).unwrap();
            problem.pull_back(w, &u, &mut pull).unwrap();
            [out, pull].concat().into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };
        let expected = bits(Vectors::Short, Vectors::Short);
        for (first, second) in all.into_iter().flat_map(|first| all.map(|second| (first, second))) {
            assert_eq!(bits(first, second), expected, "{first:?}, then {second:?}");
        }
    }
}

/// Predictions by definition, and the figures of merit from them.
fn check_evaluation(shape: &Shape, loss: Loss) {
    let case = Case::<f64>::new(shape, loss);
    let (network, w, k) = (&case.network, &case.w, case.network.outputs());
    let expected = case.outputs(w);
    let mut f = vec![f64::NAN; expected.len()];
    let batch = Batch::all(case.dense(), case.n);
    network.predict(w, batch, &mut case.memory().lend(), &mut f).unwrap();
    assert_close(&f, &expected, 1e-13);

    let order: Vec<u32> = (0..case.n as u32).collect();
    let mut memory = Memory::new(network, 64, f64::NAN);
    let evaluation = network.evaluate(w, case.dense(), &order, loss, &mut memory.lend()).unwrap();
    assert_close(&[evaluation.loss], &[case.naive_loss(w)], 1e-13);
    assert_eq!(evaluation.samples, case.n);
    let mut correct = 0;
    for (f, &label) in f.chunks(k).zip(&case.labels) {
        let top = f.iter().fold(f64::NEG_INFINITY, |top, &f| top.max(f));
        let first = f.iter().position(|&f| f == top);
        correct += usize::from(first == Some(usize::from(label)));
    }
    assert_eq!(evaluation.correct, if loss.classifies() { correct } else { 0 });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn storage_and_order_change_no_bit(shape in shapes(), loss in prop::sample::select(&LOSSES[..])) {
        check::<f32>(&shape, loss);
        check::<f64>(&shape, loss);
    }

    #[test]
    fn evaluation_is_by_definition(shape in shapes(), loss in prop::sample::select(&LOSSES[..])) {
        check_evaluation(&shape, loss);
    }
}
