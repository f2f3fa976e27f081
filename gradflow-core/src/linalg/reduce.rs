//! Sums with a fixed number of lanes and a fixed order of combination.
//!
//! Entry `i` goes to lane `i mod 8`; the lanes are combined as
//! `((0+4)+(2+6)) + ((1+5)+(3+7))`, which is what halving a vector of eight does.

use crate::float::Float;

/// Number of lanes of every reduction.
pub const LANES: usize = 8;

/// Eight partial sums.
#[derive(Clone, Copy)]
pub(crate) struct Lanes<T>(pub(crate) [T; LANES]);

impl<T: Float> Lanes<T> {
    pub(crate) const ZERO: Self = Self([T::ZERO; LANES]);

    #[inline(always)]
    pub(crate) fn add(&mut self, terms: [T; LANES]) {
        for (lane, term) in self.0.iter_mut().zip(terms) {
            *lane += term;
        }
    }

    /// Adds `a b`, lane by lane.
    #[inline(always)]
    pub(crate) fn add_product(&mut self, a: &[T; LANES], b: &[T; LANES]) {
        for ((lane, &a), &b) in self.0.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }

    /// Adds the first terms only: the ragged end of a row.
    #[inline(always)]
    pub(crate) fn add_some(&mut self, terms: impl Iterator<Item = T>) {
        for (lane, term) in self.0.iter_mut().zip(terms) {
            *lane += term;
        }
    }

    #[inline(always)]
    pub(crate) fn total(self) -> T {
        let [a, b, c, d, e, f, g, h] = self.0;
        ((a + e) + (c + g)) + ((b + f) + (d + h))
    }
}

/// `⟨a, b⟩` over the shorter of the two.
///
/// ```
/// use gradflow_core::linalg::dot;
/// assert_eq!(dot(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]), 32.0);
/// ```
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline(always))]
pub fn dot<T: Float>(a: &[T], b: &[T]) -> T {
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    let mut lanes = Lanes::ZERO;
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        lanes.add_product(a, b);
    }
    lanes.add_some(a_rest.iter().zip(b_rest).map(|(&a, &b)| a * b));
    lanes.total()
}

/// `‖x‖²`
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline(always))]
pub fn norm_sq<T: Float>(x: &[T]) -> T {
    sum_of(x, |x| x * x)
}

/// `‖x‖₁`
#[inline(always)]
pub(crate) fn norm_1<T: Float>(x: &[T]) -> T {
    sum_of(x, T::abs)
}

/// `Σ f(xᵢ)`. Four blocks of lanes take turns, so that additions do not wait for one another;
/// they are combined as `(0+2)+(1+3)` before the lanes are. Named one by one, since an array of
/// them is kept in memory.
#[inline(always)]
pub fn sum_of<T: Float>(x: &[T], f: impl Fn(T) -> T) -> T {
    if cfg!(target_os = "none") {
        return sum_in_memory(x, f);
    }
    let (quads, rest) = x.as_chunks::<QUAD>();
    let (mut a, mut b) = (Lanes::ZERO, Lanes::ZERO);
    let (mut c, mut d) = (Lanes::ZERO, Lanes::ZERO);
    for quad in quads {
        if let [x0, x1, x2, x3] = quad.as_chunks::<LANES>().0 {
            a.add(x0.map(&f));
            b.add(x1.map(&f));
            c.add(x2.map(&f));
            d.add(x3.map(&f));
        }
    }
    for (sum, block) in [&mut a, &mut b, &mut c, &mut d].into_iter().zip(rest.chunks(LANES)) {
        sum.add_some(block.iter().map(|&x| f(x)));
    }
    total_of(&[a, b, c, d])
}

/// Entries of four blocks of lanes.
pub(super) const QUAD: usize = 4 * LANES;

/// The sum of all lanes of four blocks. Not inlined: sums that have to be stored for a call are kept in
/// registers as wide as they are; from the additions below, the compiler would choose registers of two
/// lanes.
#[inline(never)]
pub(super) fn total_of<T: Float>(&[mut a, mut b, c, d]: &[Lanes<T>; 4]) -> T {
    a.add(c.0);
    b.add(d.0);
    a.add(b.0);
    a.total()
}

/// The same sum as [`sum_of`]'s, entry by entry: small code where no registers hold so many lanes.
#[inline(always)]
fn sum_in_memory<T: Float>(x: &[T], f: impl Fn(T) -> T) -> T {
    let (blocks, rest) = x.as_chunks::<LANES>();
    let blocks = blocks.iter().map(<[T; LANES]>::as_slice).chain([rest]);
    let mut sums = [Lanes::ZERO; 4];
    for (turn, block) in blocks.enumerate() {
        if let Some(sum) = sums.get_mut(turn % 4) {
            sum.add_some(block.iter().map(|&x| f(x)));
        }
    }
    total_of(&sums)
}
