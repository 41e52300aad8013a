//! Answers with many items. Each answer contains the position of the log at which it is correct.

use crate::Order;
use crate::encoding::encode;
use crate::history::{PageLinks, links, shown};
use crate::{AlertBody, ChatBody, PositionText};
use northgate_domain::{
    Alert, AlertQuery, ChatMessage, HistoryPage, Severity, StatusKind, Summary,
};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A page of alerts, oldest first unless the request has `order=desc`.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertCollection<'a> {
    /// The alerts in their current state.
    #[schema(inline = false)]
    pub alerts: Vec<AlertBody<'a>>,
    /// Number of alerts in this answer.
    pub count: usize,
    /// Position of the newest event that the alerts reflect. A stream that starts after this
    /// position sends every later event.
    #[schema(value_type = String)]
    pub position: PositionText,
    /// Address of the page with newer alerts, or `null` if no newer alerts match. Follow `next`
    /// until it is `null`. A page can contain fewer alerts than its limit, or none, even if more
    /// alerts match.
    #[schema(required = true, example = "?limit=10&after=9f86d081884c7d65-42")]
    pub next: Option<String>,
    /// Address of the page with older alerts, or `null` if no older alerts match. Follow `previous`
    /// until it is `null`. A page can contain fewer alerts than its limit, or none, even if more
    /// alerts match.
    #[schema(required = true, example = "?limit=10&before=9f86d081884c7d65-33")]
    pub previous: Option<String>,
}

impl<'a> AlertCollection<'a> {
    /// Creates the answer to `query` with the items of `page`.
    pub fn new(query: &AlertQuery, order: Order, page: &'a HistoryPage<Alert>) -> Self {
        let PageLinks { next, previous } = links(query, order, page);
        Self {
            alerts: shown(page, order),
            count: page.items.len(),
            position: PositionText(page.position),
            next,
            previous,
        }
    }

    /// Returns the answer as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        encode(self)
    }
}

/// Counts of alerts by status and severity.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertSummary {
    /// Number of all alerts.
    total: u64,
    /// Number of alerts of each status.
    by_status: BTreeMap<&'static str, u64>,
    /// Number of unresolved alerts of each severity.
    unresolved_by_severity: BTreeMap<&'static str, u64>,
    /// Number of alerts of each severity, grouped by status.
    counts: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    /// Position of the newest event that the counts reflect. A stream that starts after this
    /// position sends every later event.
    #[schema(value_type = String)]
    position: PositionText,
}

impl AlertSummary {
    /// Creates the wire form of `counts` at `position`.
    pub fn new(Summary { position, counts }: Summary) -> Self {
        let severities = |statuses: &[StatusKind]| {
            let of = |severity| statuses.iter().map(|status| counts.count(*status, severity)).sum();
            Severity::ALL.map(|severity| (severity.name(), of(severity))).into()
        };
        let by_both: BTreeMap<_, BTreeMap<_, _>> =
            StatusKind::ALL.map(|status| (status.name(), severities(&[status]))).into();
        let by_status: BTreeMap<_, u64> =
            by_both.iter().map(|(status, counts)| (*status, counts.values().sum())).collect();
        Self {
            total: by_status.values().sum(),
            by_status,
            unresolved_by_severity: severities(&StatusKind::UNRESOLVED),
            counts: by_both,
            position: PositionText(position),
        }
    }
}

/// A page of chat messages, oldest first unless the request has `order=desc`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageCollection<'a> {
    /// The messages.
    #[schema(inline = false)]
    pub chat_messages: Vec<ChatBody<'a>>,
    /// Number of messages in this answer.
    pub count: usize,
    /// Position of the newest event that the messages reflect. A stream that starts after this
    /// position sends every later event.
    #[schema(value_type = String)]
    pub position: PositionText,
    /// Address of the page with newer messages, or `null` if no newer messages match. Follow `next`
    /// until it is `null`. A page can contain fewer messages than its limit, or none, even if more
    /// messages match.
    #[schema(required = true, example = "/message/?limit=10&after=9f86d081884c7d65-42")]
    pub next: Option<String>,
    /// Address of the page with older messages, or `null` if no older messages match. Follow
    /// `previous` until it is `null`. A page can contain fewer messages than its limit, or none,
    /// even if more messages match.
    #[schema(required = true, example = "/message/?limit=10&before=9f86d081884c7d65-33")]
    pub previous: Option<String>,
}

impl<'a> MessageCollection<'a> {
    /// Creates the answer to `query` with the items of `page`.
    pub fn new(query: &AlertQuery, order: Order, page: &'a HistoryPage<ChatMessage>) -> Self {
        let PageLinks { next, previous } = links(query, order, page);
        Self {
            chat_messages: shown(page, order),
            count: page.items.len(),
            position: PositionText(page.position),
            next,
            previous,
        }
    }

    /// Returns the answer as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        encode(self)
    }
}
