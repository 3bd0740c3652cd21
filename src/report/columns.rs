//! The columns of personas that a report counts and compares.
//!
//! Invariant: no row is made of them, and nothing is read that is not asked for: a report reads every persona of two
//! snapshots at the end of each night.

use std::hash::Hasher;
use std::path::PathBuf;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, Float64Array, RecordBatch, StringArray, StructArray};
use rustc_hash::FxHasher;

use super::tally::{FACETS, NO_ROLE};
use crate::sink::{self, SinkError, Snapshot, Table};
use crate::taxonomy::FacetStatus;

/// What makes a value of a facet that is a list, in the order of [`FACETS`]; its status does so, too, but for roles.
const LISTS: [(&str, &[&str], Sign); 11] = [
    ("buying_roles", &["role"], Sign::Holds("probability")),
    ("traits", &["trait"], Sign::Pole("score")),
    ("motives", &["motive"], Sign::None),
    ("goals", &NAMED, Sign::None),
    ("buying_behaviour", &NAMED, Sign::None),
    ("information_behaviour", &NAMED, Sign::None),
    ("channels", &["phase", "channel"], Sign::None),
    ("avoided_channels", &NAMED, Sign::None),
    ("context", &NAMED, Sign::None),
    ("requirements", &NAMED, Sign::None),
    ("empathy_map", &NAMED, Sign::None),
];
const NAMED: [&str; 2] = ["name", "value"];
/// Facets with columns of their own; they come before the lists.
const PLAIN: usize = FACETS.len() - LISTS.len();
/// The values filled in from segments; tables of the first versions have none.
const SEGMENT: &str = "segment_values";

/// What a number says that is compared.
#[derive(Clone, Copy)]
enum Sign {
    None,
    /// Whether it is at least one half.
    Holds(&'static str),
    /// Whether there is one, and whether it is above 0.
    Pole(&'static str),
}

impl Sign {
    const fn column(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Holds(name) | Self::Pole(name) => Some(name),
        }
    }

    /// The column that tells whether something is held.
    const fn held(self) -> Option<&'static str> {
        if let Self::Holds(name) = self { Some(name) } else { None }
    }

    fn of(self, number: Option<f64>) -> u8 {
        match (self, number) {
            (Self::None | Self::Holds(_), None) => 0,
            (Self::Pole(_), None) => 2,
            (Self::Holds(_), Some(p)) => u8::from(p >= 0.5),
            (_, Some(score)) => u8::from(score > 0.0),
        }
    }
}

/// What a persona says, a number a facet.
pub(super) type Print = [u32; FACETS.len()];
/// What is known of each facet; `None` where it has no value at all.
pub(super) type Standings = [Option<Standing>; FACETS.len()];

/// The best status of a facet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// That of a value; of roles `known` only where one is held, as a run counts it.
    Status(FacetStatus),
    /// Roles are known, and none of them is held.
    NoRole,
}

impl Standing {
    /// How many there are.
    pub(super) const COUNT: usize = FacetStatus::ALL.len() + 1;

    /// Every one, at its index.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        FacetStatus::ALL.iter().map(|status| Self::Status(*status)).chain([Self::NoRole])
    }

    pub(super) const fn index(self) -> usize {
        match self {
            Self::Status(status) => status as usize,
            Self::NoRole => FacetStatus::ALL.len(),
        }
    }

    /// As the report has it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Status(status) => status.as_str(),
            Self::NoRole => NO_ROLE,
        }
    }
}

/// What is wanted beside the statuses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// Who, and what a persona says.
    pub prints: bool,
    /// Depth of research, notices, and what was filled in from segments.
    pub counts: bool,
}

impl Wanted {
    fn columns(self) -> Vec<String> {
        let mut names: Vec<String> = FACETS[..PLAIN].iter().map(|facet| format!("{facet}_status")).collect();
        names.extend(LISTS.iter().map(|(list, ..)| inner(list, "status")));
        if !self.prints {
            // Whether a role that is known is held.
            names.extend(LISTS.iter().filter_map(|(list, _, sign)| Some(inner(list, sign.held()?))));
        }
        if self.prints {
            names.push("subject_id".to_owned());
            names.extend(FACETS[..PLAIN].iter().map(|facet| (*facet).to_owned()));
            let value = |(list, texts, sign): &(&str, &[&str], Sign)| {
                texts.iter().copied().chain(sign.column()).map(|field| inner(list, field)).collect::<Vec<_>>()
            };
            names.extend(LISTS.iter().flat_map(value));
        }
        if self.counts {
            names.extend(["tier", "notice_status"].map(str::to_owned));
            names.extend(["facet", "value", "persons", "share"].map(|field| inner(SEGMENT, field)));
        }
        names
    }
}

