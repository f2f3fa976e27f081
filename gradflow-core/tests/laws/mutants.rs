//! Wrong schemes, kept as tests of the audit: each mistake makes it fire in both precisions, and
//! the right scheme beside it does not.

use gradflow_core::audit::{Audit, Check, Law, Tally};
use gradflow_core::network::Loss;
use gradflow_core::scheme::{
    Advance, AnyScheme, At, Control, Coupling, ExpSav, Flow, IeqAdaptive, Memory, Method, Movement,
    Operator, Relaxation, Relaxed, Rule, Sav, Scalar, Scheme, Settings, Solved, Staged, Step,
};
use gradflow_core::{Error, Float, Gradient, Residuals};

use crate::support::{Size, World};

const SIZE: Size =
    Size { inputs: 2, hidden: 8, outputs: 1, bias: true, ntk: true, samples: 8, batch: 4, seed: 3 };

const LAMBDA: f64 = 0.5;

/// What is wrong with a rule.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mistake {
    None,
    /// The step is 1.001 times too long, the auxiliary variable as it should be.
    Length,
    /// ρ is 1.001 times too large, in the step and in the auxiliary variable.
    Rho,
    /// κ is 1.001 times too large.
    Kappa,
    /// The step ignores κ.
    NoKappa,
    /// The recursion starts from the definition instead of the variable that is carried on.
    Stale,
    /// The auxiliary variable grows instead of falling.
    Growth,
    /// ξ₀ has the wrong sign: the relaxed variable lies on the other side of ṽ.
    XiSign,
    /// Relaxation takes the definition, whatever the law says.
    NoBound,
    /// Relaxation spends twice the dissipation.
    Overspent,
    /// Relaxation does nothing.
    Idle,
}

/// A rule with a mistake.
#[derive(Clone, Copy, Debug)]
struct Mutant<R> {
    rule: R,
    mistake: Mistake,
}

impl<T: Float, R: Rule<T>> Rule<T> for Mutant<R> {
    fn is_fresh(&self) -> bool {
        self.rule.is_fresh()
    }

    fn check(&self) -> Result<(), Error> {
        self.rule.check()
    }

    fn define(&self, loss: T) -> Result<T, Error> {
        self.rule.define(loss)
    }

    fn advance(&self, value: T, at: &At<T>) -> Result<Advance<T>, Error> {
        let more = T::from_f64(1.001);
        let right = self.rule.advance(value, at)?;
        let Advance { length, auxiliary, kappa } = right;
        Ok(match self.mistake {
            Mistake::Length | Mistake::Kappa => Advance { length: more * length, ..right },
            Mistake::Rho => Advance { length: more * length, auxiliary: more * auxiliary, kappa },
            Mistake::NoKappa => {
                let kappa = kappa.unwrap_or(T::ONE);
                Advance { length: length / kappa, ..right }
            }
            Mistake::Stale => {
                let stale = self.rule.define(at.loss)?;
                Advance { auxiliary: self.rule.advance(stale, at)?.auxiliary, ..right }
            }
            Mistake::Growth => Advance { auxiliary: value + (value - auxiliary), ..right },
            _ => right,
        })
    }

    fn relax(&self, relaxation: &Relaxation<T>) -> (T, T) {
        let Relaxation { predicted, ideal, budget, .. } = *relaxation;
        match self.mistake {
            Mistake::XiSign => {
                let (value, xi) = self.rule.relax(relaxation);
                (predicted - (value - predicted), -xi)
            }
            Mistake::NoBound => (ideal, T::ZERO),
            Mistake::Overspent => {
                self.rule.relax(&Relaxation { budget: T::TWO * budget, ..*relaxation })
            }
            Mistake::Idle => (predicted, T::ONE),
            _ => self.rule.relax(relaxation),
        }
    }

    fn report(&self, value: T) -> T {
        self.rule.report(value)
    }

    fn energy(&self, value: T) -> T {
        self.rule.energy(value)
    }
}

/// Runs a scheme under a law on random batches.
fn audit<T, S>(law: Law<T>, task: Loss, scheme: &mut S) -> Tally
where
    T: Float,
    S: for<'a> Scheme<T, dyn Residuals<T> + 'a>,
{
    let residual = Settings::<T>::new(Method::Sav).residual(task).unwrap();
    let mut world = World::<T>::new(SIZE, task, residual);
    let mut w = world.weights();
    let entries = 2 * SIZE.batch;
    let mut audit = Audit::new(law, vec![T::ZERO; law.buffer_len(w.len(), entries)]);
    for n in 0..20 {
        let batch = world.draw_batch();
        let problem = &mut *world.on(&batch);
        audit.before(&w).unwrap();
        let Ok(step) = scheme.step(&mut w, problem) else { break };
        audit.after(n, &w, &step, problem, scheme).unwrap();
    }
    audit.tally
}

