//! Laws over whole runs: the dissipation that can be spent, relaxation on the full batch, and what
//! a vanishing gradient does.

use gradflow_core::network::Loss;
use gradflow_core::scheme::{AnyScheme, Coupling, Memory, Method, OperatorChoice, Settings};
use gradflow_core::{Float, Residuals};
use proptest::prelude::*;

use crate::support::{
    Size, World, any_dt, any_lambda, any_size, in_both_precisions, log_uniform, step,
};
use crate::synthetic::Prescribed;
use crate::table::{Numbers, all_settings, numbers, with_numbers};

#[derive(Clone, Copy, Debug)]
struct Case {
    dt: f64,
    lambda: f64,
    c: f64,
    eta: f64,
    size: Size,
}

fn any_case() -> BoxedStrategy<Case> {
    let eta = prop_oneof![Just(0.0), Just(0.99), 0.0..1.0];
    (any_dt(), any_lambda(), log_uniform(-3.0..3.0), eta, any_size())
        .prop_map(|(dt, lambda, c, eta, size)| Case { dt, lambda, c, eta, size })
        .boxed()
}

/// Law 1 over a run, on any sequence of batches: `Σ D ≤ L⁰ + C`, relaxed `≤ (L⁰ + C)/(1 − η)`.
fn dissipation_is_bounded<T: Float>(case: &Case) -> Result<(), TestCaseError> {
    for relaxed in [false, true] {
        let settings = Settings {
            relaxed,
            coupling: Some(Coupling::Consistent),
            dt: T::from_f64(case.dt),
            lambda: T::from_f64(case.lambda),
            c: T::from_f64(case.c),
            eta: T::from_f64(case.eta),
            ..Settings::new(Method::Sav)
        };
        let residual = settings.residual(Loss::Mse).unwrap();
        let mut world = World::<T>::new(case.size, Loss::Mse, residual);
        let mut w = world.weights();
        let mut scheme =
            AnyScheme::new(&settings, Loss::Mse, world.shape(), |len| vec![T::ZERO; len]).unwrap();
        let mut budget = None;
        let mut spent = 0.0;
        for _ in 0..40 {
            let batch = world.draw_batch();
            let problem = &mut *world.on(&batch);
            let Ok(step) = step(&mut scheme, &mut w, problem) else { break };
            let kept = 1.0 - settings.eta.to_f64() * f64::from(u8::from(relaxed));
            let budget = *budget.get_or_insert((step.loss.to_f64() + case.c) / kept);
            let dt = case.dt / (1.0 + case.lambda * case.dt);
            spent += step.update_norm_sq.to_f64() / dt;
            prop_assert!(
                spent <= budget * (1.0 + 100.0 * T::EPSILON.to_f64()),
                "{spent}, {budget}"
            );
        }
    }
    Ok(())
}

/// Law 7 on the full batch: the relaxed modified energy never exceeds the true one.
fn modified_energy_is_below_the_true_one<T: Float>(numbers: &Numbers) -> Result<(), TestCaseError> {
    let numbers =
        &Numbers { size: Size { batch: numbers.size.samples, ..numbers.size }, ..*numbers };
    for (settings, task) in all_settings() {
        let settings = with_numbers::<T>(&settings, numbers);
        let residual = settings.residual(task).unwrap();
        if !settings.relaxed || !(residual.squares_to_loss() || settings.method != Method::IeqFull)
        {
            continue;
        }
        let mut world = World::<T>::new(numbers.size, settings.trained_loss(task), residual);
        let mut w = world.weights();
        let mut scheme =
            AnyScheme::new(&settings, task, world.shape(), |len| vec![T::ZERO; len]).unwrap();
        let batch: Vec<u32> = (0..numbers.size.samples as u32).collect();
        for _ in 0..10 {
            let problem = &mut *world.on(&batch);
            let Ok(step) = step(&mut scheme, &mut w, problem) else { break };
            let next = step.auxiliary.unwrap().next.to_f64();
            let loss = problem.loss(&w).unwrap().to_f64();
            let (modified, energy) = match settings.method {
                Method::Sav => (next * next, loss + settings.c.to_f64()),
                Method::ExpSav => (next, loss),
                // The source's residuals have an energy of their own.
                _ if !problem.energy_is_loss() => continue,
                _ => (0.5 * next * next, loss),
            };
            let rounding = 32.0 * T::EPSILON.to_f64() * energy.abs();
            prop_assert!(modified <= energy + rounding, "{modified:e}, {energy:e} {settings:?}");
        }
    }
    Ok(())
}

