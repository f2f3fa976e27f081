//! Numbers as a person reads them, in figures and tables alike.

/// Three significant digits: `0.0123`, `4.50e-6`, `97.9`; `–` for what is not finite.
#[must_use]
pub fn short(value: f64) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    let size = value.abs();
    if size == 0.0 {
        return "0".into();
    }
    if !(1e-3..1e5).contains(&size) {
        return format!("{value:.2e}").replacen('-', "−", usize::from(value < 0.0));
    }
    let digits = 2 - decade(size);
    let text = fixed(value, digits.max(0));
    if size >= 1e3 { thousands(&text) } else { text }
}

/// A mean and its spread with the same exponent: `(4.40 ± 1.05)e-6`, `0.0123 ± 0.0004`.
#[must_use]
pub fn with_spread(mean: f64, spread: f64) -> String {
    if !mean.is_finite() || !spread.is_finite() || mean == 0.0 {
        return short(mean);
    }
    let exponent = decade(mean.abs());
    if (-3..5).contains(&exponent) {
        let digits = 2 - exponent;
        return format!("{} ± {}", fixed(mean, digits), fixed(spread, digits));
    }
    let unit = 10f64.powi(exponent);
    format!("({} ± {})e{exponent}", fixed(mean / unit, 2), fixed(spread / unit, 2))
}

/// A setting in its shortest exact form: `0.1`, `3`, `1e5`.
#[must_use]
pub fn exact(value: f64) -> String {
    if value == 0.0 || (1e-4..1e5).contains(&value.abs()) {
        return if value.abs() >= 1e3 { thousands(&value.to_string()) } else { value.to_string() };
    }
    if value.is_finite() { format!("{value:e}") } else { "–".into() }
}

/// A share of one as a percentage with `digits` decimals: `97.93 %`.
#[must_use]
pub fn percent(value: f64, digits: usize) -> String {
    if value.is_finite() { format!("{:.digits$} %", 100.0 * value) } else { "–".into() }
}

/// A count with its thousands apart: `60,000`.
#[must_use]
pub fn count(value: u64) -> String {
    thousands(&value.to_string())
}

/// Seconds as `0.41 s`, `12.3 s` or `4 min 05 s`.
#[must_use]
pub fn seconds(value: f64) -> String {
    if value < 99.95 {
        return format!("{value:.*} s", if value < 9.995 { 2 } else { 1 });
    }
    let whole = value.round();
    format!("{} min {:02} s", (whole / 60.0).floor(), whole % 60.0)
}

/// `10ⁿ` in plain Unicode; 1 and 10 are written out.
pub(super) fn power_of_ten(exponent: i32) -> String {
    match exponent {
        0 => "1".into(),
        1 => "10".into(),
        _ => format!("10{}", exponent.to_string().chars().map(raised).collect::<String>()),
    }
}

fn raised(digit: char) -> char {
    match digit {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        other => other.to_digit(10).and_then(|n| char::from_u32(0x2070 + n)).unwrap_or(other),
    }
}

/// The exponent of the decade that holds `size > 0`.
pub(super) fn decade(size: f64) -> i32 {
    size.log10().floor() as i32
}

/// `value` with `digits` decimals, a true minus sign, and no `-0`.
pub(super) fn fixed(value: f64, digits: i32) -> String {
    let digits = digits.max(0) as usize;
    let text = format!("{value:.digits$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.into(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

/// A comma between groups of three digits before the point.
pub(super) fn thousands(text: &str) -> String {
    let whole = text.find('.').unwrap_or(text.len());
    let (digits, rest) = text.split_at(whole);
    let mut grouped = String::new();
    for (i, c) in digits.chars().enumerate() {
        let left = digits.chars().count() - i;
        if left.is_multiple_of(3) && grouped.ends_with(|last: char| last.is_ascii_digit()) {
            grouped.push(',');
        }
        grouped.push(c);
    }
    grouped + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_keeps_three_digits() {
        let cases = [
            (0.0, "0"),
            (4.516e-6, "4.52e-6"),
            (1e-5, "1.00e-5"),
            (-1.5e-7, "−1.50e-7"),
            (0.0123, "0.0123"),
            (0.9793, "0.979"),
            (97.93, "97.9"),
            (-2.5, "−2.50"),
            (12_345.0, "12,345"),
            (1e14, "1.00e14"),
            (f64::NAN, "–"),
        ];
        for (value, text) in cases {
            assert_eq!(short(value), text, "{value}");
        }
    }

    #[test]
    fn counts_and_times() {
        assert_eq!(with_spread(4.4e-6, 1.05e-6), "(4.40 ± 1.05)e-6");
        assert_eq!(with_spread(0.0123, 0.000_41), "0.0123 ± 0.0004");
        assert_eq!([0.1, 3.0, 1e4, 1e5, 1e-5].map(exact), ["0.1", "3", "10,000", "1e5", "1e-5"]);
        assert_eq!(count(7), "7");
        assert_eq!(count(60_000), "60,000");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(seconds(0.414), "0.41 s");
        assert_eq!(seconds(245.2), "4 min 05 s");
        assert_eq!(power_of_ten(-13), "10⁻¹³");
        assert_eq!(percent(0.97934, 2), "97.93 %");
    }
}