/// The path of a field of a list of structs.
fn inner(list: &str, field: &str) -> String {
    format!("{list}.list.element.{field}")
}

/// Shows the personas of a snapshot, batch by batch, in their order.
pub(super) fn each_batch(
    snapshot: &Snapshot,
    wanted: Wanted,
    mut visit: impl FnMut(&Personas<'_>) -> Result<(), SinkError>,
) -> Result<(), SinkError> {
    let columns = wanted.columns();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let path = snapshot.path(Table::Personas);
    for batch in sink::read_columns(snapshot, Table::Personas, &columns)? {
        let batch = batch?;
        let corrupt = |column| SinkError::Corrupt { path: path.clone(), column };
        let facets = facets(&batch, wanted).map_err(corrupt)?;
        visit(&Personas { batch: &batch, facets, path: &path })?;
    }
    Ok(())
}

/// The name of a column that does not fit.
type Fit<T> = Result<T, String>;

fn facets(batch: &RecordBatch, wanted: Wanted) -> Fit<Vec<Facet<'_>>> {
    let rows: &dyn Fields = batch;
    let plain = FACETS[..PLAIN].iter().map(|facet| {
        let texts = if wanted.prints { vec![rows.text(facet)?] } else { Vec::new() };
        Ok(Facet {
            offsets: None,
            status: rows.text(&format!("{facet}_status"))?,
            texts,
            number: None,
            sign: Sign::None,
        })
    });
    let lists = LISTS.iter().map(|(list, texts, sign)| {
        let (offsets, items) = rows.list(list)?;
        let items: &dyn Fields = items;
        let texts = if wanted.prints { *texts } else { &[] };
        let texts = texts.iter().map(|field| items.text(field)).collect::<Fit<_>>()?;
        let number = if wanted.prints { sign.column() } else { sign.held() };
        let number = number.map(|field| items.number(field)).transpose()?;
        Ok(Facet { offsets: Some(offsets), status: items.text("status")?, texts, number, sign: *sign })
    });
    plain.chain(lists).collect()
}

/// Columns by name, of a batch or of the structs of a list.
trait Fields {
    fn column(&self, name: &str) -> Option<&dyn Array>;
}

impl Fields for RecordBatch {
    fn column(&self, name: &str) -> Option<&dyn Array> {
        self.column_by_name(name).map(AsRef::as_ref)
    }
}

impl Fields for StructArray {
    fn column(&self, name: &str) -> Option<&dyn Array> {
        self.column_by_name(name).map(AsRef::as_ref)
    }
}

impl dyn Fields + '_ {
    fn text(&self, name: &str) -> Fit<&StringArray> {
        self.column(name).and_then(|c| c.as_string_opt::<i32>()).ok_or_else(|| name.to_owned())
    }

    fn number(&self, name: &str) -> Fit<&Float64Array> {
        self.column(name).and_then(|c| c.as_primitive_opt::<Float64Type>()).ok_or_else(|| name.to_owned())
    }

    /// Where the structs of each row begin, and the structs of all rows.
    fn list(&self, name: &str) -> Fit<(&[i32], &StructArray)> {
        let list = self.column(name).and_then(|c| c.as_list_opt::<i32>()).ok_or_else(|| name.to_owned())?;
        Ok((list.value_offsets(), list.values().as_struct_opt().ok_or_else(|| name.to_owned())?))
    }
}

/// One facet of the personas of a batch.
struct Facet<'a> {
    /// `None` = one value a row.
    offsets: Option<&'a [i32]>,
    status: &'a StringArray,
    texts: Vec<&'a StringArray>,
    number: Option<&'a Float64Array>,
    sign: Sign,
}

