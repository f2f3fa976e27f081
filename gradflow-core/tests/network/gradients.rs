//! Losses against their definitions, gradients against differences of the losses.

use gradflow_core::network::{Loss, Residual};
use gradflow_core::{Pcg32, Stream};
use proptest::prelude::*;

use super::case::{Case, assert_close, difference, shapes};

/// Coordinates of every matrix: each end of it and some between.
fn coordinates(case: &Case<f64>, seed: u64) -> Vec<usize> {
    let network = &case.network;
    let biases = network.inputs() * network.hidden();
    let output = network.hidden_len();
    let output_bias = output + network.output_len();
    let mut rng = Pcg32::new(seed, Stream::Other);
    let mut chosen = Vec::new();
    for range in [0..biases, biases..output, output..output_bias, output_bias..case.w.len()] {
        if let Some(last) = range.clone().last() {
            chosen.extend([range.start, last]);
            let len = range.len() as u32;
            chosen.extend((0..6).map(|_| range.start + rng.below(len) as usize));
        }
    }
    chosen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn gradients_are_the_losses_slopes(
        shape in shapes(),
        loss in prop::sample::select(vec![Loss::Mse, Loss::CrossEntropy, Loss::Brier]),
    ) {
        let case = Case::<f64>::new(&shape, loss);
        let mut memory = case.memory();
        let mut problem = case.problem(Residual::default_for(loss), &mut memory);
        let mut gradient = vec![f64::NAN; case.w.len()];
        let value = problem.gradient(&case.w, &mut gradient).unwrap();
        prop_assert_eq!(value.to_bits(), problem.loss(&case.w).unwrap().to_bits());
        assert_close(&[value], &[case.naive_loss(&case.w)], 1e-13);

        let mut slope = |v: &[f64]| {
            difference(&case.w, v, |w| vec![problem.loss(w).unwrap()])
        };
        let v = case.direction(shape.seed);
        let along = gradient.iter().zip(&v).map(|(g, v)| g * v).sum();
        assert_close(&[along], &slope(&v), 1e-9);
        for i in coordinates(&case, shape.seed) {
            let mut unit = vec![0.0; v.len()];
            unit[i] = 1.0;
            assert_close(&[gradient[i]], &slope(&unit), 1e-9);
        }
    }
}
