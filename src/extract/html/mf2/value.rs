//! The value of one property element.
//!
//! Invariant: attributes are taken as they stand, text is trimmed but not folded; a value has at most
//! [`MAX_VALUE`] bytes.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::super::dom::{self, Child, El, Page};
use super::classes::{self, Mode};
use super::{dates, resolve};

/// Bytes of one value; longer ones are cut.
const MAX_VALUE: usize = 256 * 1024;

/// The value of an element under a property with the given prefix. `date` completes a time without one.
pub(super) fn parse(page: &Page, e: El<'_>, mode: &Mode, prefix: &str, date: Option<&str>) -> Value {
    match prefix {
        "p" => Value::String(text_value(page, e, mode)),
        "u" => url_value(page, e, mode),
        "dt" => Value::String(date_value(page, e, mode, date)),
        _ => json!({ "html": inner_html(page, e), "value": text(page, e, Images::AltOrSrc) }),
    }
}

fn text_value(page: &Page, e: El<'_>, mode: &Mode) -> String {
    let attribute = |name: &str| e.attr(name).map(str::to_owned);
    value_class(e, mode)
        .or_else(|| match dom::name(e) {
            "abbr" | "link" => attribute("title"),
            "data" | "input" => attribute("value"),
            "img" | "area" => attribute("alt"),
            _ => None,
        })
        .unwrap_or_else(|| text(page, e, Images::AltOrSrc))
}

fn url_value(page: &Page, e: El<'_>, mode: &Mode) -> Value {
    let names: &[&str] = match dom::name(e) {
        "a" | "area" | "link" => &["href"],
        "img" | "audio" | "source" | "iframe" => &["src"],
        "video" => &["src", "poster"],
        "object" => &["data"],
        _ => &[],
    };
    if let Some(address) = names.iter().find_map(|n| e.attr(n)) {
        return image(page, e, address, matches!(mode, Mode::V2));
    }
    let found = value_class(e, mode).or_else(|| {
        let name = match dom::name(e) {
            "abbr" => "title",
            "data" | "input" => "value",
            _ => return None,
        };
        e.attr(name).map(str::to_owned)
    });
    Value::String(resolve(page, &found.unwrap_or_else(|| text(page, e, Images::Dropped))))
}

/// The address, with the alternative text where the element is an image that has one.
pub(super) fn image(page: &Page, e: El<'_>, address: &str, with_alt: bool) -> Value {
    let address = resolve(page, address);
    match e.attr("alt") {
        Some(alt) if dom::name(e) == "img" && with_alt => json!({ "value": address, "alt": alt }),
        _ => Value::String(address),
    }
}

fn date_value(page: &Page, e: El<'_>, mode: &Mode, date: Option<&str>) -> String {
    let mut parts = Vec::new();
    value_elements(e, mode, &mut |v, titled| {
        let attribute = match dom::name(v) {
            _ if titled => v.attr("title"),
            "img" | "area" => v.attr("alt"),
            "data" => v.attr("value"),
            "abbr" => v.attr("title"),
            "time" | "ins" | "del" => v.attr("datetime"),
            _ => None,
        };
        parts.push(attribute.map_or_else(|| dom::text_of(v), str::to_owned));
    });
    if let Some(combined) = dates::combine(&parts, date) {
        return combined;
    }
    let attribute = match dom::name(e) {
        "time" | "ins" | "del" => e.attr("datetime"),
        "abbr" => e.attr("title"),
        "data" | "input" => e.attr("value"),
        _ => None,
    };
    attribute.map_or_else(|| text(page, e, Images::AltOrSrc), str::to_owned)
}

