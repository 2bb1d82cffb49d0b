//! The product with its failpoints compiled in, for the tests that kill it.

use std::process::ExitCode;

fn main() -> ExitCode {
    outflow::run()
}
