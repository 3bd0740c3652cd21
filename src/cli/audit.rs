//! `prosopon audit ...` and the other questions of a data protection officer.
//!
//! Invariant: exit code 0 = nothing found, 1 = something was found, 2 = it could not be checked. Only reads; prints
//! ids, tags, counts and times, never a name.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use jiff::{SignedDuration, ToSpan};
use serde::Serialize;

use super::HomeArg;
use super::audit_verify::{self, CosignArgs, VerifyArgs};
use super::book::Opened;
use super::duties::{self, HistoryArgs, RecordNoticeArgs, SweepArgs};
use super::exit::{self, Usage};
use super::report::{self, Tell};
use crate::audit::report::{
    assessments, coverage, denials, latency, notices, retention, ropa, sources, special_category, violations, why,
};
use crate::audit::source::Book;
use crate::consent::gate::Clock;
use crate::sink;

/// Something was found.
const FOUND: u8 = 1;
/// It could not be checked, whatever the reason.
const NOT_CHECKED: u8 = 2;

/// The commands, mounted side by side.
#[derive(Debug, Subcommand)]
pub(super) enum OfficerCommand {
    /// Answer a data protection officer's questions from log, ledger and tables
    Audit(AuditArgs),
    /// Tell under which terms sources are registered, and what was fetched from each
    Source(SourceArgs),
    /// Make the record of processing (Art. 30) from what was executed
    Ropa(RopaArgs),
    /// List LIA and DPIA with approver, expiry and what rests on them
    Assessments(PlainArgs),
    /// Look for what is kept beyond its time, and destroy it
    Retention(RetentionArgs),
    /// Tell who awaits an Art. 14 notice, and record that people were told
    Notice(NoticeArgs),
}

#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, Subcommand)]
enum Question {
    /// Which basis covered a row, or why somebody has none
    Why(WhyArgs),
    /// Rows without permit, basis or log entry, and permits without row
    Coverage(PlainArgs),
    /// What was refused, and why
    Denials(DenialsArgs),
    /// Delay from a withdrawal, objection or erasure to the last processing
    Latency(LatencyArgs),
    /// Anything that was done against an objection, the ledger or the policy
    Violations(PlainArgs),
    /// Whether the log is intact, and log, ledger and tables say the same
    Verify(VerifyArgs),
    /// Cosign the log's checkpoint with a witness key of your own
    Cosign(CosignArgs),
    /// Texts that could reveal data of Art. 9 or 10
    SpecialCategory(PlainArgs),
}

