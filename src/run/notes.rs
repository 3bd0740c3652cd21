//! Notes of the CRM: whose they are, and what is no note.
//!
//! Invariant: every row of the files becomes a note of one company, a dead letter, or a number: notes of erased people
//! and those that are later than the run's clock leave nothing else. Nothing of a text is read here.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::consent::import::NO_OF_NOBODY;
use crate::consent::suppression::Identifiers;
use crate::crm::{CrmDeadLetter, CrmNote, Employer, NoteFiles, Origin, SLACK, is_no_in_text};
use crate::model::{AccountId, DeadLetter, SubjectId};
use crate::run::context::Context;
use crate::run::crowd::Rest;
use crate::run::engine::RunError;
use crate::run::load::{Group, Loaded, Note, dead_letter};
use crate::run::spool::Spool;
use crate::run::summary::Counts;
use crate::sink::SnapshotWriter;

/// How many dead letters are written at once.
const BATCH: usize = 1024;

/// Notes that are still in the CRM's files, and by what erased people are known.
#[derive(Debug)]
pub struct Unread {
    /// The files.
    pub files: NoteFiles,
    /// Hashes record ids.
    pub identifiers: Arc<Identifiers>,
    /// Record ids of the export that belong to erased people.
    pub suppressed: HashSet<String>,
    /// Record ids of contacts whom the CRM has deleted or merged.
    pub gone: HashSet<String>,
    /// Of merged records, the one that each lives on in.
    pub merged: BTreeMap<String, String>,
    /// The same of companies.
    pub merged_accounts: BTreeMap<String, String>,
}

/// Who takes notes and dead letters.
pub(super) trait Take {
    fn note(&mut self, account: Option<&AccountId>, note: Note) -> Result<(), RunError>;
    fn letter(&mut self, letter: DeadLetter) -> Result<(), RunError>;
}

/// Takes them to disk: notes by company, dead letters into their table.
struct ToDisk<'a> {
    spool: Spool,
    writer: &'a mut SnapshotWriter,
    letters: Vec<DeadLetter>,
}

impl Take for ToDisk<'_> {
    fn note(&mut self, account: Option<&AccountId>, note: Note) -> Result<(), RunError> {
        Ok(self.spool.put(account, note)?)
    }

    fn letter(&mut self, letter: DeadLetter) -> Result<(), RunError> {
        self.letters.push(letter);
        if self.letters.len() >= BATCH { self.flush() } else { Ok(()) }
    }
}

impl ToDisk<'_> {
    fn flush(&mut self) -> Result<(), RunError> {
        self.writer.dead_letters(&self.letters)?;
        self.letters.clear();
        Ok(())
    }
}

/// Takes nothing: a dry run only asks whether there are any.
struct Nowhere;

impl Take for Nowhere {
    fn note(&mut self, _: Option<&AccountId>, _: Note) -> Result<(), RunError> {
        Ok(())
    }

    fn letter(&mut self, _: DeadLetter) -> Result<(), RunError> {
        Ok(())
    }
}

/// Sorts all notes into a spool, by company; `None` where there are no files.
pub(super) fn sort_in(
    context: &Context,
    loaded: &mut Loaded,
    home: &std::path::Path,
    writer: &mut SnapshotWriter,
    counts: &mut Counts,
) -> Result<Option<Spool>, RunError> {
    if loaded.notes.as_ref().is_none_or(|unread| unread.files.is_empty()) {
        loaded.rest.iter_mut().for_each(|rest| rest.parts.forget_places());
        return Ok(None);
    }
    let alone = loaded.rest.as_ref().map_or(1, |rest| rest.ranges.alone);
    let mut disk = ToDisk { spool: Spool::create(home, &context.run, alone)?, writer, letters: Vec::new() };
    walk(context, loaded, &mut disk, counts)?;
    disk.flush()?;
    disk.spool.finish()?;
    Ok(Some(disk.spool))
}

/// Looks at all notes without keeping any, so that a dry run asks what a run would ask.
pub(super) fn look_at(context: &Context, loaded: &mut Loaded, counts: &mut Counts) -> Result<(), RunError> {
    walk(context, loaded, &mut Nowhere, counts)
}

