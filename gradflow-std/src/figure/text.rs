//! Text in SVG: escaped, and its width estimated before any font is at hand.

/// `text` safe between tags and in attributes; control characters, which XML forbids, are left out.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => safe.push(c),
        }
    }
    safe
}

/// Estimated width of `text` at `size` units, on the generous side of common sans-serif fonts.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let ems: f64 = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' => 0.29,
            ' ' | 'f' | 'r' | 't' | '(' | ')' | '/' => 0.37,
            '⁰'..='₉' | '¹' | '²' | '³' => 0.44,
            'm' | 'w' | 'M' | 'W' | '%' => 0.88,
            c if c.is_uppercase() => 0.70,
            _ => 0.60,
        })
        .sum();
    ems * size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_leaves_no_markup() {
        assert_eq!(
            escape("<b a=\"1\" c='2'>R&D\u{0}\u{1b}[0m</b>"),
            "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;R&amp;D[0m&lt;/b&gt;"
        );
        assert_eq!(escape("Δt κ ξ₀"), "Δt κ ξ₀");
    }
}
