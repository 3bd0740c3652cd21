//! The files of a synthetic world: exports as a CRM writes them, the truth beside them, and a pipeline that runs them.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::people::{Company, Contact, Standing, company};
use super::{DataError, Size};
use crate::taxonomy::Language;

/// The instant at which the world stands; the demo's.
const AS_OF: &str = "2026-03-02T03:00:00Z";
/// One contact in so many has a second, older row, one has an impossible date, one row has no id.
const DIRT: u64 = 500;

/// How much was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Companies.
    pub accounts: u64,
    /// Contacts that can be read.
    pub contacts: u64,
    /// Of whom a persona may be written.
    pub personas: u64,
    /// Rows of consents, notices and withdrawals.
    pub consents: u64,
    /// Notes.
    pub notes: u64,
    /// Rows that are dead letters.
    pub dead_letters: u64,
}

/// Writes `accounts.csv`, `contacts.csv`, `consents.csv`, `notes.csv`, `truth.csv`, `policy.yaml` and `pipeline.yaml`
/// into an empty or new folder.
///
/// # Errors
/// The folder holds something, or the disk refuses.
pub fn write(to: &Path, size: Size) -> Result<Written, DataError> {
    fs::create_dir_all(to).map_err(failed(to))?;
    if fs::read_dir(to).map_err(failed(to))?.next().is_some() {
        return Err(DataError::NotEmpty(to.to_owned()));
    }
    let mut tables = Tables::create(to)?;
    let mut n = 0;
    while tables.written.contacts < size.contacts {
        tables.company(company(size.seed, n, size.notes), size.contacts)?;
        n += 1;
    }
    let written = tables.finish()?;
    put(&to.join("policy.yaml"), include_str!("../../../config/policy/demo.yaml"))?;
    put(&to.join("pipeline.yaml"), &pipeline(size))?;
    Ok(written)
}

fn failed(path: &Path) -> impl Fn(io::Error) -> DataError {
    let path = path.to_owned();
    move |source| DataError::Write { path: path.clone(), source }
}

fn put(path: &Path, text: &str) -> Result<(), DataError> {
    File::create(path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed(path))
}

/// One CSV file.
struct Table {
    path: PathBuf,
    csv: csv::Writer<BufWriter<File>>,
}

impl Table {
    fn create(folder: &Path, name: &str, header: &[&str]) -> Result<Self, DataError> {
        let path = folder.join(name);
        let file = File::create(&path).map_err(failed(&path))?;
        let mut table = Self { csv: csv::Writer::from_writer(BufWriter::new(file)), path };
        table.row(header)?;
        Ok(table)
    }

    fn row<T: AsRef<[u8]>>(&mut self, cells: &[T]) -> Result<(), DataError> {
        self.csv.write_record(cells).map_err(io::Error::from).map_err(failed(&self.path))
    }

    fn finish(mut self) -> Result<(), DataError> {
        self.csv.flush().map_err(failed(&self.path))
    }
}

struct Tables {
    accounts: Table,
    contacts: Table,
    consents: Table,
    notes: Table,
    truth: Table,
    today: Date,
    written: Written,
}

const ACCOUNTS: [&str; 11] = [
    "account id",
    "account name",
    "domain",
    "legal form",
    "industry",
    "nace code",
    "country",
    "city",
    "employees",
    "revenue eur",
    "founded",
];
const CONTACTS: [&str; 10] = [
    "contact id",
    "account id",
    "first name",
    "last name",
    "email",
    "job title",
    "language",
    "country",
    "do not contact",
    "last modified",
];
const CONSENTS: [&str; 13] = [
    "event id",
    "contact id",
    "kind",
    "basis",
    "purposes",
    "source classes",
    "valid from",
    "valid to",
    "recorded at",
    "method",
    "notice id",
    "wording hash",
    "language",
];
const NOTES: [&str; 7] = ["note id", "contact id", "account id", "kind", "written at", "language", "text"];
const TRUTH: [&str; 7] = ["contact_id", "account_id", "persona", "profile", "job_function", "seniority", "stated"];

impl Tables {
    fn create(to: &Path) -> Result<Self, DataError> {
        let as_of: Timestamp = AS_OF.parse().expect("an instant");
        Ok(Self {
            accounts: Table::create(to, "accounts.csv", &ACCOUNTS)?,
            contacts: Table::create(to, "contacts.csv", &CONTACTS)?,
            consents: Table::create(to, "consents.csv", &CONSENTS)?,
            notes: Table::create(to, "notes.csv", &NOTES)?,
            truth: Table::create(to, "truth.csv", &TRUTH)?,
            today: jiff::tz::Offset::UTC.to_datetime(as_of).date(),
            written: Written::default(),
        })
    }

    fn company(&mut self, company: Company, most: u64) -> Result<(), DataError> {
        self.written.accounts += 1;
        self.accounts.row(&[
            &company.id,
            &company.name,
            &company.domain,
            company.legal_form,
            company.industry,
            company.nace,
            company.country,
            company.city,
            &company.employees.to_string(),
            &company.revenue_eur.to_string(),
            &company.founded.to_string(),
        ])?;
        for contact in &company.contacts {
            if self.written.contacts == most {
                break;
            }
            self.contact(&company, contact)?;
        }
        Ok(())
    }

