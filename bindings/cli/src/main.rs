//! The shell command `prebind`.
fn main() {}
