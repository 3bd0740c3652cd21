//! A checked pipeline: what the rest of the program works with.
//!
//! Invariant: a [`Plan`] exists only if its file has no mistake; its paths are resolved against the folder of the
//! file, its times, URLs and numbers are of their types and within their bounds.

mod build;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use url::Url;

use build::content_hash;
pub(super) use build::resolve;

use super::fileset::{FileSet, all_matching};
use super::raw;
pub use super::raw::crm::{DateOrder, Decimal, Delimiter, Encoding};
pub use super::raw::schedule::{CatchUp, Overlap};
pub use super::raw::source::Page;
pub use super::raw::{Encryption, Extract, Level, Network, Persona};
use crate::consent::dialect::Dialect;
use crate::lineage;
use crate::persona::segment::LEAST_PEOPLE;
use crate::schedule::cron::Expression;
use crate::taxonomy::JobFunction;

/// Requests per second to one host where the pipeline does not say.
pub const DEFAULT_RATE: f64 = 1.0;

/// A checked pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    file: PathBuf,
    name: String,
    controller: String,
    contact: Option<String>,
    as_of: Option<Timestamp>,
    schedule: Option<Schedule>,
    crm: Crm,
    offering: Offering,
    policy_file: PathBuf,
    purpose: String,
    sources: Sources,
    extract: Extract,
    persona: Persona,
    tiers: Tiers,
    output: Output,
    budgets: Budgets,
    network: Network,
    hash: String,
}

/// When the pipeline runs by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// When: a cron expression that comes, in a time zone that exists.
    pub expression: Expression,
    /// What happens with missed runs.
    pub catch_up: CatchUp,
    /// Hours.
    pub catch_up_window_hours: u32,
    /// What happens when the run before has not ended.
    pub overlap: Overlap,
    /// Seconds.
    pub jitter_seconds: u32,
    /// Minutes.
    pub max_duration_minutes: u32,
    /// Failed runs in a row.
    pub pause_after_failures: u32,
    /// Days without a run, sorted.
    pub blackout_days: Vec<Date>,
}

/// The CRM's exported files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crm {
    /// The CRM's name.
    pub name: String,
    /// One row a contact.
    pub contacts: FileSet,
    /// Source name to the header of the contact column that holds the handle there.
    pub handles: BTreeMap<String, String>,
    /// One row a company.
    pub accounts: Option<FileSet>,
    /// One row a consent.
    pub consents: Option<FileSet>,
    /// One row a note or activity.
    pub notes: Option<FileSet>,
    /// What the CRM says in its own words; entries of one dialect have one mapping.
    pub legal: Vec<Legal>,
}

/// Exports of one dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Legal {
    pattern: PathBuf,
    /// Whose words they are.
    pub dialect: Dialect,
    /// What positive answers grant.
    pub mapping: Option<PathBuf>,
}

impl Legal {
    /// The path as it was resolved, with its wildcards.
    pub fn pattern(&self) -> &Path {
        &self.pattern
    }

    /// The files that are there now, sorted by name; none if nothing matches.
    ///
    /// # Errors
    /// The folder cannot be read (an absent one is not an error), or something in it that may be an export.
    pub fn files(&self) -> std::io::Result<Vec<PathBuf>> {
        all_matching(&self.pattern)
    }
}

/// What is to be sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offering {
    /// What a salesperson would call it.
    pub name: String,
    /// Its kind, a name.
    pub category: String,
    /// The job functions that work with it.
    pub used_by: Vec<JobFunction>,
    /// The job functions that operate and maintain it.
    pub run_by: Vec<JobFunction>,
    /// What it costs.
    pub price_band: Level,
    /// How much there is to understand.
    pub complexity: Level,
    /// How much the buyer's company must change.
    pub adaptation: Level,
}

/// The sources that are enabled.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sources {
    /// The web sites of the accounts.
    pub company_site: Option<CompanySite>,
    /// Public profiles of developers.
    pub developer_profile: Option<DeveloperProfile>,
    /// Public posts.
    pub social_profile: Option<SocialProfile>,
}

impl Sources {
    /// Whether anything is to be fetched.
    #[must_use]
    pub const fn any(&self) -> bool {
        self.company_site.is_some() || self.developer_profile.is_some() || self.social_profile.is_some()
    }
}

/// The web sites of the accounts.
#[derive(Debug, Clone, PartialEq)]
pub struct CompanySite {
    /// Which pages, in order, each once.
    pub pages: Vec<Page>,
    /// How fast one host may be asked.
    pub rate: Rate,
}

/// Public profiles of developers.
#[derive(Debug, Clone, PartialEq)]
pub struct DeveloperProfile {
    /// Address of the API; http or https, without credentials.
    pub base_url: Url,
    /// How fast the API may be asked.
    pub rate: Rate,
}

/// Public posts of contacts.
#[derive(Debug, Clone, PartialEq)]
pub struct SocialProfile {
    /// Address of the server; http or https, without credentials.
    pub base_url: Url,
    /// How fast it may be asked.
    pub rate: Rate,
}

/// How fast one host may be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    /// Above 0; above [`DEFAULT_RATE`] only with a documented limit.
    pub requests_per_second: f64,
    /// Where the host documents the limit.
    pub documented_limit: Option<Url>,
}

impl Default for Rate {
    fn default() -> Self {
        Self { requests_per_second: DEFAULT_RATE, documented_limit: None }
    }
}

