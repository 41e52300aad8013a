//! Checks that each socket receives every answered alert exactly once, and all in the same order.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

/// Multiplier of FNV-1a, for the hash of each socket's sequence.
const FNV_PRIME: u64 = 0x0000_0100_0000_01B3;

/// Checks the deliveries to every socket of one receiver. A delivery in order costs one comparison
/// and one multiplication.
#[derive(Debug)]
pub(crate) struct OrderCheck {
    publishers: usize,
    /// Next expected number for each socket and publisher.
    next: Vec<u32>,
    sockets: Vec<SocketOrder>,
    /// Skipped alerts as socket, publisher and number. A skipped alert that never arrives is lost.
    skipped: HashSet<(usize, u32, u32)>,
}

#[derive(Clone, Debug, Default)]
struct SocketOrder {
    /// Hash of publishers and numbers in the order of receipt. Sockets with the same sequence have
    /// the same hash.
    sequence: u64,
    repeated: u64,
    reordered: u64,
}

/// Violations of exactly-once delivery and of the order, at one or more receivers.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct DeliveryErrors {
    /// Alerts that were answered with 2xx and did not arrive, counted once per socket.
    pub(crate) missing: u64,
    pub(crate) repeated: u64,
    /// Alerts that arrived after a later alert of the same publisher.
    pub(crate) reordered: u64,
    /// Number of sockets per sequence hash; one entry if all sockets agree.
    #[serde(skip)]
    sequences: BTreeMap<u64, u64>,
}

impl OrderCheck {
    pub(crate) fn new(sockets: usize, publishers: usize) -> Self {
        Self {
            publishers,
            next: vec![0; sockets * publishers],
            sockets: vec![SocketOrder::default(); sockets],
            skipped: HashSet::new(),
        }
    }

    /// Records one delivery; returns false if the publisher or the socket does not exist.
    pub(crate) fn observe(&mut self, socket: usize, publisher: u32, seq: u32) -> bool {
        let column = publisher as usize;
        let place = socket * self.publishers + column;
        let (Some(next), Some(socket_order)) =
            (self.next.get_mut(place), self.sockets.get_mut(socket))
        else {
            return false;
        };
        if column >= self.publishers {
            return false;
        }
        let step = (u64::from(publisher) << 32) | u64::from(seq);
        socket_order.sequence =
            (socket_order.sequence ^ step).wrapping_mul(FNV_PRIME).rotate_left(23);
        if seq == *next {
            *next = seq.wrapping_add(1);
        } else if seq > *next {
            self.skipped.extend((*next..seq).map(|lost| (socket, publisher, lost)));
            *next = seq.wrapping_add(1);
        } else if self.skipped.remove(&(socket, publisher, seq)) {
            socket_order.reordered += 1;
        } else {
            socket_order.repeated += 1;
        }
        true
    }

    /// Returns the errors. `answered` has the number of answered alerts for each publisher.
    pub(crate) fn conclude(&self, answered: &[u32]) -> DeliveryErrors {
        let mut lost: HashMap<usize, u64> = HashMap::new();
        for &(socket, publisher, seq) in &self.skipped {
            if answered.get(publisher as usize).is_some_and(|&kept| seq < kept) {
                *lost.entry(socket).or_default() += 1;
            }
        }
        let mut errors = DeliveryErrors::default();
        let rows = self.next.chunks(self.publishers.max(1));
        for (socket, (socket_order, row)) in self.sockets.iter().zip(rows).enumerate() {
            let unseen: u64 = answered
                .iter()
                .zip(row)
                .map(|(&kept, &next)| u64::from(kept.saturating_sub(next)))
                .sum();
            let missing = unseen + lost.get(&socket).copied().unwrap_or(0);
            errors.missing += missing;
            errors.repeated += socket_order.repeated;
            errors.reordered += socket_order.reordered;
            // Losses and repeats change the sequence of a socket, and are already counted under
            // `missing` and `repeated`.
            if missing == 0 && socket_order.repeated == 0 {
                *errors.sequences.entry(socket_order.sequence).or_default() += 1;
            }
        }
        errors
    }
}

