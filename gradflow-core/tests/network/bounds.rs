//! What is known of a gradient before it is read, and steps that do not look at it first.

use gradflow_core::linalg::norm_sq;
use gradflow_core::network::{
    Batch, Inputs, LevelRows, Loss, Residual, Samples, Targets, TwoLayer, Vectors,
};
use gradflow_core::scheme::{Coupling, Flow, Sav, Scalar, Scheme, Sgd};
use gradflow_core::{Error, Float, Gradient, Objective, Quantity, Residuals, Support};
use proptest::prelude::*;

use super::case::{Case, Memory, Shape, boxed_in, shapes};

const VECTORS: [Vectors; 3] = [Vectors::Short, Vectors::Long, Vectors::Longest];

/// What bounds leave for rounding, and a little of it for the sums of these tests.
const ROOM: f64 = 32_000.0;

fn problem<'a, T: Float>(
    case: &'a Case<T>,
    samples: Samples<'a, T>,
    vectors: Vectors,
    memory: &'a mut Memory<T>,
) -> Box<dyn Residuals<T> + 'a> {
    let settings = (case.loss, Residual::default_for(case.loss));
    boxed_in(vectors, &case.network, Batch::all(samples, case.n), settings, memory.lend())
}

/// Parameters of all sizes, some of them no numbers.
#[derive(Clone, Debug)]
struct Change {
    factor: f64,
    poison: Option<(usize, f64)>,
}

impl Change {
    fn apply<T: Float>(&self, w: &mut [T]) {
        let factor = T::from_f64(self.factor);
        w.iter_mut().for_each(|w| *w *= factor);
        if let Some((place, value)) = self.poison {
            let len = w.len();
            w[place % len] = T::from_f64(value);
        }
    }
}

fn changes() -> impl Strategy<Value = Change> {
    let factor = prop_oneof![
        2 => Just(1.0),
        1 => (-45.0..45.0_f64).prop_map(|e| libm::pow(10.0, e)),
        1 => (-320.0..300.0_f64).prop_map(|e| libm::pow(10.0, e)),
    ];
    let values = vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e38, -1e300];
    let poison = prop::option::weighted(0.3, (any::<usize>(), prop::sample::select(values)));
    (factor, poison).prop_map(|(factor, poison)| Change { factor, poison })
}

fn check_bound<T: Float>(shape: &Shape, loss: Loss, change: &Change) {
    let mut case = Case::<T>::new(shape, loss);
    change.apply(&mut case.w);
    for vectors in VECTORS {
        let mut memory = case.memory();
        let mut problem = problem(&case, case.levels(), vectors, &mut memory);
        let mut g = vec![T::ZERO; case.w.len()];
        problem.sparse_gradient(&case.w, &mut g).unwrap();
        let bound = problem.gradient_bound(&case.w, &g);
        if bound.is_finite() {
            let g = Gradient::new(&g, problem.support());
            let limit = T::from_f64(bound.to_f64() / ROOM);
            for run in g.support.runs() {
                assert!(g.entries[run].iter().all(|g| g.abs() <= limit), "an entry above {limit}");
            }
            let norm = g.norm_sq.sqrt();
            assert!(norm <= limit || !(limit * limit).is_finite(), "norm {norm} above {limit}");
        }
    }
}

/// An objective of which no bound is known.
struct Unbounded<'a, T>(&'a mut dyn Residuals<T>);

impl<T: Float> Objective<T> for Unbounded<'_, T> {
    fn parameters(&self) -> usize {
        self.0.parameters()
    }

    fn loss(&mut self, w: &[T]) -> Result<T, Error> {
        self.0.loss(w)
    }

    fn gradient(&mut self, w: &[T], gradient: &mut [T]) -> Result<T, Error> {
        self.0.gradient(w, gradient)
    }

    fn sparse_gradient(&mut self, w: &[T], gradient: &mut [T]) -> Result<T, Error> {
        self.0.sparse_gradient(w, gradient)
    }

    fn support(&self) -> Support<'_> {
        self.0.support()
    }
}

