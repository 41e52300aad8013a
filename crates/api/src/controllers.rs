//! The handlers of all addresses: parse the request, call one service, map the result to an answer.

pub(crate) mod actions;
pub(crate) mod alerts;
pub(crate) mod docs;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod messages;
pub(crate) mod root;
