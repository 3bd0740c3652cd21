//! The tables of a home, for comparing two runs and for looking things up.
//!
//! Invariant: what may differ between two runs (times, attempts) is named here and nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use prosopon::ids::{DEMO_KEY, Ids};
use prosopon::model::{DecisionRow, DocumentRow, Signal, SubjectId};
use prosopon::persona::rows::{AccountRow, BuyingCenterRow, Persona};
use prosopon::sink::{self, Format, Inspect, Select, Snapshot, Table};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The demo pipeline's name and that of its CRM.
pub const PIPELINE: &str = "demo";
pub const CRM: &str = "demo-crm";

/// The current snapshot.
pub fn snapshot(home: &Path) -> Snapshot {
    sink::current(home, PIPELINE).expect("current can be read").expect("there is a snapshot")
}

/// The subject of a demo contact.
pub fn subject(record: &str) -> SubjectId {
    Ids::new(DEMO_KEY).subject(CRM, record)
}

/// Everything that a run wrote, decoded.
pub struct Tables {
    pub personas: Vec<Persona>,
    pub evidence: Vec<Signal>,
    pub accounts: Vec<AccountRow>,
    pub centers: Vec<BuyingCenterRow>,
    pub decisions: Vec<DecisionRow>,
    pub documents: Vec<DocumentRow>,
    pub dead_letters: Vec<Value>,
}

impl Tables {
    /// Reads the current snapshot of a home.
    pub fn of(home: &Path) -> Self {
        let s = snapshot(home);
        Self {
            personas: sink::read_personas(&s, &Select::All).expect("personas"),
            evidence: sink::read_evidence(&s, &Select::All).expect("evidence"),
            accounts: sink::read_accounts(&s, &Select::All).expect("accounts"),
            centers: sink::read_buying_centers(&s, &Select::All).expect("buying centers"),
            decisions: sink::read_decisions(&s, &Select::All).expect("decisions"),
            documents: sink::read_documents(&s).expect("documents"),
            dead_letters: rows_as_json(&s, Table::DeadLetters),
        }
    }

    /// A contact's persona.
    pub fn persona(&self, record: &str) -> Option<&Persona> {
        self.personas.iter().find(|p| p.crm_record == record)
    }
}

/// The rows of a table as JSON objects.
pub fn rows_as_json(snapshot: &Snapshot, table: Table) -> Vec<Value> {
    let query = Inspect { format: Format::JsonLines, ..Inspect::default() };
    let mut text = Vec::new();
    sink::inspect(snapshot, table, &query, &mut text, None).expect("a table can be shown");
    let text = String::from_utf8(text).expect("JSON is UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

/// What two runs must have in common, by table.
pub type Common = BTreeMap<&'static str, Vec<String>>;

/// What a run must share with every other run of the same inputs: four tables byte by byte, three as sets without
/// the columns of time and attempts.
pub fn common(home: &Path) -> Common {
    let s = snapshot(home);
    let mut common = Common::new();
    for table in [Table::Personas, Table::Evidence, Table::Accounts, Table::BuyingCenters] {
        let parts = s.files(table).expect("files").into_iter().map(|path| {
            let bytes = fs::read(&path).expect("a file of the snapshot");
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            format!("{name} {} bytes {}", bytes.len(), data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes)))
        });
        common.insert(table.as_str(), parts.collect());
    }
    let sets: [(Table, &[&str]); 3] = [
        (Table::Decisions, &["decided_at", "valid_until"]),
        (Table::Documents, &["attempts", "started_at", "finished_at"]),
        (Table::DeadLetters, &[]),
    ];
    for (table, without) in sets {
        let rows = rows_as_json(&s, table).into_iter().map(|mut row| {
            let columns = row.as_object_mut().expect("a row is an object");
            for column in without {
                columns.remove(*column).unwrap_or_else(|| panic!("{table} has no column {column}"));
            }
            row.to_string()
        });
        let mut rows: Vec<String> = rows.collect();
        rows.sort();
        common.insert(table.as_str(), rows);
    }
    common
}

/// Columns that tell whether a page was sent.
const OF_SENDING: [&str; 3] = ["status", "bytes", "cache"];

/// A document without the columns that tell whether it was sent, and whether it was: as a whole, or not again because it
/// had not changed; `None` = neither.
fn sent(row: &str) -> (String, Option<bool>) {
    let mut row: Value = serde_json::from_str(row).expect("a row");
    let columns = row.as_object_mut().expect("a row is an object");
    let [status, _, cache] = OF_SENDING.map(|column| columns.remove(column).expect("a column"));
    let sent = if cache == "revalidated" { Some(false) } else { (status == 200).then_some(true) };
    (row.to_string(), sent)
}

