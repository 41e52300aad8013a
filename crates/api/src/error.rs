//! The only mapping from errors to status codes, and to problem details (RFC 9457).

use crate::headers::{ACCEPTED_CODINGS, ALL_METHODS};
use crate::{BadIfMatch, BadKey, HeadError, NotReady};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use northgate_domain::Rejection;
use northgate_schemas::{ActionError, BodyError, FieldErrors, Problem};
use northgate_services::{LookupError, SubmitError};

/// All errors of an HTTP request.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The body could not be parsed.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// Some parameters of the query are invalid.
    #[error("The query is not valid; see errors.")]
    Query(FieldErrors),
    /// The header `Idempotency-Key` is invalid or not accepted at this address.
    #[error("The header Idempotency-Key {0}.")]
    IdempotencyKey(BadKey),
    /// The header `If-Match` is invalid or not accepted at this address.
    #[error("The header If-Match {0}.")]
    IfMatch(BadIfMatch),
    /// The body is incomplete or malformed.
    #[error("The body is incomplete or malformed. Send the request again.")]
    BrokenBody,
    #[error("The body did not arrive in time.")]
    SlowBody,
    #[error("The body is too large: at most {limit} bytes are accepted.")]
    BodyTooLarge {
        /// Upper bound in bytes.
        limit: usize,
    },
    /// The `Content-Type` of the body is not JSON.
    #[error("The Content-Type is not supported. Send the body as application/json.")]
    MediaType,
    /// The `Content-Encoding` of the body is not supported.
    #[error(
        "The Content-Encoding is not supported. Send the body uncompressed, or compressed once \
         with one of: {ACCEPTED_CODINGS}."
    )]
    ContentCoding,
    #[error("The body cannot be decompressed as its Content-Encoding states.")]
    BadCompression,
    /// The command was not executed, or its outcome is unknown.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The store does not answer.
    #[error("The store cannot answer now. Try again later.")]
    Unavailable,
    /// The query exceeded its time limit.
    #[error("The query took too long. Use longer words, fewer conditions or a shorter time range.")]
    TooSlow,
    /// The memory budget of large answers is used up.
    #[error("The memory for large answers is used up. Try again later.")]
    Busy,
    /// The server is not ready for requests.
    #[error(transparent)]
    NotReady(#[from] NotReady),
    /// The query contains a position of another log.
    #[error(
        "The position does not exist in this log, for example because the data was replaced. Omit \
         after, before and as_of."
    )]
    ForeignPosition,
    #[error("There is no alert with this id.")]
    NoSuchAlert,
    /// There is no resource at this path.
    #[error("There is no resource at this address. The addresses are listed at /docs.")]
    NotFound,
    /// The path does not accept this method.
    #[error("The method is not allowed. This address accepts only {allow}.")]
    MethodNotAllowed {
        /// The methods that the path accepts.
        allow: String,
    },
    /// A page of an origin that is not allowed tried to change something or to open a stream.
    #[error(
        "Pages of other origins may not send this request. To allow an origin, add it to \
         CORS_ORIGINS_ALLOWED, or its host name with --public-host; its pages must send the request \
         with CORS."
    )]
    ForeignOrigin,
    /// A page of another site tried to search.
    #[error(
        "Pages of other sites may not search. To allow a site, add its origin to \
         CORS_ORIGINS_ALLOWED, or its host name with --public-host; its pages must send the request \
         with CORS. To search without a page, open the address directly."
    )]
    CrossSiteSearch,
    /// The request is for a host that the server does not accept.
    #[error(
        "The server does not accept requests for this host. It accepts its own addresses, \
         loopback names, and the hosts of --public-host. To accept this host, add it with \
         --public-host."
    )]
    ForeignHost,
    /// A CORS preflight asked for something that is not allowed.
    #[error("Pages may not send requests with this {0}.")]
    Preflight(&'static str),
    /// The request head was refused.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The framework refused the request or failed.
    #[error("{}", framework_detail(*.0))]
    Framework(StatusCode),
}

impl ApiError {
    /// Returns the status, and the name of the kind of problem.
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
            "This Idempotency-Key was used for another request, so nothing was stored. Use a new \
             key for each new request, and the same key only to send the same request again."
        }
        SubmitError::Unavailable => {
            "The server cannot store events now; /health/ready states the reason. Nothing was \
             changed. Try again later."
        }
        SubmitError::OutcomeUnknown => {
            "The store failed during this request, so the request may or may not be stored. \
             If the request had an Idempotency-Key, send it again with the same key."
        }
        SubmitError::UnexpectedAnswer => "The server failed.",
    };
    detail.to_owned()
}

fn framework_detail(status: StatusCode) -> &'static str {
    match status.as_u16() {
        408 => "The request did not arrive in time.",
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
            // The store logs its own failures, so level debug is enough here.
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
            // The codings that a request body may have (RFC 9110 section 15.5.16).
            response.insert_header((header::ACCEPT_ENCODING, ACCEPTED_CODINGS));
        }
        // An unknown outcome has no `Retry-After`, because a second request could raise the alert
        // twice.
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
    fn temporary_errors_have_a_retry_after_header() {
        for error in [ApiError::TooSlow, ApiError::Busy, ApiError::Unavailable] {
            let answer = ApiError::error_response(&error);
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{error:?}");
            assert!(answer.headers().contains_key(header::RETRY_AFTER), "{error:?}");
        }
        let unknown = ApiError::from(SubmitError::OutcomeUnknown).error_response();
        assert!(!unknown.headers().contains_key(header::RETRY_AFTER), "the alert may be stored");
    }
}
