//! Numbers as text, without the tens of kilobytes of core's own printing and reading of floats.
//!
//! Printing rounds to six digits; reading finds the nearest f32 (unless two are equally near within
//! a part in 2⁵⁰). Neither needs a floating-point operation. The form `0x3f800000` holds the very
//! bits.

use heapless::Vec;

/// A short text.
pub(crate) type Text = Vec<u8, 24>;

const DIGITS: i32 = 6;

/// A whole number.
#[must_use]
pub(crate) fn integer(mut value: u32) -> Text {
    let mut digits = [0_u8; 10];
    let mut first = digits.len();
    for (place, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
        first = place;
        if value == 0 {
            break;
        }
    }
    let mut text = Text::new();
    push(&mut text, digits.get(first..).unwrap_or_default());
    text
}

/// Eight hexadecimal digits for each word.
#[must_use]
pub(crate) fn hex<const WORDS: usize>(words: [u32; WORDS]) -> Text {
    let mut text = Text::new();
    for word in words {
        for byte in word.to_be_bytes() {
            push(&mut text, &hex_digits(byte));
        }
    }
    text
}

/// Two hexadecimal digits.
#[must_use]
pub(crate) const fn hex_digits(byte: u8) -> [u8; 2] {
    const fn digit(value: u8) -> u8 {
        if value < 10 { b'0' + value } else { b'a' + (value - 10) }
    }
    [digit(byte >> 4), digit(byte & 15)]
}

/// The byte of two hexadecimal digits.
#[must_use]
pub(crate) fn hex_byte(digits: [u8; 2]) -> Option<u8> {
    let [high, low] = digits;
    Some(hex_value(high)? << 4 | hex_value(low)?)
}

const fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// A number with six digits: plain between 1e-4 and 1e6, with a power of ten elsewhere.
#[must_use]
pub(crate) fn real(value: f32) -> Text {
    let mut text = Text::new();
    if value.is_nan() {
        push(&mut text, b"nan");
        return text;
    }
    if value.is_sign_negative() && value != 0.0 {
        push(&mut text, b"-");
    }
    if value.is_infinite() {
        push(&mut text, b"inf");
        return text;
    }
    let (digits, power) = rounded(value);
    if (-4..DIGITS).contains(&power) {
        plain(&mut text, digits, power);
    } else {
        plain(&mut text, digits, 0);
        push(&mut text, if power < 0 { b"e-" } else { b"e" });
        push(&mut text, &integer(power.unsigned_abs()));
    }
    text
}

/// Six digits of `|value|` as an integer, and the power of ten of the first.
fn rounded(value: f32) -> (u32, i32) {
    let Some(mut scaled) = Scaled::of(value) else { return (0, 0) };
    let mut power = DIGITS - 1;
    while scaled.round() < 100_000 {
        scaled = scaled.times_ten();
        power -= 1;
    }
    while scaled.round() >= 1_000_000 {
        scaled = scaled.tenth();
        power += 1;
    }
    (scaled.round() as u32, power)
}

/// A positive number `significand · 2^exponent` with 64 bits that count: enough for the ninety
/// steps between the ends of f32, each of which may lose the last four.
#[derive(Clone, Copy)]
struct Scaled {
    significand: u64,
    exponent: i32,
}

impl Scaled {
    fn new(significand: u64, exponent: i32) -> Option<Self> {
        let shift = significand.leading_zeros();
        let significand = significand.checked_shl(shift)?;
        Some(Self { significand, exponent: exponent - shift as i32 })
    }

    /// `|value|`, unless it is 0; `value` is finite.
    fn of(value: f32) -> Option<Self> {
        let (field, mantissa) = (value.to_bits() >> 23 & 0xff, value.to_bits() & 0x007f_ffff);
        let hidden = if field == 0 { 0 } else { 1 << 23 };
        Self::new(u64::from(mantissa | hidden), field.max(1) as i32 - 150)
    }

    fn times_ten(self) -> Self {
        let Self { significand, exponent } = self;
        Self::new((significand >> 4) * 10, exponent + 4).unwrap_or(self)
    }

