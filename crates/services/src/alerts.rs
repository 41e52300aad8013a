//! Raising alerts and looking at them.

use crate::RequestKey;
use crate::submit::{Kept, SubmitError, submit};
use northgate_domain::{Alert, AlertId, Command, Event, RaiseAlert, Stamped};
use northgate_storage::{AlertQuery, Answer, EventStore, QueryError, Snapshot, Unavailable};
use std::sync::Arc;

/// The use cases around alerts.
#[derive(Clone)]
pub struct AlertService {
    store: Arc<dyn EventStore>,
}

impl AlertService {
    /// What keys of requests are told apart by.
    const ROUTE: &'static str = "alerts";

    /// Works on `store`.
    pub fn new(store: Arc<dyn EventStore>) -> Self {
        Self { store }
    }

    /// Raises an alert. It is kept when this returns, and on its way to every dashboard. Raised
    /// again with the same key, it is the alert as it was then, and nothing happens.
    pub async fn raise(
        &self,
        raise: RaiseAlert,
        key: Option<RequestKey>,
    ) -> Result<Kept<Stamped<Alert>>, SubmitError> {
        let command = Command::RaiseAlert(raise);
        let Kept { value, replayed } =
            submit(self.store.as_ref(), Self::ROUTE, command, key).await?;
        let value = match value {
            Answer::Appended(Stamped { position, value: Event::Alert(event) }) => {
                Stamped { position, value: event.alert }
            }
            Answer::Unchanged(alert) => alert,
            Answer::Appended(Stamped { value: Event::Chat(_), .. }) => {
                return Err(SubmitError::UnexpectedAnswer);
            }
        };
        Ok(Kept { value, replayed })
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
