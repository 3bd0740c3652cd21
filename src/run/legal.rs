//! What CRMs say of data protection in words of their own, from files to legal events: the one way in, for
//! `consent import` and for a run.
//!
//! Invariant: all exports of a dialect are read together, because records refer to each other; only people whom the home
//! has seen, or sees tonight, get events; of erased people nothing is kept, not even a problem.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::config::{self, Crm, Diagnostic};
use crate::consent::dialect::{self, Dialect, InputError, Key, Mapping, Outcome, Place, Problem, Reading, Records};
use crate::consent::ledger::LedgerView;
use crate::consent::policy::Policy;
use crate::consent::suppression::Identifiers;
use crate::crm::{Alike, CrmPull, SLACK, Shape, guesses};
use crate::fetch::is_reserved;
use crate::ids::Ids;
use crate::keys::{Identifier, Vault};
use crate::model::{DeadLetter, SubjectId};
use crate::run::layout::folder_among;

/// Why exports cannot be read. A bad record is never one of these.
#[derive(Debug, thiserror::Error)]
pub enum LegalError {
    /// A file that is named and cannot be read; no source, for it is a mistake of usage and not of the home.
    #[error("cannot read {}: {problem}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// Nothing of a file can be used.
    #[error("{}{source}", folder.display())]
    Input {
        /// The folder of the files, with a stroke at its end.
        folder: PathBuf,
        /// What is wrong.
        source: InputError,
    },
    /// A record that says no, or may and cannot be read, nobody knows for whom.
    #[error("{}{place} cannot be read, or has neither id nor address, and whose it is cannot be told: a no may be in it; correct it or \
        export it again (or take it out, if you know that it says nothing)", folder.display())]
    Nobodys {
        /// The folder of the files, with a stroke at its end.
        folder: PathBuf,
        /// The record.
        place: Place,
    },
    /// Mistakes in a mapping file.
    #[error("the mapping has {} mistake(s)", .0.len())]
    Mapping(Vec<Diagnostic>),
}

/// The exports of one dialect, of one moment.
pub struct Exports {
    /// Whose words they are.
    pub dialect: Dialect,
    /// What is in them.
    pub records: Records,
    /// Every file is a page that says that there is a next one: the last one is missing.
    pub incomplete: bool,
    mapping: Mapping,
    problems: Vec<Problem>,
    /// SHA-256 of each file, in their order.
    hashes: Vec<[u8; 32]>,
    /// What all files have in common of their paths, with a stroke at its end; they are called by the rest.
    folder: PathBuf,
}

impl Exports {
    /// Reads exports, and the mapping that says what their positive answers grant.
    ///
    /// # Errors
    /// See [`LegalError`].
    pub fn open(dialect: Dialect, files: &[PathBuf], mapping: Option<&Path>) -> Result<Self, LegalError> {
        let mut exports = Self {
            dialect,
            records: Records::default(),
            incomplete: !files.is_empty(),
            mapping: Mapping::default(),
            problems: Vec::new(),
            hashes: Vec::new(),
            folder: folder_of(files),
        };
        if let Some(path) = mapping {
            let bytes = read(path)?;
            exports.hashes.push(Sha256::digest(&bytes).into());
            exports.mapping = mapping_of(path, bytes)?;
        }
        for path in files {
            exports.add(path)?;
        }
        Ok(exports)
    }

    /// The same of the files alone that can be read: only noes are to be taken from it.
    ///
    /// # Errors
    /// The mapping cannot be read: it tells how far a no reaches.
    pub fn of_readable(dialect: Dialect, files: &[PathBuf], mapping: Option<&Path>) -> Result<Self, LegalError> {
        let mut exports = Self { folder: folder_of(files), ..Self::open(dialect, &[], mapping)? };
        for path in files {
            // What is wrong with it was told before.
            let _ = exports.add(path);
        }
        Ok(exports)
    }

