//! Residuals of IEQ: maps from a sample's outputs to its entries of `q`, and their derivatives.
//!
//! `q` is a function of each sample's outputs `f`, so its Jacobian is `J = M J_f` with one `k × k`
//! block `M` a sample. With `n` samples, `k` outputs, `p = softmax f` and one-hot targets `y`:
//!
//! | residual | q | M |
//! |---|---|---|
//! | `Scaled` | `√(2/(nk)) (f − y)` | `√(2/(nk)) I` |
//! | `Brier` | `√(2/(nk)) (p − y)` | `√(2/(nk)) (diag p − p pᵀ)` |
//! | `Ggn` | `(p − y) / √(n p)` | `Bᵀ = (diag √p − √p pᵀ) / √n` |
//! | `Raw`, `Logit` | `f − y` | `I` |
//!
//! For `Ggn`, `B Bᵀ` is the Hessian of the mean cross-entropy in `f`, and `B q = (p − y)/n` is its
//! derivative: so full IEQ with this `q` is the generalised Gauss-Newton step
//! `(I + Δt J_fᵀ H J_f) Δw = −Δt ∇L`, without a difference of large vectors.

use super::loss::{Loss, Target, softmax};
use crate::float::{Float, Math};

/// The residual of full and of vector-valued adaptive IEQ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Residual {
    /// The differences, scaled so that `½‖q‖² = L` for [`Loss::Mse`].
    Scaled,
    /// The differences of probabilities, scaled so that `½‖q‖² = L` for [`Loss::Brier`].
    Brier,
    /// Generalised Gauss-Newton for [`Loss::CrossEntropy`].
    Ggn,
    /// Unscaled differences `f − y` for [`Loss::Mse`]: the source's choice, which has no law.
    Raw,
    /// Unscaled differences `f − y` of logits and one-hot targets for [`Loss::CrossEntropy`]: the
    /// source's choice, which has no law.
    Logit,
}

impl Residual {
    /// The residual that full IEQ uses unless told otherwise.
    #[must_use]
    pub const fn default_for(loss: Loss) -> Self {
        match loss {
            Loss::Mse => Self::Scaled,
            Loss::CrossEntropy => Self::Ggn,
            Loss::Brier => Self::Brier,
        }
    }

    /// True if this residual belongs to this loss.
    #[must_use]
    pub const fn fits(self, loss: Loss) -> bool {
        match self {
            Self::Scaled | Self::Raw => matches!(loss, Loss::Mse),
            Self::Brier => matches!(loss, Loss::Brier),
            Self::Ggn | Self::Logit => matches!(loss, Loss::CrossEntropy),
        }
    }

    /// True if `½‖q‖² = L`.
    #[must_use]
    pub const fn squares_to_loss(self) -> bool {
        matches!(self, Self::Scaled | Self::Brier)
    }

    /// True if the step lowers a model of the loss; the source's choices lower `½‖f − y‖²`.
    #[must_use]
    pub const fn energy_is_loss(self) -> bool {
        !matches!(self, Self::Raw | Self::Logit)
    }

    /// The factor of `q` and `M` for a batch of `samples`.
    #[inline(always)]
    pub(super) fn unit<T: Float>(self, samples: usize, outputs: usize) -> T {
        match self {
            Self::Scaled | Self::Brier => (T::TWO / T::from_usize(samples * outputs)).sqrt(),
            Self::Ggn => T::ONE / T::from_usize(samples).sqrt(),
            Self::Raw | Self::Logit => T::ONE,
        }
    }

    /// Replaces the outputs by what `M` depends on: the probabilities, for softmax residuals.
    #[inline(always)]
    pub(super) fn prepare<T: Float, M: Math<T>>(self, f: &mut [T]) {
        match self {
            Self::Scaled | Self::Raw | Self::Logit => {}
            Self::Brier => {
                softmax::<T, M>(f);
            }
            Self::Ggn => {
                softmax::<T, M>(f);
                // A probability of 0 would make q infinite; B q is the same for a tiny one.
                for p in f {
                    *p = if *p > T::TINY_PROBABILITY { *p } else { T::TINY_PROBABILITY };
                }
            }
        }
    }

