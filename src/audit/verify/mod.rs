//! `audit verify` behind the log's own proof: entries are read, payloads held against their commitments, decisions made
//! again, and tables held against the hashes that were announced.
//!
//! Invariant: what cannot be checked is told apart from what is wrong; an erased person's entries can be checked for
//! form and place only, and are counted.

mod again;
mod kept;
mod tables;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::audit::leaf::{Kind, Leaf, Payload, PayloadDecision, rules_of};
use crate::audit::manifest;
use crate::audit::source::{Book, SourceError};
use crate::consent::policy::Policy;
use crate::consent::rules::Rules;
use crate::keys::SubjectKey;
use crate::model::{AccountId, SubjectId, Target};
pub(super) use again::{again, body, public_facts, public_target};

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// `log`, `entry`, `time`, `payload`, `decision`, `table`, `ledger`, `erasure`.
    pub kind: &'static str,
    /// The entry, where it is about one.
    pub entry: Option<u64>,
    /// What is wrong.
    pub what: String,
}

/// What the checks of the content came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Content {
    /// Entries that were read.
    pub entries: u64,
    /// Entries by kind.
    pub kinds: BTreeMap<String, u64>,
    /// Decisions that were made again and came out the same.
    pub replayed: u64,
    /// Decisions about erased people: nobody can make them again.
    pub erased: u64,
    /// Entries whose payload was destroyed when retention had ended.
    pub swept: u64,
    /// Decisions that come out differently today, and the same under the earlier rules of the gate by which they were made.
    pub earlier_rules: u64,
    /// The entries that have these.
    pub earlier_entries: Vec<u64>,
    /// Decisions whose policy or ledger state is not to be had any more.
    pub not_replayable: u64,
    /// Policies that entries name and that cannot be read as they were applied.
    pub policies: BTreeSet<String>,
    /// Tables whose hash was compared.
    pub tables: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Entries of processes that write side by side may be so far out of order.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// As many findings are listed one by one; more only make the list longer.
const MOST: usize = 1000;

impl Content {
    fn find(&mut self, kind: &'static str, entry: Option<u64>, what: impl Into<String>) {
        if self.findings.len() < MOST {
            self.findings.push(Finding { kind, entry, what: what.into() });
        }
    }
}

/// Checks everything that an entry says, in order.
///
/// # Errors
/// The log cannot be read.
pub fn content(book: &Book<'_>) -> Result<Content, SourceError> {
    let mut checker = Checker {
        book,
        done: Content::default(),
        people: HashMap::new(),
        month: String::new(),
        policies: HashMap::new(),
        newest: Timestamp::MIN,
        announced: HashMap::new(),
        published: HashMap::new(),
        erasures: 0,
        begun: HashMap::new(),
        at_least: (0, 0),
        kept_out: HashMap::new(),
        broken_off: HashSet::new(),
        rights: 0,
        rules: Rules::FIRST,
        missing: HashMap::new(),
    };
    let mut failed = None;
    book.leaves.each(0..u64::MAX, &mut |number, leaf| match checker.leaf(number, &leaf) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            failed = Some(error);
            ControlFlow::Break(())
        }
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    let mut missing: Vec<u64> = std::mem::take(&mut checker.missing).into_values().flatten().collect();
    missing.sort_unstable();
    for number in missing {
        let what = "its sealed payload is missing, or is not what was committed to";
        checker.done.find("payload", Some(number), what);
    }
    checker.pending();
    if book.vault.forgotten().len() > checker.erasures {
        checker.done.find("vault", None, "the vault has forgotten more people than the log has erasures");
    }
    // As it is by now: somebody may have been erased while the log was checked.
    let (forgotten, suppressed) = book.vault.erased().unwrap_or_default();
    if forgotten < checker.at_least.0 || suppressed < checker.at_least.1 {
        let what = "erasures that the log tells of are not in the vault: it is older than the log, or its list of those \
                    who are kept out was cut";
        checker.done.find("vault", None, what);
    }
    checker.kept_out();
    checker.rights();
    checker.tables();
    Ok(checker.done)
}

/// What an entry announced of a snapshot.
#[derive(Clone)]
struct Announced {
    /// The entry.
    number: u64,
    /// Keyed hashes of its tables.
    tables: BTreeMap<String, String>,
    /// Keyed hash of its manifest; `None` = the entry is older than that.
    manifest: Option<String>,
}

struct Checker<'a, 'b> {
    book: &'b Book<'a>,
    done: Content,
    people: HashMap<String, (&'a SubjectId, &'a SubjectKey)>,
    month: String,
    policies: HashMap<String, Option<Policy>>,
    newest: Timestamp,
    announced: HashMap<(String, String), Announced>,
    /// Published snapshots: pipeline, run, entry.
    published: HashMap<(String, String), u64>,
    /// Erasures that the log knows of.
    erasures: usize,
    /// Their entries, by their random ids.
    begun: HashMap<String, u64>,
    /// How many people the vault must have forgotten, and identifiers it must keep out, by the log.
    at_least: (u64, u64),
    /// Every digest that the log tells of the list of those who are kept out, with the random id of the erasure that it came with.
    kept_out: HashMap<String, Option<String>>,
    /// The random ids of erasures that were begun and not ended, by the vault.
    broken_off: HashSet<String>,
    /// How often rectifications and sealed copies were changed, by the log.
    rights: u64,
    /// The newest rules of the gate that an entry so far was made under: no later one was made under earlier ones.
    rules: Rules,
    /// Entries without payload, by person, until a sweep explains them.
    missing: HashMap<SubjectId, Vec<u64>>,
}