/// From which account value on a tier holds, in EUR of yearly revenue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tiers {
    /// Every contact by itself.
    pub individual_from_eur: f64,
    /// Contacts by their segment; below `individual_from_eur`.
    pub segment_from_eur: Option<f64>,
    /// How many people stand behind a value of a segment, at least.
    pub segment_people: u32,
}

impl Tiers {
    fn build(raw: &raw::Tiers) -> Self {
        let segment = raw.segment.as_ref();
        Self {
            individual_from_eur: raw.individual.min_account_revenue_eur,
            segment_from_eur: segment.map(|t| t.min_account_revenue_eur),
            segment_people: segment.map_or(LEAST_PEOPLE, |t| t.min_people),
        }
    }
}

/// Where tables and state are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The home.
    pub home: PathBuf,
    /// How many snapshots are kept, at least 1.
    pub keep_snapshots: u32,
    /// For so many days after a run that worked on everybody, rows are carried over; 0 = never.
    pub carry_over_days: u32,
    /// How tables are encrypted.
    pub encryption: Encryption,
    /// Where `OpenLineage` events go.
    pub lineage: Option<lineage::To>,
}

/// What a run may spend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budgets {
    /// Most requests in a run.
    pub requests_per_run: u64,
    /// Most requests to one host in a run; not above `requests_per_run`.
    pub requests_per_host: u32,
    /// Most requests on behalf of one source in a run.
    pub requests_per_source: Option<u32>,
    /// Most requests of all runs of a day.
    pub requests_per_night: Option<u64>,
    /// Longest time for fetching, in seconds.
    pub seconds_per_run: u64,
    /// The share of CRM rows in [0, 1] that may end as dead letters without the run counting as troubled.
    pub dead_letter_share: f64,
    /// The share of the last run's contacts, or companies, in [0, 1] that the exports may lack.
    pub missing_share: f64,
}

impl Plan {
    /// Builds the plan of a file whose content has been checked; `Err` names the key whose value a type refuses.
    pub(super) fn build(file: &Path, raw: raw::Pipeline) -> Result<Self, Vec<&'static str>> {
        let folder = file.parent().unwrap_or_else(|| Path::new(""));
        let hash = content_hash(&raw);
        let raw::crm::Crm::Files(files) = raw.crm;
        let as_of = raw.as_of.map(|t| t.parse()).transpose().map_err(|_| vec!["as_of"])?;
        Ok(Self {
            file: file.to_owned(),
            name: raw.name,
            controller: raw.controller,
            contact: raw.contact,
            as_of,
            schedule: raw.schedule.map(Schedule::build).transpose()?,
            crm: Crm::build(files, folder),
            offering: Offering::build(raw.offering),
            policy_file: resolve(folder, &raw.policy.file),
            purpose: raw.policy.purpose,
            sources: Sources::build(raw.sources)?,
            extract: raw.extract,
            persona: raw.persona,
            tiers: Tiers::build(&raw.tiers),
            output: Output {
                home: resolve(folder, &raw.output.home),
                keep_snapshots: raw.output.keep_snapshots,
                carry_over_days: raw.output.carry_over_days,
                encryption: raw.output.encryption,
                lineage: build::lineage(raw.output.lineage, raw.output.lineage_to, folder)?,
            },
            budgets: Budgets {
                requests_per_run: raw.budgets.requests_per_run,
                requests_per_host: raw.budgets.requests_per_host,
                requests_per_source: raw.budgets.requests_per_source,
                requests_per_night: raw.budgets.requests_per_night,
                seconds_per_run: raw.budgets.seconds_per_run,
                dead_letter_share: raw.budgets.dead_letter_share,
                missing_share: raw.budgets.missing_share,
            },
            network: raw.network,
            hash,
        })
    }

    /// The pipeline file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The pipeline's name, `[a-z][a-z0-9_-]{0,63}`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The data controller.
    pub fn controller(&self) -> &str {
        &self.controller
    }

    /// Whom a site owner can write to; there is one where the network is public.
    pub fn contact(&self) -> Option<&str> {
        self.contact.as_deref()
    }

    /// The clock of the inference; `None` = the present.
    pub const fn as_of(&self) -> Option<Timestamp> {
        self.as_of
    }

    /// When the pipeline runs by itself.
    pub const fn schedule(&self) -> Option<&Schedule> {
        self.schedule.as_ref()
    }

    /// Where contacts, accounts and consents come from.
    pub const fn crm(&self) -> &Crm {
        &self.crm
    }

    /// What is to be sold.
    pub const fn offering(&self) -> &Offering {
        &self.offering
    }

    /// The policy file.
    pub fn policy_file(&self) -> &Path {
        &self.policy_file
    }

    /// The purpose of the run; the policy must register it.
    pub fn purpose(&self) -> &str {
        &self.purpose
    }

    /// The sources that are enabled.
    pub const fn sources(&self) -> &Sources {
        &self.sources
    }

    /// How texts are read.
    pub const fn extract(&self) -> &Extract {
        &self.extract
    }

    /// How signals become facets.
    pub const fn persona(&self) -> &Persona {
        &self.persona
    }

    /// How deeply an account is researched.
    pub const fn tiers(&self) -> &Tiers {
        &self.tiers
    }

    /// Where tables and state are kept.
    pub const fn output(&self) -> &Output {
        &self.output
    }

    /// What a run may spend.
    pub const fn budgets(&self) -> &Budgets {
        &self.budgets
    }

    /// Which network the fetcher may use.
    pub const fn network(&self) -> Network {
        self.network
    }

    /// SHA-256 in hex over what the file means for a run: the same for other comments, formatting, order of keys,
    /// defaults written out, and another `schedule`.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}
