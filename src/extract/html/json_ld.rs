//! JSON-LD blocks, read as leniently as the pages that carry them need.
//!
//! Invariant: a broken block is skipped and never hides another one; nesting is bounded.

use serde_json::{Map, Number, Value};

use super::dom::{self, Page};

/// Nesting beyond which a block counts as broken.
const MAX_DEPTH: usize = 64;

/// The parsed value of every block, in page order.
pub(super) fn read(page: &Page) -> Vec<Value> {
    let mut blocks = Vec::new();
    for e in page.marked().filter(|e| dom::name(*e) == "script") {
        let media_type = dom::attr(e, "type").unwrap_or_default().to_ascii_lowercase();
        if media_type.split(';').next().is_some_and(|t| t.trim() == "application/ld+json") {
            let text = e.all_text();
            blocks.extend(parse(&text));
        }
    }
    blocks
}

/// Parses one block; several values in a row are all returned.
pub(super) fn parse(text: &str) -> Vec<Value> {
    let text = unwrap(text);
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        return vec![value];
    }
    if let Some(values) = Lenient::parse(text) {
        return values;
    }
    // Some systems escape the whole block as if it were HTML.
    if text.contains("&quot;") || text.contains("&#34;") || text.contains("&#034;") {
        return Lenient::parse(&decode_entities(text)).unwrap_or_default();
    }
    Vec::new()
}

/// Without CDATA and HTML comment wrappers (`//<![CDATA[`, `/*<![CDATA[*/`, `<!--`).
fn unwrap(text: &str) -> &str {
    let mut text = text.trim().trim_start_matches('\u{FEFF}');
    loop {
        let before = text;
        for open in ["/*<![CDATA[*/", "/* <![CDATA[ */", "//<![CDATA[", "// <![CDATA[", "<![CDATA[", "<!--"] {
            text = text.strip_prefix(open).unwrap_or(text).trim_start();
        }
        for close in ["/*]]>*/", "/* ]]> */", "//]]>", "// ]]>", "]]>", "//-->", "-->", ";"] {
            text = text.strip_suffix(close).unwrap_or(text).trim_end();
        }
        if text == before {
            return text;
        }
    }
}

