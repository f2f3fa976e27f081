//! Figures: an SVG writer for charts, PNGs made from the same SVG, and the figures of a suite.

mod axis;
mod chart;
mod compare;
mod draw;
mod gallery;
mod labels;
mod method;
pub mod number;
mod path;
mod pen;
mod plot;
#[cfg(feature = "png")]
mod png;
mod scene;
mod series;
mod span;
mod stability;
mod text;
mod thin;

pub use axis::{Axis, Scale};
pub use chart::{Chart, DARK_PAGE_STYLE, Edge, PAGE_STYLE, Series, inline, stack};
pub use gallery::{Drawing, draw_suite, drawings};
pub use pen::{Mark, Pen};
#[cfg(feature = "png")]
pub use png::png;
pub(crate) use scene::task_title;
pub use text::escape;
