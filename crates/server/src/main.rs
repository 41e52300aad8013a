//! The binary `northgate`.

use std::process::ExitCode;

fn main() -> ExitCode {
    northgate_server::run_program(|builder| builder)
}
