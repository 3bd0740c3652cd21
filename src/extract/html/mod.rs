//! Reads a web page: people, organization, structured data, opt-outs, links and text.
//!
//! Invariant: [`read_page`] is total and pure. Whatever the bytes are, it answers, in time and memory bounded by
//! `limits`; what is not understood is left empty. Names of people never reach a log, an error or `Debug`.

mod blocks;
mod charset;
mod dom;
mod found;
mod imprint;
mod json_ld;
mod lexicon;
mod limits;
mod links;
mod locator;
mod meta;
mod mf2;
mod microdata;
mod panels;
mod people;
mod rdfa;
mod reading;
mod schema_org;
mod text;
mod tokens;
mod topics;
mod tree;
mod white;

#[cfg(test)]
mod blind_tests;
#[cfg(test)]
pub(crate) mod scoring;
#[cfg(test)]
mod tests;

pub use links::{Link, LinkTopic};
pub use reading::{Feed, Mf2, Organization, PageReading, PersonMention, Syntax, Tdm};
pub use topics::Sureness;

use dom::Page;
use people::own::Own;

/// Name and version of this reader, for the `extractor` column of `evidence`.
pub const EXTRACTOR: &str = "html/2";

/// The visible text of a piece of HTML, a block a line: of an entry of a feed, of a post.
#[must_use]
pub fn text_of(html: &str) -> String {
    let url = url::Url::parse("https://piece.invalid/").expect("a fixed address");
    blocks::read(&Page::parse(html, &url)).text
}

/// Whether the title of a feed, or else its address, says that it is no news of the company.
#[must_use]
pub fn is_not_news(title: Option<&str>, url: &str) -> bool {
    topics::is_not_news(title, url)
}

/// The text of an XML document in whatever encoding.
pub(super) fn decode_xml<'a>(body: &'a [u8], content_type: Option<&str>) -> std::borrow::Cow<'a, str> {
    charset::decode_xml(body, content_type)
}

/// Reads one page.
///
/// `body` is the decoded (no content coding) body, `content_type` the value of the HTTP header if there was one,
/// `url` where the page was found; relative addresses are resolved against `<base>` and it. Bodies are read up to
/// 8 MiB. Never panics and never fails: unreadable parts are empty, and so is all of a page that is deeper, or has more
/// nodes, than can be read.
#[must_use]
pub fn read_page(body: &[u8], content_type: Option<&str>, url: &url::Url) -> PageReading {
    let html = charset::decode(body, content_type);
    let page = Page::parse(&html, url);
    let json_ld = json_ld::read(&page);
    let microdata = microdata::read(&page);
    let rdfa = rdfa::read(&page);
    let mf2 = mf2::read(&page);
    let meta = meta::read(&page);
    let links = links::read(&page);
    let blocks::Seen { lines, notes, text } = blocks::read(&page);
    let seen = blocks::Seen { lines, notes, text: String::new() };
    let language = meta.language.clone().or_else(|| text::detect_language(&text));

    let mut found = schema_org::Found::default();
    schema_org::from_json_ld(&json_ld, &page, &mut found);
    schema_org::from_items(&microdata, Syntax::Microdata, &page, &mut found);
    schema_org::from_items(&rdfa, Syntax::Rdfa, &page, &mut found);
    people::from_mf2(&mf2, &mut found);
    let sections = people::sections::mark(&seen.lines);
    let mut own = Own::new(&page, &seen.lines, &meta, &found.organization);
    imprint::read(&page, &seen.lines, &sections, &mut own, &mut found);
    found.leave_out_others(&own);
    people::from_html(&page, &seen, &sections, &own, &mut found);
    found.authors.extend(meta.authors.iter().cloned());

    let rights = meta.rights.into_iter().chain(meta::rights_of(&json_ld)).collect();
    PageReading {
        url: url.to_string(),
        language,
        rights,
        title: meta.title,
        canonical: meta.canonical,
        people: people::merge(found.people),
        organization: found.organization,
        authors: dom::dedup(found.authors),
        json_ld,
        microdata,
        rdfa,
        mf2,
        opengraph: meta.opengraph,
        feeds: meta.feeds,
        meta_robots: meta.robots,
        tdm: meta.tdm,
        text,
        links,
    }
}
