//! Data sets: made up, read from IDX or CSV files, or taken from a caller's arrays.

mod arrays;
mod error;
mod idx;
mod images;
mod records;
mod rows;
mod scaling;
mod set;
mod synthetic;
mod table;
#[cfg(test)]
mod tests;
mod write;

pub use arrays::{
    hidden_view, hidden_view_mut, output_bias_view, output_bias_view_mut, output_view,
    output_view_mut,
};
pub use error::{DataError, Place};
pub use images::{Images, Part};
pub(crate) use rows::push_level;
pub use scaling::Scaling;
pub use set::{DataSet, MAX_ENTRIES};
pub use synthetic::{CLEAN_SAMPLES, GRID_POINTS, clean, noisy_test, train};
pub use table::{parse_csv, read_csv};
pub use write::write_csv;
