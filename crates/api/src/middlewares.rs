//! The middlewares of every request, from the outside in: security headers, problem details,
//! complete reading of bodies, hosts, origins, CORS.

mod bodies;
mod cors;
mod empty_answers;
mod hosts;
mod names;
mod origins;
mod problems;
mod security_headers;

pub use bodies::{BodyPatience, Invitation, read_bodies_to_their_end};
pub use cors::{CorsSettings, cors};
pub use empty_answers::fill_empty_answers;
pub use hosts::{HostPolicy, LocalAddress, refuse_foreign_hosts};
pub use names::is_host;
pub(crate) use origins::{AllowedOrigin, is_cross_site};
pub use origins::{OriginPolicy, refuse_foreign_origins};
pub use problems::tell_problems;
pub(crate) use security_headers::SECURITY_HEADERS;
pub use security_headers::security_headers;
