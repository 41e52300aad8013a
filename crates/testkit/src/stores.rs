//! The stores that the tests can use, and a function that limits the events in every store.

use northgate_server::{Application, ApplicationBuilder, Settings};
use std::env::{VarError, var};
use std::path::Path;

/// Variable with the name of the store for every [`TestServer`](crate::TestServer) of a test that
/// selects no store.
const VARIABLE: &str = "NORTHGATE_TEST_STORE";

/// Function that returns the builder of a server with one kind of store. The path is an existing
/// folder, in which a store on disk creates its files.
pub(crate) type Store = fn(Settings, &Path) -> ApplicationBuilder;

/// All stores with their names. The first is the default. Another store needs one line here.
const STORES: &[(&str, Store)] = &[("memory", in_memory), ("disk", on_disk)];

pub(crate) fn in_memory(settings: Settings, _folder: &Path) -> ApplicationBuilder {
    Application::builder(settings)
}

pub(crate) fn on_disk(mut settings: Settings, folder: &Path) -> ApplicationBuilder {
    settings.storage.data = Some(folder.to_str().unwrap().parse().unwrap());
    Application::builder(settings)
}

/// Returns the store that the environment selects.
pub(crate) fn chosen_store() -> Store {
    let name = match var(VARIABLE) {
        Err(VarError::NotPresent) => return STORES[0].1,
        name => name.unwrap(),
    };
    let named = STORES.iter().find(|(known, _)| *known == name);
    let known: Vec<_> = STORES.iter().map(|(name, _)| name).collect();
    named.unwrap_or_else(|| panic!("{VARIABLE} is {name:?}; it must be one of {known:?}")).1
}

/// Makes every store retain only the newest `events`.
pub fn set_window(settings: &mut Settings, events: usize) {
    settings.memory.events = events.try_into().unwrap();
    settings.storage.retain_events = settings.memory.events;
}
