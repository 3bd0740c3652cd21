//! From a checked plan to the settings of the parts, and what plan and policy must agree on.
//!
//! Invariant: only this module knows the types of both sides.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use crate::config::{DateOrder, Decimal, Delimiter, Encoding, FileSet, Level, Network, Offering, Plan};
use crate::crm::CsvSource;
use crate::demo::DemoWeb;
use crate::fetch::{self, Cassette, FetcherConfig, Limits, Memory};
use crate::ids::Ids;
use crate::model::RunId;
use crate::persona::input;
use crate::run::engine::{Options, RunError};
use crate::run::journal::JournalError;
use crate::source::id;

/// How the fetcher names itself where it asks nobody but the demo web.
const USER_AGENT: &str = concat!("prosopon/", env!("CARGO_PKG_VERSION"), " (+mailto:privacy@controller.example)");

/// Seed of the jitter, which only ever adds to a delay.
const JITTER_SEED: u64 = 0x0070_726f_736f_706f;

/// Refuses to replay nothing.
pub(super) fn check(plan: &Plan, options: &Options) -> Result<(), RunError> {
    if plan.network() == Network::Replay && !options.dry_run && options.replay.is_none() {
        let network = network_name(plan.network());
        return Err(RunError::NetworkNotServed { path: plan.file().to_owned(), network });
    }
    Ok(())
}

/// How the fetcher names itself: its product token, its version, and whom a site owner can write to.
fn user_agent(plan: &Plan) -> String {
    match (plan.network(), plan.contact()) {
        (Network::Public, Some(contact)) => format!("prosopon/{} (+{contact})", env!("CARGO_PKG_VERSION")),
        _ => USER_AGENT.to_owned(),
    }
}

/// The CRM's files, for the connector.
pub(crate) fn crm_source(plan: &Plan) -> CsvSource {
    let crm = plan.crm();
    let grows = plan.output().carry_over_days > 0;
    let file_set = |set: &FileSet| file_set(set, grows);
    let mut contacts = file_set(&crm.contacts);
    for (source, header) in &crm.handles {
        contacts.columns.insert(format!("handle.{source}"), header.clone());
    }
    CsvSource {
        name: crm.name.clone(),
        contacts,
        accounts: crm.accounts.as_ref().map(file_set),
        consents: crm.consents.as_ref().map(file_set),
        notes: crm.notes.as_ref().map(file_set),
    }
}

fn file_set(set: &FileSet, grows: bool) -> crate::crm::FileSet {
    crate::crm::FileSet {
        grows,
        path: set.pattern().display().to_string(),
        encoding: match set.encoding {
            Encoding::Auto => None,
            Encoding::Utf8 => Some("utf-8".to_owned()),
            Encoding::Windows1252 => Some("windows-1252".to_owned()),
            Encoding::Iso88591 => Some("iso-8859-1".to_owned()),
            Encoding::Iso885915 => Some("iso-8859-15".to_owned()),
            Encoding::Utf16 => Some("utf-16".to_owned()),
        },
        delimiter: match set.delimiter {
            Delimiter::Auto => None,
            Delimiter::Comma => Some(','),
            Delimiter::Semicolon => Some(';'),
            Delimiter::Tab => Some('\t'),
            Delimiter::Pipe => Some('|'),
        },
        columns: set.columns.iter().map(|(field, header)| (crm_field(field).to_owned(), header.clone())).collect(),
        ignored: set.ignored.clone(),
        date_order: match set.date_order {
            DateOrder::Auto => None,
            DateOrder::DayFirst => Some(crate::crm::DateOrder::DayFirst),
            DateOrder::MonthFirst => Some(crate::crm::DateOrder::MonthFirst),
        },
        decimal: match set.decimal {
            Decimal::Auto => None,
            Decimal::Comma => Some(crate::crm::Decimal::Comma),
            Decimal::Point => Some(crate::crm::Decimal::Point),
        },
        ..crate::crm::FileSet::default()
    }
}

/// The connector's name of a pipeline's field: a pipeline says `id`, the connector whose id it is.
fn crm_field(field: &str) -> &str {
    match field {
        "id" => "record_id",
        "account_id" => "account_record",
        same => same,
    }
}

/// The offering, for the persona part.
pub(super) fn offering(offering: &Offering) -> input::Offering {
    let level = |level: Level| match level {
        Level::Low => input::Level::Low,
        Level::Medium => input::Level::Medium,
        Level::High => input::Level::High,
    };
    input::Offering {
        name: offering.name.clone(),
        category: offering.category.clone(),
        used_by: offering.used_by.clone(),
        run_by: offering.run_by.clone(),
        price_band: match offering.price_band {
            Level::Low => input::PriceBand::Low,
            Level::Medium => input::PriceBand::Medium,
            Level::High => input::PriceBand::High,
        },
        complexity: level(offering.complexity),
        adaptation: level(offering.adaptation),
    }
}

