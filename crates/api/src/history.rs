//! From the query of a history to the question for the service, and from its answer to the part
//! that is shown.

use crate::ApiError;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use northgate_domain::Stamped;
use northgate_schemas::{HistoryRequest, Order, Part};
use northgate_services::{AlertQuery, HistoryRange, MessageQuery, Snapshot};
use std::future::{Ready, ready};
use utoipa::IntoParams;

/// What is asked of a history, and at which address.
pub(crate) struct AskedHistory {
    pub(crate) request: HistoryRequest,
    pub(crate) path: String,
}

impl FromRequest for AskedHistory {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let path = request.path().to_owned();
        let parsed = HistoryRequest::parse(request.query_string());
        ready(parsed.map(|request| Self { request, path }).map_err(ApiError::Query))
    }
}

impl AskedHistory {
    pub(crate) fn alerts(&self) -> AlertQuery {
        AlertQuery {
            range: self.range(),
            search: self.request.search.clone(),
            locations: self.request.locations.clone(),
        }
    }

    pub(crate) fn messages(&self) -> MessageQuery {
        MessageQuery { range: self.range(), search: self.request.search.clone() }
    }

    fn range(&self) -> HistoryRange {
        let HistoryRequest { limit, after, before, since, until, .. } = self.request;
        HistoryRange { limit, after, before, since, until }
    }
}

/// What of a snapshot is shown.
pub(crate) fn part<T>(snapshot: &Snapshot<Stamped<T>>) -> Part<'_, T> {
    let Snapshot { position, ref items, has_older, has_newer } = *snapshot;
    Part { position, items, has_older, has_newer }
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
pub(crate) struct LocationParameter {
    /// Only alerts at one of these locations, word for word; repeatable, at most 64 times.
    #[param(max_items = 64)]
    location: Option<Vec<String>>,
}