/// JSON with comments, trailing commas, raw line breaks in strings and several top-level values.
struct Lenient<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lenient<'a> {
    fn parse(text: &'a str) -> Option<Vec<Value>> {
        let mut parser = Lenient { text, at: 0 };
        let mut values = Vec::new();
        loop {
            parser.skip_filler(b",;");
            if parser.at >= text.len() {
                return Some(values).filter(|v| !v.is_empty());
            }
            match parser.value(0) {
                Some(value @ (Value::Object(_) | Value::Array(_))) => values.push(value),
                // What was whole before the damage is kept.
                _ => return Some(values).filter(|v| !v.is_empty()),
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Skips whitespace, comments and the given bytes.
    fn skip_filler(&mut self, also: &[u8]) {
        while let Some(byte) = self.peek() {
            let rest = &self.text.as_bytes()[self.at..];
            if byte.is_ascii_whitespace() || also.contains(&byte) {
                self.at += 1;
            } else if rest.starts_with(b"\xC2\xA0") {
                self.at += 2;
            } else if rest.starts_with(b"//") {
                self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            } else if rest.starts_with(b"/*") {
                self.at += memchr::memmem::find(rest, b"*/").map_or(rest.len(), |n| n + 2);
            } else {
                return;
            }
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        self.skip_filler(b"");
        match self.peek()? {
            _ if depth > MAX_DEPTH => None,
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string().map(Value::String),
            _ => self.scalar(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut map = Map::new();
        loop {
            self.skip_filler(b",");
            match self.peek()? {
                b'}' => {
                    self.at += 1;
                    return Some(Value::Object(map));
                }
                b'"' => {
                    let key = self.string()?;
                    self.skip_filler(b"");
                    if self.peek()? != b':' {
                        return None;
                    }
                    self.at += 1;
                    let value = self.value(depth + 1)?;
                    map.insert(key, value);
                }
                _ => return None,
            }
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut list = Vec::new();
        loop {
            self.skip_filler(b",");
            if self.peek()? == b']' {
                self.at += 1;
                return Some(Value::Array(list));
            }
            list.push(self.value(depth + 1)?);
        }
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        self.at += 1;
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let stop = memchr::memchr2(b'"', b'\\', rest)?;
            self.at += stop;
            if self.peek() == Some(b'"') {
                self.at += 1;
                break;
            }
            self.at += 2;
            if !self.text.is_char_boundary(self.at) {
                return None;
            }
        }
        let literal = &self.text[start..self.at];
        serde_json::from_str(literal).ok().or_else(|| serde_json::from_str(&mend(literal)).ok())
    }

    fn scalar(&mut self) -> Option<Value> {
        let rest = &self.text[self.at..];
        let len = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)).count();
        let word = &rest[..len];
        self.at += len;
        match word {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            "null" | "undefined" => Some(Value::Null),
            _ => word.parse::<Number>().ok().map(Value::Number),
        }
    }
}

/// Escapes raw control characters and unknown escapes, so that the literal is JSON.
fn mend(literal: &str) -> String {
    let mut out = String::with_capacity(literal.len() + 8);
    let mut chars = literal.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push(' '),
            '\\' => match chars.next() {
                Some(e) if "\"\\/bfnrtu".contains(e) => out.extend(['\\', e]),
                Some(e) => out.push(e),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

/// Character references as they turn up in JSON strings: numeric ones and the common names.
pub(super) fn decode_entities(text: &str) -> String {
    const NAMED: [(&str, &str); 28] = [
        ("amp", "&"),
        ("quot", "\""),
        ("apos", "'"),
        ("lt", "<"),
        ("gt", ">"),
        ("nbsp", " "),
        ("auml", "ä"),
        ("ouml", "ö"),
        ("uuml", "ü"),
        ("Auml", "Ä"),
        ("Ouml", "Ö"),
        ("Uuml", "Ü"),
        ("szlig", "ß"),
        ("eacute", "é"),
        ("egrave", "è"),
        ("agrave", "à"),
        ("ccedil", "ç"),
        ("ndash", "–"),
        ("mdash", "—"),
        ("rsquo", "’"),
        ("lsquo", "‘"),
        ("ldquo", "“"),
        ("rdquo", "”"),
        ("bdquo", "„"),
        ("hellip", "…"),
        ("middot", "·"),
        ("copy", "©"),
        ("reg", "®"),
    ];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let decoded = rest.bytes().take(12).position(|b| b == b';').and_then(|end| {
            let name = &rest[1..end];
            let c = match name.strip_prefix('#') {
                Some(n) => {
                    let hex = n.strip_prefix(['x', 'X']).map(|h| u32::from_str_radix(h, 16));
                    char::from_u32(hex.unwrap_or_else(|| n.parse()).ok()?)?.to_string()
                }
                None => NAMED.iter().find(|(n, _)| *n == name)?.1.to_owned(),
            };
            Some((c, end + 1))
        });
        let (c, len) = decoded.unwrap_or_else(|| ("&".to_owned(), 1));
        out.push_str(&c);
        rest = &rest[len..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(text: &str, expected: &Value) {
        assert_eq!(parse(text), expected.as_array().expect("a list of values").clone());
    }

    #[test]
    fn what_pages_do_to_json() {
        check(r#"{"a": 1}"#, &json!([{"a": 1}]));
        check("//<![CDATA[\n{\"a\": [1, 2,], }\n//]]>", &json!([{"a": [1, 2]}]));
        check(
            "{/* note */ \"a\": \"x\ny\", // http\n \"u\": \"https://a.example\"}",
            &json!([{"a": "x\ny", "u": "https://a.example"}]),
        );
        check("<!-- {\"a\": \"b\"} -->", &json!([{"a": "b"}]));
        check(r#"{"a": 1} {"b": 2};"#, &json!([{"a": 1}, {"b": 2}]));
        check("{&quot;a&quot;: &quot;M&uuml;ller&quot;}", &json!([{"a": "Müller"}]));
        check(r#"{"a": "it\'s"}"#, &json!([{"a": "it's"}]));
        check(r#"{"a": "#, &json!([]));
        check(&"[".repeat(100_000), &json!([]));
        check("", &json!([]));
    }
}