impl Facet<'_> {
    /// Places of the values of a row.
    fn range(&self, row: usize) -> std::ops::Range<usize> {
        // Offsets of a list are never negative.
        self.offsets.map_or(row..row + 1, |at| at[row] as usize..at[row + 1] as usize)
    }

    fn best(&self, row: usize) -> Fit<Option<FacetStatus>> {
        let (mut best, mut before) = (None::<FacetStatus>, "");
        for i in self.range(row) {
            let text = self.status.value(i);
            if text != before {
                let status = text.parse().map_err(|_| "status".to_owned())?;
                best = Some(best.map_or(status, |best| best.min(status)));
                before = text;
            }
        }
        Ok(best)
    }

    /// What is known: of a role that it is not held, too, which is another answer than that it is.
    fn standing(&self, row: usize) -> Fit<Option<Standing>> {
        let best = self.best(row)?;
        if self.sign.held().is_none() || best != Some(FacetStatus::Known) {
            return Ok(best.map(Standing::Status));
        }
        let likely = |i: usize| self.number.is_some_and(|p| self.sign.of(p.is_valid(i).then(|| p.value(i))) == 1);
        let mut of_likely = self.range(row).filter(|i| likely(*i)).map(|i| self.status.value(i));
        let first = of_likely.next();
        if first.into_iter().chain(of_likely).any(|status| status == FacetStatus::Known.as_str()) {
            return Ok(Some(Standing::Status(FacetStatus::Known)));
        }
        // One may be held, and what speaks against it keeps it from being known.
        let disputed = first.map(|status| status.parse().map(Standing::Status).map_err(|_| "status".to_owned()));
        disputed.unwrap_or(Ok(Standing::NoRole)).map(Some)
    }

    /// A hash over the values; within one process, so it need not be a stable one.
    fn print(&self, row: usize, bytes: &mut Vec<u8>) -> u32 {
        bytes.clear();
        // A role is held or not, whatever keeps it from being told.
        let status = (!matches!(self.sign, Sign::Holds(_))).then_some(&self.status);
        for i in self.range(row) {
            for text in self.texts.iter().chain(status) {
                if text.is_valid(i) {
                    bytes.extend_from_slice(text.value(i).as_bytes());
                } else {
                    bytes.push(0xfe);
                }
                // In no text.
                bytes.push(0xff);
            }
            bytes.extend(self.number.map(|number| self.sign.of(number.is_valid(i).then(|| number.value(i)))));
        }
        hashed(bytes) as u32
    }
}

fn hashed(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

/// A batch of personas.
pub(super) struct Personas<'a> {
    batch: &'a RecordBatch,
    facets: Vec<Facet<'a>>,
    path: &'a PathBuf,
}

impl Personas<'_> {
    pub(super) fn len(&self) -> usize {
        self.batch.num_rows()
    }

    fn corrupt(&self, column: String) -> SinkError {
        SinkError::Corrupt { path: self.path.clone(), column }
    }

    /// What is known of each facet of a row.
    pub(super) fn standings(&self, row: usize) -> Result<Standings, SinkError> {
        let mut all = [None; FACETS.len()];
        for (standing, facet) in all.iter_mut().zip(&self.facets) {
            *standing = facet.standing(row).map_err(|column| self.corrupt(column))?;
        }
        Ok(all)
    }

    /// Shows who each row is of, by a number, and what it says.
    pub(super) fn prints(&self, mut show: impl FnMut(u64, Print)) -> Result<(), SinkError> {
        let rows: &dyn Fields = self.batch;
        let subjects = rows.text("subject_id").map_err(|column| self.corrupt(column))?;
        let mut bytes = Vec::new();
        for row in 0..self.len() {
            let mut print = [0; FACETS.len()];
            for (of_facet, facet) in print.iter_mut().zip(&self.facets) {
                *of_facet = facet.print(row, &mut bytes);
            }
            show(hashed(subjects.value(row).as_bytes()), print);
        }
        Ok(())
    }

    /// A column of texts.
    pub(super) fn texts(&self, name: &str) -> Result<&StringArray, SinkError> {
        let rows: &dyn Fields = self.batch;
        rows.text(name).map_err(|column| self.corrupt(column))
    }

    /// Shows what was filled in from segments: facet, value, people behind it, and their share.
    pub(super) fn segment_values(&self, mut show: impl FnMut(&str, &str, u32, f64)) -> Result<(), SinkError> {
        let rows: &dyn Fields = self.batch;
        if rows.column(SEGMENT).is_none() {
            return Ok(());
        }
        let columns = || {
            let (offsets, items) = rows.list(SEGMENT)?;
            let items: &dyn Fields = items;
            let persons = items.column("persons").and_then(|c| c.as_primitive_opt::<Int64Type>());
            let texts = (items.text("facet")?, items.text("value")?);
            Ok((offsets, texts, persons.ok_or_else(|| "persons".to_owned())?, items.number("share")?))
        };
        let (offsets, (facets, values), persons, shares) = columns().map_err(|column| self.corrupt(column))?;
        for i in offsets[0] as usize..offsets[self.len()] as usize {
            let people = u32::try_from(persons.value(i)).map_err(|_| self.corrupt("persons".to_owned()))?;
            show(facets.value(i), values.value(i), people, shares.value(i));
        }
        Ok(())
    }
}
