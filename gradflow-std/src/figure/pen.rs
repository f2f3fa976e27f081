//! Pens: a colour of the palette of Okabe and Ito, a dash pattern and a mark, so that two series
//! differ in more than their colour.

/// Number of colours (yellow is left out: it vanishes on white).
pub(super) const COLOURS: u8 = 7;

/// The dash patterns, solid first.
const DASHES: [&str; 4] = ["", "7 3", "2 2.5", "9 3 2 3"];

/// The shape at the points of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// ●
    Circle,
    /// ■
    Square,
    /// ▲
    Triangle,
    /// ◆
    Diamond,
    /// ▼
    Wedge,
    /// ✚
    Plus,
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pen {
    pub(super) colour: u8,
    pub(super) dash: u8,
    pub(super) mark: Mark,
}

impl Pen {
    /// The `index`-th pen: colours first, then dashes; each colour has its own mark.
    #[must_use]
    pub fn nth(index: usize) -> Self {
        let colour = (index % usize::from(COLOURS)) as u8;
        let dash = (index / usize::from(COLOURS) % DASHES.len()) as u8;
        let marks = [
            Mark::Circle,
            Mark::Square,
            Mark::Triangle,
            Mark::Diamond,
            Mark::Wedge,
            Mark::Plus,
            Mark::Circle,
        ];
        let mark = marks.get(usize::from(colour)).copied().unwrap_or(Mark::Circle);
        Self { colour, dash, mark }
    }

    /// The same colour and mark with the `index`-th dash pattern; its marks are hollow unless solid.
    #[must_use]
    pub fn dashed(self, index: usize) -> Self {
        Self { dash: (index % DASHES.len()) as u8, ..self }
    }

    pub(super) fn dash_pattern(self) -> &'static str {
        DASHES.get(usize::from(self.dash)).copied().unwrap_or("")
    }

    pub(super) fn is_hollow(self) -> bool {
        self.dash != 0
    }
}

impl Mark {
    /// The shape around the current point, as relative path commands.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Circle => "m-3.2 0a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0-6.4 0",
            Self::Square => "m-2.8-2.8h5.6v5.6h-5.6z",
            Self::Triangle => "m0-3.8l3.6 6.3h-7.2z",
            Self::Diamond => "m0-4l4 4l-4 4l-4-4z",
            Self::Wedge => "m0 3.8l3.6-6.3h-7.2z",
            Self::Plus => "m-1.2-3.6h2.4v2.4h2.4v2.4h-2.4v2.4h-2.4v-2.4h-2.4v-2.4h2.4z",
        }
    }
}
