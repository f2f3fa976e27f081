//! `cargo xtask`: gradflow's tasks.
fn main() {}