    fn tenth(self) -> Self {
        // 0.8 = 0.75 · (1 + 2⁻⁴)(1 + 2⁻⁸)(1 + 2⁻¹⁶)(1 + 2⁻³²): no division of 64 bits is linked.
        let mut eighths = (self.significand >> 1) + (self.significand >> 2);
        for shift in [4, 8, 16, 32] {
            eighths += eighths >> shift;
        }
        Self::new(eighths, self.exponent - 3).unwrap_or(self)
    }

    /// The nearest whole number, at most 2⁶³.
    fn round(self) -> u64 {
        self.shifted(self.exponent)
    }

    /// `significand · 2^exponent` to the nearest whole number, ties to even.
    fn shifted(self, exponent: i32) -> u64 {
        let Ok(right) = u32::try_from(-exponent) else { return u64::MAX };
        let whole = self.significand.checked_shr(right).unwrap_or(0);
        let half = self.significand.checked_shr(right.saturating_sub(1)).unwrap_or(0) & 1;
        let below = self.significand.checked_shl(65_u32.saturating_sub(right)).unwrap_or(0);
        // A tie between two whole numbers goes to the even one.
        let up =
            right > 0 && half == 1 && (whole & 1 == 1 || right > 64 || (right > 1 && below != 0));
        whole + u64::from(up)
    }

    /// The nearest f32, infinite if there is none.
    fn to_f32(self) -> f32 {
        // Numbers below 2⁻¹²⁶ have fewer bits than 24.
        let ulp = (self.exponent + 40).max(-149);
        let mantissa = self.shifted(self.exponent - ulp);
        // The leading bit, and a carry out of the mantissa, count as one in the exponent's field.
        let field = (ulp + 149).min(255) as u64;
        f32::from_bits(((field << 23) + mantissa).min(0x7f80_0000) as u32)
    }
}

/// Digits with a point after the place of 10⁰, without zeros that say nothing.
fn plain(text: &mut Text, mut digits: u32, power: i32) {
    let mut places = DIGITS;
    while places > 1 && digits.is_multiple_of(10) && places > power + 1 {
        digits /= 10;
        places -= 1;
    }
    if power < 0 {
        push(text, b"0.");
        for _ in power..-1 {
            push(text, b"0");
        }
        push(text, &integer(digits));
        return;
    }
    let written = integer(digits);
    for (place, &digit) in (0..).zip(written.iter()) {
        if place == power + 1 {
            push(text, b".");
        }
        push(text, &[digit]);
    }
}

fn push(text: &mut Text, bytes: &[u8]) {
    for &byte in bytes {
        // Longest: -1.23456e-38.
        let _ = text.push(byte);
    }
}

