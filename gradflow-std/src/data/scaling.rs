//! Inputs brought to mean 0 and standard deviation 1.

use gradflow_core::Float;

use super::rows::Rows;
use super::{DataError, DataSet};

/// Mean and standard deviation of each input, to be taken from the training set and applied to
/// whatever the network is to see.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling<T> {
    mean: Vec<T>,
    deviation: Vec<T>,
}

impl<T: Float> Scaling<T> {
    /// The scaling that standardises this set. An input that never changes is only centred.
    ///
    /// # Errors
    /// [`DataError::Unsuitable`] for sparse rows, whose zeros would not stay zero, and if a mean
    /// or deviation is not finite.
    ///
    /// ```
    /// use gradflow_std::data::{DataSet, Scaling};
    /// let mut set = DataSet::from_values(1, vec![1.0, 3.0], vec![0.0, 1.0])?;
    /// Scaling::of(&set)?.apply(&mut set)?;
    /// let mut row = Vec::new();
    /// set.copy_row(1, &mut row);
    /// assert_eq!(row, [1.0]);
    /// # Ok::<(), gradflow_std::data::DataError>(())
    /// ```
    pub fn of(set: &DataSet<T>) -> Result<Self, DataError> {
        let Rows::Dense(x) = &set.rows else {
            return Err(sparse());
        };
        let (mut mean, mut deviation) = (Vec::new(), Vec::new());
        for (input, name) in set.input_names().iter().enumerate() {
            let column = || x.iter().skip(input).step_by(set.inputs()).map(|x| x.to_f64());
            let n = set.len() as f64;
            let centre = column().fold(0.0, |sum, x| sum + x / n);
            let variance = column().fold(0.0, |sum, x| sum + (x - centre) * (x - centre) / n);
            let (centre, spread) = (T::from_f64(centre), T::from_f64(variance.sqrt()));
            if !(centre.is_finite() && spread.is_finite()) {
                return Err(DataError::Unsuitable(format!(
                    "column `{name}` cannot be standardised: its numbers are too large"
                )));
            }
            mean.push(centre);
            deviation.push(if spread > T::ZERO { spread } else { T::ONE });
        }
        Ok(Self { mean, deviation })
    }

    /// Scales the inputs of a set with as many inputs.
    ///
    /// # Errors
    /// [`DataError::Unsuitable`] for sparse rows or another number of inputs.
    pub fn apply(&self, set: &mut DataSet<T>) -> Result<(), DataError> {
        if set.inputs() != self.mean.len() {
            return Err(DataError::Unsuitable(format!(
                "a scaling of {} inputs does not fit samples of {}",
                self.mean.len(),
                set.inputs()
            )));
        }
        let Rows::Dense(x) = &mut set.rows else {
            return Err(sparse());
        };
        for row in x.chunks_mut(self.mean.len()) {
            for ((x, &mean), &deviation) in row.iter_mut().zip(&self.mean).zip(&self.deviation) {
                // In f64, where the difference of two large f32 does not overflow.
                *x = T::from_f64((x.to_f64() - mean.to_f64()) / deviation.to_f64());
            }
        }
        Ok(())
    }

    /// Mean of each input.
    #[must_use]
    pub fn mean(&self) -> &[T] {
        &self.mean
    }

    /// Standard deviation of each input; 1 for an input that never changes.
    #[must_use]
    pub fn deviation(&self) -> &[T] {
        &self.deviation
    }
}

fn sparse() -> DataError {
    DataError::Unsuitable("sparse inputs are not standardised: their zeros stay zero".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaled_set_has_mean_0_and_deviation_1() {
        let x: Vec<f64> = (0..30_u32).map(|i| f64::from(i * i % 17) * 10.0 + 500.0).collect();
        let mut set = DataSet::from_values(3, x, vec![0.0; 10]).unwrap();
        Scaling::of(&set).unwrap().apply(&mut set).unwrap();
        let after = Scaling::of(&set).unwrap();
        for (mean, deviation) in after.mean().iter().zip(after.deviation()) {
            assert!(mean.abs() < 1e-13 && (deviation - 1.0).abs() < 1e-13);
        }
    }

    #[test]
    fn a_constant_column_becomes_zero() {
        let mut set = DataSet::from_values(1, vec![7.0_f32; 4], vec![0.0; 4]).unwrap();
        Scaling::of(&set).unwrap().apply(&mut set).unwrap();
        assert_eq!(set.rows, Rows::Dense(vec![0.0; 4]));
    }

    #[test]
    fn what_cannot_be_scaled_is_refused() {
        let huge = DataSet::from_values(1, vec![f64::MAX, -f64::MAX], vec![0.0; 2]).unwrap();
        assert!(Scaling::of(&huge).unwrap_err().to_string().contains("`x`"));
        let mut wide = DataSet::from_values(2, vec![0.0; 4], vec![0.0; 2]).unwrap();
        let narrow = DataSet::from_values(1, vec![0.0; 2], vec![0.0; 2]).unwrap();
        assert!(Scaling::of(&narrow).unwrap().apply(&mut wide).is_err());
    }
}
