//! What a page says, as data.
//!
//! Invariant: every key of the JSON contract is always there; what was not found is empty or null. `Debug` reveals
//! no person.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::links::Link;

/// The reading of one page; serialises to the object that `prosopon extract html` prints.
#[derive(Clone, PartialEq, Serialize)]
pub struct PageReading {
    /// Where the page was found.
    pub url: String,
    /// BCP 47 tag as declared, else `de` or `en` where the text shows it clearly.
    pub language: Option<String>,
    /// Text of `<title>`, else `og:title`.
    pub title: Option<String>,
    /// Absolute URL of `<link rel=canonical>`.
    pub canonical: Option<String>,
    /// People that the page presents, best syntax first, in page order within a syntax.
    pub people: Vec<PersonMention>,
    /// Who publishes the page.
    pub organization: Organization,
    /// Names of the people who wrote the page.
    pub authors: Vec<String>,
    /// Parsed JSON-LD blocks, in page order.
    pub json_ld: Vec<Value>,
    /// Top-level microdata items: `{"type":[..],"id"?,"properties":{name:[value]}}`.
    pub microdata: Vec<Value>,
    /// Top-level `RDFa` resources, in the shape of microdata items.
    pub rdfa: Vec<Value>,
    /// Microformats 2 (with classic ones mapped), in the canonical JSON.
    pub mf2: Mf2,
    /// `og:*`, `twitter:*`, `article:*`, `profile:*` and the like; a repeated property is a list.
    pub opengraph: Map<String, Value>,
    /// Feeds that the page announces.
    pub feeds: Vec<Feed>,
    /// Robots directives in lower case; those for one agent carry its name: `googlebot: noindex`.
    pub meta_robots: Vec<String>,
    /// Text and data mining reservation in the page itself.
    pub tdm: Tdm,
    /// Visible text in reading order, a block a line, at most 200 kB.
    pub text: String,
    /// What metadata says of rights, in words; not part of the printed object.
    #[serde(skip)]
    pub rights: Vec<String>,
    /// Outgoing links, with their anchor text, for planning; not part of the printed object.
    #[serde(skip)]
    pub links: Vec<Link>,
}

impl fmt::Debug for PageReading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageReading")
            .field("people", &self.people.len())
            .field("links", &self.links.len())
            .field("text_bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}

/// How a mention was marked up; ordered by how far it is to be trusted, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Syntax {
    /// `<script type="application/ld+json">`.
    JsonLd,
    /// `itemscope` and friends.
    Microdata,
    /// `typeof` and friends.
    Rdfa,
    /// Microformats 2 or classic.
    Mf2,
    /// No markup: cards, tables, lists and imprint lines.
    Html,
}

/// A person as one syntax presents them.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct PersonMention {
    /// Name as written, spaces folded.
    pub name: String,
    /// Title as written; several are joined by ` | `.
    pub job_title: Option<String>,
    /// Department, from markup or from the heading above.
    pub department: Option<String>,
    /// Absolute URLs: profiles, `mailto:`, `tel:`.
    pub links: Vec<String>,
    /// Where on the page: `json-ld[0].employee[2]`, `mf2.items[0]`, a CSS path.
    pub locator: String,
    /// How it was marked up.
    pub syntax: Syntax,
}

impl fmt::Debug for PersonMention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonMention([personal], {:?})", self.syntax)
    }
}

/// The organization behind the page, from structured data and from the imprint.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Organization {
    /// Name with its legal form where the page gives it.
    pub name: Option<String>,
    /// Legal form as written in the name: `GmbH & Co. KG`.
    pub legal_form: Option<String>,
    /// Register number: `HRB 12345`, `FN 123456a`, `CHE-123.456.789`, `01234567` (Companies House).
    pub register: Option<String>,
    /// Court or office that keeps the register.
    pub register_court: Option<String>,
    /// VAT id as found, without spaces (a Swiss one keeps its suffix). Check digits are not judged.
    pub vat_id: Option<String>,
    /// Street and number.
    pub street: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// City.
    pub city: Option<String>,
    /// ISO 3166-1 alpha-2 where it is known, else as written.
    pub country: Option<String>,
    /// Telephone as written.
    pub phone: Option<String>,
    /// Mail address of the company.
    pub email: Option<String>,
    /// Site of the company.
    pub url: Option<String>,
    /// Names of those who represent the company; they stand in `people` too.
    pub managing_directors: Vec<String>,
    /// Head count as marked up: `120` or `50-100`.
    pub employees: Option<String>,
    /// Date or year of foundation as marked up.
    pub founding_date: Option<String>,
    /// Industry codes as marked up: `isicV4:2822`, `naics:333517`.
    pub industry_codes: Vec<String>,
    /// Profiles of the company elsewhere.
    pub same_as: Vec<String>,
}

/// The canonical microformats2 JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Mf2 {
    /// Top-level items.
    pub items: Vec<Value>,
    /// URLs by rel value.
    pub rels: Map<String, Value>,
    /// What is known of each URL that has a rel.
    #[serde(rename = "rel-urls")]
    pub rel_urls: Map<String, Value>,
}

/// A feed that the page announces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Feed {
    /// Absolute URL.
    pub url: String,
    /// Its title, if any.
    pub title: Option<String>,
    /// Media type in lower case.
    #[serde(rename = "type")]
    pub media_type: String,
}

/// TDM Reservation Protocol, as `<meta>` of the page states it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tdm {
    /// 1 = reserved, 0 = not, `None` = not stated. Anything that is not `0` counts as reserved.
    pub reservation: Option<u8>,
    /// Absolute URL of the policy.
    pub policy: Option<String>,
}
