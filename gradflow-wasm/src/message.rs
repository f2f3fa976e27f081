//! Errors in words, without the formatting of numbers with a point: that alone would be a
//! sixteenth of all that a visitor of the page downloads.

use gradflow_core::{Error, Quantity, Setting};
use js_sys::Number;

/// What the page shows of an error.
pub(crate) fn message(error: Error) -> String {
    match error {
        Error::NotFinite { what } => format!("{} is not finite", quantity(what)),
        Error::OutOfRange { what, value } => {
            format!("{} = {} is out of range", setting(what), digits(value))
        }
        Error::ShiftTooSmall { loss_plus_c } => {
            format!("L + C = {} is not positive: choose a larger C", digits(loss_plus_c))
        }
        Error::Degenerate => {
            "the auxiliary variable vanished while the gradient did not".to_owned()
        }
        Error::Singular { row } => format!(
            "the Gram matrix is not positive definite at row {row}: use a smaller dt or f64"
        ),
        Error::NoConvergence { iterations } => {
            format!("conjugate gradients did not converge in {iterations} iterations")
        }
        Error::Length { needed, got, .. } => {
            format!("a buffer holds {got} entries where {needed} are needed")
        }
        Error::Label { sample, label, classes } => {
            format!("sample {sample} has label {label}, but there are {classes} classes")
        }
        Error::Unsupported(what) | Error::Format(what) => what.to_owned(),
        _ => "the step was refused".to_owned(),
    }
}

/// A number as JavaScript writes it.
fn digits(value: f64) -> String {
    Number::from(value).to_string_with_radix(10).map_or_else(|_| "?".to_owned(), String::from)
}

fn quantity(what: Quantity) -> &'static str {
    match what {
        Quantity::Loss => "the loss",
        Quantity::NextLoss => "the loss after the step",
        Quantity::Gradient => "the gradient or its squared norm",
        Quantity::Residual => "the residual or its squared norm",
        Quantity::Update => "the update",
        Quantity::Weights => "the weights",
        Quantity::Auxiliary => "the auxiliary variable",
        Quantity::Moments => "the moments",
    }
}

fn setting(what: Setting) -> &'static str {
    match what {
        Setting::Dt => "dt",
        Setting::Lambda => "lambda",
        Setting::C => "c",
        Setting::Epsilon => "epsilon",
        Setting::Eta => "eta",
        Setting::Beta => "beta",
        Setting::Batch => "batch",
        _ => "a size",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_the_core_s() {
        for error in [
            Error::NotFinite { what: Quantity::NextLoss },
            Error::NotFinite { what: Quantity::Moments },
            Error::Degenerate,
            Error::Singular { row: 3 },
            Error::NoConvergence { iterations: 7 },
            Error::Label { sample: 1, label: 12, classes: 10 },
            Error::Unsupported("use coupling consistent"),
        ] {
            assert_eq!(message(error), error.to_string());
        }
    }
}
