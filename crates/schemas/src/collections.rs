//! Answers that hold many items, with the position that they reflect.

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

/// Alerts, oldest first unless the other order was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertCollection<'a> {
    /// The alerts, as they stand now.
    #[schema(inline = false)]
    pub alerts: Vec<AlertBody<'a>>,
    /// How many alerts this answer holds.
    pub count: usize,
    /// The newest event that the alerts reflect: what comes after it is on the stream.
    #[schema(value_type = String)]
    pub position: PositionText,
    /// The address of what is newer; `null` if nothing is. Follow it until it is `null`: an answer
    /// may hold fewer items than its limit, or none, and more may match.
    #[schema(required = true, example = "/alerts?limit=10&after=9f86d081884c7d65-42")]
    pub next: Option<String>,
    /// The address of what is older; `null` if nothing is. Follow it until it is `null`: an answer
    /// may hold fewer items than its limit, or none, and more may match.
    #[schema(required = true, example = "/alerts?limit=10&before=9f86d081884c7d65-33")]
    pub previous: Option<String>,
}

impl<'a> AlertCollection<'a> {
    /// The `page` that answers `query`.
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

    /// The answer as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        encode(self)
    }
}

/// All alerts in numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertSummary {
    /// How many alerts there are.
    total: u64,
    /// How many there are of each status.
    by_status: BTreeMap<&'static str, u64>,
    /// How many of those that are not resolved there are of each severity.
    unresolved_by_severity: BTreeMap<&'static str, u64>,
    /// How many there are of each severity, for each status.
    counts: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    /// The newest event that the counts reflect: what comes after it is on the stream.
    #[schema(value_type = String)]
    position: PositionText,
}

impl AlertSummary {
    /// The counts of a summary.
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

/// Chat messages, oldest first unless the other order was asked for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageCollection<'a> {
    /// The messages.
    #[schema(inline = false)]
    pub chat_messages: Vec<ChatBody<'a>>,
    /// How many messages this answer holds.
    pub count: usize,
    /// The newest event that the messages reflect: what comes after it is on the stream.
    #[schema(value_type = String)]
    pub position: PositionText,
    /// The address of what is newer; `null` if nothing is. Follow it until it is `null`: an answer
    /// may hold fewer items than its limit, or none, and more may match.
    #[schema(required = true, example = "/message/?limit=10&after=9f86d081884c7d65-42")]
    pub next: Option<String>,
    /// The address of what is older; `null` if nothing is. Follow it until it is `null`: an answer
    /// may hold fewer items than its limit, or none, and more may match.
    #[schema(required = true, example = "/message/?limit=10&before=9f86d081884c7d65-33")]
    pub previous: Option<String>,
}

impl<'a> MessageCollection<'a> {
    /// The `page` that answers `query`.
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

    /// The answer as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        encode(self)
    }
}
