//! Law 9, *Forward*: a jump of the wall clock must not affect the order of timestamps or the
//! lifetime of keys.

use super::Harness;
use super::manual_clock::ManualClock;
use super::sample::{append, append_one, head, keyed, raise, window};
use crate::{AppendError, Outcome, RecordedOutcome, Rejection, Submission};
use northgate_domain::{
    Command, Event, Location, MessageText, RaiseAlert, Rejection as RuleRejection, Timestamp,
};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 24 * 3_600 * SECOND;

fn ending_at(micros: i64) -> Submission {
    let raise = RaiseAlert::new(
        MessageText::parse("ends").unwrap(),
        Location::parse("North Gate").unwrap(),
    );
    let expires_at = Some(Timestamp::from_unix_micros(micros));
    Submission::from(Command::RaiseAlert(RaiseAlert { expires_at, ..raise }))
}

fn moment(event: &Event) -> i64 {
    event.at().unix_micros()
}

/// If the clock is set back, the timestamps of later events must not decrease. This also applies
/// within one vector.
pub async fn time_never_goes_back_within_a_log(harness: &dyn Harness) {
    let clock = ManualClock::at(0);
    let store = harness.open(window(100), clock.meta()).await;
    clock.set(100 * DAY);
    assert_eq!(moment(&append(store.as_ref(), raise("first")).await.value), 100 * DAY);
    clock.set(99 * DAY);
    let outcomes = store.append(vec![raise("back"), raise("too")]).await.unwrap();
    for outcome in outcomes {
        let Outcome::Appended { event, .. } = outcome else {
            panic!("the store did not append a raise but returned {outcome:?}")
        };
        assert_eq!(moment(&event.value), 100 * DAY);
    }
    clock.set(100 * DAY + 1);
    assert_eq!(moment(&append(store.as_ref(), raise("on")).await.value), 100 * DAY + 1);
}

/// A raise whose expiry time has passed must be refused. The store must compare the expiry time
/// with the clock, not with the newest event. The store must look up the idempotency key first, so
/// that a late retry returns the first outcome.
pub async fn an_expired_raise_is_refused_unless_its_key_was_used_before(harness: &dyn Harness) {
    let clock = ManualClock::at(0);
    let store = harness.open(window(100), clock.meta()).await;
    clock.set(10 * SECOND);
    let first = append_one(store.as_ref(), keyed(ending_at(20 * SECOND), "alerts", "k")).await;
    let Outcome::Appended { event, raised } = first else {
        panic!("the first raise was not appended: {first:?}")
    };
    clock.set(20 * SECOND);
    let rejection = Rejection::Rule(RuleRejection::AlreadyOver);
    let over = store.append(vec![ending_at(20 * SECOND)]).await;
    assert_eq!(over, Err(AppendError::Rejected { index: 0, rejection: rejection.clone() }));
    let again = append_one(store.as_ref(), keyed(ending_at(20 * SECOND), "alerts", "k")).await;
    assert_eq!(again, Outcome::Replayed(RecordedOutcome::Appended { event, raised }));
    assert_eq!(head(store.as_ref()).offset, 1);
    // The newest event is later than a clock that was set back. An expiry time between the two has
    // not passed.
    append(store.as_ref(), raise("later")).await;
    clock.set(15 * SECOND);
    append(store.as_ref(), ending_at(18 * SECOND)).await;
}

/// A jump of the wall clock must not make the store forget an idempotency key.
pub async fn a_clock_jump_forgets_no_key(harness: &dyn Harness) {
    let clock = ManualClock::at(0);
    let store = harness.open(window(100), clock.meta()).await;
    clock.set(100 * DAY);
    append_one(store.as_ref(), keyed(raise("fire"), "alerts", "k")).await;
    for jump in [30 * DAY, -30 * DAY, -30 * DAY, 30 * DAY] {
        clock.jump_by(jump);
        append(store.as_ref(), raise("meanwhile")).await;
        let again = append_one(store.as_ref(), keyed(raise("fire"), "alerts", "k")).await;
        assert!(
            matches!(again, Outcome::Replayed(_)),
            "the store forgot the key after the clock jumped by {jump} µs: {again:?}"
        );
    }
    // Time on the steady clock does count: the key is forgotten after 24 hours.
    clock.set(102 * DAY);
    let again = append_one(store.as_ref(), keyed(raise("fire"), "alerts", "k")).await;
    assert!(
        matches!(again, Outcome::Appended { .. }),
        "the store still remembered the key after 48 hours: {again:?}"
    );
}
