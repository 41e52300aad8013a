//! The id of an alert in an address.

use crate::ApiError;
use northgate_domain::AlertId;
use uuid::Uuid;

/// The id in an address. What is none is the id of no alert.
pub(crate) fn alert_id(text: &str) -> Result<AlertId, ApiError> {
    Uuid::try_parse(text).map(AlertId).map_err(|_| ApiError::NoSuchAlert)
}
