//! The program: reads the configuration, then runs a server until a signal, or a maintenance
//! command.

use crate::application::Application;
use crate::builder::ApplicationBuilder;
use crate::configuration::{Loaded, Settings};
use crate::exit::{NOT_DONE, RunError, WRONG_USAGE};
use crate::open_files::fit_open_files;
use crate::signals::{Signals, survive_file_size_limit};
use crate::telemetry::{Outputs, log_panics, start_logging};
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Runs the program with the arguments and the environment of this process. `extend` adds a custom
/// store, routes and background components; the binary `northgate` adds none.
///
/// Exit codes: 0 success, or stopped by a signal; 1 the server could not start (for example because
/// of the address or the data), or a maintenance command failed; 2 an invalid setting; 3 a
/// component of the server failed at run time. Unless the code is 0, standard error ends with one
/// line `northgate: …` that states the reason.
pub fn run_program(extend: impl FnOnce(ApplicationBuilder) -> ApplicationBuilder) -> ExitCode {
    if let Err(error) = survive_file_size_limit() {
        return fail(&error, NOT_DONE);
    }
    match Settings::load(std::env::args_os(), std::env::vars_os(), Path::new(".")) {
        Ok(Loaded::Settings(settings)) => serve(*settings, extend),
        Ok(Loaded::Maintenance(maintenance)) => {
            let done = maintenance.run(std::io::stdout());
            done.map_or_else(|error| fail(&error, NOT_DONE), |()| ExitCode::SUCCESS)
        }
        Ok(Loaded::Answer(text)) => say(&text),
        Err(error) => fail(&error, WRONG_USAGE),
    }
}

fn serve(
    mut settings: Settings,
    extend: impl FnOnce(ApplicationBuilder) -> ApplicationBuilder,
) -> ExitCode {
    let outputs = match start_logging(&settings.log) {
        Ok(outputs) => outputs,
        Err(error) => return fail(&RunError::from(error), NOT_DONE),
    };
    log_panics();
    let ended = fit_open_files(&mut settings.server)
        .map_err(RunError::from)
        .and_then(|()| actix_web::rt::System::new().block_on(run(settings, &outputs, extend)));
    if let Err(error) = &ended {
        outputs.report(error);
    }
    outputs.flush();
    ended.map_or_else(|error| ExitCode::from(error.exit_code()), |()| ExitCode::SUCCESS)
}

async fn run(
    settings: Settings,
    outputs: &Outputs,
    extend: impl FnOnce(ApplicationBuilder) -> ApplicationBuilder,
) -> Result<(), RunError> {
    let signals = Signals::listen(settings.server.drain_delay.0, outputs.clone())?;
    let application = extend(Application::builder(settings)).build().await?;
    outputs.print(&format!("http://{}", application.address()));
    let stop = signals.stop_request(application.progress());
    Ok(application.run_until_stopped(stop).await?)
}

/// Writes to standard output. Write errors are ignored, for example a closed pipe.
fn say(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    ExitCode::SUCCESS
}

/// Writes the error to standard error in one line and returns the exit code.
fn fail(error: &dyn Error, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "northgate: {error}");
    ExitCode::from(code)
}
