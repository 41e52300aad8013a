//! The rounds of a scenario, in which server and floor are measured in turn.

use crate::arguments::{Switch, TargetArgs};
use crate::error::Result;
use crate::report::{Round, TargetReport};
use crate::target::Target;

/// Size of the floor's frames in bytes, if the server's frames were not measured.
const FLOOR_FRAME_BYTES: usize = 200;

/// In every round, measures the server and then the floor. `--floor off` omits the floor.
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

/// Measures only the server, for scenarios in which a floor has no meaning.
pub(super) fn rounds_without_floor(
    args: &TargetArgs,
    measure: impl Fn(&mut Target) -> Result<TargetReport>,
) -> Result<Vec<Round>> {
    let floor = Switch::Off;
    rounds(&TargetArgs { floor, ..args.clone() }, measure)
}
