//! One address with its methods: both spellings of the slash, `HEAD` beside `GET`, `OPTIONS`, and
//! a 405 that says what is allowed.

use crate::ApiError;
use actix_web::http::{Method, header};
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder, Route, guard, web};

/// An address under construction.
pub struct Endpoint {
    resource: Resource,
    methods: Vec<Method>,
}

impl Endpoint {
    /// The address `path`, given without a slash at its end.
    pub fn at(path: &str) -> Self {
        let spellings = if path == "/" {
            vec![path.to_owned()]
        } else {
            vec![path.to_owned(), format!("{path}/")]
        };
        Self { resource: web::resource(spellings), methods: Vec::new() }
    }

    /// Answers `GET`, and `HEAD` with the same headers.
    #[must_use]
    pub fn get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let either = guard::Any(guard::Get()).or(guard::Head());
        self.with([Method::GET, Method::HEAD], web::route().guard(either).to(handler))
    }

    /// Answers `GET` alone: for what has no headers of its own to show.
    #[must_use]
    pub fn get_only<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with([Method::GET], web::get().to(handler))
    }

    /// Answers `POST`.
    #[must_use]
    pub fn post<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with([Method::POST], web::post().to(handler))
    }

    fn with(mut self, methods: impl IntoIterator<Item = Method>, route: Route) -> Self {
        self.methods.extend(methods);
        Self { resource: self.resource.route(route), ..self }
    }

    /// The address as the framework wants it.
    pub fn into_resource(self) -> Resource {
        let names = self.methods.iter().map(Method::as_str).chain(["OPTIONS"]);
        let allow = names.collect::<Vec<_>>().join(", ");
        let options = allow.clone();
        self.resource
            .route(web::method(Method::OPTIONS).to(move || {
                let allow = options.clone();
                async move { HttpResponse::Ok().insert_header((header::ALLOW, allow)).finish() }
            }))
            .default_service(web::to(move || {
                let allow = allow.clone();
                async move { Err::<HttpResponse, _>(ApiError::MethodNotAllowed { allow }) }
            }))
    }
}
