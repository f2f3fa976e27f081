//! Laws 1, 2, 3, 5 and 6 of the schemes with one auxiliary number, on prescribed losses and
//! gradients: ordinary, zero, tiny, huge.

use gradflow_core::Float;
use gradflow_core::scheme::{
    AdamMetric, Coupling, Diagonal, ExpSav, Flow, IeqAdaptive, Memory, Operator, Rule, Sav, Scalar,
    Scheme, Step,
};
use proptest::prelude::*;

use crate::support::{any_dt, any_lambda, in_both_precisions, log_uniform};
use crate::synthetic::{Prescribed, any_gradient};

/// One step from a prescribed state.
#[derive(Clone, Debug)]
struct Case {
    dt: f64,
    lambda: f64,
    loss: f64,
    /// The loss that the auxiliary variable last knew: another batch's, or one long ago.
    known_loss: f64,
    c: f64,
    gradient: Vec<f64>,
    /// Strengths of a diagonal operator.
    diagonal: Vec<f64>,
}

fn any_case() -> BoxedStrategy<Case> {
    let loss = || prop_oneof![8 => log_uniform(-6.0..3.0), 1 => Just(1e4), 1 => Just(0.0)];
    let c = prop_oneof![2 => Just(1.0), 3 => log_uniform(-6.0..4.0)];
    (any_dt(), any_lambda(), loss(), loss(), c, any_gradient())
        .prop_flat_map(|(dt, lambda, loss, known_loss, c, gradient)| {
            let entries = proptest::collection::vec(any_lambda(), gradient.len());
            entries.prop_map(move |diagonal| {
                let gradient = gradient.clone();
                Case { dt, lambda, loss, known_loss, c, gradient, diagonal }
            })
        })
        .boxed()
}

/// A step of a rule under each operator, from w = 0, so that w' is Δw without rounding, with
/// `1 + λΔt`-free movement `ΔtD`. A step that overflows is refused, which is law 9's to check.
fn steps<T: Float, R: Rule<T>>(rule: R, case: &Case) -> Vec<(Step<T>, f64)> {
    let lambda = T::from_f64(case.lambda);
    let diagonal: Vec<T> = case.diagonal.iter().map(|&d| T::from_f64(d)).collect();
    let moments = vec![T::ZERO; case.gradient.len()];
    let all = [
        one_step(rule, Scalar { lambda }, lambda, case),
        one_step(rule, Diagonal { entries: diagonal }, T::ZERO, case),
        one_step(rule, AdamMetric::new(lambda, moments), lambda, case),
    ];
    all.into_iter().flatten().collect()
}

fn one_step<T, R, A>(rule: R, operator: A, lambda: T, case: &Case) -> Option<(Step<T>, f64)>
where
    T: Float,
    R: Rule<T>,
    A: Operator<T>,
{
    let gradient: Vec<T> = case.gradient.iter().map(|&g| T::from_f64(g)).collect();
    let (dt, loss) = (T::from_f64(case.dt), T::from_f64(case.loss));
    let origin = vec![T::ZERO; gradient.len()];
    let mut w = origin.clone();
    let mut scheme = Flow::new(rule, operator, dt, origin.clone());
    scheme.start(T::from_f64(case.known_loss)).ok()?;
    let mut objective = Prescribed { origin: origin.clone(), loss, next_loss: loss, gradient };
    let step = scheme.step(&mut w, &mut objective).ok()?;
    let movement = Scheme::<T, Prescribed<T>>::movement(&scheme, &origin, &w, dt);
    let factor = (1.0 + lambda.to_f64() * dt.to_f64()) / dt.to_f64();
    // What squares of the smallest numbers lose.
    let lost = movement.update_sq.to_f64() < smallest_square::<T>();
    (!lost).then(|| (step, movement.update_sq.to_f64() * factor))
}

/// Below this sums of squares are not exact.
fn smallest_square<T: Float>() -> f64 {
    if T::BYTES == 4 { 1e-34 } else { 1e-290 }
}

/// The tolerance of law 1 in units of ε, with what the sum of squares adds.
fn rounding<T: Float>(case: &Case) -> f64 {
    T::EPSILON.to_f64() * (4.0 + Float::sqrt(case.gradient.len() as f64))
}

/// Law 1: `r̃² − r² + (r̃ − r)² + D = 0` for any κ and any operator; `D ≤ r²/2`.
fn sav_identity<T: Float>(case: &Case) -> Result<(), TestCaseError> {
    let rule = Sav { c: T::from_f64(case.c), coupling: Coupling::Consistent };
    for (step, dissipation) in steps(rule, case) {
        let auxiliary = step.auxiliary.unwrap();
        let (r, next) = (auxiliary.value.to_f64(), auxiliary.predicted.to_f64());
        let balance = next * next - r * r + (next - r) * (next - r) + dissipation;
        prop_assert!(balance.abs() <= rounding::<T>(case) * r * r, "{balance:e} {step:?}");
        prop_assert!(dissipation <= r * r / 2.0 * (1.0 + rounding::<T>(case)));
        prop_assert!(auxiliary.next <= auxiliary.value);
    }
    Ok(())
}

