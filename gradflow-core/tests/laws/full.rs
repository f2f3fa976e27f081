//! Law 4: full IEQ against the explicit Jacobian, against Levenberg-Marquardt solved densely, and
//! on a linear model.

use gradflow_core::linalg::{Packed, axpy, dot, norm_sq};
use gradflow_core::network::{Loss, Residual};
use gradflow_core::scheme::{AnyScheme, Method, Scheme, Settings, Shape, SolverChoice, Step};
use gradflow_core::{Float, Pcg32, Residuals, Stream};
use proptest::prelude::*;

use crate::support::{Size, World, any_dt, any_lambda, any_size, in_both_precisions, step};
use crate::synthetic::Linear;

#[derive(Clone, Copy, Debug)]
struct Case {
    dt: f64,
    lambda: f64,
    size: Size,
    residual: Residual,
    solver: SolverChoice,
}

fn any_case() -> BoxedStrategy<Case> {
    let residual = prop_oneof![Just(Residual::Scaled), Just(Residual::Brier), Just(Residual::Ggn)];
    let solver = prop_oneof![Just(SolverChoice::Cholesky), Just(SolverChoice::ConjugateGradients)];
    (any_dt(), any_lambda(), any_size(), residual, solver)
        .prop_map(|(dt, lambda, size, residual, solver)| Case {
            dt,
            lambda,
            size,
            residual,
            solver,
        })
        .boxed()
}

fn loss_of(residual: Residual) -> Loss {
    match residual {
        Residual::Scaled | Residual::Raw => Loss::Mse,
        Residual::Brier => Loss::Brier,
        Residual::Ggn | Residual::Logit => Loss::CrossEntropy,
    }
}

fn world<T: Float>(size: Size, residual: Residual) -> World<T> {
    World::new(size, loss_of(residual), residual)
}

/// q and the rows of J, each from one backward pass.
fn jacobian<T: Float>(problem: &mut dyn Residuals<T>, w: &[T]) -> (Vec<T>, Vec<Vec<T>>) {
    let len = problem.residual_len();
    let mut q = vec![T::ZERO; len];
    problem.linearise(w, &mut q).unwrap();
    let rows = (0..len).map(|i| {
        let mut unit = vec![T::ZERO; len];
        unit[i] = T::ONE;
        let mut row = vec![T::ZERO; w.len()];
        problem.pull_back(w, &unit, &mut row).unwrap();
        row
    });
    let rows = rows.collect();
    (q, rows)
}

/// The largest `unit² ‖row of J_f‖²`: what entries of `J Jᵀ` are rounded against, for softmax
/// multiplies `J_f` by differences of probabilities.
fn scale<T: Float>(case: &Case, w: &[T], batch: &[u32]) -> f64 {
    let outputs = match case.residual {
        Residual::Scaled => Residual::Raw,
        _ => Residual::Logit,
    };
    let unit = world::<T>(case.size, case.residual).on(batch).unit().to_f64();
    // The Brier score's network is that of the cross-entropy.
    let mut raw = world::<T>(case.size, outputs);
    let (_, rows) = jacobian(&mut *raw.on(batch), w);
    let largest = rows.iter().map(|row| norm_sq(row).to_f64()).fold(0.0, f64::max);
    unit * unit * largest
}

/// `J v` and `Jᵀ u` are adjoint, and the structured Gram matrix is the explicit `J Jᵀ`.
fn gram_is_explicit<T: Float>(case: &Case) -> Result<(), TestCaseError> {
    let mut world = world::<T>(case.size, case.residual);
    let (w, batch) = (world.weights(), world.draw_batch());
    let tolerance = 64.0 * T::EPSILON.to_f64() * scale(case, &w, &batch);
    let problem = &mut *world.on(&batch);
    let (q, rows) = jacobian(problem, &w);
    let mut gram = vec![T::ZERO; Packed::<T>::len_of(q.len())];
    problem.gram(&w, &mut gram).unwrap();
    let mut image = vec![T::ZERO; q.len()];
    let mut gram = Packed::new(q.len(), &mut gram).unwrap();
    for (i, gram) in gram.rows_mut().enumerate() {
        problem.push_forward(&w, &rows[i], &mut image).unwrap();
        for (j, &entry) in gram.iter().enumerate() {
            let explicit = dot(&rows[i], &rows[j]);
            let apart = (entry - explicit).abs().to_f64();
            prop_assert!(apart <= tolerance, "({i}, {j}): {entry:e} and {explicit:e}");
            let apart = (image[j] - explicit).abs().to_f64();
            prop_assert!(apart <= tolerance, "J v ({i}, {j}): {:e}, {explicit:e}", image[j]);
        }
    }
    Ok(())
}

