#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod buffer;
mod curve;
mod data;
mod engine;
mod message;
mod options;
mod trainer;

pub use curve::{COLUMNS, Curve};
pub use data::Data;
pub use engine::Engine;
pub use options::{Options, Value};
pub use trainer::{DataSet, Trainer};
