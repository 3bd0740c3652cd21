//! Reading a body: capped in bytes and in time.
//!
//! Invariant: what is handed on is whole, or, where a cut is asked for, exactly the first `cap` bytes; a body
//! that broke off is never handed on. Memory never exceeds the cap by more than one network buffer.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::Response;
use tokio::time::{Instant, timeout};

use super::outcome::FailReason;

/// How a body is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyLimits {
    /// Most bytes.
    pub(super) cap: usize,
    /// Whether a longer body is cut instead of refused (robots.txt).
    pub(super) cut: bool,
    /// Longest silence.
    pub(super) idle: Duration,
    /// The end of the whole exchange.
    pub(super) deadline: Instant,
}

/// Reads the body. Also tells, in both cases, how many bytes arrived.
pub(super) async fn read(mut response: Response, limits: BodyLimits) -> (u64, Result<Bytes, FailReason>) {
    let declared = response.content_length();
    if !limits.cut && declared.is_some_and(|n| n > limits.cap as u64) {
        return (0, Err(FailReason::BodyTooLarge));
    }
    let mut body = BytesMut::new();
    loop {
        let left = limits.deadline.saturating_duration_since(Instant::now());
        let chunk = match timeout(limits.idle.min(left), response.chunk()).await {
            Err(_) if left <= limits.idle => return (body.len() as u64, Err(FailReason::TimeoutTotal)),
            Err(_) => return (body.len() as u64, Err(FailReason::TimeoutRead)),
            Ok(Err(_)) => return (body.len() as u64, Err(FailReason::Truncated)),
            Ok(Ok(None)) => break,
            Ok(Ok(Some(chunk))) => chunk,
        };
        let room = limits.cap - body.len();
        let received = (body.len() + chunk.len()) as u64;
        if chunk.len() > room {
            if !limits.cut {
                return (received, Err(FailReason::BodyTooLarge));
            }
            body.extend_from_slice(&chunk[..room]);
            return (received, Ok(body.freeze()));
        }
        body.extend_from_slice(&chunk);
    }
    let received = body.len() as u64;
    if declared.is_some_and(|n| n != received) {
        return (received, Err(FailReason::Truncated));
    }
    (received, Ok(body.freeze()))
}
