//! `validate`: every mistake at once, and never the network.
//!
//! Invariant: lines are counted in the file itself, not taken from the program.

use std::net::TcpListener;
use std::path::Path;

use crate::harness::{arg, finish, pipeline, prosopon, root, say, temp};

/// Line and column of a text in a file, from 1.
fn place(path: &Path, text: &str) -> (usize, usize) {
    let file = std::fs::read_to_string(path).expect("a file");
    let found = file.lines().enumerate().find_map(|(i, l)| Some((i + 1, l.find(text)? + 1)));
    found.unwrap_or_else(|| panic!("{} does not hold {text:?}", path.display()))
}

#[test]
fn five_independent_mistakes_are_five_right_lines() {
    let dir = temp();
    let path = pipeline(
        dir.path(),
        &[
            ("name: demo\n", "name: Demo Pipeline\n"),
            ("as_of: 2026-03-02T03:00:00Z", "as_of: 2026-13-02T03:00:00Z"),
            ("used_by: [production,", "used_by: [prodction,"),
            ("min_probability: 0.6", "min_probability: 1.6"),
            ("keep_snapshots: 7", "keep_snapshts: 7"),
        ],
    );
    let expected = ["Demo Pipeline", "2026-13-02", "prodction", "1.6", "keep_snapshts"].map(|text| {
        let (line, column) = place(&path, text);
        format!("{}:{line}:{column}: error: ", path.display())
    });
    let said = say(["validate", arg(&path)]).expect(2);
    let lines: Vec<&str> = said.err.lines().collect();
    assert_eq!(lines.len(), 5, "{lines:#?}");
    for (line, start) in lines.iter().zip(&expected) {
        assert!(line.starts_with(start), "{line}\nmust begin with {start}");
    }
    assert!(lines[2].contains("production") && lines[4].contains("keep_snapshots"), "{lines:#?}");
    assert!(said.out.is_empty());
}

#[test]
fn what_the_repository_ships_is_clean() {
    for args in [vec!["validate"], vec!["validate", "pipelines"], vec!["validate", "pipelines/demo.yaml"]] {
        let said = say(&args).expect(0);
        assert!(!said.err.contains("error") && said.err.contains("no mistakes"), "{}", said.err);
    }
}

#[test]
fn mistakes_of_several_files_are_told_together() {
    let dir = temp();
    let mut files = Vec::new();
    for name in ["a", "b"] {
        let folder = dir.path().join(name);
        std::fs::create_dir(&folder).expect("a folder");
        files.push(pipeline(&folder, &[("price_band: high", "price_band: hihg")]));
    }
    let said = say(["validate", arg(&files[0]), arg(&files[1])]).expect(2);
    let told: Vec<bool> = files.iter().map(|f| said.err.contains(arg(f))).collect();
    assert_eq!((said.err.lines().count(), told), (2, vec![true, true]), "{}", said.err);
    say(["validate", arg(&dir.path().join("none.yaml"))]).expect(2);
}

#[test]
fn a_policy_that_is_wrong_is_a_mistake_too() {
    let dir = temp();
    let policy = std::fs::read_to_string(root().join("config/policy/demo.yaml")).expect("the demo's policy");
    let wrong = dir.path().join("policy.yaml");
    std::fs::write(&wrong, policy.replace("retention_days: 730", "retention_dys: 730")).expect("a file");
    let shipped = root().join("config/policy/demo.yaml");
    let path = pipeline(dir.path(), &[(arg(&shipped), arg(&wrong))]);
    let said = say(["validate", arg(&path)]).expect(2);
    let (line, _) = place(&wrong, "retention_dys");
    assert!(said.err.contains(&format!("policy.yaml:{line}:")), "{}", said.err);
}

#[test]
fn validating_never_connects() {
    let trap = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
    trap.set_nonblocking(true).expect("a mode of sockets");
    let proxy = format!("http://{}", trap.local_addr().expect("bound"));
    let mut command = prosopon();
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        command.env(name, &proxy);
    }
    finish(command.args(["validate", "pipelines"]).spawn().expect("the binary starts")).expect(0);
    let nobody = trap.accept().expect_err("somebody connected");
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}

/// What a data engineer asks first of a new export.
#[test]
fn the_columns_of_exports_are_told_with_what_they_are_read_as() {
    let dir = temp();
    let world = dir.path().join("world");
    say(["demo-data", "--contacts", "20", "--to", arg(&world)]).expect(0);
    let file = world.join("pipeline.yaml");
    let said = say(["validate", "--columns", arg(&file)]).expect(0);
    let line = |start: &str, end: &str| said.out.lines().any(|line| line.starts_with(start) && line.ends_with(end));
    assert!(line("contacts: ", "10 of 10 columns are read"), "{}", said.out);
    assert!(line("  contact id ", " id") && line("  do not contact ", " do_not_contact"), "{}", said.out);
    assert!(line("accounts: ", "11 of 11 columns are read"), "{}", said.out);

    let contacts = world.join("contacts.csv");
    let with_status = |status: &str| {
        let text = format!("Contact ID,Last Name,Created Date,GDPR Status\n1,Able,3/22/2025,{status}\n");
        std::fs::write(&contacts, text).expect("written");
    };
    with_status("withdrawn");
    let said = say(["validate", "--columns", arg(&file)]).expect(0);
    assert!(said.out.lines().any(|line| line.ends_with(" read_by_cell")), "{}", said.out);
    with_status("green");
    let said = say(["validate", "--columns", arg(&file)]).expect(2);
    assert!(said.err.contains("\"GDPR Status\" looks as if it told what people do not want"), "{}", said.err);
    std::fs::write(&contacts, "Contact ID,Last Name,Created Date,Shoe size\n1,Able,3/22/2025,\n").expect("written");
    let said = say(["validate", "--columns", arg(&file)]).expect(0);
    assert!(
        said.out.contains("month before day): 3 of 4 columns") && said.out.contains("  not read: Shoe size"),
        "{}",
        said.out
    );
    assert!(!said.out.contains("Able"), "{}", said.out);
}
