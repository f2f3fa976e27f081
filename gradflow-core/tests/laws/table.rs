//! Every valid combination of settings has a law that its runs keep, or a stated none.

use gradflow_core::Float;
use gradflow_core::audit::{Identity, Law};
use gradflow_core::network::Loss;
use gradflow_core::scheme::{
    Control, Coupling, Memory, Method, OperatorChoice, ResidualChoice, Settings, SolverChoice,
};
use proptest::prelude::*;

use crate::support::{
    Size, any_dt, any_lambda, any_size, audited_run, in_both_precisions, log_uniform,
};

/// Settings that [`Settings::check`] accepts, each choice that a method has made in every way.
pub(crate) fn all_settings() -> Vec<(Settings<f64>, Loss)> {
    let mut all = Vec::new();
    for method in Method::ALL {
        for relaxed in [false, true] {
            for coupling in couplings(method) {
                for residual in residuals(method) {
                    for memory in memories(method) {
                        for control in [Control::Fixed, Control::GainRatio] {
                            for operator in [OperatorChoice::Scalar, OperatorChoice::Diagonal] {
                                for solver in solvers(method) {
                                    for loss in [Loss::Mse, Loss::CrossEntropy] {
                                        let settings = Settings {
                                            relaxed,
                                            coupling,
                                            residual,
                                            memory,
                                            control,
                                            operator,
                                            solver,
                                            ..Settings::new(method)
                                        };
                                        if settings.check(loss).is_ok() {
                                            all.push((settings, loss));
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    all
}

fn couplings(method: Method) -> Vec<Option<Coupling>> {
    match method {
        Method::Sav | Method::ExpSav => vec![Some(Coupling::Ratio), Some(Coupling::Consistent)],
        Method::Sgd | Method::Adam | Method::IeqFull | Method::IeqAdaptive => vec![None],
    }
}

fn residuals(method: Method) -> Vec<Option<ResidualChoice>> {
    use ResidualChoice::{Brier, Ggn, Logit, Raw, SqrtLoss};
    match method {
        Method::IeqFull | Method::IeqAdaptive => {
            vec![None, Some(SqrtLoss), Some(Brier), Some(Ggn), Some(Logit), Some(Raw)]
        }
        Method::Sgd | Method::Adam | Method::Sav | Method::ExpSav => vec![None],
    }
}

fn memories(method: Method) -> Vec<Option<Memory>> {
    match method {
        Method::IeqFull | Method::IeqAdaptive => {
            vec![Some(Memory::Fresh), Some(Memory::Persistent)]
        }
        Method::Sgd | Method::Adam | Method::Sav | Method::ExpSav => vec![None],
    }
}

fn solvers(method: Method) -> Vec<Option<SolverChoice>> {
    match method {
        Method::IeqFull => {
            vec![Some(SolverChoice::Cholesky), Some(SolverChoice::ConjugateGradients)]
        }
        _ => vec![None],
    }
}

#[test]
fn every_scheme_has_a_law_or_a_stated_none() {
    let all = all_settings();
    for (settings, loss) in &all {
        let law = Law::of(settings, *loss);
        let source = matches!(settings.residual, Some(ResidualChoice::Raw | ResidualChoice::Logit));
        let expected = match settings.method {
            Method::Sgd | Method::Adam => false,
            Method::IeqAdaptive => !source,
            Method::Sav | Method::ExpSav | Method::IeqFull => true,
        };
        assert_eq!(law.binds(), expected, "{settings:?}");
        assert!(!law.formula().is_empty());
        if let Identity::None(why) = law.identity {
            assert_eq!(law.formula(), why);
        }
    }
    assert!(all.len() > 100, "{}", all.len());
}

/// Numbers of one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbers {
    pub(crate) dt: f64,
    pub(crate) lambda: f64,
    pub(crate) c: f64,
    pub(crate) epsilon: f64,
    pub(crate) eta: f64,
    pub(crate) size: Size,
}

impl Numbers {
    /// Nothing special.
    pub(crate) const ORDINARY: Self = Self {
        dt: 0.1,
        lambda: 1.0,
        c: 1.0,
        epsilon: 1e-8,
        eta: 0.99,
        size: Size {
            inputs: 2,
            hidden: 8,
            outputs: 2,
            bias: true,
            ntk: true,
            samples: 8,
            batch: 4,
            seed: 7,
        },
    };
}

pub(crate) fn numbers() -> BoxedStrategy<Numbers> {
    let c = log_uniform(-3.0..2.0);
    let epsilon = prop_oneof![Just(0.0), log_uniform(-10.0..0.0)];
    let eta = prop_oneof![Just(0.0), Just(0.99), 0.0..1.0];
    (any_dt(), any_lambda(), c, epsilon, eta, any_size())
        .prop_map(|(dt, lambda, c, epsilon, eta, size)| Numbers {
            dt,
            lambda,
            c,
            epsilon,
            eta,
            size,
        })
        .boxed()
}

pub(crate) fn with_numbers<T: Float>(settings: &Settings<f64>, numbers: &Numbers) -> Settings<T> {
    let Settings { method, relaxed, coupling, residual, memory, control, operator, solver, .. } =
        *settings;
    Settings {
        method,
        relaxed,
        coupling,
        residual,
        memory,
        control,
        operator,
        solver,
        dt: T::from_f64(numbers.dt),
        lambda: T::from_f64(numbers.lambda),
        c: T::from_f64(numbers.c),
        epsilon: T::from_f64(numbers.epsilon),
        eta: T::from_f64(numbers.eta),
    }
}

/// No run of any scheme breaks its law, at any step size, until it ends or diverges.
fn every_run_keeps_its_law<T: Float>(numbers: &Numbers) -> Result<(), TestCaseError> {
    for (settings, loss) in all_settings() {
        let settings = with_numbers::<T>(&settings, numbers);
        let outcome = audited_run(&settings, loss, numbers.size, 12);
        prop_assert_eq!(outcome.tally.violations, 0, "{:?} {:?}: {:?}", settings, loss, outcome);
        if let Some(error) = outcome.error {
            prop_assert!(error.is_divergence(), "{:?} {:?}: {}", settings, loss, error);
        }
        if Law::of(&settings, loss).binds() {
            prop_assert_eq!(outcome.tally.checked, outcome.steps);
        }
    }
    Ok(())
}

in_both_precisions! {
    every_run(40, numbers()) => every_run_keeps_its_law;
}