    /// One sample's entries of `q`, from what [`prepare`](Self::prepare) left.
    #[inline(always)]
    pub(super) fn entries<T: Float>(self, unit: T, p: &[T], target: Target<'_, T>, q: &mut [T]) {
        for ((q, e), &p) in q.iter_mut().zip(target.differences(p)).zip(p) {
            *q = match self {
                Self::Ggn => unit * (e / p.sqrt()),
                _ => unit * e,
            };
        }
    }

    /// True if `M` mixes a sample's outputs.
    pub(super) const fn mixes(self) -> bool {
        matches!(self, Self::Brier | Self::Ggn)
    }

    /// `w` in `M = u diag(w) (I − 1 pᵀ)`, or 1 in `M = u I`.
    #[inline(always)]
    pub(super) fn weight<T: Float>(self, p: T) -> T {
        match self {
            Self::Scaled | Self::Raw | Self::Logit => T::ONE,
            Self::Brier => p,
            Self::Ggn => p.sqrt(),
        }
    }

    /// `out_l ← out_l + factor · (Mᵢ Mⱼᵀ)_kl / u²` for output `k` of one sample (probabilities `p`)
    /// and the outputs `l` of another (`q`).
    #[inline(always)]
    pub(super) fn add_products<T: Float>(
        self,
        factor: T,
        k: usize,
        p: &[T],
        q: &[T],
        out: &mut [T],
    ) {
        if self.mixes() {
            let (Some(&p_k), Some(&q_k)) = (p.get(k), q.get(k)) else { return };
            let factor = factor * self.weight(p_k);
            let common = p.iter().zip(q).fold(T::ZERO, |sum, (&p, &q)| sum + p * q) - q_k;
            for ((out, &q), &p) in out.iter_mut().zip(q).zip(p) {
                *out += factor * (self.weight(q) * (common - p));
            }
            if let Some(out) = out.get_mut(k) {
                *out += factor * self.weight(q_k);
            }
        } else if let Some(out) = out.get_mut(k) {
            *out += factor;
        }
    }

    /// Adds, times `factor`, one sample's `‖diag(w) (I − 1 pᵀ)‖²` and `‖diag(w)‖² (1 + ‖p‖²)`: the
    /// squares of `M/u` and of the numbers that it is the difference of.
    pub(super) fn add_sizes<T: Float>(self, p: &[T], factor: T, [size, differences]: &mut [T; 2]) {
        let p_sq = p.iter().fold(T::ZERO, |sum, &p| sum + p * p);
        for (k, &p_k) in p.iter().enumerate() {
            let others = p.iter().enumerate().filter(|&(l, _)| l != k);
            let (rest, rest_sq) =
                others.fold((T::ZERO, T::ZERO), |(sum, sum_sq), (_, &p)| (sum + p, sum_sq + p * p));
            let weight = self.weight(p_k);
            let factor = factor * weight * weight;
            *differences += factor * (T::ONE + p_sq);
            *size += factor * (rest * rest + rest_sq);
        }
    }

    /// `v ← M v` for one sample.
    #[inline(always)]
    pub(super) fn apply<T: Float>(self, unit: T, p: &[T], v: &mut [T]) {
        let along = p.iter().zip(v.iter()).fold(T::ZERO, |sum, (&p, &v)| sum + p * v);
        for (v, &p) in v.iter_mut().zip(p) {
            *v = match self {
                Self::Scaled | Self::Raw | Self::Logit => unit * *v,
                Self::Brier => unit * (p * (*v - along)),
                Self::Ggn => unit * (p.sqrt() * (*v - along)),
            };
        }
    }

    /// `u ← Mᵀ u` for one sample.
    #[inline(always)]
    pub(super) fn apply_transposed<T: Float>(self, unit: T, p: &[T], u: &mut [T]) {
        if self != Self::Ggn {
            return self.apply(unit, p, u);
        }
        let along = p.iter().zip(u.iter()).fold(T::ZERO, |sum, (&p, &u)| sum + p.sqrt() * u);
        for (u, &p) in u.iter_mut().zip(p) {
            *u = unit * (p.sqrt() * *u - p * along);
        }
    }
}