/// With fresh q the step solves `(JᵀJ + I/Δt') Δw = −Jᵀq`.
fn is_levenberg_marquardt<T: Float>(case: &Case) -> Result<(), TestCaseError> {
    let mut world = world::<T>(case.size, case.residual);
    let (mut w, batch) = (world.weights(), world.draw_batch());
    let before = w.clone();
    let settings = Settings {
        dt: T::from_f64(case.dt),
        lambda: T::from_f64(case.lambda),
        solver: Some(case.solver),
        residual: match case.residual {
            Residual::Brier => Some(gradflow_core::scheme::ResidualChoice::Brier),
            _ => None,
        },
        ..Settings::new(Method::IeqFull)
    };
    let task = if case.residual == Residual::Scaled { Loss::Mse } else { Loss::CrossEntropy };
    let mut scheme =
        AnyScheme::new(&settings, task, world.shape(), |len| vec![T::ZERO; len]).unwrap();
    let scale = scale(case, &w, &batch);
    let problem = &mut *world.on(&batch);
    let (q, rows) = jacobian(problem, &before);
    let Ok(step) = step(&mut scheme, &mut w, problem) else {
        return Ok(()); // in f32 the system may be singular at large Δt; law 9 has that
    };

    let dt = case.dt / (1.0 + case.lambda * case.dt);
    let rows: Vec<Vec<f64>> = rows.iter().map(|row| in_f64(row)).collect();
    let dense = levenberg_marquardt(&rows, &in_f64(&q), dt);
    let solved = Scheme::<T, dyn Residuals<T>>::solved(&scheme);
    let epsilon = T::EPSILON.to_f64();
    let norm = step.auxiliary.unwrap().value.to_f64();
    let root = Float::sqrt(rows.iter().map(|row| norm_sq(row)).sum::<f64>());
    let absolute = Float::sqrt(scale * rows.len() as f64);
    // The error of q̃, carried through −Δt' Jᵀ q̃; that of w' on storing; the dense solution's own.
    let stiffness = 1.0 + dt * (root + absolute) * (root + absolute);
    let error = solved.tolerance.to_f64() + 16.0 * epsilon * stiffness;
    let stored = epsilon * Float::sqrt(norm_sq(&in_f64(&w)));
    let tolerance = dt * (root + absolute) * error * norm
        + stored
        + 1e-14 * stiffness * Float::sqrt(norm_sq(&dense));
    let apart = before.iter().zip(&w).zip(&dense).map(|((before, after), dense)| {
        let apart = after.to_f64() - before.to_f64() - dense;
        apart * apart
    });
    let apart = Float::sqrt(apart.sum::<f64>());
    prop_assert!(apart <= tolerance, "{apart:e} of {tolerance:e}");
    Ok(())
}

fn in_f64<T: Float>(x: &[T]) -> Vec<f64> {
    x.iter().map(|x| x.to_f64()).collect()
}

/// `−(JᵀJ + I/Δt)⁻¹ Jᵀ q` from the dense p × p matrix.
fn levenberg_marquardt(rows: &[Vec<f64>], q: &[f64], dt: f64) -> Vec<f64> {
    let p = rows[0].len();
    let mut entries = vec![0.0; Packed::<f64>::len_of(p)];
    let mut system = Packed::new(p, &mut entries).unwrap();
    for (i, out) in system.rows_mut().enumerate() {
        for (j, out) in out.iter_mut().enumerate() {
            *out = rows.iter().map(|row| row[i] * row[j]).sum();
        }
        out[i] += 1.0 / dt;
    }
    system.factorise().unwrap();
    let mut x = vec![0.0; p];
    for (row, q) in rows.iter().zip(q) {
        axpy(-q, row, &mut x);
    }
    system.solve(&mut x).unwrap();
    x
}

/// A linear model's true loss never rises, whatever Δt: ‖q̃‖ is then the residual at wⁿ⁺¹.
fn linear_loss_falls<T: Float>(
    &(dt, lambda, [samples, parameters], seed): &(f64, f64, [usize; 2], u64),
) -> Result<(), TestCaseError> {
    let mut rng = Pcg32::new(seed, Stream::Other);
    let mut draw = |len: usize| {
        let mut values = vec![T::ZERO; len];
        rng.normal(T::ONE, &mut values);
        values
    };
    let rows = (0..samples).map(|_| draw(parameters)).collect();
    let mut model = Linear { rows, y: draw(samples) };
    let mut w = draw(parameters);
    let settings = Settings {
        dt: T::from_f64(dt),
        lambda: T::from_f64(lambda),
        solver: Some(SolverChoice::Cholesky),
        ..Settings::new(Method::IeqFull)
    };
    let shape = Shape { parameters, outputs: 1, batch: samples, samples };
    let mut scheme = AnyScheme::new(&settings, Loss::Mse, shape, |len| vec![T::ZERO; len]).unwrap();
    for _ in 0..8 {
        let objective: &mut dyn Residuals<T> = &mut model;
        let Ok(Step { loss, auxiliary, .. }) = step(&mut scheme, &mut w, objective) else {
            return Ok(());
        };
        let next = objective.loss(&w).unwrap().to_f64();
        let q = auxiliary.unwrap().predicted.to_f64();
        let stiffness = Scheme::<T, dyn Residuals<T>>::solved(&scheme).stiffness.to_f64();
        let epsilon = T::EPSILON.to_f64();
        // What one evaluation of X w − y rounds.
        let size = model.rows.iter().map(|row| norm_sq(row).to_f64()).sum::<f64>()
            * norm_sq(&w).to_f64()
            + norm_sq(&model.y).to_f64();
        let evaluated = 4.0 * epsilon * Float::sqrt(size);
        let solved = 8.0 * epsilon * stiffness * q;
        let root = Float::sqrt(2.0 * loss.to_f64()) + evaluated + solved;
        prop_assert!(next <= 0.5 * root * root, "{next:e} after {loss:e} at stiffness {stiffness}");
    }
    Ok(())
}

fn any_linear() -> BoxedStrategy<(f64, f64, [usize; 2], u64)> {
    (any_dt(), any_lambda(), [1_usize..12, 1..12], any::<u16>().prop_map(u64::from)).boxed()
}

in_both_precisions! {
    gram(400, any_case()) => gram_is_explicit;
    levenberg_marquardt_solved_densely(400, any_case()) => is_levenberg_marquardt;
    linear_model(400, any_linear()) => linear_loss_falls;
}
