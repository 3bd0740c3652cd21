//! What `<head>` declares: title, canonical, language, `OpenGraph`, feeds, robots, TDM, authors.
//!
//! Invariant: opt-outs fail towards the reservation: an unreadable `tdm-reservation` counts as reserved.

use serde_json::{Map, Value};

use super::dom::{self, El, Page};
use super::reading::{Feed, Tdm};

/// Agents whose directives concern everybody or us; other agents' are kept with their name.
const ROBOTS: &str = "robots";
/// Agents (besides [`ROBOTS`]) that are known to have a `<meta>` of their own.
const AGENTS: [&str; 6] = ["prosopon", "googlebot-news", "slurp", "yandex", "baiduspider", "ccbot"];
/// Where pages say in words what may be done with them.
const RIGHTS: [&str; 10] = [
    "copyright",
    "rights",
    "dc.rights",
    "dcterms.rights",
    "dcterms.accessrights",
    "dcterms.license",
    "license",
    "usage-rights",
    "terms",
    "tdm",
];
/// So many of them are read, of one kind of markup.
const MAX_RIGHTS: usize = 16;
/// Properties of structured data that say so.
const RIGHTS_PROPERTIES: [&str; 4] = ["copyrightNotice", "conditionsOfAccess", "usageInfo", "license"];
/// Prefixes of properties that count as `OpenGraph` and its relatives.
const GRAPH_PREFIXES: [&str; 10] =
    ["og:", "twitter:", "article:", "profile:", "book:", "music:", "video:", "fb:", "product:", "business:"];
const FEED_TYPES: [&str; 4] =
    ["application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"];

#[derive(Default)]
pub(super) struct Meta {
    pub title: Option<String>,
    pub canonical: Option<String>,
    pub language: Option<String>,
    pub opengraph: Map<String, Value>,
    pub feeds: Vec<Feed>,
    pub robots: Vec<String>,
    pub tdm: Tdm,
    pub rights: Vec<String>,
    pub authors: Vec<String>,
}

/// Reads what the page declares of itself.
pub(super) fn read(page: &Page) -> Meta {
    let mut meta = Meta::default();
    let mut content_language = None;
    for e in page.marked() {
        match dom::name(e) {
            "title" if meta.title.is_none() && dom::is_html(e) => {
                meta.title = Some(dom::text_of(e)).filter(|t| !t.is_empty());
            }
            "meta" => read_meta(e, page, &mut meta, &mut content_language),
            "link" => read_link(e, page, &mut meta),
            "a" if has_token(e, "rel", "author") => {
                meta.authors.extend(Some(dom::text_of(e)).filter(|t| super::people::names::is_name(t)));
            }
            _ => {}
        }
    }
    let declared = attr_of(page.root(), "lang").or(content_language).or_else(|| attr_of(page.root(), "xml:lang"));
    meta.language = declared.and_then(|l| language_tag(&l));
    if meta.title.is_none() {
        meta.title = meta.opengraph.get("og:title").and_then(first_string);
    }
    meta.authors = dom::dedup(std::mem::take(&mut meta.authors));
    meta.robots = dom::dedup(std::mem::take(&mut meta.robots));
    meta
}

fn attr_of(e: El<'_>, name: &str) -> Option<String> {
    dom::attr(e, name).map(str::to_owned)
}

fn first_string(value: &Value) -> Option<String> {
    value.as_str().or_else(|| value.get(0)?.as_str()).map(str::to_owned)
}

fn read_meta(e: El<'_>, page: &Page, meta: &mut Meta, content_language: &mut Option<String>) {
    let Some(content) = e.attr("content").map(dom::fold) else { return };
    if dom::attr(e, "http-equiv").is_some_and(|h| h.eq_ignore_ascii_case("content-language")) {
        content_language.get_or_insert(content);
        return;
    }
    let Some(key) = dom::attr(e, "property").or_else(|| dom::attr(e, "name")) else { return };
    let key = key.to_ascii_lowercase();
    match key.as_str() {
        ROBOTS => meta.robots.extend(directives(&content)),
        "tdm-reservation" => {
            let stated = u8::from(content != "0");
            meta.tdm.reservation = Some(meta.tdm.reservation.map_or(stated, |known| known.max(stated)));
        }
        "tdm-policy" if meta.tdm.policy.is_none() => meta.tdm.policy = page.resolve(&content),
        rights if RIGHTS.contains(&rights) && meta.rights.len() < MAX_RIGHTS => meta.rights.push(content),
        "author" | "dc.creator" | "dcterms.creator" | "citation_author" | "parsely-author" => {
            meta.authors.extend(split_authors(&content));
        }
        agent if AGENTS.contains(&agent) || agent.ends_with("bot") => {
            meta.robots.extend(directives(&content).into_iter().map(|d| format!("{agent}: {d}")));
        }
        property if GRAPH_PREFIXES.iter().any(|p| property.starts_with(p)) => {
            if property == "article:author" && !content.contains("://") {
                meta.authors.extend(split_authors(&content));
            }
            add_graph(&mut meta.opengraph, property, &content, page);
        }
        _ => {}
    }
}

