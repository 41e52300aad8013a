//! Scenarios: demonstration alerts, and operators who act on them.

mod incidents;
mod script;

pub use script::Script;

use northgate_domain::{Action, NoteText, Operator, RaiseAlert};
use std::time::Duration;

/// A kind of demonstration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// About 8 active alerts, and a new alert every 30 s.
    Quiet,
    /// About 25 active alerts within seconds, and a new alert every 4 s.
    Busy,
    /// About 300 alerts within two minutes, with a wave of critical ones; then a new alert every
    /// 4 s.
    Storm,
}

impl Scenario {
    /// Every scenario.
    pub const ALL: [Self; 3] = [Self::Quiet, Self::Busy, Self::Storm];

    /// Returns the name, which is also the value of the label `demo` of each alert.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Busy => "busy",
            Self::Storm => "storm",
        }
    }

    const fn traits(self) -> Traits {
        const SHORTLY: Duration = Duration::from_millis(100);
        match self {
            Self::Quiet => Traits {
                active: 8,
                filling: SHORTLY,
                interval: Duration::from_secs(30),
                repeated: 0.15,
                most_repeats: 2,
                acknowledged: 0.4,
            },
            Self::Busy => Traits {
                active: 25,
                filling: SHORTLY,
                interval: Duration::from_secs(4),
                repeated: 0.3,
                most_repeats: 4,
                acknowledged: 0.4,
            },
            Self::Storm => Traits {
                active: 300,
                filling: Duration::from_millis(400),
                interval: Duration::from_secs(4),
                repeated: 0.4,
                most_repeats: 6,
                acknowledged: 0.25,
            },
        }
    }
}

/// Numbers that distinguish the scenarios.
struct Traits {
    /// Number of steps at the start that fill the board, and mean life of an alert in steps. So it
    /// is also the mean number of active alerts.
    active: u64,
    /// Time between two of the first steps.
    filling: Duration,
    /// Time between two later steps.
    interval: Duration,
    /// Share of the alerts that have repeats.
    repeated: f64,
    most_repeats: usize,
    /// Share of the alerts that an operator acknowledges.
    acknowledged: f64,
}

/// A built-in text of a scenario is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the built-in text {0:?} of the scenarios is invalid")]
pub struct ScenarioError(String);

/// A command of a script. It names its alert by the number of the step that raises the alert,
/// because the server chooses the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScenarioCommand {
    /// Raises an alert, or repeats it.
    Raise {
        /// Number of the alert.
        number: u64,
        /// The alert, without a time of expiry.
        alert: Box<RaiseAlert>,
        /// Time until the alert expires, from this command on.
        expires_after: Duration,
    },
    /// Acts on an alert.
    Act {
        /// Number of the alert.
        number: u64,
        /// The action.
        action: Action,
        /// Operator who acts.
        by: Operator,
        /// Note of the operator.
        note: Option<NoteText>,
    },
}
