//! Law 9: numbers that leave the road are errors, found before anything is written.

use gradflow_core::network::{Loss, Residual};
use gradflow_core::scheme::{AnyScheme, Control, Method, Scheme, Settings, Shape};
use gradflow_core::{Error, Float, Objective, Residuals};
use proptest::prelude::*;

use crate::support::{World, in_both_precisions, step};
use crate::synthetic::Prescribed;
use crate::table::{Numbers, all_settings, numbers, with_numbers};

/// What goes wrong in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// L(wⁿ) is NaN or infinite.
    Loss(f64),
    /// One entry of the gradient is.
    Gradient(f64),
    /// The gradient is finite and its square is not.
    LongGradient,
    /// One entry of the residual is NaN.
    Residual,
    /// L(wⁿ⁺¹) is NaN or infinite, and so is the residual there.
    NextLoss(f64),
}

const FAULTS: [Fault; 8] = [
    Fault::Loss(f64::NAN),
    Fault::Loss(f64::INFINITY),
    Fault::Gradient(f64::NAN),
    Fault::Gradient(f64::NEG_INFINITY),
    Fault::LongGradient,
    Fault::Residual,
    Fault::NextLoss(f64::NAN),
    Fault::NextLoss(f64::INFINITY),
];

/// A problem with a fault.
struct Faulty<'a, T> {
    inner: &'a mut (dyn Residuals<T> + 'a),
    fault: Fault,
    /// wⁿ
    here: Vec<T>,
}

impl<T: Float> Faulty<'_, T> {
    fn tamper(&self, w: &[T], loss: T) -> T {
        match self.fault {
            Fault::Loss(value) if w == self.here => T::from_f64(value),
            Fault::NextLoss(value) if w != self.here => T::from_f64(value),
            _ => loss,
        }
    }
}

impl<T: Float> Objective<T> for Faulty<'_, T> {
    fn parameters(&self) -> usize {
        self.inner.parameters()
    }

    fn loss(&mut self, w: &[T]) -> Result<T, Error> {
        let loss = self.inner.loss(w)?;
        Ok(self.tamper(w, loss))
    }

    fn gradient(&mut self, w: &[T], gradient: &mut [T]) -> Result<T, Error> {
        let loss = self.inner.gradient(w, gradient)?;
        match self.fault {
            Fault::Gradient(value) => gradient[0] = T::from_f64(value),
            Fault::LongGradient => {
                gradient[0] = T::from_f64(if T::BYTES == 4 { 1e30 } else { 1e200 });
            }
            _ => {}
        }
        Ok(self.tamper(w, loss))
    }
}

impl<T: Float> Residuals<T> for Faulty<'_, T> {
    fn outputs(&self) -> usize {
        self.inner.outputs()
    }

    fn residual_len(&self) -> usize {
        self.inner.residual_len()
    }

    fn linearise(&mut self, w: &[T], q: &mut [T]) -> Result<T, Error> {
        let loss = self.inner.linearise(w, q)?;
        match self.fault {
            Fault::Residual => q[0] = T::from_f64(f64::NAN),
            Fault::NextLoss(value) if w != self.here => q[0] = T::from_f64(value),
            _ => {}
        }
        Ok(self.tamper(w, loss))
    }

    fn gram(&mut self, w: &[T], gram: &mut [T]) -> Result<(), Error> {
        self.inner.gram(w, gram)
    }

    fn push_forward(&mut self, w: &[T], v: &[T], image: &mut [T]) -> Result<(), Error> {
        self.inner.push_forward(w, v, image)
    }

    fn pull_back(&mut self, w: &[T], u: &[T], out: &mut [T]) -> Result<(), Error> {
        self.inner.pull_back(w, u, out)
    }

    fn energy_is_loss(&self) -> bool {
        self.inner.energy_is_loss()
    }

    fn cancellation(&mut self, w: &[T]) -> Result<Option<[T; 2]>, Error> {
        self.inner.cancellation(w)
    }

    fn unit(&self) -> T {
        self.inner.unit()
    }

    fn sample(&self, i: usize) -> usize {
        self.inner.sample(i)
    }
}

