//! One address with its methods: both spellings of the slash, `HEAD` beside `GET`, `OPTIONS`, and
//! a 405 that says what is allowed.

use crate::ApiError;
use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::http::{Method, header};
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder, Route, guard, web};

/// One address, to be added to an app as a service.
pub struct Endpoint {
    /// A resource for each spelling: the router compares a path without parameters as it is, but
    /// searches for several in one by regular expressions.
    spellings: Vec<Resource>,
    methods: Vec<Method>,
}

impl Endpoint {
    /// The address `path`, given without a slash at its end.
    pub fn at(path: &str) -> Self {
        let mut spellings = vec![web::resource(path)];
        if path != "/" {
            spellings.push(web::resource(format!("{path}/")));
        }
        Self { spellings, methods: Vec::new() }
    }

    /// Answers `GET`, and `HEAD` with the same headers.
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

    /// Answers `GET` alone: for what has no headers of its own to show.
    #[must_use]
    pub fn get_only<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with([Method::GET], move || web::get().to(handler.clone()))
    }

    /// Answers `POST`.
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

    /// The methods that the address takes, as a header tells them.
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
