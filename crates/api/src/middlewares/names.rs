//! Host names and addresses in the headers `Host` and `Origin`.

use std::net::{IpAddr, Ipv6Addr};

/// Whether `text` is valid in a `Host` header: a name or an address, with or without a port.
pub fn is_host(text: &str) -> bool {
    Authority::parse(text).is_some()
}

/// Parses the configured hosts. Invalid names are ignored.
pub(super) fn parse_all(names: &[String]) -> Vec<Authority> {
    names.iter().filter_map(|name| Authority::parse(name)).collect()
}

/// A host and an optional port: `name`, `name:8000`, `127.0.0.1:8000`, `[::1]:8000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Authority {
    /// In lower case; an IPv6 address is in brackets.
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

impl Authority {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.rfind(':') {
            Some(colon) if !text.ends_with(']') => {
                let (host, port) = text.split_at(colon);
                (host, Some(port.get(1..)?))
            }
            _ => (text, None),
        };
        let digits = |port: &str| port.bytes().all(|c| c.is_ascii_digit());
        let port = match port {
            // A colon without a port means the default port (RFC 3986 section 3.2.3).
            None | Some("") => None,
            Some(port) if digits(port) => Some(port.parse().ok()?),
            Some(_) => return None,
        };
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let valid = match bracketed {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => !host.trim_matches('.').is_empty() && host.bytes().all(is_name_byte),
        };
        // A name with a final dot is fully qualified and names the same host.
        let host = host.strip_suffix('.').unwrap_or(host);
        valid.then(|| Self { host: host.to_ascii_lowercase(), port })
    }

    /// Whether the host can only be this machine.
    pub(super) fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.address().is_some_and(is_loopback)
    }

    /// Returns the address, if the host is one.
    pub(super) fn address(&self) -> Option<IpAddr> {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        bare.parse().ok()
    }

    /// Whether a configured public name covers this host. A name without a port covers every port.
    pub(super) fn is_covered_by(&self, public: &Self) -> bool {
        self.host == public.host && (public.port.is_none() || public.port == self.port)
    }
}

/// Whether an address is this machine. An IPv4 address that is mapped to IPv6 counts as IPv4.
pub(super) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn is_name_byte(c: u8) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_are_split_into_host_and_port() {
        let parsed = |text| Authority::parse(text).map(|a| (a.host, a.port));
        assert_eq!(parsed("Example.COM:80"), Some(("example.com".to_owned(), Some(80))));
        assert_eq!(parsed("localhost"), Some(("localhost".to_owned(), None)));
        assert_eq!(parsed("[::1]:8000"), Some(("[::1]".to_owned(), Some(8000))));
        assert_eq!(parsed("[::1]"), Some(("[::1]".to_owned(), None)));
        for bad in ["", ".", ":80", "a:x", "a:99999", "a/b", "a@b", "[x]", "a b", "::1", "a:+1"] {
            assert_eq!(parsed(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn loopback_is_a_name_or_an_address() {
        let loopback = |text| Authority::parse(text).unwrap().is_loopback();
        assert!(loopback("LOCALHOST:1"));
        assert!(loopback("127.0.0.1"));
        assert!(loopback("127.8.8.8:99"));
        assert!(loopback("[::1]"));
        assert!(!loopback("localhost.evil.test"));
        assert!(!loopback("127.0.0.1.evil.test"));
        assert!(!loopback("10.0.0.1"));
        assert!(!loopback("0.0.0.0"));
    }
}