/// Two runs, had both been sent every page as a whole: in a home that had a night before, unchanged ones are not. Only pages
/// that the one run was sent and the other not are taken for equal.
pub fn as_if_sent(mut a: Common, mut b: Common) -> (Common, Common) {
    let documents = Table::Documents.as_str();
    let of = |common: &Common| common[documents].iter().map(|row| sent(row)).collect::<BTreeSet<_>>();
    let (in_a, in_b) = (of(&a), of(&b));
    let differs = |page: &str| {
        let is = |rows: &BTreeSet<_>, sent: bool| rows.contains(&(page.to_owned(), Some(sent)));
        (is(&in_a, true) && is(&in_b, false)) || (is(&in_a, false) && is(&in_b, true))
    };
    for common in [&mut a, &mut b] {
        let rows = common.get_mut(documents).expect("documents");
        for row in rows.iter_mut() {
            let (page, _) = sent(row);
            if differs(&page) {
                *row = page;
            }
        }
        rows.sort();
    }
    (a, b)
}

/// Where two runs differ, in words; empty = nowhere.
pub fn differences(a: &Common, b: &Common) -> Vec<String> {
    let mut told = Vec::new();
    for (table, rows) in a {
        let other = &b[table];
        if rows == other {
            continue;
        }
        told.push(format!("{table}: {} and {} rows or files", rows.len(), other.len()));
        told.extend(rows.iter().filter(|r| !other.contains(r)).take(3).map(|r| format!("  only first:  {r}")));
        told.extend(other.iter().filter(|r| !rows.contains(r)).take(3).map(|r| format!("  only second: {r}")));
    }
    told
}

/// What is wrong with the snapshot that `current` names: a file is missing, or is not what the manifest says.
pub fn broken(home: &Path) -> Vec<String> {
    let folder = home.join(PIPELINE);
    let line = match fs::read_to_string(folder.join("current")) {
        Ok(line) => line,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(e) => return vec![format!("current cannot be read: {e}")],
    };
    let snapshot = folder.join(line.trim_end());
    let manifest = match fs::read_to_string(snapshot.join("manifest.json")) {
        Ok(text) => serde_json::from_str::<Value>(&text).unwrap_or_default(),
        Err(e) => return vec![format!("{}: no manifest: {e}", line.trim_end())],
    };
    let mut wrong = Vec::new();
    for table in Table::ALL {
        let path = snapshot.join(table.as_str()).join("part-0.parquet");
        let facts = &manifest["snapshot"]["tables"][table.as_str()];
        match fs::read(&path) {
            Ok(bytes) => {
                let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes));
                if !facts.to_string().contains(&hash) {
                    wrong.push(format!("{table}: the manifest says {facts}, the file is {hash}"));
                }
            }
            Err(e) => wrong.push(format!("{table}: {e}")),
        }
    }
    wrong
}

#[test]
fn only_pages_that_one_run_was_sent_and_the_other_not_are_taken_for_equal() {
    let row = |host: &str, status: u16, cache: &str| {
        serde_json::json!({ "bytes": u32::from(status), "cache": cache, "host": host, "status": status }).to_string()
    };
    let night = |rows: &[String]| Common::from([(Table::Documents.as_str(), rows.to_vec())]);
    let compare = |a: &[String], b: &[String]| {
        let (a, b) = as_if_sent(night(a), night(b));
        differences(&a, &b).len()
    };
    let [whole, not_again] = [row("a.example", 200, "none"), row("a.example", 304, "revalidated")];
    assert_eq!(compare(std::slice::from_ref(&whole), std::slice::from_ref(&not_again)), 0);
    assert_eq!(compare(std::slice::from_ref(&not_again), std::slice::from_ref(&whole)), 0);
    for (status, cache) in [(404, "none"), (503, "none"), (304, "none"), (203, "fresh")] {
        assert!(compare(std::slice::from_ref(&whole), &[row("a.example", status, cache)]) > 0, "{status} {cache}");
        assert!(compare(std::slice::from_ref(&not_again), &[row("a.example", status, cache)]) > 0, "{status} {cache}");
    }
    assert!(compare(&[whole], &[row("b.example", 304, "revalidated")]) > 0);
}
