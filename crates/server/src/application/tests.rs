//! A server with a failed component shuts down gracefully and reports that component.

use super::*;
use crate::builder::ApplicationBuilder;
use crate::configuration::{GeneratorInterval, Settings};
use crate::exit::{PART_FAILED, RunError};
use crate::supervisor::Supervisor;
use northgate_hub::Hub;
use std::future::pending;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::num::NonZeroUsize;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::LocalSet;
use tokio_util::sync::CancellationToken;

const HANDSHAKE: &[u8] = b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

/// Opens a WebSocket, signals `opened`, and returns all bytes that follow the handshake.
fn socket(address: SocketAddr, opened: oneshot::Sender<()>) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
        stream.write_all(HANDSHAKE).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        opened.send(()).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        rest
    })
}

/// Settings of a server without a generator.
fn quiet() -> Settings {
    let mut settings = Settings::default();
    settings.server.port = 0;
    settings.server.workers = NonZeroUsize::MIN;
    // The shutdown after a failure skips this delay.
    settings.server.drain_delay = "1h".parse().unwrap();
    settings.generator.interval = GeneratorInterval::OFF;
    settings
}

/// Runs a server, calls `harm` when a socket is open, and returns the failure that ends the server.
fn failure_after(harm: impl FnOnce(&Supervisor, &Hub) + 'static) -> PartFailure {
    actix_web::rt::System::new().block_on(async move {
        let application = Application::builder(quiet()).build().await.unwrap();
        let progress = application.progress();
        let (opened, is_open) = oneshot::channel();
        let socket = socket(application.address(), opened);
        let (supervisor, hub) =
            (application.running.supervisor.clone(), application.running.hub.clone());
        let stopped = application.run_until_stopped(pending::<&'static str>());
        let harmed = async {
            is_open.await.unwrap();
            harm(&supervisor, &hub);
        };
        let failure = tokio::join!(stopped, harmed).0.unwrap_err();
        assert!(progress.failed.is_cancelled() && progress.draining.is_cancelled());
        let [0x88, _, code @ ..] = &socket.join().unwrap()[..] else { panic!("no Close") };
        assert_eq!(code[..2], 1001_u16.to_be_bytes(), "the shutdown is an ordinary one");
        failure
    })
}

/// Runs a server with added components and returns the failure that ends it.
fn failure_of_part(
    extend: impl FnOnce(ApplicationBuilder) -> ApplicationBuilder + 'static,
) -> PartFailure {
    actix_web::rt::System::new().block_on(async move {
        let application = extend(Application::builder(quiet())).build().await.unwrap();
        application.run_until_stopped(pending::<&'static str>()).await.unwrap_err()
    })
}

fn part(failure: &PartFailure) -> (&str, &str) {
    (failure.part, &failure.reason)
}

#[test]
fn a_component_that_panics_stops_the_server() {
    let failure = failure_after(|supervisor, _| {
        supervisor.spawn("timer", CancellationToken::new(), async { panic!("out of time") });
    });
    assert_eq!(part(&failure), ("timer", "it panicked: out of time"));
}

#[test]
fn a_component_that_returns_stops_the_server() {
    let failure = failure_after(|supervisor, _| {
        supervisor.spawn("timer", CancellationToken::new(), async {});
    });
    assert_eq!(part(&failure), ("timer", "it ended unexpectedly"));
}

#[test]
fn a_watched_component_that_fails_stops_the_server() {
    let failure = failure_after(|supervisor, _| {
        let reason = async { "its writer panicked".to_owned() };
        supervisor.watch("store on disk", CancellationToken::new(), reason);
    });
    assert_eq!(part(&failure), ("store on disk", "its writer panicked"));
}

#[test]
fn the_end_of_a_fan_out_workers_task_stops_the_server() {
    let failure = failure_after(|_, hub| {
        let thread = LocalSet::new();
        let context = thread.enter();
        hub.worker();
        drop(context);
        drop(thread);
    });
    assert_eq!(part(&failure), ("fan-out worker", "its task or its thread ended"));
}

#[test]
fn the_failure_of_an_added_component_names_it_and_stops_the_server() {
    let ended = [
        failure_of_part(|builder| {
            builder.background("doorbell", |_, _| async { panic!("no door") })
        }),
        failure_of_part(|builder| builder.background("doorbell", |_, _| async {})),
    ];
    let reasons = ["it panicked: no door", "it ended unexpectedly"];
    for (failure, reason) in ended.into_iter().zip(reasons) {
        assert_eq!(part(&failure), ("doorbell", reason));
        assert_eq!(RunError::from(failure).exit_code(), PART_FAILED);
    }
}

#[test]
fn an_unexpected_end_of_the_http_server_stops_the_server() {
    actix_web::rt::System::new().block_on(async move {
        let application = Application::builder(quiet()).build().await.unwrap();
        let ending = application.server.handle().stop(false);
        let stopped = application.run_until_stopped(pending::<&'static str>());
        let failure = tokio::join!(stopped, ending).0.unwrap_err();
        assert_eq!(failure.part, "HTTP server");
    });
}
