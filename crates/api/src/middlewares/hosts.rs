//! Refuses requests for foreign hosts. A page on the Internet whose host name resolves to an
//! address of this machine must not reach the server (DNS rebinding).

use super::names::{Authority, parse_all};
use crate::ApiError;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::http::uri::Authority as UriAuthority;
use actix_web::middleware::Next;
use actix_web::{Error, web};
use std::net::IpAddr;

/// The local address that a client connected to. The value is connection data.
#[derive(Debug, Clone, Copy)]
pub struct LocalAddress(pub IpAddr);

/// The hosts that the server accepts requests for.
#[derive(Debug, Clone)]
pub struct HostPolicy {
    bound: IpAddr,
    public: Vec<Authority>,
}

impl HostPolicy {
    /// Allows loopback names, the literal `bound` address, the address that a client connected to,
    /// and `public_hosts`.
    pub fn new(bound: IpAddr, public_hosts: &[String]) -> Self {
        Self { bound, public: parse_all(public_hosts) }
    }

    fn allows(&self, host: &str, local: Option<IpAddr>) -> bool {
        let Some(host) = Authority::parse(host) else { return false };
        let own = [Some(self.bound), local].into_iter().flatten().map(|own| own.to_canonical());
        host.is_loopback()
            || host
                .address()
                .is_some_and(|host| own.into_iter().any(|own| own == host.to_canonical()))
            || self.public.iter().any(|public| host.is_covered_by(public))
    }
}

/// Answers 421 to requests for hosts that the policy (application data) does not allow. A request
/// without a host, which HTTP/1.0 permits, cannot come from a browser and is accepted.
pub async fn refuse_foreign_hosts(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody + 'static>, Error> {
    let policy = request.app_data::<web::Data<HostPolicy>>();
    let header = request.headers().get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    let in_target = request.uri().authority().map(UriAuthority::as_str);
    // Without a policy every host is refused, so that a missing setting does not disable the check.
    let local = request.conn_data::<LocalAddress>().map(|local| local.0);
    let allowed = |host| policy.is_some_and(|policy| policy.allows(host, local));
    if !header.into_iter().chain(in_target).all(allowed) {
        return Ok(request.error_response(ApiError::ForeignHost).map_into_right_body());
    }
    Ok(next.call(request).await?.map_into_left_body())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(bound: &str, local: &str, host: &str) -> bool {
        let policy = HostPolicy::new(bound.parse().unwrap(), &["alerts.example.com".to_owned()]);
        policy.allows(host, Some(local.parse().unwrap()))
    }

    #[test]
    fn only_known_hosts_are_accepted_on_every_bound_address() {
        for (bound, local) in
            [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "192.0.2.7"), ("::", "::ffff:192.0.2.7")]
        {
            for host in [
                "localhost",
                "localhost.",
                "localhost:",
                "127.0.0.1:8000",
                "[::1]:1",
                "alerts.example.com:8443",
            ] {
                assert!(allowed(bound, local, host), "{bound}: {host}");
            }
            let foreign = ["evil.test", "", "localhost@evil.test", "alerts.example.com.evil.test"];
            for host in foreign.into_iter().chain(["192.0.2.8", "192.0.2.7.evil.test"]) {
                assert!(!allowed(bound, local, host), "{bound}: {host}");
            }
        }
    }

    #[test]
    fn the_address_that_a_client_connected_to_is_accepted() {
        assert!(allowed("0.0.0.0", "192.0.2.7", "192.0.2.7:8000"));
        assert!(allowed("0.0.0.0", "192.0.2.7", "0.0.0.0:8000"), "as the first line prints it");
        assert!(allowed("::", "::ffff:192.0.2.7", "192.0.2.7"));
        assert!(allowed("::", "2001:db8::7", "[2001:db8::7]:8000"));
        assert!(!allowed("127.0.0.1", "127.0.0.1", "192.0.2.7:8000"));
    }
}