fn settings<T: Float>(method: Method, coupling: Coupling, relaxed: bool) -> Settings<T> {
    Settings {
        relaxed,
        coupling: Some(coupling),
        dt: T::ONE,
        lambda: T::from_f64(LAMBDA),
        eta: T::from_f64(0.5),
        memory: Some(if relaxed { Memory::Persistent } else { Memory::Fresh }),
        ..Settings::new(method)
    }
}

/// The tally of a rule with a mistake, under the law of the right one.
fn tally<T: Float, R: Rule<T>>(rule: R, settings: &Settings<T>, mistake: Mistake) -> Tally {
    let p = World::<T>::new(SIZE, Loss::Mse, settings.residual(Loss::Mse).unwrap());
    let p = p.network.parameters();
    // √(2L), so that adaptive IEQ is a rule whatever its memory.
    let law = Law::of(
        &Settings {
            residual: (settings.method == Method::IeqAdaptive)
                .then_some(gradflow_core::scheme::ResidualChoice::SqrtLoss),
            ..*settings
        },
        Loss::Mse,
    );
    let operator = Scalar { lambda: settings.lambda };
    let mutant = Mutant { rule, mistake };
    let mut flow = Flow::new(mutant, operator, settings.dt, vec![T::ZERO; p]);
    if settings.relaxed {
        let mut relaxed = Relaxed::new(flow, settings.eta, vec![T::ZERO; p]);
        audit(law, Loss::Mse, &mut relaxed)
    } else {
        audit(law, Loss::Mse, &mut flow)
    }
}

fn rules_are_caught<T: Float>() {
    use Mistake::{
        Growth, Idle, Kappa, Length, NoBound, NoKappa, None, Overspent, Rho, Stale, XiSign,
    };
    let c = T::ONE;
    let of_the_step = [Length, Rho, Growth];
    let of_the_coupling = [Kappa, NoKappa, Stale];
    let of_the_relaxation = [XiSign, NoBound, Overspent, Idle];
    for coupling in [Coupling::Ratio, Coupling::Consistent] {
        for relaxed in [false, true] {
            let consistent = coupling == Coupling::Consistent;
            let mut mistakes = of_the_step.to_vec();
            if consistent {
                mistakes.extend(of_the_coupling);
            }
            if relaxed {
                mistakes.extend(of_the_relaxation);
                mistakes.retain(|&mistake| mistake != Growth); // relaxation hides it
            }
            let expect = |name: &str, mistake: Mistake, tally: Tally| {
                let fires = mistake != None;
                let what = format!("{name} {coupling:?} relaxed {relaxed} {mistake:?} {tally:?}");
                assert_eq!(tally.violations > 0, fires, "{what}");
                assert_eq!(tally.first.is_some(), fires, "{what}");
                assert!(tally.checked > 10 || fires, "{what}");
            };
            for mistake in mistakes.into_iter().chain([None]) {
                if consistent || !relaxed {
                    let settings = settings::<T>(Method::Sav, coupling, relaxed);
                    expect("sav", mistake, tally(Sav { c, coupling }, &settings, mistake));
                }
                let rule = ExpSav { c, coupling };
                let settings = settings::<T>(Method::ExpSav, coupling, relaxed);
                expect("exp-sav", mistake, tally(rule, &settings, mistake));
            }
        }
    }
    for relaxed in [false, true] {
        let settings = settings::<T>(Method::IeqAdaptive, Coupling::Ratio, relaxed);
        let (epsilon, memory) = (settings.epsilon, settings.memory());
        let mistakes = if relaxed {
            vec![Length, Rho, Stale, XiSign, NoBound, Overspent, Idle, None]
        } else {
            vec![Length, Rho, Growth, None]
        };
        for mistake in mistakes {
            let tally = tally(IeqAdaptive { epsilon, memory }, &settings, mistake);
            assert_eq!(tally.violations > 0, mistake != None, "{relaxed} {mistake:?} {tally:?}");
        }
    }
}

#[test]
fn mistaken_rules_are_caught_f64() {
    rules_are_caught::<f64>();
}

#[test]
fn mistaken_rules_are_caught_f32() {
    rules_are_caught::<f32>();
}

/// `𝓛 = λI` that is forgotten in S.
#[derive(Clone, Copy, Debug)]
struct Forgotten<T>(Scalar<T>);

impl<T: Float> Operator<T> for Forgotten<T> {
    fn check(&self, parameters: usize) -> Result<(), Error> {
        self.0.check(parameters)
    }

    fn slope(&self, g: &Gradient<'_, T>, _dt: T) -> T {
        g.norm_sq
    }

    fn apply(&self, g: &[T], v: &mut [T], dt: T) {
        self.0.apply(g, v, dt);
    }

    fn descend(&self, w: &mut [T], g: &Gradient<'_, T>, length: T, dt: T) -> Result<T, Error> {
        self.0.descend(w, g, length, dt)
    }
}

