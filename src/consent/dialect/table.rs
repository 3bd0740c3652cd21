//! One's own consent table: a row is a legal event, with its proof. Columns: `config/consent/table.yaml`.
//!
//! Invariant: a column that is not known is refused with its whole file; a grant needs an exact basis, a date and
//! scope that can be read, a negative row needs nothing. A no in any cell is the row's.

mod columns;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use jiff::Timestamp;

use self::columns::renamed;
pub(super) use self::columns::{Column, column_of};
pub(crate) use self::columns::{is_harmless, texts};
use super::record::{Item, Key, Place, Problem, Record};
use super::refusal::{Refusal, refusal_of};
use super::when::{When, when};
use super::{Outcome, Reading, STANDING, Told, told_in};
use crate::consent::dates::{Slip, slip};
use crate::consent::event::{EventKind, LawfulBasis, LegalEvent, Origin, Proof, Scope};
use crate::consent::import::unproven;
use crate::model::SubjectId;

/// Reads the rows of consent tables.
pub(super) fn read(reading: &Reading<'_>, records: &[Record], outcome: &mut Outcome) {
    let refused = columns::unknown(records, outcome);
    let mut found: Vec<(Item, LegalEvent)> = Vec::new();
    let mut who: BTreeMap<Place, BTreeSet<Key>> = BTreeMap::new();
    for record in records {
        let item = renamed(&Item::of(record));
        let row = Row { item: &item, reading, record };
        let keys = row.who();
        if reading.is_about_erased(&keys) {
            continue;
        }
        who.entry(item.at.clone()).or_default().extend(keys);
        // A row of a file with an unknown column may still say no.
        let may_grant = !refused.contains(&item.at.file);
        let events = row.events(may_grant, outcome);
        found.extend(events.into_iter().map(|e| (item.clone(), e)));
    }
    let twice = contradicted(&found);
    for (item, event) in found {
        let id = event.external_id.as_deref().unwrap_or_default();
        if twice.contains(id) {
            let advice = "another row has this event_id and says something else, so only a no is taken from them";
            outcome.problems.push(item.problem(Some("event_id"), "contradicting_rows", advice));
            if !event.kind.is_negative() {
                continue;
            }
        }
        outcome.events.push(event);
    }
    outcome.tie(0, &|at| who.get(at).into_iter().flatten().flat_map(reading.resolve).collect());
}

/// Ids of events that stand for different events.
fn contradicted(found: &[(Item, LegalEvent)]) -> BTreeSet<String> {
    let mut versions: BTreeMap<&str, BTreeSet<[u8; 32]>> = BTreeMap::new();
    for (item, event) in found {
        if let Some(id) = item.get("event_id") {
            // An address of several people gives one event each, which are no versions of each other.
            let anybody = LegalEvent { subject: SubjectId::from_body(""), ..event.clone() };
            versions.entry(id).or_default().insert(anybody.digest());
        }
    }
    versions.into_iter().filter(|(_, v)| v.len() > 1).map(|(id, _)| id.to_owned()).collect()
}

/// A date that would grant something cannot be read.
struct Unreadable;

/// The dates of a row.
#[derive(Default)]
struct Dates {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    recorded: Option<Timestamp>,
}

struct Row<'r> {
    item: &'r Item,
    reading: &'r Reading<'r>,
    /// As it was exported.
    record: &'r Record,
}