fn walk(context: &Context, loaded: &mut Loaded, take: &mut dyn Take, counts: &mut Counts) -> Result<(), RunError> {
    let Some(unread) = loaded.notes.take() else { return Ok(()) };
    let mut newest: HashMap<Option<AccountId>, Timestamp> = HashMap::new();
    {
        let owners = Owners::of(context, loaded, &unread);
        let rows = unread.files.read(|item| -> Result<(), RunError> {
            context.go_on()?;
            match owners.settle(item) {
                Settled::Note { account, note } => {
                    let at = context.written_at(&note);
                    let newest = newest.entry(account.cloned()).or_insert(at);
                    *newest = at.max(*newest);
                    take.note(account, note)?;
                }
                Settled::Letter(letter) => {
                    counts.dead_letters += 1;
                    take.letter(letter)?;
                }
                Settled::LeftOut => counts.notes.left_out += 1,
            }
            Ok(())
        })?;
        counts.notes.rows = rows.all;
        counts.notes.left_out += rows.empty;
        counts.crm_rows += rows.all;
        counts.cursors.extend(rows.cursor.map(|at| ("notes".to_owned(), at)));
    }
    for group in &mut loaded.groups {
        group.noted_at = newest.get(&group.account.id).copied();
    }
    if let Some(rest) = &mut loaded.rest {
        rest.noted = newest;
        // Of a million records this is as much as their keys.
        rest.parts.forget_places();
    }
    Ok(())
}

/// Behind a clock that stands still, what is later by more than this is a mistake all the same.
const A_YEAR: SignedDuration = SignedDuration::from_hours(366 * 24);

/// What becomes of a row.
enum Settled<'a> {
    Note { account: Option<&'a AccountId>, note: Note },
    Letter(DeadLetter),
    LeftOut,
}

/// A contact of the exports, with the company, if there is one.
struct KnownContact<'a>(Option<&'a AccountId>);

/// Whose notes are whose.
struct Owners<'a> {
    context: &'a Context,
    unread: &'a Unread,
    contacts: HashMap<&'a str, Option<&'a AccountId>>,
    companies: HashMap<&'a str, &'a AccountId>,
    /// Those who are not held in memory.
    rest: Option<&'a Rest>,
    /// A limit cut contacts off: who is not known may be one of them.
    cut_off: bool,
}

impl<'a> Owners<'a> {
    fn of(context: &'a Context, loaded: &'a Loaded, unread: &'a Unread) -> Self {
        let members = || loaded.groups.iter().flat_map(|g| &g.members).map(|m| &m.subject);
        let company = |g: &'a Group| Some((g.account.crm_record.as_str(), g.account.id.as_ref()?));
        Self {
            context,
            unread,
            contacts: members().map(|s| (s.crm_record.as_str(), s.account.as_ref())).collect(),
            companies: loaded.groups.iter().filter_map(company).collect(),
            rest: loaded.rest.as_ref(),
            cut_off: loaded.subjects() < loaded.contacts,
        }
    }

