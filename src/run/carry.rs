//! A night of changes: those alone are worked on whose rows in the CRM's exports have changed, and laid over the last snapshot.
//!
//! Invariant: a row is carried over only while all that it was made of stands: the rows of the exports, pipeline, policy and
//! program, what its permits rest on, and what people have said. Where one of these is in doubt, everybody is worked on.

mod letters;
mod rows;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, RecordBatch, StringArray};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::audit::{Kind, LogReader, leaf, manifest};
use crate::config::{Encryption, Plan};
use crate::consent::ledger::Ledger;
use crate::consent::policy::Policy;
use crate::consent::reason::Reason;
use crate::crm::{Before, Concerned, CrmError, FileFacts, Found, Tag, TonightsRows};
use crate::ids::{Ids, subject_of};
use crate::keys::Vault;
use crate::model::SubjectId;
use crate::run::engine::{Options, RunError};
use crate::run::home::Home;
use crate::run::summary::{Counts, Summary};
use crate::sink::{self, HomeLock, Snapshot, SnapshotWriter, Table, Worked};
use letters::Told;

pub(super) use rows::KeptRows;

/// Whoever's permits rest on something that ends within this time is worked on: a run takes a while, and its tables are
/// read until the next one.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);
/// After so many runs one works on everybody: each is looked for in the log when a snapshot is held against it.
const MOST_RUNS: usize = 64;
/// So many of the log's newest entries are searched for the one that announced the last snapshot, some at once.
const ENTRIES: u64 = 65_536;
const AT_ONCE: u64 = 4096;
/// Why everybody is worked on now and then.
const DUE: &str = "it is time for it";

/// The last snapshot, to carry rows over from.
#[derive(Debug)]
pub(super) struct Carry {
    before: Snapshot,
    manifest: Value,
    /// The names of the files that it was made of.
    files: HashSet<String>,
    /// The hash of what was kept of their rows.
    rows: String,
    told: Told,
    /// Dead letters that are about a row of a company, and whether that one is concerned.
    letters: HashMap<Tag, bool>,
    /// The clock of the last run that worked on everybody.
    full_at: Timestamp,
    /// Runs that it may have rows of beside its own.
    runs: Vec<String>,
    worked: Worked,
    concerned: Option<Arc<Concerned>>,
    is_laid_over: bool,
}

impl Carry {
    /// The last snapshot, if rows can be carried over from it, and the home's lock, which is held from here on where one is
    /// looked at.
    pub fn open(
        settings: (&Plan, &Policy),
        options: &Options,
        home: &Path,
        times: (Timestamp, Timestamp),
    ) -> Result<(Option<HomeLock>, Option<Self>), RunError> {
        let plan = settings.0;
        if !can_carry(plan, options) || options.full || !matches!(sink::current(home, plan.name()), Ok(Some(_))) {
            return Ok((None, None));
        }
        let lock = HomeLock::acquire(home)?;
        Ok((Some(lock), Self::of(settings, home, times)))
    }

    /// The last snapshot, if rows can be carried over from it; else everybody is to be worked on.
    fn of((plan, policy): (&Plan, &Policy), home: &Path, (as_of, now): (Timestamp, Timestamp)) -> Option<Self> {
        // What is damaged is told by whoever needs it.
        let before = sink::current(home, plan.name()).ok().flatten()?;
        let everybody = |why: &str| {
            if why == DUE {
                tracing::info!("everybody is worked on: {why}");
            } else {
                tracing::warn!("everybody is worked on: {why}");
            }
            None
        };
        let Some(carry) = before.manifest().ok().and_then(|manifest| Self::read(before, manifest)) else {
            return everybody("the last snapshot tells nothing to carry rows over by");
        };
        if let Some(why) = carry.differs(plan, policy).or_else(|| carry.is_old(plan, policy, (as_of, now))) {
            return everybody(why);
        }
        match sink::rows_hash(&carry.before) {
            Some(there) if there == carry.rows => {
                if !crate::crm::is_readable_rows(&sink::rows_path(&carry.before)).is_ok_and(|is| is) {
                    return everybody("what was kept of the last run's rows is of another version of the program");
                }
            }
            Some(_) => return everybody("what was kept of the last run's rows is not as its manifest has it"),
            None => {
                return everybody(
                    "what was kept of the last run's rows is gone, after an erasure or a sweep for instance",
                );
            }
        }
        if !carry.is_whole() {
            return everybody("tables of the last snapshot are not as its manifest has them");
        }
        let facts = sink::FileFacts { policy_hash: policy.hash().to_owned() };
        if !sink::is_written_as_today(&carry.before, &facts).is_ok_and(|is| is) {
            return everybody(
                "tables of the last snapshot were written with other columns, or describe them otherwise",
            );
        }
        Some(carry)
    }