impl Row<'_> {
    fn events(&self, may_grant: bool, outcome: &mut Outcome) -> Vec<LegalEvent> {
        let mut problems = Vec::new();
        let event = self.event_or_refusal(&mut problems);
        let mut events = Vec::new();
        match event {
            Some(event) if event.kind.is_negative() || may_grant => {
                let subjects = self.subjects();
                if self.who().is_empty() && self.is_plainly_a_no() {
                    outcome.nobodys.get_or_insert_with(|| self.item.at.clone());
                }
                let advice = match subjects.len() {
                    0 => Some((
                        super::NOBODY_KNOWN,
                        "about nobody whom this home knows; run the pipeline on \
                                the contact first, or give --contacts",
                    )),
                    1 => None,
                    _ if event.kind.is_negative() => None,
                    _ => Some((
                        "ambiguous_address",
                        "the address belongs to several contacts, so it grants nothing; \
                                write contact_id",
                    )),
                };
                match advice {
                    Some((reason, advice)) => {
                        let field = if self.item.get("contact_id").is_some() { "contact_id" } else { "email" };
                        let may_be = if event.kind.is_negative() { self.may_be() } else { Vec::new() };
                        problems.push(Problem { may_be, ..self.item.problem(Some(field), reason, advice) });
                    }
                    None => events.extend(subjects.into_iter().map(|s| self.about(&event, s))),
                }
            }
            _ => {}
        }
        outcome.problems.extend(problems);
        events
    }

    /// The event of one subject; where a row has no id of its own, one that rests on all it says.
    fn about(&self, event: &LegalEvent, subject: SubjectId) -> LegalEvent {
        let ids = self.reading.ids;
        let id = event.external_id.clone().unwrap_or_else(|| {
            let digest = ids.commitment("legal-row", &self.item.digest());
            format!("table-{}", ids.request(&["legal", self.reading.system, &digest]))
        });
        LegalEvent { subject, external_id: Some(id), ..event.clone() }
    }

    fn who(&self) -> Vec<Key> {
        let record = self.item.get("contact_id").map(Key::record);
        let email = self.item.get("email").map(Key::email);
        // An id that is given says who is meant; an address beside it only helps where there is none.
        record.or(email).into_iter().collect()
    }

    /// Whom a no may mean whose id nobody has: whoever has one that is nearly this one, or the address beside it; and where the kind
    /// is none, whose id stands in its place.
    fn may_be(&self) -> Vec<Key> {
        let email = self.item.get("email").map(Key::email);
        let kind = self.item.get("kind").filter(|kind| EventKind::read(kind).is_none()).map(Key::record);
        self.who().into_iter().chain(email).chain(kind).collect()
    }

    fn subjects(&self) -> BTreeSet<SubjectId> {
        self.who().iter().flat_map(self.reading.resolve).collect()
    }

    /// Whether a row says no in words that are known, wherever they stand: a file may have no header.
    fn is_plainly_a_no(&self) -> bool {
        let is_no = |cell: &str| EventKind::read(cell).map_or_else(|| told_in(cell).is_some(), EventKind::is_negative);
        self.record.fields.values().any(|value| is_no(&texts(value)))
    }

    /// The event of the row, or the no that stands in one of its cells.
    fn event_or_refusal(&self, problems: &mut Vec<Problem>) -> Option<LegalEvent> {
        let is_no = self.item.get("kind").and_then(EventKind::read).is_none_or(EventKind::is_negative);
        let cells: Vec<(&str, Cow<'_, str>)> =
            self.record.fields.iter().map(|(header, value)| (header.as_str(), texts(value))).collect();
        let Some(refusal) = refusal_of(is_no, cells.iter().map(|(header, cell)| (*header, &**cell))) else {
            return self.event(problems);
        };
        let (reason, advice) = refusal.letter(false);
        problems.push(self.item.problem(self.shown(&refusal).as_deref(), reason, advice));
        match refusal.told {
            // It is said without a scope.
            _ if is_no => self.event(problems).map(|event| LegalEvent { scope: Scope::default().into(), ..event }),
            Told::Plainly => Some(self.refusal()),
            Told::Perhaps => None,
        }
    }

    /// The column of a no as problems name it: one that nobody knows by its number, for it may be somebody's name.
    fn shown(&self, refusal: &Refusal<'_>) -> Option<String> {
        if column_of(refusal.column) != Column::Unknown {
            return Some(refusal.column.to_owned());
        }
        let at = self.record.fields.keys().position(|header| header == refusal.column)?;
        Some(format!("column {}", at + 1))
    }

    /// A refusal of everything. Nobody knows how late it was said, so no yes is later.
    fn refusal(&self) -> LegalEvent {
        let commitment = self.reading.ids.commitment("legal-row", &self.item.digest());
        LegalEvent {
            external_id: None,
            subject: SubjectId::from_body(""),
            kind: EventKind::Refuse,
            basis: None,
            scope: Scope::default().into(),
            valid_from: None,
            valid_to: None,
            recorded_at: STANDING,
            proof: Proof::default().into(),
            origin: Origin::imported(self.reading.system, "table", Some(commitment)).into(),
            supersedes: None,
        }
    }

    fn event(&self, problems: &mut Vec<Problem>) -> Option<LegalEvent> {
        let item = self.item;
        let kind = self.kind(problems);
        let negative = kind.is_negative();
        let basis = item.get("basis").and_then(LawfulBasis::read);
        if kind == EventKind::Grant && basis.is_none() {
            let advice =
                "unknown lawful basis, so it grants nothing; write 6(1)(a) or 6(1)(f), whichever can be proven";
            problems.push(item.problem(Some("basis"), "unknown_legal_basis", advice));
            return None;
        }
        let scope = self.scope(negative, problems)?;
        let [from, to, recorded] = ["valid_from", "valid_to", "recorded_at"].map(|f| self.date(f, problems));
        let unreadable = from.is_err() || to.is_err() || recorded.is_err();
        let dates = if negative && unreadable {
            // Nobody knows how late it was said, so no yes is later.
            Dates::default()
        } else {
            Dates {
                from: from.ok()?.map(When::start),
                to: to.ok()?.map(When::end),
                recorded: recorded.ok()?.map(When::start),
            }
        };
        let dates = self.possible(dates, negative, problems)?;
        let recorded_at = match dates.recorded.or(dates.from) {
            Some(at) => at,
            None if negative => STANDING,
            None => {
                let advice = "write when the event was recorded, for instance 2026-01-31";
                problems.push(item.problem(Some("recorded_at"), "missing_date", advice));
                return None;
            }
        };
        let text = |field: &str| item.get(field).map(str::to_owned);
        let proof = self.proof();
        if let Some((field, advice)) = unproven((kind, basis), &proof) {
            problems.push(item.problem(Some(field), "unproven_consent", advice));
        }
        Some(LegalEvent {
            external_id: text("event_id"),
            subject: SubjectId::from_body(""),
            kind,
            basis,
            scope: scope.into(),
            valid_from: dates.from,
            valid_to: dates.to,
            recorded_at,
            proof: proof.into(),
            origin: Origin::imported(
                self.reading.system,
                "table",
                Some(self.reading.ids.commitment("legal-row", &item.digest())),
            )
            .into(),
            supersedes: text("supersedes"),
        })
    }

    /// Dates that can be; a no whose dates cannot be has none. `None` where they would grant something.
    fn possible(&self, dates: Dates, negative: bool, problems: &mut Vec<Problem>) -> Option<Dates> {
        // Where nothing else is stated, a row counts as written down when it begins.
        let recorded = dates.recorded.or(dates.from);
        let Some(slip) = slip((dates.from, dates.to), recorded, self.reading.now) else { return Some(dates) };
        let field = match slip {
            Slip::EndBeforeBegin => "valid_to",
            Slip::Future if dates.recorded.is_some() => "recorded_at",
            Slip::Future => "valid_from",
        };
        problems.push(self.item.problem(Some(field), slip.reason(), slip.advice(negative)));
        negative.then(Dates::default)
    }

    fn kind(&self, problems: &mut Vec<Problem>) -> EventKind {
        self.item.get("kind").and_then(EventKind::read).unwrap_or_else(|| {
            // It may be a withdrawal in words that nobody here knows.
            let advice = "unknown or missing, so it counts as a refusal; write grant, refuse, withdraw, object, \
                          restrict, lift, erase, notice, assessment or rectify";
            problems.push(self.item.problem(Some("kind"), "unknown_event_kind", advice));
            EventKind::Refuse
        })
    }

    /// `None` where a scope that would grant something cannot be read. A no with a scope that cannot be read is a no
    /// to everything.
    fn scope(&self, negative: bool, problems: &mut Vec<Problem>) -> Option<Scope> {
        Some(Scope {
            purposes: self.list("purposes").map(str::to_owned).collect(),
            operations: self.terms("operations", negative, problems)?,
            source_classes: self.terms("source_classes", negative, problems)?,
            data_categories: self.list("data_categories").map(str::to_owned).collect(),
            recipients: self.list("recipients").map(str::to_owned).collect(),
            regions: self.list("regions").map(str::to_owned).collect(),
        })
    }

    fn proof(&self) -> Proof {
        let text = |field: &str| self.item.get(field).map(str::to_owned);
        Proof {
            method: text("method"),
            notice_id: text("notice_id"),
            wording_hash: text("wording_hash"),
            language: text("language"),
            actor: text("actor"),
        }
    }

    fn list(&self, field: &str) -> impl Iterator<Item = &str> {
        self.item.get(field).unwrap_or_default().split('|').map(str::trim).filter(|t| !t.is_empty())
    }

    fn terms<T: FromStr + Ord>(&self, field: &str, negative: bool, problems: &mut Vec<Problem>) -> Option<BTreeSet<T>> {
        let terms: Result<BTreeSet<T>, T::Err> = self.list(field).map(str::parse).collect();
        terms.ok().or_else(|| {
            let advice = if negative {
                "unknown, so the row holds for all of them; write terms of the taxonomy, joined by |"
            } else {
                "unknown, so the row grants nothing; write terms of the taxonomy, joined by |"
            };
            problems.push(self.item.problem(Some(field), "unknown_term", advice));
            negative.then(BTreeSet::new)
        })
    }

    fn date(&self, field: &str, problems: &mut Vec<Problem>) -> Result<Option<When>, Unreadable> {
        let Some(cell) = self.item.get(field) else { return Ok(None) };
        let read = when(cell);
        if read.is_none() {
            let advice = "write the date as 2025-12-31 or 31.12.2025, with or without a time";
            problems.push(self.item.problem(Some(field), "unreadable_date", advice));
            return Err(Unreadable);
        }
        Ok(read)
    }
}
