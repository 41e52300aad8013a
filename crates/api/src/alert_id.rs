//! Parses the id of an alert in an address.

use crate::ApiError;
use northgate_domain::AlertId;
use uuid::Uuid;

/// Parses an id. A text that is not a UUID is answered like an unknown id.
pub(crate) fn alert_id(text: &str) -> Result<AlertId, ApiError> {
    Uuid::try_parse(text).map(AlertId).map_err(|_| ApiError::NoSuchAlert)
}
