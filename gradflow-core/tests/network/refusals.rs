//! What is refused, with which error; and that a refused step changes nothing.

use gradflow_core::network::{
    Batch, Inputs, Loss, Residual, Samples, Scratch, SparseRows, Targets, TwoLayer,
};
use gradflow_core::{Buffer, Error, Pcg32, Setting, Stream};
use proptest::prelude::*;

use super::case::{Case, Memory, Shape, boxed, normals};

const SHAPE: Shape = Shape { d: 3, m: 10, k: 2, n: 5, output_bias: true, scale: 0.5, seed: 1 };

proptest! {
    /// In f32, where squares overflow from 2e19 on.
    #[test]
    fn a_step_is_finite_or_refused_whole(
        line: bool,
        n in 1_usize..20,
        output_bias: bool,
        powers in [-30_i32..39, -30_i32..39, -30_i32..39],
        seed: u64,
    ) {
        let (d, k) = if line { (1, 1) } else { (2, 2) };
        let case = Case::<f32>::new(&Shape { d, k, n, output_bias, seed, ..SHAPE }, Loss::Mse);
        let mut memory = case.memory();
        let mut problem = case.problem(Residual::Scaled, &mut memory);
        problem.linearise(&case.w, &mut vec![0.0; n * k]).unwrap();
        let [length, u_size, w_size] = powers.map(|power| 10_f32.powi(power));
        let mut rng = Pcg32::new(seed, Stream::Other);
        let u: Vec<f32> = normals(&mut rng, n * k).iter().map(|u: &f32| u * u_size).collect();
        let w: Vec<f32> = case.w.iter().map(|w| w * w_size).collect();
        prop_assume!(w.iter().chain(&u).all(|x| x.is_finite()));
        let mut moved = w.clone();
        match problem.descend(&mut moved, &u, length, &mut vec![0.0; w.len()]) {
            Ok(moved_sq) => {
                prop_assert!(moved_sq.is_finite());
                prop_assert!(moved.iter().all(|w| w.is_finite()));
            }
            Err(error) => {
                prop_assert!(matches!(error, Error::NotFinite { .. }), "{}", error);
                prop_assert_eq!(moved, w);
            }
        }
    }
}

/// Where a unit is exactly at its kink it counts as inactive, in every kernel.
#[test]
fn units_at_their_kink_have_no_slope() {
    for d in [1, 2] {
        let network = TwoLayer::<f64>::new(d, 2, 1).unwrap();
        // Both units see z = x − 1 at x = (1, 0); the second is lifted off its kink.
        let mut w = vec![0.0; network.parameters()];
        w[..2].fill(1.0);
        w[2 * d..2 * d + 2].copy_from_slice(&[-1.0, -0.5]);
        w[2 * d + 2..].fill(1.0);
        let x = [1.0, 0.0];
        let samples = Samples { inputs: Inputs::Dense(&x[..d]), targets: Targets::Values(&[0.0]) };
        let mut memory = Memory::new(&network, 1, f64::NAN);
        let mut problem = boxed(
            &network,
            Batch::all(samples, 1),
            Loss::Mse,
            Residual::default_for(Loss::Mse),
            memory.lend(),
        );
        let mut gradient = vec![f64::NAN; w.len()];
        assert_eq!(problem.gradient(&w, &mut gradient), Ok(0.25));
        problem.linearise(&w, &mut [0.0]).unwrap();
        let mut row = vec![f64::NAN; w.len()];
        problem.pull_back(&w, &[1.0], &mut row).unwrap();
        for slopes in [&gradient, &row] {
            assert!(slopes.iter().step_by(2).all(|&slope| slope == 0.0), "{slopes:?}");
            assert!(slopes[1] != 0.0 && slopes[2 * d + 1] != 0.0 && slopes[2 * d + 3] != 0.0);
        }
    }
}

