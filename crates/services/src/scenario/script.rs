//! The commands of a scenario. A [`Script`] is a pure function of its seed and the number of a step,
//! without time and ids. Step *n* raises alert *n*. The fate of an alert follows from its number
//! alone, so the script needs no state.

use super::incidents::{INCIDENTS, Incident, NOTES, OPERATORS, RESOLUTIONS};
use super::{Scenario, ScenarioCommand, ScenarioError, Traits};
use fastrand::Rng;
use northgate_domain::{
    Action, DedupKey, HttpUrl, Label, LabelName, LabelValue, Labels, Location, MessageText,
    NoteText, Operator, RaiseAlert, Severity, Source,
};
use std::time::Duration;

/// The commands of a scenario, step by step.
pub struct Script {
    traits: Traits,
    seed: u64,
    is_storm: bool,
    /// The variants of each incident.
    incidents: Vec<Vec<RaiseAlert>>,
    operators: Vec<Operator>,
    notes: Vec<NoteText>,
    resolutions: Vec<NoteText>,
}

/// Events in the life of an alert, in steps after its raise.
struct Fate {
    repeats: Vec<u64>,
    acknowledged: Option<u64>,
    annotated: Option<u64>,
    /// End of the alert.
    life: u64,
    /// Whether an operator resolves the alert. Otherwise it expires.
    is_resolved: bool,
    operator: usize,
    note: usize,
    /// Note of the resolution; an index beyond the list means none.
    resolution: usize,
}

impl Script {
    /// Number of variants of each incident.
    const VARIANTS: u64 = 12;
    /// Additional time until an alert expires that an operator is to resolve. After a restart, no
    /// operator resolves the alerts that were raised before.
    const GRACE: Duration = Duration::from_mins(10);

    /// Creates the script of a scenario. `interval`, if set, replaces the time between two alerts.
    pub fn new(
        scenario: Scenario,
        seed: u64,
        interval: Option<Duration>,
    ) -> Result<Self, ScenarioError> {
        let mut traits = scenario.traits();
        traits.interval = interval.unwrap_or(traits.interval);
        traits.filling = traits.filling.min(traits.interval);
        let variants = |incident| {
            (1..=Self::VARIANTS).map(|n| variant(incident, n, scenario.name())).collect()
        };
        Ok(Self {
            traits,
            seed,
            is_storm: scenario == Scenario::Storm,
            incidents: INCIDENTS.iter().map(variants).collect::<Result<_, _>>()?,
            operators: parse_all(&OPERATORS, Operator::parse)?,
            notes: parse_all(&NOTES, NoteText::parse)?,
            resolutions: parse_all(&RESOLUTIONS, NoteText::parse)?,
        })
    }

    /// Returns the time between the previous step and this one.
    pub fn delay_before(&self, step: u64) -> Duration {
        match step {
            0 => Duration::ZERO,
            _ if step < self.traits.active => self.traits.filling,
            _ => self.traits.interval,
        }
    }

    /// Returns the time between two steps after the board was filled.
    pub fn interval(&self) -> Duration {
        self.traits.interval
    }

    /// Returns the number of the oldest alert that a command of `step` can name.
    pub fn oldest(&self, step: u64) -> u64 {
        step.saturating_sub(self.traits.active * 3 / 2)
    }

    /// Returns the commands of a step, in their order.
    pub fn commands(&self, step: u64) -> Vec<ScenarioCommand> {
        let mut commands = Vec::new();
        for number in self.oldest(step)..=step {
            self.add_commands(number, step - number, &mut commands);
        }
        commands
    }

    /// Adds the commands about one alert, `age` steps after its raise.
    fn add_commands(&self, number: u64, age: u64, commands: &mut Vec<ScenarioCommand>) {
        let fate = self.fate(number);
        if age == 0 || fate.repeats.contains(&age) {
            commands.extend(self.raise(number, age, &fate));
        }
        let Some(by) = self.operators.get(fate.operator) else { return };
        let mut act = |action, note: Option<&NoteText>| {
            let (by, note) = (by.clone(), note.cloned());
            commands.push(ScenarioCommand::Act { number, action, by, note });
        };
        if fate.acknowledged == Some(age) {
            act(Action::Acknowledge, None);
        }
        if fate.annotated == Some(age) {
            act(Action::Annotate, self.notes.get(fate.note));
        }
        if fate.is_resolved && fate.life == age {
            act(Action::Resolve, self.resolutions.get(fate.resolution));
        }
    }

