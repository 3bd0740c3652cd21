//! From the spans of `tracing` to those that are exported.
//!
//! Invariant: what is not on the lists of this file is not exported, whatever the code traces.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, sync_channel};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::send::{Collector, Message, Tally, Worker};
use crate::consent::gate::Clock;

/// More spans than this that wait for the collector are dropped.
const QUEUE: usize = 8192;
/// Spans of this library that are steps of a run.
const STAGES: [&str; 8] = ["crm", "legal", "gate", "notes", "read", "fuse", "write", "report"];
/// What is told of a span: the field of `tracing`, and the attribute.
const RUN: &[(&str, &str)] = &[("pipeline", "prosopon.pipeline"), ("outcome", "prosopon.outcome")];
const FETCH: &[(&str, &str)] = &[
    ("class", "prosopon.host_class"),
    ("kind", "prosopon.fetch_kind"),
    ("outcome", "prosopon.outcome"),
    ("attempts", "prosopon.attempts"),
    ("waited_ms", "prosopon.waited_ms"),
];

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Word(String),
    Number(i64),
}

/// A span that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    pub trace: [u8; 16],
    pub id: [u8; 8],
    pub parent: Option<[u8; 8]>,
    pub name: &'static str,
    /// Nanoseconds since 1970.
    pub begin: i128,
    pub end: i128,
    pub attributes: Vec<(&'static str, Value)>,
    pub failed: bool,
}

/// A span that goes on.
struct Open {
    span: Ended,
    fields: &'static [(&'static str, &'static str)],
}

/// Hands spans to the thread that sends them.
pub(in crate::cli) struct Exporter {
    queue: SyncSender<Message>,
    worker: Option<Worker>,
}

/// The layer of the subscriber.
struct Export {
    queue: SyncSender<Message>,
    tally: Arc<Tally>,
    wall: Clock,
}

/// A layer that exports to a collector, and what ends it.
///
/// # Errors
/// No thread can be started.
pub(in crate::cli) fn layer<S>(
    collector: Collector,
    wall: &Clock,
) -> std::io::Result<(impl Layer<S> + Send + Sync + 'static, Exporter)>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let (queue, spans) = sync_channel(QUEUE);
    let tally = Arc::new(Tally::default());
    let worker = Worker::start(collector, spans, Arc::clone(&tally))?;
    let export = Export { queue: queue.clone(), tally, wall: Arc::clone(wall) };
    let ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), LevelFilter::from_level(Level::INFO));
    Ok((export.with_filter(ours), Exporter { queue, worker: Some(worker) }))
}

/// A layer whose thread has ended.
#[cfg(test)]
pub(super) fn without_worker<S>(wall: &Clock) -> (impl Layer<S> + use<S>, Arc<Tally>)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let tally = Arc::new(Tally::default());
    (Export { queue: sync_channel(QUEUE).0, tally: Arc::clone(&tally), wall: Arc::clone(wall) }, tally)
}

impl Drop for Exporter {
    /// Sends what waits, for a few seconds at most.
    fn drop(&mut self) {
        if let Some(lost) = self.worker.take().and_then(|worker| worker.end(&self.queue)) {
            tracing::warn!("{lost}");
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Export {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let (name, fields): (_, &[_]) = match span.name() {
            "run" => ("run", RUN),
            "fetch" => ("fetch", FETCH),
            stage if STAGES.contains(&stage) => ("stage", &[]),
            _ => return,
        };
        let above = span.scope().skip(1).find_map(|s| s.extensions().get::<Open>().map(|o| (o.span.trace, o.span.id)));
        // What does not belong to a run is nobody's trace.
        if above.is_none() && name != "run" {
            return;
        }
        let Some(own) = random() else { return };
        let (trace, parent) = match above {
            Some((trace, parent)) => (trace, Some(parent)),
            None => match random() {
                Some(trace) => (trace, None),
                None => return,
            },
        };
        let begin = (self.wall)().as_nanosecond();
        let stage = (name == "stage").then(|| ("prosopon.stage", Value::Word(span.name().to_owned())));
        let ended = Ended {
            trace,
            id: own,
            parent,
            name,
            begin,
            end: begin,
            attributes: stage.into_iter().collect(),
            failed: false,
        };
        let mut open = Open { span: ended, fields };
        attributes.record(&mut open);
        span.extensions_mut().insert(open);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(open) = span.extensions_mut().get_mut::<Open>() {
            values.record(open);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(Open { span: mut ended, .. }) = context.span(&id).and_then(|s| s.extensions_mut().remove()) else {
            return;
        };
        ended.end = (self.wall)().as_nanosecond().max(ended.begin);
        // The queue is full, or nobody empties it any more.
        if self.queue.try_send(Message::Span(Box::new(ended))).is_err() {
            self.tally.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Bytes that are not all 0, as ids must be.
fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok()?;
    bytes.iter().any(|b| *b != 0).then_some(bytes)
}

impl Open {
    fn set(&mut self, field: &Field, value: Value) {
        let Some((_, attribute)) = self.fields.iter().find(|(name, _)| *name == field.name()) else { return };
        if *attribute == "prosopon.outcome" && value == Value::Word("error".to_owned()) {
            self.span.failed = true;
        }
        self.span.attributes.retain(|(name, _)| name != attribute);
        self.span.attributes.push((attribute, value));
    }
}

impl Visit for Open {
    fn record_str(&mut self, field: &Field, value: &str) {
        // A word of a vocabulary or the name of a pipeline; anything else is not told.
        let is_word = !value.is_empty()
            && value.len() <= 64
            && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        self.set(field, Value::Word(if is_word { value } else { "other" }.to_owned()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, Value::Number(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, Value::Number(i64::try_from(value).unwrap_or(i64::MAX)));
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