/// The value class pattern: the joined values, or `None` where no element has the class.
fn value_class(e: El<'_>, mode: &Mode) -> Option<String> {
    let mut joined = String::new();
    let mut any = false;
    value_elements(e, mode, &mut |v, titled| {
        any = true;
        match dom::name(v) {
            _ if titled => joined.push_str(v.attr("title").unwrap_or_default()),
            "img" | "area" => joined.push_str(v.attr("alt").unwrap_or_default()),
            "data" => joined.push_str(&v.attr("value").map_or_else(|| dom::raw_text(v), str::to_owned)),
            "abbr" => joined.push_str(&v.attr("title").map_or_else(|| dom::raw_text(v), str::to_owned)),
            _ => joined.push_str(dom::raw_text(v).trim()),
        }
    });
    any.then_some(joined)
}

/// Visits the elements of the value class pattern; those of nested properties and items belong to these.
fn value_elements<'a>(e: El<'a>, mode: &Mode, visit: &mut dyn FnMut(El<'a>, bool)) {
    for child in e.child_elements().filter(|c| dom::name(*c) != "template") {
        let mut of_pattern = dom::classes(child).take(64).filter(|c| matches!(*c, "value" | "value-title"));
        match of_pattern.next() {
            Some("value") => visit(child, false),
            Some(_) if child.attr("title").is_some() => visit(child, true),
            _ => {
                if classes::roots(child).is_none() && classes::properties(child, mode).is_empty() {
                    value_elements(child, mode, visit);
                }
            }
        }
    }
}

/// What stands for an image in text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Images {
    Dropped,
    Alt,
    AltOrSrc,
}

/// Text content without scripts and styles, trimmed.
pub(super) fn text(page: &Page, e: El<'_>, images: Images) -> String {
    let mut out = String::new();
    collect(page, e, images, &mut out);
    out.trim().to_owned()
}

fn collect(page: &Page, e: El<'_>, images: Images, out: &mut String) {
    for node in e.children() {
        if out.len() > MAX_VALUE {
            return;
        }
        match node {
            Child::Text(t) => out.push_str(t),
            Child::Element(child) => match dom::name(child) {
                "script" | "style" | "template" => {}
                "img" => match (child.attr("alt"), child.attr("src")) {
                    (Some(alt), _) if images != Images::Dropped => out.push_str(alt),
                    (None, Some(src)) if images == Images::AltOrSrc => {
                        // Writing to a string cannot fail.
                        let _ = write!(out, " {} ", resolve(page, src));
                    }
                    _ => {}
                },
                _ => collect(page, child, images, out),
            },
            _ => {}
        }
    }
}

/// The inner HTML by the serialisation of the HTML standard, with absolute addresses, trimmed.
fn inner_html(page: &Page, e: El<'_>) -> String {
    let mut out = String::new();
    serialize(page, e, &mut out);
    out.trim().to_owned()
}

fn serialize(page: &Page, e: El<'_>, out: &mut String) {
    let raw = matches!(dom::name(e), "script" | "style" | "xmp" | "iframe" | "noembed" | "noframes" | "plaintext");
    for node in e.children() {
        if out.len() > MAX_VALUE {
            return;
        }
        match node {
            Child::Text(t) if raw => out.push_str(t),
            Child::Text(t) => escape(t, false, out),
            Child::Comment(c) => {
                let _ = write!(out, "<!--{c}-->");
            }
            Child::Element(child) => {
                let tag = dom::name(child);
                let _ = write!(out, "<{tag}");
                for (local, value) in child.attrs() {
                    let _ = write!(out, " {local}=\"");
                    if matches!(&**local, "href" | "src" | "poster" | "data" | "cite" | "action" | "longdesc") {
                        escape(&resolve(page, value), true, out);
                    } else {
                        escape(value, true, out);
                    }
                    out.push('"');
                }
                out.push('>');
                if !is_void(tag) {
                    serialize(page, child, out);
                    let _ = write!(out, "</{tag}>");
                }
            }
            Child::Other => {}
        }
    }
}

fn is_void(tag: &str) -> bool {
    matches!(
        tag,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
    )
}

fn escape(text: &str, in_attribute: bool, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '\u{A0}' => out.push_str("&nbsp;"),
            '"' if in_attribute => out.push_str("&quot;"),
            '<' if !in_attribute => out.push_str("&lt;"),
            '>' if !in_attribute => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
}
