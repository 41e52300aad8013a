//! Maps the fields of an alert to the columns and index words that queries use.

use crate::database::{DatabaseError, from_sql, to_sql};
use northgate_domain::{Alert, AlertCounts, Label, Severity, StatusKind};
use rusqlite::Connection;

/// Returns the number of a status in the database. The numbers never change.
pub(crate) const fn status_number(status: StatusKind) -> i64 {
    match status {
        StatusKind::Open => 0,
        StatusKind::Acknowledged => 1,
        StatusKind::Resolved => 2,
    }
}

/// Returns the status with this number, or `None` for an unknown number.
pub(crate) fn status_of(number: i64) -> Option<StatusKind> {
    StatusKind::ALL.into_iter().find(|status| status_number(*status) == number)
}

/// Returns the severity with this number, or `None` for an unknown number.
pub(crate) fn severity_of(number: i64) -> Option<Severity> {
    Severity::ALL.into_iter().find(|severity| severity_number(*severity) == number)
}

/// Returns the number of a severity in the database. The numbers never change.
pub(crate) const fn severity_number(severity: Severity) -> i64 {
    match severity {
        Severity::Info => 0,
        Severity::Warning => 1,
        Severity::Error => 2,
        Severity::Critical => 3,
    }
}

/// Returns the text of an alert for the full-text index: its words, and one word for each label.
pub(crate) fn indexed_words(alert: &Alert) -> String {
    let mut words = alert.search_text().as_str().to_owned();
    for label in alert.labels.as_slice() {
        words.push(' ');
        words.push_str(&label_word(label));
    }
    words
}

/// Returns a label as one word for the full-text index: U+E000, then the bytes of the label in
/// hexadecimal digits. Words of texts contain only letters and digits, so no text contains the word
/// of a label.
pub(crate) fn label_word(label: &Label) -> String {
    let digits = |byte: u8| [byte >> 4, byte & 0xF].map(|digit| char::from_digit(digit.into(), 16));
    let name = label.name.as_str().bytes();
    // A label name contains no `=`, so the word is unambiguous.
    let bytes = name.chain(*b"=").chain(label.value.as_str().bytes());
    ['\u{e000}'].into_iter().chain(bytes.flat_map(digits).flatten()).collect()
}

/// Reads the stored counts of alerts.
pub(crate) fn alert_counts(connection: &Connection) -> rusqlite::Result<AlertCounts> {
    let sql = "SELECT alerts FROM tally WHERE status = ?1 AND severity = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut alert_counts = AlertCounts::default();
    for status in StatusKind::ALL {
        for severity in Severity::ALL {
            let mut rows = statement.query([status_number(status), severity_number(severity)])?;
            if let Some(row) = rows.next()? {
                alert_counts.0[status][severity] = from_sql(row.get(0)?);
            }
        }
    }
    Ok(alert_counts)
}

/// Writes the counts that differ from `before`.
pub(crate) fn put_alert_counts(
    connection: &Connection,
    before: &AlertCounts,
    alert_counts: &AlertCounts,
) -> Result<(), DatabaseError> {
    if before == alert_counts {
        return Ok(());
    }
    let sql = "INSERT OR REPLACE INTO tally (status, severity, alerts) VALUES (?1, ?2, ?3)";
    let mut statement = connection.prepare_cached(sql)?;
    for status in StatusKind::ALL {
        for severity in Severity::ALL {
            let count = alert_counts.count(status, severity);
            if count != before.count(status, severity) {
                let place = (status_number(status), severity_number(severity));
                statement.execute((place.0, place.1, to_sql(count)))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use northgate_domain::{LabelName, LabelValue};

    #[test]
    fn a_label_is_one_word() {
        let label = Label {
            name: LabelName::parse("a").unwrap(),
            value: LabelValue::parse("Ä 1").unwrap(),
        };
        assert_eq!(label_word(&label), "\u{e000}613dc3842031");
    }
}
