//! The full run: every scenario in sequence, as `docs/PERFORMANCE.md` shows it.

use std::io::{self, Write};

use clap::{Args, Parser};

use crate::error::Result;
use crate::scenario::Scenario;

/// Command lines of the scenarios.
const SUITE: [&str; 11] = [
    "fanout --rounds 3",
    "fanout --rounds 3 --frame-bytes 500",
    "sse --rounds 3",
    "flood --rounds 3 --sockets 500",
    "post",
    "idle --floor off",
    "storm --floor off",
    "resume --rounds 3 -- --memory-events 30000",
    "stall",
    "drain --sockets 10000 --rate 5",
    "stores",
];

#[derive(Args, Debug)]
pub(crate) struct AllArgs {
    /// Print the scenarios without running them
    #[arg(long)]
    dry: bool,
}

#[derive(Debug, Parser)]
struct Line {
    #[command(subcommand)]
    scenario: Scenario,
}

/// Runs every scenario, even after a broken promise or an error. Returns whether no promise was
/// broken and no scenario failed.
pub(crate) fn run(args: &AllArgs) -> Result<bool> {
    let mut held = true;
    for line in SUITE {
        writeln!(io::stdout(), "$ bench {line}")?;
        if args.dry {
            continue;
        }
        // A test proves that every line can be parsed.
        let line = Line::parse_from(["bench"].into_iter().chain(line.split(' ')));
        match line.scenario.run() {
            Ok(passed) => held &= passed,
            Err(error) => {
                writeln!(io::stdout(), "failed: {}", error.in_full())?;
                held = false;
            }
        }
        writeln!(io::stdout())?;
    }
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_suite_can_be_parsed() {
        for line in SUITE {
            let parsed = Line::try_parse_from(["bench"].into_iter().chain(line.split(' ')));
            assert!(parsed.is_ok(), "{line}: {parsed:?}");
        }
    }
}
