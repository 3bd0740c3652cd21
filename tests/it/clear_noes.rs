//! Noes that are clear, in a night whose exports have a row that nobody can tell: they count at once.
//!
//! Invariant: all people are the demo's; nothing that grants is taken in, a dry run records nothing, and what stopped the run is told as
//! before.

use std::fs;
use std::path::{Path, PathBuf};

use prosopon::sink::{self, Select};

use crate::harness::{Said, arg, pipeline, root, say, temp};
use crate::tables::{Tables, snapshot};

const HEADER: &str = "contact_id;kind;recorded_at\n";
const FOUR: [&str; 4] = ["K-2001", "K-2003", "K-2004", "K-2006"];

fn run(file: &Path, home: &Path, more: &[&str]) -> Said {
    say([&["run", arg(file), "--out", arg(home), "--json"], more].concat())
}

/// Who is in the snapshots.
fn held(home: &Path) -> Vec<Vec<bool>> {
    let all = sink::all_snapshots(home).expect("readable");
    let of = |snapshot: &sink::Snapshot| {
        let personas = sink::read_personas(snapshot, &Select::All).expect("personas");
        FOUR.iter().map(|record| personas.iter().any(|p| p.crm_record == *record)).collect()
    };
    all.iter().map(of).collect()
}

/// A pipeline with the consents of the demo and one more file, as consents or as a list; a home after its first night.
fn world(folder: &Path, is_legal: bool) -> (PathBuf, PathBuf, PathBuf) {
    let consents = format!("consents: {{ path: {}/testdata/demo/crm/consents.csv }}", root().display());
    fs::create_dir(folder.join("consents")).expect("a folder");
    fs::copy(root().join("testdata/demo/crm/consents.csv"), folder.join("consents/0.csv")).expect("copied");
    let ours = if is_legal {
        "legal:\n      - { path: \"consents/*.csv\", dialect: table }"
    } else {
        "consents: { path: \"consents/*.csv\" }"
    };
    let (file, home) = (pipeline(folder, &[(&consents, ours)]), folder.join("home"));
    let more = folder.join("consents/1.csv");
    fs::write(&more, format!("{HEADER}K-9999;withdraw;2026-01-01\n")).expect("written");
    run(&file, &home, &[]).expect(0);
    (file, home, more)
}

#[test]
fn a_doubtful_row_holds_no_clear_no_back() {
    for is_legal in [false, true] {
        let temp = temp();
        let (file, home, more) = world(temp.path(), is_legal);
        assert_eq!(held(&home), [[true; 4]]);
        let (first, doubtful) = (
            snapshot(&home).run_id().to_owned(),
            if is_legal { ";withdraw;2026-02-01" } else { "k2003;withdraw;2026-02-01" },
        );
        let rows = format!(
            "{HEADER}K-2001;withdraw;2026-02-01\n{doubtful}\nK-2004;object;2026-02-01\nK-2006;grant;2026-02-01\n"
        );
        fs::write(&more, &rows).expect("written");
        let dry = run(&file, &home, &["--dry-run"]).expect(2);
        assert!(!dry.err.contains("plainly a no") && dry.err.contains("1.csv"), "{}", dry.err);
        assert_eq!(held(&home), [[true; 4]]);
        // In parts, too.
        let at_once: &[&str] = if is_legal { &[] } else { &["--at-once", "16"] };
        let said = run(&file, &home, at_once).expect(2);
        assert!(
            said.err.contains("1.csv") && said.err.contains("plainly a no: 2 event(s) are recorded"),
            "{}",
            said.err
        );
        assert!(!said.err.contains("2003") && !said.err.contains("caused by"), "{}", said.err);
        let failed = fs::read_to_string(home.join("demo/failed.json")).expect("a mark");
        assert!(failed.contains("plainly a no: 2 event(s)"), "{failed}");
        // They are out of what readers see, and the run published nothing.
        assert_eq!(held(&home), [[false, true, false, true]]);
        assert_eq!(snapshot(&home).run_id(), first);
        say(["persona", "K-2001", "--out", arg(&home)]).expect(2);
        let shown = |record: &str| say(["consent", "show", record, "--out", arg(&home)]).expect(0).out;
        assert!(shown("K-2001").contains("withdraw: all from all"), "{}", shown("K-2001"));
        assert!(
            !shown("K-2003").contains("withdraw") && !shown("K-2006").contains("2026-02-01"),
            "{}",
            shown("K-2006")
        );
        // The night after has the same files.
        let again = run(&file, &home, &[]).expect(2);
        assert!(again.err.contains("nothing that is plainly a no in them was new"), "{}", again.err);
        // One without any of it: what was said stands.
        fs::write(&more, format!("{HEADER}K-9999;withdraw;2026-01-01\n")).expect("written");
        run(&file, &home, &[]).expect(0);
        let tables = Tables::of(&home);
        assert_eq!(FOUR.map(|record| tables.persona(record).is_some()), [false, true, false, true]);
        say(["audit", "verify", "--out", arg(&home)]).expect(0);
    }
}

#[test]
fn a_clear_no_does_not_wait_for_another_row_of_an_import() {
    let (temp, home) = crate::harness::copy_of_shared();
    let file = temp.path().join("consents.csv");
    let rows = format!("{HEADER}K-2001;withdraw;2026-02-01\n;withdraw;2026-02-01\n");
    fs::write(&file, rows).expect("written");
    let import = |more: &[&str]| {
        say([&["consent", "import", arg(&file), "--dialect", "table", "--out", arg(&home)], more].concat()).expect(2)
    };
    let dry = import(&["--dry-run"]);
    assert!(dry.err.contains("consents.csv line 3") && !dry.err.contains("plainly a no"), "{}", dry.err);
    say(["persona", "K-2001", "--out", arg(&home)]).expect(0);
    let said = import(&[]);
    assert!(said.err.contains("plainly a no: 1 event(s) are recorded"), "{}", said.err);
    say(["persona", "K-2001", "--out", arg(&home)]).expect(2);
    say(["audit", "verify", "--out", arg(&home)]).expect(0);
}

#[test]
fn a_no_reaches_older_tables_though_nothing_can_be_fetched() {
    let temp = temp();
    let (file, home, more) = world(temp.path(), false);
    fs::write(&more, format!("{HEADER}K-2001;withdraw;2026-02-01\n")).expect("written");
    for name in ["fetch.sqlite", "fetch.sqlite-wal", "fetch.sqlite-shm"] {
        let _ = fs::remove_file(home.join(name));
    }
    fs::create_dir(home.join("fetch.sqlite")).expect("a folder");
    let said = run(&file, &home, &[]).expect(3);
    assert!(said.err.contains("fetch.sqlite"), "{}", said.err);
    assert_eq!(held(&home), [[false, true, true, true]]);
}
