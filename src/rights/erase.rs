//! Erasure (Art. 17 GDPR): everything of a person goes, from every file; proof and suppression stay.
//!
//! Invariant: the log and the ledger know of the erasure before anything is destroyed, and the key goes last, so an
//! erasure that was cut off can be repeated; afterwards the entries that are left are about nobody.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::audit::{Kind, Leaf, Payloads, Stage};
use crate::consent::event::EventKind;
use crate::consent::ledger::Import;
use crate::model::SubjectId;
use crate::rights::office::{Office, OfficeError};
use crate::run::home::note_parts;
use crate::run::journal::Journal;
use crate::run::kept;
use crate::sink::{Change, HomeLock, Note, Rewritten, Snapshot, Table};

/// What proves an erasure. It names nobody: `subject` is an HMAC under `salt` of an id that nobody can compute without
/// the home's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// `prosopon-erasure-receipt/1`.
    pub schema: String,
    /// Whose home it was.
    pub controller: String,
    /// When.
    pub erased_at: Timestamp,
    /// Hex.
    pub salt: String,
    /// HMAC-SHA-256 of the subject id under the salt, hex.
    pub subject: String,
    /// The entry of the audit log that came before anything was destroyed.
    pub entry: u64,
    /// The random id in that entry: ties the receipt to it, and to nothing else. The entry has `subject`, too.
    pub erasure: String,
    /// The signed checkpoint after it.
    pub checkpoint: String,
    /// Rows that went, by table, over all snapshots.
    pub rows: std::collections::BTreeMap<String, u64>,
    /// Snapshots that were rewritten.
    pub snapshots: u64,
    /// Sealed payloads that went.
    pub payloads: u64,
    /// Kept identifiers, as keyed hashes: whoever has one is not read in again.
    pub suppressed: u64,
    /// Who received data of the person and must be told (Art. 19), as the log has it.
    pub recipients: Vec<String>,
}

/// The fact of the entry that binds a receipt, and of the erasure's own entry that such a one will come.
pub(super) const RECEIPT: &str = "receipt";
pub(super) const BOUND: &str = "receipt_bound";

/// The schema of receipts that this version writes.
pub const SCHEMA: &str = "prosopon-erasure-receipt/1";

/// An erasure that was announced: the entry of the log, and the random id that ties the receipt to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// Number of the entry.
    pub entry: u64,
    /// 32 hex digits.
    pub erasure: String,
    /// Under which the entry commits to the person.
    salt: [u8; 32],
}

/// Records the erasure, and keeps the person's identifiers out from here on, whatever happens next. The entry carries no
/// tag: nothing of the person's trail leads to it, and to whom it commits only the receipt's salt can tell.
///
/// `run_goes_on`: a run that holds the home must leave the person out, so the ledger is told too.
///
/// # Errors
/// Log, vault or ledger cannot be written, or the person was erased or the master key rotated meanwhile: nothing was
/// destroyed.
pub fn announce(office: &mut Office, subject: &SubjectId, run_goes_on: bool) -> Result<Announced, OfficeError> {
    // While the caller asked, others may have rotated the master key, erased the person, or brought identifiers in.
    office.vault.reload()?;
    let suppress = office.vault.identifiers(subject).to_vec();
    let (erasure, salt) = (HEXLOWER.encode(&random(office)?[..16]), random(office)?);
    let leaf = Leaf { stage: Some(Stage::Rights), ..Leaf::new(Kind::Erase) }
        .fact("suppressed", suppress.len())
        .fact("erasure", erasure.as_str())
        .fact("subject", digest(&salt, subject))
        // Without such an entry the receipt is not the one that was written.
        .fact(BOUND, true);
    // Before the entry: until the key goes, the vault alone knows whose it is.
    office.vault.begin_erasure(subject, &erasure)?;
    // The log tells of the new list before it can be seen, and nobody else changes it meanwhile.
    let log = &office.log;
    let entry = office.vault.together(|vault| {
        vault.suppress(&suppress)?;
        // A person without any identifier adds nothing to an empty list.
        let leaf = match vault.kept_out() {
            Some(digest) => leaf.fact("kept_out", digest),
            None => leaf,
        };
        Ok::<u64, OfficeError>(log.append_now(vec![leaf.into()])?.start)
    })?;
    note_parts(office.home.path(), &office.vault, &office.ledger)?;
    if run_goes_on {
        let event = office.event(subject, EventKind::Erase, "erase");
        let import = Import { events: &[event], ..Import::default() };
        let now = office.now();
        office.ledger.import(&mut office.vault, import, now)?;
        office.log_ledger()?;
    }
    Ok(Announced { entry, erasure, salt })
}

fn random(office: &Office) -> Result<[u8; 32], OfficeError> {
    crate::keys::random().map_err(|source| {
        OfficeError::Home(crate::run::home::HomeError::Io { path: office.home.path().to_owned(), source })
    })
}

fn unwritten(office: &Office, part: &str, source: std::io::Error) -> OfficeError {
    OfficeError::Home(crate::run::home::HomeError::Io { path: office.home.path().join(part), source })
}

