//! The network's kernels against definitions: differences of the loss, explicit Jacobians, and
//! one another.

mod batches;
mod case;
mod gradients;
mod line;
mod refusals;

mod residuals;
