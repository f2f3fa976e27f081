//! Decimal numbers, correctly rounded both ways.
//!
//! Core's own reading and printing of floats bring tens of kilobytes, too many for a
//! microcontroller. This is the schoolbook's way with long integers: slower and small, for the
//! one such number of a file.

use core::cmp::Ordering;

use crate::float::Float;

/// Digits that count when a number is read; seventeen tell any two f64 apart.
const DIGITS_READ: i32 = 40;
/// Digits that always lead back to an f64.
const DIGITS_WRITTEN: i32 = 17;

/// `significand · 10^exponent`
#[derive(Clone, Copy)]
pub(super) struct Decimal {
    significand: Natural,
    digits: i32,
    pub(super) exponent: i32,
}

/// Reads a decimal number as the nearest f64, ties to even. `None` if the text is no number, or
/// one that is 0 or out of range. Digits after the fortieth do not count.
pub(super) fn parse(text: &[u8]) -> Option<f64> {
    let (negative, mut rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    };
    let mut number = Decimal { significand: Natural::ZERO, digits: 0, exponent: 0 };
    let mut fraction = false;
    loop {
        rest = match rest {
            [digit @ b'0'..=b'9', rest @ ..] => {
                number.push(u32::from(digit - b'0'), fraction);
                rest
            }
            [b'.', rest @ ..] if !fraction => {
                fraction = true;
                rest
            }
            [b'e' | b'E', power @ ..] => {
                number.exponent = number.exponent.saturating_add(integer(power)?);
                break;
            }
            [] => break,
            _ => return None,
        };
    }
    number.to_f64().map(|value| if negative { -value } else { value })
}

/// A signed integer; one that is too large saturates.
fn integer(text: &[u8]) -> Option<i32> {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] | digits => (1, digits),
    };
    digits.first()?;
    let value = digits.iter().try_fold(0_i32, |value, &digit| {
        let digit = digit.is_ascii_digit().then(|| i32::from(digit - b'0'))?;
        Some(value.saturating_mul(10).saturating_add(digit))
    });
    value.map(|value| sign * value)
}

/// The fewest digits that read back as `|x|`, as an integer, and the power of ten of the first.
/// `x` is finite and not 0.
pub(super) fn shortest<T: Float>(x: T) -> (u64, i32) {
    let x = x.abs();
    let (mut above, mut below) = as_fraction(x.to_f64());
    let mut power = 0;
    while above < below {
        above = above.times_plus(10, 0);
        power -= 1;
    }
    while above >= below.times_plus(10, 0) {
        below = below.times_plus(10, 0);
        power += 1;
    }
    let (mut digits, mut written) = (0, 0);
    for count in 1..=DIGITS_WRITTEN {
        while above >= below {
            above = above.minus(&below);
            digits += 1;
        }
        above = above.times_plus(10, 0);
        let rounded = digits + u64::from(above >= below.times_plus(5, 0));
        let number = Decimal {
            significand: Natural::from_u64(rounded),
            digits: count,
            exponent: power - (count - 1),
        };
        if number.to_f64().map(T::from_f64) == Some(x) {
            return (rounded, power);
        }
        written = digits;
        digits *= 10;
    }
    (written, power)
}

/// A positive f64 as a fraction of natural numbers.
fn as_fraction(x: f64) -> (Natural, Natural) {
    let bits = x.to_bits();
    let field = (bits >> 52) as i32;
    let mantissa = Natural::from_u64(bits & ((1 << 52) - 1));
    let (mantissa, exponent) = if field == 0 {
        (mantissa, -1074)
    } else {
        let hidden = Natural::from_u64((bits & ((1 << 52) - 1)) | (1 << 52));
        (hidden, field - 1075)
    };
    let one = Natural::from_u64(1);
    (mantissa.times_power(2, exponent), one.times_power(2, -exponent))
}

impl Decimal {
    /// Appends a digit, before or after the point.
    fn push(&mut self, digit: u32, fraction: bool) {
        let leading_zero = self.digits == 0 && digit == 0;
        if !leading_zero && self.digits < DIGITS_READ {
            self.significand = self.significand.times_plus(10, digit);
            self.digits += 1;
            self.exponent -= i32::from(fraction);
        } else if leading_zero {
            self.exponent -= i32::from(fraction);
        } else {
            self.exponent += i32::from(!fraction);
        }
    }

    /// The nearest f64, ties to even; `None` for 0 and what is out of range.
    fn to_f64(self) -> Option<f64> {
        let magnitude = self.exponent.saturating_add(self.digits);
        if self.digits == 0 || !(-330..=310).contains(&magnitude) {
            return None;
        }
        let mut above = self.significand.times_power(10, self.exponent);
        let mut below = Natural::from_u64(1).times_power(10, -self.exponent);
        let mut power = 0;
        while above < below {
            above = above.times_plus(2, 0);
            power -= 1;
        }
        while above >= below.times_plus(2, 0) {
            below = below.times_plus(2, 0);
            power += 1;
        }
        // Now 1 ≤ above/below < 2, and the number is that times 2^power: bit by bit from here.
        if power < -1075 {
            return None; // less than half of the smallest f64
        }
        let mut mantissa = 0;
        for _ in 0..53 + (power + 1022).min(0) {
            let bit = above >= below;
            if bit {
                above = above.minus(&below);
            }
            mantissa = 2 * mantissa + u64::from(bit);
            above = above.times_plus(2, 0);
        }
        if above > below || (above == below && mantissa % 2 == 1) {
            mantissa += 1;
        }
        // The leading bit, and a carry out of the mantissa, count as one in the exponent's field.
        let field = u64::try_from((power + 1022).clamp(0, 2046)).ok()?;
        Some(f64::from_bits((field << 52) + mantissa)).filter(|&x| x.is_finite() && x > 0.0)
    }
}

