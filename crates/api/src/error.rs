//! The one map from errors to status codes, and the one way to tell them (RFC 9457).

use crate::headers::{ACCEPTED_CODINGS, ALL_METHODS};
use crate::{BadIfMatch, BadKey, HeadError, NotReady};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use northgate_domain::Rejection;
use northgate_schemas::{ActionError, BodyError, FieldErrors, Problem};
use northgate_services::{LookupError, SubmitError};

/// Everything that an HTTP request can be refused for.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The body could not be read as a command.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The query, or a header that goes with it, asks for what there is not.
    #[error("The query is not valid; see errors.")]
    Query(FieldErrors),
    /// The key of the request is none.
    #[error("The header Idempotency-Key {0}.")]
    IdempotencyKey(BadKey),
    /// The revision that the request is for is none, or cannot be minded.
    #[error("The header If-Match {0}.")]
    IfMatch(BadIfMatch),
    /// The body stopped coming, or came broken.
    #[error("The body could not be read to its end.")]
    BrokenBody,
    /// The body did not come in time.
    #[error("The body came too slowly.")]
    SlowBody,
    /// The body is larger than is taken.
    #[error("The body is larger than the {limit} bytes that are taken.")]
    BodyTooLarge {
        /// The most bytes that are taken.
        limit: usize,
    },
    /// The body is not said to be JSON.
    #[error("Send the body as application/json.")]
    MediaType,
    /// The body is compressed in a way that is not known here.
    #[error("Send the body as it is, or compressed once by one of: {ACCEPTED_CODINGS}.")]
    ContentCoding,
    /// The body is not what its `Content-Encoding` says.
    #[error("The body is not compressed as its Content-Encoding says.")]
    BadCompression,
    /// The command did not happen.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The store does not answer.
    #[error("The store cannot answer now. Try again later.")]
    Unavailable,
    /// The query was not answered in time.
    #[error(
        "The query took too long. Ask for less: longer words, fewer conditions, or a shorter time."
    )]
    TooSlow,
    /// All large answers together have no memory left for another one.
    #[error("The server holds as many large answers as it may. Try again later.")]
    Busy,
    /// The server should not be sent requests now.
    #[error(transparent)]
    NotReady(#[from] NotReady),
    /// The query names a position of another log.
    #[error(
        "The position is not of this log: its data was replaced since. Ask without after and before."
    )]
    ForeignPosition,
    /// There is no alert with this id.
    #[error("There is no alert with this id.")]
    NoSuchAlert,
    /// There is nothing at this path.
    #[error("There is nothing at this address.")]
    NotFound,
    /// The path takes other methods.
    #[error("This address takes {allow} only.")]
    MethodNotAllowed {
        /// The methods that the path takes.
        allow: String,
    },
    /// A page of another origin tried to change something, or to listen.
    #[error(
        "Pages of this origin may not do that. Add the origin to CORS_ORIGINS_ALLOWED, \
         or its host name with --public-host."
    )]
    ForeignOrigin,
    /// A page of another site tried to start a search.
    #[error(
        "Pages of other sites may not search here. Add the origin to CORS_ORIGINS_ALLOWED, \
         or open the address by itself."
    )]
    CrossSiteSearch,
    /// The request is for a host that this server does not answer for.
    #[error(
        "This server answers for its own addresses, for loopback names, and for the names that \
         it was started with. If it is to answer for this host, start it with --public-host."
    )]
    ForeignHost,
    /// The preflight asked for what is not allowed.
    #[error("Pages may not send requests with this {0}.")]
    Preflight(&'static str),
    /// The head of the request could not be taken.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The framework refused the request or failed.
    #[error("{}", framework_detail(*.0))]
    Framework(StatusCode),
}

