//! Content codings, undone by ourselves: gzip, brotli, zstd, one at a time.
//!
//! Invariant: memory never exceeds the cap by more than one buffer, whatever is sent; what grows beyond the ratio is
//! a bomb; what is not complete, or goes on after its end, is broken and never handed on.

use std::io::{self, Write};

use brotli_decompressor::DecompressorWriter;
use bytes::{Bytes, BytesMut};
use flate2::write::GzDecoder;
use hyper::header::{CONTENT_ENCODING, HeaderMap};
use zstd::stream::raw::{DParameter, Decoder as Zstd, InBuffer, Operation, OutBuffer};

use super::reason::FailReason;

/// A decoder keeps at most 8 MiB of what it has seen, whatever a frame asks for.
const ZSTD_WINDOW_LOG: u32 = 23;
const BUFFER: usize = 16 * 1024;

/// How a body is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
    Brotli,
    Zstd,
}

impl Coding {
    /// The coding that the headers name; several at once, or one that was not asked for, is a fault.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, FailReason> {
        let mut coding = Self::Identity;
        let values = headers.get_all(CONTENT_ENCODING).iter();
        for name in values.flat_map(|v| v.as_bytes().split(|b| *b == b',')).map(<[u8]>::trim_ascii) {
            let next = match name.to_ascii_lowercase().as_slice() {
                b"" | b"identity" => continue,
                b"gzip" | b"x-gzip" => Self::Gzip,
                b"br" => Self::Brotli,
                b"zstd" => Self::Zstd,
                _ => return Err(FailReason::ContentCoding),
            };
            if coding != Self::Identity {
                return Err(FailReason::ContentCoding);
            }
            coding = next;
        }
        Ok(coding)
    }
}

/// How much may come out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caps {
    /// Most decoded bytes.
    pub(super) bytes: usize,
    /// Whether more is cut off instead of refused.
    pub(super) cut: bool,
    /// Most decoded bytes for each byte received, once `ratio_after` bytes came out.
    pub(super) ratio: usize,
    pub(super) ratio_after: usize,
}

/// Decodes a body piece by piece.
pub(super) struct Decoder {
    coding: Inner,
}

enum Inner {
    Identity(Sink),
    Gzip(Box<GzDecoder<Sink>>),
    Brotli(Box<DecompressorWriter<Sink>>),
    Zstd { raw: Box<Zstd<'static>>, sink: Sink, done: bool },
}

/// What came out, and why no more may.
struct Sink {
    out: BytesMut,
    caps: Caps,
    received: usize,
    stop: Option<Stop>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Full,
    TooLarge,
    Bomb,
}

impl Decoder {
    pub(super) fn new(coding: Coding, caps: Caps) -> Self {
        let sink = Sink { out: BytesMut::new(), caps, received: 0, stop: None };
        let coding = match coding {
            Coding::Identity => Inner::Identity(sink),
            Coding::Gzip => Inner::Gzip(Box::new(GzDecoder::new(sink))),
            Coding::Brotli => Inner::Brotli(Box::new(DecompressorWriter::new(sink, BUFFER))),
            Coding::Zstd => match zstd() {
                Ok(raw) => Inner::Zstd { raw: Box::new(raw), sink, done: false },
                // Only without memory; then nothing can be decoded.
                Err(_) => Inner::Identity(Sink { stop: Some(Stop::TooLarge), ..sink }),
            },
        };
        Self { coding }
    }

    /// Takes one piece; `false` = enough, the rest is cut.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<bool, FailReason> {
        self.sink().received += piece.len();
        let written = match &mut self.coding {
            Inner::Identity(sink) => sink.write_all(piece),
            Inner::Gzip(gzip) => gzip.write_all(piece),
            Inner::Brotli(brotli) => brotli.write_all(piece),
            Inner::Zstd { raw, sink, done } => unzstd(raw, sink, done, piece),
        };
        match (self.sink().stop, written) {
            (Some(Stop::Full), _) => Ok(false),
            (Some(Stop::TooLarge), _) => Err(FailReason::BodyTooLarge),
            (Some(Stop::Bomb), _) => Err(FailReason::DecodeRatio),
            (None, Err(_)) => Err(FailReason::CodingBroken),
            (None, Ok(())) => Ok(true),
        }
    }

    /// The whole body, if it came to its end.
    pub(super) fn finish(mut self) -> Result<Bytes, FailReason> {
        // A coding of nothing is nothing.
        let empty = self.sink().received == 0;
        let ended = match &mut self.coding {
            Inner::Identity(_) => Ok(()),
            _ if empty => Ok(()),
            Inner::Gzip(gzip) => gzip.try_finish(),
            Inner::Brotli(brotli) => brotli.close(),
            Inner::Zstd { done, .. } => {
                if *done {
                    Ok(())
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                }
            }
        };
        match (self.sink().stop, ended) {
            (None, Err(_)) => Err(FailReason::CodingBroken),
            (Some(Stop::TooLarge), _) => Err(FailReason::BodyTooLarge),
            (Some(Stop::Bomb), _) => Err(FailReason::DecodeRatio),
            (Some(Stop::Full), _) | (None, Ok(())) => Ok(std::mem::take(&mut self.sink().out).freeze()),
        }
    }

    fn sink(&mut self) -> &mut Sink {
        match &mut self.coding {
            Inner::Identity(sink) | Inner::Zstd { sink, .. } => sink,
            Inner::Gzip(gzip) => gzip.get_mut(),
            Inner::Brotli(brotli) => brotli.get_mut(),
        }
    }
}

fn zstd() -> io::Result<Zstd<'static>> {
    let mut raw = Zstd::new()?;
    raw.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG))?;
    Ok(raw)
}

fn unzstd(raw: &mut Zstd<'_>, sink: &mut Sink, done: &mut bool, mut piece: &[u8]) -> io::Result<()> {
    let mut buffer = [0; BUFFER];
    loop {
        let (mut input, mut output) = (InBuffer::around(piece), OutBuffer::around(&mut buffer[..]));
        *done = raw.run(&mut input, &mut output)? == 0;
        let (read, full) = (input.pos(), output.pos() == BUFFER);
        sink.write_all(output.as_slice())?;
        piece = &piece[read..];
        // At the end of a frame a further call would begin another one.
        if piece.is_empty() && (*done || !full) {
            return Ok(());
        }
    }
}

impl Write for Sink {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let total = self.out.len() + piece.len();
        if !self.caps.cut && total > self.caps.ratio_after && total > self.received.saturating_mul(self.caps.ratio) {
            self.stop = Some(Stop::Bomb);
        } else if total > self.caps.bytes {
            if self.caps.cut {
                let room = self.caps.bytes - self.out.len();
                self.out.extend_from_slice(&piece[..room]);
            }
            self.stop = Some(if self.caps.cut { Stop::Full } else { Stop::TooLarge });
        } else {
            self.out.extend_from_slice(piece);
            return Ok(piece.len());
        }
        Err(io::ErrorKind::WriteZero.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
