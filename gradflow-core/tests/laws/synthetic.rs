//! Objectives that are what a test says: prescribed numbers, a linear model.

use gradflow_core::linalg::{Packed, axpy, dot};
use gradflow_core::{Error, Float, Objective, Residuals};
use proptest::prelude::*;

use crate::support::log_uniform;

/// A loss and a gradient at one point, another loss everywhere else; as a residual, the scalar
/// `q = √(2L)` with `J = gᵀ/q`.
#[derive(Clone, Debug)]
pub(crate) struct Prescribed<T> {
    pub(crate) origin: Vec<T>,
    pub(crate) loss: T,
    pub(crate) next_loss: T,
    pub(crate) gradient: Vec<T>,
}

impl<T: Float> Prescribed<T> {
    fn q(&self) -> T {
        (T::TWO * self.loss).sqrt()
    }
}

impl<T: Float> Objective<T> for Prescribed<T> {
    fn parameters(&self) -> usize {
        self.gradient.len()
    }

    fn loss(&mut self, w: &[T]) -> Result<T, Error> {
        Ok(if w == self.origin { self.loss } else { self.next_loss })
    }

    fn gradient(&mut self, w: &[T], gradient: &mut [T]) -> Result<T, Error> {
        gradient.copy_from_slice(&self.gradient);
        self.loss(w)
    }
}

impl<T: Float> Residuals<T> for Prescribed<T> {
    fn outputs(&self) -> usize {
        1
    }

    fn residual_len(&self) -> usize {
        1
    }

    fn linearise(&mut self, w: &[T], q: &mut [T]) -> Result<T, Error> {
        let loss = self.loss(w)?;
        q.fill((T::TWO * loss).sqrt());
        Ok(loss)
    }

    fn gram(&mut self, _w: &[T], gram: &mut [T]) -> Result<(), Error> {
        gram.fill(dot(&self.gradient, &self.gradient) / (self.q() * self.q()));
        Ok(())
    }

    fn push_forward(&mut self, _w: &[T], v: &[T], image: &mut [T]) -> Result<(), Error> {
        image.fill(dot(&self.gradient, v) / self.q());
        Ok(())
    }

    fn pull_back(&mut self, _w: &[T], u: &[T], out: &mut [T]) -> Result<(), Error> {
        out.fill(T::ZERO);
        axpy(u[0] / self.q(), &self.gradient, out);
        Ok(())
    }

    fn energy_is_loss(&self) -> bool {
        true
    }

    fn cancellation(&mut self, _w: &[T]) -> Result<Option<[T; 2]>, Error> {
        Ok(None)
    }

    fn unit(&self) -> T {
        T::ONE
    }

    fn sample(&self, i: usize) -> usize {
        i
    }
}

/// A gradient of some length: ordinary, or one that schemes stumble over.
pub(crate) fn any_gradient() -> BoxedStrategy<Vec<f64>> {
    let entry = || prop_oneof![4 => -3.0..3.0, 1 => Just(0.0)];
    let scale = prop_oneof![
        6 => log_uniform(-3.0..3.0),
        1 => Just(0.0),
        1 => log_uniform(-40.0..-20.0),
        1 => log_uniform(6.0..18.0),
        1 => Just(1e30),
    ];
    let huge = prop_oneof![4 => Just(1.0), 1 => Just(1e12), 1 => Just(1e30)];
    (proptest::collection::vec(entry(), 1..40), scale, huge)
        .prop_map(|(mut gradient, scale, huge)| {
            gradient[0] *= huge;
            gradient.iter().map(|g| g * scale).collect()
        })
        .boxed()
}

/// `q(w) = X w − y` with the loss `½‖q‖²`.
pub(crate) struct Linear<T> {
    /// Rows of X.
    pub(crate) rows: Vec<Vec<T>>,
    pub(crate) y: Vec<T>,
}

impl<T: Float> Objective<T> for Linear<T> {
    fn parameters(&self) -> usize {
        self.rows[0].len()
    }

    fn loss(&mut self, w: &[T]) -> Result<T, Error> {
        let mut q = vec![T::ZERO; self.y.len()];
        self.linearise(w, &mut q)
    }

    fn gradient(&mut self, w: &[T], gradient: &mut [T]) -> Result<T, Error> {
        let mut q = vec![T::ZERO; self.y.len()];
        let loss = self.linearise(w, &mut q)?;
        self.pull_back(w, &q, gradient)?;
        Ok(loss)
    }
}

impl<T: Float> Residuals<T> for Linear<T> {
    fn outputs(&self) -> usize {
        1
    }

    fn residual_len(&self) -> usize {
        self.y.len()
    }

    fn linearise(&mut self, w: &[T], q: &mut [T]) -> Result<T, Error> {
        for (q, (row, &y)) in q.iter_mut().zip(self.rows.iter().zip(&self.y)) {
            *q = dot(row, w) - y;
        }
        Ok(T::HALF * dot(q, q))
    }

    fn gram(&mut self, _w: &[T], gram: &mut [T]) -> Result<(), Error> {
        let mut gram = Packed::new(self.y.len(), gram)?;
        for (out, row) in gram.rows_mut().zip(&self.rows) {
            for (out, other) in out.iter_mut().zip(&self.rows) {
                *out = dot(row, other);
            }
        }
        Ok(())
    }

    fn push_forward(&mut self, _w: &[T], v: &[T], image: &mut [T]) -> Result<(), Error> {
        for (image, row) in image.iter_mut().zip(&self.rows) {
            *image = dot(row, v);
        }
        Ok(())
    }

    fn pull_back(&mut self, _w: &[T], u: &[T], out: &mut [T]) -> Result<(), Error> {
        out.fill(T::ZERO);
        for (&u, row) in u.iter().zip(&self.rows) {
            axpy(u, row, out);
        }
        Ok(())
    }

    fn energy_is_loss(&self) -> bool {
        true
    }

    fn cancellation(&mut self, _w: &[T]) -> Result<Option<[T; 2]>, Error> {
        Ok(None)
    }

    fn unit(&self) -> T {
        T::ONE
    }

    fn sample(&self, i: usize) -> usize {
        i
    }
}
