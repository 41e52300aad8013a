//! The rounds in which server and floor take turns.

use crate::arguments::{Switch, TargetArgs};
use crate::error::Result;
use crate::report::{Round, TargetReport};
use crate::target::Target;

/// The floor's frames when the server's were not measured.
const FLOOR_FRAME_BYTES: usize = 200;

/// Measures the server and, unless it is switched off, the floor, in turn.
pub(super) fn rounds(
    args: &TargetArgs,
    measure: impl Fn(&mut Target) -> Result<TargetReport>,
) -> Result<Vec<Round>> {
    let mut rounds = Vec::new();
    for _ in 0..args.rounds {
        let server = measure(&mut Target::server(args)?)?;
        let floor = match args.floor {
            Switch::On => {
                let frame_bytes = server.frame_bytes.unwrap_or(FLOOR_FRAME_BYTES);
                Some(measure(&mut Target::floor(frame_bytes)?)?)
            }
            Switch::Off => None,
        };
        rounds.push(Round { server, floor });
    }
    Ok(rounds)
}

/// Measures the server alone, where a floor would say nothing.
pub(super) fn rounds_without_floor(
    args: &TargetArgs,
    measure: impl Fn(&mut Target) -> Result<TargetReport>,
) -> Result<Vec<Round>> {
    let floor = Switch::Off;
    rounds(&TargetArgs { floor, ..args.clone() }, measure)
}
