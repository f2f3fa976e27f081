//! ndarray, in and out: data sets from arrays, and parameter vectors as matrices. Nothing is
//! computed through it: its products round otherwise than the core's.

use gradflow_core::network::TwoLayer;
use gradflow_core::{Buffer, Error, Float};
use ndarray::{ArrayRef1, ArrayRef2, ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2};

use super::rows::Rows;
use super::{DataError, DataSet};

impl<T: Float> DataSet<T> {
    /// Samples from the rows of two matrices or views of such, `inputs` (len × d) and `targets` (len × k).
    ///
    /// # Errors
    /// [`DataError::Unsuitable`] if the numbers of rows differ, a matrix is empty, or a number is
    /// not finite.
    ///
    /// ```
    /// use gradflow_std::data::DataSet;
    /// use ndarray::array;
    /// let (x, y) = (array![[0.0, 1.0], [2.0, 3.0]], array![[1.0], [5.0]]);
    /// let set = DataSet::from_arrays(&x, &y)?;
    /// assert_eq!(set.inputs_view(), Some(x.view()));
    /// # Ok::<(), gradflow_std::data::DataError>(())
    /// ```
    pub fn from_arrays(inputs: &ArrayRef2<T>, targets: &ArrayRef2<T>) -> Result<Self, DataError> {
        same_rows(inputs.nrows(), targets.nrows())?;
        let (x, y) = (inputs.iter().copied(), targets.iter().copied());
        Self::from_values(inputs.ncols(), x.collect(), y.collect())
    }

    /// Samples from the rows of `inputs` (len × d), with a class label for each.
    ///
    /// # Errors
    /// As [`from_arrays`](Self::from_arrays).
    pub fn from_labelled_array(
        inputs: &ArrayRef2<T>,
        labels: &ArrayRef1<u8>,
    ) -> Result<Self, DataError> {
        same_rows(inputs.nrows(), labels.len())?;
        let (x, labels) = (inputs.iter().copied(), labels.iter().copied());
        Self::from_labels(inputs.ncols(), x.collect(), labels.collect())
    }

    /// The inputs as a matrix, len × d, unless the rows are sparse.
    #[must_use]
    pub fn inputs_view(&self) -> Option<ArrayView2<'_, T>> {
        match &self.rows {
            Rows::Dense(x) => ArrayView2::from_shape((self.len(), self.inputs()), x).ok(),
            Rows::Levels(_) => None,
        }
    }

    /// The target numbers as a matrix, len × k, unless the targets are labels.
    #[must_use]
    pub fn targets_view(&self) -> Option<ArrayView2<'_, T>> {
        let shape = (self.len(), self.outputs());
        ArrayView2::from_shape(shape, self.values()?).ok()
    }

    /// The class labels, unless the targets are numbers.
    #[must_use]
    pub fn labels_view(&self) -> Option<ArrayView1<'_, u8>> {
        self.labels().map(ArrayView1::from)
    }
}

fn same_rows(inputs: usize, targets: usize) -> Result<(), DataError> {
    if inputs == targets {
        return Ok(());
    }
    Err(DataError::Unsuitable(format!("{inputs} rows of inputs, but {targets} of targets")))
}

/// `hidden` of a parameter vector, (d+1) × m, the biases in the last row.
///
/// # Errors
/// [`Error::Length`] unless `w` has one entry a parameter.
///
/// ```
/// use gradflow_core::network::TwoLayer;
/// use gradflow_std::data::{hidden_view, output_view};
/// let network = TwoLayer::new(1, 2, 1)?;
/// let w = [1.0, 2.0, 10.0, 20.0, 0.5, 0.25];
/// assert_eq!(hidden_view(&network, &w)?[[1, 0]], 10.0);
/// assert_eq!(output_view(&network, &w)?[[1, 0]], 0.25);
/// # Ok::<(), gradflow_core::Error>(())
/// ```
pub fn hidden_view<'w, T: Float>(
    network: &TwoLayer<T>,
    w: &'w [T],
) -> Result<ArrayView2<'w, T>, Error> {
    let shape = (network.inputs() + 1, network.hidden());
    let view = ArrayView2::from_shape(shape, network.layers(w)?.hidden);
    view.map_err(|_| misfit(network, w.len()))
}

/// `output` of a parameter vector, m × k as in a file of weights: the transpose of the k × m rows
/// in memory, by strides.
///
/// # Errors
/// As [`hidden_view`].
pub fn output_view<'w, T: Float>(
    network: &TwoLayer<T>,
    w: &'w [T],
) -> Result<ArrayView2<'w, T>, Error> {
    let shape = (network.outputs(), network.hidden());
    let view = ArrayView2::from_shape(shape, network.layers(w)?.output);
    view.map(ArrayView2::reversed_axes).map_err(|_| misfit(network, w.len()))
}

/// `output_bias` of a parameter vector, k entries, or none if the network has no output bias.
///
/// # Errors
/// As [`hidden_view`].
pub fn output_bias_view<'w, T: Float>(
    network: &TwoLayer<T>,
    w: &'w [T],
) -> Result<ArrayView1<'w, T>, Error> {
    Ok(network.layers(w)?.output_bias.into())
}

/// [`hidden_view`], to write.
///
/// # Errors
/// As [`hidden_view`].
pub fn hidden_view_mut<'w, T: Float>(
    network: &TwoLayer<T>,
    w: &'w mut [T],
) -> Result<ArrayViewMut2<'w, T>, Error> {
    let wrong = misfit(network, w.len());
    let shape = (network.inputs() + 1, network.hidden());
    let view = ArrayViewMut2::from_shape(shape, network.layers_mut(w)?.hidden);
    view.map_err(|_| wrong)
}