    fn add(&mut self, path: &Path) -> Result<(), LegalError> {
        let bytes = read(path)?;
        let name = path.strip_prefix(&self.folder).unwrap_or(path).to_string_lossy().replace('\\', "/");
        let read = self.records.add(self.dialect, &name, &bytes);
        let (problems, has_more) = read.map_err(|source| LegalError::Input { folder: self.folder.clone(), source })?;
        self.hashes.push(Sha256::digest(&bytes).into());
        self.problems.extend(problems);
        // Of several pages the last one has no successor.
        self.incomplete &= has_more;
        Ok(())
    }

    /// That nobody can tell whose a record is.
    #[must_use]
    pub fn nobodys(&self, place: Place) -> LegalError {
        LegalError::Nobodys { folder: self.folder.clone(), place }
    }

    /// What they say about the people of a directory, as it is read at `now`.
    #[must_use]
    pub fn read(&self, people: &Directory<'_>, now: Timestamp) -> Outcome {
        let (resolve, erased) = (|key: &Key| people.find(key), |key: &Key| people.is_erased(key));
        let reading = Reading {
            dialect: self.dialect,
            system: people.crm,
            ids: people.ids,
            mapping: &self.mapping,
            resolve: &resolve,
            erased: &erased,
            now,
        };
        let mut outcome = dialect::read(&reading, &self.records);
        outcome.problems.extend(self.problems.iter().cloned());
        let shapes: HashSet<Shape> = people.records.iter().map(|record| Shape::of(record)).collect();
        let may_be = |id: &str| shapes.is_empty() || shapes.iter().any(|shape| shape.may_be(id));
        dialect::find_whose(&reading, (&|ids| people.nearly(ids), &may_be), &mut outcome);
        outcome
    }

    /// Addresses that can belong to somebody: the demo's id key is public, so real people have no place in it.
    #[must_use]
    pub fn real_addresses(&self) -> usize {
        let mut real = 0;
        self.records.each(&mut |records| {
            let mut found = Vec::new();
            for value in records.iter().flat_map(|r| r.fields.values()) {
                words(value, &mut found);
            }
            real += found.iter().filter(|word| is_real(word)).count();
        });
        real
    }

    /// That the last page is missing, as a row of `dead_letters`.
    #[must_use]
    pub fn incomplete_letter(&self, ids: &Ids) -> Option<DeadLetter> {
        self.incomplete.then(|| DeadLetter {
            stage: "consent".to_owned(),
            reason: "incomplete_export".to_owned(),
            detail: format!(
                "every file of {} says that there is a next page, so a no on it is missed; export all pages",
                self.dialect
            ),
            row_commitment: ids.commitment("row", &self.hashes.concat()),
            subject_id: None,
        })
    }
}

/// The exports of a pipeline, one for each dialect; of those that are read for their noes alone, what can be read.
///
/// # Errors
/// See [`LegalError`].
pub fn open(crm: &config::Crm, noes_alone: bool) -> Result<Vec<Exports>, LegalError> {
    // By dialect: its files, each once, and its mapping, which is the same for all entries.
    let mut all: BTreeMap<Dialect, (BTreeSet<PathBuf>, Option<&Path>)> = BTreeMap::new();
    for entry in &crm.legal {
        let files =
            entry.files().map_err(|e| LegalError::Read { path: entry.pattern().to_owned(), problem: e.to_string() })?;
        let (paths, mapping) = all.entry(entry.dialect).or_default();
        paths.extend(files);
        *mapping = mapping.or(entry.mapping.as_deref());
    }
    all.into_iter()
        .map(|(dialect, (files, mapping))| {
            let files: Vec<PathBuf> = files.into_iter().collect();
            let open = if noes_alone { Exports::of_readable } else { Exports::open };
            open(dialect, &files, mapping)
        })
        .collect()
}

/// Adds everything that was read to a hash over the inputs.
pub fn hash(exports: &[Exports], hasher: &mut Sha256) {
    for export in exports {
        hasher.update(export.dialect.as_str());
        for hash in &export.hashes {
            hasher.update(hash);
        }
    }
}

