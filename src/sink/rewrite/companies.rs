//! The rows of a company that hang on its contacts, made anew from those who are left.
//!
//! Invariant: one company's personas are held at a time; what does not hang on contacts stays as the run wrote it.

use std::collections::{HashMap, HashSet};
use std::iter::Peekable;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use jiff::Timestamp;

use super::copy::Coming;
use crate::model::{Account, AccountId};
use crate::persona::account::account_row;
use crate::persona::center::buying_center;
use crate::persona::input::Offering;
use crate::persona::rows::{AccountRow, BuyingCenterRow, Persona};
use crate::sink::read::Batches;
use crate::sink::{SinkError, Snapshot, Table, decode, encode, is_formula};
use crate::taxonomy::BuyingRole;

/// The affected companies: their rows as they were, and the personas that are left, side by side in one order.
pub(super) struct Companies<'a> {
    accounts: ByCompany<AccountRow>,
    centers: ByCompany<BuyingCenterRow>,
    personas: ByCompany<Persona>,
    offering: Option<&'a Offering>,
    /// Rows that come in place of those that there were.
    anew: Option<&'a HashMap<AccountId, AccountRow>>,
}

impl<'a> Companies<'a> {
    /// `from` = the snapshot as it was, `to` = the one with the personas that are left.
    pub(super) fn open(
        from: &Snapshot,
        to: &Snapshot,
        ids: &HashSet<String>,
        offering: Option<&'a Offering>,
    ) -> Result<Self, SinkError> {
        Ok(Self {
            accounts: ByCompany::open(from, Table::Accounts, ids, decode::accounts, |r| Some(&r.account_id))?,
            centers: ByCompany::open(from, Table::BuyingCenters, ids, decode::buying_centers, |r| Some(&r.account_id))?,
            personas: ByCompany::open(to, Table::Personas, ids, decode::personas, |r| r.account_id.as_ref())?,
            offering,
            anew: None,
        })
    }

    /// Replaces rows of companies. Their buying centers are judged as before, which is by the CRM's head count alone.
    pub(super) fn with(self, anew: &'a HashMap<AccountId, AccountRow>) -> Self {
        Self { anew: Some(anew), ..self }
    }

    /// The new rows of `accounts` or `buying_centers`, company by company.
    pub(super) fn rows(
        mut self,
        table: Table,
        schema: SchemaRef,
        ids: impl Iterator<Item = AccountId>,
    ) -> impl Iterator<Item = Coming> {
        ids.filter_map(move |id| {
            let batch = self.batch(table, &schema, &id).transpose()?;
            Some(batch.map(|batch| ((Some(id.as_str().to_owned()), None), batch)))
        })
    }

