//! Law 7: the closed forms of relaxation against a search for the smallest ξ₀.

use gradflow_core::linalg::norm_sq;
use gradflow_core::scheme::{
    Coupling, ExpSav, IeqAdaptive, Memory, Relaxation, Rule, Sav, relax_vector,
};
use gradflow_core::{Float, Pcg32, Stream};
use proptest::prelude::*;

use crate::support::{in_both_precisions, log_uniform};

/// The scalars of one step: v, the ratio ṽ/v, v̂/v, and `ηD` as a part of what the step lost.
#[derive(Clone, Copy, Debug)]
struct Case {
    value: f64,
    ratio: f64,
    ideal: f64,
    budget: f64,
}

fn any_case() -> BoxedStrategy<Case> {
    let ratio = prop_oneof![0.0..1.0, Just(1.0), log_uniform(-6.0..0.0)];
    let ideal = prop_oneof![0.0..2.0, log_uniform(-3.0..4.0)];
    let budget = prop_oneof![Just(0.0), 0.0..1.0];
    (log_uniform(-4.0..3.0), ratio, ideal, budget)
        .prop_map(|(value, ratio, ideal, budget)| Case { value, ratio, ideal, budget })
        .boxed()
}

/// The smallest ξ₀ in [0, 1] for which `ξ₀ ṽ + (1 − ξ₀) v̂` is allowed, by bisection in f64: ξ₀ = 1
/// is allowed, and the allowed values are an interval.
fn search(allowed: impl Fn(f64) -> bool) -> f64 {
    if allowed(0.0) {
        return 0.0;
    }
    let (mut refused, mut taken) = (0.0, 1.0);
    for _ in 0..200 {
        let middle = 0.5 * (refused + taken);
        if allowed(middle) {
            taken = middle;
        } else {
            refused = middle;
        }
    }
    taken
}

/// Compares a rule's answer with the search; `most` is the largest energy that is allowed.
fn agrees<T: Float, R: Rule<T>>(
    rule: R,
    relaxation: &Relaxation<T>,
    most: f64,
    energy: impl Fn(f64) -> f64,
) -> Result<(), TestCaseError> {
    let (value, xi) = rule.relax(relaxation);
    let [predicted, ideal] = [relaxation.predicted, relaxation.ideal].map(T::to_f64);
    let at = |xi: f64| xi * predicted + (1.0 - xi) * ideal;
    let found = search(|xi| energy(at(xi)) <= most);
    let (value, xi) = (value.to_f64(), xi.to_f64());
    let rounding = 16.0 * T::EPSILON.to_f64();
    let scale = value.abs().max(relaxation.value.to_f64().abs());
    let apart = (value - at(found)).abs();
    // The search itself rounds on the scale of v̂.
    let searched = 4.0 * f64::EPSILON * ideal.abs();
    prop_assert!(
        apart <= rounding * scale + searched,
        "{value:e} but {:e} found at {found}",
        at(found)
    );
    prop_assert!((0.0..=1.0 + rounding).contains(&xi), "{xi}");
    // ξ₀ is what it says: the variable lies there.
    let apart = (at(xi) - value).abs();
    prop_assert!(apart <= rounding * (scale + ideal.abs()), "ξ₀ {xi} means {:e}", at(xi));
    prop_assert!(energy(value) <= most + rounding * (most.abs() + energy(scale).abs()));
    Ok(())
}

fn sav<T: Float>(case: &Case) -> Result<(), TestCaseError> {
    let value = T::from_f64(case.value);
    let predicted = T::from_f64(case.ratio) * value;
    let lost = 2.0 * case.value * case.value * case.ratio * (1.0 - case.ratio);
    let budget = T::from_f64(case.budget * lost);
    let ideal = T::from_f64(case.ideal) * value;
    let relaxation = Relaxation { value, predicted, ideal, budget };
    let most = predicted.to_f64() * predicted.to_f64() + budget.to_f64();
    let rule = Sav { c: T::ONE, coupling: Coupling::Consistent };
    agrees(rule, &relaxation, most, |r| r * r)
}

fn exp_sav<T: Float>(case: &Case) -> Result<(), TestCaseError> {
    let value = T::from_f64(case.value);
    let predicted = value - T::from_f64(1.0 - case.ratio);
    let budget = T::from_f64(case.budget * case.ratio * (1.0 - case.ratio));
    let ideal = T::from_f64(case.ideal) * value;
    let relaxation = Relaxation { value, predicted, ideal, budget };
    let most = predicted.to_f64() + budget.to_f64();
    agrees(ExpSav { c: T::ONE, coupling: Coupling::Consistent }, &relaxation, most, |log_r| log_r)
}

