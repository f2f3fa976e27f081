//! Symmetric positive definite systems in packed storage, factorised in place.

use super::blocked::{
    Products, Rows, add, multiply, packed_rows, packed_rows_mut, repeated, split_group, starts,
    transpose,
};
use super::{LANES, Lanes, copy, dot};
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
        packed_rows(self.entries, 0)
    }

    /// The rows of the lower triangle, to write.
    pub fn rows_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
        packed_rows_mut(self.entries, 0)
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
            return factorise_rows(self.entries);
        }
        let mut products = [[Lanes::ZERO; LANES]; LANES];
        for first in (0..self.order).step_by(LANES) {
            let singular = Error::Singular { row: first };
            let above_len = Self::len_of(first);
            let (above, rest) = self.entries.split_at_mut_checked(above_len).ok_or(singular)?;
            let (group, _) = split_group(rest, first);
            eliminate_above(above, group, first, &mut products).ok_or(singular)?;
            factorise_group(group, first, &mut products)?;
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

/// Columns `0 .. first` of the factor in the rows `first ..` of a group of eight, given the rows
/// above; `first` is a multiple of eight. Bit for bit what one row after the other gives.
#[cfg_attr(not(debug_assertions), inline(always))]
fn eliminate_above<T: Float>(
    above: &[T],
    group: &mut [T],
    first: usize,
    products: &mut Products<T>,
) -> Option<()> {
    let mut rest = above;
    for j in (0..first).step_by(LANES) {
        let upper = repeated(packed_rows(rest, j));
        (_, rest) =
            rest.split_at_checked(Packed::<T>::len_of(j + LANES) - Packed::<T>::len_of(j))?;
        let rows = repeated(packed_rows(group, first));
        multiply(&starts(&upper, j), &starts(&rows, j), products);
        let mut columns = [[T::ZERO; LANES]; LANES];
        for (column, row) in columns.iter_mut().zip(rows) {
            *column = *row.get(j..)?.first_chunk()?;
        }
        columns = transpose(columns);
        eliminate_eight(&mut columns, &upper, products, j)?;
        for (row, found) in packed_rows_mut(group, first).zip(transpose(columns)) {
            *row.get_mut(j..)?.first_chunk_mut()? = found;
        }
    }
    Some(())
}

/// Eight columns of the factor in eight rows at once, column after column, from their products
/// with the rows that belong to these columns.
#[cfg_attr(not(debug_assertions), inline(always))]
fn eliminate_eight<T: Float>(
    columns: &mut [[T; LANES]; LANES],
    upper: &Rows<'_, T>,
    products: &Products<T>,
    j: usize,
) -> Option<()> {
    let mut known = [[T::ZERO; LANES]; LANES];
    for (c, (upper, sums)) in upper.iter().zip(products).enumerate() {
        let (inverse, upper) = upper.get(j..)?.split_last()?;
        // Zeros for what is not known yet add nothing, and save a loop of varying length.
        let mut factors = [T::ZERO; LANES];
        copy(upper, &mut factors);
        let mut lanes = [[T::ZERO; LANES]; LANES];
        for (lanes, sum) in lanes.iter_mut().zip(sums) {
            *lanes = sum.0;
        }
        lanes = transpose(lanes);
        for (lane, (known, factor)) in lanes.iter_mut().zip(known.iter().zip(factors)) {
            for (lane, &known) in lane.iter_mut().zip(known) {
                *lane += known * factor;
            }
        }
        let column = columns.get_mut(c)?;
        for (entry, total) in column.iter_mut().zip(total_across(lanes)) {
            *entry = (*entry - total) * *inverse;
        }
        *known.get_mut(c)? = *column;
    }
    Some(())
}

/// The totals of eight sums whose lanes lie across: [`Lanes::total`] eight times.
#[inline(always)]
fn total_across<T: Float>(lanes: [[T; LANES]; LANES]) -> [T; LANES] {
    let [a, b, c, d, e, f, g, h] = lanes;
    add(add(add(a, e), add(c, g)), add(add(b, f), add(d, h)))
}

/// The columns from `first` on of a group of eight rows.
#[cfg_attr(not(debug_assertions), inline(always))]
fn factorise_group<T: Float>(
    group: &mut [T],
    first: usize,
    products: &mut Products<T>,
) -> Result<(), Error> {
    let rows = repeated(packed_rows(group, first));
    let known = starts(&rows, first);
    multiply(&known, &known, products);
    let mut done_len = 0;
    for (i, sums) in (first..).zip(products.iter()) {
        let Some((done, rest)) = group.split_at_mut_checked(done_len) else { break };
        let Some(row) = rest.get_mut(..=i) else { break };
        let upper = packed_rows(done, first).map(|row| row.get(first..).unwrap_or_default());
        let Some(row_end) = row.get_mut(first..) else { break };
        finish_row(row_end, upper, sums.iter().copied(), i)?;
        done_len += i + 1;
    }
    Ok(())
}

/// Entries of a row of the factor, its pivot last, given the rows above and what each column's sum
/// already holds.
#[cfg_attr(not(debug_assertions), inline(always))]
fn finish_row<'u, T: Float>(
    row: &mut [T],
    upper: impl Iterator<Item = &'u [T]>,
    mut sums: impl Iterator<Item = Lanes<T>>,
    i: usize,
) -> Result<(), Error> {
    let singular = Error::Singular { row: i };
    for (c, (upper, mut sum)) in upper.zip(sums.by_ref()).enumerate() {
        let (inverse, upper) = upper.split_last().ok_or(singular)?;
        let (found, target) = row.split_at_mut_checked(c).ok_or(singular)?;
        let target = target.first_mut().ok_or(singular)?;
        sum.add_some(found.iter().zip(upper).map(|(&a, &b)| a * b));
        *target = (*target - sum.total()) * *inverse;
    }
    let (last, found) = row.split_last_mut().ok_or(singular)?;
    let mut sum = sums.next().ok_or(singular)?;
    sum.add_some(found.iter().map(|&a| a * a));
    *last = inverse_root(*last - sum.total()).ok_or(singular)?;
    Ok(())
}

/// `1/√pivot`, if that exists.
#[inline(always)]
fn inverse_root<T: Float>(pivot: T) -> Option<T> {
    (pivot > T::ZERO && pivot.is_finite()).then(|| T::ONE / pivot.sqrt())
}

/// Row after row, one dot product at a time.
#[cfg_attr(not(debug_assertions), inline(always))]
fn factorise_rows<T: Float>(entries: &mut [T]) -> Result<(), Error> {
    let (mut done_len, mut i) = (0, 0);
    while let Some((done, current)) = entries.split_at_mut_checked(done_len) {
        let Some(row) = current.get_mut(..=i) else { break };
        let singular = Error::Singular { row: i };
        let pivot = eliminate(done, row).ok_or(singular)?;
        let last = row.last_mut().ok_or(singular)?;
        *last = inverse_root(pivot).ok_or(singular)?;
        done_len += i + 1;
        i += 1;
    }
    Ok(())
}

/// Turns a row of the matrix into one of the factor, given the rows above; returns the pivot.
#[cfg_attr(not(debug_assertions), inline(always))]
fn eliminate<T: Float>(mut above: &[T], row: &mut [T]) -> Option<T> {
    for j in 0..row.len().checked_sub(1)? {
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