/// Destroys everything of a person. The caller has announced it.
///
/// # Errors
/// Something cannot be written: repeat the command; what is gone is gone, the key is destroyed last.
pub fn destroy(
    office: &mut Office,
    subject: &SubjectId,
    announced: &Announced,
    lock: HomeLock,
) -> Result<Receipt, OfficeError> {
    let recipients = recipients(office, subject)?;
    let withheld = office.home.ids().commitment("withheld", subject.as_str().as_bytes());
    let change = Change { commitments: [withheld].into(), ..Change::remove([subject.clone()]) };
    let note = Note { at: office.now(), reason: "erasure" };
    let tell = |snapshot: &Snapshot, done: &Rewritten| office.log_rewritten(snapshot, done, "erasure");
    let changed = crate::sink::rewrite_all(office.home.path(), &change, note, tell)?;
    Journal::open(&office.home.path().join("journal.sqlite"))?.forget(subject)?;
    // Recordings are sealed, and whom their pages name nobody can tell: all of them go.
    crate::fetch::destroy_cassettes(office.home.path()).map_err(|source| unwritten(office, "cassettes", source))?;
    crate::fetch::forget_refusals(office.home.path())
        .map_err(|error| unwritten(office, "fetch.sqlite", std::io::Error::other(error.to_string())))?;
    let key = office.key(subject).clone();
    kept::forget(office.home.path(), [&key])?;
    // It ties their record to whom it hung on; the next run of each pipeline works on everybody.
    crate::sink::forget_rows(office.home.path())?;
    let payloads = Payloads::open(&office.home.audit_place().payloads())?.forget(&key)?;
    office.store.forget(&office.vault, &key)?;
    let suppressed = office.vault.identifiers(subject).len() as u64;
    office.vault.destroy(subject)?;
    office.ledger.forget(&office.vault, subject)?;
    office.tell_erased()?;
    drop(lock);
    let mut receipt = Receipt {
        schema: SCHEMA.to_owned(),
        controller: office.home.controller().to_owned(),
        erased_at: office.now(),
        salt: HEXLOWER.encode(&announced.salt),
        subject: digest(&announced.salt, subject),
        entry: announced.entry,
        erasure: announced.erasure.clone(),
        checkpoint: String::new(),
        rows: removed(&changed),
        snapshots: changed.iter().filter(|(_, done)| !done.is_empty()).count() as u64,
        payloads,
        suppressed,
        recipients,
    };
    let leaf = Leaf { stage: Some(Stage::Rights), ..Leaf::new(Kind::Outcome) };
    office.log.append_now(vec![leaf.fact(RECEIPT, receipt.digest().unwrap_or_default()).into()])?;
    receipt.checkpoint = office.reader()?.checkpoint().to_string();
    Ok(receipt)
}

/// Rows that went, by table.
fn removed(changed: &[(Snapshot, Rewritten)]) -> std::collections::BTreeMap<String, u64> {
    let mut rows = std::collections::BTreeMap::new();
    for (_, done) in changed {
        for table in Table::ALL {
            let n = done.removed(table);
            if n > 0 {
                *rows.entry(table.to_string()).or_default() += n;
            }
        }
    }
    rows
}

/// Who received a persona of this person: the recipients of every permit to emit it.
///
/// # Errors
/// The log cannot be read.
pub fn recipients(office: &Office, subject: &SubjectId) -> Result<Vec<String>, OfficeError> {
    let mut all = std::collections::BTreeSet::new();
    office.reader()?.of_subject(office.key(subject), &mut |_, leaf| {
        let permitted = leaf.decisions.into_iter().filter(crate::audit::Decision::permitted);
        all.extend(permitted.flat_map(|d| d.recipients));
    })?;
    Ok(all.into_iter().collect())
}

fn digest(salt: &[u8], subject: &SubjectId) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(salt).expect("HMAC takes keys of any length");
    mac.update(subject.as_str().as_bytes());
    HEXLOWER.encode(&mac.finalize().into_bytes())
}

impl Receipt {
    /// What binds all of it but the checkpoint, which comes after: under the salt, so that the entry that has it leads nobody
    /// to a person, or to another erasure. `None` = the receipt is damaged.
    #[must_use]
    pub fn digest(&self) -> Option<String> {
        let salt = HEXLOWER.decode(self.salt.as_bytes()).ok()?;
        let text = serde_json::to_vec(&Self { checkpoint: String::new(), ..self.clone() }).expect("plain data");
        let mut mac = Hmac::<Sha256>::new_from_slice(&salt).expect("HMAC takes keys of any length");
        mac.update(b"receipt");
        mac.update(&text);
        Some(HEXLOWER.encode(&mac.finalize().into_bytes()))
    }

    /// Whether a subject id is that of the erased person; `None` = the receipt is damaged.
    #[must_use]
    pub fn is_about(&self, subject: &SubjectId) -> Option<bool> {
        let salt = HEXLOWER.decode(self.salt.as_bytes()).ok()?;
        Some(digest(&salt, subject) == self.subject)
    }
}