    fn contact(&mut self, company: &Company, contact: &Contact) -> Result<(), DataError> {
        self.written.contacts += 1;
        let n = self.written.contacts;
        let id = format!("K-{n:08}");
        let language = contact.language.as_str();
        let title = contact.title.unwrap_or_default();
        let stop = if contact.standing == Standing::OptedOut { "yes" } else { "no" };
        let row = |id: &str, title: &str, updated: &str| {
            let (given, family, email) = (contact.given, contact.family.as_str(), contact.email.as_str());
            [id, &company.id, given, family, email, title, language, company.country, stop, updated].map(str::to_owned)
        };
        let updated = self.before(contact.updated);
        self.contacts.row(&row(&id, title, &updated))?;
        if n % DIRT == 7 {
            self.contacts.row(&row(&id, "Trainee", &self.before(contact.updated + 800)))?;
            self.written.dead_letters += 1;
        }
        if n % DIRT == 77 {
            self.contacts.row(&row("", title, &updated))?;
            self.written.dead_letters += 1;
        }
        self.legal(&id, contact)?;
        for (i, note) in contact.notes.iter().enumerate() {
            self.written.notes += 1;
            let written = format!("{}T09:30:00Z", self.before(note.written));
            self.notes.row(&[&format!("N-{n}-{i}"), &id, &company.id, note.kind, &written, language, &note.text])?;
        }
        let (persona, profile) = contact.standing.expected();
        self.written.personas += u64::from(persona);
        let stated: Vec<&str> = contact.stated.iter().map(String::as_str).collect();
        self.truth.row(&[
            id.as_str(),
            &company.id,
            if persona { "yes" } else { "no" },
            if profile { "yes" } else { "no" },
            contact.function.as_str(),
            contact.seniority.as_str(),
            &stated.join("|"),
        ])
    }

    /// What the contact said, as rows of legal events.
    fn legal(&mut self, id: &str, contact: &Contact) -> Result<(), DataError> {
        let (given, ended) = (self.before(300), self.before(30));
        let both = "persona_enrichment|profiling";
        let consent =
            |purposes, from, to| Row { kind: "grant", basis: "6(1)(a)", purposes, from, to, method: "double_opt_in" };
        let later = self.before(-400);
        let rows = match contact.standing {
            Standing::Full => vec![consent(both, given, later)],
            Standing::Enrichment | Standing::OptedOut => vec![consent("persona_enrichment", given, later)],
            Standing::Ended => vec![consent(both, self.before(700), ended)],
            Standing::Withdrawn => {
                let withdrawn = Row { kind: "withdraw", method: "phone", ..consent(both, ended, String::new()) };
                vec![consent(both, given, later), withdrawn]
            }
            Standing::Told => {
                let to = self.before(-60);
                let interest =
                    Row { basis: "6(1)(f)", method: "assessment", ..consent("persona_enrichment", given.clone(), to) };
                let notice = Row { kind: "notice", method: "letter", to: String::new(), ..interest.clone() };
                vec![interest, notice]
            }
            Standing::Nothing => Vec::new(),
        };
        for row in rows {
            self.written.consents += 1;
            let wording = if row.basis == "6(1)(a)" && row.kind == "grant" { WORDING } else { "" };
            self.consents.row(&[
                format!("E-{}", self.written.consents).as_str(),
                id,
                row.kind,
                row.basis,
                row.purposes,
                if row.kind == "withdraw" { "" } else { "crm|company_site" },
                &row.from,
                &row.to,
                &format!("{}T08:15:00Z", row.from),
                row.method,
                if contact.language == Language::German { "DE-2025-2" } else { "EN-2025-1" },
                wording,
                contact.language.as_str(),
            ])?;
        }
        Ok(())
    }

    fn before(&self, days: i64) -> String {
        self.today.saturating_sub(days.days()).to_string()
    }

    fn finish(self) -> Result<Written, DataError> {
        for table in [self.accounts, self.contacts, self.consents, self.notes, self.truth] {
            table.finish()?;
        }
        Ok(self.written)
    }
}

/// A row of `consents.csv`.
#[derive(Clone)]
struct Row {
    kind: &'static str,
    basis: &'static str,
    purposes: &'static str,
    from: String,
    to: String,
    method: &'static str,
}

/// The hash of a wording that nobody wrote.
const WORDING: &str = "sha256:1cfb9990c647dd9435889c05d593f89aba526fa5ae771f70da95d689b699e8dc";

fn pipeline(size: Size) -> String {
    format!(
        "# A synthetic world: everybody in it is invented, and what is true of them stands in truth.csv.
# Made by: prosopon demo-data --contacts {contacts} --seed {seed} --notes {notes} --to DIR
# Nothing is fetched: what can be known is in the exports.
version: 1
name: synthetic
controller: Prosopon Demo Controller
as_of: {AS_OF}

crm:
  files:
    name: synthetic-crm
    contacts: {{ path: contacts.csv }}
    accounts: {{ path: accounts.csv }}
    consents: {{ path: consents.csv }}
    notes: {{ path: notes.csv }}

offering:
  name: Driverless transport system
  category: machine
  used_by: [production, logistics_supply_chain]
  run_by: [it, maintenance_facility]
  price_band: high
  complexity: high
  adaptation: medium

policy:
  file: policy.yaml
  purpose: persona_enrichment

extract:
  languages: [de, en]

output:
  home: home
  keep_snapshots: 2

budgets:
  # One row in 250 is a mess on purpose.
  dead_letter_share: 0.02

network: demo
",
        contacts = size.contacts,
        seed = size.seed,
        notes = size.notes,
    )
}
