//! Symmetric positive definite systems in packed storage, factorised in place.

use super::blocked::{eliminate_panel, panel_rows};
use super::dot;
use crate::error::{Buffer, Error};
use crate::float::Float;

/// The lower triangle of a symmetric matrix, row after row: row `i` has `i + 1` entries.
///
/// ```
/// use gradflow_core::linalg::Packed;
/// // [4 2; 2 5] x = [8; 8]
/// let mut entries = [4.0, 2.0, 5.0];
/// let mut x = [8.0, 8.0];
/// let mut system = Packed::new(2, &mut entries)?;
/// system.factorise()?;
/// system.solve(&mut x)?;
/// assert_eq!(x, [1.5, 1.0]);
/// # Ok::<(), gradflow_core::Error>(())
/// ```
pub struct Packed<'a, T> {
    order: usize,
    entries: &'a mut [T],
}

impl<'a, T: Float> Packed<'a, T> {
    /// Number of entries of a packed matrix of this order.
    #[must_use]
    pub const fn len_of(order: usize) -> usize {
        order * (order + 1) / 2
    }

    /// A packed matrix over the caller's entries.
    ///
    /// # Errors
    /// [`Error::Length`] if there are fewer than `order (order + 1) / 2` entries.
    pub fn new(order: usize, entries: &'a mut [T]) -> Result<Self, Error> {
        let needed = Self::len_of(order);
        let got = entries.len();
        let short = Error::Length { what: Buffer::Gram, needed, got };
        let entries = entries.split_at_mut_checked(needed).ok_or(short)?.0;
        Ok(Self { order, entries })
    }

    /// The rows of the lower triangle, first to last.
    pub fn rows(&self) -> impl Iterator<Item = &[T]> {
        let mut rest: &[T] = &*self.entries;
        (0..self.order).map_while(move |i| {
            let (row, after) = rest.split_at_checked(i + 1)?;
            rest = after;
            Some(row)
        })
    }

    /// The rows of the lower triangle, to write.
    pub fn rows_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
        let mut rest: &mut [T] = &mut *self.entries;
        (0..self.order).map_while(move |i| {
            let (row, after) = core::mem::take(&mut rest).split_at_mut_checked(i + 1)?;
            rest = after;
            Some(row)
        })
    }

    /// Replaces the matrix by its Cholesky factor `L`, with `1/Lᵢᵢ` on the diagonal.
    ///
    /// # Errors
    /// [`Error::Singular`] with the row whose pivot is not positive and finite; the entries are
    /// then partly overwritten.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub fn factorise(&mut self) -> Result<(), Error> {
        // Without vector registers one dot product at a time is as fast, and smaller.
        if cfg!(target_os = "none") {
            return factorise_panel(self.entries, 0);
        }
        let mut first = 0;
        while first < self.order {
            let singular = Error::Singular { row: first };
            let rows = panel_rows(self.order, first);
            let (above, rest) =
                self.entries.split_at_mut_checked(Self::len_of(first)).ok_or(singular)?;
            let panel_len = Self::len_of(first + rows) - Self::len_of(first);
            let panel = rest.get_mut(..panel_len).ok_or(singular)?;
            eliminate_panel(above, panel, first).ok_or(singular)?;
            factorise_panel(panel, first)?;
            first += rows;
        }
        Ok(())
    }

    /// Solves the factorised system in place: `x ← (L Lᵀ)⁻¹ x`.
    ///
    /// # Errors
    /// [`Error::Length`] if `x` is not as long as the matrix's order.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub fn solve(&self, x: &mut [T]) -> Result<(), Error> {
        Error::check_length(Buffer::Residual, self.order, x.len())?;
        let mut rest: &[T] = &*self.entries;
        for i in 0..self.order {
            let Some((row, after)) = rest.split_at_checked(i + 1) else {
                break;
            };
            rest = after;
            let (Some((inverse, row)), Some((known, [target, ..]))) =
                (row.split_last(), x.split_at_mut_checked(i))
            else {
                break;
            };
            *target = (*target - dot(row, known)) * *inverse;
        }
        let mut rest: &[T] = &*self.entries;
        for i in (0..self.order).rev() {
            let Some((before, row)) = rest.split_at_checked(rest.len() - (i + 1)) else {
                break;
            };
            rest = before;
            let (Some((inverse, row)), Some((above, [value, ..]))) =
                (row.split_last(), x.split_at_mut_checked(i))
            else {
                break;
            };
            *value *= *inverse;
            super::axpy(-*value, row, above);
        }
        Ok(())
    }
}

/// Factorises the rows `first ..` of a panel, whose columns left of `first` are done.
#[cfg_attr(not(debug_assertions), inline(always))]
fn factorise_panel<T: Float>(panel: &mut [T], first: usize) -> Result<(), Error> {
    let (mut done_len, mut i) = (0, first);
    while let Some((done, current)) = panel.split_at_mut_checked(done_len) {
        let Some(row) = current.get_mut(..=i) else { break };
        let singular = Error::Singular { row: i };
        let pivot = eliminate(done, row, first).ok_or(singular)?;
        if !(pivot > T::ZERO && pivot.is_finite()) {
            return Err(singular);
        }
        if let Some(last) = row.last_mut() {
            *last = T::ONE / pivot.sqrt();
        }
        done_len += i + 1;
        i += 1;
    }
    Ok(())
}

/// Turns the entries from `first` on of a row of the matrix into those of the factor, given the
/// rows above that begin with row `first`; returns the pivot.
#[cfg_attr(not(debug_assertions), inline(always))]
fn eliminate<T: Float>(mut above: &[T], row: &mut [T], first: usize) -> Option<T> {
    for j in first..row.len().checked_sub(1)? {
        let (upper, after) = above.split_at_checked(j + 1)?;
        above = after;
        let (inverse, upper) = upper.split_last()?;
        let (known, target) = row.split_at_mut_checked(j)?;
        let target = target.first_mut()?;
        *target = (*target - dot(known, upper)) * *inverse;
    }
    let (last, known) = row.split_last()?;
    Some(*last - dot(known, known))
}