/// A scheme around another, with a mistake of its own.
#[derive(Clone, Copy, Debug)]
enum Around {
    /// The auxiliary variable is not carried on.
    Forgets,
    /// The loss that it reports is 1.001 times too large.
    Loss,
    /// Each step is 1.001 times too long.
    Stretches,
    /// It says that it took the step back.
    Rejects,
}

struct Wrapped<T, S> {
    inner: S,
    around: Around,
    before: Vec<T>,
}

impl<T: Float, O: ?Sized, S: Staged<T, O>> Scheme<T, O> for Wrapped<T, S> {
    fn step(&mut self, w: &mut [T], objective: &mut O) -> Result<Step<T>, Error> {
        let more = T::from_f64(1.001);
        self.before.clear();
        self.before.extend_from_slice(w);
        let mut step = self.inner.propose(w, objective)?;
        match self.around {
            Around::Forgets => return Ok(step),
            Around::Loss => step.loss *= more,
            Around::Stretches => {
                for (w, &before) in w.iter_mut().zip(&self.before) {
                    *w = before + more * (*w - before);
                }
            }
            Around::Rejects => step.accepted = false,
        }
        self.inner.commit(objective, &step);
        Ok(step)
    }

    fn dt(&self) -> T {
        self.inner.dt()
    }

    fn set_dt(&mut self, dt: T) {
        self.inner.set_dt(dt);
    }

    fn visit_state(&mut self, visit: &mut dyn FnMut(&'static str, &mut [T])) {
        self.inner.visit_state(visit);
    }

    fn movement(&self, before: &[T], after: &[T], dt: T) -> Movement<T> {
        self.inner.movement(before, after, dt)
    }

    fn solved(&self) -> Solved<T> {
        self.inner.solved()
    }
}

fn schemes_are_caught<T: Float>() {
    let coupling = Coupling::Consistent;
    let of_sav = settings::<T>(Method::Sav, coupling, false);
    let law = Law::of(&of_sav, Loss::Mse);
    let rule = Sav { c: T::ONE, coupling };
    let len = |len: usize| vec![T::ZERO; len];
    let p = World::<T>::new(SIZE, Loss::Mse, of_sav.residual(Loss::Mse).unwrap());
    let (p, shape) = (p.network.parameters(), p.shape());
    let caught = |check: Check, tally: Tally| {
        assert_eq!(tally.first.map(|first| first.check), Some(check), "{tally:?}");
    };

    let operator = Forgotten(Scalar { lambda: of_sav.lambda });
    let mut scheme = Flow::new(rule, operator, of_sav.dt, len(p));
    caught(Check::Identity, audit(law, Loss::Mse, &mut scheme));
    let mut scheme = Flow::new(rule, Scalar { lambda: T::ZERO }, of_sav.dt, len(p));
    caught(Check::Identity, audit(law, Loss::Mse, &mut scheme));

    for (around, check) in [
        (Around::Forgets, Check::Chain),
        (Around::Loss, Check::Loss),
        (Around::Stretches, Check::Identity),
        (Around::Rejects, Check::Rejection),
    ] {
        let inner = Flow::new(rule, Scalar { lambda: of_sav.lambda }, of_sav.dt, len(p));
        let mut scheme = Wrapped { inner, around, before: Vec::new() };
        caught(check, audit(law, Loss::Mse, &mut scheme));
    }

    // Full IEQ: a stretched step, another λ, and steps that control should not have accepted.
    let of_full = settings::<T>(Method::IeqFull, coupling, false);
    let law = Law::of(&of_full, Loss::Mse);
    let full = |settings: &Settings<T>| AnyScheme::new(settings, Loss::Mse, shape, len).unwrap();
    let AnyScheme::IeqFull(inner) = full(&of_full) else { panic!("not full IEQ") };
    let mut scheme = Wrapped { inner, around: Around::Stretches, before: Vec::new() };
    caught(Check::Identity, audit(law, Loss::Mse, &mut scheme));
    let mut scheme = full(&Settings { lambda: T::ZERO, ..of_full });
    caught(Check::Identity, audit(law, Loss::Mse, &mut scheme));
    let mut scheme = full(&of_full);
    let tally = audit(law, Loss::Mse, &mut scheme);
    assert_eq!((tally.checked, tally.violations), (20, 0), "{tally:?}");
    let bold = Settings { dt: T::from_f64(1e3), lambda: T::ZERO, ..of_full };
    let controlled = Law::of(&Settings { control: Control::GainRatio, ..bold }, Loss::Mse);
    let tally = audit(controlled, Loss::Mse, &mut full(&bold));
    assert!(tally.loss_increases > 0);
    caught(Check::Descent, tally);
}

#[test]
fn mistaken_schemes_are_caught_f64() {
    schemes_are_caught::<f64>();
}

#[test]
fn mistaken_schemes_are_caught_f32() {
    schemes_are_caught::<f32>();
}
