//! One input, one output and the mean squared error: what remains of [`Problem`](super::Problem)
//! when the kernels for wider networks are left out, which is what fits a microcontroller.

use super::closed_form::{self, GramForm};
use super::line::Line;
use super::{Batch, Layers, Loss, Residual, Scratch, TwoLayer, Vectors};
use crate::error::{Buffer, Error, Setting};
use crate::float::Float;
use crate::linalg::dot;
use crate::objective::{Objective, Residuals};

/// A network of one input and one output on a batch, under the mean squared error.
///
/// Its bits are those of [`Problem`](super::Problem), unless [`GramForm::Closed`] is chosen.
#[derive(Debug)]
pub struct LineProblem<'a, T> {
    pub(super) network: TwoLayer<T>,
    pub(super) batch: Batch<'a, T>,
    pub(super) residual: Residual,
    pub(super) scratch: Scratch<'a, T>,
    pub(super) gram_form: GramForm,
    pub(super) vectors: Vectors,
}

impl<T: Float> TwoLayer<T> {
    /// This network on a batch, if it has one input and one output, with the scratch of
    /// [`scratch_len`](Self::scratch_len).
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a wider network, else as [`on`](Self::on).
    pub fn on_line<'a>(
        &self,
        batch: Batch<'a, T>,
        scratch: Scratch<'a, T>,
    ) -> Result<LineProblem<'a, T>, Error> {
        if !self.is_line() {
            let value = self.inputs.max(self.outputs) as f64;
            return Err(Error::OutOfRange { what: Setting::Width, value });
        }
        batch.check(1, 1)?;
        Loss::Mse.check(&batch.samples.targets, 1)?;
        Ok(LineProblem::new(*self, batch, scratch))
    }
}

impl<'a, T: Float> LineProblem<'a, T> {
    #[inline(always)]
    pub(super) fn new(network: TwoLayer<T>, batch: Batch<'a, T>, scratch: Scratch<'a, T>) -> Self {
        let (residual, gram_form) = (Residual::Scaled, GramForm::General);
        Self { network, batch, residual, scratch, gram_form, vectors: Vectors::default() }
    }

    /// The same problem with another way to the Gram matrix.
    #[must_use]
    pub const fn with_gram_form(mut self, form: GramForm) -> Self {
        self.gram_form = form;
        self
    }

    /// `f(x)` of each sample of the batch into `out`.
    ///
    /// # Errors
    /// [`Error::Length`] unless `out` has one entry a sample.
    #[inline(always)]
    pub fn predict(&mut self, w: &[T], out: &mut [T]) -> Result<(), Error> {
        Error::check_length(Buffer::Predictions, self.batch.len(), out.len())?;
        let (network, batch) = (self.network, self.batch);
        let layers = network.layers(w)?;
        let mut line = self.line()?;
        line.gather(&batch);
        line.respond(&network, &layers);
        for (out, &f) in out.iter_mut().zip(line.values.iter()) {
            *out = f;
        }
        Ok(())
    }

    fn line(&mut self) -> Result<Line<'_, T>, Error> {
        Line::new(self.batch.len(), self.vectors, &mut self.scratch)
    }

    /// `L(w)`; leaves inputs and residuals `f − y` in the scratch.
    #[cfg_attr(any(target_os = "none", target_arch = "wasm32"), inline(never))]
    #[cfg_attr(not(any(target_os = "none", target_arch = "wasm32")), inline(always))]
    fn line_loss(&mut self, layers: &Layers<'_, T>) -> Result<T, Error> {
        let (network, batch) = (self.network, self.batch);
        let mut line = self.line()?;
        line.gather(&batch);
        line.respond(&network, layers);
        let y = batch.samples.targets.values();
        batch.gather(y, line.values, |value, y| *value -= y);
        line.values.iter_mut().skip(batch.len()).for_each(|padding| *padding = T::ZERO);
        Ok(dot(line.values, line.values) / T::from_usize(batch.len()))
    }

    /// Puts `factor · u` where the line's backward pass reads it.
    fn deltas(&mut self, factor: T, u: &[T]) -> Result<Line<'_, T>, Error> {
        let line = self.line()?;
        line.values.fill(T::ZERO);
        for (delta, &u) in line.values.iter_mut().zip(u) {
            *delta = factor * u;
        }
        Ok(line)
    }

    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn slopes(&mut self, w: &[T]) -> Result<(T, Line<'_, T>), Error> {
        let network = self.network;
        let loss = self.line_loss(&network.layers(w)?)?;
        let factor = network.scale() * (T::TWO / T::from_usize(self.batch.len()));
        let line = self.line()?;
        for delta in line.values.iter_mut() {
            *delta *= factor;
        }
        Ok((loss, line))
    }
}

