//! Rate limit of log lines per callsite: a flood becomes a few lines and a count.

use std::collections::HashMap;
use std::fmt::{Debug, Write as _};
use std::time::Duration;
use tokio::time::Instant;
use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

/// Upper bound of lines of one callsite in one window.
const MAX_LINES: u32 = 8;
/// Length of a window. A window begins with its first line.
const WINDOW: Duration = Duration::from_secs(10);
/// Upper bound of characters of a message that a summary quotes.
const MAX_QUOTED: usize = 200;

/// Counts log lines by callsite. The memory is bounded by the number of callsites in the program.
#[derive(Debug, Default)]
pub(super) struct RepeatLimiter {
    windows: HashMap<Identifier, Window>,
}

#[derive(Debug)]
struct Window {
    ends: Instant,
    lines: u32,
    suppressed: Option<Repeated>,
}

/// Summary of the lines of one callsite that were suppressed in one window.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Repeated {
    pub(super) level: Level,
    /// Message of the first suppressed line.
    message: String,
    count: u64,
}

impl RepeatLimiter {
    /// Returns whether `event`, which happens at `now`, should be written.
    pub(super) fn admits(&mut self, event: &Event<'_>, now: Instant) -> bool {
        let metadata = event.metadata();
        let message = || message_of(event);
        self.admits_line(metadata.callsite(), *metadata.level(), message, now)
    }

    fn admits_line(
        &mut self,
        callsite: Identifier,
        level: Level,
        message: impl FnOnce() -> String,
        now: Instant,
    ) -> bool {
        let new = || Window { ends: now + WINDOW, lines: 0, suppressed: None };
        let window = self.windows.entry(callsite).or_insert_with(new);
        if window.ends <= now && window.suppressed.is_none() {
            *window = new();
        }
        if window.lines < MAX_LINES {
            window.lines += 1;
            return true;
        }
        let first = || Repeated { level, message: message(), count: 0 };
        window.suppressed.get_or_insert_with(first).count += 1;
        false
    }

    /// Returns the time at which the next window ends. Lines may still be suppressed until then.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.windows.values().map(|window| window.ends).min()
    }

    /// Ends every window that is over at `now`, and returns the summaries of suppressed lines.
    pub(super) fn end_windows(&mut self, now: Instant) -> Vec<Repeated> {
        let over = self.windows.extract_if(|_, window| window.ends <= now);
        over.filter_map(|(_, window)| window.suppressed).collect()
    }

    /// Ends all windows, for the end of the process.
    pub(super) fn end_all(&mut self) -> Vec<Repeated> {
        self.windows.drain().filter_map(|(_, window)| window.suppressed).collect()
    }
}

impl std::fmt::Display for Repeated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (message, count, seconds) = (&self.message, self.count, WINDOW.as_secs());
        write!(f, "{message} … repeated {count} more times in {seconds} s")
    }
}

/// Returns the message of `event` without its other fields, in one line.
fn message_of(event: &Event<'_>) -> String {
    struct Message(String);
    impl Visit for Message {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            if field.name() == "message" {
                // Writing to a string cannot fail.
                let _ = write!(self.0, "{value:?}");
            }
        }
    }
    let mut message = Message(String::new());
    event.record(&mut message);
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    message.0.chars().take(MAX_QUOTED).map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Metadata;
    use tracing::callsite::Callsite;
    use tracing::subscriber::Interest;

    /// A callsite for tests. The address of a callsite identifies it, so its size must not be zero.
    struct Place(#[expect(dead_code, reason = "gives each callsite its own address")] u8);

    impl Callsite for Place {
        fn set_interest(&self, _interest: Interest) {}
        fn metadata(&self) -> &Metadata<'_> {
            unreachable!("not called in these tests")
        }
    }

    static FLOOD: Place = Place(1);
    static OTHER: Place = Place(2);

    fn log(limiter: &mut RepeatLimiter, place: &'static Place, now: Instant) -> bool {
        limiter.admits_line(Identifier(place), Level::ERROR, || "boom".into(), now)
    }

    fn texts(repeated: &[Repeated]) -> Vec<String> {
        repeated.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_flood_from_one_callsite_becomes_eight_lines_and_a_count() {
        let (mut limiter, start) = (RepeatLimiter::default(), Instant::now());
        let admitted = (0..2_000).filter(|_| log(&mut limiter, &FLOOD, start)).count();
        assert_eq!(admitted, 8);
        let later = start + Duration::from_secs(1);
        assert!(log(&mut limiter, &OTHER, later), "other callsites are not limited");
        let end = start + Duration::from_secs(10);
        assert_eq!(limiter.next_end(), Some(end));
        assert_eq!(limiter.end_windows(end - Duration::from_millis(1)), []);
        let told = texts(&limiter.end_windows(end));
        assert_eq!(told, ["boom … repeated 1992 more times in 10 s"]);
        assert_eq!(
            limiter.next_end(),
            Some(later + Duration::from_secs(10)),
            "the window of the other callsite"
        );
        assert!(log(&mut limiter, &FLOOD, end), "a new window");
    }

    #[test]
    fn a_window_is_summarized_before_the_next_one_begins() {
        let (mut limiter, start) = (RepeatLimiter::default(), Instant::now());
        for _ in 0..9 {
            log(&mut limiter, &FLOOD, start);
        }
        let late = start + Duration::from_mins(1);
        assert!(!log(&mut limiter, &FLOOD, late), "counted until the thread writes the summary");
        assert_eq!(texts(&limiter.end_windows(late)), ["boom … repeated 2 more times in 10 s"]);
        assert!(log(&mut limiter, &FLOOD, late));
    }

    #[test]
    fn lines_at_a_low_rate_are_all_written() {
        let (mut limiter, start) = (RepeatLimiter::default(), Instant::now());
        for n in 0..100 {
            assert!(log(&mut limiter, &FLOOD, start + Duration::from_secs(2 * n)), "{n}");
        }
    }

    #[test]
    fn every_count_is_reported_at_the_end_of_the_process() {
        let (mut limiter, start) = (RepeatLimiter::default(), Instant::now());
        for _ in 0..10 {
            log(&mut limiter, &FLOOD, start);
        }
        assert_eq!(texts(&limiter.end_all()), ["boom … repeated 2 more times in 10 s"]);
        assert_eq!(limiter.end_all(), []);
    }
}
