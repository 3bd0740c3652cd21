//! Reading the notes of a company about its contacts with leave.
//!
//! Invariant: a note on a contact without leave is not read; a statement becomes a signal only with that contact's own
//! permit, for a role that of the CRM, for a trait or preference that to profile.

use jiff::{SignedDuration, Timestamp};

use crate::consent::permit::Permit;
use crate::crm::SLACK;
use crate::model::{About, DeadLetter, Evidence, PermitId, Signal, Subject, SubjectId};
use crate::persona::unknown_crm_age;
use crate::run::context::{Context, StageTimes};
use crate::run::group::{COMPANY_PURPOSE, Leave, PROFILING_PURPOSE, Work};
use crate::run::keep::signal;
use crate::run::load::Note;
use crate::run::notes::without_doubles;
use crate::source::notes::{Colleagues, NoteReading, Written};
use crate::source::{Found, Permitted, id};
use crate::taxonomy::{SourceClass, Tier};

impl Context {
    /// When a note was written, for the age of what it says: one without a date is as old as a record without one.
    pub(super) fn written_at(&self, note: &Note) -> Timestamp {
        let unknown = self.as_of.0.checked_sub(unknown_crm_age()).unwrap_or(self.as_of.0);
        note.written_at.unwrap_or(unknown).min(self.as_of.0)
    }

    /// Whether the policy holds evidence of that age to be too old for a purpose.
    pub(super) fn is_too_old(&self, purpose: &str, at: Timestamp) -> bool {
        let days = self.gate.policy().file().purposes.get(purpose).and_then(|p| p.evidence_max_age_days);
        has_aged(at, self.as_of.0, self.gate.now(), days)
    }
}

/// Whether evidence is older than so many days, or from after the run's clock: a date in the future is a mistake, and
/// would be young for ever.
fn has_aged(at: Timestamp, as_of: Timestamp, now: Timestamp, days: Option<u32>) -> bool {
    let end = |days| at.checked_add(SignedDuration::from_hours(24 * i64::from(days)));
    at.duration_since(as_of) > SLACK || days.is_some_and(|days| end(days).is_ok_and(|end| end <= now))
}

/// A note that is read, with what its evidence has in common.
struct Source<'n> {
    note: &'n Note,
    written_at: Timestamp,
    hash: String,
}

impl<'a> Work<'a> {
    /// Reads the company's notes.
    pub(super) fn read_notes(&mut self, leaves: &mut [Leave<'a>]) {
        let (context, group) = (self.context, self.group);
        let (notes, doubles) = without_doubles(&group.notes);
        self.rows.dead_letters.extend(doubles.into_iter().map(|(loser, winner)| double(context, loser, winner)));
        if self.tier == Tier::StudyPrior {
            self.rows.notes.not_read += notes.len() as u64;
            return;
        }
        let may_be_read = |l: &Leave<'_>| l.crm.is_some() && l.emit.is_some();
        let permitted: Vec<Permitted<'_>> = leaves
            .iter()
            .filter(|l| may_be_read(l))
            .map(|l| Permitted { subject: &l.member.subject, profiling: l.crm_profiling.is_some() })
            .collect();
        let others: Vec<&Subject> = leaves.iter().filter(|l| !may_be_read(l)).map(|l| &l.member.subject).collect();
        let colleagues = Colleagues::new(&group.account, &permitted, &others);
        for note in notes {
            let on = note.subject.as_ref().map(|id| permitted.iter().find(|p| p.subject.id == *id));
            let written_at = context.written_at(note);
            let without_leave = permitted.is_empty() || matches!(on, Some(None));
            if without_leave || context.is_too_old(context.plan.purpose(), written_at) {
                self.rows.notes.not_read += 1;
                continue;
            }
            let on = on.flatten().map(|p| p.subject);
            let written = Written { text: note.text.reveal(), language: note.language, on };
            let reading = StageTimes::timed(&context.times.read, || colleagues.read(&written));
            self.take_in(Source { note, written_at, hash: hash(context, note) }, reading, leaves);
        }
    }

    /// Turns what a note says into signals.
    fn take_in(&mut self, source: Source<'_>, reading: NoteReading, leaves: &mut [Leave<'a>]) {
        let context = self.context;
        let counts = &mut self.rows.notes;
        counts.read += 1;
        counts.dropped += u64::from(reading.dropped);
        for found in reading.found {
            let About::Subject(subject, _) = &found.about else { continue };
            let Some(leave) = leaves.iter_mut().find(|l| l.member.subject.id == *subject) else { continue };
            let profiles = found.claim.is_profile();
            let permit = if profiles { &leave.crm_profiling } else { &leave.crm };
            // The age of this note was not what the gate was asked about.
            let too_old = profiles && context.is_too_old(PROFILING_PURPOSE, source.written_at);
            let Some(permit) = permit.as_ref().map(Permit::id).filter(|_| !too_old) else {
                counts.dropped += 1;
                continue;
            };
            let evidence = evidence(&source, &found, permit.clone());
            counts.statements += 1;
            leave.signals.push(of_note(signal(context, found, evidence), source.note));
        }
        let too_old = context.is_too_old(COMPANY_PURPOSE, source.written_at);
        // What a note on a person says of the company would be left, with its words, when that person is erased.
        let of_person = source.note.subject.is_some();
        let permit = self.company_notes.as_ref().map(Permit::id).filter(|_| !too_old && !of_person);
        for found in reading.company {
            let Some(permit) = permit else {
                counts.dropped += 1;
                continue;
            };
            let evidence = evidence(&source, &found, permit.clone());
            counts.statements += 1;
            self.company.push(of_note(signal(context, found, evidence), source.note));
        }
        if reading.withheld > 0 {
            self.rows.dead_letters.push(DeadLetter {
                stage: "read".to_owned(),
                reason: "not_read".to_owned(),
                detail: "a note: not read in part, because of the guard for sensitive data; nothing to do".to_owned(),
                row_commitment: withheld(context, source.note),
                // Not whose: that something was withheld would tell what it was.
                subject_id: None,
            });
        }
    }
}

