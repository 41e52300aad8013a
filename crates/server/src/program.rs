//! The program: reads the configuration, starts the server and waits for a signal, or does
//! maintenance on a folder of data.

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

/// Runs the program with the arguments and the environment of this process. `extend` adds a store,
/// routes and background parts of one's own; the binary `northgate` adds none.
///
/// Exit codes: 0 done, or stopped by SIGTERM or SIGINT; 1 the server could not start (the address
/// or the data), or maintenance failed; 2 a wrong setting; 3 a part of the server failed while it
/// ran. Unless the code is 0, standard error ends with one line `northgate: …` that says why.
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

/// Writes to standard output. Whether anybody reads it is not our business.
fn say(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    ExitCode::SUCCESS
}

/// Says in one line on standard error why the program ends.
fn fail(error: &dyn Error, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "northgate: {error}");
    ExitCode::from(code)
}
