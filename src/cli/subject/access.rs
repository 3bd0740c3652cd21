//! `subject access` and `subject export`: what a person may have, as files.
//!
//! Invariant: handing out is logged before anything is written; files are for the owner only.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::super::exit::Usage;
use super::Who;
use crate::consent::gate::Clock;
use crate::crm::{self, CsvSource, FileSet};
use crate::model::SubjectId;
use crate::rights::access::{self, ControllerFacts, CrmField, Sources};
use crate::rights::office::Office;
use crate::rights::portability::portable;
use crate::taxonomy::Language;

#[derive(Debug, Args)]
pub(super) struct AccessArgs {
    #[command(flatten)]
    who: Who,
    /// The folder for access.json and access.html [default: access-SUBJECT]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Language of the texts [default: that of the CRM row, else both]
    #[arg(long, value_enum)]
    lang: Option<Lang>,
    /// A contact export of the CRM, to add what it holds now
    #[arg(long, value_name = "FILE")]
    contacts: Option<PathBuf>,
    /// Postal address of the controller, and how to reach it
    #[arg(long, value_name = "TEXT")]
    controller_address: Option<String>,
    /// How to reach the data protection officer
    #[arg(long, value_name = "TEXT")]
    dpo: Option<String>,
    /// The supervisory authority
    #[arg(long, value_name = "TEXT")]
    authority: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Lang {
    De,
    En,
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    who: Who,
    /// The file [default: export-SUBJECT.json]
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// A contact export of the CRM, to add what the person gave there
    #[arg(long, value_name = "FILE")]
    contacts: Option<PathBuf>,
}

pub(super) fn access(args: &AccessArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let office = args.who.home.office(wall)?;
    let subject = office.find(&args.who.subject)?;
    let crm = args.contacts.as_deref().map(|file| crm_row(&office, &subject, file)).transpose()?;
    office.log_right(&subject, "access")?;
    let key = office.key(&subject);
    let decisions = access::decisions(&office.reader()?, key)?;
    let rectified = office.store.rectifications(key)?;
    let restricted = office.store.restricted(key)?;
    let facts = ControllerFacts {
        address: args.controller_address.clone(),
        data_protection: args.dpo.clone(),
        authority: args.authority.clone(),
    };
    let asked = args.lang.map(|lang| if lang == Lang::De { Language::German } else { Language::English });
    let own = crm.as_ref().and_then(|(_, language)| *language);
    let bundle = access::gather(&Sources {
        home: &office.home,
        subject: &subject,
        ledger: office.ledger.view(),
        decisions: &decisions,
        restricted: restricted.as_deref(),
        key,
        rectified: &rectified,
        crm: crm.as_ref().map(|(fields, _)| fields.as_slice()),
        facts: &facts,
        languages: &access::languages(asked, own),
        now: office.now(),
    })?;
    let folder = args.to.clone().unwrap_or_else(|| PathBuf::from(format!("access-{subject}")));
    let (json_file, page) = (folder.join("access.json"), folder.join("access.html"));
    crate::run::files::private_dir(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    write(&json_file, &bundle.to_json())?;
    write(&page, &access::html(&bundle))?;
    let lines = [format!("{}\n{}", json_file.display(), page.display())];
    args.who.home.print(&json!({ "subject_id": subject, "files": [json_file, page] }), &lines)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn export(args: &ExportArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let office = args.who.home.office(wall)?;
    let subject = office.find(&args.who.subject)?;
    let crm = args.contacts.as_deref().map(|file| crm_row(&office, &subject, file)).transpose()?;
    office.log_right(&subject, "export")?;
    let rectified = office.store.rectifications(office.key(&subject))?;
    let fields = crm.map(|(fields, _)| fields).unwrap_or_default();
    let export = portable(office.home.controller(), &subject, office.ledger.view(), &rectified, &fields, office.now());
    let path = args.to.clone().unwrap_or_else(|| PathBuf::from(format!("export-{subject}.json")));
    write(&path, &export.to_json())?;
    office.log.publish()?;
    args.who.home.print(&json!({ "subject_id": subject, "file": path }), &[path.display().to_string()])?;
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    crate::run::files::write_atomically(path, text.as_bytes())
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// What a contact export says about the person, and in which language to write to them.
fn crm_row(office: &Office, subject: &SubjectId, file: &Path) -> anyhow::Result<(Vec<CrmField>, Option<Language>)> {
    let set = FileSet { path: file.display().to_string(), ..FileSet::default() };
    let source = CsvSource { name: String::new(), contacts: set, ..CsvSource::default() };
    let pulled = crm::pull(&source, Path::new("")).map_err(|e| Usage(e.to_string()))?;
    let ids = office.home.ids();
    let is_person = |record: &str| office.home.crms().iter().any(|crm| ids.subject(crm, record) == *subject);
    let row = pulled.contacts.iter().find(|c| is_person(&c.record_id));
    let row = row.ok_or_else(|| Usage(format!("{} has no row of that person", file.display())))?;
    Ok((access::crm_fields(row), row.language))
}
