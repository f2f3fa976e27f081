//! Figures of merit on the sets that training does not see.

use std::fmt::Write;

use gradflow_core::Float;
use gradflow_core::network::{Evaluation, Loss, Scratch};

use super::{RunError, Sets, Trainer};

/// What a network comes to; absent where there is no such set or the number is not finite.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// Loss on the test set, noise included.
    pub test_loss: Option<f64>,
    /// Error against the noiseless target.
    pub test_loss_clean: Option<f64>,
    /// Share of the test set that is classified correctly.
    pub test_accuracy: Option<f64>,
}

/// Measures a network on the test sets.
///
/// # Errors
/// Sets of another shape.
pub fn measure<T: Float>(
    trainer: &mut Trainer<T>,
    sets: &Sets<T>,
    loss: Loss,
) -> Result<Measured, RunError> {
    let test = sets.test.as_ref().map(|set| trainer.evaluate(set, loss)).transpose()?;
    let clean = sets.clean.as_ref().map(|set| trainer.evaluate(set, loss)).transpose()?;
    let finite = |evaluation: Option<Evaluation>| {
        evaluation.map(|evaluation| evaluation.loss).filter(|loss| loss.is_finite())
    };
    let accuracy = |e: Evaluation| e.correct as f64 / e.samples as f64;
    Ok(Measured {
        test_loss: finite(test),
        test_loss_clean: finite(clean),
        test_accuracy: test.filter(|_| loss.classifies()).map(accuracy),
    })
}

/// `x,target,prediction` rows on the noiseless grid of a task of one input.
///
/// # Errors
/// Sets of another shape.
pub(super) fn fit<T: Float>(
    trainer: &Trainer<T>,
    sets: &Sets<T>,
) -> Result<Option<String>, RunError> {
    let Some(clean) = sets.clean.as_ref().filter(|set| set.inputs() == 1) else {
        return Ok(None);
    };
    let network = trainer.network();
    let len = network.scratch_len(clean.len());
    let mut reals = vec![T::ZERO; len.reals];
    let mut indices = vec![0; len.indices];
    let mut scratch = Scratch { reals: &mut reals, indices: &mut indices };
    let mut predictions = vec![T::ZERO; clean.len()];
    network.predict(trainer.weights(), clean.all(), &mut scratch, &mut predictions)?;
    let mut text = "x,target,prediction\n".to_owned();
    let targets = clean.values().unwrap_or_default();
    let mut row = Vec::new();
    for (i, (target, prediction)) in targets.iter().zip(&predictions).enumerate() {
        clean.copy_row(i, &mut row);
        for x in &row {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{x:?},{target:?},{prediction:?}");
        }
    }
    Ok(Some(text))
}
