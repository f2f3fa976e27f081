//! Path data in tenths of a unit, relative and without needless characters: half the size of
//! absolute coordinates, and never more than a twentieth of a unit off, as differences are taken
//! between rounded places.

use std::fmt::Write as _;

/// Builds the `d` attribute of a path.
#[derive(Debug, Default)]
pub(super) struct Path {
    data: String,
    at: (i64, i64),
    drawing: bool,
}

impl Path {
    /// Starts a new piece at `(x, y)`.
    pub(super) fn move_to(&mut self, x: f64, y: f64) {
        self.at = (tenths(x), tenths(y));
        self.data.push('M');
        self.numbers(self.at.0, self.at.1);
        self.drawing = false;
    }

    /// Draws a straight line to `(x, y)`; nothing if it is the same tenth.
    pub(super) fn line_to(&mut self, x: f64, y: f64) {
        let next = (tenths(x), tenths(y));
        let (dx, dy) = (next.0 - self.at.0, next.1 - self.at.1);
        if (dx, dy) == (0, 0) {
            return;
        }
        if !self.drawing {
            self.data.push('l');
            self.drawing = true;
        } else if dx >= 0 {
            self.data.push(' ');
        }
        self.numbers(dx, dy);
        self.at = next;
    }

    /// Appends commands as they are.
    pub(super) fn push(&mut self, commands: &str) {
        self.data.push_str(commands);
        self.drawing = false;
    }

    /// Closes the piece.
    pub(super) fn close(&mut self) {
        self.push("z");
    }

    pub(super) fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    pub(super) fn as_str(&self) -> &str {
        &self.data
    }

    fn numbers(&mut self, x: i64, y: i64) {
        self.number(x);
        if y >= 0 {
            self.data.push(' ');
        }
        self.number(y);
    }

    fn number(&mut self, tenths: i64) {
        if tenths < 0 {
            self.data.push('-');
        }
        let (whole, rest) = (tenths.abs() / 10, tenths.abs() % 10);
        // Writing to a String cannot fail.
        let _ = match (whole, rest) {
            (_, 0) => write!(self.data, "{whole}"),
            (0, _) => write!(self.data, ".{rest}"),
            _ => write!(self.data, "{whole}.{rest}"),
        };
    }
}

fn tenths(value: f64) -> i64 {
    (value * 10.0).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_are_relative_and_short() {
        let mut path = Path::default();
        path.move_to(1.0, 2.04);
        path.line_to(1.5, 1.5);
        path.line_to(1.51, 1.52);
        path.line_to(0.0, 12.25);
        path.close();
        assert_eq!(path.as_str(), "M1 2l.5-.5-1.5 10.8z");
    }
}