/// True if the scheme looks at what is at fault, and so must refuse the step.
fn meets(settings: &Settings<f64>, task: Loss, fault: Fault) -> bool {
    let source = matches!(settings.residual(task), Ok(Residual::Raw | Residual::Logit));
    let full = settings.method == Method::IeqFull;
    let vector = full
        || settings.method == Method::IeqAdaptive
            && (source || settings.relaxed && settings.trained_loss(task) != Loss::CrossEntropy);
    match fault {
        Fault::Loss(_) | Fault::Gradient(_) | Fault::LongGradient => true,
        // A stored q takes the place of the fresh one at later visits.
        Fault::Residual => vector && settings.memory() == gradflow_core::scheme::Memory::Fresh,
        Fault::NextLoss(_) => settings.relaxed,
    }
}

type Scheme64<T> = AnyScheme<T, Vec<T>>;

/// Every number of the scheme's state, as bits.
fn state<T: Float>(scheme: &mut Scheme64<T>) -> Vec<u64> {
    let mut bits = Vec::new();
    Scheme::<T, dyn Residuals<T>>::visit_state(scheme, &mut |_, values| {
        bits.extend(values.iter().map(|value| value.to_bits64()));
    });
    bits.push(Scheme::<T, dyn Residuals<T>>::dt(scheme).to_bits64());
    bits
}

fn bits<T: Float>(w: &[T]) -> Vec<u64> {
    w.iter().map(|w| w.to_bits64()).collect()
}

/// Each scheme meets each fault after two good steps, refuses it, is as it was, and goes on as if
/// nothing had happened.
fn faults_change_nothing<T: Float>(numbers: &Numbers) -> Result<(), TestCaseError> {
    for (chosen, task) in all_settings() {
        let settings = with_numbers::<T>(&chosen, numbers);
        let residual = settings.residual(task).unwrap();
        let mut world = World::<T>::new(numbers.size, settings.trained_loss(task), residual);
        let mut w = world.weights();
        let shape = world.shape();
        let mut scheme = Scheme64::new(&settings, task, shape, |len| vec![T::ZERO; len]).unwrap();
        for _ in 0..2 {
            let batch = world.draw_batch();
            if step(&mut scheme, &mut w, &mut *world.on(&batch)).is_err() {
                break;
            }
        }
        let batch = world.draw_batch();
        let (mut undisturbed, mut v) = (scheme.clone(), w.clone());
        for fault in FAULTS {
            let before = (bits(&w), state(&mut scheme));
            let mut inner = world.on(&batch);
            let problem: &mut dyn Residuals<T> =
                &mut Faulty { inner: &mut *inner, fault, here: w.clone() };
            let mut trial = (scheme.clone(), w.clone());
            match step(&mut trial.0, &mut trial.1, problem) {
                Err(error) => {
                    prop_assert!(error.is_divergence(), "{:?} {:?}", error, settings);
                    // Gain-ratio control may have shrunk Δt on the way; the rest is as it was.
                    if settings.control == Control::GainRatio {
                        let dt = Scheme::<T, dyn Residuals<T>>::dt(&scheme);
                        Scheme::<T, dyn Residuals<T>>::set_dt(&mut trial.0, dt);
                    }
                    let after = (bits(&trial.1), state(&mut trial.0));
                    prop_assert_eq!(&after, &before, "{:?} {:?}", fault, settings);
                    (scheme, w) = trial;
                }
                // A step lost in the rounding of w leads nowhere else.
                Ok(step) => {
                    prop_assert!(
                        !meets(&chosen, task, fault) || bits(&trial.1) == before.0,
                        "{:?} passed {:?}: {:?}",
                        settings,
                        fault,
                        step
                    );
                    let finite = trial.1.iter().all(|w| w.is_finite());
                    prop_assert!(finite, "{:?} after {:?}", settings, fault);
                }
            }
        }
        let problem = &mut *world.on(&batch);
        let ends = [step(&mut scheme, &mut w, problem), step(&mut undisturbed, &mut v, problem)];
        prop_assert_eq!(ends[0], ends[1], "{:?}", settings);
        prop_assert_eq!(bits(&w), bits(&v));
        prop_assert_eq!(state(&mut scheme), state(&mut undisturbed));
    }
    Ok(())
}

in_both_precisions! {
    law_9(12, numbers()) => faults_change_nothing;
}

