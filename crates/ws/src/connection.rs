//! The task that reads one client: message by message, until one side is gone.

use crate::close::Closing;
use crate::guard::Verdict;
use crate::session::{Reaction, on_decode_error, on_end, on_message, on_refusal};
use actix_web::dev::Payload;
use actix_ws::{AggregatedMessageStream, Session};
use futures_core::Stream;
use northgate_services::ChatService;
use std::future::poll_fn;
use std::pin::Pin;
use tokio::sync::oneshot;

/// The reading half of a connection. It ends when the client's stream does, which is also when
/// the feed is dropped. The feed sees its end when `session` is dropped.
pub(crate) struct Connection {
    pub(crate) messages: AggregatedMessageStream,
    pub(crate) verdict: Verdict<Payload>,
    pub(crate) session: Session,
    pub(crate) chat: ChatService,
    pub(crate) closing: oneshot::Sender<Closing>,
}

impl Connection {
    /// Runs until the connection ends. One message at a time: a client that does not take its
    /// pongs and complaints is not read any further, which costs only itself.
    pub(crate) async fn run(mut self) {
        loop {
            let mut refused = None;
            let (mut reaction, over) = match self.messages.recv().await {
                Some(Ok(message)) => (on_message(message), false),
                Some(Err(error)) => (on_decode_error(&error), true),
                None => {
                    refused = self.verdict.take();
                    (on_end(refused.as_ref().map(|refused| refused.violation)), true)
                }
            };
            if let Reaction::Post(post) = reaction {
                // The sender, too, gets the message from the stream.
                reaction = match self.chat.post(post).await {
                    Ok(_kept) => Reaction::Nothing,
                    Err(error) => {
                        tracing::warn!(%error, "a chat message was not kept");
                        on_refusal(error)
                    }
                };
            }
            let sent = match reaction {
                Reaction::Nothing | Reaction::Post(_) => Ok(()),
                Reaction::Pong(payload) => self.session.pong(&payload).await,
                Reaction::Complain(json) => self.session.text(json).await,
                Reaction::Close(closing) => {
                    // An error means that the feed is gone: the close is done.
                    let _ = self.closing.send(closing);
                    if let Some(refused) = refused {
                        read_to_nowhere(refused.rest).await;
                    }
                    return;
                }
            };
            if over || sent.is_err() {
                return;
            }
        }
    }
}

/// Reads what a client still sends after it was told that this is the end. The feed gives it a
/// moment, then ends, and the stream with it.
async fn read_to_nowhere(mut rest: Payload) {
    while let Some(Ok(_chunk)) = poll_fn(|cx| Pin::new(&mut rest).poll_next(cx)).await {}
}
