//! `subject rectify`: a value is put right, now and for good.
//!
//! Invariant: the rectification is sealed under the person's key before the tables change; everything that depends on
//! the value is computed anew.

use std::collections::HashMap;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::super::exit::Usage;
use super::Who;
use crate::consent::event::EventKind;
use crate::consent::gate::Clock;
use crate::persona::fuse::fuse;
use crate::persona::rectified::By;
use crate::rights::office::OfficeError;
use crate::rights::rectify;
use crate::run::kept;
use crate::run::known::{FusionSettings, Known};
use crate::sink::{self, Change, HomeLock, Note, Rewritten, Select, SinkError, Snapshot};

#[derive(Debug, Args)]
#[command(after_help = "Facets: job_function, seniority, signing_power, buying_role.ROLE yes|no, trait.TRAIT POLE, \
motive.MOTIVE yes|no, channel.PHASE CHANNEL, goal. Any facet can be `remove`d, and an earlier rectification \
`release`d. For instance: prosopon subject rectify K-2001 job_function procurement")]
pub(super) struct RectifyArgs {
    #[command(flatten)]
    who: Who,
    /// What is to be put right, for instance seniority
    facet: String,
    /// What is right, for instance head, yes, remove
    value: String,
    /// Who asked
    #[arg(long, value_enum, default_value_t = Asked::Subject)]
    by: Asked,
    /// Why, for the file
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// What proves it, for instance "letter of 2026-03-01"
    #[arg(long, value_name = "TEXT")]
    proof: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Asked {
    /// The person
    Subject,
    /// The controller
    Controller,
}

pub(super) fn execute(args: &RectifyArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let correction = rectify::parse(&args.facet, &args.value).map_err(|e| Usage(e.to_string()))?;
    let mut office = args.who.home.office(wall)?;
    let subject = office.find(&args.who.subject)?;
    let by = if args.by == Asked::Subject { By::Subject } else { By::Controller };
    let (reason, proof) = (args.reason.as_deref(), args.proof.as_deref());
    let new = rectify::rectification(correction, reason, proof, by, office.now()).map_err(|e| Usage(e.to_string()))?;
    let event = office.event(&subject, EventKind::Rectify, "rectify");
    office.log_right(&subject, "rectify")?;
    let all = office.store.rectify(&office.vault, office.key(&subject), new)?;
    office.record(event)?;
    let _lock = HomeLock::acquire(office.home.path()).map_err(OfficeError::from)?;
    // What is kept of pages may hold the wrong value still.
    kept::forget(office.home.path(), [office.key(&subject)]).map_err(OfficeError::from)?;
    let note = Note { at: office.now(), reason: "rectification" };
    let change = |snapshot: &Snapshot| -> Result<Change, SinkError> {
        let Some(before) = sink::read_personas(snapshot, &Select::Subject(subject.clone()))?.pop() else {
            return Ok(Change::default());
        };
        let manifest = snapshot.manifest()?;
        let Ok(settings) = serde_json::from_value::<FusionSettings>(manifest["fusion"].clone()) else {
            return Err(SinkError::Current { path: snapshot.folder().join("manifest.json") });
        };
        let mut known = Known::read(snapshot, &before)?;
        known.put_right(&before, all.clone(), office.home.ids());
        let persona = fuse(&known.input(&before, &settings));
        Ok(Change {
            evidence: HashMap::from([(subject.clone(), known.own_signals(&subject))]),
            personas: HashMap::from([(subject.clone(), persona)]),
            ..Change::default()
        })
    };
    let tell = |snapshot: &Snapshot, done: &Rewritten| office.log_rewritten(snapshot, done, "rectification");
    let changed = sink::rewrite_each(office.home.path(), note, change, tell)?;
    office.log.publish()?;
    let snapshots = changed.iter().filter(|(_, done)| !done.is_empty()).count();
    let lines = [
        format!("put right: {} in {snapshots} snapshot(s), with everything that depends on it", args.facet),
        "it stays right in every later run; `release` as the value ends that".to_owned(),
    ];
    let json = json!({ "subject_id": subject, "right": "rectify", "facet": args.facet, "snapshots": snapshots });
    args.who.home.print(&json, &lines)?;
    Ok(ExitCode::SUCCESS)
}
