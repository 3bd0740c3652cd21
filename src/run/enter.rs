//! What the CRM has tonight, on its way into vault, log and ledger.
//!
//! Invariant: everybody has a key before the ledger speaks of them, and is in the ledger before anything is decided. Of many
//! contacts no more than a part is held at once.

mod put_by;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use crate::audit::{AuditLog, Kind, Leaf};
use crate::blocks::Blocks;
use crate::config::{Encryption, Plan};
use crate::consent::event::LegalEvent;
use crate::consent::gate::Clock;
use crate::consent::ledger::{Import, Ledger, Person};
use crate::consent::people::steadily;
use crate::consent::policy::Policy;
use crate::consent::suppression::Identifiers;
use crate::crm::{CrmPull, CsvSource, FileFacts, NoteFiles, Parts, Seen};
use crate::fetch::Cancel;
use crate::ids::Ids;
use crate::keys::{Identifier, Vault};
use crate::model::SubjectId;
use crate::run::carry::{Carry, KeptRows};
use crate::run::crowd::{self, Ranges, Rest, is_real_site, real_addresses};
use crate::run::engine::RunError;
use crate::run::found::{Evening, Read};
use crate::run::home::{Home, note_parts};
use crate::run::legal::{self, Exports};
use crate::run::load::{Loaded, dead_letter};
use crate::run::notes::Unread;
use put_by::{Names, New, RANGES, Said, StoredName, entered, id_of};

/// People, or events and first collections, that are entered at once, about: others wait for as long as that takes.
const TOGETHER: usize = 131_072;

/// Where contacts are entered.
pub(super) struct Desk<'a> {
    /// `None` = nothing is written.
    pub home: Option<&'a mut Home>,
    pub path: &'a Path,
    pub vault: &'a mut Vault,
    pub ledger: &'a mut Ledger,
    /// Open as soon as there is a home to write to.
    pub log: Option<AuditLog>,
    pub plan: &'a Plan,
    pub policy: &'a Policy,
    pub ids: &'a Ids,
    pub limit: Option<usize>,
    /// So many contacts, about, are held in memory at once.
    pub at_once: usize,
    /// The gate's time.
    pub now: Timestamp,
    /// When the home learns of it.
    pub known_at: Timestamp,
    /// Time stands still.
    pub pinned: bool,
    /// What the next night must know of the rows; `None` = nothing.
    pub rows: Option<KeptRows>,
    /// Nothing but what plainly is a no is entered, and who said it.
    pub noes_alone: bool,
    /// How many events the ledger did not know.
    pub new: u64,
    /// Raised when the run is to stop.
    pub cancel: &'a Cancel,
}

