//! Limits of streaming connections, where WebSocket and SSE count together: one limit for the
//! server, and one for each address.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// Upper bounds of connections that stream at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// All connections of the server.
    pub total: usize,
    /// Connections of one address; [`ConnectionLimiter`] defines what one address is.
    pub per_address: usize,
}

/// Reasons why a connection is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionLimitReached {
    /// The server has reached its limit.
    #[error(
        "The server has reached its limit of connections: try again later, or raise \
         --max-connections."
    )]
    Server,
    /// The address has reached its limit.
    #[error(
        "This address has reached its limit of connections: close one, or raise \
         --max-connections-per-address."
    )]
    Address,
}

/// Counts the connections of a server; clones share the counts.
///
/// One address is an IPv4 address or an IPv6 /64 network. A single host usually owns a complete
/// /64, and could otherwise use the limit once for each address in this network. An IPv4 address
/// mapped into IPv6 counts as that IPv4 address. A loopback address has no limit of its own,
/// because a proxy on this machine connects for all its clients. Loopback connections and peers
/// without an address count only in the total.
#[derive(Debug, Clone)]
pub struct ConnectionLimiter {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limits: ConnectionLimits,
    taken: Mutex<Taken>,
}

/// Counts of the open connections. An address without connections has no entry, so there are never
/// more entries than connections.
#[derive(Debug, Default)]
struct Taken {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Permission for one streaming connection. Dropping the permit releases it.
#[derive(Debug)]
#[must_use = "the connection is no longer counted once the permit is dropped"]
pub struct ConnectionPermit {
    shared: Arc<Shared>,
    /// Address for which the connection is counted; `None` if the connection counts only in the
    /// total.
    address: Option<IpAddr>,
}

impl ConnectionLimiter {
    /// Creates a limiter without connections.
    pub fn new(limits: ConnectionLimits) -> Self {
        Self { shared: Arc::new(Shared { limits, taken: Mutex::default() }) }
    }

    /// Returns a permit for a connection from `peer`. If both limits are reached, the error is
    /// [`ConnectionLimitReached::Address`], because the client can close one of its own
    /// connections.
    pub fn acquire(
        &self,
        peer: Option<IpAddr>,
    ) -> Result<ConnectionPermit, ConnectionLimitReached> {
        let address = peer.and_then(counted);
        let limits = self.shared.limits;
        let mut taken = self.shared.taken.lock();
        let of_address = address.and_then(|address| taken.by_address.get(&address));
        if address.is_some() && of_address.copied().unwrap_or_default() >= limits.per_address {
            return Err(ConnectionLimitReached::Address);
        }
        if taken.total >= limits.total {
            return Err(ConnectionLimitReached::Server);
        }
        taken.total += 1;
        if let Some(address) = address {
            *taken.by_address.entry(address).or_default() += 1;
        }
        drop(taken);
        Ok(ConnectionPermit { shared: self.shared.clone(), address })
    }

    /// Returns the number of open connections.
    pub fn taken(&self) -> usize {
        self.shared.taken.lock().total
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut taken = self.shared.taken.lock();
        taken.total -= 1;
        let Some(address) = self.address else { return };
        if let Entry::Occupied(mut entry) = taken.by_address.entry(address) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

/// Returns the address for which `peer` is counted; `None` if `peer` counts only in the total.
fn counted(peer: IpAddr) -> Option<IpAddr> {
    let address = match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) if address.is_loopback() => return None,
        IpAddr::V6(address) => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
    };
    (!address.is_loopback()).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn limiter(total: usize, per_address: usize) -> ConnectionLimiter {
        ConnectionLimiter::new(ConnectionLimits { total, per_address })
    }

