//! Measures the title reader on labelled titles, in the taxonomy and in the scheme of CV data.
//!
//! Invariant: the figures depend on the given sets and the shipped vocabularies alone.

use std::fmt;

use serde::Serialize;

use super::scheme::{department, rank};
use super::score::{Answer, Score};
use crate::extract::title::TitleReader;
use crate::taxonomy::{JobFunction, Seniority};

/// A table of labelled titles that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{set}, line {line}: {what}")]
pub struct LabelError {
    /// The name of the set.
    pub set: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it; never the title.
    pub what: String,
}

#[derive(Debug, Clone)]
struct Row {
    title: String,
    function: Option<JobFunction>,
    level: Option<Seniority>,
}

/// Labelled titles.
#[derive(Debug, Clone)]
pub struct TitleSet {
    name: String,
    rows: Vec<Row>,
}

impl TitleSet {
    /// Parses a table `title <tab> job_function <tab> seniority` with a header; `-...` = one should abstain.
    pub fn parse(name: &str, tsv: &str) -> Result<Self, LabelError> {
        let mut rows = Vec::new();
        for (at, line) in tsv.lines().enumerate().skip(1) {
            let error = |what: String| LabelError { set: name.to_owned(), line: at + 1, what };
            let cells: Vec<&str> = line.split('\t').collect();
            let [title, function, level] = cells[..] else {
                return Err(error(format!("{} columns where three are expected", cells.len())));
            };
            let function = label(function).map_err(&error)?;
            let level = label(level).map_err(&error)?;
            rows.push(Row { title: title.to_owned(), function, level });
        }
        Ok(Self { name: name.to_owned(), rows })
    }

    /// The titles of several sets as one.
    #[must_use]
    pub fn pooled(name: &str, sets: &[&Self]) -> Self {
        Self { name: name.to_owned(), rows: sets.iter().flat_map(|s| s.rows.iter().cloned()).collect() }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many titles the set holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether the set holds no title.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Titles that are read otherwise than labelled, with what was expected and got: for working on the reader.
    pub fn misses(&self, reader: &TitleReader) -> Vec<String> {
        let shown = |f: Option<String>| f.unwrap_or_else(|| "-".to_owned());
        let miss = |r: &Row| {
            let got = reader.read(&r.title);
            let function = (r.function != got.job_function.value).then(|| {
                format!(
                    "  function {} got {} {:.2}",
                    shown(r.function.map(|f| f.to_string())),
                    shown(got.job_function.value.map(|f| f.to_string())),
                    got.job_function.p.unwrap_or(0.0)
                )
            });
            let level = (r.level != got.seniority.value).then(|| {
                format!(
                    "  level {} got {}",
                    shown(r.level.map(|f| f.to_string())),
                    shown(got.seniority.value.map(|f| f.to_string()))
                )
            });
            (function.is_some() || level.is_some())
                .then(|| format!("{}{}{}", r.title, function.unwrap_or_default(), level.unwrap_or_default()))
        };
        self.rows.iter().filter_map(miss).collect()
    }
}

fn label<T: std::str::FromStr<Err = crate::taxonomy::UnknownTerm>>(cell: &str) -> Result<Option<T>, String> {
    if cell.starts_with('-') {
        return Ok(None);
    }
    cell.parse().map(Some).map_err(|e: crate::taxonomy::UnknownTerm| e.to_string())
}

/// The figures of one set.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// The name of the set.
    pub set: String,
    /// 24 functions.
    pub job_function: Score,
    /// Eleven levels.
    pub seniority: Score,
    /// Eleven departments.
    pub department: Score,
    /// Six ranks.
    pub rank: Score,
}

/// The figures of all sets.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// In the order given.
    pub sets: Vec<Measured>,
    /// Groups of gender forms, and the share of them whose forms are all read alike; `None` where none were given.
    pub gender_forms: Option<(usize, f64)>,
    /// Who leads people; `None` where no such titles were given.
    pub leadership: Option<Leadership>,
}

/// How well the level tells who leads people: from `lead` on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Leadership {
    /// Titles.
    pub n: usize,
    /// Share of those read as leading who lead.
    pub precision: f64,
    /// Share of those who lead that are read as leading.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
}