    fn read(before: Snapshot, manifest: Value) -> Option<Self> {
        let said = manifest["carry_over"].as_object()?;
        let texts = |name: &str| -> Option<Vec<String>> {
            said.get(name)?.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
        };
        Some(Self {
            before,
            files: texts("files")?.into_iter().collect(),
            rows: said.get("rows")?.as_str()?.to_owned(),
            told: Told::default(),
            letters: HashMap::new(),
            runs: texts("runs")?,
            full_at: said.get("full_at")?.as_str()?.parse().ok()?,
            manifest,
            worked: Worked::default(),
            concerned: None,
            is_laid_over: false,
        })
    }

    /// Whether it was made in another way.
    fn differs(&self, plan: &Plan, policy: &Policy) -> Option<&'static str> {
        let is = |value: &Value, expected: &str| value.as_str() == Some(expected);
        let manifest = &self.manifest;
        if !is(&manifest["plan_hash"], plan.hash()) {
            Some("the pipeline has changed")
        } else if !is(&manifest["policy_hash"], policy.hash()) {
            Some("the policy has changed")
        } else if !is(&manifest["software_version"], env!("CARGO_PKG_VERSION"))
            || !is(&manifest["carry_over"]["model"], crate::audit::model_hash())
        {
            Some("the program has changed")
        } else if !is(&manifest["carry_over"]["code"], &leaf::code()) {
            // The version alone does not tell: what was decided by other rules may come out differently today.
            Some("the rules of the gate have changed")
        } else {
            None
        }
    }

    /// Whether too much time has gone by.
    fn is_old(&self, plan: &Plan, policy: &Policy, (as_of, now): (Timestamp, Timestamp)) -> Option<&'static str> {
        let time = |name: &str| self.manifest[name].as_str().and_then(|text| text.parse::<Timestamp>().ok());
        let days = SignedDuration::from_hours(24 * i64::from(plan.output().carry_over_days));
        let day = |at: Timestamp| Offset::UTC.to_datetime(at).date();
        let Some((before, decided)) = time("as_of").zip(time("gate_time").or_else(|| time("published_at"))) else {
            return Some("the last snapshot does not say when it was made");
        };
        // What an assessment that has come into force since permits was refused then.
        let is_new = |from: jiff::civil::Date| day(decided) <= from && from <= day(now);
        if as_of.duration_since(self.full_at) >= days || self.runs.len() >= MOST_RUNS {
            Some(DUE)
        } else if as_of < before.max(self.full_at) {
            Some("the last snapshot is of a later time")
        } else if day(decided) != day(now) && policy.file().assessments.values().any(|a| is_new(a.approved_at)) {
            Some("an assessment has come into force")
        } else {
            None
        }
    }

    /// Whether its tables are those of its manifest.
    fn is_whole(&self) -> bool {
        let is = |table: Table| {
            let noted = self.manifest.pointer(&format!("/snapshot/tables/{table}/sha256"));
            noted.is_some_and(|noted| sink::table_hash(&self.before, table).is_ok_and(|hash| *noted == *hash))
        };
        Table::ALL.into_iter().all(is)
    }

    /// Whether the log has announced it, tables and manifest: nothing that was put in its place is carried over.
    ///
    /// # Errors
    /// The log cannot be read.
    fn is_announced(&self, home: &Home) -> Result<bool, RunError> {
        let log = LogReader::open(&home.audit_place())?;
        let (pipeline, run) = (self.manifest["pipeline"].as_str(), self.before.run_id());
        let mut end = log.size();
        let oldest = end.saturating_sub(ENTRIES);
        while end > oldest {
            let start = end.saturating_sub(AT_ONCE).max(oldest);
            let mut newest = None;
            log.each(start..end, &mut |_, leaf| {
                let text = |name: &str| leaf.facts.get(name).and_then(Value::as_str);
                if matches!(leaf.kind, Kind::Publish | Kind::Rewrite)
                    && text("snapshot") == Some(run)
                    && text("pipeline") == pipeline
                {
                    newest = Some(leaf);
                }
                ControlFlow::Continue(())
            })?;
            if let Some(leaf) = newest {
                let noted = |table: &str| {
                    let hash = self.manifest.pointer(&format!("/snapshot/tables/{table}/sha256"))?.as_str()?;
                    Some(home.ids().commitment("table", hash.as_bytes()))
                };
                let told = leaf.facts.get("tables").and_then(Value::as_object);
                let told = |table: &str| told?.get(table)?.as_str().map(str::to_owned);
                let same = |table: Table| noted(table.as_str()).is_some_and(|hash| told(table.as_str()) == Some(hash));
                let whole = leaf.facts.get(manifest::FACT).and_then(Value::as_str);
                return Ok(Table::ALL.into_iter().all(same)
                    && whole == Some(&manifest::commitment(home.ids(), &self.manifest)));
            }
            end = start;
        }
        Ok(false)
    }

    /// Finds out who must be worked on.
    pub fn find(&mut self, rows: TonightsRows) -> Result<Arc<Concerned>, RunError> {
        self.told = Told::of(&self.before, &self.files)?;
        let path = sink::rows_path(&self.before);
        let before = Before { path: &path, told: &self.told.subjects, letters: &self.told.rows };
        let Found { concerned, changed, letters } = rows.against(&before)?;
        self.worked.subjects.extend(changed.iter().map(|tag| subject_of(tag).as_str().to_owned()));
        self.letters = letters;
        let concerned = Arc::new(concerned);
        self.concerned = Some(Arc::clone(&concerned));
        Ok(concerned)
    }

    /// Who must be worked on whatever the rows say: of whom the ledger has news, whose permits rest on what ends soon, and
    /// who was refused because a consent had not begun.
    pub fn anew(&self, (vault, ledger): (&Vault, &Ledger), now: Timestamp) -> Result<Worked, RunError> {
        // Without one that can be read, everything is news.
        let head = self.manifest["ledger"]["head"].as_u64().unwrap_or(0);
        let news = ledger.spoken_of_since(vault, head)?;
        let mut anew = Worked::default();
        anew.subjects.extend(news.iter().map(|subject| subject.as_str().to_owned()));
        let soon = now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX).as_microsecond();
        let not_yet = Reason::NotYetValid.to_string();
        let columns = ["account_id", "subject_id", "reasons", "holds_until"];
        for batch in sink::read_columns(&self.before, Table::Decisions, &columns)? {
            let batch = batch?;
            for row in 0..batch.num_rows() {
                let subject = text(&batch, "subject_id", row);
                let is_news = subject.is_some_and(|id| anew.subjects.contains(id));
                if is_news || ends(&batch, row).is_some_and(|end| end <= soon) || has_reason(&batch, row, &not_yet) {
                    match text(&batch, "account_id", row) {
                        Some(account) => drop(anew.accounts.insert(account.to_owned())),
                        None => anew.subjects.extend(subject.map(str::to_owned)),
                    }
                }
            }
        }
        Ok(anew)
    }

    /// Takes note of contacts who are worked on.
    pub fn works_on<'s>(&mut self, subjects: impl IntoIterator<Item = &'s SubjectId>) {
        self.worked.subjects.extend(subjects.into_iter().map(|subject| subject.as_str().to_owned()));
    }

    /// Lays what was written over the last snapshot.
    pub fn carry_over(&mut self, ids: &Ids, writer: &mut SnapshotWriter, counts: &mut Counts) -> Result<(), RunError> {
        let Some(concerned) = self.concerned.take() else { return Ok(()) };
        let mut worked = std::mem::take(&mut self.worked);
        sink::each_account(&self.before, |row| {
            if concerned.company(&row.crm_record) {
                worked.accounts.insert(row.account_id.as_str().to_owned());
            }
        })?;
        self.told.settle(&std::mem::take(&mut self.letters), ids, &mut worked);
        let done = writer.carry_over(&self.before, worked)?;
        if let Ok(before) = Summary::from_manifest(Path::new(""), &self.before) {
            counts.carry_over(before.counts, &done, writer);
        }
        self.is_laid_over = true;
        Ok(())
    }

    /// Whether rows were carried over.
    pub const fn is_laid_over(&self) -> bool {
        self.is_laid_over
    }

    /// The snapshot that rows are carried over from.
    pub const fn before(&self) -> &Snapshot {
        &self.before
    }

    /// Its run.
    pub fn run_id(&self) -> &str {
        self.before.run_id()
    }
}

