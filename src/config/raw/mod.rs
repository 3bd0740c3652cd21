//! A pipeline file exactly as it is written: what serde parses and what the JSON Schema is made from.
//!
//! Invariant: doc comments here are the reference of the file format (`docs/pipeline.md`, editors' hovers); every key
//! that may be left out has its default here, so that the serialised form is the whole meaning of the file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::taxonomy::{JobFunction, Language};

pub mod crm;
pub mod schedule;
pub mod source;

/// A pipeline: which CRM rows, for which offering, under which policy, from which sources, into which home.
///
/// Paths are relative to the folder of the pipeline file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Prosopon pipeline")]
pub struct Pipeline {
    /// The version of the file format; this is version 1.
    #[schemars(range(min = 1, max = 1), example = 1)]
    pub version: u32,
    /// The pipeline's name: the folder of its tables in the home. Small letters, digits, `_` and `-`.
    #[schemars(extend("format" = "name"), example = &"nightly")]
    pub name: String,
    /// The data controller in the sense of Art. 4(7) GDPR, as it stands in the records.
    #[schemars(length(min = 1, max = 200), example = &"Example Machines GmbH")]
    pub controller: String,
    /// Whom a site owner can write to, as `mailto:` or https address; it stands in the `User-Agent` of every request.
    /// Needed for `network: public`.
    #[schemars(extend("format" = "contact"), example = &"mailto:privacy@controller.example")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// The clock of the inference: evidence ages as if it were this instant. Leave it out for the present. The gate
    /// never goes back in time, except in demo and replay.
    #[schemars(extend("format" = "date-time"), example = &"2026-03-02T03:00:00Z")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// When `prosopon schedule` runs the pipeline; `prosopon run` runs it at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<schedule::Schedule>,
    /// Where contacts, accounts and consents come from.
    pub crm: crm::Crm,
    /// What is to be sold; it decides who is user, buyer, influencer, decider and gatekeeper.
    pub offering: Offering,
    /// What the gate judges by.
    pub policy: Policy,
    /// Where else to look. A source that is not named here is never asked; without any, personas rest on the CRM alone.
    #[serde(default)]
    pub sources: source::Sources,
    /// How texts are read.
    #[serde(default)]
    pub extract: Extract,
    /// How signals become facets.
    #[serde(default)]
    pub persona: Persona,
    /// How deeply an account is researched, by its value.
    #[serde(default)]
    pub tiers: Tiers,
    /// Where tables and state are kept.
    pub output: Output,
    /// What a run may spend.
    #[serde(default)]
    pub budgets: Budgets,
    /// Which network the fetcher may use.
    #[schemars(example = &"demo")]
    pub network: Network,
}

/// What is to be sold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Offering {
    /// What a salesperson would call it.
    #[schemars(length(min = 1, max = 200), example = &"Driverless transport system")]
    pub name: String,
    /// The kind of offering, in one word of your own.
    #[schemars(extend("format" = "name"), example = &"machine")]
    pub category: String,
    /// The job functions that work with it.
    #[schemars(length(min = 1), extend("uniqueItems" = true), example = ["production"])]
    pub used_by: Vec<JobFunction>,
    /// The job functions that operate and maintain it.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true), example = ["it"])]
    pub run_by: Vec<JobFunction>,
    /// What it costs, measured by what the buyers' companies usually spend: a higher price brings in more deciders.
    #[schemars(example = &"high")]
    pub price_band: Level,
    /// How much there is to understand before buying.
    #[schemars(example = &"medium")]
    pub complexity: Level,
    /// How much the buyer's company must change to use it.
    #[schemars(example = &"medium")]
    pub adaptation: Level,
}

/// A rough measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Little.
    Low,
    /// Between the two.
    Medium,
    /// Much.
    High,
}

/// What the gate judges by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The policy file.
    #[schemars(extend("format" = "path"), example = &"../config/policy/default.yaml")]
    pub file: String,
    /// The purpose of the run; it must be registered in the policy. There is no wildcard, and recruitment and
    /// employment cannot be purposes.
    #[schemars(extend("format" = "name"), example = &"persona_enrichment")]
    pub purpose: String,
}

/// How texts are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Extract {
    /// The languages that are read; texts in others are left alone.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub languages: Vec<Language>,
}

impl Default for Extract {
    fn default() -> Self {
        Self { languages: vec![Language::German, Language::English] }
    }
}

/// How signals become facets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Persona {
    /// A value below this probability is not given: the facet abstains with `insufficient_evidence`. Not so buying roles:
    /// each is given with its probability, however small, because knowing that somebody has not a role is knowing something.
    /// `buying_centers` counts members from 0.5 on, whatever this is. A trait or motive needs two signals beside it, of two
    /// texts, or one that is believed with 0.9 or more.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_probability: f64,
    /// After so many days a signal weighs half; for functions, company facts and traits longer, for what is soon out of date
    /// shorter: functions x 2, traits and company facts x 1.5, levels, signing power, motives, channels and habits x 1, buying
    /// roles, goals, requirements, pains and gains x 0.5. After three such half-lives it is stale.
    #[schemars(range(min = 1, max = 36500))]
    pub half_life_days: u32,
}

impl Default for Persona {
    fn default() -> Self {
        Self { min_probability: 0.6, half_life_days: 730 }
    }
}

