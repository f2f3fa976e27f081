//! Equalities between schemes: laws 4, 5 and 8, and what couplings and constants must not change.

use gradflow_core::network::Loss;
use gradflow_core::scheme::{
    AnyScheme, Coupling, Flow, Method, ResidualChoice, Sav, Scalar, Scheme, Settings, Step,
};
use gradflow_core::{Error, Float, Objective, Residuals};
use proptest::prelude::*;

use crate::support::{
    Size, World, any_dt, any_lambda, any_size, in_both_precisions, log_uniform, step,
};

#[derive(Clone, Copy, Debug)]
struct Case {
    dt: f64,
    lambda: f64,
    constant: f64,
    size: Size,
}

fn any_case() -> BoxedStrategy<Case> {
    (any_dt(), any_lambda(), log_uniform(-3.0..3.0), any_size())
        .prop_map(|(dt, lambda, constant, size)| Case { dt, lambda, constant, size })
        .boxed()
}

/// Parameters and auxiliary variable after a few steps on the same batches; shorter if a step
/// fails.
fn trajectory<T: Float>(settings: &Settings<T>, task: Loss, size: Size) -> Vec<(Vec<T>, Step<T>)> {
    let residual = settings.residual(task).unwrap();
    let mut world = World::<T>::new(size, settings.trained_loss(task), residual);
    let mut w = world.weights();
    let mut scheme =
        AnyScheme::new(settings, task, world.shape(), |len| vec![T::ZERO; len]).unwrap();
    let mut states = Vec::new();
    for _ in 0..3 {
        let batch = world.draw_batch();
        let problem = &mut *world.on(&batch);
        let Ok(step) = step(&mut scheme, &mut w, problem) else { break };
        states.push((w.clone(), step));
    }
    states
}

/// The first steps, from the same weights, agree to `tolerance` times the step's length.
fn same_first_step<T: Float>(
    size: Size,
    [one, other]: [&Settings<T>; 2],
    task: Loss,
    tolerance: f64,
) -> Result<(), TestCaseError> {
    let start = World::<T>::new(size, Loss::Mse, gradflow_core::network::Residual::Scaled);
    let start = (task == Loss::Mse).then(|| start.weights());
    let (one, other) = (trajectory(one, task, size), trajectory(other, task, size));
    let (Some((w, step)), Some((v, _))) = (one.first(), other.first()) else { return Ok(()) };
    let apart = w.iter().zip(v).map(|(&w, &v)| (w - v).abs().to_f64()).fold(0.0, f64::max);
    let largest = |w: &[T]| w.iter().map(|w| w.abs().to_f64()).fold(0.0, f64::max);
    let size = largest(w).max(start.map_or(0.0, |start| largest(&start)));
    let length = Float::sqrt(step.update_norm_sq.to_f64());
    let allowed = tolerance * length + 2.0 * T::EPSILON.to_f64() * size;
    prop_assert!(apart <= allowed, "{apart:e} apart, {allowed:e} allowed, step {length:e}");
    Ok(())
}

/// Law 8: with `𝓛 = λI` every scheme is the same scheme with `Δt' = Δt/(1 + λΔt)` and no operator.
fn lambda_is_a_shorter_dt<T: Float>(case: &Case) -> Result<(), TestCaseError> {
    for method in [Method::Sav, Method::ExpSav, Method::IeqAdaptive, Method::IeqFull] {
        for relaxed in [false, true] {
            let with = Settings {
                relaxed,
                dt: T::from_f64(case.dt),
                lambda: T::from_f64(case.lambda),
                c: T::from_f64(case.constant),
                epsilon: T::from_f64(case.constant),
                ..Settings::new(method)
            };
            let dt = T::from_f64(case.dt / (1.0 + case.lambda * case.dt));
            let without = Settings { dt, lambda: T::ZERO, ..with };
            let condition = if method == Method::IeqFull { condition::<T>(case) } else { 1.0 };
            let tolerance = 32.0 * T::EPSILON.to_f64() * condition;
            same_first_step(case.size, [&with, &without], Loss::Mse, tolerance)?;
        }
    }
    Ok(())
}

/// `1 + Δt' tr(J Jᵀ)`: the relative error, in ε, with which full IEQ solves its system.
fn condition<T: Float>(case: &Case) -> f64 {
    let settings = Settings { dt: T::from_f64(case.dt), ..Settings::new(Method::IeqFull) };
    let residual = settings.residual(Loss::Mse).unwrap();
    let mut world = World::<T>::new(case.size, Loss::Mse, residual);
    let mut w = world.weights();
    let mut scheme =
        AnyScheme::new(&settings, Loss::Mse, world.shape(), |len| vec![T::ZERO; len]).unwrap();
    let batch = world.draw_batch();
    let problem = &mut *world.on(&batch);
    match step(&mut scheme, &mut w, problem) {
        Ok(_) => 1.0 + Scheme::<T, dyn Residuals<T>>::solved(&scheme).stiffness.to_f64(),
        Err(_) => f64::INFINITY,
    }
}

