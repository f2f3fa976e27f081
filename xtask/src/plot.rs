//! Two curves in a terminal: a canvas of braille dots, two by four in a character.

/// A rectangle of dots.
pub(crate) struct Canvas {
    columns: usize,
    rows: usize,
    dots: Vec<u8>,
}

/// Bits of a braille character's dots, row by row.
const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

impl Canvas {
    /// An empty canvas of so many characters.
    pub(crate) fn new(columns: usize, rows: usize) -> Self {
        Self { columns, rows, dots: vec![0; columns * rows] }
    }

    /// Sets the dot nearest to a point of the unit square, the origin at the lower left.
    pub(crate) fn point(&mut self, x: f64, y: f64) {
        if !((0.0..=1.0).contains(&x) && (0.0..=1.0).contains(&y)) {
            return;
        }
        let column = (x * (2 * self.columns - 1) as f64).round() as usize;
        let row = ((1.0 - y) * (4 * self.rows - 1) as f64).round() as usize;
        let character = self.dots.get_mut(row / 4 * self.columns + column / 2);
        if let Some(character) = character {
            *character |= BITS[row % 4][column % 2];
        }
    }

    /// Points, scaled to fill the canvas; returns the range of y, if there is one.
    pub(crate) fn curve(&mut self, points: &[(f64, f64)], range: Option<(f64, f64)>) -> (f64, f64) {
        let bounds = |values: &mut dyn Iterator<Item = f64>| {
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            })
        };
        let x = bounds(&mut points.iter().map(|point| point.0));
        let y = range.unwrap_or_else(|| bounds(&mut points.iter().map(|point| point.1)));
        let place = |value: f64, (low, high): (f64, f64)| {
            if high > low { (value - low) / (high - low) } else { 0.5 }
        };
        for &(px, py) in points {
            self.point(place(px, x), place(py, y));
        }
        y
    }

    /// The canvas as lines of text.
    pub(crate) fn lines(&self) -> Vec<String> {
        let character = |&dots: &u8| char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' ');
        self.dots.chunks(self.columns).map(|row| row.iter().map(character).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_are_in_the_corners() {
        let mut canvas = Canvas::new(2, 1);
        canvas.point(0.0, 0.0);
        canvas.point(1.0, 1.0);
        canvas.point(1.1, 0.0);
        canvas.point(f64::NAN, 0.0);
        assert_eq!(canvas.lines(), ["\u{2840}\u{2808}"]);
    }

    #[test]
    fn a_curve_fills_the_canvas_and_a_constant_lies_in_the_middle() {
        let mut canvas = Canvas::new(1, 1);
        assert_eq!(canvas.curve(&[(1.0, -3.0), (2.0, 5.0)], None), (-3.0, 5.0));
        assert_eq!(canvas.lines(), ["\u{2848}"]);
        let mut canvas = Canvas::new(1, 1);
        canvas.curve(&[(0.0, 7.0)], None);
        assert_ne!(canvas.lines(), ["\u{2800}"]);
    }
}
