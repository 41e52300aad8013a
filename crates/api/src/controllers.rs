//! What each address does: parse, one call to a service, and the answer.

pub(crate) mod actions;
pub(crate) mod alerts;
pub(crate) mod docs;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod messages;
pub(crate) mod root;
