//! Tests of the scripts, without a server and without time.

use super::*;
use std::collections::{HashMap, HashSet};

fn script(scenario: Scenario, seed: u64) -> Script {
    Script::new(scenario, seed, None).unwrap()
}

fn steps(script: &Script, count: u64) -> Vec<Vec<ScenarioCommand>> {
    (0..count).map(|step| script.commands(step)).collect()
}

/// State of a board that performs commands and lets alerts expire.
#[derive(Default)]
struct Board {
    raised: HashMap<u64, RaiseAlert>,
    /// Time of expiry of each active alert.
    active: HashMap<u64, Duration>,
    actions: Vec<Action>,
    repeats: usize,
    operators: HashSet<String>,
    resolved: usize,
}

impl Board {
    fn take(&mut self, now: Duration, commands: Vec<ScenarioCommand>) {
        self.active.retain(|_, end| *end > now);
        for command in commands {
            match command {
                ScenarioCommand::Raise { number, alert, expires_after } => {
                    assert!(expires_after > Duration::ZERO);
                    if let Some(first) = self.raised.get(&number) {
                        assert_eq!(first, alert.as_ref(), "a repeat has the same content");
                        assert!(alert.dedup_key.is_some() && self.active.contains_key(&number));
                        self.repeats += 1;
                    } else {
                        self.raised.insert(number, *alert);
                    }
                    self.active.insert(number, now + expires_after);
                }
                ScenarioCommand::Act { number, action, by, note } => {
                    assert!(self.active.contains_key(&number), "{number} {action:?}");
                    assert!(note.is_some() || action != Action::Annotate);
                    self.operators.insert(by.to_string());
                    self.actions.push(action);
                    if action == Action::Resolve {
                        self.active.remove(&number);
                        self.resolved += 1;
                    }
                }
            }
        }
    }
}

/// Runs steps `from..to`.
fn run(script: &Script, board: &mut Board, from: u64, to: u64) {
    for step in from..to {
        board.take(script.time_of(step), script.commands(step));
    }
}

#[test]
fn a_script_depends_only_on_the_seed() {
    for scenario in Scenario::ALL {
        let commands = steps(&script(scenario, 1), 400);
        assert_eq!(commands, steps(&script(scenario, 1), 400));
        assert_ne!(commands, steps(&script(scenario, 2), 400));
        let late = script(scenario, 1).commands(399);
        assert_eq!(commands[399], late, "a step does not depend on earlier calls");
    }
}

#[test]
fn a_scenario_has_its_number_of_active_alerts_for_days() {
    for (scenario, expected, settled) in [
        (Scenario::Quiet, 5..=10, 4..=12),
        (Scenario::Busy, 18..=27, 18..=33),
        (Scenario::Storm, 240..=300, 260..=340),
    ] {
        for seed in [1, 2, 3] {
            let (script, mut board) = (script(scenario, seed), Board::default());
            let filled = script.traits.active;
            run(&script, &mut board, 0, filled);
            let active = board.active.len();
            assert!(expected.contains(&active), "{scenario:?} {seed}: {active}");
            for at in (filled..filled * 12).step_by(usize::try_from(filled).unwrap()) {
                run(&script, &mut board, at, at + filled);
                let active = board.active.len();
                assert!(settled.contains(&active), "{scenario:?} {seed} {at}: {active}");
            }
        }
    }
}

#[test]
fn a_scenario_fills_its_board_in_time() {
    let time = |scenario, step| script(scenario, 1).time_of(step);
    assert!(time(Scenario::Quiet, 7) < Duration::from_secs(1));
    assert!(time(Scenario::Busy, 24) < Duration::from_secs(3));
    assert!(time(Scenario::Storm, 299) < Duration::from_mins(2));
    for scenario in Scenario::ALL {
        let script = script(scenario, 1);
        let delays = (0..=600).map(|step| script.delay_before(step));
        assert_eq!(delays.sum::<Duration>(), script.time_of(600));
    }
}

#[test]
fn a_storm_has_a_wave_of_critical_alerts_and_many_repeats() {
    let (script, mut board) = (script(Scenario::Storm, 1), Board::default());
    run(&script, &mut board, 0, 300);
    assert_eq!(board.raised.len(), 300);
    let critical = |numbers: std::ops::Range<u64>| {
        numbers.filter(|n| board.raised[n].severity == Severity::Critical).count()
    };
    assert_eq!(critical(120..170), 50);
    assert!(critical(0..120) < 30);
    assert!(board.repeats > 100, "{}", board.repeats);
}

#[test]
fn operators_acknowledge_annotate_and_resolve() {
    for scenario in Scenario::ALL {
        let (script, mut board) = (script(scenario, 1), Board::default());
        run(&script, &mut board, 0, 600);
        let count = |action| board.actions.iter().filter(|taken| **taken == action).count();
        for action in [Action::Acknowledge, Action::Annotate, Action::Resolve] {
            assert!(count(action) > 30, "{scenario:?} {action:?} {}", count(action));
        }
        assert!(board.resolved < 500, "some alerts expire");
        assert!(board.repeats > 50, "{scenario:?} {}", board.repeats);
        assert_eq!(board.operators.len(), OPERATORS.len());
    }
}

#[test]
fn every_alert_has_the_label_of_its_scenario() {
    for scenario in Scenario::ALL {
        let (script, mut board) = (script(scenario, 1), Board::default());
        run(&script, &mut board, 0, 30);
        for alert in board.raised.values() {
            let demo = alert.labels.as_slice().iter().find(|label| label.name.as_str() == "demo");
            assert_eq!(demo.unwrap().value.as_str(), scenario.name());
        }
    }
}

#[test]
fn the_first_alerts_are_varied() {
    let (script, mut board) = (script(Scenario::Busy, 1), Board::default());
    run(&script, &mut board, 0, 24);
    let alerts: Vec<_> = board.raised.values().collect();
    let distinct = |text: fn(&RaiseAlert) -> String| {
        alerts.iter().map(|alert| text(alert)).collect::<HashSet<_>>().len()
    };
    assert_eq!(distinct(|alert| alert.message.to_string()), 24);
    assert!(distinct(|alert| alert.location.to_string()) >= 8);
    assert!(distinct(|alert| alert.source.as_ref().unwrap().to_string()) >= 15);
    assert_eq!(distinct(|alert| alert.severity.name().to_owned()), 4);
    let some = |is_one: fn(&&&RaiseAlert) -> bool| alerts.iter().filter(is_one).count();
    assert!(some(|alert| alert.url.is_some()) >= 5);
    assert_eq!(some(|alert| alert.message.as_str().contains('ا')), 1);
    assert_eq!(some(|alert| alert.message.as_str().contains('🔥')), 1);
    assert_eq!(some(|alert| alert.message.as_str().len() > 1_000), 1);
}

#[test]
fn an_interval_replaces_the_time_between_two_alerts() {
    let every = Duration::from_millis(20);
    let script = Script::new(Scenario::Busy, 1, Some(every)).unwrap();
    assert_eq!(script.delay_before(0), Duration::ZERO);
    assert_eq!((script.delay_before(1), script.delay_before(1_000)), (every, every));
    let hourly = Script::new(Scenario::Busy, 1, Some(Duration::from_hours(1))).unwrap();
    assert_eq!(hourly.delay_before(24), Duration::from_millis(100));
    assert_eq!(hourly.delay_before(25), Duration::from_hours(1));
}
