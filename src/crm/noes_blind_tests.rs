//! Columns that tell what people do not want, and columns that only look so, by authors who had not seen this program.
//!
//! Of the held-out half nobody reads a miss; only its figures are looked at.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::{CsvSource, FileSet, pull};

#[derive(Deserialize)]
struct Case {
    header: String,
    cell: String,
    says: String,
}

/// What was read of columns.
#[derive(Debug, Default, PartialEq, Eq)]
struct Figures {
    /// Of columns that say no to writing or more: a no is read; the reading stops and asks; it is passed over.
    noes: [u32; 3],
    /// The same of consents that have ended, which say no to nothing else.
    ended: [u32; 3],
    /// The same of columns that say no by another channel alone, say nothing, yes, or are about something else.
    others: [u32; 3],
}

/// What an export says of its only contact: 0 = no, 1 = the reading stops, 2 = nothing.
fn read(case: &Case, dir: &Path) -> usize {
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
    writer.write_record(["Kontakt-ID", "Vorname", "Nachname", "E-Mail", &case.header]).expect("headers");
    writer.write_record(["K-1", "Jonna", "Brinkhoff", "jonna@brinkhoff.example", &case.cell]).expect("a row");
    fs::write(dir.join("kontakte.csv"), writer.into_inner().expect("bytes")).expect("a file");
    let contacts = FileSet { path: "kontakte.csv".into(), ..FileSet::default() };
    let source = CsvSource { name: "noes".into(), contacts, accounts: None, consents: None, notes: None };
    let Ok(pull) = pull(&source, dir) else { return 1 };
    let flags = &pull.contacts.first().expect("the contact").flags;
    let all =
        [flags.email_opt_out, flags.do_not_process, flags.do_not_profile, flags.should_forget, flags.do_not_contact];
    if all.contains(&true) { 0 } else { 2 }
}

fn figures(half: &str, misses: bool) -> Figures {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("testdata/noes_blind/{half}.jsonl"));
    let dir = tempfile::tempdir().expect("a folder");
    let mut figures = Figures::default();
    for line in fs::read_to_string(path).expect("labels").lines() {
        let case: Case = serde_json::from_str(line).expect("a label");
        let at = read(&case, dir.path());
        let (row, want) = match case.says.as_str() {
            "no" => (&mut figures.noes, 0),
            "ended" => (&mut figures.ended, 0),
            _ => (&mut figures.others, 2),
        };
        row[at] += 1;
        if misses && at != want {
            println!("{} {:10} {} = {}", ["NO   ", "STOP ", "     "][at], case.says, case.header, case.cell);
        }
    }
    figures
}

/// `MISSES=1` shows those of the other half.
#[test]
fn columns_that_say_no_are_read_or_asked_about() {
    let shows = std::env::var_os("MISSES").is_some();
    for (half, most_lost, most_false) in [("dev", 16, 14), ("holdout", 40, 18), ("fresh", 8, 9), ("fresh_2", 8, 6)] {
        let figures = figures(half, shows && half == "dev");
        println!("{half}: {figures:?}");
        assert!(figures.noes[2] <= most_lost && figures.others[0] <= most_false, "{half}: {figures:?}");
    }
}
