//! The task that reads one client: message by message, until one side is gone.

use crate::close::Closing;
use crate::guard::Verdict;
use crate::session::{Reaction, on_decode_error, on_end, on_message, on_refusal};
use actix_ws::{AggregatedMessageStream, Session};
use northgate_services::ChatService;
use tokio::sync::oneshot;

/// The reading half of a connection. It ends when the client's stream does, which is also when
/// the feed is dropped; dropping `closing` without a word ends the feed without a Close frame.
pub(crate) struct Connection {
    pub(crate) messages: AggregatedMessageStream,
    pub(crate) verdict: Verdict,
    pub(crate) session: Session,
    pub(crate) chat: ChatService,
    pub(crate) closing: oneshot::Sender<Closing>,
}

impl Connection {
    /// Runs until the connection ends. One message at a time: a client that does not take its
    /// pongs and complaints is not read any further, which costs only itself.
    pub(crate) async fn run(mut self) {
        loop {
            let (mut reaction, over) = match self.messages.recv().await {
                Some(Ok(message)) => (on_message(message), false),
                Some(Err(error)) => (on_decode_error(&error), true),
                None => (on_end(self.verdict.get()), true),
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
                    return;
                }
            };
            if over || sent.is_err() {
                return;
            }
        }
    }
}
