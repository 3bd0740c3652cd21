//! From what a CRM says to legal events.
//!
//! Invariant: negative signals always transfer, positive ones only with a basis that is spelled exactly; whatever
//! cannot be read becomes a dead letter and unlocks nothing.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use crate::consent::event::{EventKind, LawfulBasis, LegalEvent, Origin, Proof, Scope};
use crate::consent::shared::Pool;
use crate::crm::{ConsentRow, CrmContact, Flags};
use crate::ids::Ids;
use crate::model::{DeadLetter, SubjectId};
use crate::taxonomy::SourceClass;

/// A flag of the CRM has no date, and the ledger forgets nothing: once seen, it stands in this home, and no grant is
/// later than it. Lifting one is an act of the controller (issue 3), not of a CRM in which the flag is gone.
const STANDING: Timestamp = Timestamp::MAX;

/// What an import gives.
#[derive(Debug, Default)]
pub struct Imported {
    /// Events for the ledger.
    pub events: Vec<LegalEvent>,
    /// Rows that say nothing that can be relied on.
    pub dead_letters: Vec<DeadLetter>,
    pool: Pool,
}

impl Imported {
    fn push(&mut self, mut event: LegalEvent) {
        self.pool.share(&mut event);
        self.events.push(event);
    }
}

/// Bases of Art. 6(1) GDPR as people write them, lower case; what none of these is in may be a slip, or a no.
const BASES: [&str; 20] = [
    "consent",
    "einwillig",
    "zustimm",
    "legitimate",
    "berechtigt",
    "contract",
    "vertrag",
    "legal obligation",
    "rechtliche verpflichtung",
    "gesetzlich",
    "vital interest",
    "lebenswichtig",
    "public interest",
    "öffentliches interesse",
    "6(1)",
    "6 (1)",
    "6 abs",
    "not applicable",
    "nicht zutreffend",
    "performance of",
];

/// Whether a contact's column names a lawful basis. It unlocks nothing by itself, whichever it is: a consent record does, or the
/// policy's assessment.
fn names_a_basis(text: &str) -> bool {
    let text = text.to_lowercase();
    BASES.iter().any(|basis| text.contains(basis))
}

/// Reads flags and consent rows of one CRM.
#[must_use]
pub fn import(crm: &str, contacts: &[&CrmContact], consents: &[ConsentRow], ids: &Ids) -> Imported {
    let mut imported = Imported::default();
    let known: HashMap<&str, SubjectId> =
        contacts.iter().map(|c| (c.record_id.as_str(), ids.subject(crm, &c.record_id))).collect();
    for contact in contacts {
        let subject = &known[contact.record_id.as_str()];
        flags(crm, &contact.flags, subject, &mut imported);
        let unreadable = contact.flags.legal_basis.as_deref().filter(|text| !names_a_basis(text));
        if unreadable.is_some() {
            let advice = "unknown lawful basis, so it unlocks nothing; write 6(1)(a) or 6(1)(f) with a consent record";
            imported.dead_letters.push(letter(
                "unknown_legal_basis",
                "legal basis",
                advice,
                &contact.origin,
                ids,
                subject,
            ));
        }
    }
    let mut versions = Versions::default();
    for row in consents {
        match known.get(row.contact_id.as_str()) {
            Some(subject) => consent(crm, row, subject, ids, &mut versions, &mut imported),
            None => imported.dead_letters.push(of_nobody(row, ids)),
        }
    }
    imported
}

/// A row about a contact that is not exported. A no must not be lost with it: whoever removed the row would lose it for good.
fn of_nobody(row: &ConsentRow, ids: &Ids) -> DeadLetter {
    let is_no = EventKind::read(&row.kind).is_none_or(EventKind::is_negative);
    let (reason, advice) = if is_no {
        (
            NO_OF_NOBODY,
            "it says no, and no contact of the exports has this id, so it protects nobody yet; export the contact or correct the id, and \
             keep the row",
        )
    } else {
        ("consent_for_unknown_contact", "no contact of the exports has this id; export the contact or remove the row")
    };
    let letter = letter(reason, "contact_id", advice, &row.origin, ids, &SubjectId::from_body(""));
    DeadLetter { subject_id: None, ..letter }
}

/// The reason of dead letters of somebody's no of whom no export knows anything; the report counts them.
pub const NO_OF_NOBODY: &str = "no_for_unknown_contact";

// `flags.incomplete` is no event: it says something about tonight's file, not about the person. The run takes the
// subject for ambiguous until the row can be read.
fn flags(crm: &str, flags: &Flags, subject: &SubjectId, imported: &mut Imported) {
    let purposes = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<BTreeSet<_>>();
    let set = [
        (flags.should_forget, EventKind::Erase, purposes(&[]), "should_forget"),
        (flags.do_not_process, EventKind::Refuse, purposes(&[]), "do_not_process"),
        (flags.do_not_profile, EventKind::Refuse, purposes(&["profiling"]), "do_not_profile"),
        (flags.do_not_contact, EventKind::Object, purposes(&["marketing"]), "do_not_contact"),
        (flags.email_opt_out, EventKind::Object, purposes(&["marketing"]), "email_opt_out"),
    ];
    for (_, kind, purposes, field) in set.into_iter().filter(|(is_set, ..)| *is_set) {
        imported.push(LegalEvent {
            external_id: None,
            subject: subject.clone(),
            kind,
            basis: None,
            scope: Scope { purposes, ..Scope::default() }.into(),
            valid_from: None,
            valid_to: None,
            recorded_at: STANDING,
            proof: Proof::default().into(),
            origin: Origin::imported(crm, field, None).into(),
            supersedes: None,
        });
    }
}