/// How deeply an account is researched. The first tier whose bound the account reaches is taken; below all of them
/// of the CRM only the title is kept, and study priors are given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tiers {
    /// Every contact by itself.
    pub individual: Tier,
    /// By the CRM alone, notes included, and where that says nothing by what holds for most of those of the same segment who
    /// were researched individually and of whom it is known. Without it there is no such tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment: Option<SegmentTier>,
}

impl Default for Tiers {
    fn default() -> Self {
        Self { individual: Tier { min_account_revenue_eur: 0.0 }, segment: None }
    }
}

/// From which account value on a tier holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Least yearly revenue of the account in EUR; 0 takes every account, also those of unknown revenue.
    #[schemars(range(min = 0.0), example = 0)]
    pub min_account_revenue_eur: f64,
}

/// From which account value on a tier holds, and how many people stand behind a value of a segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentTier {
    /// Least yearly revenue of the account in EUR; 0 takes every account, also those of unknown revenue.
    #[schemars(range(min = 0.0), example = 0)]
    pub min_account_revenue_eur: f64,
    /// At least so many individually researched people, of whom no company has more than half, stand behind a value of a
    /// segment, so that it points at nobody. More is stricter; under 5 is refused. Beside that, the facet must be known of a
    /// fifth of the segment's individually researched people: fewer say nothing of the others.
    #[serde(default = "min_people")]
    #[schemars(range(min = 1, max = 10000), example = 5)]
    pub min_people: u32,
}

const fn min_people() -> u32 {
    crate::persona::segment::LEAST_PEOPLE
}

/// Where tables and state are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// The home: tables, ledger, log and state of one controller. Not inside the folders of the CRM files.
    #[schemars(extend("format" = "path"), example = &"../prosopon-home")]
    pub home: String,
    /// How many snapshots of the tables are kept.
    #[serde(default = "keep_snapshots")]
    #[schemars(range(min = 1, max = 3650))]
    pub keep_snapshots: u32,
    /// For so many days after a run that worked on everybody, runs work only on contacts whose rows in the exports have changed, with
    /// their companies; the rows of all others are carried over. 0 = every run works on everybody. The CRM may write its full
    /// export over the last one, or add files. With sources, `legal` exports or encryption every run works on everybody.
    #[serde(default)]
    #[schemars(range(min = 0, max = 31), example = 7)]
    pub carry_over_days: u32,
    /// Whether the tables are encrypted (Parquet modular encryption, AES-256-GCM): not at all, with one key for whole
    /// files (pyarrow reads them with it, `DuckDB` all but their lists: operator.md), or with a key for each kind of personal
    /// data. The keys come from the vault: `prosopon keys tables`.
    #[serde(default)]
    pub encryption: Encryption,
    /// A file to which each run adds its `OpenLineage` events, one JSON object a line: which files it read, which tables
    /// it wrote, with columns and counts. For a data catalogue; nothing about persons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"), example = &"../lineage.jsonl")]
    pub lineage: Option<String>,
    /// A catalogue that is sent the events, too, while the run goes on. Needs `lineage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage_to: Option<LineageTo>,
}

/// A data catalogue that speaks the HTTP transport of `OpenLineage`. One that is not there, is slow or refuses fails no run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineageTo {
    /// Its address; events go to `/api/v1/lineage` below it.
    #[schemars(extend("format" = "uri"), example = &"https://catalogue.example")]
    pub url: String,
    /// The environment variable that holds the key (it is sent as `Authorization: Bearer`); without it none is sent. A key
    /// goes over https only, or within the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[A-Za-z_][A-Za-z0-9_]*$"), length(max = 100), example = &"OPENLINEAGE_API_KEY")]
    pub key_from_env: Option<String>,
}

/// How tables are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// In clear.
    #[default]
    None,
    /// One key for whole files.
    Uniform,
    /// A key for each kind of personal data, and one for the rest.
    ByCategory,
}

const fn keep_snapshots() -> u32 {
    7
}

/// What a run may spend. A run that has spent a budget ends what it has begun, publishes, and says what it left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Budgets {
    /// Most requests in a run.
    #[schemars(range(min = 1))]
    pub requests_per_run: u64,
    /// Most requests to one host in a run.
    #[schemars(range(min = 1))]
    pub requests_per_host: u32,
    /// Most requests on behalf of one source in a run; without it, as many as the run may send.
    #[schemars(range(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_source: Option<u32>,
    /// Most requests of all runs of the home that begin on one day (UTC); without it, each run has its own budget.
    #[schemars(range(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_night: Option<u64>,
    /// Longest time for fetching in a run, in seconds.
    #[schemars(range(min = 1))]
    pub seconds_per_run: u64,
    /// The share of CRM rows in [0, 1] that may end as dead letters; above it the run finishes with exit code 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub dead_letter_share: f64,
    /// The share of the last run's contacts, or companies, in [0, 1] that may be missing from the exports; above it nothing is
    /// published, as an export that was cut short looks like that.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub missing_share: f64,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            requests_per_run: 20_000,
            requests_per_host: 50,
            requests_per_source: None,
            requests_per_night: None,
            seconds_per_run: 4 * 3600,
            dead_letter_share: 0.05,
            missing_share: 0.5,
        }
    }
}

/// Which network the fetcher may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// The web that the run itself starts on loopback, hosts under `.example` and `.test` only. Never real DNS.
    Demo,
    /// Recorded answers only; a request that is not on record fails.
    Replay,
    /// The public internet, behind the guard, robots.txt, opt-outs and rate limits.
    Public,
}
