//! From a parsed pipeline file to the checked types.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use sha2::{Digest, Sha256};

use super::{CompanySite, Crm, DeveloperProfile, Legal, Offering, Rate, Schedule, SocialProfile, Sources, raw};
use crate::lineage::{self, Catalogue};
use crate::schedule::cron::Expression;

/// Hashes the canonical form: the raw type with its defaults, as compact JSON in the order of its fields. When a
/// pipeline runs and which catalogue is told does not change what comes of it, and a run that was stopped goes on under
/// a changed schedule.
pub(super) fn content_hash(raw: &raw::Pipeline) -> String {
    let output = raw::Output { lineage: None, lineage_to: None, ..raw.output.clone() };
    let canonical = serde_json::to_vec(&raw::Pipeline { schedule: None, output, ..raw.clone() })
        .expect("finite numbers and text keys always serialise");
    data_encoding::HEXLOWER.encode(&Sha256::digest(&canonical))
}

/// Resolves a path against a folder and takes `.` and `..` out by their names.
pub(in crate::config) fn resolve(folder: &Path, path: &str) -> PathBuf {
    use std::path::Component;
    let mut resolved = PathBuf::new();
    for part in folder.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(resolved.components().next_back(), Some(Component::Normal(_))) => {
                resolved.pop();
            }
            Component::ParentDir if resolved.has_root() => {}
            other => resolved.push(other),
        }
    }
    if resolved.as_os_str().is_empty() { PathBuf::from(".") } else { resolved }
}

/// Where lineage goes. A catalogue without a file is a mistake that was told.
pub(super) fn lineage(
    file: Option<String>,
    catalogue: Option<raw::LineageTo>,
    folder: &Path,
) -> Result<Option<lineage::To>, Vec<&'static str>> {
    let Some(file) = file else { return Ok(None) };
    let catalogue = catalogue.map(|to| Ok(Catalogue::new(to.url.parse()?, to.key_from_env)));
    let catalogue = catalogue.transpose().map_err(|_: url::ParseError| vec!["output", "lineage_to", "url"])?;
    Ok(Some(lineage::To { file: resolve(folder, &file), catalogue }))
}

impl Schedule {
    pub(super) fn build(raw: raw::schedule::Schedule) -> Result<Self, Vec<&'static str>> {
        let days: Result<Vec<Date>, _> = raw.blackout_days.iter().map(|d| d.parse()).collect();
        let mut blackout_days = days.map_err(|_| vec!["schedule", "blackout_days"])?;
        blackout_days.sort_unstable();
        Ok(Self {
            expression: Expression::new(&raw.cron, &raw.time_zone).map_err(|_| vec!["schedule", "cron"])?,
            catch_up: raw.catch_up,
            catch_up_window_hours: raw.catch_up_window_hours,
            overlap: raw.overlap,
            jitter_seconds: raw.jitter_seconds,
            max_duration_minutes: raw.max_duration_minutes,
            pause_after_failures: raw.pause_after_failures,
            blackout_days,
        })
    }
}

impl Crm {
    pub(super) fn build(raw: raw::crm::Files, folder: &Path) -> Self {
        let at = |path: &str| resolve(folder, path);
        let legal = |entry: raw::crm::Legal| Legal {
            pattern: at(&entry.path),
            dialect: entry.dialect,
            mapping: entry.mapping.as_deref().map(at),
        };
        Self {
            name: raw.name,
            contacts: raw.contacts.build(at),
            handles: raw.contacts.columns.handles,
            accounts: raw.accounts.map(|set| set.build(at)),
            consents: raw.consents.map(|set| set.build(at)),
            notes: raw.notes.map(|set| set.build(at)),
            legal: raw.legal.into_iter().map(legal).collect(),
        }
    }
}

impl Offering {
    pub(super) fn build(raw: raw::Offering) -> Self {
        let raw::Offering { name, category, used_by, run_by, price_band, complexity, adaptation } = raw;
        Self { name, category, used_by, run_by, price_band, complexity, adaptation }
    }
}

impl Sources {
    pub(super) fn build(raw: raw::source::Sources) -> Result<Self, Vec<&'static str>> {
        let company_site = raw.company_site.map(|site| {
            let rate = Rate::build(site.rate).ok_or_else(|| vec!["sources", "company_site", "rate"])?;
            Ok::<_, Vec<&'static str>>(CompanySite { pages: site.pages, rate })
        });
        let developer_profile = raw.developer_profile.map(|profile| {
            let base_url = profile.base_url.parse().map_err(|_| vec!["sources", "developer_profile", "base_url"])?;
            let rate = Rate::build(profile.rate).ok_or_else(|| vec!["sources", "developer_profile", "rate"])?;
            Ok::<_, Vec<&'static str>>(DeveloperProfile { base_url, rate })
        });
        let social_profile = raw.social_profile.map(|profile| {
            let base_url = profile.base_url.parse().map_err(|_| vec!["sources", "social_profile", "base_url"])?;
            let rate = Rate::build(profile.rate).ok_or_else(|| vec!["sources", "social_profile", "rate"])?;
            Ok::<_, Vec<&'static str>>(SocialProfile { base_url, rate })
        });
        let (company_site, developer_profile) = (company_site.transpose()?, developer_profile.transpose()?);
        Ok(Self { company_site, developer_profile, social_profile: social_profile.transpose()? })
    }
}

impl Rate {
    pub(super) fn build(raw: Option<raw::source::Rate>) -> Option<Self> {
        let Some(raw) = raw else { return Some(Self::default()) };
        let documented_limit = raw.documented_limit.map(|url| url.parse()).transpose().ok()?;
        Some(Self { requests_per_second: raw.requests_per_second, documented_limit })
    }
}