/// A natural number of at most 1344 bits, least significant word first. What is compared here
/// stays below 2¹²⁸³: ten to the power 330 + 40 + 15.
#[derive(Clone, Copy, PartialEq)]
struct Natural([u32; 42]);

impl Natural {
    const ZERO: Self = Self([0; 42]);

    fn from_u64(value: u64) -> Self {
        let mut this = Self::ZERO;
        for (word, half) in this.0.iter_mut().zip([value, value >> 32]) {
            *word = half as u32;
        }
        this
    }

    /// `factor · self + term`
    #[inline(never)] // small rather than fast, as all of these
    fn times_plus(mut self, factor: u32, term: u32) -> Self {
        let mut carry = u64::from(term);
        for word in &mut self.0 {
            carry += u64::from(*word) * u64::from(factor);
            *word = carry as u32;
            carry >>= 32;
        }
        self
    }

    /// `base^exponent · self`, and `self` for a negative exponent.
    #[inline(never)]
    fn times_power(self, base: u32, exponent: i32) -> Self {
        (0..exponent).fold(self, |product, _| product.times_plus(base, 0))
    }

    /// `self − other`, which must not be negative.
    #[inline(never)]
    fn minus(mut self, other: &Self) -> Self {
        let mut borrow = 0;
        for (word, &other) in self.0.iter_mut().zip(&other.0) {
            let difference = i64::from(*word) - i64::from(other) - borrow;
            *word = difference as u32;
            borrow = i64::from(difference < 0);
        }
        self
    }
}

impl PartialOrd for Natural {
    #[inline(never)]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::string::String;
    use std::{format, vec};

    use super::*;

    /// What the standard library reads, with 0 and what is not finite left out.
    fn oracle(text: &str) -> Option<f64> {
        let value = text.parse().ok()?;
        Some(value).filter(|x: &f64| x.is_finite() && *x != 0.0)
    }

    fn written<T: Float>(x: T) -> String {
        let (digits, power) = shortest(x);
        let places = format!("{digits}").len() as i32 - 1;
        format!("{digits}e{}", power - places)
    }

    #[test]
    fn borders_read_as_the_standard_library_reads_them() {
        let midpoint = "1.00000000000000011102230246251565404236316680908203125";
        let mut texts = vec![
            "1",
            "-2.5",
            "+.5",
            "5.",
            "0.1",
            "1e-05",
            "1E+22",
            "1e23",
            "9007199254740993",
            "4.9e-324",
            "2.5e-324",
            "2.4e-324",
            "2.2250738585072011e-308",
            "1.7976931348623157e308",
            "1.7976931348623159e308",
            "1e309",
            "1e-400",
            "1e99999999999",
            "1e-99999999999",
            "0",
            "-0.0",
            "",
            ".",
            "-",
            "e5",
            "1e",
            "1e+",
            "1.2.3",
            "1_0",
            " 1",
            "1 ",
            "inf",
            "nan",
            "0x1p3",
            "--1",
            "1e5.0",
            "00012",
            "123456789012345678901234567890123456789",
            midpoint,
        ];
        let small = format!("0.{}1e330", "0".repeat(330));
        let large = format!("1{}e-400", "0".repeat(400));
        texts.extend([small.as_str(), large.as_str()]);
        for text in texts {
            assert_eq!(parse(text.as_bytes()), oracle(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn decimals_read_as_the_standard_library_reads_them(
            text in "[+-]?[0-9]{0,25}(\\.[0-9]{0,15})?([eE][+-]?[0-9]{1,3})?",
        ) {
            prop_assert_eq!(parse(text.as_bytes()), oracle(&text));
        }

        #[test]
        fn any_bytes_do_no_harm(text in prop::collection::vec(any::<u8>(), 0..40)) {
            let value = parse(&text);
            prop_assert!(value.is_none_or(|x| x.is_finite() && x != 0.0));
        }

        #[test]
        fn shortest_f64_reads_back(bits in 1..0x7ff0_0000_0000_0000_u64) {
            let x = f64::from_bits(bits);
            prop_assert_eq!(parse(written(x).as_bytes()), Some(x));
            if bits << 12 != 0 {
                prop_assert_eq!(parse_shape(&format!("{x:e}")), shortest(x));
            }
        }

        #[test]
        fn shortest_f32_reads_back(bits in 1..0x7f80_0000_u32) {
            let x = f32::from_bits(bits);
            prop_assert_eq!(parse(written(x).as_bytes()).map(|x| x as f32), Some(x));
            if bits << 9 != 0 {
                prop_assert_eq!(parse_shape(&format!("{x:e}")), shortest(x));
            }
        }
    }

    /// Digits and power of a number as the standard library prints it. At powers of two the
    /// two ways may differ: the numbers below lie closer than those above.
    fn parse_shape(text: &str) -> (u64, i32) {
        let (digits, power) = text.split_once('e').unwrap();
        (digits.replace('.', "").parse().unwrap(), power.parse().unwrap())
    }
}
