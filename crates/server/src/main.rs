//! The binary `northgate`: reads the configuration, starts the server, and waits for a signal;
//! or does something with a folder of data.

use northgate_server::{Application, Loaded, Settings, fit_open_files, log_panics, start_logging};
use rustix::process::Signal;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// The configuration is wrong.
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    let loaded = Settings::load(std::env::args_os(), std::env::vars_os(), Path::new("."));
    let mut settings = match loaded {
        Ok(Loaded::Settings(settings)) => settings,
        Ok(Loaded::Work(work)) => {
            let done = work.run(std::io::stdout());
            return done.map_or_else(|error| fail(&error, 1), |()| ExitCode::SUCCESS);
        }
        Ok(Loaded::Answer(text)) => return say(&text),
        Err(error) => return fail(&error, WRONG_USAGE),
    };
    start_logging(&settings.log);
    log_panics();
    fit_open_files(&mut settings.server);
    actix_web::rt::System::new().block_on(run(*settings))
}

async fn run(settings: Settings) -> ExitCode {
    let (mut terminate, mut interrupt) =
        match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
            (Ok(terminate), Ok(interrupt)) => (terminate, interrupt),
            (Err(error), _) | (_, Err(error)) => return fail(&error, 1),
        };
    // Sent to who writes past a limit on the size of files, and deadly if nobody listens. The write
    // fails as on a full disk, and that is enough.
    let _unheeded = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()));
    let application = match Application::build(&settings) {
        Ok(application) => application,
        Err(error) => return fail(&error, 1),
    };
    say(&format!("http://{}\n", application.address()));
    let stop = async move {
        tokio::select! { _ = terminate.recv() => "SIGTERM", _ = interrupt.recv() => "SIGINT" }
    };
    match application.run_until_stopped(stop).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, 1),
    }
}

/// Writes to standard output. Whether anybody reads it is not our business.
fn say(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    ExitCode::SUCCESS
}

/// Says in one line on standard error why the server does not run.
fn fail(error: &dyn std::error::Error, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "northgate: {error}");
    ExitCode::from(code)
}