impl Checker<'_, '_> {
    fn leaf(&mut self, number: u64, leaf: &Leaf) -> Result<(), SourceError> {
        self.done.entries += 1;
        let kind = serde_json::to_value(leaf.kind).ok().and_then(|k| k.as_str().map(str::to_owned)).unwrap_or_default();
        *self.done.kinds.entry(kind).or_default() += 1;
        if leaf.v != super::leaf::VERSION {
            self.done.find("entry", Some(number), "it is of another format version");
        }
        // Several processes write side by side, each by its own reading of the clock.
        if leaf.at.checked_add(SKEW).is_ok_and(|limit| limit < self.newest) {
            self.done.find("time", Some(number), "it is older than the entry before it");
        }
        self.newest = self.newest.max(leaf.at);
        // Whatever it is about, and whether or not that can be read any more.
        self.rules = self.rules.max(rules_of(leaf));
        if matches!(leaf.kind, Kind::Publish | Kind::Rewrite) {
            self.announce(number, leaf);
        }
        self.erasure(number, leaf);
        if let Some(note) = leaf.facts.get("ledger").and_then(|n| n.as_str())
            && !self.book.ledger.has_been(note)
        {
            self.done.find(
                "ledger",
                Some(number),
                "the ledger never stood where this entry says: it was rolled back or changed",
            );
        }
        if leaf.kind == Kind::Genesis {
            let said = leaf.facts.get("controller").and_then(|c| c.as_str());
            if said.is_some_and(|said| said != self.book.controller) {
                self.done.find("home", Some(number), "home.json names another controller than the log began with");
            }
            if leaf.facts.get("demo").and_then(serde_json::Value::as_bool).is_some_and(|demo| demo != self.book.demo) {
                self.done.find(
                    "home",
                    Some(number),
                    "home.json takes the home for another kind than the log began with",
                );
            }
        }
        if let Some(tag) = &leaf.subject {
            return self.about_person(number, leaf, tag);
        }
        let rows: Vec<PayloadDecision> = leaf.decisions.iter().map(|_| public_facts(leaf)).collect();
        if let Some(target) = public_target(leaf) {
            self.replay(number, leaf, &target, None, &rows);
        }
        Ok(())
    }

    fn announce(&mut self, number: u64, leaf: &Leaf) {
        let text = |name: &str| leaf.facts.get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        let tables = leaf.facts.get("tables").and_then(|t| t.as_object()).cloned().unwrap_or_default();
        let tables = tables.into_iter().filter_map(|(name, hash)| Some((name, hash.as_str()?.to_owned())));
        if leaf.kind == Kind::Publish {
            self.published.insert((text("pipeline"), text("snapshot")), number);
        }
        let manifest = leaf.facts.get(manifest::FACT).and_then(|v| v.as_str()).map(str::to_owned);
        let announced = Announced { number, tables: tables.collect(), manifest };
        self.announced.insert((text("pipeline"), text("snapshot")), announced);
    }

    fn about_person(&mut self, number: u64, leaf: &Leaf, tag: &str) -> Result<(), SourceError> {
        let month = leaf.at.strftime("%Y-%m").to_string();
        if month != self.month {
            self.people = self.book.vault.subjects().map(|(id, key)| (key.tag(leaf.at), (id, key))).collect();
            self.month = month;
        }
        let Some((subject, key)) = self.people.get(tag).copied() else {
            self.done.erased += leaf.decisions.len() as u64;
            return Ok(());
        };
        if leaf.kind == Kind::Sweep {
            // Retention has ended: the payloads of this person were destroyed on purpose.
            let swept = self.missing.remove(subject).unwrap_or_default();
            self.done.swept += swept.len() as u64;
        }
        if leaf.payload.is_none() {
            return Ok(());
        }
        let Some(payload) = self.book.leaves.payload(leaf, key)? else {
            self.missing.entry(subject.clone()).or_default().push(number);
            return Ok(());
        };
        self.payload(number, leaf, &payload, subject, key);
        Ok(())
    }

    fn payload(&mut self, number: u64, leaf: &Leaf, payload: &Payload, subject: &SubjectId, key: &SubjectKey) {
        if payload.subject != subject.as_str() || payload.decisions.len() != leaf.decisions.len() {
            self.done.find("payload", Some(number), "its sealed payload is about somebody or something else");
            return;
        }
        for (said, sealed) in leaf.decisions.iter().zip(&payload.decisions) {
            let blinded = sealed.permit.as_ref().map(|id| key.blind("permit", id));
            if blinded != said.permit {
                self.done.find("decision", Some(number), "the permit in the entry is not the one in its payload");
            }
        }
        let account = payload.account.as_ref().map(|id| AccountId::from_body(body(id)));
        self.replay(number, leaf, &Target::Subject(subject.clone(), account), Some(subject), &payload.decisions);
    }
}