/// Every mistake in the mapping file of a pipeline's exports.
#[must_use]
pub fn check_mappings(crm: &config::Crm) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mappings: BTreeSet<(&Path, Dialect)> =
        crm.legal.iter().filter_map(|e| Some((e.mapping.as_deref()?, e.dialect))).collect();
    let mut told = BTreeSet::new();
    for (path, dialect) in mappings {
        // One that is not there is told as a missing input.
        let Ok(bytes) = read(path) else { continue };
        match mapping_of(path, bytes) {
            Ok(mapping) if !mapping.is_about(dialect) => {
                let text = format!("the mapping has no entry of {dialect}, so its exports grant nothing");
                found.push(Diagnostic::warning(&path.display().to_string(), config::Position::START, text));
            }
            Err(LegalError::Mapping(mistakes)) if told.insert(path) => found.extend(mistakes),
            _ => {}
        }
    }
    found
}

fn mapping_of(path: &Path, bytes: Vec<u8>) -> Result<Mapping, LegalError> {
    let text = String::from_utf8(bytes)
        .map_err(|_| LegalError::Read { path: path.to_owned(), problem: "it is not UTF-8".to_owned() })?;
    Mapping::parse(&text, &path.display().to_string()).map_err(LegalError::Mapping)
}

fn read(path: &Path) -> Result<Vec<u8>, LegalError> {
    fs::read(path).map_err(|e| LegalError::Read { path: path.to_owned(), problem: e.to_string() })
}

/// The folder that files have in common, with a stroke at its end where it is named.
fn folder_of(files: &[PathBuf]) -> PathBuf {
    let folder = folder_among(files.iter().map(PathBuf::as_path));
    if folder.as_os_str().is_empty() { folder.to_owned() } else { folder.join("") }
}

/// Whom a home knows, by record and by address.
pub struct Directory<'a> {
    crm: &'a str,
    ids: &'a Ids,
    identifiers: &'a Identifiers,
    view: &'a LedgerView,
    by_identifier: HashMap<Identifier, BTreeSet<SubjectId>>,
    tonight: HashSet<SubjectId>,
    /// Record ids of tonight, and of those that were merged into them.
    records: Vec<String>,
    merged: HashMap<SubjectId, SubjectId>,
}

impl<'a> Directory<'a> {
    /// Everybody whom pipelines of the home have read, by the identifiers that the vault keeps.
    #[must_use]
    pub fn new(crm: &'a str, ids: &'a Ids, identifiers: &'a Identifiers, vault: &Vault, view: &'a LedgerView) -> Self {
        let mut by_identifier: HashMap<Identifier, BTreeSet<SubjectId>> = HashMap::new();
        for (subject, _) in vault.subjects() {
            for identifier in vault.identifiers(subject) {
                by_identifier.entry(*identifier).or_default().insert(subject.clone());
            }
        }
        Self {
            crm,
            ids,
            identifiers,
            view,
            by_identifier,
            tonight: HashSet::new(),
            records: Vec::new(),
            merged: HashMap::new(),
        }
    }

    /// Adds an address of a record that the home may know.
    pub fn add_address(&mut self, address: &str, record: &str) {
        let subject = self.ids.subject(self.crm, record);
        self.by_identifier.entry(self.identifiers.email(address)).or_default().insert(subject);
    }

    /// Adds the contacts of tonight, whom the home may see for the first time; what is said of a merged record is said of
    /// the one that it lives on in.
    pub fn add_tonight(&mut self, pull: &CrmPull) {
        let subject = |record: &str| self.ids.subject(self.crm, record);
        self.merged = pull.merged.iter().map(|(loser, into)| (subject(loser), subject(into))).collect();
        for contact in pull.contacts.iter().chain(&pull.gone) {
            for email in &contact.emails {
                self.add_address(email.reveal(), &contact.record_id);
            }
            self.tonight.insert(self.ids.subject(self.crm, &contact.record_id));
            self.records.push(contact.record_id.clone());
        }
        self.records.extend(pull.merged.keys().cloned());
    }

