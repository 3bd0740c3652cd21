//! From text to the tokens of the HTML standard: what `html5ever`'s tokenizer says, in a tenth of its time.
//!
//! Invariant: the tokens are those of `html5ever` (a run of characters may be cut elsewhere); the tests compare the two.
//! Linear: every byte is looked at a bounded number of times. Pieces of the input are shared, not copied.

mod names;
mod raw;
mod references;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use html5ever::{Attribute, LocalName, QualName, ns};

use super::limits::MAX_ATTRIBUTES;

use self::names::Names;
use self::references::decode;

#[cfg(test)]
mod tests;

/// Feeds the tokens of a document to `sink`, the end of the file included; the rest is left unread as soon as `full`
/// says so.
pub(super) fn feed<S: TokenSink>(html: &str, sink: &S, full: &dyn Fn(&S) -> bool) {
    let html = html.strip_prefix('\u{FEFF}').unwrap_or(html);
    let text = if memchr::memchr(b'\r', html.as_bytes()).is_some() {
        StrTendril::from(html.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        StrTendril::from_slice(html)
    };
    let mut reader = Reader { text, sink, names: Names::default(), at: 0 };
    reader.run(full);
    let _done = sink.process_token(Token::EOFToken, 1);
}

/// What the characters of a piece of text mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// References are resolved; NUL is a token of its own.
    Data,
    /// References are resolved; NUL is replaced.
    Rcdata,
    /// NUL is replaced.
    Raw,
    /// NUL is a token of its own.
    Cdata,
}

struct Reader<'s, S> {
    text: StrTendril,
    sink: &'s S,
    names: Names,
    at: usize,
}

/// Whether the byte is white in the sense of the standard (there are no carriage returns any more).
fn is_white(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0C' | b' ')
}