/// What rows are carried over from, if the log has announced it as it is.
pub(super) fn announced(carry: Option<Carry>, home: Option<&Home>) -> Result<Option<Carry>, RunError> {
    let (Some(carry), Some(home)) = (carry, home) else { return Ok(None) };
    if carry.is_announced(home)? {
        return Ok(Some(carry));
    }
    tracing::warn!(
        "everybody is worked on: the log has not announced the last snapshot as it is; see `prosopon audit verify`"
    );
    Ok(None)
}

fn text<'b>(batch: &'b RecordBatch, name: &str, row: usize) -> Option<&'b str> {
    let column: &StringArray = batch.column_by_name(name)?.as_string_opt::<i32>()?;
    column.is_valid(row).then(|| column.value(row))
}

/// Until when the permit of a row of `decisions` could be given again; `None` = it has no end, or there is none.
fn ends(batch: &RecordBatch, row: usize) -> Option<i64> {
    let ends = batch.column_by_name("holds_until")?.as_primitive_opt::<TimestampMicrosecondType>()?;
    ends.is_valid(row).then(|| ends.value(row))
}

fn has_reason(batch: &RecordBatch, row: usize, reason: &str) -> bool {
    let all = batch.column_by_name("reasons").and_then(|column| column.as_list_opt::<i32>());
    let of_row = all.filter(|all| all.is_valid(row)).map(|all| all.value(row));
    let is = |texts: &StringArray| texts.iter().any(|text| text == Some(reason));
    of_row.is_some_and(|of_row| of_row.as_string_opt::<i32>().is_some_and(is))
}