/// Law 2: Ratio moves by `D ≤ (L + C)/2`, whatever r and the gradient are.
fn sav_ratio_bound<T: Float>(case: &Case) -> Result<(), TestCaseError> {
    let rule = Sav { c: T::from_f64(case.c), coupling: Coupling::Ratio };
    for (step, dissipation) in steps(rule, case) {
        let auxiliary = step.auxiliary.unwrap();
        let most = (case.loss + case.c) / 2.0;
        prop_assert!(dissipation <= most * (1.0 + rounding::<T>(case)), "{dissipation:e} {step:?}");
        prop_assert!(auxiliary.next <= auxiliary.value);
        prop_assert_eq!(auxiliary.kappa, Some(T::ONE));
    }
    Ok(())
}

/// Laws 2 and 3: `D = κρ(1 − ρ) ≤ 1/4` and `ℓ̃ ≤ ℓ − (1 − ρ)`; for Ratio also
/// `ℓ̃ ≤ ℓ − D − (1 − ρ)²`.
fn exp_sav_identity<T: Float>(case: &Case) -> Result<(), TestCaseError> {
    for coupling in [Coupling::Ratio, Coupling::Consistent] {
        let rule = ExpSav { c: T::from_f64(case.c), coupling };
        for (step, dissipation) in steps(rule, case) {
            let auxiliary = step.auxiliary.unwrap();
            let (log_r, next) = (auxiliary.value.to_f64(), auxiliary.predicted.to_f64());
            let kappa = auxiliary.kappa.unwrap().to_f64();
            prop_assert!(kappa <= 1.0);
            // ρ from the length of the step: ℓ̃ − ℓ holds it to ε |ℓ| only.
            let tolerance = rounding::<T>(case) + T::EPSILON.to_f64() * (log_r.abs() + next.abs());
            let rho = Float::exp(next - log_r);
            let expected = kappa * rho * (1.0 - rho);
            prop_assert!((dissipation - expected).abs() <= tolerance * kappa, "{step:?}");
            prop_assert!(dissipation <= 0.25 * kappa * (1.0 + rounding::<T>(case)), "{step:?}");
            prop_assert!(next <= log_r - (1.0 - rho) + tolerance);
            if coupling == Coupling::Ratio {
                prop_assert!(next <= log_r - dissipation - (1.0 - rho) * (1.0 - rho) + tolerance);
            }
            prop_assert!(auxiliary.next <= auxiliary.value);
        }
    }
    Ok(())
}

/// Law 5: `½α²q² + ½(1−α)²q² + θD = ½q²`, fresh or carried on.
fn ieq_adaptive_identity<T: Float>(case: &Case) -> Result<(), TestCaseError> {
    for memory in [Memory::Fresh, Memory::Persistent] {
        let rule = IeqAdaptive { epsilon: T::from_f64(case.c), memory };
        for (step, dissipation) in steps(rule, case) {
            let auxiliary = step.auxiliary.unwrap();
            let (q, next) = (auxiliary.value.to_f64(), auxiliary.predicted.to_f64());
            let epsilon = T::from_f64(case.c).to_f64();
            let theta = q * q / (q * q + epsilon);
            let balance = (next * next + (next - q) * (next - q) - q * q) / 2.0;
            let deviation = (balance + theta * dissipation).abs();
            prop_assert!(deviation <= rounding::<T>(case) * q * q, "{deviation:e} {step:?}");
            prop_assert!(dissipation <= (q * q + epsilon) / 4.0 * (1.0 + rounding::<T>(case)));
        }
    }
    Ok(())
}

in_both_precisions! {
    law_1_sav_consistent(2_000, any_case()) => sav_identity;
    law_2_sav_ratio(2_000, any_case()) => sav_ratio_bound;
    law_3_exp_sav(2_000, any_case()) => exp_sav_identity;
    law_5_ieq_adaptive(2_000, any_case()) => ieq_adaptive_identity;
}

/// Law 3 where exp would overflow: r = exp(10⁴) is never formed.
#[test]
fn exp_sav_does_not_overflow() {
    let mut case = Case {
        dt: 0.1,
        lambda: 0.0,
        loss: 1e4,
        known_loss: 1e4,
        c: 1.0,
        gradient: vec![1e3, -2e3],
        diagonal: vec![0.0; 2],
    };
    for coupling in [Coupling::Ratio, Coupling::Consistent] {
        case.loss = 1e4;
        let rule = ExpSav { c: 1.0_f32, coupling };
        assert_eq!(steps(rule, &case).len(), 3);
        case.loss = 2e4; // κ = exp(−10⁴) vanishes
        let [(step, _), ..] = steps(ExpSav { c: 1.0_f32, coupling: Coupling::Ratio }, &case)[..]
        else {
            panic!("the step was refused");
        };
        assert!(step.auxiliary.unwrap().predicted.is_finite());
    }
}
