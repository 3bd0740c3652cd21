//! The thread that sends spans to a collector.
//!
//! Invariant: nothing waits for it but the end of the program, and that for [`LAST`] at most.

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use url::Url;

use super::encode;
use super::spans::Ended;
use crate::post::{Post, below};

/// So many spans go in one request.
const BATCH: usize = 512;
/// So long spans wait for others.
const LINGER: Duration = Duration::from_secs(2);
/// What the end of the program waits for at most.
const LAST: Duration = Duration::from_secs(5);

/// Where traces go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Collector(Url);

/// What the thread is told.
pub(super) enum Message {
    Span(Box<Ended>),
    /// Send what there is, say so, and end.
    End(SyncSender<()>),
}

/// The running thread.
pub(super) struct Worker {
    thread: std::thread::JoinHandle<()>,
    tally: Arc<Tally>,
}

/// What became of the spans.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Taken by the collector.
    pub taken: AtomicU64,
    /// Not taken, or dropped before they were sent.
    pub lost: AtomicU64,
    /// Why the last request came to nothing.
    pub why: Mutex<Option<String>>,
}

impl FromStr for Collector {
    type Err = String;

    /// The base address of a collector, as in `OTEL_EXPORTER_OTLP_ENDPOINT`; traces go to `v1/traces` below it.
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "write it like http://127.0.0.1:4318";
        let url = Url::parse(text).map_err(|e| format!("{e}; {wanted}"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(format!("only http and https are spoken; {wanted}"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err(format!("no user name, password or query; {wanted}"));
        }
        Ok(Self(below(url, "/v1/traces")))
    }
}

impl Worker {
    pub(super) fn start(collector: Collector, spans: Receiver<Message>, tally: Arc<Tally>) -> std::io::Result<Self> {
        let mut sender = Sender { post: Post::to(collector.0, None)?, tally: Arc::clone(&tally) };
        let work = move || {
            if let Some(done) = sender.serve(&spans) {
                // Whoever waited may have given up.
                let _ = done.send(());
            }
        };
        let thread = std::thread::Builder::new().name("otlp".to_owned()).spawn(work)?;
        Ok(Self { thread, tally })
    }

    /// Waits until all is sent, for a few seconds at most, and tells what was lost.
    pub(super) fn end(self, queue: &SyncSender<Message>) -> Option<String> {
        let (done, is_done) = sync_channel(1);
        let in_time = queue.try_send(Message::End(done)).is_ok() && is_done.recv_timeout(LAST).is_ok();
        if in_time {
            // It has nothing left to do.
            let _ = self.thread.join();
        }
        self.tally.verdict(in_time)
    }
}

impl Tally {
    /// What is to be told at the end; `None` = the collector took all.
    pub(super) fn verdict(&self, in_time: bool) -> Option<String> {
        let (taken, lost) = (self.taken.load(Ordering::Relaxed), self.lost.load(Ordering::Relaxed));
        let what = match (taken, lost, in_time) {
            (_, 0, true) => return None,
            (0, _, _) => "took none of the spans".to_owned(),
            (_, _, true) => format!("did not take {lost} of {} spans", taken + lost),
            (_, 0, false) => "is too slow, the last spans are lost".to_owned(),
            (_, _, false) => format!("did not take {lost} spans and those that waited at the end"),
        };
        let why = self.why.lock().ok().and_then(|why| why.clone()).map_or(String::new(), |why| format!(" ({why})"));
        Some(format!("the collector of --otlp {what}{why}; the run is as it is"))
    }
}

/// Sends in batches.
struct Sender {
    post: Post,
    tally: Arc<Tally>,
}

impl Sender {
    /// Until it is told to end, or nobody can tell it anything any more.
    fn serve(&mut self, spans: &Receiver<Message>) -> Option<SyncSender<()>> {
        let mut batch = Vec::new();
        loop {
            let next = spans.recv_timeout(LINGER);
            let (is_idle, end) = match next {
                Ok(Message::Span(span)) => {
                    batch.push(*span);
                    (false, None)
                }
                Ok(Message::End(done)) => (true, Some(Some(done))),
                Err(RecvTimeoutError::Timeout) => (true, None),
                Err(RecvTimeoutError::Disconnected) => (true, Some(None)),
            };
            if !batch.is_empty() && (is_idle || batch.len() >= BATCH) {
                self.deliver(&batch);
                batch.clear();
            }
            if let Some(done) = end {
                return done;
            }
        }
    }

    fn deliver(&mut self, batch: &[Ended]) {
        let spans = batch.len() as u64;
        match self.post.json(Bytes::from(encode::request(batch))) {
            Ok(()) => {
                self.tally.taken.fetch_add(spans, Ordering::Relaxed);
            }
            Err(why) => {
                if let Ok(mut last) = self.tally.why.lock() {
                    *last = Some(why);
                }
                self.tally.lost.fetch_add(spans, Ordering::Relaxed);
            }
        }
    }
}