    fn at(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    #[test]
    fn a_permit_is_free_again_when_it_is_dropped() {
        let limiter = limiter(1, 1);
        let permit = limiter.acquire(Some(at("192.0.2.1"))).unwrap();
        assert_eq!(
            limiter.clone().acquire(Some(at("192.0.2.2"))).unwrap_err(),
            ConnectionLimitReached::Server
        );
        drop(permit);
        assert_eq!(limiter.taken(), 0);
        assert!(limiter.acquire(Some(at("192.0.2.2"))).is_ok());
    }

    #[test]
    fn a_full_address_does_not_limit_other_addresses() {
        let limiter = limiter(3, 2);
        let taken = [Some(at("192.0.2.1")), Some(at("192.0.2.1"))]
            .map(|peer| limiter.acquire(peer).unwrap());
        assert_eq!(
            limiter.acquire(Some(at("192.0.2.1"))).unwrap_err(),
            ConnectionLimitReached::Address
        );
        let last = limiter.acquire(Some(at("192.0.2.2"))).unwrap();
        // Both limits are reached now.
        assert_eq!(
            limiter.acquire(Some(at("192.0.2.1"))).unwrap_err(),
            ConnectionLimitReached::Address
        );
        assert_eq!(
            limiter.acquire(Some(at("192.0.2.2"))).unwrap_err(),
            ConnectionLimitReached::Server
        );
        drop((taken, last));
    }

    #[test]
    fn addresses_of_one_host_are_counted_as_one() {
        for (first, second, are_one) in [
            ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.2", false),
            ("192.0.2.1", "192.0.2.2", false),
        ] {
            let limiter = limiter(9, 1);
            let _first = limiter.acquire(Some(at(first))).unwrap();
            assert_eq!(limiter.acquire(Some(at(second))).is_err(), are_one, "{first} and {second}");
        }
    }

    #[test]
    fn loopback_and_peers_without_an_address_count_in_the_total_only() {
        for peer in [
            Some(at("127.0.0.1")),
            Some(at("127.9.9.9")),
            Some(at("::1")),
            Some(at("::ffff:127.0.0.1")),
            None,
        ] {
            let limiter = limiter(2, 1);
            let taken = [peer, peer].map(|peer| limiter.acquire(peer).unwrap());
            assert_eq!(
                limiter.acquire(peer).unwrap_err(),
                ConnectionLimitReached::Server,
                "{peer:?}"
            );
            drop(taken);
        }
    }

    #[test]
    fn a_refusal_names_the_setting_to_raise() {
        let named = |full: ConnectionLimitReached| full.to_string();
        assert!(named(ConnectionLimitReached::Server).contains(" --max-connections."));
        assert!(named(ConnectionLimitReached::Address).contains(" --max-connections-per-address."));
    }

    /// A step of the test: acquire a permit for one of four peers, or drop one of the permits.
    #[derive(Debug, Clone)]
    enum Act {
        Acquire(usize),
        Release(prop::sample::Index),
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let act = prop_oneof![
            3 => (0..4_usize).prop_map(Act::Acquire),
            2 => any::<prop::sample::Index>().prop_map(Act::Release),
        ];
        vec(act, 0..200)
    }

    proptest! {
        /// The model is a list of the permits with their peers. The test counts this list again
        /// after each step.
        #[test]
        fn permits_are_counted_like_in_a_simple_model(
            total in 0..12_usize,
            per_address in 0..5_usize,
            acts in acts(),
        ) {
            let peers = [Some(at("192.0.2.1")), Some(at("2001:db8::1")), Some(at("127.0.0.1")), None];
            let limiter = limiter(total, per_address);
            let mut permits: Vec<(usize, ConnectionPermit)> = Vec::new();
            for act in acts {
                match act {
                    Act::Acquire(peer) => {
                        let of_peer = permits.iter().filter(|(owner, _)| *owner == peer).count();
                        let expected = if peer < 2 && of_peer >= per_address {
                            Some(ConnectionLimitReached::Address)
                        } else {
                            (permits.len() >= total).then_some(ConnectionLimitReached::Server)
                        };
                        let permit = limiter.acquire(peers[peer]);
                        prop_assert_eq!(permit.as_ref().err().copied(), expected);
                        permits.extend(permit.map(|permit| (peer, permit)));
                    }
                    Act::Release(which) if !permits.is_empty() => {
                        drop(permits.swap_remove(which.index(permits.len())));
                    }
                    Act::Release(_) => {}
                }
                prop_assert_eq!(limiter.taken(), permits.len());
                let counted = (0..2).filter(|peer| permits.iter().any(|(owner, _)| owner == peer));
                prop_assert_eq!(limiter.shared.taken.lock().by_address.len(), counted.count());
            }
        }
    }
}
