//! Which files a path means, in which order they are read, and what is passed over.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// A folder with such files, each with its own name in it.
fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, file).expect("written");
    }
    folder
}

fn names(base: &Path, files: &[PathBuf]) -> Vec<String> {
    files.iter().map(|path| path.strip_prefix(base).expect("below").display().to_string()).collect()
}

#[test]
fn patterns() {
    for (pattern, name, fits) in [
        ("contacts*.csv", "contacts_de.csv", true),
        ("contacts*.csv", "contacts.csv", true),
        ("contacts*.csv", "accounts.csv", false),
        ("contacts*.csv", "contacts.csv.bak", false),
        ("c?.csv", "c1.csv", true),
        ("c?.csv", "cä.csv", true),
        ("c?.csv", "c.csv", false),
        ("*", ".hidden", false),
        ("*a*b*c", "xxaxxbxxbxc", true),
    ] {
        assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
    }
}

#[test]
fn a_folder_means_all_that_is_below_it_and_patterns_reach_into_folders() {
    let all = [
        "c/0.csv",
        "c/2026/a.csv",
        "c/2026/01/b.csv",
        "c/.hidden.csv",
        "c/.crc/x.csv",
        "c/_SUCCESS",
        "c/_delta_log/0.json",
        "c/_new.csv",
        "d/date=2026-01-10/x.parquet",
        "d/date=2026-01-9/x.parquet",
        "d/date=2026-01-9/y.csv",
    ];
    let folder = folder(&all);
    let find = |pattern: &str| find(folder.path(), pattern).expect("read");
    let below = ["c/0.csv", "c/_new.csv", "c/2026/a.csv", "c/2026/01/b.csv"];
    for pattern in ["c", "c/", "c/**", "./c", "c/*", "?", "c/**/*.csv"] {
        let found = find(pattern);
        let files: Vec<String> =
            names(folder.path(), &found.files).into_iter().filter(|f| f.starts_with('c')).collect();
        assert_eq!(files, below, "{pattern}");
        let passed = names(folder.path(), &found.passed);
        // A pattern of names meets no `_SUCCESS`.
        assert!(passed == ["c/_SUCCESS", "c/_delta_log"] || passed == ["c/_delta_log"] && pattern.contains("csv"));
        assert_eq!(found.strange, None);
    }
    for pattern in ["d/date=*/x.parquet", "d/*/x.parquet", "**/x.parquet", "d/**/x.parquet", "*/**/*.parquet"] {
        let files = names(folder.path(), &find(pattern).files);
        assert_eq!(files, ["d/date=2026-01-9/x.parquet", "d/date=2026-01-10/x.parquet"], "{pattern}");
    }
    assert_eq!(names(folder.path(), &find("c/0.csv").files), ["c/0.csv"]);
    assert_eq!(names(folder.path(), &find("c/_SUCCESS").files), ["c/_SUCCESS"], "who names it means it");
    for pattern in ["none", "none/*.csv", "c/0.csv/*", "**/none.csv"] {
        assert_eq!(find(pattern).files, [""; 0].map(PathBuf::from), "{pattern}");
    }
}

#[test]
fn links_to_folders_and_what_is_no_file_are_refused_and_every_walk_ends() {
    let folder = folder(&["c/0.csv"]);
    let at = |name: &str| folder.path().join(name);
    std::os::unix::fs::symlink(folder.path(), at("c/round")).expect("a link");
    for pattern in ["c", "c/**", "**/*.csv"] {
        let strange = find(folder.path(), pattern).expect("read").strange;
        assert_eq!(strange, Some((at("c/round"), LINK)), "{pattern}");
    }
    fs::remove_file(at("c/round")).expect("removed");
    std::os::unix::fs::symlink(at("0.csv"), at("c/gone.csv")).expect("a link");
    let strange = find(folder.path(), "c").expect("read").strange;
    assert_eq!(strange, Some((at("c/gone.csv"), "is a link to what is not there")));
}

#[test]
fn numbers_in_names_count_as_numbers() {
    let sorted = [
        "b1.csv",
        "b02.csv",
        "b2.csv",
        "b10.csv",
        "changes-9.csv",
        "changes-10.csv",
        "changes.csv",
        "export-2026-01-09.csv",
        "export-2026-01-10.csv",
        "export-2026-1-11.csv",
        "export-184467440737095516160.csv",
        // Changes in folders beside the export that they change.
        "2026-03-04/changes.csv",
        "a/z.csv",
        "a/9/x.csv",
        "a/10/x.csv",
    ];
    let mut shuffled: Vec<&Path> = sorted.iter().rev().map(Path::new).collect();
    shuffled.sort_by(|one, other| in_order(one, other));
    assert!(shuffled.iter().eq(sorted.iter().map(Path::new).collect::<Vec<_>>().iter()), "{shuffled:?}");
}

#[test]
fn what_a_pattern_may_reach_is_told_by_names() {
    for (pattern, folder, is) in [
        ("/d/c", "/d/c/home", true),
        ("/d/c", "/d/home", false),
        ("/d/*/x.csv", "/d/home", true),
        ("/d/date=*/x.csv", "/d/home", false),
        ("/d/**/x.csv", "/d/e/home", true),
        ("/d/c*.csv", "/d/home", false),
        ("/e/**", "/d/home", false),
        ("/d/c/*.csv", "/d", true),
    ] {
        assert_eq!(reaches(Path::new(pattern), Path::new(folder)), is, "{pattern} {folder}");
    }
    assert_eq!(fixed(Path::new("/d/date=*/x.csv")), Path::new("/d"));
    assert_eq!(fixed(Path::new("*.csv")), Path::new(""));
}
