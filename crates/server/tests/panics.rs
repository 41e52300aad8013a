//! The log line of a panic.
#![expect(clippy::unwrap_used, reason = "all of this is test code")]

use std::io::{self, Write};
use std::sync::Mutex;

static WRITTEN: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        WRITTEN.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_panic_is_one_line_with_its_location_and_a_truncated_message() {
    northgate_server::log_panics();
    let subscriber = tracing_subscriber::fmt().with_writer(|| Log).with_ansi(false).finish();
    tracing::subscriber::with_default(subscriber, || {
        let message = format!("first\nsecond {}", "x".repeat(1_000));
        assert!(std::panic::catch_unwind(|| panic!("{message}")).is_err());
    });
    let log = String::from_utf8(WRITTEN.lock().unwrap().clone()).unwrap();
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains("crates/server/tests/panics.rs:"), "{log}");
    assert!(log.contains(r"first\nsecond xxx"), "{log}");
    assert_eq!(log.matches('x').count(), 300 - "first\nsecond ".len(), "{log}");
}
