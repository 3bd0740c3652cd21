//! What the next night needs to know of tonight's rows, in a file.
//!
//! Invariant: the file holds keyed hashes and numbers, nothing that stood in a row, and nothing of whoever was erased; it is
//! written and read as a stream.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::concerned::{Before, Tag};
use super::graph::Graph;
use super::prints::Print;
use super::trail::{Number, Trail, what};
use crate::blocks::BlockError;
use crate::crm::CrmError;
use crate::run::files::private_dir;

/// What the file begins with; another layout has another number.
const MAGIC: [u8; 16] = *b"prosopon-rows/2\n";
/// In the place of a print: whoever it was, was erased.
const NOBODY: Print = [0; 2];
/// Marks the number of one whose rows have changed.
const CHANGED: u32 = 1 << 31;

fn failed(action: &'static str, path: &Path) -> impl Fn(io::Error) -> CrmError {
    let path = path.to_owned();
    move |source| BlockError { action, path: path.clone(), source }.into()
}

/// A file that is written.
struct Out {
    path: PathBuf,
    file: BufWriter<File>,
    hash: Sha256,
}

impl Out {
    fn create(path: PathBuf) -> Result<Self, CrmError> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        let file = BufWriter::with_capacity(1 << 16, file.map_err(failed("create", &path))?);
        Ok(Self { path, file, hash: Sha256::new() })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), CrmError> {
        self.hash.update(bytes);
        self.file.write_all(bytes).map_err(failed("write", &self.path))
    }

    fn number(&mut self, number: u32) -> Result<(), CrmError> {
        self.put(&number.to_le_bytes())
    }

    fn print(&mut self, print: Print) -> Result<(), CrmError> {
        print.into_iter().try_for_each(|half| self.put(&half.to_le_bytes()))
    }

    fn trail(&mut self, trail: &Trail) -> Result<(), CrmError> {
        self.print(trail.rows)?;
        self.put(&trail.places.to_le_bytes())
    }

    fn pair(&mut self, (a, b): (Number, Number)) -> Result<(), CrmError> {
        self.number(a)?;
        self.number(b)
    }

    fn close(self) -> Result<(PathBuf, String), CrmError> {
        let file = self.file.into_inner().map_err(|error| failed("write", &self.path)(error.into_error()))?;
        file.sync_all().map_err(failed("write", &self.path))?;
        Ok((self.path, data_encoding::HEXLOWER.encode(&self.hash.finalize())))
    }
}

/// A file that is read.
struct In {
    path: PathBuf,
    file: BufReader<File>,
}

impl In {
    fn open(path: &Path) -> Result<Self, CrmError> {
        let file = File::open(path).map_err(failed("read", path))?;
        Ok(Self { path: path.to_owned(), file: BufReader::with_capacity(1 << 16, file) })
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], CrmError> {
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes).map_err(failed("read", &self.path))?;
        Ok(bytes)
    }

    fn number(&mut self) -> Result<u32, CrmError> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    fn long(&mut self) -> Result<u64, CrmError> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    fn print(&mut self) -> Result<Print, CrmError> {
        Ok([self.long()?, self.long()?])
    }

    /// How many there are of each.
    fn counts(&mut self) -> Result<[u64; 7], CrmError> {
        if self.take::<16>()? != MAGIC {
            let source = io::Error::other("it is of another version");
            return Err(failed("read", &self.path)(source));
        }
        let mut counts = [0; 7];
        for count in &mut counts {
            *count = self.long()?;
        }
        Ok(counts)
    }
}

/// What is put by while the tables are read, in the order of the numbers.
pub(super) struct Work {
    records: Out,
    companies: Out,
    letters: Out,
    letters_of_companies: usize,
}

impl Work {
    pub(super) fn create(folder: &Path) -> Result<Self, CrmError> {
        private_dir(folder).map_err(failed("create folder", folder))?;
        let out = |name| Out::create(folder.join(name));
        let (records, companies, letters) = (out("records")?, out("companies")?, out("letters")?);
        Ok(Self { records, companies, letters, letters_of_companies: 0 })
    }

