//! Outflow.
fn main() {}