fn length(result: Result<impl Sized, Error>) -> Buffer {
    match result.map(drop) {
        Err(Error::Length { what, needed, got }) => {
            assert_ne!(needed, got);
            what
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn buffers_of_a_wrong_length_are_named() {
    for (d, k) in [(1, 1), (3, 2)] {
        let case = Case::<f64>::new(&Shape { d, k, ..SHAPE }, Loss::Mse);
        let (p, len) = (case.w.len(), case.n * k);
        let gram = case.network.gram_len(case.n);
        let (w, longer) = (&case.w, &mut vec![0.0; p + 1]);
        let mut memory = case.memory();
        let mut problem = case.problem(Residual::Scaled, &mut memory);
        let (mut out, mut q) = (vec![0.0; p], vec![0.0; len]);
        assert_eq!(length(problem.loss(longer)), Buffer::Weights);
        assert_eq!(length(problem.gradient(longer, &mut out)), Buffer::Weights);
        assert_eq!(length(problem.gradient(w, &mut out[1..])), Buffer::Gradient);
        assert_eq!(length(problem.linearise(longer, &mut q)), Buffer::Weights);
        assert_eq!(length(problem.linearise(w, &mut q[1..])), Buffer::Residual);
        problem.linearise(w, &mut q).unwrap();
        assert_eq!(length(problem.push_forward(w, longer, &mut q)), Buffer::Weights);
        assert_eq!(length(problem.push_forward(w, w, &mut q[1..])), Buffer::Residual);
        assert_eq!(length(problem.pull_back(w, &q[1..], &mut out)), Buffer::Residual);
        assert_eq!(length(problem.pull_back(w, &q, &mut out[1..])), Buffer::Gradient);
        assert_eq!(length(problem.descend(longer, &q, 1.0, &mut out)), Buffer::Weights);
        let mut moved = w.clone();
        assert_eq!(length(problem.descend(&mut moved, &q[1..], 1.0, &mut out)), Buffer::Residual);
        assert_eq!(&moved, w);
        assert_eq!(length(problem.gram(w, &mut vec![0.0; gram - 1])), Buffer::Gram);
        assert_eq!(length(problem.gram(w, &mut vec![0.0; gram + 1])), Buffer::Gram);
        drop(problem);
        let batch = Batch::all(case.dense(), case.n);
        let short = case.network.predict(w, batch, &mut memory.lend(), &mut q[1..]);
        assert_eq!(length(short), Buffer::Predictions);
    }
}

#[test]
fn scratch_that_is_too_short_is_named() {
    for (d, k) in [(1, 1), (3, 2)] {
        let case = Case::<f64>::new(&Shape { d, k, ..SHAPE }, Loss::Mse);
        let (w, n) = (&case.w, case.n);
        let batch = Batch::all(case.dense(), n);
        let needed = case.network.scratch_len(n);
        let mut indices = vec![0; needed.indices];
        let mut reals = vec![0.0; needed.reals - 1];
        let scratch = Scratch { reals: &mut reals, indices: &mut indices };
        let mut problem =
            boxed(&case.network, batch, Loss::Mse, Residual::default_for(Loss::Mse), scratch);
        assert_eq!(length(problem.loss(w)), Buffer::Scratch);
        assert_eq!(length(problem.gradient(w, &mut w.clone())), Buffer::Scratch);
        drop(problem);

        let needed = case.network.residual_scratch_len(n);
        let mut reals = vec![0.0; needed.reals - 1];
        let scratch = Scratch { reals: &mut reals, indices: &mut indices };
        let mut problem =
            boxed(&case.network, batch, Loss::Mse, Residual::default_for(Loss::Mse), scratch);
        let mut q = vec![0.0; n * k];
        let mut gram = vec![0.0; case.network.gram_len(n)];
        let linearised = problem.linearise(w, &mut q);
        let result = linearised.and_then(|_| problem.gram(w, &mut gram));
        assert_eq!(length(result), Buffer::Scratch);
    }
}

#[test]
fn sets_that_do_not_fit_are_named() {
    let case = Case::<f64>::new(&SHAPE, Loss::Mse);
    let classes = Case::<f64>::new(&SHAPE, Loss::CrossEntropy);
    let network = &case.network;
    let mut memory = Memory::new(network, 10, 0.0);
    let mut refuse = |batch, loss| network.on(batch, loss, memory.lend()).map(drop).unwrap_err();

    let empty = refuse(Batch::of(case.dense(), &[]), Loss::Mse);
    assert!(matches!(empty, Error::OutOfRange { what: Setting::Batch, .. }));
    for samples in [case.dense(), case.sparse()] {
        assert_eq!(length(Err::<(), _>(refuse(Batch::all(samples, 6), Loss::Mse))), Buffer::Inputs);
        let outside = refuse(Batch::of(samples, &[0, 5]), Loss::Mse);
        assert_eq!(length(Err::<(), _>(outside)), Buffer::Inputs);
    }
    for d in [SHAPE.d - 1, SHAPE.d + 1] {
        let rows = SparseRows::new(d, &[0, 0][..], &[][..], &[][..]).unwrap();
        let other = Samples { inputs: Inputs::Sparse(rows), ..case.dense() };
        let refused = refuse(Batch::all(other, 1), Loss::Mse);
        assert!(refused.to_string().contains("as many entries"), "{d}: {refused}");
    }
    let short = Samples { targets: Targets::Values(&case.values[1..]), ..case.dense() };
    assert_eq!(length(Err::<(), _>(refuse(Batch::all(short, 5), Loss::Mse))), Buffer::Targets);
    let short = Samples { targets: Targets::Labels(&[0; 4]), ..case.dense() };
    let refused = refuse(Batch::all(short, 5), Loss::CrossEntropy);
    assert_eq!(length(Err::<(), _>(refused)), Buffer::Targets);

    let kinds = [(&case, Loss::CrossEntropy), (&case, Loss::Brier), (&classes, Loss::Mse)];
    for (case, loss) in kinds {
        let refused = refuse(Batch::all(case.dense(), 5), loss);
        assert!(matches!(refused, Error::Unsupported(_)), "{refused}");
    }
    let line = TwoLayer::<f64>::new(1, 4, 1).unwrap();
    let samples = Samples { inputs: Inputs::Dense(&[0.5]), targets: Targets::Labels(&[0]) };
    let mut memory = Memory::new(&line, 1, 0.0);
    let refused = line.on_line(Batch::all(samples, 1), memory.lend()).map(drop);
    assert!(matches!(refused, Err(Error::Unsupported(_))), "{refused:?}");
}

#[test]
fn sparse_rows_that_no_kernel_can_read_are_refused() {
    let rows = |starts: &[u32], columns: &[u16], values: &[f64]| {
        SparseRows::new(3, starts, columns, values).map(|rows| rows.len())
    };
    assert_eq!(rows(&[0, 2, 2, 3], &[0, 2, 1], &[1.0; 3]), Ok(3));
    assert_eq!((rows(&[], &[], &[]), rows(&[0], &[], &[])), (Ok(0), Ok(0)));
    let one = SparseRows::new(3, &[0, 1][..], &[2][..], &[5.0][..]).unwrap();
    assert_eq!(one.row(0), (&[2][..], &[5.0][..]));
    assert_eq!([one.row(1), one.row(usize::MAX)], [(&[][..], &[][..]); 2]);
    assert_eq!(length(rows(&[0, 2], &[0, 1], &[1.0])), Buffer::Inputs);
    let refused = |starts: &[u32], columns: &[u16]| {
        let error = rows(starts, columns, &[1.0; 2]).unwrap_err();
        assert!(matches!(error, Error::Unsupported(_)), "{starts:?} {columns:?}: {error}");
    };
    for starts in [&[2, 0][..], &[0, 2, 1], &[0, 1, 3], &[0, u32::MAX]] {
        refused(starts, &[0, 1]);
    }
    for columns in [[1, 0], [1, 1], [0, 3]] {
        refused(&[0, 2], &columns);
    }
}

#[test]
fn labels_outside_the_classes_are_named() {
    let case = Case::<f64>::new(&SHAPE, Loss::CrossEntropy);
    let labels = [0, 1, 1, 2, 0];
    let samples = Samples { targets: Targets::Labels(&labels), ..case.dense() };
    let expected = Error::Label { sample: 3, label: 2, classes: 2 };
    for loss in [Loss::CrossEntropy, Loss::Brier] {
        let mut memory = case.memory();
        let mut problem = boxed(
            &case.network,
            Batch::all(samples, 5),
            loss,
            Residual::default_for(loss),
            memory.lend(),
        );
        let mut out = vec![0.0; case.w.len()];
        assert_eq!(problem.loss(&case.w), Err(expected));
        assert_eq!(problem.gradient(&case.w, &mut out), Err(expected));
        assert_eq!(problem.linearise(&case.w, &mut [0.0; 10]), Err(expected));
    }
}

#[test]
fn classes_need_two_outputs() {
    for d in [1, 3] {
        let network = TwoLayer::<f64>::new(d, 4, 1).unwrap();
        let inputs = Inputs::Dense(&[0.5; 3][..d]);
        let samples = Samples { inputs, targets: Targets::Labels(&[0]) };
        for loss in [Loss::CrossEntropy, Loss::Brier] {
            let mut memory = Memory::new(&network, 1, 0.0);
            let refused = network.on(Batch::all(samples, 1), loss, memory.lend()).map(drop);
            assert!(matches!(refused, Err(Error::Unsupported(_))), "{refused:?}");
        }
    }
}

#[test]
fn residuals_of_other_losses_are_refused() {
    use Residual::{Brier, Ggn, Logit, Raw, Scaled};
    let all = [Scaled, Brier, Ggn, Raw, Logit];
    let own: [(Loss, &[Residual]); 3] =
        [(Loss::Mse, &[Scaled, Raw]), (Loss::CrossEntropy, &[Ggn, Logit]), (Loss::Brier, &[Brier])];
    for (loss, own) in own {
        let case = Case::<f64>::new(&SHAPE, loss);
        for residual in all {
            let mut memory = case.memory();
            let batch = Batch::all(case.dense(), case.n);
            let problem = case.network.on(batch, loss, memory.lend()).unwrap();
            let fits = problem.with_residual(residual).is_ok();
            assert_eq!(fits, own.contains(&residual), "{loss:?} {residual:?}");
        }
        assert!(own.contains(&Residual::default_for(loss)));
    }
}

#[test]
fn widths_are_checked() {
    for (d, m, k) in [(0, 1, 1), (1, 0, 1), (1, 1, 0), (1 << 20, 1 << 20, 1), (1, 1, usize::MAX)] {
        let refused = TwoLayer::<f32>::new(d, m, k);
        assert!(matches!(refused, Err(Error::OutOfRange { what: Setting::Width, .. })));
    }
}
