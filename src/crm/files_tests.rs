//! Folders with folders in them, and files in several encodings.

use std::fs;
use std::path::Path;

use encoding_rs::{UTF_16LE, WINDOWS_1252};

use crate::crm::{CrmPull, CsvSource, FileSet, pull};

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(path, bytes).expect("written");
}

fn read(folder: &Path, set: FileSet) -> CrmPull {
    pull(&CsvSource { contacts: set, ..CsvSource::default() }, folder).expect("read")
}

fn set(path: &str) -> FileSet {
    FileSet { path: path.into(), grows: true, ..FileSet::default() }
}

fn names(pull: &CrmPull) -> Vec<&str> {
    pull.contacts.iter().map(|c| c.family_name.reveal().as_str()).collect()
}

#[test]
fn files_of_one_name_in_several_folders_are_several_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let row = |name: &str| format!("id,last name\n1,{name}\n");
    write(folder.path(), "c/date=2026-01-9/part.csv", row("Ninth"));
    write(folder.path(), "c/date=2026-01-10/part.csv", row("Tenth"));
    write(folder.path(), "c/_SUCCESS", "");
    // The folder of a pipeline that is run by its whole path.
    let whole = folder.path().join("c").display().to_string();
    for (base, path) in [(folder.path(), "c"), (folder.path(), "c/date=*/*.csv"), (Path::new(""), &*whole)] {
        let pull = read(base, set(path));
        assert_eq!((names(&pull), pull.dead_letters.len()), (vec!["Tenth"], 0), "{path}: no duplicate");
        let called: Vec<&str> = pull.files.iter().map(|file| file.name.as_str()).collect();
        let tail = ["date=2026-01-9/part.csv", "date=2026-01-10/part.csv"];
        assert!(
            called.iter().zip(tail).all(|(name, tail)| name.ends_with(tail) && !name.starts_with('/')),
            "{called:?}"
        );
    }
}

#[test]
fn each_line_of_a_mixed_file_is_read_as_what_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let old = |text: &str| WINDOWS_1252.encode(text).0.into_owned();
    // Longer than what is decoded at once, with letters at every place.
    let mut bytes = b"id,last name,city\n".to_vec();
    for id in 0..6000 {
        let row = format!("{id},Gr\u{fc}nthaler,{}K\u{f6}ln\n", "x".repeat(id % 17));
        bytes.extend(if id % 2 == 0 { row.into_bytes() } else { old(&row.replace('\n', " \u{df}\n")) });
    }
    write(folder.path(), "c.csv", &bytes);
    let pull = read(folder.path(), set("c.csv"));
    assert_eq!((pull.contacts.len(), pull.dead_letters.len()), (6000, 0));
    assert!(names(&pull).iter().all(|name| *name == "Grünthaler"));
    assert_eq!((pull.files[0].encoding, pull.files[0].utf8_lines), ("UTF-8 and windows-1252", 3000));
    // A title above the headers, and another sign between the cells than the first that is tried.
    write(folder.path(), "t.csv", b"\nContacts\nid,last name\n1,Gr\xc3\xbcn\n2,M\xfcller\n");
    assert_eq!(names(&read(folder.path(), set("t.csv"))), ["Grün", "Müller"]);
    // JSON Lines, too; and where an encoding is stated, it is read so, and told.
    let lines = [r#"{"id": "1", "last name": "Grünthaler"}"#.as_bytes(), &old(r#"{"id": "2", "last name": "Müßül"}"#)]
        .join(&b'\n');
    write(folder.path(), "c.jsonl", &lines);
    assert_eq!(names(&read(folder.path(), set("c.jsonl"))), ["Grünthaler", "Müßül"]);
    let stated = FileSet { encoding: Some("windows-1252".into()), ..set("c.jsonl") };
    let pull = read(folder.path(), stated.clone());
    assert_eq!((names(&pull), pull.files[0].utf8_lines), (vec!["GrÃ¼nthaler", "Müßül"], 1));
    for (text, lines) in [(old("id,last name\n1,Müßül\n"), 0), (b"id,last name\n1,Meier\n".to_vec(), 0)] {
        write(folder.path(), "c.jsonl", &text);
        assert_eq!(read(folder.path(), stated.clone()).files[0].utf8_lines, lines);
    }
}

#[test]
fn utf16_without_a_mark_is_read_in_its_own_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "id,last name\n1,Grünthaler\n";
    for swap in [false, true] {
        let bytes: Vec<u8> =
            text.encode_utf16().flat_map(|unit| if swap { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect();
        write(folder.path(), "c.csv", &bytes);
        for label in ["utf-16", "utf-16le"] {
            let pull = read(folder.path(), FileSet { encoding: Some(label.into()), ..set("c.csv") });
            assert_eq!(names(&pull), ["Grünthaler"]);
            assert_eq!(pull.files[0].encoding, if swap { "UTF-16BE" } else { UTF_16LE.name() });
        }
    }
}
