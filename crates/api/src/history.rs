//! Extracts the query of a history from a request.

use crate::ApiError;
use crate::answers::ANSWER_BYTES;
use crate::middlewares::is_cross_site;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use northgate_domain::{AlertId, AlertQuery, HistoryRange, MessageQuery};
use northgate_schemas::{Order, parse_history, parse_timeline};
use std::future::{Ready, ready};
use utoipa::IntoParams;

/// The query of a history, and the order of the items in the answer.
pub(crate) struct AskedHistory {
    pub(crate) query: AlertQuery,
    pub(crate) order: Order,
}

impl FromRequest for AskedHistory {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parsed = parse_history(request.query_string()).map_err(ApiError::Query);
        let asked = parsed.and_then(|(mut query, order)| {
            if query.is_search() && is_cross_site(request) {
                return Err(ApiError::CrossSiteSearch);
            }
            query.range.max_bytes = ANSWER_BYTES;
            Ok(Self { query, order })
        });
        ready(asked)
    }
}

impl AskedHistory {
    /// Returns the query for messages: for all, or for the thread of one alert.
    pub(crate) fn messages(&self, alert_id: Option<AlertId>) -> MessageQuery {
        let (range, search) = (self.query.range, self.query.search.clone());
        MessageQuery { range, search, alert_id }
    }
}

/// The query of the timeline of an alert.
pub(crate) struct AskedTimeline(pub(crate) HistoryRange);

impl FromRequest for AskedTimeline {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parsed = parse_timeline(request.query_string()).map_err(ApiError::Query);
        ready(parsed.map(|range| Self(HistoryRange { max_bytes: ANSWER_BYTES, ..range })))
    }
}

/// The parameters of the timeline of an alert.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the query, which is read name by name")]
pub(crate) struct TimelineParameters {
    /// Upper bound of stored events per page. The page contains the newest ones.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u16>,
    /// Only stored events before this position.
    #[param(example = "9f86d081884c7d65-42")]
    before: Option<String>,
}

/// The parameters of every history.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the query, which is read name by name")]
pub(crate) struct HistoryParameters {
    /// Upper bound of items per page. The page contains the newest items, or with `after` the
    /// oldest items after that position.
    #[param(minimum = 1, maximum = 1000, default = 10)]
    limit: Option<u16>,
    /// Only items after this position. `after` and `before` together select a range.
    #[param(example = "9f86d081884c7d65-42")]
    after: Option<String>,
    /// Only items before this position.
    before: Option<String>,
    /// Only items that were raised or posted at this time or later (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime, example = "2025-07-24T14:00:00Z")]
    since: Option<String>,
    /// Only items that were raised or posted before this time (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime, example = "2025-07-24T15:00:00Z")]
    until: Option<String>,
    /// Search words. Each search word must be the beginning of a word in the message, the location
    /// or the sender. Case and diacritics are ignored.
    #[param(max_length = 256, example = "intrud gate")]
    q: Option<String>,
    /// Order of the items in the answer. The order does not affect which items are selected.
    #[param(inline, default = "asc")]
    order: Option<Order>,
}

/// The additional parameters of the history of alerts.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the query, which is read name by name")]
pub(crate) struct AlertParameters {
    /// Only alerts whose location is exactly one of these values. The parameter can have
    /// at most 64 different values.
    #[param(max_items = 64)]
    location: Option<Vec<String>>,
    /// Only alerts whose source is exactly one of these values. The parameter can have at
    /// most 64 different values.
    #[param(max_items = 64)]
    source: Option<Vec<String>>,
    /// Only alerts with one of these statuses: `open`, `acknowledged`, `resolved`. The parameter
    /// can occur several times, or contain several values separated by commas.
    #[param(example = json!(["open", "acknowledged"]))]
    status: Option<Vec<String>>,
    /// Only alerts with one of these severities: `critical`, `error`, `warning`, `info`. The
    /// parameter can occur several times, or contain several values separated by commas.
    #[param(example = json!(["error", "critical"]))]
    severity: Option<Vec<String>>,
    /// Only alerts with at least this severity. `severity` and `min_severity` cannot be combined.
    min_severity: Option<String>,
    /// Only alerts that have this label with this value, for example `label.zone=perimeter`.
    /// Several values of one label are alternatives. Several labels must all match.
    #[param(rename = "label.<name>")]
    label: Option<Vec<String>>,
}
