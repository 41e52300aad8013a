//! What clients send as JSON: no bytes break the reader, and what it took it takes again as the
//! same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use northgate_schemas::{
    Actions, BodyError, ClientMessage, NewAlert, NewMessage, Outcome, Refusal, ResultFrame,
};
use serde_json::json;

fuzz_target!(|body: &[u8]| {
    match NewMessage::parse(body) {
        Ok(post) => {
            let (sender, message) = (post.sender.as_str(), post.message.as_str());
            let again = json!({ "sender": sender, "message": message }).to_string();
            let again = NewMessage::parse(again.as_bytes()).expect("it was taken before");
            assert_eq!((again.sender.as_str(), again.message.as_str()), (sender, message));
        }
        Err(error) => check(error),
    }
    match ClientMessage::parse(body) {
        ClientMessage::Chat(Ok(_)) => {}
        ClientMessage::Act { reference, act } => {
            // Whatever it is called by is given back, in a frame that can be read.
            let outcome = Outcome::Refused(Refusal::unavailable());
            let frame = ResultFrame::new(&reference, &outcome).to_json();
            let frame: serde_json::Value = serde_json::from_str(&frame).expect("it is JSON");
            assert_eq!(frame["ref"], reference);
            if let Err(error) = act {
                check(error);
            }
        }
        ClientMessage::Chat(Err(error)) => check(error),
    }
    if let Err(error) = Actions::parse(body) {
        check(error);
    }
    match NewAlert::parse(body) {
        Ok(raise) => {
            let (message, location) = (raise.message.as_str(), raise.location.as_str());
            let again = json!({ "message": message, "location": location }).to_string();
            let again = NewAlert::parse(again.as_bytes()).expect("it was taken before");
            assert_eq!((again.message.as_str(), again.location.as_str()), (message, location));
        }
        Err(error) => check(error),
    }
});

/// A refusal says why.
fn check(error: BodyError) {
    if let BodyError::Invalid(findings) = error {
        assert!(findings.sorted().iter().all(|(_, detail)| !detail.is_empty()));
        assert!(!findings.is_empty());
    }
}