fn ieq_adaptive<T: Float>(case: &Case) -> Result<(), TestCaseError> {
    for epsilon in [0.0, 1e-3, 1.0] {
        let value = T::from_f64(case.value);
        let predicted = T::from_f64(case.ratio) * value;
        let q_sq = value.to_f64() * value.to_f64();
        let lost = (q_sq + epsilon) * case.ratio * (1.0 - case.ratio);
        let budget = T::from_f64(case.budget * lost);
        let ideal = T::from_f64(case.ideal) * value;
        let relaxation = Relaxation { value, predicted, ideal, budget };
        let theta = q_sq / (q_sq + T::from_f64(epsilon).to_f64());
        let most = predicted.to_f64() * predicted.to_f64() + 2.0 * theta * budget.to_f64();
        let rule = IeqAdaptive { epsilon: T::from_f64(epsilon), memory: Memory::Persistent };
        agrees(rule, &relaxation, most, |q| q * q)?;
    }
    Ok(())
}

/// q̃ and q̂ as vectors: their lengths, the angle's cosine between them as a mixture, the budget as
/// a part of `‖q̃‖²`.
#[derive(Clone, Copy, Debug)]
struct Vectors {
    len: usize,
    seed: u64,
    scale: f64,
    predicted: f64,
    mixture: f64,
    budget: f64,
}

fn any_vectors() -> BoxedStrategy<Vectors> {
    let mixture = prop_oneof![Just(0.0), Just(1.0), -1.0..1.0, log_uniform(-6.0..0.0)];
    let budget = prop_oneof![Just(0.0), 0.0..2.0, log_uniform(-6.0..2.0)];
    let predicted = prop_oneof![0.0..2.0, log_uniform(-4.0..4.0)];
    (1_usize..20, any::<u16>(), log_uniform(-12.0..12.0), predicted, mixture, budget)
        .prop_map(|(len, seed, scale, predicted, mixture, budget)| {
            let seed = u64::from(seed);
            Vectors { len, seed, scale, predicted, mixture, budget }
        })
        .boxed()
}

/// The closed form for vectors, with segments that only touch the ball and lengths whose fourth
/// power overflows f32.
fn vector<T: Float>(case: &Vectors) -> Result<(), TestCaseError> {
    let mut rng = Pcg32::new(case.seed, Stream::Other);
    let mut draw = || {
        let mut values = vec![0.0_f64; case.len];
        rng.normal(case.scale, &mut values);
        values
    };
    let (ideal, other) = (draw(), draw());
    let mixed = ideal.iter().zip(&other).map(|(ideal, other)| {
        case.predicted * (case.mixture * ideal + (1.0 - case.mixture.abs()) * other)
    });
    let predicted: Vec<T> = mixed.map(T::from_f64).collect();
    let ideal: Vec<T> = ideal.into_iter().map(T::from_f64).collect();
    let budget = T::from_f64(case.budget * norm_sq(&predicted).to_f64());
    let mut relaxed = ideal.clone();
    let xi = relax_vector(&predicted, &mut relaxed, budget).to_f64();

    let in_f64 = |x: &[T]| -> Vec<f64> { x.iter().map(|x| x.to_f64()).collect() };
    let (predicted, ideal, relaxed) = (in_f64(&predicted), in_f64(&ideal), in_f64(&relaxed));
    let at = |xi: f64| -> Vec<f64> {
        predicted.iter().zip(&ideal).map(|(p, i)| xi * p + (1.0 - xi) * i).collect()
    };
    let most = norm_sq(&predicted) + budget.to_f64();
    let found = search(|xi| norm_sq(&at(xi)) <= most);
    let epsilon = T::EPSILON.to_f64();
    prop_assert!(norm_sq(&relaxed) <= most * (1.0 + 16.0 * epsilon) || xi == 0.0, "too long");
    // Where the segment only touches the ball, ξ₀ is a double root and known to √ε.
    let apart: Vec<f64> = relaxed.iter().zip(at(found)).map(|(a, b)| a - b).collect();
    let size = Float::sqrt(norm_sq(&ideal)) + Float::sqrt(norm_sq(&predicted));
    let allowed = 8.0 * Float::sqrt(epsilon) * size;
    let apart = Float::sqrt(norm_sq(&apart));
    prop_assert!(apart <= allowed, "{apart:e} from the ξ₀ {found} that was found, not {xi}");
    // As long as the law allows, but not longer.
    let (length, longest) = (Float::sqrt(norm_sq(&relaxed)), Float::sqrt(most));
    let expected = if found == 0.0 { Float::sqrt(norm_sq(&ideal)) } else { longest };
    prop_assert!((length - expected).abs() <= 32.0 * epsilon * size, "{length:e}, {expected:e}");
    Ok(())
}

in_both_precisions! {
    law_7_sav(2_000, any_case()) => sav;
    law_7_exp_sav(2_000, any_case()) => exp_sav;
    law_7_ieq_adaptive(2_000, any_case()) => ieq_adaptive;
    law_7_vector(2_000, any_vectors()) => vector;
}
