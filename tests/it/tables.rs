//! The tables of a home, for comparing two runs and for looking things up.
//!
//! Invariant: what may differ between two runs (times, attempts) is named here and nowhere else.

use std::collections::BTreeMap;
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

/// The same, had every page been sent as a whole: in a home that had a night before, unchanged ones are not.
pub fn as_if_sent(mut common: Common) -> Common {
    let without = |row: &String| {
        let mut row: Value = serde_json::from_str(row).expect("a row");
        let columns = row.as_object_mut().expect("a row is an object");
        for column in ["status", "bytes", "cache"] {
            columns.remove(column).expect("a column");
        }
        row.to_string()
    };
    let mut rows: Vec<String> = common[Table::Documents.as_str()].iter().map(without).collect();
    rows.sort();
    common.insert(Table::Documents.as_str(), rows);
    common
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