impl Leadership {
    /// Measures the shipped reader on a table `title <tab> 1 (leads) or 0` with a header. `None` = it has no rows.
    ///
    /// # Errors
    /// A row that is otherwise.
    pub fn of(name: &str, tsv: &str) -> Result<Option<Self>, LabelError> {
        let reader = TitleReader::shipped();
        let (mut n, mut read, mut leading, mut both) = (0, 0.0, 0.0, 0.0);
        for (at, line) in tsv.lines().enumerate().skip(1) {
            let (title, is_one) = match line.split_once('\t') {
                Some((title, "1")) => (title, true),
                Some((title, "0")) => (title, false),
                _ => {
                    let what = "a title and 1 or 0 are expected".to_owned();
                    return Err(LabelError { set: name.to_owned(), line: at + 1, what });
                }
            };
            let is_read = reader.read(title).seniority.value.is_some_and(Seniority::leads);
            n += 1;
            read += f64::from(u8::from(is_read));
            leading += f64::from(u8::from(is_one));
            both += f64::from(u8::from(is_read && is_one));
        }
        let share = |of: f64| if of > 0.0 { both / of } else { 0.0 };
        let f1 = if read + leading > 0.0 { 2.0 * both / (read + leading) } else { 0.0 };
        Ok((n > 0).then(|| Self { n, precision: share(read), recall: share(leading), f1 }))
    }
}

/// Groups of forms of one title, from a table `masculine <tab> feminine` with a header; further columns are further forms.
#[must_use]
pub fn forms(tsv: &str) -> Vec<Vec<String>> {
    let group = |line: &str| {
        let (m, others) = line.split_once('\t')?;
        let mut others = others.split('\t');
        let f = others.next()?;
        let mut all = vec![m.to_owned(), f.to_owned(), format!("{m} (m/w/d)"), format!("{m} / {f}")];
        if f.strip_prefix(m) == Some("in") {
            all.extend(["/in", "/-in", "*in", ":in", "_in", "(in)", "In"].map(|e| format!("{m}{e}")));
        }
        all.extend(others.map(str::to_owned));
        Some(all)
    };
    tsv.lines().skip(1).filter_map(group).collect()
}

/// Measures the shipped reader on labelled sets, and on groups of gender forms of one title.
#[must_use]
pub fn titles(sets: &[TitleSet], forms: &[Vec<String>]) -> Report {
    let reader = TitleReader::shipped();
    let alike = forms.iter().filter(|g| same_for_all_forms(reader, g)).count();
    let gender_forms = (!forms.is_empty()).then(|| (forms.len(), alike as f64 / forms.len() as f64));
    Report { sets: sets.iter().map(|s| measure(reader, s)).collect(), gender_forms, leadership: None }
}

/// Whether function, level and power are the same for all forms of a title.
pub fn same_for_all_forms(reader: &TitleReader, forms: &[String]) -> bool {
    let read = |t: &String| {
        let r = reader.read(t);
        (r.job_function.value, r.seniority.value, r.signing_power)
    };
    forms.split_first().is_none_or(|(first, rest)| {
        let first = read(first);
        rest.iter().all(|f| read(f) == first)
    })
}

fn measure(reader: &TitleReader, set: &TitleSet) -> Measured {
    let readings: Vec<_> = set.rows.iter().map(|r| (r, reader.read(&r.title))).collect();
    let functions: Vec<Answer<JobFunction>> = readings
        .iter()
        .map(|(row, r)| Answer { expected: row.function, got: r.job_function.value.zip(r.job_function.p) })
        .collect();
    let levels: Vec<Answer<Seniority>> = readings
        .iter()
        .map(|(row, r)| Answer { expected: row.level, got: r.seniority.value.zip(r.seniority.p) })
        .collect();
    Measured {
        set: set.name.clone(),
        department: Score::of(&mapped(&functions, department)),
        rank: Score::of(&mapped(&levels, rank)),
        job_function: Score::of(&functions),
        seniority: Score::of(&levels),
    }
}

fn mapped<T: Copy, U: Copy>(answers: &[Answer<T>], map: impl Fn(T) -> U) -> Vec<Answer<U>> {
    answers.iter().map(|a| Answer { expected: a.expected.map(&map), got: a.got.map(|(v, p)| (map(v), p)) }).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| set | column | titles | accuracy | macro-F1 | coverage | ECE |")?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- | --- |")?;
        for m in &self.sets {
            for (name, s) in m.columns() {
                writeln!(
                    f,
                    "| {} | {name} | {} | {:.3} | {:.3} | {:.3} | {:.3} |",
                    m.set, s.n, s.accuracy, s.macro_f1, s.coverage, s.ece
                )?;
            }
        }
        // Of many sets, those that stand for all.
        for m in self.sets.iter().filter(|m| self.sets.len() == 1 || m.set.starts_with("all")) {
            writeln!(f, "\nProbability said and share that was right, {}:\n", m.set)?;
            writeln!(f, "| column | said: right (answers), by tenths |")?;
            writeln!(f, "| --- | --- |")?;
            for (name, s) in m.columns() {
                let cells = s.bins.iter().map(|b| format!("{:.2}: {:.2} ({})", b.said, b.right, b.n));
                writeln!(f, "| {name} | {} |", cells.collect::<Vec<_>>().join(", "))?;
            }
            writeln!(f, "\nCoverage and precision by least probability, {}:\n", m.set)?;
            writeln!(f, "| column | {} |", header(&m.job_function))?;
            writeln!(f, "| --- |{}", " --- |".repeat(m.job_function.curve.len()))?;
            for (name, s) in m.columns() {
                let cells = s.curve.iter().map(|p| format!("{:.2}: {:.3}", p.coverage, p.precision));
                writeln!(f, "| {name} | {} |", cells.collect::<Vec<_>>().join(" | "))?;
            }
        }
        if let Some((n, share)) = self.gender_forms {
            writeln!(f, "\nGender forms: {n} titles, read alike in all forms: {share:.4}")?;
        }
        if let Some(Leadership { n, precision, recall, f1 }) = self.leadership {
            writeln!(f, "\nLeadership: {n} titles, precision {precision:.3}, recall {recall:.3}, F1 {f1:.3}")?;
        }
        Ok(())
    }
}

