//! The audit of a run: each step's energy law, checked from outside while training goes on.
//!
//! The audit trusts no scalar that the scheme computed about its step. It keeps a copy of the
//! parameters, so that `Δw` and the movement `D` come from the vectors; the losses and, for full
//! IEQ, the residual and `JΔw` are evaluated anew. Only the auxiliary variable is the scheme's own,
//! and it must be the one that the step before left.
//!
//! ```
//! # use gradflow_core::{audit::{Audit, Law}, network::*, scheme::*, Error};
//! # let network = TwoLayer::<f64>::new(1, 4, 1)?;
//! # let samples = Samples { inputs: Inputs::Dense(&[0.5, -1.0]), targets: Targets::Values(&[1.0, 0.0]) };
//! # let mut w = [0.0; 12];
//! # Init::Kaiming.draw(&network, 0, &mut w)?;
//! let settings = Settings { dt: 100.0, ..Settings::new(Method::Sav) };
//! let shape = Shape { parameters: 12, outputs: 1, batch: 2, samples: 2 };
//! let mut scheme = AnyScheme::new(&settings, Loss::Mse, shape, |len| vec![0.0; len])?;
//! let law = Law::of(&settings, Loss::Mse);
//! let mut audit = Audit::new(law, vec![0.0; law.buffer_len(12, 2)]);
//! # let mut reals = vec![0.0; network.residual_scratch_len(2).reals];
//! for n in 0..10 {
//!     let scratch = Scratch { reals: &mut reals, indices: &mut [] };
//!     let mut problem = network.on(Batch::all(samples, 2), Loss::Mse, scratch)?;
//!     audit.before(&w)?;
//!     let step = scheme.step(&mut w, &mut problem)?;
//!     audit.after(n, &w, &step, &mut problem, &scheme)?;
//! }
//! assert_eq!((audit.tally.checked, audit.tally.violations), (10, 0));
//! # Ok::<(), Error>(())
//! ```
//!
//! # Tolerances
//!
//! A law holds in exact arithmetic; what is allowed is what rounding can do, no constant tuned to a
//! run. With ε the distance from 1 to the next number and p parameters:
//!
//! | source | allowance |
//! |---|---|
//! | ρ is a quotient of two rounded numbers | `2ε ρ W`: law 1's `4ε r²` |
//! | ℓ is stored with absolute error `ε abs(ℓ)/2` | `ε (abs(ℓ) + abs(ℓ̃) + 4) ρ W`: law 3's `ε abs(ℓ)` |
//! | sums of p squares err by `√p ε` (Higham, Mary 2019), a step length by a few ε | `(8 + √p) ε D` |
//! | storing w moves each parameter by up to `ε abs(w)/2 = u` | `2√(DE) + E`, `E = ⟨u, A⁻¹u⟩/Δt` |
//! | full IEQ solves a system of condition `1 + s`, `s = Δt λ_max(J A Jᵀ)` | `(8 + √p) ε ‖q‖ (‖q‖ + s ‖q̃‖)`, and the iteration's tolerance times `‖q‖²` |
//! | numbers below the normal range | a floor of the size of the smallest ones |
//!
//! So a step that is lost in the rounding of w is never reported, and an error of 10⁻³ in ρ, κ or λ
//! is, wherever the step is larger than its rounding.

mod check;
mod facts;
mod law;

pub use law::{Identity, Law};

use check::Verdict;
use facts::Facts;

use crate::error::{Buffer, Error};
use crate::float::Float;
use crate::linalg::copy;
use crate::objective::Residuals;
use crate::scheme::{Scheme, Step};

/// What a violation broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// The loss that the scheme reports is that of the parameters.
    Loss,
    /// The auxiliary variable on entering a step is what the step before left.
    Chain,
    /// The fresh auxiliary variable is that of the loss.
    Definition,
    /// The identity of the scheme.
    Identity,
    /// The auxiliary variable does not grow.
    Growth,
    /// The relaxed energy is at most `E − (1 − η)D`.
    Dissipation,
    /// The relaxed variable is as close to its definition as the law allows.
    Closeness,
    /// The energy falls at a step that control accepted.
    Descent,
    /// A step that control rejected leaves the parameters as they were.
    Rejection,
}

impl Check {
    /// A short name for reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Chain => "chain",
            Self::Definition => "definition",
            Self::Identity => "identity",
            Self::Growth => "growth",
            Self::Dissipation => "dissipation",
            Self::Closeness => "closeness",
            Self::Descent => "descent",
            Self::Rejection => "rejection",
        }
    }
}

/// A check that a step failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Violation {
    /// The step, as the caller counts.
    pub step: u64,
    /// What it broke.
    pub check: Check,
    /// How far the law is from holding, in its own units.
    pub deviation: f64,
    /// How far it may be.
    pub tolerance: f64,
}

impl Violation {
    /// The deviation in units of the tolerance: a law holds up to 1.
    #[must_use]
    pub fn severity(&self) -> f64 {
        if self.deviation <= 0.0 {
            0.0
        } else if self.deviation.is_nan() || self.tolerance.is_nan() {
            f64::INFINITY
        } else {
            self.deviation / self.tolerance
        }
    }
}