    /// Returns the raise of an alert. A repeat has the same time of expiry as the first raise.
    fn raise(&self, number: u64, age: u64, fate: &Fate) -> Option<ScenarioCommand> {
        // Each incident occurs once before one occurs again.
        let count = INCIDENTS.len() as u64;
        let mut order: Vec<_> = self.incidents.iter().collect();
        self.random(number / count, 0).shuffle(&mut order);
        if self.is_in_wave(number) {
            // A finished deployment is never critical.
            order.retain(|variants| variants.iter().all(|alert| alert.severity >= Severity::Error));
        }
        let place = usize::try_from(number % count).ok()?.checked_rem(order.len())?;
        let mut alert = self.random(number, 1).choice(order.get(place)?.iter())?.clone();
        if self.is_in_wave(number) {
            alert.severity = Severity::Critical;
        }
        if !fate.repeats.is_empty() {
            let name = alert.source.as_ref().map_or("demo", Source::as_str);
            alert.dedup_key = DedupKey::parse(&format!("{name}/{}/{number}", self.seed)).ok();
        }
        let left = self.time_of(number + fate.life).saturating_sub(self.time_of(number + age));
        let grace = if fate.is_resolved { Self::GRACE } else { Duration::ZERO };
        let expires_after = left + grace;
        Some(ScenarioCommand::Raise { number, alert: Box::new(alert), expires_after })
    }

    fn fate(&self, number: u64) -> Fate {
        let Traits { active, repeated, most_repeats, acknowledged, .. } = self.traits;
        let mut random = self.random(number, 2);
        let is_short = random.f64() < 0.1;
        let life = if is_short {
            random.u64(2..=active.min(8))
        } else {
            random.u64(active * 7 / 10..=active * 3 / 2)
        };
        let is_repeated = random.f64() < repeated || self.is_in_wave(number);
        let repeats = if is_repeated { random.usize(1..=most_repeats) } else { 0 };
        let is_acknowledged = random.f64() < acknowledged;
        let acknowledged = is_acknowledged.then(|| random.u64(1..=life.div_ceil(3)));
        let annotated = (random.f64() < 0.5).then_some(acknowledged).flatten();
        Fate {
            repeats: (0..repeats).map(|_| random.u64(1..life)).collect(),
            acknowledged,
            annotated: annotated.map(|age| age + 1).filter(|age| *age < life),
            life,
            is_resolved: is_short || random.f64() < if is_acknowledged { 0.7 } else { 0.2 },
            operator: random.usize(..OPERATORS.len()),
            note: random.usize(..NOTES.len()),
            resolution: random.usize(..RESOLUTIONS.len() * 2),
        }
    }

    /// Returns whether an alert belongs to a wave of critical alerts, which a storm has.
    fn is_in_wave(&self, number: u64) -> bool {
        self.is_storm && (120..170).contains(&(number % 300))
    }

    /// Returns the time of a step, counted from step 0.
    fn time_of(&self, step: u64) -> Duration {
        let steps = |count| u32::try_from(count).unwrap_or(u32::MAX);
        let filling = step.min(self.traits.active.saturating_sub(1));
        let time = self.traits.filling.saturating_mul(steps(filling));
        time.saturating_add(self.traits.interval.saturating_mul(steps(step - filling)))
    }

    /// Returns random numbers that depend only on the seed, the number and the purpose.
    fn random(&self, number: u64, purpose: u64) -> Rng {
        let mut seeds = Rng::with_seed(self.seed);
        let mut random = Rng::with_seed(seeds.u64(..) ^ (number << 2 | purpose));
        Rng::with_seed(random.u64(..))
    }
}

fn parse_all<T, E>(
    texts: &[&str],
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, ScenarioError> {
    texts.iter().map(|text| valid(text, &parse)).collect()
}

fn valid<T, E>(text: &str, parse: impl Fn(&str) -> Result<T, E>) -> Result<T, ScenarioError> {
    parse(text).map_err(|_| ScenarioError(text.to_owned()))
}

/// Returns variant `n` of an incident, with the label `demo`.
fn variant(incident: &Incident, n: u64, demo: &str) -> Result<RaiseAlert, ScenarioError> {
    let numbered = |text: &str| text.replace("{n}", &n.to_string());
    let location = incident.locations.iter().cycle().nth(usize::try_from(n).unwrap_or_default());
    let location = valid(location.copied().unwrap_or_default(), Location::parse)?;
    let labels = incident.labels.iter().copied().chain([("demo", demo)]).map(|(name, value)| {
        Ok(Label { name: valid(name, LabelName::parse)?, value: valid(value, LabelValue::parse)? })
    });
    let labels = labels.collect::<Result<_, ScenarioError>>()?;
    Ok(RaiseAlert {
        source: Some(valid(&numbered(incident.source), Source::parse)?),
        severity: incident.severity,
        labels: Labels::new(labels).map_err(|error| ScenarioError(error.to_string()))?,
        url: incident.url.map(|url| valid(url, HttpUrl::parse)).transpose()?,
        ..RaiseAlert::new(valid(&numbered(incident.message), MessageText::parse)?, location)
    })
}

#[cfg(test)]
mod tests;