impl ApiError {
    /// The status, and the name of the kind of problem.
    fn kind(&self) -> (StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::Body(BodyError::Malformed { .. }) => (S::BAD_REQUEST, "malformed-json"),
            Self::Body(BodyError::Invalid(_)) => (S::UNPROCESSABLE_ENTITY, "invalid"),
            Self::Query(_) => (S::BAD_REQUEST, "query"),
            Self::IdempotencyKey(_) => (S::BAD_REQUEST, "idempotency-key"),
            Self::BrokenBody | Self::BadCompression => (S::BAD_REQUEST, "broken-body"),
            Self::SlowBody => (S::REQUEST_TIMEOUT, "too-slow"),
            Self::BodyTooLarge { .. } => (S::PAYLOAD_TOO_LARGE, "too-large"),
            Self::MediaType => (S::UNSUPPORTED_MEDIA_TYPE, "media-type"),
            Self::ContentCoding => (S::UNSUPPORTED_MEDIA_TYPE, "content-encoding"),
            Self::Submit(error) => submit_kind(error),
            Self::IfMatch(_) => (S::BAD_REQUEST, "if-match"),
            Self::Unavailable => (S::SERVICE_UNAVAILABLE, "unavailable"),
            Self::TooSlow => (S::SERVICE_UNAVAILABLE, "query-too-slow"),
            Self::Busy => (S::SERVICE_UNAVAILABLE, "busy"),
            Self::NotReady(_) => (S::SERVICE_UNAVAILABLE, "not-ready"),
            Self::ForeignPosition => (S::GONE, "foreign-position"),
            Self::NoSuchAlert => (S::NOT_FOUND, "no-such-alert"),
            Self::NotFound => (S::NOT_FOUND, "not-found"),
            Self::MethodNotAllowed { .. } => (S::METHOD_NOT_ALLOWED, "method-not-allowed"),
            Self::ForeignOrigin => (S::FORBIDDEN, "foreign-origin"),
            Self::CrossSiteSearch => (S::FORBIDDEN, "cross-site-search"),
            Self::ForeignHost => (S::MISDIRECTED_REQUEST, "foreign-host"),
            Self::Preflight(_) => (S::BAD_REQUEST, "preflight"),
            Self::Head(error) => head_kind(*error),
            Self::Framework(status) => (*status, "http"),
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Body(BodyError::Malformed { line, column }) => {
                format!(
                    "The body is not valid JSON: reading stopped at line {line}, column {column}."
                )
            }
            Self::Body(BodyError::Invalid(_)) => "The body is not valid; see errors.".to_owned(),
            Self::Submit(error) => submit_detail(error),
            other => other.to_string(),
        }
    }
}

impl From<LookupError> for ApiError {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::ForeignPosition => Self::ForeignPosition,
            LookupError::TooSlow => Self::TooSlow,
            LookupError::Unavailable => Self::Unavailable,
        }
    }
}

fn head_kind(error: HeadError) -> (StatusCode, &'static str) {
    use StatusCode as S;
    match error {
        HeadError::Malformed(_) | HeadError::Tls => (S::BAD_REQUEST, "malformed-request"),
        HeadError::Tunnel => (S::METHOD_NOT_ALLOWED, "method-not-allowed"),
        HeadError::Version => (S::HTTP_VERSION_NOT_SUPPORTED, "http-version"),
        HeadError::LengthRequired => (S::LENGTH_REQUIRED, "length-required"),
        HeadError::TargetTooLong { .. } => (S::URI_TOO_LONG, "too-large"),
        HeadError::TooManyHeaders { .. } | HeadError::TooLarge { .. } => {
            (S::REQUEST_HEADER_FIELDS_TOO_LARGE, "too-large")
        }
        HeadError::TooSlow => (S::REQUEST_TIMEOUT, "too-slow"),
        HeadError::NoRoom => (S::SERVICE_UNAVAILABLE, "busy"),
    }
}

