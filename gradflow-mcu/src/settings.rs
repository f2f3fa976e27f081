//! What a session can set, beside the scheme's own settings.

use gradflow_core::network::GramForm;
use gradflow_core::scheme::{
    AnyScheme, Control, GainRatio, IeqFull, LinearSolver, Memory, Method, Relaxed, Scalar,
    Settings, Shape, SolverChoice, Store,
};
use gradflow_core::{Error, linalg::Packed, network::Loss};

use crate::{LARGEST_BATCH, PARAMETERS, SAMPLES};

/// A scheme over parts of one static buffer.
pub(crate) type Scheme<'b> = AnyScheme<f32, &'b mut [f32], Scalar<f32>>;

/// Entries that any scheme's buffers need together: relaxed full IEQ takes most.
pub(crate) const ARENA: usize =
    Packed::<f32>::len_of(LARGEST_BATCH) + 2 * LARGEST_BATCH + SAMPLES + PARAMETERS;

/// Where the samples of a step come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The built-in function `exp(−x²)`, drawn anew for each step.
    Function,
    /// The samples that were fed.
    Data,
}

/// Everything that decides a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    /// The scheme's settings.
    pub(crate) scheme: Settings<f32>,
    /// How full IEQ computes its Gram matrix.
    pub(crate) gram_form: GramForm,
    /// Samples a step.
    pub(crate) batch: usize,
    /// Seed of initial weights and samples.
    pub(crate) seed: u32,
    /// Where samples come from.
    pub(crate) source: Source,
    /// Mean squared error at which training stops.
    pub(crate) target: f32,
    /// Steps from one report to the next.
    pub(crate) every: u32,
    /// Steps after each sample that is fed.
    pub(crate) auto: u32,
}

impl Default for Choice {
    /// Full IEQ in sample space by the closed form, 32 samples a step, Δt 1e4.
    fn default() -> Self {
        let scheme = Settings {
            dt: 1e4,
            solver: Some(SolverChoice::Cholesky),
            ..Settings::new(Method::IeqFull)
        };
        Self {
            scheme,
            gram_form: GramForm::Closed,
            batch: 32,
            seed: 0,
            source: Source::Function,
            target: 1e-5,
            every: 1,
            auto: 0,
        }
    }
}

impl Choice {
    /// True if residuals are kept from step to step, for samples that must not change.
    #[must_use]
    pub(crate) fn keeps_residuals(&self) -> bool {
        matches!(self.scheme.method, Method::IeqFull | Method::IeqAdaptive)
            && self.scheme.memory() == Memory::Persistent
    }

    /// Checks what can be checked without training.
    ///
    /// # Errors
    /// What to change, in words.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.keeps_residuals() && self.source == Source::Function {
            return Err(Error::Unsupported(
                "relaxed ieq needs samples that stay: feed some, or use draw 256",
            ));
        }
        self.scheme.check(Loss::Mse)
    }

    /// The scheme, over parts of `arena`; also the number of entries that it uses.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub(crate) fn build<'b>(&self, arena: &'b mut [f32]) -> Result<(Scheme<'b>, usize), Error> {
        self.check()?;
        arena.fill(0.0);
        let mut pool = Pool { free: arena, used: 0 };
        let shape =
            Shape { parameters: PARAMETERS, outputs: 1, batch: self.batch, samples: SAMPLES };
        let cholesky = self.scheme.method == Method::IeqFull
            && self.scheme.solver(shape) == SolverChoice::Cholesky;
        let scheme = if cholesky {
            self.ieq_in_sample_space(&mut pool)
        } else {
            let operator = Scalar { lambda: self.scheme.lambda };
            let buffer = |len| pool.take(len);
            AnyScheme::with_operator(&self.scheme, Loss::Mse, shape, buffer, |_| operator)?
        };
        Ok((scheme, pool.used))
    }

    /// Full IEQ without a vector as long as the weights: its Gram matrix is all it needs.
    fn ieq_in_sample_space<'b>(&self, pool: &mut Pool<'b>) -> Scheme<'b> {
        let Settings { dt, lambda, eta, relaxed, control, .. } = self.scheme;
        let gram = pool.take(Packed::<f32>::len_of(self.batch));
        let work = [pool.take(self.batch), pool.take(self.batch)];
        let store = if self.keeps_residuals() {
            let residuals = pool.take(SAMPLES);
            residuals.fill(f32::INFINITY);
            Store::Persistent(residuals)
        } else {
            Store::Fresh
        };
        let operator = Scalar { lambda };
        let solver = LinearSolver::Cholesky(gram);
        let scheme = IeqFull::new(operator, dt, solver, store, pool.take(0), work);
        match control {
            Control::GainRatio => {
                AnyScheme::IeqFullGainRatio(GainRatio::new(scheme, pool.take(PARAMETERS)))
            }
            Control::Fixed if relaxed => {
                AnyScheme::IeqFullRelaxed(Relaxed::new(scheme, eta, pool.take(PARAMETERS)))
            }
            Control::Fixed => AnyScheme::IeqFull(scheme),
        }
    }
}

/// Cuts buffers off one slice. What is asked for beyond its end is empty: the step then says so.
struct Pool<'b> {
    free: &'b mut [f32],
    used: usize,
}

impl<'b> Pool<'b> {
    fn take(&mut self, len: usize) -> &'b mut [f32] {
        let free = core::mem::take(&mut self.free);
        match free.split_at_mut_checked(len) {
            Some((taken, rest)) => {
                self.free = rest;
                self.used += len;
                taken
            }
            None => &mut [],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arena_serves_every_method() {
        let mut arena = [0.0; ARENA];
        let mut most = 0;
        for method in Method::ALL {
            for relaxed in [false, true] {
                for control in [Control::Fixed, Control::GainRatio] {
                    let scheme = Settings { relaxed, control, ..Settings::new(method) };
                    let (batch, source) = (LARGEST_BATCH, Source::Data);
                    let choice = Choice { scheme, batch, source, ..Choice::default() };
                    let Ok((_, used)) = choice.build(&mut arena) else { continue };
                    most = most.max(used);
                }
            }
        }
        assert_eq!(most, ARENA, "no more than needed, and no less");
    }
}