    fn read(self) -> Result<[In; 3], CrmError> {
        let read = |out: Out| In::open(&out.close()?.0);
        Ok([read(self.records)?, read(self.companies)?, read(self.letters)?])
    }

    pub(super) fn record(&mut self, print: Print, tag: Tag) -> Result<(), CrmError> {
        self.records.print(print)?;
        self.records.put(&tag)
    }

    pub(super) fn company(&mut self, print: Print) -> Result<(), CrmError> {
        self.companies.print(print)
    }

    /// What dead letters call a row of a company, if there are any.
    pub(super) fn letter(&mut self, company: Number, tags: [Tag; 2]) -> Result<(), CrmError> {
        self.letters_of_companies += 1;
        self.letters.number(company)?;
        tags.iter().try_for_each(|tag| self.letters.put(tag))
    }
}

/// Writes the file; tells its SHA-256.
pub(super) fn write(graph: &Graph, work: Work, folder: &Path) -> Result<(PathBuf, String), CrmError> {
    let letters_of_companies = work.letters_of_companies;
    let [mut records, mut companies, mut letters] = work.read()?;
    let rows = || graph.rows.iter().filter_map(|(record, company)| Some((*record, (*company)?)));
    let [merged, merged_companies] = &graph.merged;
    // Somebody who was erased may have had a row before it was known that it is theirs.
    let marks = || graph.marks.iter().filter(|(_, record)| !graph.records.has(*record, what::ERASED));
    let lengths = [graph.records.len(), graph.companies.len(), rows().count(), merged.len(), merged_companies.len()];
    let lengths = lengths.into_iter().chain([marks().count(), letters_of_companies]);
    let mut out = Out::create(folder.join("rows"))?;
    out.put(&MAGIC)?;
    lengths.into_iter().try_for_each(|length| out.put(&(length as u64).to_le_bytes()))?;
    for (trail, flags) in graph.records.trails.iter().zip(&graph.records.what) {
        let (print, tag) = (records.print()?, records.take::<16>()?);
        if flags & what::ERASED == 0 {
            out.print(print)?;
            out.put(&tag)?;
            out.trail(trail)?;
        } else {
            out.print(NOBODY)?;
            out.put(&[0; 16 + 24])?;
        }
    }
    for trail in &graph.companies.trails {
        out.print(companies.print()?)?;
        out.trail(trail)?;
    }
    rows().try_for_each(|row| out.pair(row))?;
    graph.merged.iter().flatten().try_for_each(|merged| out.pair(*merged))?;
    for (mark, record) in marks() {
        out.print(*mark)?;
        out.number(*record)?;
    }
    for _ in 0..letters_of_companies {
        out.put(&letters.take::<36>()?)?;
    }
    for done in [records, companies, letters] {
        std::fs::remove_file(&done.path).map_err(failed("remove", &done.path))?;
    }
    out.close()
}

/// What of the last time stands no longer.
#[derive(Default)]
pub(super) struct Changed {
    /// Whose rows are other ones, or gone.
    pub(super) subjects: Vec<Tag>,
    /// Dead letters that are about a row of a company.
    pub(super) letters: Vec<(Tag, Number)>,
}

