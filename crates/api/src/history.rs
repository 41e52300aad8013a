//! The query of a history, as controllers get it.

use crate::ApiError;
use crate::answers::ANSWER_BYTES;
use crate::middlewares::is_cross_site;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use northgate_domain::{AlertId, AlertQuery, MessageQuery};
use northgate_schemas::{Order, parse_history};
use std::future::{Ready, ready};
use utoipa::IntoParams;

/// The query of a history, and the order in which to show the answer.
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
    /// The query for messages: all, or those of one alert's thread.
    pub(crate) fn messages(&self, alert_id: Option<AlertId>) -> MessageQuery {
        let (range, search) = (self.query.range, self.query.search.clone());
        MessageQuery { range, search, alert_id }
    }
}

/// The parameters that every history takes.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the query, which is read name by name")]
pub(crate) struct HistoryParameters {
    /// The most items: the newest ones, or with `after` the oldest after it.
    #[param(minimum = 1, maximum = 1000, default = 10)]
    limit: Option<u16>,
    /// Only what stands after this position. With `before` as well, the two bound a range.
    #[param(example = "9f86d081884c7d65-42")]
    after: Option<String>,
    /// Only what stands before this position.
    before: Option<String>,
    /// Only what began at this moment or later (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime, example = "2025-07-24T14:00:00Z")]
    since: Option<String>,
    /// Only what began before this moment (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime, example = "2025-07-24T15:00:00Z")]
    until: Option<String>,
    /// Words, each of which must begin some word of the message, the location or the sender,
    /// whatever its case and diacritics.
    #[param(max_length = 256, example = "intrud gate")]
    q: Option<String>,
    /// In which order the items are shown; which ones they are does not depend on it.
    #[param(inline, default = "asc")]
    order: Option<Order>,
}

/// What the history of alerts takes besides.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the query, which is read name by name")]
pub(crate) struct AlertParameters {
    /// Only alerts at one of these locations, word for word; repeatable, at most 64 times.
    #[param(max_items = 64)]
    location: Option<Vec<String>>,
    /// Only alerts from one of these sources, word for word; repeatable, at most 64 times.
    #[param(max_items = 64)]
    source: Option<Vec<String>>,
    /// Only alerts of one of these statuses: `open`, `acknowledged`, `resolved`; repeatable, or
    /// separated by commas.
    #[param(example = json!(["open", "acknowledged"]))]
    status: Option<Vec<String>>,
    /// Only alerts of one of these severities: `critical`, `error`, `warning`, `info`; repeatable,
    /// or separated by commas.
    #[param(example = json!(["error", "critical"]))]
    severity: Option<Vec<String>>,
    /// Only alerts that are at least as bad as this; not together with `severity`.
    min_severity: Option<String>,
    /// Only alerts with this value of the label of this name, such as `label.zone=perimeter`. Of
    /// one name any of its values will do; of several names the alert has them all.
    #[param(rename = "label.<name>")]
    label: Option<Vec<String>>,
}