/// [`output_view`], to write.
///
/// # Errors
/// As [`hidden_view`].
pub fn output_view_mut<'w, T: Float>(
    network: &TwoLayer<T>,
    w: &'w mut [T],
) -> Result<ArrayViewMut2<'w, T>, Error> {
    let wrong = misfit(network, w.len());
    let shape = (network.outputs(), network.hidden());
    let view = ArrayViewMut2::from_shape(shape, network.layers_mut(w)?.output);
    view.map(ArrayViewMut2::reversed_axes).map_err(|_| wrong)
}

/// [`output_bias_view`], to write.
///
/// # Errors
/// As [`hidden_view`].
pub fn output_bias_view_mut<'w, T: Float>(
    network: &TwoLayer<T>,
    w: &'w mut [T],
) -> Result<ArrayViewMut1<'w, T>, Error> {
    Ok(network.layers_mut(w)?.output_bias.into())
}

const fn misfit<T: Float>(network: &TwoLayer<T>, got: usize) -> Error {
    Error::Length { what: Buffer::Weights, needed: network.parameters(), got }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradflow_core::Objective;
    use gradflow_core::network::{Loss, Scratch};
    use ndarray::{Array2, array};

    /// 2 inputs, 3 hidden units, 2 outputs with bias; each parameter is its own index.
    fn small() -> (TwoLayer<f64>, Vec<f64>) {
        let network = TwoLayer::new(2, 3, 2).unwrap().with_output_bias(true);
        let w = (0..network.parameters()).map(|i| i as f64).collect();
        (network, w)
    }

    #[test]
    fn views_are_the_matrices_of_a_file_of_weights() {
        let (network, w) = small();
        let hidden = array![[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0]];
        let output = array![[9.0, 12.0], [10.0, 13.0], [11.0, 14.0]];
        assert_eq!(hidden_view(&network, &w).unwrap(), hidden);
        assert_eq!(output_view(&network, &w).unwrap(), output);
        assert_eq!(output_bias_view(&network, &w).unwrap(), array![15.0, 16.0]);
    }

    #[test]
    fn what_is_written_through_a_view_arrives_in_the_vector() {
        let (network, mut w) = small();
        hidden_view_mut(&network, &mut w).unwrap()[[2, 1]] = -1.0;
        output_view_mut(&network, &mut w).unwrap()[[2, 0]] = -2.0;
        output_bias_view_mut(&network, &mut w).unwrap()[1] = -3.0;
        assert_eq!((w[7], w[11], w[16]), (-1.0, -2.0, -3.0));
    }

    #[test]
    fn the_network_computed_through_views_agrees_with_the_core() {
        let (network, w) = small();
        let x = array![[0.5, -0.25], [-1.0, 0.125]];
        let set = DataSet::from_arrays(&x, &Array2::zeros((2, 2))).unwrap();
        let hidden = hidden_view(&network, &w).unwrap();
        let output = output_view(&network, &w).unwrap();
        let bias = output_bias_view(&network, &w).unwrap();
        let mut loss = 0.0;
        for row in set.inputs_view().unwrap().rows() {
            let unit = |h: usize| {
                let z = row[0] * hidden[[0, h]] + row[1] * hidden[[1, h]] + hidden[[2, h]];
                if z > 0.0 { z } else { 0.0 }
            };
            for k in 0..2 {
                let f = (0..3).fold(bias[k], |f, h| f + unit(h) * output[[h, k]]);
                loss += f * f / 4.0;
            }
        }
        let (mut reals, mut indices) = (vec![0.0; 1_000], vec![0; 1_000]);
        let scratch = Scratch { reals: &mut reals, indices: &mut indices };
        let mut problem = network.on(set.all(), Loss::Mse, scratch).unwrap();
        let evaluated = problem.loss(&w).unwrap();
        assert!((loss - evaluated).abs() < 1e-12 * loss, "{loss} {evaluated}");
    }

    #[test]
    fn arrays_of_any_memory_order_are_read_by_rows() {
        let x = array![[1.0_f32, 2.0], [3.0, 4.0], [5.0, 6.0]];
        let columns = array![[1.0_f32, 3.0, 5.0], [2.0, 4.0, 6.0]];
        let y = array![[1.0], [2.0], [3.0]];
        let from_rows = DataSet::from_arrays(&x, &y).unwrap();
        let from_columns = DataSet::from_arrays(&columns.t(), &y).unwrap();
        assert_eq!(from_rows, from_columns);
        assert_eq!(from_rows.targets_view(), Some(y.view()));
        let labels = array![2_u8, 0, 1];
        let set = DataSet::from_labelled_array(&x, &labels).unwrap();
        assert_eq!((set.outputs(), set.labels_view()), (3, Some(labels.view())));
    }

    #[test]
    fn arrays_that_make_no_data_set_are_refused() {
        let two = array![[1.0_f32], [2.0]];
        let nan = array![[1.0], [f32::NAN]];
        let none = Array2::<f32>::zeros((0, 1));
        let bare = Array2::<f32>::zeros((2, 0));
        for (x, y) in [
            (&two, &none),
            (&none, &none),
            (&bare, &two),
            (&two, &bare),
            (&nan, &two),
            (&two, &nan),
        ] {
            assert!(DataSet::from_arrays(x, y).is_err(), "{x} {y}");
        }
        let labels = array![0_u8];
        assert!(DataSet::from_labelled_array(&two, &labels).is_err());
        let (network, w) = small();
        assert!(hidden_view(&network, &w[1..]).is_err());
    }
}
