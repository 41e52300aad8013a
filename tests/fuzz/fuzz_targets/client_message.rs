//! JSON from clients: no input makes the parser panic, and the JSON of an accepted value is parsed
//! to an equal value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use northgate_domain::{
    Alert, Command, Decision, Epoch, Event, EventMeta, Position, Positioned, RaiseAlert, Timestamp,
    decide,
};
use northgate_schemas::{
    ActionError, ActionOutcome, Actions, AlertBody, BodyError, ClientRequest, NewAlert, NewMessage,
    ResultFrame,
};
use serde_json::json;

fuzz_target!(|body: &[u8]| {
    match NewMessage::parse(body) {
        Ok(post) => {
            let (sender, message) = (post.sender.as_str(), post.message.as_str());
            let again = json!({ "sender": sender, "message": message }).to_string();
            let again = NewMessage::parse(again.as_bytes()).expect("the same message was accepted before");
            assert_eq!((again.sender.as_str(), again.message.as_str()), (sender, message));
        }
        Err(error) => check(error),
    }
    match ClientRequest::parse(body) {
        ClientRequest::Chat(Ok(_)) => {}
        ClientRequest::Act { reference, act } => {
            // The answer is valid JSON and repeats the client's `ref` unchanged.
            let outcome = ActionOutcome::Refused(ActionError::unavailable());
            let frame = ResultFrame::new(&reference, &outcome).to_json();
            let frame: serde_json::Value = serde_json::from_str(&frame).expect("the output is JSON");
            assert_eq!(frame["ref"], reference);
            if let Err(error) = act {
                check(error);
            }
        }
        ClientRequest::Chat(Err(error)) => check(error),
    }
    if let Err(error) = Actions::parse(body) {
        check(error);
    }
    match NewAlert::parse(body) {
        Ok(raise) => {
            // The alert's JSON, sent as a new alert, is parsed to the same fields.
            let alert = raised(&raise);
            let shown = serde_json::to_vec(&AlertBody::from(&alert)).expect("the output is JSON");
            assert_eq!(NewAlert::parse(&shown), Ok(raise));
        }
        Err(error) => check(error),
    }
});

fn raised(raise: &RaiseAlert) -> Positioned<Alert> {
    let position = Position { epoch: Epoch::new(1), offset: 1 };
    let stamp = EventMeta::new(Default::default(), Timestamp::from_unix_micros(0));
    match decide(None, &Command::RaiseAlert(raise.clone()), stamp) {
        Ok(Decision::Event(Event::Alert(event))) => Positioned { position, value: event.alert },
        other => panic!("{other:?}"),
    }
}

/// Asserts that an error has field errors, and that each field error has a text.
fn check(error: BodyError) {
    if let BodyError::Invalid(findings) = error {
        assert!(findings.sorted().iter().all(|(_, detail)| !detail.is_empty()));
        assert!(!findings.is_empty());
    }
}
