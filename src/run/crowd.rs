//! Everybody of a run who is too many to be held at once: part by part.
//!
//! Invariant: parts are ranges of ids, so companies come in the order of the tables; what is said of a contact is that of the
//! whole pull. Nobody is worked on before everybody is in the ledger.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::blocks::part_of;
use crate::consent::suppression::Identifiers;
use crate::crm::{Concerned, CrmAccount, CrmContact, CrmError, CrmPull, CsvSource, Parting, Parts, Seen};
use crate::fetch::is_reserved;
use crate::ids::Ids;
use crate::model::{AccountId, SubjectId};
use crate::run::context::Context;
use crate::run::engine::RunError;
use crate::run::found::{Evening, Read as ReadPull};
use crate::run::load::{Group, Loaded};
use crate::sink::WORK_CRM;

/// So many contacts, about, are held in memory at once, unless a run is told otherwise.
pub const AT_ONCE: usize = 8192;
/// Most parts of companies, and of contacts without one.
const MOST: usize = 512;

/// Into how many parts contacts and companies are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ranges {
    /// Of contacts without a company; they come first.
    pub alone: usize,
    /// Of companies.
    pub companies: usize,
}

impl Ranges {
    /// How many are needed for the contacts of a source; `None` = all can be held at once.
    pub fn of(source: &CsvSource, base: &Path, at_once: usize) -> Result<Option<Self>, CrmError> {
        let files = crate::crm::files_of(&source.contacts, base)?;
        let rows: u64 = files.iter().map(|path| rows(path)).sum();
        let ranges = Self::for_contacts(rows, at_once);
        Ok((ranges.alone > 1).then_some(ranges))
    }

    /// For so many contacts, or rows of contacts.
    pub fn for_contacts(contacts: u64, at_once: usize) -> Self {
        let parts = usize::try_from(contacts).unwrap_or(usize::MAX).div_ceil(at_once.max(1));
        let parts = parts.clamp(1, MOST).next_power_of_two();
        Self { alone: parts, companies: parts }
    }

    pub const fn all(self) -> usize {
        self.alone + self.companies
    }

    fn of_company(self, id: &AccountId) -> usize {
        self.alone + part_of(id.as_str(), self.companies)
    }

    fn of_contact(self, id: &SubjectId) -> usize {
        part_of(id.as_str(), self.alone)
    }
}

/// How many rows a file has, about: by the lines of its beginning. What cannot be read is told by who reads it.
fn rows(path: &Path) -> u64 {
    const BEGINNING: u64 = 256 * 1024;
    /// Of a row in Parquet.
    const PACKED: u64 = 32;
    let (Ok(file), Ok(metadata)) = (File::open(path), path.metadata()) else { return 0 };
    let mut beginning = Vec::new();
    if file.take(BEGINNING).read_to_end(&mut beginning).is_err() || beginning.is_empty() {
        return 0;
    }
    if beginning.starts_with(b"PAR1") {
        return metadata.len() / PACKED;
    }
    // JSON of one line: its objects are its rows.
    let lines =
        memchr::memchr_iter(b'\n', &beginning).count().max(memchr::memmem::find_iter(&beginning, b"},").count());
    metadata.len() * (lines as u64).max(1) / beginning.len() as u64
}

/// Removes what a killed run left. The caller holds the home's lock.
pub(super) fn clear(home: &Path) -> Result<(), crate::sink::SinkError> {
    crate::sink::clear_work_of(home, WORK_CRM)
}