    /// Where a contact works, by its record id; `None` = nobody knows the contact.
    fn contact(&self, record: &str) -> Option<KnownContact<'a>> {
        let Some(rest) = self.rest else { return self.contacts.get(record).map(|account| KnownContact(*account)) };
        let known = !self.unread.gone.contains(record) && !self.unread.suppressed.contains(record);
        let employer = rest.parts.employer_of(record).filter(|_| known)?;
        Some(KnownContact(match employer {
            Employer::Nobody => None,
            Employer::Company(number) => rest.accounts.get(number),
        }))
    }

    /// A company, by its record id.
    fn company(&self, record: &str) -> Option<&'a AccountId> {
        match self.rest {
            Some(rest) => rest.accounts.get(rest.parts.company(record)?),
            None => self.companies.get(record).copied(),
        }
    }

    fn settle(&self, item: Result<CrmNote, Box<CrmDeadLetter>>) -> Settled<'a> {
        let note = match item {
            Ok(note) => note,
            Err(letter) if letter.record_id.as_deref().is_some_and(|r| self.is_erased(r)) => return Settled::LeftOut,
            Err(letter) => {
                return Settled::Letter(dead_letter(&self.context.plan.crm().name, &letter, &self.context.ids));
            }
        };
        let (account, subject) = match self.owner(&note) {
            Ok(owner) => owner,
            Err(settled) => return *settled,
        };
        let after = |limit: Timestamp| note.written_at.is_some_and(|at| at.duration_since(limit) > SLACK);
        // A clock that stands still may stand before notes that are no mistake.
        let ahead = if self.context.pinned { A_YEAR } else { SignedDuration::ZERO };
        if after(self.context.gate.now().saturating_add(ahead).unwrap_or(Timestamp::MAX)) {
            let advice = "the date is in the future; correct it";
            return Settled::Letter(self.letter("future_date", "written_at", advice, &note.origin, subject));
        }
        // The run looks at the world as it was then.
        if after(self.context.as_of.0) {
            return Settled::LeftOut;
        }
        let note = Note {
            subject,
            note_id: note.note_id,
            kind: note.kind,
            written_at: note.written_at,
            language: note.language,
            text: note.text,
            origin: note.origin,
        };
        Settled::Note { account, note }
    }

    /// The company of a record, or of the one that it was merged into.
    fn company_of(&self, record: &str) -> Option<&'a AccountId> {
        self.company(self.unread.merged_accounts.get(record).map_or(record, String::as_str))
    }

    /// Company and contact of a note; the contact decides where both are named.
    fn owner(&self, note: &CrmNote) -> Result<(Option<&'a AccountId>, Option<SubjectId>), Box<Settled<'a>>> {
        let (crm, ids) = (&self.context.plan.crm().name, &self.context.ids);
        if let Some(record) = &note.contact_id {
            let record = self.unread.merged.get(record).unwrap_or(record);
            let subject = || Some(ids.subject(crm, record));
            return match self.contact(record) {
                Some(KnownContact(account)) => Ok((account, subject())),
                None if self.cut_off || self.unread.gone.contains(record) || self.is_erased(record) => {
                    Err(Box::new(Settled::LeftOut))
                }
                // An id may be a contact's or a company's.
                None if note.account_record == note.contact_id && self.company_of(record).is_some() => {
                    Ok((self.company_of(record), None))
                }
                None => {
                    let (reason, advice) = if is_no_in_text(note.text.reveal()) {
                        (
                            NO_OF_NOBODY,
                            "the note says no, and no contact of the exports has this id, so it protects nobody yet; correct the id, or \
                         export the contact, and keep the row",
                        )
                    } else {
                        (
                            "unknown_contact",
                            "no contact of the exports has this id; export the contact, or remove the row",
                        )
                    };
                    Err(Box::new(Settled::Letter(self.letter(reason, "contact_id", advice, &note.origin, None))))
                }
            };
        }
        match self.company_of(note.account_record.as_deref().unwrap_or_default()) {
            Some(account) => Ok((Some(account), None)),
            None if self.cut_off => Err(Box::new(Settled::LeftOut)),
            None => {
                let advice =
                    "no company of the exports has this id, or it was deleted; export the company, or remove the row";
                Err(Box::new(Settled::Letter(self.letter("unknown_account", "account_id", advice, &note.origin, None))))
            }
        }
    }

    fn is_erased(&self, record: &str) -> bool {
        let ledger = self.context.gate.ledger();
        let identified = || self.unread.identifiers.record(&self.context.plan.crm().name, record);
        ledger.n_suppressed() > 0 && (self.unread.suppressed.contains(record) || ledger.is_suppressed(&identified()))
    }

    fn letter(
        &self,
        reason: &str,
        field: &str,
        advice: &str,
        origin: &Origin,
        subject_id: Option<SubjectId>,
    ) -> DeadLetter {
        DeadLetter {
            stage: "crm".to_owned(),
            reason: reason.to_owned(),
            detail: format!("{origin}, field {field}: {advice}"),
            row_commitment: self.context.ids.commitment("row", &origin.digest),
            subject_id,
        }
    }
}

/// One note of each id and contact: the newest, of equal dates the last; and which others there were.
pub(super) fn without_doubles(notes: &[Note]) -> (Vec<&Note>, Vec<(&Note, &Note)>) {
    let mut kept: BTreeMap<Key<'_>, &Note> = BTreeMap::new();
    let mut doubles = Vec::new();
    for note in notes {
        let key = match &note.note_id {
            Some(id) => Key::Id(id, note.subject.as_ref()),
            None => Key::Row(&note.origin.digest),
        };
        let Some(other) = kept.insert(key, note) else { continue };
        let (winner, loser) = if note.written_at < other.written_at { (other, note) } else { (note, other) };
        kept.insert(key, winner);
        doubles.push((loser, winner));
    }
    let mut kept: Vec<&Note> = kept.into_values().collect();
    kept.sort_by(|a, b| a.origin.cmp(&b.origin));
    (kept, doubles)
}

/// What makes two rows one note; one note may be on several contacts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    Id(&'a str, Option<&'a SubjectId>),
    Row(&'a [u8; 32]),
}
