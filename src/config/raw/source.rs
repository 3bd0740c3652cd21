//! The `sources` section as it is written: one key a source.
//!
//! Invariant: no source stands here that needs a login or shows limited visibility.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where else to look, besides the CRM.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sources {
    /// The web sites of the accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_site: Option<CompanySite>,
    /// Public profiles of developers at a service with GitHub's user API, for contacts whose handle the CRM has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub developer_profile: Option<DeveloperProfile>,
    /// Public posts at a server with Mastodon's API, for contacts whose handle the CRM has; only with consent to
    /// profiling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub social_profile: Option<SocialProfile>,
}

/// The web sites of the accounts: a few pages that name people or tell of the company, no crawling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompanySite {
    /// Which pages to look for, in this order.
    #[serde(default = "pages")]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub pages: Vec<Page>,
    /// How fast one host may be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
}

fn pages() -> Vec<Page> {
    vec![Page::Home, Page::Team, Page::Imprint]
}

/// A page of a company's site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    /// The front page.
    Home,
    /// The page that presents the people (Team, Ansprechpartner, About us).
    Team,
    /// The imprint (Impressum), where German, Austrian and Swiss companies name who represents them.
    Imprint,
    /// The feed of news (RSS, Atom) that the front page announces; it is read about the company alone.
    News,
    /// The page of open positions (Karriere, Jobs); it is read about the company alone.
    Jobs,
}

/// Public profiles of developers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeveloperProfile {
    /// The address of the API, without the path of a user.
    #[schemars(extend("format" = "uri"), example = &"https://api.example.com")]
    pub base_url: String,
    /// How fast the API may be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
}

/// Public posts of contacts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SocialProfile {
    /// The address of the server, without a path.
    #[schemars(extend("format" = "uri"), example = &"https://social.example.com")]
    pub base_url: String,
    /// How fast the server may be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
}

/// How fast one host may be asked. Slower than the default needs no reason; faster needs the host's own documentation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Most requests to one host in a second; the default is 1.
    #[schemars(extend("exclusiveMinimum" = 0), range(max = 100), example = 0.5)]
    pub requests_per_second: f64,
    /// The page where the host documents the limit that is used; needed above 1 request per second. Not for
    /// `company_site`: its hosts are sites of others, which are never asked faster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "uri"), example = &"https://api.example.com/docs/rate-limits")]
    pub documented_limit: Option<String>,
}