/// Directives in lower case; a comma inside a date (`unavailable_after: Mon, 2 Mar 2026`) does not split.
fn directives(content: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for part in content.split(',') {
        let part = part.trim().to_ascii_lowercase();
        match out.last_mut() {
            Some(last) if last.starts_with("unavailable_after") && part.starts_with(|c: char| c.is_ascii_digit()) => {
                last.push_str(", ");
                last.push_str(&part);
            }
            _ if part.is_empty() => {}
            _ => out.push(part),
        }
    }
    out
}

fn split_authors(content: &str) -> Vec<String> {
    let parts = content.split([';', '|']).flat_map(|p| p.split(" and ")).flat_map(|p| p.split(" und "));
    let parts: Vec<String> = parts.flat_map(|p| p.split(',')).map(dom::fold).filter(|p| !p.is_empty()).collect();
    if parts.iter().all(|p| super::people::names::is_name(p)) {
        return parts;
    }
    if super::people::names::is_name(content) { vec![content.to_owned()] } else { Vec::new() }
}

fn add_graph(graph: &mut Map<String, Value>, property: &str, content: &str, page: &Page) {
    let names_address = matches!(property.rsplit(':').next(), Some("url" | "secure_url" | "image" | "audio" | "video"));
    let value = if names_address { page.resolve(content) } else { None }.unwrap_or_else(|| content.to_owned());
    if value.is_empty() {
        return;
    }
    match graph.get_mut(property) {
        None => {
            graph.insert(property.to_owned(), Value::String(value));
        }
        Some(Value::Array(list)) => list.push(Value::String(value)),
        Some(one) => *one = Value::Array(vec![one.take(), Value::String(value)]),
    }
}

fn read_link(e: El<'_>, page: &Page, meta: &mut Meta) {
    let Some(href) = dom::attr(e, "href").and_then(|h| page.resolve(h)) else { return };
    if has_token(e, "rel", "canonical") && meta.canonical.is_none() {
        meta.canonical = Some(href);
    } else if has_token(e, "rel", "tdm-policy") && meta.tdm.policy.is_none() {
        meta.tdm.policy = Some(href);
    } else if has_token(e, "rel", "alternate") || has_token(e, "rel", "feed") {
        let media_type = dom::attr(e, "type").unwrap_or_default().to_ascii_lowercase();
        let media_type = media_type.split(';').next().unwrap_or_default().trim().to_owned();
        if (FEED_TYPES.contains(&media_type.as_str()) || has_token(e, "rel", "feed"))
            && !meta.feeds.iter().any(|f| f.url == href)
        {
            meta.feeds.push(Feed { url: href, title: dom::attr(e, "title").map(dom::fold), media_type });
        }
    }
}

/// What structured data says of rights, at the top of its blocks.
pub(super) fn rights_of(json_ld: &[Value]) -> Vec<String> {
    let graph = |block: &Value| block.get("@graph").and_then(Value::as_array).cloned().unwrap_or_default();
    let nodes = json_ld.iter().flat_map(|block| std::iter::once(block.clone()).chain(graph(block)));
    let said = nodes.flat_map(|node| RIGHTS_PROPERTIES.map(|name| node.get(name).and_then(first_string)));
    said.flatten().take(MAX_RIGHTS).collect()
}

fn has_token(e: El<'_>, attr: &str, token: &str) -> bool {
    e.attr(attr).is_some_and(|v| v.split_ascii_whitespace().any(|t| t.eq_ignore_ascii_case(token)))
}

/// A plausible BCP 47 tag; `Content-Language` may list several, the first counts.
fn language_tag(declared: &str) -> Option<String> {
    let first = declared.split(',').next()?.trim().replace('_', "-");
    let primary = first.split('-').next()?;
    let plausible = (2..=3).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_alphabetic());
    let whole = first.len() <= 35 && first.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (plausible && whole).then(|| first.clone())
}