/// The fetcher's settings.
pub(super) fn fetcher(
    plan: &Plan,
    web: Option<&DemoWeb>,
    tape: Option<&Arc<Cassette>>,
) -> Result<FetcherConfig, RunError> {
    let network = match (plan.network(), web) {
        _ if let Some(tape) = tape => fetch::Network::Replay(Arc::clone(tape)),
        (Network::Demo, Some(web)) => {
            fetch::Network::Demo { addr: web.addr(), hosts: web.hosts().iter().cloned().collect() }
        }
        (Network::Public, _) => fetch::Network::Public(fetch::PublicNet::system()?),
        _ => fetch::Network::Refused,
    };
    let mut rates = BTreeMap::new();
    if let Some(site) = &plan.sources().company_site {
        rates.insert(id::COMPANY_SITE.to_owned(), site.rate.requests_per_second);
    }
    if let Some(profile) = &plan.sources().developer_profile {
        rates.insert(id::DEVELOPER_PROFILE.to_owned(), profile.rate.requests_per_second);
    }
    if let Some(social) = &plan.sources().social_profile {
        rates.insert(id::SOCIAL_PROFILE.to_owned(), social.rate.requests_per_second);
    }
    Ok(FetcherConfig {
        user_agent: user_agent(plan),
        limits: Limits::default(),
        budgets: fetch::Budgets {
            requests_per_run: u32::try_from(plan.budgets().requests_per_run).unwrap_or(u32::MAX),
            requests_per_host: plan.budgets().requests_per_host,
            requests_per_source: plan.budgets().requests_per_source.unwrap_or(u32::MAX),
            requests_per_night: plan.budgets().requests_per_night.unwrap_or(u64::MAX),
            seconds_per_run: plan.budgets().seconds_per_run,
        },
        requests_per_second: rates,
        network,
        seed: JITTER_SEED,
    })
}

/// What the fetcher remembers of earlier starts and nights.
pub(super) fn memory(home: &Path, run: &RunId, began: Timestamp, ids: &Ids) -> Result<Memory, RunError> {
    let path = home.join("fetch.sqlite");
    let night = jiff::tz::Offset::UTC.to_datetime(began).date().to_string();
    let ids = ids.clone();
    let memory = Memory::open(&path, run.as_str(), &night, Box::new(move |url| ids.request(&["refused", url])))?;
    crate::run::files::make_private(&path).map_err(|source| JournalError::Mode { path, source })?;
    Ok(memory)
}

/// A fetcher that fetches nothing, for dry runs, and until a run has its own.
pub(super) fn refusing() -> FetcherConfig {
    FetcherConfig {
        user_agent: USER_AGENT.to_owned(),
        limits: Limits::default(),
        budgets: fetch::Budgets {
            requests_per_run: 0,
            requests_per_host: 0,
            requests_per_source: 0,
            requests_per_night: 0,
            seconds_per_run: 0,
        },
        requests_per_second: BTreeMap::new(),
        network: fetch::Network::Refused,
        seed: JITTER_SEED,
    }
}

/// As it stands in the pipeline file.
#[must_use]
pub const fn network_name(network: Network) -> &'static str {
    match network {
        Network::Demo => "demo",
        Network::Replay => "replay",
        Network::Public => "public",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crm;

    /// Maps every column that the schema of pipeline files knows.
    fn all(schema: &serde_json::Value, columns: &str) -> crm::FileSet {
        let properties = schema["$defs"][columns]["properties"].as_object().expect("the schema has columns");
        assert!(!properties.is_empty(), "{columns}");
        let fields = properties.keys().filter(|f| *f != "handles");
        crm::FileSet {
            columns: fields.map(|f| (crm_field(f).to_owned(), f.clone())).collect(),
            ..crm::FileSet::default()
        }
    }

    #[test]
    fn every_column_of_a_pipeline_is_a_field_of_the_connector() {
        let schema = crate::config::json_schema();
        let source = CsvSource {
            name: "crm".to_owned(),
            contacts: all(&schema, "ContactColumns"),
            accounts: Some(all(&schema, "AccountColumns")),
            consents: Some(all(&schema, "ConsentColumns")),
            notes: Some(all(&schema, "NoteColumns")),
        };
        crm::check(&source).expect("known fields");
    }

    #[test]
    fn the_template_maps_known_columns() {
        let file = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/nightly.yaml"));
        let plan = crate::config::load_settings(file).expect("the template is valid");
        let source = crm_source(&plan);
        assert!(source.contacts.columns.contains_key("handle.developer_profile"));
        crm::check(&source).expect("known fields");
    }
}