    /// Who has an id that is nearly one of these, which nobody has.
    fn nearly(&self, ids: &BTreeSet<String>) -> BTreeMap<String, BTreeSet<SubjectId>> {
        let mut found: BTreeMap<String, BTreeSet<SubjectId>> = BTreeMap::new();
        let mut add = |id: &str, record: &str| {
            let people = self.find(&Key::record(record));
            if !people.is_empty() {
                found.entry(id.to_owned()).or_default().extend(people);
            }
        };
        let alike = Alike::of(ids.iter());
        for record in &self.records {
            alike.to(record).into_iter().for_each(|id| add(id, record));
        }
        // Of earlier nights their ids are not kept.
        for id in ids {
            for guess in guesses(id) {
                add(id, &guess);
            }
        }
        found
    }

    fn find(&self, key: &Key) -> Vec<SubjectId> {
        let known = |subject: &SubjectId| self.tonight.contains(subject) || self.view.first_seen(subject).is_some();
        let candidates = match key {
            Key::Record(record) => vec![self.ids.subject(self.crm, record.reveal())],
            Key::Email(address) => {
                let found = self.by_identifier.get(&self.identifiers.email(address.reveal()));
                found.into_iter().flatten().cloned().collect()
            }
        };
        let living = |subject: SubjectId| self.merged.get(&subject).cloned().unwrap_or(subject);
        let found: BTreeSet<SubjectId> = candidates.into_iter().map(living).filter(known).collect();
        found.into_iter().collect()
    }

    fn is_erased(&self, key: &Key) -> bool {
        self.view.n_suppressed() > 0
            && self.view.is_suppressed(&match key {
                Key::Record(record) => self.identifiers.record(self.crm, record.reveal()),
                Key::Email(address) => self.identifiers.email(address.reveal()),
            })
    }
}

fn words<'v>(value: &'v serde_json::Value, found: &mut Vec<&'v str>) {
    match value {
        serde_json::Value::String(text) => found.extend(text.split([' ', ';', ',', '<', '>'])),
        serde_json::Value::Array(values) => values.iter().for_each(|v| words(v, found)),
        serde_json::Value::Object(map) => map.values().for_each(|v| words(v, found)),
        _ => {}
    }
}

/// Whether a word is an address outside of the names that belong to nobody.
#[must_use]
pub fn is_real(word: &str) -> bool {
    word.rsplit_once('@').is_some_and(|(_, host)| !host.trim_end_matches('.').is_empty() && !is_reserved(host))
}

/// Whether every kind of export has a file that is young enough: in exports that nobody renews any more, a new objection
/// would never be seen. The newest file of a kind speaks for it: beside it, exports keep old ones of records that rest.
pub(super) fn is_fresh(crm: &Crm, policy: &Policy, now: Timestamp) -> bool {
    let newest = |files: std::io::Result<Vec<PathBuf>>| {
        let changed = |file: &PathBuf| Timestamp::try_from(file.metadata().ok()?.modified().ok()?).ok();
        files.ok()?.iter().filter_map(changed).max()
    };
    let sets = [Some(&crm.contacts), crm.consents.as_ref()].into_iter().flatten().map(|set| newest(set.files()));
    let exported_at = sets.chain(crm.legal.iter().map(|e| newest(e.files()))).min().flatten();
    let Some(exported_at) = exported_at.filter(|at| at.duration_since(now) <= SLACK) else {
        tracing::warn!(
            "when the CRM exported is not known, or lies ahead of the clock: the exports do not count as news"
        );
        return false;
    };
    let most = policy.file().consent_sync_max_age_hours;
    let hours = now.duration_since(exported_at).as_hours();
    let is_fresh = hours < i64::from(most);
    if !is_fresh {
        tracing::warn!(
            "the exports of the CRM are {hours} hours old, the policy allows {most}: they do not count as news, and \
             everything is refused (StaleConsentSync) once the last fresh ones are as old; export anew"
        );
    }
    is_fresh
}
