//! Data sets from good files and from bad ones.

mod images;
mod set;
mod table;