    fn batch(&mut self, table: Table, schema: &SchemaRef, id: &AccountId) -> Result<Option<RecordBatch>, SinkError> {
        let row = self.accounts.take(id)?.pop();
        let stored = self.centers.take(id)?;
        let personas = self.personas.take(id)?;
        match (table, row) {
            (Table::Accounts, Some(row)) => {
                let row = self.anew.and_then(|anew| anew.get(id)).cloned().unwrap_or(row);
                encode::accounts(schema, &[account_anew(row, &personas)]).map(Some)
            }
            (Table::BuyingCenters, row) if !stored.is_empty() => {
                let centers = centers_anew(id, row.as_ref(), &stored, &personas, self.offering);
                encode::buying_centers(schema, &centers).map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// What of the row hangs on contacts, from [`account_row`]; the rest is the run's.
fn account_anew(row: AccountRow, personas: &[Persona]) -> AccountRow {
    let company = account(&row.account_id, Some(&row));
    let anew = account_row(&company, &[], personas, Timestamp::UNIX_EPOCH).expect("a company with an id has a row");
    AccountRow { segment_information_value: anew.segment_information_value, n_personas: anew.n_personas, ..row }
}

/// The buying center by [`buying_center`].
///
/// Without the offering, which an older manifest lacks, nobody can tell the next question; it may rest on somebody
/// who is gone, so it goes.
fn centers_anew(
    id: &AccountId,
    row: Option<&AccountRow>,
    stored: &[BuyingCenterRow],
    personas: &[Persona],
    offering: Option<&Offering>,
) -> Vec<BuyingCenterRow> {
    let unknown = no_offering();
    let mut anew = buying_center(&as_judged(id, row, stored), personas, offering.unwrap_or(&unknown));
    if offering.is_none() {
        for row in &mut anew {
            row.next_best_question = None;
        }
    }
    anew
}

/// The company as the run judged it.
///
/// A row takes head count and revenue from a page where the CRM has none, the buying center does not: the size that
/// it was judged by is the one that gives the stored `expected_size`.
fn as_judged(id: &AccountId, row: Option<&AccountRow>, stored: &[BuyingCenterRow]) -> Account {
    let company = account(id, row);
    let bare = |employees: bool, revenue: bool| Account {
        employees: company.employees.filter(|_| employees),
        revenue_eur: company.revenue_eur.filter(|_| revenue),
        ..company.clone()
    };
    let sizes = |rows: &[BuyingCenterRow]| -> Vec<(BuyingRole, f64)> {
        rows.iter().map(|r| (r.role, r.expected_size)).collect()
    };
    let (asked, unknown) = (sizes(stored), no_offering());
    let fits = |a: &Account| sizes(&buying_center(a, &[], &unknown)) == asked;
    let candidates = [(true, true), (true, false), (false, true), (false, false)].map(|(e, r)| bare(e, r));
    candidates.into_iter().find(fits).unwrap_or(company)
}

fn account(id: &AccountId, row: Option<&AccountRow>) -> Account {
    let Some(row) = row else { return Account { id: Some(id.clone()), ..Account::default() } };
    // The row's name may have been given a `'` because it looked like a formula; in a question it does not.
    let name = row.name.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(&row.name);
    Account {
        id: Some(id.clone()),
        name: name.to_owned(),
        employees: row.employees,
        revenue_eur: row.revenue_eur,
        ..Account::default()
    }
}

fn no_offering() -> Offering {
    use crate::persona::input::{Level, PriceBand};
    Offering {
        name: String::new(),
        category: String::new(),
        used_by: Vec::new(),
        run_by: Vec::new(),
        price_band: PriceBand::Medium,
        complexity: Level::Medium,
        adaptation: Level::Medium,
    }
}

/// Rows of chosen companies in the order of the table, taken company by company.
struct ByCompany<T> {
    rows: Peekable<Box<dyn Iterator<Item = Result<T, SinkError>>>>,
    key: fn(&T) -> Option<&AccountId>,
}

impl<T: 'static> ByCompany<T> {
    fn open(
        snapshot: &Snapshot,
        table: Table,
        ids: &HashSet<String>,
        decode: fn(&RecordBatch) -> Result<Vec<T>, decode::Misfit>,
        key: fn(&T) -> Option<&AccountId>,
    ) -> Result<Self, SinkError> {
        let path = snapshot.path(table);
        let batches = Batches::open_keyed(snapshot, table, Some(("account_id", ids.clone())), None)?;
        let rows = batches.flat_map(move |batch| {
            let decoded = batch.and_then(|b| {
                decode(&b).map_err(|e: decode::Misfit| SinkError::Corrupt { path: path.clone(), column: e.0 })
            });
            match decoded {
                Ok(rows) => rows.into_iter().map(Ok).collect::<Vec<_>>(),
                Err(e) => vec![Err(e)],
            }
        });
        let rows: Box<dyn Iterator<Item = Result<T, SinkError>>> = Box::new(rows);
        Ok(Self { rows: rows.peekable(), key })
    }

    /// The rows of one company; those of companies before it are passed over.
    fn take(&mut self, id: &AccountId) -> Result<Vec<T>, SinkError> {
        let key = self.key;
        let mut mine = Vec::new();
        while let Some(row) = self.rows.next_if(|r| r.as_ref().map_or(true, |r| key(r) <= Some(id))) {
            let row = row?;
            if key(&row) == Some(id) {
                mine.push(row);
            }
        }
        Ok(mine)
    }
}
