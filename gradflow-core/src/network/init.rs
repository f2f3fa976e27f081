//! Initial weights.

use super::TwoLayer;
use crate::error::Error;
use crate::float::{Exact, Float, Math};
use crate::random::{Pcg32, Stream};

/// How weights are drawn, and how the network is scaled to match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Init {
    /// Kaiming-normal (He et al. 2015): standard deviation `√(2/fan-in)` with fan-in `d + 1` for
    /// `hidden`, biases included, and `m` for `output`; output scale 1, output biases 0.
    Kaiming,
    /// Neural-tangent scaling: `w, a ~ N(0, 1)`, `b ~ U(−3, 3) · ‖w‖`, output scale `1/√m`, output
    /// biases 0. The kinks of the relus spread evenly over `[−3, 3]`.
    Ntk,
}

impl Init {
    /// The network with this initialisation's output scale.
    #[must_use]
    pub fn scale<T: Float>(self, network: TwoLayer<T>) -> TwoLayer<T> {
        match self {
            Self::Kaiming => network.with_scale(T::ONE),
            Self::Ntk => network.with_scale(T::ONE / T::from_usize(network.hidden).sqrt()),
        }
    }

    /// Draws the weights that belong to `seed`: `hidden`, then its biases (NTK), then `output`.
    ///
    /// # Errors
    /// [`Error::Length`] unless `w` has one entry a parameter.
    ///
    /// ```
    /// use gradflow_core::network::{Init, TwoLayer};
    /// let network = Init::Ntk.scale(TwoLayer::<f32>::new(1, 100, 1)?.with_output_bias(true));
    /// let mut w = [0.0; 301];
    /// Init::Ntk.draw(&network, 0, &mut w)?;
    /// assert_eq!(w[300], 0.0);
    /// # Ok::<(), gradflow_core::Error>(())
    /// ```
    pub fn draw<T: Float>(
        self,
        network: &TwoLayer<T>,
        seed: u64,
        w: &mut [T],
    ) -> Result<(), Error> {
        self.draw_by::<T, Exact>(network, seed, w)
    }

    /// [`draw`](Self::draw) with a chosen source of ln and √.
    ///
    /// # Errors
    /// As [`draw`](Self::draw).
    pub fn draw_by<T: Float, M: Math<T>>(
        self,
        network: &TwoLayer<T>,
        seed: u64,
        w: &mut [T],
    ) -> Result<(), Error> {
        let mut rng = Pcg32::new(seed, Stream::Weights);
        let layers = network.layers_mut(w)?;
        layers.output_bias.fill(T::ZERO);
        match self {
            Self::Kaiming => {
                let deviation = |fan_in| (T::TWO / T::from_usize(fan_in)).sqrt();
                rng.normal_by::<T, M>(deviation(network.inputs + 1), layers.hidden);
                rng.normal_by::<T, M>(deviation(network.hidden), layers.output);
            }
            Self::Ntk => {
                let weights = network.inputs * network.hidden;
                let (weights, biases) =
                    layers.hidden.split_at_mut_checked(weights).unwrap_or_default();
                rng.normal_by::<T, M>(T::ONE, weights);
                let three = T::from_f64(3.0);
                for (unit, bias) in biases.iter_mut().enumerate() {
                    let column = weights.iter().skip(unit).step_by(network.hidden.max(1));
                    let norm_sq = column.fold(T::ZERO, |sum, &w| sum + w * w);
                    *bias = rng.uniform(-three, three) * norm_sq.sqrt();
                }
                rng.normal_by::<T, M>(T::ONE, layers.output);
            }
        }
        Ok(())
    }
}
