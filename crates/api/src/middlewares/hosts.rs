//! Refuses requests for foreign hosts while the server is bound to loopback: a page on the
//! Internet whose name points at 127.0.0.1 must not reach it (DNS rebinding).

use super::names::{Authority, is_loopback, parse_all};
use crate::ApiError;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::http::uri::Authority as UriAuthority;
use actix_web::middleware::Next;
use actix_web::{Error, web};
use std::net::IpAddr;

/// For which hosts the server answers.
#[derive(Debug, Clone)]
pub struct HostPolicy {
    bound_to_loopback: bool,
    public: Vec<Authority>,
}

impl HostPolicy {
    /// While `bound` is a loopback address, only loopback names and `public_hosts` are answered for;
    /// otherwise every host is.
    pub fn new(bound: IpAddr, public_hosts: &[String]) -> Self {
        Self { bound_to_loopback: is_loopback(bound), public: parse_all(public_hosts) }
    }

    fn allows(&self, host: &str) -> bool {
        !self.bound_to_loopback
            || Authority::parse(host).is_some_and(|host| {
                host.is_loopback() || self.public.iter().any(|public| host.is_covered_by(public))
            })
    }
}

/// Answers 421 to requests for hosts that the policy (application data) does not allow. A request
/// that names no host, as HTTP/1.0 may, comes from no browser and is let through.
pub async fn refuse_foreign_hosts(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody + 'static>, Error> {
    let policy = request.app_data::<web::Data<HostPolicy>>();
    let header = request.headers().get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    let in_target = request.uri().authority().map(UriAuthority::as_str);
    // Without a policy no host is allowed: the guard must not vanish with its settings.
    let allowed = |host| policy.is_some_and(|policy| policy.allows(host));
    if !header.into_iter().chain(in_target).all(allowed) {
        return Ok(request.error_response(ApiError::ForeignHost).map_into_right_body());
    }
    Ok(next.call(request).await?.map_into_left_body())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bound_to_loopback_only_known_hosts_are_answered_for() {
        let policy =
            HostPolicy::new("127.0.0.1".parse().unwrap(), &["alerts.example.com".to_owned()]);
        for host in [
            "localhost",
            "localhost.",
            "localhost:",
            "127.0.0.1:8000",
            "[::1]:1",
            "alerts.example.com:8443",
        ] {
            assert!(policy.allows(host), "{host}");
        }
        for host in ["evil.test", "", "localhost@evil.test", "alerts.example.com.evil.test"] {
            assert!(!policy.allows(host), "{host}");
        }
    }

    #[test]
    fn bound_to_the_world_every_host_is_answered_for() {
        assert!(HostPolicy::new("0.0.0.0".parse().unwrap(), &[]).allows("evil.test"));
    }
}