/// Law 5: fresh adaptive IEQ is SAV Ratio with `C = ε/2`.
fn adaptive_is_sav_ratio<T: Float>(case: &Case) -> Result<(), TestCaseError> {
    let epsilon = T::from_f64(case.constant);
    let adaptive = Settings {
        dt: T::from_f64(case.dt),
        lambda: T::from_f64(case.lambda),
        epsilon,
        ..Settings::new(Method::IeqAdaptive)
    };
    let sav = Settings {
        method: Method::Sav,
        coupling: Some(Coupling::Ratio),
        c: epsilon * T::HALF,
        ..adaptive
    };
    for task in [Loss::Mse, Loss::CrossEntropy] {
        same_first_step(case.size, [&adaptive, &sav], task, 16.0 * T::EPSILON.to_f64())?;
    }
    Ok(())
}

/// Law 5: for one sample and one output, with ε = 0, adaptive IEQ is full IEQ.
fn adaptive_is_full_for_one_number<T: Float>(case: &Case) -> Result<(), TestCaseError> {
    let size = Size { outputs: 1, samples: 1, batch: 1, ..case.size };
    let adaptive = Settings {
        dt: T::from_f64(case.dt),
        lambda: T::from_f64(case.lambda),
        epsilon: T::ZERO,
        ..Settings::new(Method::IeqAdaptive)
    };
    let full = Settings { method: Method::IeqFull, ..adaptive };
    same_first_step(size, [&adaptive, &full], Loss::Mse, 64.0 * T::EPSILON.to_f64())
}

/// An objective times a constant.
struct Times<'a, T>(T, &'a mut (dyn Residuals<T> + 'a));

impl<T: Float> Objective<T> for Times<'_, T> {
    fn parameters(&self) -> usize {
        self.1.parameters()
    }

    fn loss(&mut self, w: &[T]) -> Result<T, Error> {
        Ok(self.0 * self.1.loss(w)?)
    }

    fn gradient(&mut self, w: &[T], gradient: &mut [T]) -> Result<T, Error> {
        let loss = self.1.gradient(w, gradient)?;
        for g in gradient {
            *g *= self.0;
        }
        Ok(self.0 * loss)
    }
}

/// Law 8: SAV with C = 0 does not see the unit of the loss: `L → cL, Δt → Δt/c, λ → cλ`. With c a
/// power of four every number scales exactly, and the weights agree bit for bit.
fn sav_is_invariant<T: Float>(case: &Case) -> Result<(), TestCaseError> {
    for coupling in [Coupling::Ratio, Coupling::Consistent] {
        let mut ends = Vec::new();
        for c in [1.0, 4.0, 1.0 / 64.0] {
            let residual = gradflow_core::network::Residual::Scaled;
            let mut world = World::<T>::new(case.size, Loss::Mse, residual);
            let mut w = world.weights();
            let rule = Sav { c: T::ZERO, coupling };
            let operator = Scalar { lambda: T::from_f64(case.lambda) * T::from_f64(c) };
            let dt = T::from_f64(case.dt) / T::from_f64(c);
            let mut scheme = Flow::new(rule, operator, dt, vec![T::ZERO; w.len()]);
            for _ in 0..4 {
                let batch = world.draw_batch();
                let mut problem = world.on(&batch);
                let mut scaled = Times(T::from_f64(c), &mut *problem);
                if scheme.step(&mut w, &mut scaled).is_err() {
                    break;
                }
            }
            ends.push(w);
        }
        prop_assert_eq!(&ends[0], &ends[1]);
        prop_assert_eq!(&ends[0], &ends[2]);
    }
    Ok(())
}

/// ExpSAV's C acts on no step, and relaxing Ratio changes none either.
fn exp_sav_step_ignores<T: Float>(case: &Case) -> Result<(), TestCaseError> {
    let weights = |settings: &Settings<T>| -> Vec<Vec<T>> {
        let states = trajectory(settings, Loss::CrossEntropy, case.size);
        states.into_iter().map(|(w, _)| w).collect()
    };
    for coupling in [Coupling::Ratio, Coupling::Consistent] {
        let one = Settings {
            dt: T::from_f64(case.dt),
            lambda: T::from_f64(case.lambda),
            coupling: Some(coupling),
            ..Settings::new(Method::ExpSav)
        };
        let other = Settings { c: T::from_f64(case.constant), ..one };
        prop_assert_eq!(weights(&one), weights(&other));
        if coupling == Coupling::Ratio {
            let relaxed = weights(&Settings { relaxed: true, ..one });
            prop_assert_eq!(&weights(&one)[..relaxed.len()], &relaxed[..]);
        }
    }
    Ok(())
}

/// A fresh scaled residual and √(2L) are one scheme to adaptive IEQ; the settings' default.
fn default_residuals<T: Float>(case: &Case) -> Result<(), TestCaseError> {
    let default = Settings { dt: T::from_f64(case.dt), ..Settings::new(Method::IeqAdaptive) };
    let named = Settings { residual: Some(ResidualChoice::SqrtLoss), ..default };
    for task in [Loss::Mse, Loss::CrossEntropy] {
        let [one, other] = [default, named].map(|settings| trajectory(&settings, task, case.size));
        prop_assert_eq!(one, other);
    }
    Ok(())
}

in_both_precisions! {
    law_8_lambda(200, any_case()) => lambda_is_a_shorter_dt;
    law_5_adaptive_is_sav_ratio(200, any_case()) => adaptive_is_sav_ratio;
    law_5_adaptive_is_full(200, any_case()) => adaptive_is_full_for_one_number;
    law_8_invariance(200, any_case()) => sav_is_invariant;
    exp_sav_c_and_relaxation(200, any_case()) => exp_sav_step_ignores;
    sqrt_loss_is_the_default(100, any_case()) => default_residuals;
}
