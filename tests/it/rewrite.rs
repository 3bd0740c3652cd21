//! Taking people out of a real run's snapshot: companies and buying centers are those of a run that never knew them.
//!
//! Invariant: a rewritten snapshot joins and counts up like one that a run wrote.

use std::collections::HashSet;
use std::fs;

use prosopon::model::{PermitId, Target};
use prosopon::sink::{Change, Note, SinkError, Table, read_runs, rewrite_all};

use crate::harness::{arg, copy_of_shared, now, pipeline, root, say, temp};
use crate::tables::{Tables, snapshot, subject};

/// Who is taken out; their rows of the exports stand on lines of their own.
const GONE: [&str; 3] = ["K-2002", "K-2006", "K-2091"];

#[test]
fn without_somebody_a_snapshot_is_that_of_a_run_that_never_knew_them() {
    let (_dir, home) = copy_of_shared();
    let before = Tables::of(&home);
    assert!(GONE.iter().all(|record| before.persona(record).is_some()), "the test takes out people with personas");
    let change = Change::remove(GONE.map(subject));
    let done = rewrite_all(&home, &change, Note { at: now(), reason: "erasure" }, |_, _| Ok::<_, SinkError>(()))
        .expect("rewritten");
    assert_eq!(done.iter().map(|(_, d)| d.removed(Table::Personas)).collect::<Vec<_>>(), [3]);
    let after = Tables::of(&home);

    let other = temp();
    let crm = other.path().join("crm");
    fs::create_dir(&crm).expect("a folder");
    for file in fs::read_dir(root().join("testdata/demo/crm")).expect("the exports").flatten() {
        let bytes = fs::read(file.path()).expect("an export");
        let lines = bytes.split_inclusive(|b| *b == b'\n');
        let of_nobody = |line: &&[u8]| !GONE.iter().any(|g| line.windows(g.len()).any(|w| w == g.as_bytes()));
        let kept: Vec<u8> = lines.filter(of_nobody).flatten().copied().collect();
        fs::write(crm.join(file.file_name()), kept).expect("written");
    }
    let shipped = root().join("testdata/demo/crm");
    let file = pipeline(other.path(), &[(arg(&shipped), arg(&crm))]);
    let never = other.path().join("home");
    say(["run", arg(&file), "--out", arg(&never)]).expect(0);
    let never = Tables::of(&never);
    // Permits are made from the ledger's state, so rows that carry one differ; these carry none.
    assert_eq!(after.accounts, never.accounts);
    assert_eq!(after.centers, never.centers);
    let people = |t: &Tables| t.personas.iter().map(|p| p.crm_record.clone()).collect::<Vec<_>>();
    assert_eq!(people(&after), people(&never));
    assert_eq!(after.evidence.len(), never.evidence.len());

    let permits: HashSet<&PermitId> = after.decisions.iter().filter_map(|d| d.permit_id.as_ref()).collect();
    assert!(after.personas.iter().all(|p| permits.contains(&p.legal.permit_id)));
    assert!(after.evidence.iter().all(|s| permits.contains(&s.evidence.permit)));
    assert!(after.documents.iter().all(|d| permits.contains(&d.permit_id)));
    let gone: Vec<_> = GONE.map(subject).into();
    assert!(!after.decisions.iter().any(|d| matches!(&d.target, Target::Subject(s, _) if gone.contains(s))));
    let s = snapshot(&home);
    let run = &read_runs(&s).expect("runs")[0];
    let counts = s.manifest().expect("a manifest")["summary"]["counts"].clone();
    for (name, told, rows) in [
        ("personas", run.n_personas, after.personas.len()),
        ("evidence", run.n_evidence, after.evidence.len()),
        ("permits", run.n_permits, permits.len()),
        ("dead_letters", run.n_dead_letters, after.dead_letters.len()),
    ] {
        assert_eq!((told, counts[name].as_u64()), (rows as u64, Some(rows as u64)), "{name}");
    }
    assert_eq!(run.n_refusals, after.decisions.iter().filter(|d| d.permit_id.is_none()).count() as u64);
}