/// Finds out whose rows are other ones than the last time, or new, or gone; ties them to those to whom they were tied then.
pub(super) fn hold_against(graph: &mut Graph, before: &Before<'_>) -> Result<Changed, CrmError> {
    let mut old = In::open(before.path)?;
    let [records, companies, rows, merged, merged_companies, marks, letters] = old.counts()?;
    let mut changed = Changed::default();
    let there = [graph.records.len(), graph.companies.len()];
    let records = old_records(&mut old, records, graph, before.told, &mut changed)?;
    let companies = old_companies(&mut old, companies, graph)?;
    for (side, there) in [&mut graph.records, &mut graph.companies].into_iter().zip(there) {
        let known = side.what[..there].iter().map(|flags| flags & what::KNOWN != 0);
        side.is.iter_mut().zip(known).filter(|(_, known)| !known).for_each(|(is, _)| *is = true);
    }
    let damaged = || failed("read", before.path)(io::Error::other("it is damaged"));
    let of = |numbers: &[u32], at: u32| numbers.get(at as usize).copied().ok_or_else(damaged);
    let is_changed = |number: u32| number & CHANGED != 0 && number != NOBODYS;
    for _ in 0..rows {
        let (record, company) = (of(&records, old.number()?)?, of(&companies, old.number()?)?);
        if is_changed(record) {
            graph.rows.push((record & !CHANGED, Some(company & !CHANGED)));
        }
    }
    for (side, count, numbers) in [(0, merged, &records), (1, merged_companies, &companies)] {
        for _ in 0..count {
            let (stated, tied) = (of(numbers, old.number()?)?, of(numbers, old.number()?)?);
            if is_changed(stated) && tied != NOBODYS {
                graph.merged[side].push((stated & !CHANGED, tied & !CHANGED));
            }
        }
    }
    for _ in 0..marks {
        let (mark, record) = (old.print()?, of(&records, old.number()?)?);
        if is_changed(record) {
            graph.marks.push((mark, record & !CHANGED));
        }
    }
    for _ in 0..letters {
        let company = of(&companies, old.number()?)? & !CHANGED;
        for tag in [old.take()?, old.take()?] {
            if before.letters.contains(&tag) {
                graph.companies.add(company, what::TOLD);
                changed.letters.push((tag, company));
            }
        }
    }
    Ok(changed)
}

/// The number of whoever was erased.
const NOBODYS: u32 = u32::MAX;

/// The numbers that records of the last time have now.
fn old_records(
    old: &mut In,
    count: u64,
    graph: &mut Graph,
    told: &HashSet<Tag>,
    changed: &mut Changed,
) -> Result<Vec<u32>, CrmError> {
    let mut numbers = Vec::new();
    for _ in 0..count {
        let (print, tag) = (old.print()?, old.take::<16>()?);
        let (rows, places) = (old.print()?, old.long()?);
        if print == NOBODY {
            numbers.push(NOBODYS);
            continue;
        }
        let (number, is_other) = look(&mut graph.records, print, rows, places);
        if told.contains(&tag) {
            graph.records.add(number, what::TOLD);
        }
        if is_other || graph.records.has(number, what::MOVED | what::TOLD) {
            // What was told of them is told anew.
            changed.subjects.push(tag);
        }
        numbers.push(if is_other { number | CHANGED } else { number });
    }
    Ok(numbers)
}

/// The same of companies.
fn old_companies(old: &mut In, count: u64, graph: &mut Graph) -> Result<Vec<u32>, CrmError> {
    let mut numbers = Vec::new();
    for _ in 0..count {
        let print = old.print()?;
        let (rows, places) = (old.print()?, old.long()?);
        let (number, is_other) = look(&mut graph.companies, print, rows, places);
        numbers.push(if is_other { number | CHANGED } else { number });
    }
    Ok(numbers)
}

/// Holds one against what it was; tells its number, and whether its rows are other ones.
fn look(side: &mut super::trail::Side, print: Print, rows: Print, places: u64) -> (Number, bool) {
    let (number, is_gone) = side.number(print);
    let now = side.trails[number as usize];
    let is_other = is_gone || now.rows != rows;
    side.is[number as usize] |= is_other;
    side.add(number, what::KNOWN | if now.places == places { 0 } else { what::MOVED });
    (number, is_other)
}

/// Whether such a file is one that this version reads.
///
/// # Errors
/// It cannot be read.
pub fn is_of_this_layout(path: &Path) -> Result<bool, CrmError> {
    Ok(In::open(path)?.take::<16>()? == MAGIC)
}

/// Shows what the tables call everybody of whom such a file tells.
///
/// # Errors
/// It cannot be read.
pub fn tags(path: &Path, mut show: impl FnMut(Tag)) -> Result<(), CrmError> {
    let mut old = In::open(path)?;
    let [records, ..] = old.counts()?;
    for _ in 0..records {
        let _print = old.print()?;
        show(old.take()?);
        old.take::<24>()?;
    }
    Ok(())
}
