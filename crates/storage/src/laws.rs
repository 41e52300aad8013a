//! The laws of the port as tests. Every store must pass all of them: see [`event_store_laws!`].
//!
//! [`event_store_laws!`]: crate::event_store_laws
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a store that breaks a law fails a test, and a test fails by a panic"
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
    a_cancelled_append_stores_no_partial_vector,
    a_refused_vector_stores_nothing_among_concurrent_ones,
    a_vector_is_stored_completely_or_not_at_all, an_empty_vector_changes_nothing,
};
pub use bounded::{
    a_burst_of_chat_evicts_no_alert, alerts_and_messages_outlive_their_trimmed_events,
    newest_returns_the_newest_items_in_rising_order,
};
pub use clocks::{
    a_clock_jump_forgets_no_key, an_expired_raise_is_refused_unless_its_key_was_used_before,
    time_never_goes_back_within_a_log,
};
pub use handles::{
    a_durable_store_is_the_same_after_a_restart, an_unavailable_append_has_stored_nothing,
    handles_of_a_shared_store_see_one_log,
};
pub use heads::{
    a_new_receiver_of_the_head_has_no_pending_change, every_move_of_the_head_wakes_its_receivers,
    no_query_shows_events_beyond_the_head, the_head_never_moves_backwards,
};
pub use history::{
    a_history_query_returns_the_requested_page, a_history_refuses_foreign_positions,
    a_page_of_a_history_is_bounded_in_bytes, a_search_matches_words_and_has_no_operators,
    message_queries_return_the_requested_page, pages_of_a_history_join_without_a_gap_or_a_repeat,
};
pub use honest::{
    a_foreign_position_is_a_gap, a_read_is_bounded_in_bytes, a_trimmed_position_is_a_gap,
    backward_pages_return_every_retained_event_once, reading_at_the_head_returns_an_empty_page,
};
pub use idempotent::{
    a_key_always_returns_its_first_outcome, a_key_is_forgotten_after_a_day,
    a_key_used_twice_in_one_vector_appends_once, a_refused_submission_does_not_use_up_its_key,
    concurrent_submissions_with_one_key_append_once, equal_keys_in_two_scopes_are_independent,
    the_oldest_keys_are_forgotten_first,
};
pub use kept::{
    an_appended_event_is_visible_in_every_query,
    collections_contain_exactly_the_events_up_to_their_position,
};
pub use lives::{
    a_summary_counts_the_retained_alerts, a_thread_contains_the_messages_of_its_alert,
    alerts_are_filtered_by_their_current_fields,
    every_change_of_an_alert_is_an_event_with_the_state_after_it,
    one_of_many_concurrent_acknowledgements_wins, refused_and_unchanged_actions_append_no_event,
    resolved_alerts_are_evicted_first, the_overdue_alerts_are_found_and_no_others,
};
pub use manual_clock::ManualClock;
pub use moments::{
    a_history_page_shows_one_state_of_the_store, alert_events_returns_the_events_of_one_alert_only,
    an_alert_and_its_events_show_one_state_of_the_store,
};
pub use ordered::offsets_are_contiguous_under_concurrent_appends;
pub use repeats::{
    a_repeat_counts_for_the_newest_unresolved_alert_of_its_key,
    an_outcome_contains_the_position_of_the_raise,
    concurrent_repeats_create_one_alert_and_all_count,
};
pub use whole::{
    a_dropped_wait_of_a_tail_loses_no_event, a_tail_receives_every_event_exactly_once_in_order,
};
pub use wrapped_store::WrappedStore;

use crate::{Capacity, EventStore, StoreFactory};
use northgate_domain::{Epoch, MetaSource};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// Creates the stores that the laws test.
#[async_trait::async_trait]
pub trait Harness: Send + Sync {
    /// Returns a factory for one store of this capacity. The store is empty when the factory opens
    /// it for the first time. A durable store contains the same data when the factory opens it
    /// again. Each factory needs its own location, for example a new directory. The location must
    /// exist until the harness is dropped.
    fn factory(&self, capacity: Capacity) -> Arc<dyn StoreFactory>;

    /// Returns whether the store may be opened twice at the same time, for example by two nodes. If
    /// true, the law `handles_of_a_shared_store_see_one_log` runs in full.
    fn is_shared(&self) -> bool {
        false
    }