fn header(s: &Score) -> String {
    s.curve.iter().map(|p| format!("p >= {}", p.at_least)).collect::<Vec<_>>().join(" | ")
}

impl Measured {
    fn columns(&self) -> [(&'static str, &Score); 4] {
        [
            ("job_function", &self.job_function),
            ("seniority", &self.seniority),
            ("department", &self.department),
            ("rank", &self.rank),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_table_is_told_by_line_without_the_title() {
        let e = TitleSet::parse("x", "title\tf\ts\nEinkäufer\tprocurement\tboss\n").expect_err("no level");
        assert_eq!((e.line, e.to_string().contains("Einkäufer")), (2, false));
        assert!(TitleSet::parse("x", "t\tf\ts\na\tb\n").is_err());
    }

    /// Sets whose labels were written before the vocabulary was read; hold-outs are counted, never looked at.
    #[test]
    fn blind_sets_reach_the_bars() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/title");
        let set = |name: &str| {
            let text = std::fs::read_to_string(dir.join(name)).expect("the labelled titles are in the repository");
            TitleSet::parse(name, &text).expect("labels are well formed")
        };
        let sets = ["fresh_dev.tsv", "fresh_holdout.tsv", "second_dev.tsv", "second_holdout.tsv"].map(set);
        for m in titles(&sets, &[]).sets {
            assert!(m.department.n >= 100 && m.department.coverage >= 0.9 && m.rank.coverage >= 0.9, "{}", m.set);
            assert!(m.department.accuracy >= 0.84 && m.department.macro_f1 >= 0.77, "{}: {:?}", m.set, m.department);
            assert!(m.rank.accuracy >= 0.87 && m.rank.macro_f1 >= 0.80, "{}: {:?}", m.set, m.rank);
            let large = m.department.n >= 500;
            assert!(!large || (m.job_function.ece <= 0.05 && m.seniority.ece <= 0.05), "{}: calibration", m.set);
        }
    }

    #[test]
    fn leadership_and_neutral_forms_reach_the_bars() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/title");
        let read = |name: &str| std::fs::read_to_string(dir.join(name)).expect("it is in the repository");
        let leadership = |tsv: &str| Leadership::of("x", tsv);
        let shipped = leadership(&read("leaders.tsv")).expect("labels").expect("rows");
        assert!(shipped.n >= 200 && shipped.f1 >= 0.88, "{shipped:?}");
        let groups = forms(&read("neutral.tsv"));
        assert!(groups.len() >= 100 && groups[0].len() >= 4);
        let (_, alike) = titles(&[], &groups).gender_forms.expect("groups");
        // `Geschäftsführung` may be the body, which signs nothing.
        assert!(alike >= 0.99, "{alike}");
        assert!(leadership("title\tleader\n").expect("none").is_none());
        assert_eq!(leadership("title\tleader\nTeamleiter\tyes\n").expect_err("no label").line, 2);
        let half = leadership("title\tleader\nTeamleiter\t1\nVorarbeiter\t0\n").expect("labels").expect("rows");
        assert!((half.precision - 0.5).abs() < 1e-9 && (half.recall - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_report_measures_what_it_is_given() {
        let set = TitleSet::parse("x", "t\tf\ts\nEinkäufer\tprocurement\tprofessional\nCEO\tit\towner\n").expect("ok");
        let r = titles(&[set], &[vec!["Einkäufer".to_owned(), "Einkäuferin".to_owned()]]);
        assert!((r.sets[0].job_function.accuracy - 0.5).abs() < 1e-9);
        assert!((r.sets[0].rank.accuracy - 1.0).abs() < 1e-9, "owner and chief officer are one rank");
        assert_eq!(r.gender_forms.map(|g| g.0), Some(1));
        assert!(r.to_string().contains("| x | rank | 2 | 1.000 |"));
    }
}
