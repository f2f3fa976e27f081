//! Serves a folder on loopback: `demo-server FOLDER DATA PORT`; `/data/mnist/` comes from DATA.
fn main() {}
