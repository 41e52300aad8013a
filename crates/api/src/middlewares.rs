//! What every request passes through, from the outside in: security headers, errors in one form,
//! hosts, origins, CORS.

mod cors;
mod hosts;
mod names;
mod origins;
mod problems;
mod security_headers;

pub use cors::{CorsSettings, cors};
pub use hosts::{HostPolicy, refuse_foreign_hosts};
pub use names::is_host;
pub use origins::{OriginPolicy, refuse_foreign_origins};
pub use problems::tell_problems;
pub use security_headers::security_headers;