impl<S: TokenSink> Reader<'_, S> {
    fn run(&mut self, full: &dyn Fn(&S) -> bool) {
        while self.at < self.text.len() && !full(self.sink) {
            let rest = &self.text.as_bytes()[self.at..];
            let Some(found) = memchr::memchr(b'<', rest) else {
                self.characters(self.at, self.text.len(), Kind::Data);
                return;
            };
            let start = self.at + found;
            self.characters(self.at, start, Kind::Data);
            self.at = start;
            self.markup();
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn cut(&self, from: usize, to: usize) -> StrTendril {
        self.text.subtendril(from as u32, (to - from) as u32)
    }

    fn emit(&self, token: Token) -> TokenSinkResult<S::Handle> {
        self.sink.process_token(token, 1)
    }

    /// Emits the characters of a piece of text.
    fn characters(&self, from: usize, to: usize, kind: Kind) {
        if from == to {
            return;
        }
        let piece = &self.text[from..to];
        let plain = match kind {
            Kind::Data | Kind::Rcdata => memchr::memchr2(b'&', 0, piece.as_bytes()).is_none(),
            Kind::Raw | Kind::Cdata => memchr::memchr(0, piece.as_bytes()).is_none(),
        };
        if plain {
            let _goes_on = self.emit(Token::CharacterTokens(self.cut(from, to)));
            return;
        }
        let own_token = matches!(kind, Kind::Data | Kind::Cdata);
        for (i, part) in piece.split('\0').enumerate() {
            if i > 0 {
                let _goes_on = self.emit(if own_token {
                    Token::NullCharacterToken
                } else {
                    Token::CharacterTokens(StrTendril::from_char('\u{FFFD}'))
                });
            }
            let part = match kind {
                Kind::Data | Kind::Rcdata => decode(part, false),
                Kind::Raw | Kind::Cdata => part.into(),
            };
            if !part.is_empty() {
                let _goes_on = self.emit(Token::CharacterTokens(StrTendril::from_slice(&part)));
            }
        }
    }

    /// Reads what begins with the `<` that `at` points to.
    fn markup(&mut self) {
        let start = self.at;
        match self.byte(start + 1) {
            Some(b'!') => self.declaration(start + 2),
            Some(b'/') => match self.byte(start + 2) {
                Some(c) if c.is_ascii_alphabetic() => self.tag(TagKind::EndTag, start + 2),
                Some(b'>') => self.at = start + 3,
                Some(_) => self.bogus_comment(start + 2),
                None => self.literal(start, start + 2),
            },
            Some(c) if c.is_ascii_alphabetic() => self.tag(TagKind::StartTag, start + 1),
            Some(b'?') => self.bogus_comment(start + 1),
            _ => self.literal(start, start + 1),
        }
    }

    fn literal(&mut self, from: usize, to: usize) {
        self.characters(from, to, Kind::Raw);
        self.at = to;
    }

    /// What follows `<!`.
    fn declaration(&mut self, from: usize) {
        let rest = &self.text.as_bytes()[from..];
        if rest.starts_with(b"--") {
            self.comment(from + 2);
        } else if rest.get(..7).is_some_and(|b| b.eq_ignore_ascii_case(b"doctype")) {
            let end = memchr::memchr(b'>', rest).map_or(self.text.len(), |n| from + n + 1);
            // Once a page at most in earnest: the library knows it best.
            let input = BufferQueue::default();
            input.push_back(self.cut(from - 2, end));
            let library = Tokenizer::new(Doctypes(self.sink), TokenizerOpts::default());
            let _done = library.feed(&input);
            library.end();
            self.at = end;
        } else if rest.starts_with(b"[CDATA[") && self.sink.adjusted_current_node_present_but_not_in_html_namespace() {
            let from = from + b"[CDATA[".len();
            let end = memchr::memmem::find(&self.text.as_bytes()[from..], b"]]>");
            self.characters(from, end.map_or(self.text.len(), |n| from + n), Kind::Cdata);
            self.at = end.map_or(self.text.len(), |n| from + n + 3);
        } else {
            self.bogus_comment(from);
        }
    }

    fn bogus_comment(&mut self, from: usize) {
        let end = memchr::memchr(b'>', &self.text.as_bytes()[from..]);
        self.emit_comment(from, end.map_or(self.text.len(), |n| from + n));
        self.at = end.map_or(self.text.len(), |n| from + n + 1);
    }

    /// A comment from after its `<!--`.
    fn comment(&mut self, from: usize) {
        let bytes = self.text.as_bytes();
        for (abrupt, len) in [(&b">"[..], 1), (&b"->"[..], 2)] {
            if bytes[from..].starts_with(abrupt) {
                self.emit_comment(from, from);
                self.at = from + len;
                return;
            }
        }
        let mut at = from;
        while let Some(n) = memchr::memmem::find(&bytes[at..], b"--") {
            let rest = &bytes[at + n + 2..];
            let len = if rest.starts_with(b">") { 3 } else { 4 };
            if rest.starts_with(b">") || rest.starts_with(b"!>") {
                self.emit_comment(from, at + n);
                self.at = at + n + len;
                return;
            }
            at += n + 1;
        }
        // What could have been the beginning of its end is no part of it.
        let open = ["--!", "--", "-"].iter().find_map(|e| self.text[from..].strip_suffix(e)).map(str::len);
        let end = open.map_or(self.text.len(), |len| from + len);
        self.emit_comment(from, end);
        self.at = self.text.len();
    }

    fn emit_comment(&self, from: usize, to: usize) {
        let text = if memchr::memchr(0, &self.text.as_bytes()[from..to]).is_some() {
            StrTendril::from(self.text[from..to].replace('\0', "\u{FFFD}"))
        } else {
            self.cut(from, to)
        };
        let _goes_on = self.emit(Token::CommentToken(text));
    }

    /// A tag whose name begins at `from`; one that the input leaves open is none.
    fn tag(&mut self, kind: TagKind, from: usize) {
        let Some((tag, end)) = self.read_tag(kind, from) else {
            self.at = self.text.len();
            return;
        };
        self.at = end;
        let name = tag.name.clone();
        match self.emit(Token::TagToken(tag)) {
            TokenSinkResult::RawData(kind) => self.raw(&name, kind),
            TokenSinkResult::Plaintext => {
                self.characters(end, self.text.len(), Kind::Raw);
                self.at = self.text.len();
            }
            _ => {}
        }
    }

    fn raw(&mut self, name: &LocalName, kind: RawKind) {
        let bytes = self.text.as_bytes();
        let end = match kind {
            RawKind::Rcdata | RawKind::Rawtext => raw::end(bytes, self.at, name),
            _ => raw::end_of_script(bytes, self.at),
        };
        let end = end.unwrap_or(bytes.len());
        self.characters(self.at, end, if kind == RawKind::Rcdata { Kind::Rcdata } else { Kind::Raw });
        self.at = end;
    }

    fn read_tag(&mut self, kind: TagKind, from: usize) -> Option<(Tag, usize)> {
        let bytes = self.text.as_bytes();
        let len = bytes[from..].iter().position(|b| is_white(*b) || matches!(b, b'/' | b'>'))?;
        let name = self.names.get(&self.text[from..from + len]);
        let mut tag = Tag { kind, name, self_closing: false, attrs: Vec::new(), had_duplicate_attributes: false };
        let mut at = from + len;
        loop {
            match self.byte(at)? {
                b'>' => return Some((tag, at + 1)),
                b'/' if self.byte(at + 1)? == b'>' => {
                    tag.self_closing = true;
                    return Some((tag, at + 2));
                }
                b if is_white(b) || b == b'/' => at += 1,
                _ => at = self.attribute(at, &mut tag)?,
            }
        }
    }

    /// Adds the attribute that begins at `from`; the index after it.
    fn attribute(&mut self, from: usize, tag: &mut Tag) -> Option<usize> {
        let bytes = self.text.as_bytes();
        // The first one belongs to the name even if it is `=`.
        let stop = |b: &u8| is_white(*b) || matches!(b, b'/' | b'>' | b'=');
        let end = from + 1 + bytes[from + 1..].iter().position(stop)?;
        let white = |at: usize| Some(at + bytes[at..].iter().position(|b| !is_white(*b))?);
        let mut at = white(end)?;
        let (mut value_from, mut value_to) = (at, at);
        if bytes[at] == b'=' {
            at = white(at + 1)?;
            (value_from, value_to, at) = match bytes[at] {
                quote @ (b'"' | b'\'') => {
                    let to = at + 1 + memchr::memchr(quote, &bytes[at + 1..])?;
                    (at + 1, to, to + 1)
                }
                b'>' => (at, at, at),
                _ => {
                    let to = at + bytes[at..].iter().position(|b| is_white(*b) || *b == b'>')?;
                    (at, to, to)
                }
            };
        }
        if tag.attrs.len() >= MAX_ATTRIBUTES {
            // Each is compared with all before it.
            return Some(at);
        }
        let name = self.names.get(&self.text[from..end]);
        if tag.attrs.iter().any(|a| a.name.local == name) {
            tag.had_duplicate_attributes = true;
        } else {
            let value = self.value(value_from, value_to);
            tag.attrs.push(Attribute { name: QualName::new(None, ns!(), name), value });
        }
        Some(at)
    }

    fn value(&self, from: usize, to: usize) -> StrTendril {
        let raw = &self.text[from..to];
        if memchr::memchr2(b'&', 0, raw.as_bytes()).is_none() {
            return self.cut(from, to);
        }
        StrTendril::from_slice(&decode(&raw.replace('\0', "\u{FFFD}"), true))
    }
}

/// Passes on the document types that `html5ever` reads.
struct Doctypes<'s, S>(&'s S);

impl<S: TokenSink> TokenSink for Doctypes<'_, S> {
    type Handle = S::Handle;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<S::Handle> {
        match token {
            Token::DoctypeToken(_) => self.0.process_token(token, line),
            _ => TokenSinkResult::Continue,
        }
    }
}