/// Law 8: where the gradient is zero, nothing moves: not w, and unrelaxed not the auxiliary
/// variable; not even where `L + C` or `‖q‖² + ε` is zero too.
fn nothing_moves_without_a_gradient<T: Float>(numbers: &Numbers) -> Result<(), TestCaseError> {
    let origin = vec![T::ONE; 5];
    for (settings, task) in all_settings() {
        let mut settings = with_numbers::<T>(&settings, numbers);
        for loss in [0.0, 0.75] {
            if loss == 0.0 {
                if settings.method == Method::IeqFull {
                    continue; // J = gᵀ/q has no meaning there
                }
                settings.epsilon = T::ZERO;
                settings.c = if settings.method == Method::Sav { T::ZERO } else { settings.c };
            }
            let loss = T::from_f64(loss);
            let gradient = vec![T::ZERO; 5];
            let mut objective =
                Prescribed { origin: origin.clone(), loss, next_loss: loss, gradient };
            let problem: &mut dyn Residuals<T> = &mut objective;
            let shape =
                gradflow_core::scheme::Shape { parameters: 5, outputs: 1, batch: 1, samples: 1 };
            let mut scheme =
                AnyScheme::new(&settings, task, shape, |len| vec![T::ZERO; len]).unwrap();
            let mut w = origin.clone();
            for _ in 0..3 {
                let step = step(&mut scheme, &mut w, problem);
                prop_assert!(step.is_ok(), "{:?} {:?}", step, settings);
                prop_assert_eq!(&w, &origin);
                if let Some(auxiliary) = step.unwrap().auxiliary {
                    prop_assert_eq!(auxiliary.next, auxiliary.value, "{:?}", settings);
                }
            }
        }
    }
    Ok(())
}

in_both_precisions! {
    law_1_dissipation(200, any_case()) => dissipation_is_bounded;
    law_7_full_batch(20, numbers()) => modified_energy_is_below_the_true_one;
    law_8_no_gradient(10, numbers()) => nothing_moves_without_a_gradient;
}

/// Without an operator of its own a persistent q and a fresh one begin alike.
#[test]
fn memories_begin_alike() {
    let size = Size {
        inputs: 2,
        hidden: 5,
        outputs: 2,
        bias: true,
        ntk: true,
        samples: 6,
        batch: 3,
        seed: 1,
    };
    for method in [Method::IeqFull, Method::IeqAdaptive] {
        let [fresh, stored] = [Memory::Fresh, Memory::Persistent].map(|memory| {
            let settings: Settings<f64> = Settings {
                memory: Some(memory),
                operator: OperatorChoice::Scalar,
                ..Settings::new(method)
            };
            let residual = settings.residual(Loss::Mse).unwrap();
            let mut world = World::new(size, Loss::Mse, residual);
            let mut w = world.weights();
            let mut scheme =
                AnyScheme::new(&settings, Loss::Mse, world.shape(), |len| vec![0.0; len]).unwrap();
            let batch = world.draw_batch();
            step(&mut scheme, &mut w, &mut *world.on(&batch)).unwrap();
            w
        });
        let apart = fresh.iter().zip(&stored).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(apart < 1e-14, "{method:?}: {apart:e}");
    }
}
