//! The laws of the port as tests. Every store runs all of them: see [`event_store_laws!`].
//!
//! [`event_store_laws!`]: crate::event_store_laws
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken law is a failed test, and a failed test is a panic"
)]

mod atomic;
mod bounded;
mod clocks;
mod handles;
mod heads;
mod history;
mod honest;
mod idempotent;
mod kept;
mod lives;
mod manual_clock;
mod moments;
mod ordered;
mod repeats;
mod sample;
mod whole;
mod wrapped_store;

pub use atomic::{
    a_caller_that_goes_away_leaves_no_half_event, a_refused_vector_leaves_nothing_among_others,
    a_vector_is_kept_whole_or_not_at_all, an_empty_vector_changes_nothing,
};
pub use bounded::{
    a_burst_of_chat_pushes_no_alert_out, state_outlives_the_window, the_newest_are_what_is_held,
};
pub use clocks::{
    a_clock_that_jumps_forgets_no_key, an_alert_that_is_over_is_refused_unless_its_key_was_seen,
    time_never_goes_back_within_a_log,
};
pub use handles::{
    a_durable_store_is_the_same_after_a_restart, an_unavailable_append_has_stored_nothing,
    handles_of_a_shared_store_see_one_log,
};
pub use heads::{
    a_fresh_receiver_has_seen_the_head, a_move_of_the_head_wakes_those_who_wait,
    no_answer_shows_more_than_the_head, the_head_never_moves_backwards,
};
pub use history::{
    a_history_gives_the_part_that_is_asked_for, a_history_refuses_foreign_positions,
    a_part_ends_before_it_is_too_large, a_search_is_words_and_nothing_else,
    messages_have_a_history_too, parts_of_a_history_meet_without_a_gap_or_a_repeat,
};
pub use honest::{
    a_foreign_position_is_a_gap, a_read_is_bounded_in_bytes, a_trimmed_position_is_a_gap,
    pages_go_backwards_over_what_is_held, the_head_is_an_empty_page,
};
pub use idempotent::{
    a_key_gives_its_first_answer, a_key_is_forgotten_after_a_day,
    a_key_seen_twice_in_one_vector_happens_once, a_refused_command_is_not_remembered,
    concurrent_repeats_append_once, keys_of_two_scopes_are_two_keys,
    the_oldest_keys_are_forgotten_first,
};
pub use kept::{an_answered_event_is_readable, collections_reflect_their_position};
pub use lives::{
    a_summary_counts_what_is_held, a_thread_holds_the_messages_of_its_alert,
    alerts_are_found_by_what_they_are_now,
    every_step_of_a_life_is_an_event_and_the_last_one_is_the_state,
    of_many_who_acknowledge_at_once_one_does, what_holds_or_contradicts_is_no_event,
    what_is_over_makes_room_first, what_is_to_end_is_found,
};
pub use manual_clock::ManualClock;
pub use moments::{a_history_is_of_one_moment, the_events_of_one_alert_are_found};
pub use ordered::offsets_are_contiguous_under_concurrent_appends;
pub use repeats::{
    a_repeat_finds_the_open_alert_of_its_key, an_answer_says_where_its_alert_was_raised,
    concurrent_repeats_are_one_alert_and_all_count,
};
pub use whole::{a_tail_survives_being_dropped_in_mid_wait, tails_see_everything_once_in_order};
pub use wrapped_store::WrappedStore;

use crate::{Capacity, EventStore, StoreFactory};
use northgate_domain::{Epoch, MetaSource};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// Makes stores for the laws.
#[async_trait::async_trait]
pub trait Harness: Send + Sync {
    /// A factory of one store of this capacity: empty when the factory first opens it, and a
    /// durable store is the same one when it opens it again. Each factory has a place of its own,
    /// such as a new folder, which lives at least as long as the harness.
    fn factory(&self, capacity: Capacity) -> Arc<dyn StoreFactory>;

    /// Whether the store may be opened twice at the same time, as by two nodes: then the laws of
    /// several writers run.
    fn is_shared(&self) -> bool {
        false
    }

