//! What a stream is asked for: no query breaks the reader, and a refusal says why.
#![no_main]

use libfuzzer_sys::fuzz_target;
use northgate_schemas::{StartFrom, LAST_MAX, StreamRequest};

fuzz_target!(|query: &str| {
    match StreamRequest::parse(query) {
        Ok(request) => {
            if let StartFrom::Last(count) = request.start {
                assert!(count <= LAST_MAX);
            }
            let asked = request.start != StartFrom::Now || !request.filter.is_open();
            assert_eq!(request.is_announced(), asked);
            assert_eq!(StreamRequest::parse(query), Ok(request));
        }
        Err(findings) => assert!(!findings.is_empty()),
    }
});
