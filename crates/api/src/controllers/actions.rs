//! Actions on one alert and on many alerts over HTTP.

use crate::alert_id::alert_id;
use crate::answers::ANSWER_BYTES;
use crate::body::JsonBody;
use crate::conditional::{IfMatch, IfMatchHeader, WithoutIfMatch, alert_answer};
use crate::idempotency::{IdempotencyKeyHeader, KeyOfRequest, WithoutKey, kept};
use crate::responses::{ActionAnswers, WriteProblems};
use crate::{AnswerBudget, ApiError};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use northgate_domain::{ActOnAlert, Action, Alert, AlertId, AlertQuery, Positioned};
use northgate_schemas::{
    ActionOutcome, ActionResult, ActionResults, Actions, AlertBody, Continuation, MOST_ACTED_ON,
    NewAction, NewActions, NewNote, Targets,
};
use northgate_services::{Acted, AlertService, SubmitError};
use std::future::{Ready, ready};

/// The fields of an action that are not in its body: the alert, the alert's expected revisions, and
/// the idempotency key.
pub(crate) struct AskedAction {
    alert: AlertId,
    revision: IfMatch,
    key: KeyOfRequest,
}

impl FromRequest for AskedAction {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let mut asked = || {
            Ok(Self {
                alert: alert_id(request.match_info().query("id"))?,
                revision: IfMatch::from_request(request, payload).into_inner()?,
                key: KeyOfRequest::from_request(request, payload).into_inner()?,
            })
        };
        ready(asked())
    }
}

impl AskedAction {
    async fn act(
        self,
        service: &AlertService,
        body: &JsonBody,
        action: Action,
    ) -> Result<HttpResponse, ApiError> {
        let act = NewAction::parse(&body.0, self.alert, action, self.revision.0)?;
        let done = service.act(act, self.key.0).await?;
        let alert = done.value.alert;
        Ok(kept(alert_answer(&alert), done.replayed).json(AlertBody::from(&alert)))
    }
}

/// Acknowledge an alert.
///
/// All clients see who handles the alert. If the alert is acknowledged already, nothing changes and
/// the operator stays the same. A resolved alert must be reopened first; until then the answer is
/// 409.
#[utoipa::path(
    post,
    path = "/alerts/{id}/acknowledge",
    tag = "alerts",
    params(("id" = Uuid, Path, description = "The alert's id."), IfMatchHeader, IdempotencyKeyHeader),
    request_body = NewAction,
    responses(ActionAnswers, WriteProblems)
)]
pub(crate) async fn acknowledge(
    service: web::Data<AlertService>,
    asked: AskedAction,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    asked.act(&service, &body, Action::Acknowledge).await
}

/// Remove the acknowledgement of an alert.
///
/// The alert becomes open again. A resolved alert must be reopened first; until then the answer is
/// 409.
#[utoipa::path(
    post,
    path = "/alerts/{id}/unacknowledge",
    tag = "alerts",
    params(("id" = Uuid, Path, description = "The alert's id."), IfMatchHeader, IdempotencyKeyHeader),
    request_body = NewAction,
    responses(ActionAnswers, WriteProblems)
)]
pub(crate) async fn unacknowledge(
    service: web::Data<AlertService>,
    asked: AskedAction,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    asked.act(&service, &body, Action::Unacknowledge).await
}

/// Resolve an alert.
///
/// A later raise with the same `dedup_key` creates a new alert.
#[utoipa::path(
    post,
    path = "/alerts/{id}/resolve",
    tag = "alerts",
    params(("id" = Uuid, Path, description = "The alert's id."), IfMatchHeader, IdempotencyKeyHeader),
    request_body = NewAction,
    responses(ActionAnswers, WriteProblems)
)]
pub(crate) async fn resolve(
    service: web::Data<AlertService>,
    asked: AskedAction,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    asked.act(&service, &body, Action::Resolve).await
}

/// Reopen a resolved alert.
///
/// The expiry time of the alert is removed. For an acknowledged alert the answer is 409.
#[utoipa::path(
    post,
    path = "/alerts/{id}/reopen",
    tag = "alerts",
    params(("id" = Uuid, Path, description = "The alert's id."), IfMatchHeader, IdempotencyKeyHeader),
    request_body = NewAction,
    responses(ActionAnswers, WriteProblems)
)]
pub(crate) async fn reopen(
    service: web::Data<AlertService>,
    asked: AskedAction,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    asked.act(&service, &body, Action::Reopen).await
}

/// Add a note to an alert.
///
/// The alert can have any status. Its newest 20 notes are part of the alert.
#[utoipa::path(
    post,
    path = "/alerts/{id}/notes",
    tag = "alerts",
    params(("id" = Uuid, Path, description = "The alert's id."), IfMatchHeader, IdempotencyKeyHeader),
    request_body = NewNote,
    responses(ActionAnswers, WriteProblems)
)]
pub(crate) async fn annotate(
    service: web::Data<AlertService>,
    asked: AskedAction,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    asked.act(&service, &body, Action::Annotate).await
}

/// Act on many alerts.
///
/// The request selects the alerts by their ids or by a filter, at most 1,000. Each alert has its
/// own outcome, and a refused alert does not affect the others. `Idempotency-Key` is not accepted
/// here. If the request is sent again, alerts that already have the status are `unchanged`, but the
/// action `annotate` adds its note again. `If-Match` is not accepted here either, because each
/// alert has its own revision.
#[utoipa::path(
    post,
    path = "/alerts/actions",
    tag = "alerts",
    request_body = NewActions,
    responses(
        (status = 200, description = "The outcome for each alert.", body = ActionResults),
        WriteProblems,
    )
)]
pub(crate) async fn on_many(
    service: web::Data<AlertService>,
    budget: web::Data<AnswerBudget>,
    _: (WithoutKey, WithoutIfMatch),
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let Actions { action, by, note, which } = Actions::parse(&body.0)?;
    // Memory for the answer is reserved before the actions are executed, because executed actions
    // must be answered.
    let reservation = budget.reserve(MOST_ACTED_ON).await?;
    let act = |alert, expected| {
        let (by, note) = (by.clone(), note.clone());
        ActOnAlert { alert, action, by, note, expected }
    };
    let (acts, query, rest): (Vec<_>, _, _) = match which {
        Targets::Ids(ids) => {
            (ids.into_iter().map(|id| act(id, None)).collect(), AlertQuery::default(), None)
        }
        Targets::Matching(mut query) => {
            query.range.max_bytes = ANSWER_BYTES;
            let found = service.history(query.as_ref().clone()).await?;
            let seen =
                |alert: &Positioned<Alert>| act(alert.value.id, Some(vec![alert.value.revision]));
            let rest = Continuation::of(&query, &found);
            (found.items.iter().map(seen).collect(), *query, rest)
        }
    };
    let report = |id, done: Result<Acted, SubmitError>| {
        let outcome = match done {
            Ok(Acted { alert, changed }) => ActionOutcome::done(alert, changed),
            Err(error) => {
                ActionOutcome::not_done(error.broken_rule(), error == SubmitError::Unavailable)
            }
        };
        ActionResult::new(id, &outcome)
    };
    let results = service.act_on_many(acts, |alert| query.admits(alert), report).await;
    Ok(reservation.json(ActionResults::new(results, rest).to_json()))
}