fn evidence(source: &Source<'_>, found: &Found, permit: PermitId) -> Evidence {
    Evidence {
        source_id: id::CRM.to_owned(),
        source_class: SourceClass::Crm,
        host: None,
        document: None,
        content_hash: source.hash.clone(),
        observed_at: source.written_at,
        quote: found.quote.clone(),
        locator: found.locator.clone(),
        extractor: found.extractor.clone(),
        permit,
    }
}

/// Tells where a statement stands with the CRM's id of the note, so that whoever doubts it can read the note there. The id of the
/// signal rests on the words alone: the same ones in two notes are one statement.
fn of_note(mut signal: Signal, note: &Note) -> Signal {
    if let Some(id) = note.note_id.as_deref().filter(|id| is_plain(id)) {
        signal.evidence.locator = format!("{} of {id}", signal.evidence.locator);
    }
    signal
}

/// Whether an id is none that may be words, which may name somebody.
fn is_plain(id: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '{' | '}');
    id.len() <= 64 && id.chars().all(is_plain) && id.contains(|c: char| c.is_ascii_digit())
}

/// Of what a note says: the same note on two contacts is one document.
fn hash(context: &Context, note: &Note) -> String {
    context.ids.commitment("crm-note", note.text.reveal().as_bytes())
}

/// What ties a letter to the person whom a note is on, so that it goes with them; else to the row.
fn withheld(context: &Context, note: &Note) -> String {
    let on = note.subject.as_ref().map(|subject| subject.as_str().as_bytes());
    context.ids.commitment("withheld", on.unwrap_or(&note.origin.digest))
}

fn double(context: &Context, loser: &Note, winner: &Note) -> DeadLetter {
    let subject_id: Option<SubjectId> = loser.subject.clone();
    DeadLetter {
        stage: "crm".to_owned(),
        reason: "duplicate".to_owned(),
        detail: format!("{}: another row of this note was taken ({}); export it once", loser.origin, winner.origin),
        row_commitment: context.ids.commitment("row", &loser.origin.digest),
        subject_id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_notes_name_nobody() {
        for (id, plain) in [("N-22", true), ("00T5g00000ABCdeEAF", true), ("{8F2C-11}", true), ("Gespräch 3", false)] {
            assert_eq!(is_plain(id), plain, "{id}");
        }
        assert!(!is_plain("Berger") && !is_plain(&"1".repeat(65)));
    }

    #[test]
    fn what_is_old_has_aged_and_so_has_what_is_to_come() {
        let day = |day: &str| format!("{day}T03:00:00Z").parse::<Timestamp>().expect("an instant");
        let clock = day("2026-03-02");
        for (at, days, aged) in [
            ("2026-02-01", None, false),
            ("2026-02-01", Some(30), false),
            ("2026-01-31", Some(30), true),
            ("2026-03-03", Some(30), false),
            ("2026-03-04", Some(30), true),
            ("2099-01-01", None, true),
        ] {
            assert_eq!(has_aged(day(at), clock, clock, days), aged, "{at} {days:?}");
        }
    }
}