    /// Makes the next append of `store` fail so late that the store cannot know whether the events
    /// of this append were stored. Returns false if the harness cannot do this.
    fn fail_next_append(&self, _store: &Arc<dyn EventStore>) -> bool {
        false
    }

    /// Opens an empty store of this capacity. The store gets timestamps and ids from `meta`.
    async fn open(&self, capacity: Capacity, meta: MetaSource) -> Arc<dyn EventStore> {
        self.factory(capacity).open(meta, EPOCH).await.unwrap()
    }
}

/// Runs a law, and fails if the law runs for more than two minutes.
pub async fn to_its_end(law: impl Future<Output = ()>) {
    let ended = tokio::time::timeout(Duration::from_mins(2), law).await;
    assert!(ended.is_ok(), "the law did not finish within two minutes: the store hangs");
}

/// Epoch of every log that the laws create.
pub(crate) const EPOCH: Epoch = Epoch::new(7);

/// Expands to one `#[tokio::test]` for each law, against the stores that a [`Harness`] opens. The
/// calling crate needs `tokio` with the features `macros` and `rt-multi-thread`.
///
/// ```text
/// northgate_storage::event_store_laws!(MyHarness);
/// ```
#[macro_export]
macro_rules! event_store_laws {
    ($harness:expr) => {
        $crate::event_store_laws! { @each $harness;
            an_appended_event_is_visible_in_every_query
            collections_contain_exactly_the_events_up_to_their_position
            offsets_are_contiguous_under_concurrent_appends
            a_tail_receives_every_event_exactly_once_in_order
            a_dropped_wait_of_a_tail_loses_no_event
            a_foreign_position_is_a_gap
            a_trimmed_position_is_a_gap
            reading_at_the_head_returns_an_empty_page
            backward_pages_return_every_retained_event_once
            a_history_query_returns_the_requested_page
            message_queries_return_the_requested_page
            a_search_matches_words_and_has_no_operators
            a_history_refuses_foreign_positions
            pages_of_a_history_join_without_a_gap_or_a_repeat
            a_page_of_a_history_is_bounded_in_bytes
            a_read_is_bounded_in_bytes
            a_key_always_returns_its_first_outcome
            a_key_used_twice_in_one_vector_appends_once
            a_refused_submission_does_not_use_up_its_key
            concurrent_submissions_with_one_key_append_once
            equal_keys_in_two_scopes_are_independent
            the_oldest_keys_are_forgotten_first
            a_key_is_forgotten_after_a_day
            a_vector_is_stored_completely_or_not_at_all
            an_empty_vector_changes_nothing
            a_cancelled_append_stores_no_partial_vector
            a_refused_vector_stores_nothing_among_concurrent_ones
            the_head_never_moves_backwards
            no_query_shows_events_beyond_the_head
            every_move_of_the_head_wakes_its_receivers
            a_new_receiver_of_the_head_has_no_pending_change
            a_history_page_shows_one_state_of_the_store
            alert_events_returns_the_events_of_one_alert_only
            an_alert_and_its_events_show_one_state_of_the_store
            a_durable_store_is_the_same_after_a_restart
            handles_of_a_shared_store_see_one_log
            an_unavailable_append_has_stored_nothing
            alerts_and_messages_outlive_their_trimmed_events
            a_burst_of_chat_evicts_no_alert
            newest_returns_the_newest_items_in_rising_order
            every_change_of_an_alert_is_an_event_with_the_state_after_it
            refused_and_unchanged_actions_append_no_event
            one_of_many_concurrent_acknowledgements_wins
            a_repeat_counts_for_the_newest_unresolved_alert_of_its_key
            an_outcome_contains_the_position_of_the_raise
            concurrent_repeats_create_one_alert_and_all_count
            resolved_alerts_are_evicted_first
            a_summary_counts_the_retained_alerts
            the_overdue_alerts_are_found_and_no_others
            alerts_are_filtered_by_their_current_fields
            a_thread_contains_the_messages_of_its_alert
            time_never_goes_back_within_a_log
            an_expired_raise_is_refused_unless_its_key_was_used_before
            a_clock_jump_forgets_no_key
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
