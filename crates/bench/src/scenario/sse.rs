//! Paced fan-out over event streams instead of WebSockets, with the same figures and floor.

use clap::Args;
use serde::Serialize;

use super::fanout::{self, FanoutArgs};
use super::rounds::rounds;
use crate::error::Result;
use crate::report::Round;

#[derive(Args, Debug, Serialize)]
pub(crate) struct SseArgs {
    /// Path of the event stream
    #[arg(long, default_value = "/events")]
    events_path: String,
    #[command(flatten)]
    pub(crate) fanout: FanoutArgs,
}

pub(crate) fn run(args: &SseArgs) -> Result<Vec<Round>> {
    fanout::check(&args.fanout)?;
    rounds(&args.fanout.target, |target| {
        target.read_event_stream(&args.events_path);
        fanout::measure(&args.fanout, target)
    })
}