#[derive(Debug, Args)]
pub(super) struct PlainArgs {
    #[command(flatten)]
    home: HomeArg,
    /// One JSON object instead of lines for people
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct WhyArgs {
    /// A subject id or CRM record, or the id of a signal, document, decision or permit
    row: String,
    #[command(flatten)]
    plain: PlainArgs,
}

#[derive(Debug, Args)]
struct DenialsArgs {
    /// By what refusals are counted
    #[arg(long, value_enum, default_value_t = ByArg::Reason)]
    by: ByArg,
    #[command(flatten)]
    plain: PlainArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ByArg {
    Reason,
    Purpose,
    Source,
    Stage,
    Month,
}

#[derive(Debug, Args)]
struct LatencyArgs {
    /// List what took longer than so many hours
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    over: u32,
    #[command(flatten)]
    plain: PlainArgs,
}

#[derive(Debug, Args)]
pub(super) struct SourceArgs {
    #[command(subcommand)]
    question: SourceQuestion,
}

#[derive(Debug, Subcommand)]
enum SourceQuestion {
    /// Every registered source
    Report(PlainArgs),
}

#[derive(Debug, Args)]
pub(super) struct RopaArgs {
    #[command(flatten)]
    plain: PlainArgs,
}

#[derive(Debug, Args)]
pub(super) struct RetentionArgs {
    #[command(subcommand)]
    question: RetentionQuestion,
}

#[derive(Debug, Subcommand)]
enum RetentionQuestion {
    /// Destroy what is kept beyond its time
    Sweep(SweepArgs),
    /// Rows, and what is kept of pages, past their retention
    Overdue(PlainArgs),
}

#[derive(Debug, Args)]
pub(super) struct NoticeArgs {
    #[command(subcommand)]
    question: NoticeQuestion,
}

#[derive(Debug, Subcommand)]
enum NoticeQuestion {
    /// Record that people were told
    Record(RecordNoticeArgs),
    /// What a person was told, and when the clock began
    History(HistoryArgs),
    /// Who awaits a notice until when, overdue first
    Due(DueArgs),
}

#[derive(Debug, Args)]
struct DueArgs {
    /// Only those that are due within so many days
    #[arg(long, value_name = "DAYS")]
    within: Option<u32>,
    #[command(flatten)]
    plain: PlainArgs,
}

pub(super) fn execute(command: &OfficerCommand, wall: &Clock) -> anyhow::Result<ExitCode> {
    match command {
        OfficerCommand::Audit(AuditArgs { question: Question::Verify(args) }) => {
            return audit_verify::verify(args, wall);
        }
        OfficerCommand::Audit(AuditArgs { question: Question::Cosign(args) }) => {
            return audit_verify::cosign(args, wall);
        }
        OfficerCommand::Notice(NoticeArgs { question: NoticeQuestion::Record(args) }) => {
            return duties::record_notice(args, wall);
        }
        OfficerCommand::Notice(NoticeArgs { question: NoticeQuestion::History(args) }) => {
            return duties::notice_history(args, wall);
        }
        OfficerCommand::Retention(RetentionArgs { question: RetentionQuestion::Sweep(args) }) => {
            return duties::sweep(args, wall);
        }
        _ => {}
    }
    let Some(plain) = plain_of(command) else { return Ok(ExitCode::SUCCESS) };
    let opened = Opened::open(&plain.home, wall);
    match opened.and_then(|opened| opened.with(|book| answer(command, plain, book))) {
        Err(error) if !exit::is_broken_pipe(&error) => {
            exit::report(&error, plain.json);
            Ok(ExitCode::from(NOT_CHECKED))
        }
        answered => answered,
    }
}

fn plain_of(command: &OfficerCommand) -> Option<&PlainArgs> {
    Some(match command {
        OfficerCommand::Audit(args) => match &args.question {
            Question::Why(args) => &args.plain,
            Question::Denials(args) => &args.plain,
            Question::Latency(args) => &args.plain,
            Question::Verify(_) | Question::Cosign(_) => return None,
            Question::Coverage(plain) | Question::Violations(plain) | Question::SpecialCategory(plain) => plain,
        },
        OfficerCommand::Notice(NoticeArgs { question: NoticeQuestion::Record(_) | NoticeQuestion::History(_) })
        | OfficerCommand::Retention(RetentionArgs { question: RetentionQuestion::Sweep(_) }) => return None,
        OfficerCommand::Source(SourceArgs { question: SourceQuestion::Report(plain) })
        | OfficerCommand::Retention(RetentionArgs { question: RetentionQuestion::Overdue(plain) })
        | OfficerCommand::Assessments(plain) => plain,
        OfficerCommand::Ropa(args) => &args.plain,
        OfficerCommand::Notice(NoticeArgs { question: NoticeQuestion::Due(args) }) => &args.plain,
    })
}

fn answer(command: &OfficerCommand, plain: &PlainArgs, book: &Book<'_>) -> anyhow::Result<ExitCode> {
    match command {
        OfficerCommand::Audit(args) => audit(args, plain, book),
        OfficerCommand::Source(_) => print(&sources::sources(book)?, plain),
        OfficerCommand::Ropa(_) => print(&ropa::ropa(book)?, plain),
        OfficerCommand::Assessments(_) => print(&assessments::assessments(book)?, plain),
        OfficerCommand::Retention(_) => print(&retention::overdue(book)?, plain),
        OfficerCommand::Notice(NoticeArgs { question: NoticeQuestion::Due(args) }) => {
            let end = args.within.and_then(|days| book.now.checked_add((i64::from(days) * 24).hours()).ok());
            print(&notices::notices(book, end)?, plain)
        }
        OfficerCommand::Notice(_) => Ok(ExitCode::SUCCESS),
    }
}

fn audit(args: &AuditArgs, plain: &PlainArgs, book: &Book<'_>) -> anyhow::Result<ExitCode> {
    match &args.question {
        Question::Why(args) => {
            let Some(why) = why::why(book, &args.row)? else {
                let text = format!(
                    "{} does not know {}: give a subject id, a CRM record, or the id of a signal, document, \
                     decision or permit{}",
                    book.home.display(),
                    args.row,
                    kept_out(book)
                );
                return Err(Usage(text).into());
            };
            print(&why, plain)
        }
        Question::Coverage(_) => print(&coverage::coverage(book)?, plain),
        Question::Denials(args) => {
            let by = match args.by {
                ByArg::Reason => denials::By::Reason,
                ByArg::Purpose => denials::By::Purpose,
                ByArg::Source => denials::By::Source,
                ByArg::Stage => denials::By::Stage,
                ByArg::Month => denials::By::Month,
            };
            print(&denials::denials(book, by)?, plain)
        }
        Question::Latency(args) => {
            let over = SignedDuration::from_hours(i64::from(args.over));
            print(&latency::latency(book, over)?, plain)
        }
        Question::Violations(_) => print(&violations::violations(book)?, plain),
        Question::Verify(_) | Question::Cosign(_) => Ok(ExitCode::SUCCESS),
        Question::SpecialCategory(_) => print(&special_category::special_category(book)?, plain),
    }
}

fn print<T: Serialize + Tell>(answer: &T, plain: &PlainArgs) -> anyhow::Result<ExitCode> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if plain.json {
        serde_json::to_writer(&mut out, answer)?;
        writeln!(out)?;
    } else {
        answer.tell(&mut report::Page::new(&mut out))?;
    }
    out.flush()?;
    Ok(match (answer.found(), answer.unchecked()) {
        (true, _) => ExitCode::from(FOUND),
        (false, true) => ExitCode::from(NOT_CHECKED),
        (false, false) => ExitCode::SUCCESS,
    })
}

/// Who is left out for what an erased person had leaves nothing behind: the newest snapshots tell how many there are.
fn kept_out(book: &Book<'_>) -> String {
    let count = |name: &str| {
        let counts = sink::pipelines(book.home).into_iter().filter_map(|pipeline| {
            let snapshot = sink::current(book.home, &pipeline).ok()??;
            snapshot.manifest().ok()?["summary"]["counts"][name].as_u64()
        });
        counts.sum::<u64>()
    };
    let (address, name) = (count("suppressed_by_address"), count("suppressed_by_name"));
    if address + name == 0 {
        return String::new();
    }
    format!(
        ". Of a contact that was left out because an erased person had the same address, or the same name at the same \
         company, nothing is kept: the newest runs left out {address} for the address and {name} for the name, under \
         records that no erased person had. If this is somebody else (a successor on a functional mailbox), give the \
         record an address of its own in the CRM"
    )
}