/// What stands under each id of the source about a person, by digest: looking through all rows for every row would take a
/// night.
#[derive(Default)]
struct Versions(HashMap<(SubjectId, String), HashSet<[u8; 32]>>);

impl Versions {
    /// Notes an event; whether one that was noted before has its id, is about the same person and says something else.
    fn note(&mut self, event: &LegalEvent) -> bool {
        let Some(id) = &event.external_id else { return false };
        let versions = self.0.entry((event.subject.clone(), id.clone())).or_default();
        versions.insert(event.digest());
        versions.len() > 1
    }
}

fn consent(
    crm: &str,
    row: &ConsentRow,
    subject: &SubjectId,
    ids: &Ids,
    versions: &mut Versions,
    imported: &mut Imported,
) {
    let read = event_of(crm, row, subject);
    for (reason, field, advice) in read.rejections {
        imported.dead_letters.push(letter(reason, field, advice, &row.origin, ids, subject));
    }
    let Some(event) = read.event else { return };
    if versions.note(&event) {
        let advice = "another row has this id and says something else, so only what both allow is allowed; correct one";
        imported.dead_letters.push(letter("contradicting_rows", "event_id", advice, &row.origin, ids, subject));
    }
    imported.push(event);
}

/// A row as it was read: an event, and what was wrong with the row.
struct ReadRow {
    event: Option<LegalEvent>,
    rejections: Vec<(&'static str, &'static str, &'static str)>,
}

impl ReadRow {
    fn rejected(reason: &'static str, field: &'static str, advice: &'static str) -> Self {
        Self { event: None, rejections: vec![(reason, field, advice)] }
    }
}

fn event_of(crm: &str, row: &ConsentRow, subject: &SubjectId) -> ReadRow {
    let mut rejections = Vec::new();
    let kind = EventKind::read(&row.kind).unwrap_or_else(|| {
        // It may be a withdrawal in words that nobody here knows.
        let advice = "unknown, so it counts as a refusal; write one of grant, refuse, withdraw, object, restrict, lift, \
                      erase, notice";
        rejections.push(("unknown_event_kind", "kind", advice));
        EventKind::Refuse
    });
    let basis = row.basis.as_deref().and_then(LawfulBasis::read);
    if kind == EventKind::Grant && basis.is_none() {
        let advice = "unknown lawful basis, so it unlocks nothing; write 6(1)(a) or 6(1)(f), whichever can be proven";
        return ReadRow::rejected("unknown_legal_basis", "basis", advice);
    }
    let classes: Result<BTreeSet<SourceClass>, _> = row.source_classes.iter().map(|c| c.parse()).collect();
    let source_classes = match classes {
        Ok(classes) => classes,
        // An objection that names a class nobody knows holds for all classes.
        Err(_) if kind.is_negative() => BTreeSet::new(),
        Err(_) => {
            let advice = "write classes of the taxonomy, joined by |";
            return ReadRow::rejected("unknown_source_class", "source_classes", advice);
        }
    };
    let recorded_at = match row.recorded_at.or(row.valid_from) {
        Some(at) => at,
        None if kind.is_negative() => STANDING,
        None => {
            let advice = "write when the event was recorded, for instance 2026-01-31";
            return ReadRow::rejected("missing_date", "recorded_at", advice);
        }
    };
    let proof = Proof {
        method: row.method.clone(),
        notice_id: row.notice_id.clone(),
        wording_hash: row.wording_hash.clone(),
        language: row.language.clone(),
        actor: None,
    };
    rejections.extend(unproven((kind, basis), &proof).map(|(field, advice)| ("unproven_consent", field, advice)));
    let event = LegalEvent {
        external_id: row.event_id.clone(),
        subject: subject.clone(),
        kind,
        basis,
        scope: Scope { purposes: row.purposes.iter().cloned().collect(), source_classes, ..Scope::default() }.into(),
        valid_from: row.valid_from,
        valid_to: row.valid_to,
        recorded_at,
        proof: proof.into(),
        origin: Origin::imported(crm, "consents", None).into(),
        supersedes: None,
    };
    ReadRow { event: Some(event), rejections }
}

/// What stands in a field of the proof of a consent, or of a notice, and proves nothing: the gate refuses, and this tells why. An empty
/// field is no mistake of the file; the gate refuses all the same.
pub(in crate::consent) fn unproven(
    (kind, basis): (EventKind, Option<LawfulBasis>),
    proof: &Proof,
) -> Option<(&'static str, &'static str)> {
    if (kind, basis) != (EventKind::Grant, Some(LawfulBasis::Consent)) {
        return None;
    }
    let field = proof.unproven_field()?;
    let advice = match field {
        "method" => {
            "no act of the person that is known, so it proves no consent; write double_opt_in, e_mail, letter, paper_form, \
             preference_center, recorded_call, signed_paper or web_form, whichever can be shown"
        }
        "notice_id" => "names no notice, so it proves no consent; write the version of the notice that was shown",
        _ => {
            "no hash of a wording, so it proves no consent; write sha256: and the digits of the wording that was shown"
        }
    };
    Some((field, advice))
}

fn letter(
    reason: &str,
    field: &str,
    advice: &str,
    origin: &crate::crm::Origin,
    ids: &Ids,
    subject: &SubjectId,
) -> DeadLetter {
    DeadLetter {
        stage: "consent".to_owned(),
        reason: reason.to_owned(),
        detail: format!("{origin}, field {field}: {advice}"),
        row_commitment: ids.commitment("row", &origin.digest),
        subject_id: Some(subject.clone()),
    }
}