impl Desk<'_> {
    /// Opens the log, if anything is to be written, and clears what a killed run left.
    pub fn open(&mut self, wall: &Clock) -> Result<(), RunError> {
        let Some(home) = self.home.as_mut() else { return Ok(()) };
        crowd::clear(self.path)?;
        self.log = Some(home.audit(self.vault, wall)?);
        Ok(())
    }

    /// Whether anybody has asked the run to stop.
    fn go_on(&self) -> Result<(), RunError> {
        if self.cancel.is_cancelled() { Err(RunError::Cancelled) } else { Ok(()) }
    }

    /// Enters all contacts at once.
    pub fn enter(
        &mut self,
        (source, mut pulled): (&CsvSource, CrmPull),
        notes: NoteFiles,
        exports: &[Exports],
    ) -> Result<(Loaded, Vec<FileFacts>), RunError> {
        let files = std::mem::take(&mut pulled.files);
        let identifiers = Arc::new(Identifiers::new(self.vault, self.ids)?);
        self.look_at_rows(source, &identifiers, None)?;
        // They were read before that, too: what is kept must be of the same files.
        let mut kept = self.rows.iter_mut().flat_map(|kept| &mut kept.files);
        kept.try_for_each(FileFacts::hash_again)?;
        let Read { mut loaded, suppressed, gone, merged, merged_accounts } =
            self.evening(&identifiers).read_all(pulled, exports, self.vault);
        if let Some(nobodys) = loaded.nobodys.take().filter(|_| !self.noes_alone) {
            return Err(nobodys.into());
        }
        loaded.notes = Some(Unread { files: notes, identifiers, suppressed, gone, merged, merged_accounts });
        let (seen, named) = (loaded.seen(), named(&mut loaded));
        self.go_on()?;
        if self.log.is_some() {
            self.announce(&loaded.sources)?;
            self.hold(&named)?;
            self.learn(&loaded.events, &seen, self.is_sync(&loaded))?;
            self.conclude()?;
        } else {
            self.ledger.preview(&loaded.events, &seen, self.now);
        }
        // They are entered; of a large CRM this is most of what was read.
        loaded.events = Vec::new();
        Ok((loaded, files))
    }

    /// Enters contacts part by part. `look` is told of addresses and sites that can belong to somebody, and of the files,
    /// before anything is entered.
    pub fn enter_parts(
        &mut self,
        (source, mut ranges): (&CsvSource, Ranges),
        mut notes: NoteFiles,
        mut carry: Option<&mut Carry>,
        look: impl FnOnce(usize, &[FileFacts]) -> Result<(), RunError>,
    ) -> Result<(Loaded, Vec<FileFacts>), RunError> {
        let (mut accounts, mut real) = (Vec::new(), 0);
        let identifiers = Arc::new(Identifiers::new(self.vault, self.ids)?);
        let concerned = self.look_at_rows(source, &identifiers, carry.as_deref_mut())?;
        self.go_on()?;
        if let Some(found) = &concerned {
            ranges = Ranges::for_contacts(found.contacts(), self.at_once);
            notes = notes.only(Arc::clone(found));
        }
        let mut parts = tracing::info_span!("crm").in_scope(|| {
            crowd::sort_in(
                (source, ranges, concerned.as_deref()),
                self.path,
                &self.evening(&identifiers),
                &mut |seen| match seen {
                    Seen::Contact(contact) => real += real_addresses(contact),
                    Seen::Company(account) => {
                        real += usize::from(is_real_site(account));
                        accounts.push(self.ids.account(&source.name, &account.record_id));
                    }
                },
            )
        })?;
        let mut files = std::mem::take(&mut parts.files);
        files.extend(notes.facts.iter().cloned());
        look(real, &files)?;
        let mut new = New::create(self.path, ranges.all())?;
        let (mut all, subjects) = self.read_all(&identifiers, &parts, &mut new, carry)?;
        self.letters(&mut parts, &identifiers, &mut all);
        self.announce(&all.loaded.sources)?;
        self.hold_all(&new.named)?;
        self.learn_all(&new.said)?;
        drop(new);
        self.learn(&[], &[], self.is_sync(&all.loaded))?;
        self.conclude()?;
        let Read { mut loaded, suppressed, gone, merged, .. } = all;
        let (merged_accounts, of_notes) = (parts.merged_accounts.clone(), Arc::clone(&identifiers));
        loaded.notes = Some(Unread { files: notes, identifiers: of_notes, suppressed, gone, merged, merged_accounts });
        let now = self.now;
        loaded.rest = Some(Rest { parts, ranges, subjects, accounts, now, identifiers, noted: HashMap::new() });
        Ok((loaded, files))
    }

    pub(super) fn evening<'e>(&'e self, identifiers: &'e Identifiers) -> Evening<'e> {
        let (crm, view) = (self.plan.crm().name.as_str(), self.ledger.view());
        Evening { crm, ids: self.ids, identifiers, view, now: self.now, limit: self.limit, noes_alone: self.noes_alone }
    }

    /// Reads all parts, and puts by what is new to vault and ledger; tells what there is beside contacts and companies, and how
    /// many contacts.
    fn read_all(
        &mut self,
        identifiers: &Identifiers,
        parts: &Parts,
        new: &mut New,
        mut carry: Option<&mut Carry>,
    ) -> Result<(Read, u64), RunError> {
        let (mut all, mut subjects) = (Read::default(), 0);
        for part in 0..parts.count() {
            self.go_on()?;
            let pulled = parts.load(part)?;
            if let Some(carry) = &mut carry {
                carry.works_on(&crowd::subjects_of(&pulled, &self.plan.crm().name, self.ids));
            }
            let known = self.known(&pulled)?;
            let said = known.iter().map(|(subject, (said, _))| (subject.clone(), Arc::clone(said)));
            let view = self.ledger.view().of(said);
            let evening = Evening { view: &view, ..self.evening(identifiers) };
            let mut read = evening.read(pulled, |what| parts.is_shared(what));
            for (subject, identifiers) in named(&mut read.loaded) {
                let known = known.get(&subject).map(|(_, known)| known);
                if known.is_none_or(|known| identifiers.iter().any(|identifier| !known.contains(identifier))) {
                    let range = self.vault.rank(&subject, RANGES);
                    new.named.put(range, &StoredName(subject.as_str(), identifiers))?;
                }
            }
            for event in &read.loaded.events {
                if !view.events(&event.subject).unwrap_or_default().contains(event) {
                    let json = serde_json::to_string(event).expect("an event has only string keys");
                    new.said.put(part, &Said::Event(&json))?;
                }
            }
            for (subject, at) in read.loaded.seen() {
                if view.first_seen(&subject).is_none() {
                    new.said.put(part, &Said::Seen(subject.as_str(), at.as_nanosecond()))?;
                }
            }
            subjects += read.loaded.subjects();
            all.add(read);
        }
        new.named.finish()?;
        new.said.finish()?;
        Ok((all, subjects))
    }

    /// What vault and ledger know of those whom a pull tells of.
    fn known(&mut self, pulled: &CrmPull) -> Result<HashMap<SubjectId, Known>, RunError> {
        let mut known = HashMap::new();
        if self.ledger.is_new() {
            // Of nobody was anything said in a new home.
            return Ok(known);
        }
        let subjects = crowd::subjects_of(pulled, &self.plan.crm().name, self.ids);
        steadily(self.vault, self.ledger, |vault, ledger| {
            for subject in subjects {
                if let Some((key, identifiers)) = vault.known(&subject)? {
                    let said = ledger.person(&subject, &key)?;
                    known.insert(subject, (said, identifiers));
                }
            }
            Ok(known)
        })
    }

    /// What could not be used and belongs to no part; nothing of erased people.
    fn letters(&self, parts: &mut Parts, identifiers: &Identifiers, all: &mut Read) {
        let (crm, view) = (self.plan.crm().name.as_str(), self.ledger.view());
        let is_erased = |record: &str| {
            view.n_suppressed() > 0
                && (all.suppressed.contains(record) || view.is_suppressed(&identifiers.record(crm, record)))
        };
        let letters = std::mem::take(&mut parts.dead_letters).into_iter();
        let kept = letters.filter(|l| l.table == "accounts" || !l.record_id.as_deref().is_some_and(is_erased));
        let kept: Vec<_> = kept.map(|letter| dead_letter(crm, &letter, self.ids)).collect();
        all.loaded.dead_letters.extend(kept);
        all.loaded.dead_letters.sort();
    }

    /// An export of which a page is missing, or an old one, is no picture of what people say now.
    fn is_sync(&self, loaded: &Loaded) -> bool {
        !self.noes_alone
            && !loaded.incomplete
            && (self.pinned || legal::is_fresh(self.plan.crm(), self.policy, self.known_at))
    }

    /// Tells the log what the ledger is about to learn.
    fn announce(&mut self, sources: &[(&str, usize)]) -> Result<(), RunError> {
        let (Some(home), Some(log)) = (&mut self.home, &self.log) else { return Ok(()) };
        if self.plan.output().encryption != Encryption::None {
            home.encrypt_tables(self.vault)?;
        }
        let leaf =
            |(source, events): &(&str, usize)| Leaf::new(Kind::Legal).fact("events", *events).fact("source", *source);
        let mut leaves: Vec<Leaf> = sources.iter().map(leaf).collect();
        if !home.has_policy(self.policy.hash()) {
            leaves.push(Leaf { policy: Some(self.policy.hash().to_owned()), ..Leaf::new(Kind::Policy) });
        }
        log.append_now(leaves.into_iter().map(Into::into).collect())?;
        Ok(())
    }

    fn learn(&mut self, events: &[LegalEvent], seen: &[(SubjectId, Timestamp)], is_sync: bool) -> Result<(), RunError> {
        self.new += self.ledger.import(self.vault, Import { events, seen, is_sync }, self.known_at)?;
        self.vault.let_go();
        Ok(())
    }

    /// Before the ledger speaks of anybody: whoever is in it can be erased, and is then known again by what they are called.
    fn hold(&mut self, named: &[Named]) -> Result<(), RunError> {
        self.vault.together(|vault| vault.enter(named))?;
        self.vault.let_go();
        Ok(())
    }

    /// The same of those who were put by, some at once.
    fn hold_all(&mut self, named: &Blocks) -> Result<(), RunError> {
        let mut all: Vec<Named> = Vec::new();
        for range in 0..named.parts() {
            self.go_on()?;
            named.read::<Names>(range, |StoredName(subject, identifiers)| {
                all.push((id_of(subject)?, identifiers));
                Some(())
            })?;
            if all.len() >= TOGETHER || (!all.is_empty() && range + 1 == named.parts()) {
                self.hold(&all)?;
                all.clear();
            }
        }
        Ok(())
    }

    /// Tells the ledger what was put by, some parts at once.
    fn learn_all(&mut self, said: &Blocks) -> Result<(), RunError> {
        let (mut events, mut seen) = (Vec::new(), Vec::new());
        self.ledger.expect_many(true)?;
        for part in 0..said.parts() {
            let (more_events, more_seen) = entered(said, part)?;
            events.extend(more_events);
            seen.extend(more_seen);
            let gathered = events.len() + seen.len();
            if gathered >= TOGETHER || (gathered > 0 && part + 1 == said.parts()) {
                self.learn(&events, &seen, false)?;
                events.clear();
                seen.clear();
            }
        }
        Ok(self.ledger.expect_many(false)?)
    }

    /// Notes in home and log how far the ledger is.
    fn conclude(&mut self) -> Result<(), RunError> {
        self.vault.let_go_of_identifiers();
        let (Some(home), Some(log)) = (&mut self.home, &self.log) else { return Ok(()) };
        note_parts(home.path(), self.vault, self.ledger)?;
        log.append_now(vec![Leaf::new(Kind::Legal).fact("ledger", self.ledger.note()).into()])?;
        home.remember_crm(&self.plan.crm().name)?;
        home.keep_policy(self.policy)?;
        Ok(())
    }
}

/// What the ledger says of somebody, and by what the vault knows them.
type Known = (Arc<Person>, Box<[Identifier]>);

/// By what somebody is known.
type Named = (SubjectId, Vec<Identifier>);

/// By what those are known of whom the ledger will speak.
fn named(loaded: &mut Loaded) -> Vec<Named> {
    let identifiers = std::mem::take(&mut loaded.identifiers);
    let members = loaded.groups.iter().flat_map(|g| &g.members).map(|m| &m.subject.id);
    let about: HashSet<&SubjectId> = members.chain(loaded.events.iter().map(|e| &e.subject)).collect();
    identifiers.into_iter().filter(|(subject, _)| about.contains(subject)).collect()
}