/// Sorts a source into parts below a home whose lock the caller holds. `look` sees companies in the order of their numbers.
pub(super) fn sort_in(
    (source, ranges, concerned): (&CsvSource, Ranges, Option<&Concerned>),
    home: &Path,
    evening: &Evening<'_>,
    look: &mut dyn FnMut(Seen<'_>),
) -> Result<Parts, CrmError> {
    let Evening { crm, ids, .. } = *evening;
    let folder: PathBuf = home.join(".work").join(format!("{WORK_CRM}{}", std::process::id()));
    let parting = Parting {
        folder,
        parts: ranges.all(),
        of_company: &|record| ranges.of_company(&ids.account(crm, record)),
        of_contact: &|record| ranges.of_contact(&ids.subject(crm, record)),
        look,
        without_erased: &|pull| evening.without_erased(pull),
        concerned,
    };
    Parts::sort_in(source, Path::new(""), parting)
}

/// Everybody of whom a pull tells, and of whom earlier nights may.
pub(super) fn subjects_of(pulled: &CrmPull, crm: &str, ids: &Ids) -> BTreeSet<SubjectId> {
    let rows = pulled.contacts.iter().chain(&pulled.gone).map(|contact| &contact.record_id);
    let merged = pulled.merged.iter().flat_map(|(loser, into)| [loser, into]);
    rows.chain(merged).map(|record| ids.subject(crm, record)).collect()
}

/// Contacts and companies that are still on disk.
#[derive(Debug)]
pub(super) struct Rest {
    pub parts: Parts,
    pub ranges: Ranges,
    /// Contacts in all parts.
    pub subjects: u64,
    /// Ids of companies, by their number.
    pub accounts: Vec<AccountId>,
    /// When a contact is said to have been collected of whom nobody knew before.
    pub now: Timestamp,
    /// By what erased people are known.
    pub identifiers: Arc<Identifiers>,
    /// When the newest note was written, by company.
    pub noted: HashMap<Option<AccountId>, Timestamp>,
}

/// The groups of a run in the order of the tables, each with the number of its part where it has no company.
pub(super) struct Groups {
    context: Arc<Context>,
    rest: Option<Rest>,
    next: usize,
    ready: std::vec::IntoIter<Group>,
}

impl Groups {
    pub fn new(context: &Arc<Context>, loaded: Loaded) -> Self {
        Self { context: Arc::clone(context), rest: loaded.rest, next: 0, ready: loaded.groups.into_iter() }
    }

    /// Reads the next part.
    fn load(&mut self) -> Result<bool, RunError> {
        let (Some(rest), Some(people)) = (&mut self.rest, &self.context.people) else { return Ok(false) };
        if self.next == rest.parts.count() {
            return Ok(false);
        }
        let context = &self.context;
        let (crm, ids) = (context.plan.crm().name.as_str(), &context.ids);
        let pulled = rest.parts.load(self.next)?;
        let held = people.hold(&subjects_of(&pulled, crm, ids))?;
        let view = &context.gate.ledger().of(held.said());
        let evening =
            Evening { crm, ids, identifiers: &rest.identifiers, view, now: rest.now, limit: None, noes_alone: false };
        let ReadPull { mut loaded, .. } = evening.read(pulled, |what| rest.parts.is_shared(what));
        for group in &mut loaded.groups {
            group.noted_at = rest.noted.get(&group.account.id).copied();
            group.held = Some(Arc::clone(&held));
        }
        rest.parts.remove(self.next)?;
        self.next += 1;
        self.ready = loaded.groups.into_iter();
        Ok(true)
    }
}

impl Iterator for Groups {
    type Item = Result<(usize, Group), RunError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(group) = self.ready.next() {
                return Some(Ok((self.next.saturating_sub(1), group)));
            }
            match self.load() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    // Nobody reads on.
                    self.rest = None;
                    return Some(Err(error));
                }
            }
        }
    }
}

/// Addresses of a contact that can be somebody's.
pub(super) fn real_addresses(contact: &CrmContact) -> usize {
    let hosts = contact.emails.iter().filter_map(|e| Some(e.reveal().rsplit_once('@')?.1));
    hosts.filter(|host| !is_reserved(host)).count()
}

/// Whether a company has a site that can be somebody's.
pub(super) fn is_real_site(account: &CrmAccount) -> bool {
    account.domain.as_deref().is_some_and(|host| !is_reserved(host))
}
