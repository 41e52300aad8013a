//! The query of a stream: no input makes the parser panic, and every error names at least one
//! parameter.
#![no_main]

use libfuzzer_sys::fuzz_target;
use northgate_domain::StartFrom;
use northgate_schemas::{LAST_MAX, parse_subscription};

fuzz_target!(|query: &str| {
    match parse_subscription(query) {
        Ok(subscription) => {
            if let StartFrom::Last(count) = subscription.start {
                assert!(count <= LAST_MAX);
            }
            let asked = subscription.start != StartFrom::Now || !subscription.filter.is_open();
            assert_eq!(subscription.is_announced(), asked);
            assert_eq!(parse_subscription(query), Ok(subscription));
        }
        Err(findings) => assert!(!findings.is_empty()),
    }
});
