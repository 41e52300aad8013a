//! One address with its methods: with and without a final slash, `HEAD` in addition to `GET`,
//! `OPTIONS`, and 405 with the allowed methods for all others.

use crate::ApiError;
use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::http::{Method, header};
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder, Route, guard, web};

/// One address, which can be added to an app as a service.
pub struct Endpoint {
    /// One resource for the path without a final slash, and one for the path with a final slash. A
    /// single resource with both paths would be slower: the router matches a list of paths with
    /// regular expressions, but compares a single path without parameters directly.
    spellings: Vec<Resource>,
    methods: Vec<Method>,
}

impl Endpoint {
    /// An endpoint at `path`, which must have no final slash.
    pub fn at(path: &str) -> Self {
        let mut spellings = vec![web::resource(path)];
        if path != "/" {
            spellings.push(web::resource(format!("{path}/")));
        }
        Self { spellings, methods: Vec::new() }
    }

    /// Adds a handler for `GET`, and for `HEAD` with the same headers.
    #[must_use]
    pub fn get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let either = || guard::Any(guard::Get()).or(guard::Head());
        let route = move || web::route().guard(either()).to(handler.clone());
        self.with([Method::GET, Method::HEAD], route)
    }

    /// Adds a handler for `GET` without `HEAD`, for an address whose answer to `HEAD` would be
    /// useless (a WebSocket upgrade).
    #[must_use]
    pub fn get_only<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with([Method::GET], move || web::get().to(handler.clone()))
    }

    /// Adds a handler for `POST`.
    #[must_use]
    pub fn post<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with([Method::POST], move || web::post().to(handler.clone()))
    }

    fn with(
        mut self,
        methods: impl IntoIterator<Item = Method>,
        route: impl Fn() -> Route,
    ) -> Self {
        self.methods.extend(methods);
        self.spellings =
            self.spellings.into_iter().map(|resource| resource.route(route())).collect();
        self
    }

    /// Returns the value of the `Allow` header.
    fn allow(&self) -> String {
        let names = self.methods.iter().map(Method::as_str).chain(["OPTIONS"]);
        names.collect::<Vec<_>>().join(", ")
    }
}

impl HttpServiceFactory for Endpoint {
    fn register(self, app: &mut AppService) {
        let allow = self.allow();
        for resource in self.spellings {
            let (answer, refusal) = (allow.clone(), allow.clone());
            let options = move || {
                let allow = answer.clone();
                async move { HttpResponse::Ok().insert_header((header::ALLOW, allow)).finish() }
            };
            let others = move || {
                let allow = refusal.clone();
                async move { Err::<HttpResponse, _>(ApiError::MethodNotAllowed { allow }) }
            };
            resource
                .route(web::method(Method::OPTIONS).to(options))
                .default_service(web::to(others))
                .register(app);
        }
    }
}
