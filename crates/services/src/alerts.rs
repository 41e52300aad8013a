//! Raising alerts and looking at them.

use crate::submit::{SubmitError, submit};
use northgate_domain::{Alert, AlertId, Command, Event, RaiseAlert, Stamped};
use northgate_storage::{AlertQuery, Answer, EventStore, QueryError, Snapshot, Unavailable};
use std::sync::Arc;

/// The use cases around alerts.
#[derive(Clone)]
pub struct AlertService {
    store: Arc<dyn EventStore>,
}

impl AlertService {
    /// Works on `store`.
    pub fn new(store: Arc<dyn EventStore>) -> Self {
        Self { store }
    }

    /// Raises an alert. It is kept when this returns, and on its way to every dashboard.
    pub async fn raise(&self, raise: RaiseAlert) -> Result<Stamped<Alert>, SubmitError> {
        match submit(self.store.as_ref(), Command::RaiseAlert(raise)).await? {
            Answer::Appended(Stamped { position, value: Event::Alert(event) }) => {
                Ok(Stamped { position, value: event.alert })
            }
            Answer::Unchanged(alert) => Ok(alert),
            Answer::Appended(Stamped { value: Event::Chat(_), .. }) => {
                Err(SubmitError::UnexpectedAnswer)
            }
        }
    }

    /// The alerts that match, oldest first.
    pub async fn history(&self, query: AlertQuery) -> Result<Snapshot<Stamped<Alert>>, QueryError> {
        self.store.alerts(query).await
    }

    /// One alert as it stands, if there is one with this id.
    pub async fn find(&self, id: AlertId) -> Result<Option<Stamped<Alert>>, Unavailable> {
        self.store.alert(id).await
    }
}
