//! eˣ of many numbers side by side, without branches: the bits of libm's `expf`.
//!
//! With `k` the integer nearest to `x / ln 2` and `r = x − k ln 2`, `eˣ = 2ᵏ eʳ`, and `eʳ` by the
//! rational approximation `1 + r c / (2 − c) + r` with `c = r − r² (P₁ + r² P₂)`, whose numbers are
//! those of Sun Microsystems' `e_expf.c` (1993), which libm follows. `ln 2` is the sum of two numbers,
//! the first of which has few bits.

use crate::linalg::copy;

const LN_2_HIGH: f32 = f32::from_bits(0x3f31_7200);
const LN_2_LOW: f32 = f32::from_bits(0x35bf_be8e);
const INVERSE_LN_2: f32 = f32::from_bits(0x3fb8_aa3b);
const P_1: f32 = f32::from_bits(0x3e2a_aa8f);
const P_2: f32 = f32::from_bits(0xbb35_5215);

/// ½ ln 2 and 3/2 ln 2: between them in size, `k` is 1 or −1; below, it is 0.
const HALF_LN_2: f32 = f32::from_bits(0x3eb1_7218);
const THREE_HALVES_LN_2: f32 = f32::from_bits(0x3f85_1592);
/// Up to this size, `1 + x` is as good.
const TINY: f32 = f32::from_bits(0x3900_0000);
/// From here on, eˣ is infinite; and down from there, it is 0.
const OVERFLOW: f32 = f32::from_bits(0x42b1_7218);
const UNDERFLOW: f32 = f32::from_bits(0xc2cf_f1b5);

/// Replaces each number x by `exp(x)`.
#[inline(always)]
pub(crate) fn exp_each(x: &mut [f32]) {
    let (blocks, rest) = x.as_chunks_mut();
    for block in blocks {
        exp_block(block);
    }
    if !rest.is_empty() {
        let mut last = [0.0; 16];
        copy(rest, &mut last);
        exp_block(&mut last);
        copy(&last, rest);
    }
}

#[inline(always)]
fn exp_block(x: &mut [f32; 16]) {
    for x in x {
        *x = exp(*x);
    }
}

#[inline(always)]
fn exp(x: f32) -> f32 {
    let (size, sign) = (x.abs(), if x < 0.0 { -1 } else { 1 });
    let k = if size > THREE_HALVES_LN_2 { sign * whole(INVERSE_LN_2 * size + 0.5) } else { sign };
    let k = if size > HALF_LN_2 { k } else { 0 };

    let (high, low) = (x - k as f32 * LN_2_HIGH, k as f32 * LN_2_LOW);
    let r = high - low;
    let square = r * r;
    let c = r - square * (P_1 + square * P_2);
    let power = 1.0 + (r * c / (2.0 - c) - low + high);

    let exp = times_power_of_two(power, k);
    let exp = if size > TINY { exp } else { 1.0 + x };
    let exp = if x >= OVERFLOW { f32::INFINITY } else { exp };
    let exp = if x <= UNDERFLOW { 0.0 } else { exp };
    if x.is_nan() { x } else { exp }
}

/// The whole part of a number from 0 to 2²². `as i32` saturates, for which the compiler would convert
/// one number at a time.
#[inline(always)]
fn whole(x: f32) -> i32 {
    const SHIFT: f32 = 8_388_608.0; // 2²³, from where on all numbers are whole
    let shifted = x + SHIFT;
    let nearest = (shifted.to_bits() - SHIFT.to_bits()).cast_signed();
    if shifted - SHIFT > x { nearest - 1 } else { nearest }
}

/// `2ᵏ x` for k from −150 to 128, in two factors where one would not be a number; else anything.
#[inline(always)]
fn times_power_of_two(x: f32, k: i32) -> f32 {
    let first = if k < -126 { -102 } else { 0 };
    let first = if k > 127 { 127 } else { first };
    let factor = |k: i32| f32::from_bits((k + 127).cast_unsigned() << 23);
    x * factor(first) * factor(k - first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_exponentials(x: &mut [f32]) {
        let expected: std::vec::Vec<f32> = x.iter().map(|&x| libm::expf(x)).collect();
        exp_each(x);
        for (found, expected) in x.iter().zip(&expected) {
            let same = found.to_bits() == expected.to_bits();
            assert!(same || found.is_nan() && expected.is_nan(), "{found:e}, not {expected:e}");
        }
    }

    #[test]
    fn the_bits_are_those_of_libm_everywhere() {
        for start in (0..=u32::MAX).step_by(16 * 997) {
            let mut x: [f32; 16] =
                core::array::from_fn(|i| f32::from_bits(start.saturating_add(997 * i as u32)));
            assert_exponentials(&mut x);
        }
    }

    #[test]
    fn the_bits_are_those_of_libm_where_the_formula_changes() {
        let limits = [HALF_LN_2, THREE_HALVES_LN_2, TINY, OVERFLOW, UNDERFLOW, 87.336_55, 0.0];
        for limit in limits.into_iter().chain([f32::INFINITY]) {
            let bits = limit.to_bits() & (u32::MAX >> 1);
            for bits in bits.saturating_sub(300)..bits + 300 {
                let x = f32::from_bits(bits);
                assert_exponentials(&mut [x, -x]);
            }
        }
    }

    #[test]
    fn rows_may_have_any_length() {
        for len in [0, 1, 10, 15, 16, 17, 32, 37] {
            let mut x: std::vec::Vec<f32> = (0..len).map(|i| i as f32 - 7.3).collect();
            assert_exponentials(&mut x);
        }
    }
}