    /// Makes the next append of `store` fail so late that the store cannot know what was stored.
    /// False if the harness cannot do that.
    fn fail_next_append(&self, _store: &Arc<dyn EventStore>) -> bool {
        false
    }

    /// An empty store of this capacity that decides by `meta`.
    async fn open(&self, capacity: Capacity, meta: MetaSource) -> Arc<dyn EventStore> {
        self.factory(capacity).open(meta, EPOCH).await.unwrap()
    }
}

/// Runs a law, and fails if it hangs.
pub async fn to_its_end(law: impl Future<Output = ()>) {
    let ended = tokio::time::timeout(Duration::from_mins(2), law).await;
    assert!(ended.is_ok(), "the law did not come to its end in two minutes: the store hangs");
}

/// The name of every log that the laws create.
pub(crate) const EPOCH: Epoch = Epoch::new(7);

/// Makes one `#[tokio::test]` of each law, against the stores that a [`Harness`] opens. The crate
/// that calls it needs `tokio` with `macros` and `rt-multi-thread`.
///
/// ```text
/// northgate_storage::event_store_laws!(MyHarness);
/// ```
#[macro_export]
macro_rules! event_store_laws {
    ($harness:expr) => {
        $crate::event_store_laws! { @each $harness;
            an_answered_event_is_readable
            collections_reflect_their_position
            offsets_are_contiguous_under_concurrent_appends
            tails_see_everything_once_in_order
            a_tail_survives_being_dropped_in_mid_wait
            a_foreign_position_is_a_gap
            a_trimmed_position_is_a_gap
            the_head_is_an_empty_page
            pages_go_backwards_over_what_is_held
            a_history_gives_the_part_that_is_asked_for
            messages_have_a_history_too
            a_search_is_words_and_nothing_else
            a_history_refuses_foreign_positions
            parts_of_a_history_meet_without_a_gap_or_a_repeat
            a_part_ends_before_it_is_too_large
            a_read_is_bounded_in_bytes
            a_key_gives_its_first_answer
            a_key_seen_twice_in_one_vector_happens_once
            a_refused_command_is_not_remembered
            concurrent_repeats_append_once
            keys_of_two_scopes_are_two_keys
            the_oldest_keys_are_forgotten_first
            a_key_is_forgotten_after_a_day
            a_vector_is_kept_whole_or_not_at_all
            an_empty_vector_changes_nothing
            a_caller_that_goes_away_leaves_no_half_event
            a_refused_vector_leaves_nothing_among_others
            the_head_never_moves_backwards
            no_answer_shows_more_than_the_head
            a_move_of_the_head_wakes_those_who_wait
            a_fresh_receiver_has_seen_the_head
            a_history_is_of_one_moment
            the_events_of_one_alert_are_found
            a_durable_store_is_the_same_after_a_restart
            handles_of_a_shared_store_see_one_log
            an_unavailable_append_has_stored_nothing
            state_outlives_the_window
            a_burst_of_chat_pushes_no_alert_out
            the_newest_are_what_is_held
            every_step_of_a_life_is_an_event_and_the_last_one_is_the_state
            what_holds_or_contradicts_is_no_event
            of_many_who_acknowledge_at_once_one_does
            a_repeat_finds_the_open_alert_of_its_key
            an_answer_says_where_its_alert_was_raised
            concurrent_repeats_are_one_alert_and_all_count
            what_is_over_makes_room_first
            a_summary_counts_what_is_held
            what_is_to_end_is_found
            alerts_are_found_by_what_they_are_now
            a_thread_holds_the_messages_of_its_alert
            time_never_goes_back_within_a_log
            an_alert_that_is_over_is_refused_unless_its_key_was_seen
            a_clock_that_jumps_forgets_no_key
        }
    };
    (@each $harness:expr; $($law:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $law() {
                let harness = $harness;
                $crate::laws::to_its_end($crate::laws::$law(&harness)).await;
            }
        )*
    };
}
