//! Reading a body: capped in bytes and in time, and decoded.
//!
//! Invariant: what is handed on is whole, or, where a cut is asked for, exactly the first `cap` bytes; a body
//! that broke off is never handed on. Memory never exceeds the caps by more than one network buffer.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::{Instant, timeout};

use super::decode::{Caps, Coding, Decoder};
use super::reason::FailReason;

/// How a body is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyLimits {
    /// Most bytes on the wire.
    pub(super) wire: usize,
    /// How it is coded, and how much may come out.
    pub(super) coding: Coding,
    pub(super) caps: Caps,
    /// Longest silence.
    pub(super) idle: Duration,
    /// The end of the whole exchange.
    pub(super) deadline: Instant,
}

/// A body and how it was had.
pub(super) struct Read {
    /// How many bytes arrived.
    pub(super) received: u64,
    /// Whether the connection is at the end of the body and can be used again.
    pub(super) at_end: bool,
    pub(super) body: Result<Bytes, FailReason>,
}

/// Reads the body; `tape` gets it as it came.
pub(super) async fn read(mut body: Incoming, limits: BodyLimits, mut tape: Option<&mut Vec<u8>>) -> Read {
    let mut received = 0;
    let failed = |received, reason| Read { received, at_end: false, body: Err(reason) };
    if !limits.caps.cut && body.size_hint().lower() > limits.wire as u64 {
        return failed(0, FailReason::BodyTooLarge);
    }
    let mut decoder = Decoder::new(limits.coding, limits.caps);
    loop {
        let left = limits.deadline.saturating_duration_since(Instant::now());
        let frame = match timeout(limits.idle.min(left), body.frame()).await {
            Err(_) if left <= limits.idle => return failed(received, FailReason::TimeoutTotal),
            Err(_) => return failed(received, FailReason::TimeoutRead),
            Ok(Some(Err(_))) => return failed(received, FailReason::Truncated),
            Ok(None) => return Read { received, at_end: true, body: decoder.finish() },
            Ok(Some(Ok(frame))) => frame,
        };
        // Trailers say nothing that we want to know.
        let Ok(piece) = frame.into_data() else { continue };
        received += piece.len() as u64;
        if received > limits.wire as u64 {
            let body = if limits.caps.cut { decoder.finish() } else { Err(FailReason::BodyTooLarge) };
            return Read { received, at_end: false, body };
        }
        if let Some(tape) = &mut tape {
            tape.extend_from_slice(&piece);
        }
        match decoder.push(&piece) {
            Ok(true) => {}
            Ok(false) => return Read { received, at_end: false, body: decoder.finish() },
            Err(reason) => return failed(received, reason),
        }
    }
}
