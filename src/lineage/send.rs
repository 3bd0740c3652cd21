//! The thread that sends events to a catalogue (`OpenLineage`'s HTTP transport).
//!
//! Invariant: events go one by one, in the order in which they came. Nothing waits but the end of a run, and that for
//! [`LAST`] at most; what is not taken stands in the file.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender as Queue, channel};
use std::time::Duration;

use bytes::Bytes;
use hyper::header::HeaderValue;
use url::Url;

use crate::post::{Post, below};

/// Where catalogues take events.
const ENDPOINT: &str = "/api/v1/lineage";
/// What the end of a run waits for at most: as long as all tries of one event may take.
const LAST: Duration = Duration::from_secs(16);

/// A catalogue that the operator names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    url: Url,
    /// The environment variable that holds the key; the key itself is read when a run begins, and kept nowhere.
    key_from_env: Option<String>,
}

/// The running thread.
#[derive(Debug)]
pub(super) struct Sender {
    events: Queue<Bytes>,
    done: Receiver<Outcome>,
}

/// What became of the events.
#[derive(Debug, Default)]
struct Outcome {
    sent: u32,
    lost: u32,
    /// Why the last that was lost was not taken.
    why: String,
}

impl Catalogue {
    /// By the base address of the catalogue, below which it has the usual endpoint of `OpenLineage`.
    #[must_use]
    pub fn new(base: Url, key_from_env: Option<String>) -> Self {
        Self { url: below(base, ENDPOINT), key_from_env }
    }

    /// Starts the thread, with the key that the environment holds.
    pub(super) fn start(&self) -> Result<Sender, String> {
        let key = self.key_from_env.as_deref().map(|name| {
            std::env::var(name).map_err(|_| format!("the environment variable {name} is not set, or is no text"))
        });
        Sender::start(self.url.clone(), key.transpose()?.as_deref()).map_err(|why| match &self.key_from_env {
            Some(name) => format!("{why} (the key is that of {name})"),
            None => why,
        })
    }
}

impl Sender {
    pub(super) fn start(url: Url, key: Option<&str>) -> Result<Self, String> {
        let authorization = key.map(|key| {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", key.trim()))
                .map_err(|_| "the key holds what no header can".to_owned())?;
            value.set_sensitive(true);
            Ok::<_, String>(value)
        });
        let mut post = Post::to(url, authorization.transpose()?).map_err(|e| e.to_string())?;
        let (events, queue) = channel::<Bytes>();
        let (told, done) = channel();
        let work = move || {
            let mut outcome = Outcome::default();
            for event in queue {
                outcome.sent += 1;
                if let Err(why) = post.json(event) {
                    outcome.lost += 1;
                    outcome.why = why;
                }
            }
            // Whoever waited may have given up.
            let _ = told.send(outcome);
        };
        std::thread::Builder::new().name("lineage".to_owned()).spawn(work).map_err(|e| e.to_string())?;
        Ok(Self { events, done })
    }

    /// The event follows those before it.
    pub(super) fn send(&self, event: String) {
        // The thread ends after this sender.
        let _ = self.events.send(event.into());
    }

    /// Waits until all is sent, for a while at most; what is to be told if something was lost.
    pub(super) fn end(self) -> Option<String> {
        self.end_within(LAST)
    }

    pub(super) fn end_within(self, limit: Duration) -> Option<String> {
        drop(self.events);
        match self.done.recv_timeout(limit) {
            Ok(Outcome { lost: 0, .. }) => None,
            Ok(Outcome { sent, lost, why }) => Some(format!("did not take {lost} of {sent} events ({why})")),
            Err(RecvTimeoutError::Timeout) => Some("is too slow, the last events may be lost".to_owned()),
            Err(RecvTimeoutError::Disconnected) => Some("could not be told".to_owned()),
        }
    }
}
