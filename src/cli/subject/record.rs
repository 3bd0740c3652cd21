//! `subject restrict`, `object`, `withdraw`, `recipients`: events that count from the moment they are recorded.
//!
//! Invariant: the event is in the ledger first, so the gate refuses from then on, also in a run that is under way; then
//! the person is taken out of the tables that people read.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::super::exit::Usage;
use super::{AtHome, Who};
use crate::consent::event::{EventKind, LegalEvent};
use crate::consent::gate::Clock;
use crate::model::SubjectId;
use crate::rights::erase;
use crate::rights::office::{Office, TakenOut};
use crate::rights::refresh::refresh;
use crate::sink::Table;

#[derive(Debug, Args)]
pub(super) struct RestrictArgs {
    #[command(flatten)]
    who: Who,
    /// End the restriction; tell the person before (Art. 18(3))
    #[arg(long)]
    lift: bool,
}

#[derive(Debug, Args)]
pub(super) struct ObjectArgs {
    #[command(flatten)]
    who: Who,
    /// Purposes that the objection names; none = direct marketing, which is absolute and covers everything
    #[arg(long = "purpose", value_name = "PURPOSE")]
    purposes: Vec<String>,
    /// The controller has decided an objection that names purposes: upheld = it stands, rejected = it ends
    #[arg(long, value_enum)]
    decided: Option<Decided>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Decided {
    /// It stands
    Upheld,
    /// It ends, for compelling grounds of the controller
    Rejected,
}

#[derive(Debug, Args)]
pub(super) struct WithdrawArgs {
    #[command(flatten)]
    who: Who,
    /// Purposes whose consent is withdrawn; none = all
    #[arg(long = "purpose", value_name = "PURPOSE")]
    purposes: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct RecipientsArgs {
    #[command(flatten)]
    who: Who,
}

pub(super) fn restrict(args: &RestrictArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let mut office = args.who.home.office(wall)?;
    let subject = office.find(&args.who.subject)?;
    if args.lift {
        // Without purposes it ends restrictions only: a pending objection stays pending.
        office.record(office.event(&subject, EventKind::Lift, "lift"))?;
        if office.is_restricted(&subject) {
            // Of a restriction that is dated by day nobody knows at which hour it was said.
            office.log.publish()?;
            let lines = [
                "recorded, and still restricted: a restriction dated by day counts to the end of that day".to_owned(),
                "next: repeat this tomorrow; the sealed copy stays".to_owned(),
            ];
            let told = json!({ "subject_id": subject, "right": "lift", "restricted": true });
            args.who.home.print(&told, &lines)?;
            return Ok(ExitCode::from(2));
        }
        office.store.release(&office.vault, [office.key(&subject)])?;
        office.log_store()?;
        office.log.publish()?;
        let lines = [
            "lifted: the gate decides by the other events again".to_owned(),
            "next: the next run writes the person again, if a basis is left".to_owned(),
        ];
        args.who.home.print(&json!({ "subject_id": subject, "right": "lift" }), &lines)?;
        return Ok(ExitCode::SUCCESS);
    }
    let event = office.event(&subject, EventKind::Restrict, "restrict");
    office.record(event)?;
    // Here already: a run that goes on may take the rows out of a snapshot that goes with it.
    office.seal_restricted([&subject])?;
    finish(&office, &args.who.home, &subject, "restrict", "restricted: only storing is left")
}

pub(super) fn object(args: &ObjectArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let mut office = args.who.home.office(wall)?;
    let subject = office.find(&args.who.subject)?;
    office.check_purposes(&args.purposes)?;
    if args.decided.is_some() && args.purposes.is_empty() {
        let text = "name the purposes of the objection that was decided with --purpose; without one, an objection is \
                    against marketing and absolute, and there is nothing to decide";
        return Err(Usage(text.to_owned()).into());
    }
    if args.decided == Some(Decided::Rejected) {
        // With purposes it decides objections only: a restriction stays.
        let event = with_purposes(office.event(&subject, EventKind::Lift, "objection_rejected"), &args.purposes);
        office.record(event)?;
        office.log.publish()?;
        let line = "rejected: the pending objection ends; one against marketing would stand all the same".to_owned();
        args.who.home.print(&json!({ "subject_id": subject, "right": "objection_rejected" }), &[line])?;
        return Ok(ExitCode::SUCCESS);
    }
    let field = if args.decided.is_some() { "objection_upheld" } else { "object" };
    let event = with_purposes(office.event(&subject, EventKind::Object, field), &args.purposes);
    office.record(event)?;
    let what = if args.purposes.is_empty() { String::new() } else { format!(" {}", args.purposes.join(", ")) };
    finish(&office, &args.who.home, &subject, "object", &format!("recorded: the gate refuses{what} from now on"))
}

pub(super) fn withdraw(args: &WithdrawArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let mut office = args.who.home.office(wall)?;
    let subject = office.find(&args.who.subject)?;
    office.check_purposes(&args.purposes)?;
    let event = with_purposes(office.event(&subject, EventKind::Withdraw, "withdraw"), &args.purposes);
    office.record(event)?;
    finish(&office, &args.who.home, &subject, "withdraw", "recorded: only a new consent of the person helps")
}

fn with_purposes(mut event: LegalEvent, purposes: &[String]) -> LegalEvent {
    event.scope.purposes = purposes.iter().cloned().collect();
    event
}

/// Takes the person out of the tables, if the gate refuses to emit them now, and tells what was done.
fn finish(
    office: &Office,
    at: &AtHome,
    subject: &SubjectId,
    right: &'static str,
    first: &str,
) -> anyhow::Result<ExitCode> {
    let mut lines = vec![first.to_owned()];
    let taken = refresh(office, std::slice::from_ref(subject), right)?;
    let (rows, waits) = match &taken {
        TakenOut::Rewritten(changed) => {
            let of = |table| changed.iter().map(|(_, done)| done.removed(table)).sum::<u64>();
            let rows = of(Table::Personas) + of(Table::Evidence);
            let snapshots = changed.iter().filter(|(_, done)| !done.is_empty()).count();
            lines.push(format!("taken out of {snapshots} snapshot(s), {rows} row(s); what was decided stays as proof"));
            (rows, false)
        }
        TakenOut::RunGoesOn => {
            lines.push(
                "a run goes on: it leaves the person out when it publishes, and takes them out of older snapshots then"
                    .to_owned(),
            );
            (0, true)
        }
    };
    office.log.publish()?;
    let json = json!({ "subject_id": subject, "right": right, "rows_taken_out": rows, "waits_for_run": waits });
    at.print(&json, &lines)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn recipients(args: &RecipientsArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let office = args.who.home.office(wall)?;
    let subject = office.find(&args.who.subject)?;
    office.log_right(&subject, "recipients")?;
    let all = erase::recipients(&office, &subject)?;
    let lines = if all.is_empty() { vec!["nobody: no persona was ever emitted".to_owned()] } else { all.clone() };
    args.who.home.print(&json!({ "subject_id": subject, "recipients": all }), &lines)?;
    Ok(ExitCode::SUCCESS)
}