fn submit_kind(error: &SubmitError) -> (StatusCode, &'static str) {
    match error {
        SubmitError::Refused(rejection) => {
            let status = match rejection {
                Rejection::NoSuchAlert(_) => StatusCode::NOT_FOUND,
                Rejection::Contradicts { .. } => StatusCode::CONFLICT,
                Rejection::Outdated { .. } => StatusCode::PRECONDITION_FAILED,
                Rejection::AlreadyOver => StatusCode::UNPROCESSABLE_ENTITY,
            };
            (status, ActionError::from(rejection).slug)
        }
        SubmitError::KeyReused => (StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused"),
        SubmitError::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        SubmitError::OutcomeUnknown => (StatusCode::SERVICE_UNAVAILABLE, "outcome-unknown"),
        SubmitError::UnexpectedAnswer => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
    }
}

fn submit_detail(error: &SubmitError) -> String {
    let detail = match error {
        SubmitError::Refused(rejection) => {
            return ActionError::from(rejection).detail;
        }
        SubmitError::KeyReused => {
            "This Idempotency-Key was used for another request, and nothing was kept. Draw a \
             new one for each request; the same one is for sending the same request again."
        }
        SubmitError::Unavailable => "Nothing is taken now, and nothing was kept. Try again later.",
        SubmitError::OutcomeUnknown => {
            "The store failed while it was keeping this: it may or may not be kept. \
             If it was sent with an Idempotency-Key, send it again with the same one."
        }
        SubmitError::UnexpectedAnswer => "The server failed.",
    };
    detail.to_owned()
}

fn framework_detail(status: StatusCode) -> &'static str {
    match status.as_u16() {
        408 => "The request came too slowly.",
        status if status < 500 => "The request could not be understood.",
        _ => "The server failed.",
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.kind().0
    }

    fn error_response(&self) -> HttpResponse {
        let (status, slug) = self.kind();
        let title = status.canonical_reason().unwrap_or("Error");
        let mut problem = Problem::new(slug, status.as_u16(), title, self.detail());
        match self {
            Self::Body(BodyError::Invalid(findings)) => problem = problem.with_body(findings),
            Self::Query(findings) => problem = problem.with_query(findings),
            Self::Submit(SubmitError::Refused(rejection)) => {
                let refusal = ActionError::from(rejection);
                if let Some(alert) = refusal.alert {
                    problem = problem.with_alert(&alert);
                }
                if let Some(findings) = refusal.findings {
                    problem = problem.with_body(&findings);
                }
            }
            _ => {}
        }
        match status.as_u16() {
            // What the store has to say of itself, it says itself.
            status @ (503 | 505) => {
                tracing::debug!(http.status = status, error = ?self, "a request was not served");
            }
            500.. => {
                tracing::error!(http.status = status.as_u16(), error = ?self, "a request failed");
            }
            _ => {}
        }
        let mut response = HttpResponse::build(status);
        match self {
            Self::MethodNotAllowed { allow } => {
                response.insert_header((header::ALLOW, allow.as_str()));
            }
            Self::Head(HeadError::Tunnel) => {
                response.insert_header((header::ALLOW, ALL_METHODS));
            }
            _ => {}
        }
        if let Self::ContentCoding = self {
            // What a request may be compressed by (RFC 9110 section 15.5.16).
            response.insert_header((header::ACCEPT_ENCODING, ACCEPTED_CODINGS));
        }
        // Not where it may have been kept: sending it again could raise it twice.
        if matches!(slug, "unavailable" | "busy" | "query-too-slow") {
            response.insert_header((header::RETRY_AFTER, "1"));
        }
        response.content_type(Problem::MEDIA_TYPE).body(problem.to_json())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_says_when_to_come_again() {
        for error in [ApiError::TooSlow, ApiError::Busy, ApiError::Unavailable] {
            let answer = ApiError::error_response(&error);
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{error:?}");
            assert!(answer.headers().contains_key(header::RETRY_AFTER), "{error:?}");
        }
        let unknown = ApiError::from(SubmitError::OutcomeUnknown).error_response();
        assert!(!unknown.headers().contains_key(header::RETRY_AFTER), "it may be kept");
    }
}