impl<T: Float> Objective<T> for LineProblem<'_, T> {
    fn parameters(&self) -> usize {
        self.network.parameters()
    }

    #[inline(always)]
    fn loss(&mut self, w: &[T]) -> Result<T, Error> {
        let layers = self.network.layers(w)?;
        self.line_loss(&layers)
    }

    #[inline(always)]
    fn gradient(&mut self, w: &[T], gradient: &mut [T]) -> Result<T, Error> {
        let network = self.network;
        let out = network.layers_mut(gradient)?;
        let (loss, mut line) = self.slopes(w)?;
        line.pull_back(&network, &network.layers(w)?, out);
        Ok(loss)
    }
}

impl<T: Float> Residuals<T> for LineProblem<'_, T> {
    fn outputs(&self) -> usize {
        1
    }

    fn residual_len(&self) -> usize {
        self.batch.len()
    }

    #[inline(always)]
    fn linearise(&mut self, w: &[T], q: &mut [T]) -> Result<T, Error> {
        Error::check_length(Buffer::Residual, self.residual_len(), q.len())?;
        let layers = self.network.layers(w)?;
        let unit = self.unit();
        let loss = self.line_loss(&layers)?;
        for (q, &e) in q.iter_mut().zip(self.line()?.values.iter()) {
            *q = unit * e;
        }
        Ok(loss)
    }

    #[inline(always)]
    fn gram(&mut self, w: &[T], gram: &mut [T]) -> Result<(), Error> {
        let (network, unit, n) = (self.network, self.unit(), self.batch.len());
        let (layers, form) = (network.layers(w)?, self.gram_form);
        let mut line = self.line()?;
        match form {
            GramForm::General => line.gram(&network, &layers, n, unit * unit, gram),
            GramForm::Closed => {
                let x = line.x.get(..n).unwrap_or_default();
                closed_form::gram(&network, &layers, x, unit * unit, gram)
            }
        }
    }

    #[inline(always)]
    fn push_forward(&mut self, w: &[T], v: &[T], image: &mut [T]) -> Result<(), Error> {
        Error::check_length(Buffer::Residual, self.residual_len(), image.len())?;
        let (network, unit) = (self.network, self.unit());
        let (layers, v) = (network.layers(w)?, network.layers(v)?);
        self.line()?.push_forward(&network, &layers, &v, image);
        for image in image {
            *image *= unit;
        }
        Ok(())
    }

    #[inline(always)]
    fn pull_back(&mut self, w: &[T], u: &[T], out: &mut [T]) -> Result<(), Error> {
        Error::check_length(Buffer::Residual, self.residual_len(), u.len())?;
        let (network, unit) = (self.network, self.unit());
        let layers = network.layers(w)?;
        let out = network.layers_mut(out)?;
        let mut line = self.deltas(network.scale() * unit, u)?;
        line.pull_back(&network, &layers, out);
        Ok(())
    }

    fn energy_is_loss(&self) -> bool {
        self.residual.energy_is_loss()
    }

    fn cancellation(&mut self, _w: &[T]) -> Result<Option<[T; 2]>, Error> {
        Ok(None)
    }

    fn unit(&self) -> T {
        self.residual.unit(self.batch.len(), 1)
    }

    fn sample(&self, i: usize) -> usize {
        self.batch.sample(i)
    }

    #[inline(always)]
    fn gradient_norm_sq(&mut self, w: &[T], _buffer: &mut [T]) -> Result<T, Error> {
        let network = self.network;
        let (_, line) = self.slopes(w)?;
        Ok(line.pull_back_norm_sq(&network, &network.layers(w)?))
    }

    #[inline(always)]
    fn descend(&mut self, w: &mut [T], u: &[T], length: T, _buffer: &mut [T]) -> Result<T, Error> {
        Error::check_length(Buffer::Residual, self.residual_len(), u.len())?;
        let (network, unit) = (self.network, self.unit());
        let line = self.deltas(network.scale() * unit, u)?;
        line.descend(&network, w, length)
    }
}
