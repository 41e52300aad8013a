//! The report as a table for people.

use std::fmt::{self, Display, Formatter};

use super::{Columns, Figure, Report, TargetReport, Unit, Verdict, whole};

impl Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let rounds = self.rounds.len();
        let plural = if rounds == 1 { "" } else { "s, medians" };
        writeln!(out, "{}, {rounds} round{plural}", self.scenario)?;
        let width = self.figures.iter().map(|figure| figure.name.len()).max();
        let width = width.unwrap_or(0).max(6);
        let Columns { server, floor } = self.columns;
        let ratio = "ratio";
        writeln!(out, "  {:width$}  {server:>14}  {floor:>14}  {ratio:>7}", "figure")?;
        for figure in &self.figures {
            figure.row(out, width)?;
        }
        for (number, round) in (1..).zip(&self.rounds) {
            lines(out, server, number, &round.server)?;
            if let Some(floor) = &round.floor {
                lines(out, self.columns.floor, number, floor)?;
            }
        }
        let result = if self.passed { "held" } else { "BROKEN" };
        writeln!(out, "  promises: {result}")
    }
}

impl Figure {
    fn row(&self, out: &mut Formatter<'_>, width: usize) -> fmt::Result {
        let server = with_unit(self.server, self.unit);
        let floor = self.floor.map(|value| with_unit(value, self.unit));
        let floor = floor.unwrap_or_else(|| "–".to_owned());
        let ratio = self.ratio.map(|ratio| match ratio {
            ..10_000.0 => format!("{ratio:.2}"),
            _ => "> 9,999".to_owned(),
        });
        let ratio = ratio.unwrap_or_else(|| "–".to_owned());
        writeln!(out, "  {:width$}  {server:>14}  {floor:>14}  {ratio:>7}", self.name)
    }
}

fn lines(out: &mut Formatter<'_>, target: &str, round: u32, report: &TargetReport) -> fmt::Result {
    let telling = |verdict: &Verdict| verdict.expected > 0 || !verdict.is_clean();
    for (phase, verdict) in report.verdicts.iter().filter(|(_, verdict)| telling(verdict)) {
        writeln!(out, "  {target}, round {round}, {phase}: {verdict}")?;
    }
    for note in &report.notes {
        writeln!(out, "  {target}, round {round}: {note}")?;
    }
    for broken in &report.broken {
        writeln!(out, "  {target}, round {round}: BROKEN: {broken}")?;
    }
    Ok(())
}

impl Display for Verdict {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let [delivered, expected] = [self.delivered, self.expected].map(grouped);
        write!(
            out,
            "{delivered} of {expected} deliveries, {} missing, {} repeated, {} reordered, \
             {} sockets in another order",
            self.missing, self.repeated, self.reordered, self.differing_sockets
        )?;
        if self.foreign > 0 {
            write!(out, ", {} foreign frames", self.foreign)?;
        }
        for (ending, sockets) in &self.endings {
            write!(out, ", {sockets} sockets {ending}")?;
        }
        for failure in &self.failures {
            write!(out, "; {failure}")?;
        }
        Ok(())
    }
}

fn with_unit(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Millis => format!("{value:.3} ms"),
        Unit::Micros => format!("{value:.2} µs"),
        Unit::Seconds => format!("{value:.3} s"),
        Unit::PerSecond => format!("{} /s", rounded(value)),
        Unit::KiB => format!("{value:.2} KiB"),
        Unit::Bytes => format!("{} B", rounded(value)),
        Unit::Count => rounded(value),
        Unit::Ratio => format!("{value:.1}"),
    }
}

fn rounded(value: f64) -> String {
    grouped(whole(value))
}

/// Formats a number with its digits in groups of three.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(2_520_000), "2,520,000");
        assert_eq!(with_unit(3_340_000.4, Unit::PerSecond), "3,340,000 /s");
    }
}
