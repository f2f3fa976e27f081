//! The two-layer network `f(x) = s · A relu(Wᵀ [x; 1]) + c`.

mod closed_form;
mod dense_sparse;
mod dense_sparse_backward;
mod evaluate;
mod general;
#[cfg(feature = "wide")]
mod gradient_bound;
mod gram;
mod init;
#[cfg(feature = "wide")]
mod level_rows;
mod line;
mod line_backward;
mod line_gram;
mod line_groups;
mod line_problem;
mod line_unit;
mod loss;
mod output_layer;
mod problem;
mod residual;
mod samples;
mod scratch;
mod sparse_rows;
mod transposed;
mod vectors;

pub use closed_form::GramForm;
pub use evaluate::Evaluation;
pub use init::Init;
#[cfg(feature = "wide")]
pub use level_rows::{LevelEntry, LevelRow, LevelRows, LevelSlices};
pub use line_problem::LineProblem;
pub use loss::Loss;
pub use problem::Problem;
pub use residual::Residual;
pub use samples::{Batch, Inputs, Samples, Targets};
pub use scratch::{Scratch, ScratchLen};
pub use sparse_rows::{SparseRows, SparseSlices};
pub use vectors::{Caller, Inlined, Vectors};

use crate::error::{Buffer, Error, Setting};
use crate::float::Float;

/// Shape and scaling of a network with one hidden layer of relu units.
///
/// Its parameters are one vector `w`, three matrices one after another, each row-major:
/// * `hidden`, `(d+1) × m`: row `i` holds the weights of input `i`, the last row the biases;
/// * `output`, `k × m`: row `j` holds the weights of output `j`;
/// * `output_bias`, `k` entries, if there is one.
///
/// ```
/// use gradflow_core::network::TwoLayer;
/// let network = TwoLayer::<f32>::new(784, 100, 10)?;
/// assert_eq!(network.parameters(), 785 * 100 + 10 * 100);
/// # Ok::<(), gradflow_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwoLayer<T> {
    inputs: usize,
    hidden: usize,
    outputs: usize,
    output_bias: bool,
    scale: T,
}

impl<T: Float> TwoLayer<T> {
    /// A network of `inputs` (d), `hidden` (m) and `outputs` (k) units, without output bias and
    /// with output scale 1.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if a width is 0, or if there would be more than 2³¹ parameters.
    pub fn new(inputs: usize, hidden: usize, outputs: usize) -> Result<Self, Error> {
        let network = Self { inputs, hidden, outputs, output_bias: true, scale: T::ONE };
        let smallest = inputs.min(hidden).min(outputs);
        let parameters = inputs
            .checked_add(outputs)
            .and_then(|rows| rows.checked_add(1))
            .and_then(|rows| rows.checked_mul(hidden))
            .filter(|&parameters| parameters < 1 << 31);
        match parameters {
            Some(_) if smallest > 0 => Ok(network.with_output_bias(false)),
            Some(_) => Err(Error::OutOfRange { what: Setting::Width, value: smallest as f64 }),
            None => Err(Error::OutOfRange { what: Setting::Width, value: hidden as f64 }),
        }
    }

    /// The same network with (or without) a bias on each output.
    #[must_use]
    pub const fn with_output_bias(mut self, output_bias: bool) -> Self {
        self.output_bias = output_bias;
        self
    }

    /// The same network with the output scale `s`.
    #[must_use]
    pub const fn with_scale(mut self, scale: T) -> Self {
        self.scale = scale;
        self
    }

    /// Number of inputs d.
    #[must_use]
    pub const fn inputs(&self) -> usize {
        self.inputs
    }

    /// Number of hidden units m.
    #[must_use]
    pub const fn hidden(&self) -> usize {
        self.hidden
    }

    /// Number of outputs k.
    #[must_use]
    pub const fn outputs(&self) -> usize {
        self.outputs
    }

    /// Whether each output has a bias.
    #[must_use]
    pub const fn output_bias(&self) -> bool {
        self.output_bias
    }

    /// Output scale s.
    #[must_use]
    pub const fn scale(&self) -> T {
        self.scale
    }

    /// Number of parameters p.
    #[must_use]
    pub const fn parameters(&self) -> usize {
        let bias = if self.output_bias { self.outputs } else { 0 };
        (self.inputs + 1 + self.outputs) * self.hidden + bias
    }

    /// Entries of `hidden`, `(d+1) m`.
    #[must_use]
    pub const fn hidden_len(&self) -> usize {
        (self.inputs + 1) * self.hidden
    }

    /// Entries of `output`, `k m`.
    #[must_use]
    pub const fn output_len(&self) -> usize {
        self.outputs * self.hidden
    }

    /// The three matrices of a parameter vector.
    ///
    /// # Errors
    /// [`Error::Length`] unless `w` has [`parameters`](Self::parameters) entries.
    #[inline]
    pub fn layers<'w>(&self, w: &'w [T]) -> Result<Layers<'w, T>, Error> {
        let wrong =
            Error::Length { what: Buffer::Weights, needed: self.parameters(), got: w.len() };
        if w.len() != self.parameters() {
            return Err(wrong);
        }
        let (hidden, rest) = w.split_at_checked(self.hidden_len()).ok_or(wrong)?;
        let (output, output_bias) = rest.split_at_checked(self.output_len()).ok_or(wrong)?;
        Ok(Layers { hidden, output, output_bias })
    }

    /// The three matrices of a parameter vector or gradient, to write.
    ///
    /// # Errors
    /// [`Error::Length`] unless `w` has [`parameters`](Self::parameters) entries.
    #[inline]
    pub fn layers_mut<'w>(&self, w: &'w mut [T]) -> Result<LayersMut<'w, T>, Error> {
        let wrong =
            Error::Length { what: Buffer::Gradient, needed: self.parameters(), got: w.len() };
        if w.len() != self.parameters() {
            return Err(wrong);
        }
        let (hidden, rest) = w.split_at_mut_checked(self.hidden_len()).ok_or(wrong)?;
        let (output, output_bias) = rest.split_at_mut_checked(self.output_len()).ok_or(wrong)?;
        Ok(LayersMut { hidden, output, output_bias })
    }
}

/// The parameter vector as matrices; see [`TwoLayer`].
#[derive(Clone, Copy, Debug)]
pub struct Layers<'w, T> {
    /// `(d+1) × m`
    pub hidden: &'w [T],
    /// `k × m`
    pub output: &'w [T],
    /// `k` entries, or none
    pub output_bias: &'w [T],
}

/// The parameter vector as matrices, to write; see [`TwoLayer`].
#[derive(Debug)]
pub struct LayersMut<'w, T> {
    /// `(d+1) × m`
    pub hidden: &'w mut [T],
    /// `k × m`
    pub output: &'w mut [T],
    /// `k` entries, or none
    pub output_bias: &'w mut [T],
}
