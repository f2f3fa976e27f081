//! Which law binds a scheme.

use crate::float::Float;
use crate::network::{Loss, Residual};
use crate::scheme::{Control, Coupling, Memory, Method, ResidualChoice, Settings};

/// The energy law of a scheme, with the settings that stand in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Law<T> {
    /// The identity that each step satisfies.
    pub identity: Identity<T>,
    /// Strength λ of the linear operator.
    pub lambda: T,
    /// Share η of the dissipation that relaxation may spend; `None` if nothing is relaxed.
    pub eta: Option<T>,
}

/// What each step satisfies, with `D = ⟨Δw, A⁻¹Δw⟩/Δt` and tildes for the recursion's value.
///
/// With `ρ = ṽ/v` the laws of all scalar schemes are `D = W ρ (1 − ρ)` with their own `W`: for SAV
/// Consistent, for example, `r̃² − r² + (r̃ − r)² = −2r² ρ (1 − ρ)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Identity<T> {
    /// No law; the text says why.
    None(&'static str),
    /// SAV: `W = 2(L + C)` (Ratio) or `2r²` (Consistent); r never grows unless relaxed.
    Sav {
        /// Shift C.
        c: T,
        /// Coupling of the step to r.
        coupling: Coupling,
    },
    /// ExpSAV: `W = κ`, `ρ = exp(ℓ̃ − ℓ)`; ℓ never grows unless relaxed.
    ExpSav {
        /// Coupling of the step to ℓ.
        coupling: Coupling,
    },
    /// Adaptive IEQ: `W = ‖q‖² + ε`.
    IeqAdaptive {
        /// Regularisation ε.
        epsilon: T,
        /// Whether q is taken from each batch's loss or carried on.
        memory: Memory,
        /// Whether q has one entry a sample and output.
        vector: bool,
    },
    /// Full IEQ. Fresh q: `⟨q, JΔw⟩ + ‖JΔw‖² + D = 0`, which is the step of Levenberg and
    /// Marquardt. Stored q: `½‖q̃‖² + ½‖q̃ − q‖² + D = ½‖q‖²`.
    IeqFull {
        /// Whether q is taken from each batch or carried on.
        memory: Memory,
        /// What q is; `None` if the settings have no meaning.
        residual: Option<Residual>,
        /// Whether step-size control accepts only steps that lower the energy.
        controlled: bool,
    },
}

impl<T: Float> Law<T> {
    /// The law of the scheme that these settings make on a task with this loss.
    #[must_use]
    pub fn of(settings: &Settings<T>, loss: Loss) -> Self {
        let Settings { c, epsilon, lambda, .. } = *settings;
        let coupling = settings.coupling();
        let memory = settings.memory();
        let source = matches!(settings.residual, Some(ResidualChoice::Logit | ResidualChoice::Raw));
        let identity = match settings.method {
            Method::Sgd => Identity::None("sgd has no law: it is stable for small dt only"),
            Method::Adam => Identity::None("adam has no law"),
            Method::IeqAdaptive if source => Identity::None(
                "½‖q‖² of residuals raw and logit is not the loss that the step lowers",
            ),
            Method::Sav => Identity::Sav { c, coupling },
            Method::ExpSav => Identity::ExpSav { coupling },
            Method::IeqAdaptive => {
                Identity::IeqAdaptive { epsilon, memory, vector: settings.is_vector(loss) }
            }
            Method::IeqFull => Identity::IeqFull {
                memory,
                residual: settings.residual(loss).ok(),
                controlled: settings.control == Control::GainRatio,
            },
        };
        Self { identity, lambda, eta: settings.relaxed.then_some(settings.eta) }
    }

    /// True if there is something to check.
    #[must_use]
    pub const fn binds(&self) -> bool {
        !matches!(self.identity, Identity::None(_))
    }

    /// The law as a formula; for a scheme without one, the reason.
    #[must_use]
    pub const fn formula(&self) -> &'static str {
        let relaxed = self.eta.is_some();
        match self.identity {
            Identity::None(why) => why,
            Identity::Sav { coupling: Coupling::Ratio, .. } => {
                "D = 2(L+C) ρ(1−ρ) ≤ (L+C)/2, r never grows"
            }
            Identity::Sav { coupling: Coupling::Consistent, .. } if relaxed => {
                "r̃² − r² + (r̃ − r)² + D = 0, r'² ≤ r² − (1−η)D"
            }
            Identity::Sav { coupling: Coupling::Consistent, .. } => {
                "r̃² − r² + (r̃ − r)² + D = 0, r never grows"
            }
            Identity::ExpSav { .. } if relaxed => "D = κρ(1−ρ), ℓ' ≤ ℓ − (1−η)D",
            Identity::ExpSav { .. } => "D = κρ(1−ρ), ℓ̃ ≤ ℓ − (1−ρ)",
            Identity::IeqAdaptive { .. } if relaxed => {
                "½‖q̃‖² + ½‖q̃ − q‖² + θD = ½‖q‖², ½‖q'‖² ≤ ½‖q‖² − (1−η)θD"
            }
            Identity::IeqAdaptive { .. } => "½‖q̃‖² + ½‖q̃ − q‖² + θD = ½‖q‖²",
            Identity::IeqFull { controlled: true, .. } => {
                "⟨g,Δw⟩ + D + ‖JΔw‖² = 0, the energy falls at each accepted step"
            }
            Identity::IeqFull { memory: Memory::Fresh, .. } => "⟨g,Δw⟩ + D + ‖JΔw‖² = 0",
            Identity::IeqFull { .. } if relaxed => {
                "½‖q̃‖² + ½‖q̃ − q‖² + D = ½‖q‖², ½‖q'‖² ≤ ½‖q‖² − (1−η)D"
            }
            Identity::IeqFull { .. } => "½‖q̃‖² + ½‖q̃ − q‖² + D = ½‖q‖²",
        }
    }

    /// True if the check needs the residual and its Jacobian at `wⁿ`.
    pub(super) const fn linearises(&self) -> bool {
        matches!(self.identity, Identity::IeqFull { memory: Memory::Fresh, .. })
    }

    /// True if the auxiliary variable is one number that outlives the step.
    pub(super) const fn carries(&self) -> bool {
        match self.identity {
            Identity::Sav { .. } | Identity::ExpSav { .. } => true,
            Identity::IeqAdaptive { memory, vector, .. } => {
                matches!(memory, Memory::Persistent) && !vector
            }
            Identity::None(_) | Identity::IeqFull { .. } => false,
        }
    }

    /// True if step-size control promises that the energy falls.
    pub(super) const fn is_controlled(&self) -> bool {
        matches!(self.identity, Identity::IeqFull { controlled: true, .. })
    }

    /// True if the loss itself stands in the law.
    pub(super) const fn needs_loss(&self) -> bool {
        match self.identity {
            Identity::None(_) => false,
            Identity::IeqFull { controlled, .. } => controlled || self.eta.is_some(),
            _ => true,
        }
    }

    /// Entries of the audit's buffer for `parameters` parameters and batches of at most `entries`
    /// samples times outputs.
    #[must_use]
    pub const fn buffer_len(&self, parameters: usize, entries: usize) -> usize {
        if self.linearises() { 2 * parameters + 2 * entries } else { parameters }
    }
}