fn check_steps<T: Float>(shape: &Shape, loss: Loss, change: &Change, [dt, lambda]: [f64; 2]) {
    let mut case = Case::<T>::new(shape, loss);
    change.apply(&mut case.w);
    for vectors in VECTORS {
        let mut memory = case.memory();
        let mut problem = problem(&case, case.levels(), vectors, &mut memory);
        let buffer = vec![T::from_f64(f64::NAN); case.w.len()];
        let operator = Scalar { lambda: T::from_f64(lambda) };
        let mut scheme = Flow::new(Sgd, operator, T::from_f64(dt), buffer);
        let (mut expected, mut found) = (case.w.clone(), case.w.clone());
        for _ in 0..3 {
            let before = bits(&found);
            let expected_step = scheme.step(&mut expected, &mut Unbounded(problem.as_mut()));
            let step = scheme.step(&mut found, problem.as_mut());
            assert_eq!(step, expected_step);
            assert_eq!(bits(&found), bits(&expected));
            assert!(step.is_ok() || bits(&found) == before);
        }
    }
}

fn bits<T: Float>(w: &[T]) -> Vec<u64> {
    w.iter().map(|w| w.to_bits64()).collect()
}

/// Levels 0 and `level` for one hidden unit: samples have that at all inputs or none, and the mean squared
/// error from these outputs. The gradient at `w` and its bound, and the step of SGD that is made of them.
fn one_unit(
    level: f32,
    (rows, values): (&[bool], &[f32]),
    scale: f32,
    w: &mut [f32],
) -> (Vec<f32>, f32, Result<(), Error>) {
    let inputs = w.len() - 2;
    let network = TwoLayer::<f32>::new(inputs, 1, 1).unwrap().with_scale(scale);
    let mut table = [0.0; 256];
    table[1] = level;
    let (mut starts, mut entries) = (vec![0], vec![]);
    for &is_full in rows {
        entries.extend((0..inputs).filter(|_| is_full).map(|i| [u8::from(i > 0), 1]));
        starts.push(entries.len() as u32);
    }
    let levels = LevelRows::new(inputs, &*starts, &*entries, &table).unwrap();
    let samples = Samples { inputs: Inputs::Levels(levels), targets: Targets::Values(values) };
    let mut memory = Memory::new(&network, rows.len(), f64::NAN);
    let batch = Batch::all(samples, rows.len());
    let mut problem = network.on(batch, Loss::Mse, memory.lend()).unwrap();
    let mut g = vec![0.0; w.len()];
    problem.gradient(w, &mut g).unwrap();
    let bound = problem.gradient_bound(w, &g);
    let mut scheme = Flow::new(Sgd, Scalar { lambda: 0.0 }, 1e-3, vec![0.0; w.len()]);
    (g, bound, scheme.step(w, &mut problem).map(|_| ()))
}

/// One piece of samples has nine inputs of 100 and an output of about 1 too much, one has neither.
#[test]
fn every_input_and_piece_and_the_scale_count() {
    for (is_first, scale) in [(true, 1.0), (false, 1.0), (true, -1000.0)] {
        let full = |sample: usize| (sample < 64) == is_first;
        let rows: Vec<bool> = (0..128).map(full).collect();
        let values: Vec<f32> = rows.iter().map(|&full| if full { -1.0 } else { 0.0 }).collect();
        let mut w = [1e-9; 11];
        (w[9], w[10]) = (0.0, 1.0); // bias and output
        let (g, bound, step) = one_unit(100.0, (&rows, &values), scale, &mut w);
        let limit = bound / ROOM as f32;
        assert!(step.is_ok() && limit > 50.0 && norm_sq(&g).sqrt() < limit, "{g:?} and {limit}");
    }
}

/// The hidden delta overflows, or its square, which the input that it meets hides.
#[test]
fn large_deltas_count() {
    for (output, value) in [(1e38, 1e4), (1e10, 1e15)] {
        let before = [0.0, 0.0, 1e-30, output];
        let mut w = before;
        let (_, _, step) = one_unit(1e-30, (&[true], &[value]), 1.0, &mut w);
        assert_eq!((step, w), (Err(Error::NotFinite { what: Quantity::Gradient }), before));
    }
}

