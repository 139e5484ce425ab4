//! A client with a key that says which of its wishes the server refuses.

use std::path::Path;

use async_nats::{Client, ConnectOptions, Event, ServerError};
use tokio::sync::mpsc::{Receiver, channel};

/// A subject that nobody is allowed; its refusal says that everything before it was looked at.
const MARK: &str = "refused";

/// Refusals that wait to be looked at: two at a time, that of a wish and that of the mark behind it.
const REFUSALS_MAX: usize = 16;

/// A connection with the key of one role.
pub struct Keyed {
    client: Client,
    refusals: Receiver<String>,
    marks: usize,
}

impl Keyed {
    /// Connects with the key in a file.
    pub async fn connect(url: &str, key: &Path) -> Self {
        let seed = std::fs::read_to_string(key).expect("the key can be read");
        let (sender, refusals) = channel(REFUSALS_MAX);
        let options = ConnectOptions::with_nkey(seed.trim().to_owned()).event_callback(move |event| {
            let sender = sender.clone();
            async move {
                if let Event::ServerError(ServerError::Other(error)) = event {
                    // Whoever does not listen any more has seen enough.
                    drop(sender.send(error.to_lowercase()).await);
                }
            }
        });
        let client = options.connect(url).await.unwrap_or_else(|error| panic!("{}: {error}", key.display()));
        Self { client, refusals, marks: 0 }
    }

    /// Whether it may publish there. An empty message, so what it does is done by its subject alone.
    pub async fn may_publish(&mut self, subject: &str) -> bool {
        self.client.publish(subject.to_owned(), "".into()).await.expect("the server is there");
        !self.is_refused("publish", subject).await
    }

    /// Whether it may subscribe to that.
    pub async fn may_subscribe(&mut self, subject: &str) -> bool {
        let _kept = self.client.subscribe(subject.to_owned()).await.expect("the server is there");
        !self.is_refused("subscription", subject).await
    }

    async fn is_refused(&mut self, wish: &str, subject: &str) -> bool {
        self.marks += 1;
        let mark = format!("{MARK}.{}", self.marks);
        self.client.publish(mark.clone(), "".into()).await.expect("the server is there");
        let end = format!("permissions violation for publish to \"{mark}\"");
        let sought = format!("permissions violation for {wish} to \"{}\"", subject.to_lowercase());
        let mut is_refused = false;
        loop {
            let refusal = self.refusals.recv().await.expect("the client lives");
            if refusal.contains(&end) {
                return is_refused;
            }
            assert!(refusal.contains(&sought), "an unexpected refusal after {wish} {subject}: {refusal}");
            is_refused = true;
        }
    }
}