/// One step of every scheme on a prescribed loss and gradient.
fn refusals(loss: f32, gradient: [f32; 2], change: impl Fn(&mut Settings<f32>)) -> Vec<Error> {
    let shape = Shape { parameters: 2, outputs: 1, batch: 1, samples: 1 };
    let numbers = Numbers { dt: 0.1, ..Numbers::ORDINARY };
    let mut errors = Vec::new();
    for (settings, task) in all_settings() {
        let mut settings = with_numbers::<f32>(&settings, &numbers);
        change(&mut settings);
        let mut scheme = match AnyScheme::new(&settings, task, shape, |len| vec![0.0; len]) {
            Ok(scheme) => scheme,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        let origin = vec![1.0; 2];
        let gradient = gradient.to_vec();
        let problem: &mut dyn Residuals<f32> =
            &mut Prescribed { origin: origin.clone(), loss, next_loss: loss, gradient };
        let mut w = origin.clone();
        let before = state(&mut scheme);
        if let Err(error) = step(&mut scheme, &mut w, problem) {
            assert_eq!((w, state(&mut scheme)), (origin, before), "{settings:?}");
            errors.push(error);
        }
    }
    errors
}

/// A finite f32 gradient longer than 1.8e19 overflows ‖g‖²: refused by all, SGD and Adam included.
#[test]
fn a_gradient_whose_square_overflows() {
    let errors = refusals(1.0, [2e19, -1.0], |_| {});
    assert_eq!(errors.len(), all_settings().len());
    assert!(errors.iter().all(|error| error.is_divergence()));
}

/// Settings out of range are named.
#[test]
fn settings_out_of_range() {
    for dt in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let errors = refusals(1.0, [1.0, 1.0], |settings| settings.dt = dt);
        assert_eq!(errors.len(), all_settings().len());
        for error in errors {
            assert!(error.to_string().starts_with("dt = "), "{error}");
        }
    }
    for lambda in [-1.0, f32::NAN] {
        for error in refusals(1.0, [1.0, 1.0], |settings| settings.lambda = lambda) {
            assert!(error.to_string().starts_with("lambda = "), "{error}");
        }
    }
    for eta in [-0.1, 1.0, f32::NAN] {
        for error in refusals(1.0, [1.0, 1.0], |settings| settings.eta = eta) {
            assert!(error.to_string().starts_with("eta = "), "{error}");
        }
    }
}

/// So is a Δt that goes out of range while the run goes on.
#[test]
fn a_dt_set_out_of_range() {
    let shape = Shape { parameters: 2, outputs: 1, batch: 1, samples: 1 };
    let mut objective =
        Prescribed { origin: vec![1.0; 2], loss: 1.0, next_loss: 1.0, gradient: vec![1.0_f32; 2] };
    let problem: &mut dyn Residuals<f32> = &mut objective;
    for (settings, task) in all_settings() {
        let settings = with_numbers::<f32>(&settings, &Numbers::ORDINARY);
        let mut scheme = AnyScheme::new(&settings, task, shape, |len| vec![0.0; len]).unwrap();
        for dt in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            Scheme::<f32, dyn Residuals<f32>>::set_dt(&mut scheme, dt);
            let before = state(&mut scheme);
            let mut w = vec![1.0; 2];
            let error = step(&mut scheme, &mut w, problem).unwrap_err();
            assert!(error.to_string().starts_with("dt = "), "{error} {settings:?}");
            assert_eq!((w, state(&mut scheme)), (vec![1.0; 2], before), "{settings:?}");
        }
    }
}

/// `L + C ≤ 0` and `‖q‖² = ε = 0` with a gradient: no root, no quotient.
#[test]
fn degenerate_energies() {
    let sav = |settings: &Settings<f32>| settings.method == Method::Sav;
    let number = all_settings().iter().filter(|(s, _)| s.method == Method::Sav).count();
    let errors = refusals(1.0, [1.0, 1.0], |settings| {
        settings.c = if sav(settings) { -2.0 } else { 1.0 };
    });
    assert_eq!(errors.len(), number);
    assert!(errors.iter().all(|e| *e == Error::ShiftTooSmall { loss_plus_c: -1.0 }));
    let errors = refusals(0.0, [1.0, 1.0], |settings| {
        settings.c = if sav(settings) { 0.0 } else { 1.0 };
        settings.epsilon = 0.0;
    });
    let count = |wanted: Error| errors.iter().filter(|&&error| error == wanted).count();
    assert_eq!(count(Error::ShiftTooSmall { loss_plus_c: 0.0 }), number);
    assert!(count(Error::Degenerate) > 0);
}