impl DeliveryErrors {
    pub(crate) fn merge(&mut self, other: &Self) {
        self.missing += other.missing;
        self.repeated += other.repeated;
        self.reordered += other.reordered;
        for (sequence, sockets) in &other.sequences {
            *self.sequences.entry(*sequence).or_default() += sockets;
        }
    }

    /// Returns the number of sockets that received every alert, but in another order than most
    /// sockets.
    pub(crate) fn differing_sockets(&self) -> u64 {
        let total: u64 = self.sequences.values().sum();
        total - self.sequences.values().max().copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sockets: &[&[(u32, u32)]], answered: &[u32]) -> DeliveryErrors {
        let mut check = OrderCheck::new(sockets.len(), answered.len());
        for (socket, deliveries) in sockets.iter().enumerate() {
            for &(publisher, seq) in *deliveries {
                assert!(check.observe(socket, publisher, seq));
            }
        }
        check.conclude(answered)
    }

    fn counts(errors: &DeliveryErrors) -> [u64; 4] {
        [errors.missing, errors.repeated, errors.reordered, errors.differing_sockets()]
    }

    #[test]
    fn exact_delivery_in_order_has_no_errors() {
        let sequence: &[(u32, u32)] = &[(0, 0), (1, 0), (0, 1), (1, 1)];
        assert_eq!(counts(&check(&[sequence, sequence], &[2, 2])), [0, 0, 0, 0]);
    }

    #[test]
    fn an_alert_lost_in_the_middle_or_at_the_end_is_missing() {
        assert_eq!(counts(&check(&[&[(0, 0), (0, 2)]], &[3])), [1, 0, 0, 0]);
        assert_eq!(counts(&check(&[&[(0, 0)]], &[3])), [2, 0, 0, 0]);
        assert_eq!(counts(&check(&[&[]], &[3, 4])), [7, 0, 0, 0]);
    }

    #[test]
    fn a_second_delivery_counts_as_repeated() {
        assert_eq!(counts(&check(&[&[(0, 0), (0, 0), (0, 1)]], &[2])), [0, 1, 0, 0]);
        assert_eq!(counts(&check(&[&[(0, 0), (0, 1), (0, 0)]], &[2])), [0, 1, 0, 0]);
    }

    #[test]
    fn a_late_delivery_counts_as_reordered_and_not_as_missing() {
        assert_eq!(counts(&check(&[&[(0, 0), (0, 2), (0, 1)]], &[3])), [0, 0, 1, 0]);
    }

    #[test]
    fn a_late_delivery_that_arrives_twice_counts_as_both() {
        let deliveries: &[(u32, u32)] = &[(0, 1), (0, 0), (0, 0)];
        assert_eq!(counts(&check(&[deliveries], &[2])), [0, 1, 1, 0]);
    }

    #[test]
    fn another_interleaving_of_publishers_is_another_order() {
        let most: &[(u32, u32)] = &[(0, 0), (1, 0)];
        let other: &[(u32, u32)] = &[(1, 0), (0, 0)];
        assert_eq!(counts(&check(&[most, other, most], &[1, 1])), [0, 0, 0, 1]);
    }

    #[test]
    fn receivers_on_two_threads_are_compared_with_each_other() {
        let mut all = check(&[&[(0, 0), (1, 0)]], &[1, 1]);
        all.merge(&check(&[&[(1, 0), (0, 0)]], &[1, 1]));
        assert_eq!(counts(&all), [0, 0, 0, 1]);
    }

    #[test]
    fn an_unanswered_alert_may_arrive_or_not() {
        assert_eq!(counts(&check(&[&[(0, 0), (0, 1)], &[(0, 0), (0, 1)]], &[1])), [0, 0, 0, 0]);
    }

    #[test]
    fn an_unknown_publisher_is_refused() {
        let mut check = OrderCheck::new(2, 1);
        assert!(!check.observe(0, 1, 0));
        assert!(!check.observe(2, 0, 0));
    }
}