/// What an audit has seen so far. A run that resumes puts it back.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Steps whose law was checked.
    pub checked: u64,
    /// Steps that broke it.
    pub violations: u64,
    /// The first of them.
    pub first: Option<Violation>,
    /// The check that came closest to its tolerance, or went furthest beyond it.
    pub worst: Option<Violation>,
    /// Steps whose true loss, on their own batch, did not fall or stay.
    pub loss_increases: u64,
}

impl Tally {
    /// Counts a checked step; returns its violation, if there is one.
    fn count(&mut self, verdict: &Verdict) -> Option<Violation> {
        self.checked += 1;
        let step = verdict.worst?;
        if self.worst.is_none_or(|worst| step.severity() > worst.severity()) {
            self.worst = Some(step);
        }
        if step.severity() <= 1.0 {
            return None;
        }
        self.violations += 1;
        self.first = self.first.or(Some(step));
        Some(step)
    }
}

/// The audit of one run; see the [module](self).
#[derive(Clone, Copy, Debug)]
pub struct Audit<T, B> {
    law: Law<T>,
    buffer: B,
    /// What the audit has seen.
    pub tally: Tally,
    /// Whether increases of the true loss are counted, at the price of a forward pass
    /// a step.
    pub watch_loss: bool,
    /// The auxiliary variable that the last step left.
    carried: Option<T>,
}

impl<T: Float, B: AsRef<[T]> + AsMut<[T]>> Audit<T, B> {
    /// An audit at the start of a run, over a buffer of [`Law::buffer_len`].
    pub fn new(law: Law<T>, buffer: B) -> Self {
        Self { law, buffer, tally: Tally::default(), watch_loss: true, carried: None }
    }

    /// The law that is checked.
    #[must_use]
    pub const fn law(&self) -> &Law<T> {
        &self.law
    }

    /// Remembers `wⁿ`, if there is a law to check.
    ///
    /// # Errors
    /// [`Error::Length`] if the buffer is too short.
    pub fn before(&mut self, w: &[T]) -> Result<(), Error> {
        let buffer = self.buffer.as_mut();
        let (needed, got) = (self.law.buffer_len(w.len(), 0), buffer.len());
        let short = Error::Length { what: Buffer::Backup, needed, got };
        let before = buffer.get_mut(..w.len()).ok_or(short)?;
        if self.law.binds() {
            copy(w, before);
        }
        Ok(())
    }

    /// Checks step `n`, which took the remembered `wⁿ` to `w` on this objective; returns the worst
    /// violation, if there is one.
    ///
    /// # Errors
    /// A buffer that is too short, or what evaluating the objective returns. A loss that is not
    /// finite is no error here: it counts as an increase.
    pub fn after<O, S>(
        &mut self,
        n: u64,
        w: &[T],
        step: &Step<T>,
        objective: &mut O,
        scheme: &S,
    ) -> Result<Option<Violation>, Error>
    where
        O: Residuals<T> + ?Sized,
        S: Scheme<T, O> + ?Sized,
    {
        let entries = objective.residual_len();
        let (needed, got) = (self.law.buffer_len(w.len(), entries), self.buffer.as_ref().len());
        let short = Error::Length { what: Buffer::Backup, needed, got };
        let (before, work) = self.buffer.as_mut().split_at_mut_checked(w.len()).ok_or(short)?;
        let before = &*before;

        let law = self.law;
        // No law rests on a loss that none needs: what the scheme says of it will do for counting.
        let loss = if law.needs_loss() { objective.loss(before)? } else { step.loss };
        let next_loss =
            if self.watch_loss || law.needs_loss() { objective.loss(w)? } else { T::ZERO };
        let fell = next_loss <= loss;
        self.tally.loss_increases += u64::from(self.watch_loss && !fell);
        let Some(auxiliary) = step.auxiliary.filter(|_| law.binds()) else { return Ok(None) };

        let movement = scheme.movement(before, w, step.dt);
        let sizes = [w.len(), entries];
        let mut facts = Facts::new(&law, step.dt, &movement, &scheme.solved(), sizes);
        (facts.loss, facts.next_loss) = (loss.to_f64(), next_loss.to_f64());
        let mut verdict = Verdict::new(n);
        if law.needs_loss() {
            facts.check_loss(step.loss, &mut verdict);
        }
        if !step.accepted {
            let same = before.iter().zip(w).all(|(a, b)| a.to_bits64() == b.to_bits64());
            verdict.expect(Check::Rejection, f64::from(!same), 0.0);
        } else {
            if let Some(carried) = self.carried.filter(|_| law.carries()) {
                let same = carried.to_bits64() == auxiliary.value.to_bits64();
                verdict.expect(Check::Chain, f64::from(!same), 0.0);
            }
            facts.check(&law, &auxiliary, &mut verdict);
            facts.check_vectors(&law, [before, w], work, &auxiliary, objective, &mut verdict)?;
            self.carried = Some(auxiliary.next);
        }
        Ok(self.tally.count(&verdict))
    }
}