/// A level times an output's weight is 0, but not with the deltas between.
#[test]
fn bounds_do_not_vanish_before_the_gradient() {
    let mut w = [0.0, 0.0, 1e-19, 1e-20];
    let errors = (&[true, false][..], &[-1e19, 1e19][..]);
    let (g, bound, step) = one_unit(1e-30, errors, 1e19, &mut w);
    let size = g.iter().fold(0.0, |size: f32, g| size.max(g.abs()));
    assert!(step.is_ok() && size > 0.0 && size <= bound, "{g:?} and {bound}");
}

/// An objective with an infinite gradient and a bound that denies it.
struct Lying(f32);

impl Objective<f32> for Lying {
    fn parameters(&self) -> usize {
        1
    }

    fn loss(&mut self, _w: &[f32]) -> Result<f32, Error> {
        Ok(1.0)
    }

    fn gradient(&mut self, _w: &[f32], gradient: &mut [f32]) -> Result<f32, Error> {
        gradient.fill(f32::INFINITY);
        Ok(1.0)
    }

    fn gradient_bound(&mut self, _w: &[f32], _gradient: &[f32]) -> f32 {
        self.0
    }
}

/// Bounds below which no step overflows are believed, all others are not.
#[test]
fn steps_within_a_bound_do_not_look_first() {
    for (bound, looks) in [(1.0, false), (f32::INFINITY, true), (f32::NAN, true), (1e20, true)] {
        let mut scheme = Flow::new(Sgd, Scalar { lambda: 0.0 }, 1e-3, [0.0]);
        let mut w = [1.0];
        assert_eq!(scheme.step(&mut w, &mut Lying(bound)).is_err(), looks, "{bound}");
        assert_eq!(w == [1.0], looks, "{bound}");
        // Where the length depends on the slope, there is no way round looking.
        let sav = Sav { c: 1.0, coupling: Coupling::Ratio };
        let mut scheme = Flow::new(sav, Scalar { lambda: 0.0 }, 1e-3, [0.0]);
        assert!(scheme.step(&mut [1.0], &mut Lying(bound)).is_err());
    }
}

#[test]
fn a_bound_is_known_for_levels_alone() {
    for (n, loss) in [(5, Loss::Mse), (64, Loss::CrossEntropy), (130, Loss::Brier)] {
        let shape = Shape { d: 9, m: 20, k: 4, n, output_bias: true, scale: 0.5, seed: 2 };
        let case = Case::<f32>::new(&shape, loss);
        for (samples, is_known) in
            [(case.levels(), true), (case.sparse(), false), (case.dense(), false)]
        {
            let mut memory = case.memory();
            let mut problem = problem(&case, samples, Vectors::Longest, &mut memory);
            let mut g = vec![0.0; case.w.len()];
            assert_eq!(problem.gradient_bound(&case.w, &g), f32::INFINITY, "before a gradient");
            problem.gradient(&case.w, &mut g).unwrap();
            // A bound of use: a step of SGD that moves along it must not seem to overflow.
            assert_eq!(problem.gradient_bound(&case.w, &g) < 1e12, is_known);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_gradient_exceeds_its_bound(
        shape in shapes(),
        loss in prop::sample::select(vec![Loss::Mse, Loss::CrossEntropy, Loss::Brier]),
        change in changes(),
    ) {
        check_bound::<f32>(&shape, loss, &change);
        check_bound::<f64>(&shape, loss, &change);
    }

    #[test]
    fn steps_that_do_not_look_first_change_no_bit(
        shape in shapes(),
        loss in prop::sample::select(vec![Loss::Mse, Loss::CrossEntropy, Loss::Brier]),
        change in changes(),
        dt in prop_oneof![3 => -6.0..6.0_f64, 1 => -37.0..37.0_f64],
        lambda in prop_oneof![Just(0.0), 0.0..10.0_f64, Just(1e30)],
    ) {
        let dt = libm::pow(10.0, dt);
        check_steps::<f32>(&shape, loss, &change, [dt, lambda]);
        check_steps::<f64>(&shape, loss, &change, [dt, lambda]);
    }
}