/// Whether rows of such a run can be carried over, and into it: all contacts come from files, nothing is fetched, and nothing
/// is known of one by what others say.
pub(super) fn can_carry(plan: &Plan, options: &Options) -> bool {
    let whole = options.limit.is_none() && !options.dry_run && options.replay.is_none() && !options.record;
    let of_files = plan.crm().legal.is_empty() && !plan.sources().any() && plan.tiers().segment_from_eur.is_none();
    plan.output().carry_over_days > 0 && plan.output().encryption == Encryption::None && whole && of_files
}

/// What the next run must know to carry rows over from this one, and which earlier ones this one may have rows of; `None` =
/// nothing can be.
///
/// # Errors
/// A file is not what it was when the run looked who is concerned.
pub(super) fn note(
    files: &[FileFacts],
    as_of: Timestamp,
    kept: Option<KeptRows>,
    mut carry: Option<&mut Carry>,
) -> Result<Option<(Value, KeptRows)>, RunError> {
    let Some(kept) = kept else { return Ok(None) };
    if let Some(file) = changed(files, &kept.files).or_else(|| changed(&kept.files, files)) {
        if carry.is_some() {
            return Err(CrmError::Changed { path: file.path.clone() }.into());
        }
        tracing::warn!("the next run will work on everybody: {} was changed while it was read", file.path.display());
        return Ok(None);
    }
    let names: BTreeSet<String> = files.iter().map(|file| file.name.clone()).collect();
    if let Some(carry) = &mut carry {
        carry.worked.files = carry.files.iter().chain(&names).cloned().collect();
    }
    let carry = carry.as_deref();
    let runs = carry.into_iter().flat_map(|c| c.runs.iter().map(String::as_str).chain([c.run_id()]));
    let said = json!({
        "files": names,
        "rows": kept.sha256,
        "full_at": carry.map_or(as_of, |carry| carry.full_at).to_string(),
        "runs": runs.collect::<Vec<_>>(),
        "model": crate::audit::model_hash(),
        "code": leaf::code(),
    });
    Ok(Some((said, kept)))
}

/// The first file that is not among others as it is.
fn changed<'f>(files: &'f [FileFacts], others: &[FileFacts]) -> Option<&'f FileFacts> {
    let others: HashSet<_> = others.iter().map(FileFacts::content).collect();
    files.iter().find(|file| !others.contains(&file.content()))
}
