//! A server with custom routes and a background component. A request rings a doorbell, which raises
//! an alert. The component reads the log and counts the alerts that were raised since the start.

use actix_web::error::ErrorBadRequest;
use actix_web::web::{Data, Json, Path};
use northgate_api::{ApiError, Endpoint};
use northgate_domain::{AlertChange, Event, Location, MessageText, Position, RaiseAlert};
use northgate_server::run_program;
use northgate_services::AlertService;
use northgate_storage::{EventLog, ReadError, tail};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::sleep;

fn main() -> ExitCode {
    let raised = Data::new(AtomicU64::new(0));
    run_program(|builder| {
        let shown = raised.clone();
        // Each worker thread calls this closure once, and all threads share one count.
        let builder = builder.routes(move |app| {
            app.app_data(shown.clone())
                .service(Endpoint::at("/doors/{door}/ring").post(ring))
                .service(Endpoint::at("/doors/count").get(count));
        });
        builder.background("alert counter", move |use_cases, stop| {
            // Read the head now, before the server accepts requests, so that the count misses no
            // alert.
            let start = *use_cases.log.head().borrow();
            async move {
                stop.run_until_cancelled(count_raised(use_cases.log, start, &raised)).await;
            }
        })
    })
}

/// Raises an alert. Errors have the same problem format as all other errors of the server.
async fn ring(door: Path<String>, alerts: Data<AlertService>) -> actix_web::Result<&'static str> {
    let location = Location::parse(&door).map_err(ErrorBadRequest)?;
    let message = MessageText::parse("The doorbell rings").map_err(ErrorBadRequest)?;
    alerts.raise(RaiseAlert::new(message, location), None).await.map_err(ApiError::from)?;
    Ok("Somebody will come.\n")
}

/// Returns the number of alerts that were raised since the start.
async fn count(raised: Data<AtomicU64>) -> Json<u64> {
    Json(raised.load(Ordering::Relaxed))
}

/// Counts forever. If this function returned or panicked, the server would stop and report the
/// failed component.
async fn count_raised(log: Arc<dyn EventLog>, start: Position, raised: &AtomicU64) {
    let is_raise =
        |event: &Event| matches!(event, Event::Alert(alert) if alert.change == AlertChange::Raised);
    let mut events = tail(log.clone(), start);
    loop {
        match events.next().await {
            Ok(page) => {
                let new = page.iter().filter(|event| is_raise(&event.value)).count();
                raised.fetch_add(new as u64, Ordering::Relaxed);
            }
            // This reader was too slow, and the log trimmed events before they were counted.
            Err(ReadError::Gap { latest, .. }) => events = tail(log.clone(), latest),
            // A store on disk may recover, so this function retries, as the server does.
            Err(ReadError::Unavailable(_)) => sleep(Duration::from_secs(1)).await,
        }
    }
}