/// Reads a whole number.
#[must_use]
pub(crate) fn parse_integer(text: &[u8]) -> Option<u32> {
    text.first()?;
    text.iter().try_fold(0_u32, |value, &digit| {
        let digit = digit.is_ascii_digit().then(|| u32::from(digit - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// Reads a finite number, decimal or as bits.
#[must_use]
pub(crate) fn parse_real(text: &[u8]) -> Option<f32> {
    let value = match text {
        [b'0', b'x' | b'X', digits @ ..] => parse_bits(digits)?,
        [b'-', digits @ ..] => -parse_decimal(digits)?,
        [b'+', digits @ ..] | digits => parse_decimal(digits)?,
    };
    value.is_finite().then_some(value)
}

fn parse_bits(digits: &[u8]) -> Option<f32> {
    if digits.len() != 8 {
        return None;
    }
    let bits = digits
        .iter()
        .try_fold(0_u32, |bits, &digit| Some(bits << 4 | u32::from(hex_value(digit)?)));
    bits.map(f32::from_bits)
}

fn parse_decimal(text: &[u8]) -> Option<f32> {
    let mut parts = text.splitn(2, |&byte| byte == b'e' || byte == b'E');
    let number = parts.next()?;
    let (mut mantissa, mut power, mut seen, mut point) = (0_u64, 0_i32, false, false);
    for &byte in number {
        match byte {
            b'0'..=b'9' => {
                seen = true;
                if mantissa < 1_000_000_000_000_000 {
                    mantissa = mantissa * 10 + u64::from(byte - b'0');
                    power -= i32::from(point);
                } else {
                    power += i32::from(!point);
                }
            }
            b'.' if !point => point = true,
            _ => return None,
        }
    }
    let exponent = match parts.next() {
        None => 0,
        Some([b'-', digits @ ..]) => -(parse_integer(digits)?.min(99) as i32),
        Some([b'+', digits @ ..] | digits) => parse_integer(digits)?.min(99) as i32,
    };
    if !seen {
        return None;
    }
    let Some(mut scaled) = Scaled::new(mantissa, 0) else { return Some(0.0) };
    power += exponent;
    for _ in 0..power.unsigned_abs() {
        scaled = if power < 0 { scaled.tenth() } else { scaled.times_ten() };
    }
    Some(scaled.to_f32())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;
    use std::string::String;

    fn text(text: &Text) -> String {
        String::from_utf8(text.to_vec()).unwrap()
    }

    #[test]
    fn numbers_are_printed_with_six_digits() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-2.5, "-2.5"),
            (0.1, "0.1"),
            (1234.567, "1234.57"),
            (999_999.0, "999999"),
            (999_999.9, "1e6"),
            (1e6, "1e6"),
            (10.0, "10"),
            (1e-4, "0.0001"),
            (1.234_567e-5, "1.23457e-5"),
            (f32::MAX, "3.40282e38"),
            (1e-45, "1.4013e-45"),
            (f32::NEG_INFINITY, "-inf"),
            (f32::NAN, "nan"),
        ] {
            assert_eq!(text(&real(value)), expected);
        }
        assert_eq!(text(&integer(0)), "0");
        assert_eq!(text(&integer(u32::MAX)), "4294967295");
        assert_eq!(text(&hex([0x00c0_ffee])), "00c0ffee");
    }

    #[test]
    fn printing_is_within_half_a_unit_of_the_last_digit_and_reads_back() {
        let mut rng = gradflow_core::Pcg32::new(1, gradflow_core::Stream::Other);
        for _ in 0..20_000 {
            let value = f32::from_bits(rng.next());
            if !value.is_finite() {
                continue;
            }
            let printed = text(&real(value));
            let oracle: f64 = printed.parse().unwrap();
            let exact = f64::from(value);
            assert!((oracle - exact).abs() <= exact.abs() * 5.001e-6, "{value:e}: {printed}");
            let read = f64::from(parse_real(printed.as_bytes()).unwrap());
            assert!((read - oracle).abs() <= oracle.abs() * 1e-7 + 1e-45, "{printed}: {read:e}");
        }
    }

    #[test]
    fn decimals_are_read_as_the_standard_library_reads_them() {
        let mut rng = gradflow_core::Pcg32::new(2, gradflow_core::Stream::Other);
        for _ in 0..20_000 {
            let power = rng.below(30) as i32 - 15;
            let written = format!("{}.{:04}e{power}", rng.below(1_000), rng.below(10_000));
            assert_eq!(parse_real(written.as_bytes()), written.parse().ok(), "{written}");
        }
        for written in ["-.5", "5.", "+1E+2", "0.000000000000000000001", "123456789012345678901"] {
            assert_eq!(parse_real(written.as_bytes()), written.parse().ok(), "{written}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for wrong in
            ["", "-", ".", "1e", "1e-", "e5", "1.2.3", "nan", "inf", "1,5", "0x1", "1e99", "--1"]
        {
            assert_eq!(parse_real(wrong.as_bytes()), None, "{wrong:?}");
        }
        assert_eq!(parse_real(b"0x7f800000"), None);
        assert_eq!(parse_real(b"0xC0490fdb"), Some(-core::f32::consts::PI));
        for wrong in ["", "-1", "4294967296", "1 "] {
            assert_eq!(parse_integer(wrong.as_bytes()), None, "{wrong:?}");
        }
    }
}
