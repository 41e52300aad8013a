//! Random events and filters, and a second, independent implementation of the filter.

use crate::sample::alert;
use northgate_domain::{Event, EventFilter, EventType, Location};
use northgate_storage::{EventLog, ReadFrom, Submission};
use northgate_testkit::say;
use proptest::prelude::*;

const PLACES: [&str; 3] = ["North Gate", "East Gate", "Gate"];

/// Filter of a client: for each condition a set of accepted values, or `None` for no condition.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    types: Option<Vec<&'static str>>,
    places: Option<Vec<&'static str>>,
}

impl Wanted {
    pub(crate) fn filter(&self) -> EventFilter {
        let types = self.types.iter().flatten().map(|name| EventType::parse(name).unwrap());
        let places = self.places.iter().flatten().copied();
        filter(types.collect(), places)
    }

    fn admits(&self, event: &Event) -> bool {
        let (kind, place) = match event {
            Event::Alert(event) => ("alert", Some(event.alert.location.as_str())),
            Event::Chat(_) => ("chat", None),
        };
        let type_matches = self.types.as_ref().is_none_or(|types| types.contains(&kind));
        let place_matches = match (&self.places, place) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(places), Some(place)) => places.contains(&place),
        };
        type_matches && place_matches
    }

    /// Returns the offsets of all matching events that the store retains.
    pub(crate) async fn of(&self, store: &dyn EventLog) -> Vec<u64> {
        let newest = *store.head().borrow();
        let retained = store.read(ReadFrom::Before(newest), usize::MAX).await.unwrap();
        let matching = retained.iter().filter(|event| self.admits(&event.value));
        matching.map(|event| event.position.offset).collect()
    }
}

/// Creates a filter on event types and, unless `places` is empty, on the locations of alerts.
pub(crate) fn filter<'a>(
    types: Vec<EventType>,
    places: impl IntoIterator<Item = &'a str>,
) -> EventFilter {
    let mut filter = EventFilter::default();
    filter.types = types;
    filter.locations.extend(places.into_iter().map(|place| Location::parse(place).unwrap()));
    filter
}

pub(crate) fn wanted() -> impl Strategy<Value = Wanted> {
    let types = prop::sample::subsequence(vec!["alert", "chat"], 1..=2);
    let places = prop::sample::subsequence(PLACES.to_vec(), 1..=3);
    (prop::option::of(types), prop::option::weighted(0.3, places))
        .prop_map(|(types, places)| Wanted { types, places })
}

/// One event: a chat message, or an alert at one of the locations.
pub(crate) fn event() -> impl Strategy<Value = Submission> {
    (0..8_usize).prop_map(|n| PLACES.get(n).map_or_else(|| say("What?"), |place| alert(place)))
}
