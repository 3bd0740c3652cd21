//! The cases of `testdata/config`: each pipeline file with the diagnostics that it must give.

use std::path::{Path, PathBuf};

use super::*;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(root().join(path.as_ref())).expect("the repository has this file")
}

#[test]
fn the_demo_loads() {
    let plan = load_settings(&root().join("pipelines/demo.yaml")).expect("the demo has no mistake");
    assert_eq!(plan.name(), "demo");
    assert_eq!(plan.network(), Network::Demo);
    assert_eq!(plan.crm().contacts.pattern(), root().join("testdata/demo/crm/contacts*.csv"));
    assert_eq!(plan.output().home, root().join("prosopon-home"));
}
/// With `UPDATE=1` in the environment, generated files are written instead of compared; review what changes.
fn same(path: &Path, made: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, made).expect("the repository can be written");
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(kept, made, "{} is not up to date, UPDATE=1 writes it anew", path.display());
}

fn listed(diagnostics: &[Diagnostic]) -> String {
    let line = |d: &Diagnostic| d.to_string().split_once(':').expect("it starts with the file").1.to_owned() + "\n";
    diagnostics.iter().map(line).collect()
}

fn cases() -> Vec<PathBuf> {
    let folder = root().join("testdata/config");
    let entries = std::fs::read_dir(folder).expect("the repository has the cases");
    let mut cases: Vec<PathBuf> = entries.map(|e| e.expect("the folder is readable").path()).collect();
    cases.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    cases.sort();
    assert!(cases.len() >= 40, "only {} cases", cases.len());
    cases
}

#[test]
fn each_case_gives_its_diagnostics() {
    for case in cases() {
        let (checked, diagnostics) = validate_paths(std::slice::from_ref(&case));
        assert_eq!(checked, [case.as_path()]);
        let errors: Vec<_> = diagnostics.into_iter().filter(Diagnostic::is_error).collect();
        same(&case.with_extension("expected"), &listed(&errors));
    }
}

#[test]
fn five_independent_mistakes_give_five_right_lines() {
    for case in ["five_mistakes", "five_mistakes_in_form"] {
        let source = read(format!("testdata/config/{case}.yaml"));
        let wrong: Vec<usize> =
            source.lines().enumerate().filter(|(_, line)| line.contains("# wrong")).map(|(i, _)| i + 1).collect();
        assert_eq!(wrong.len(), 5);
        let lines: Vec<usize> = validate(&source, case).iter().map(|d| d.line).collect();
        assert_eq!(lines, wrong, "{case}");
    }
}

#[test]
fn the_pipelines_of_the_repository_have_no_mistake() {
    let (files, diagnostics) = validate_paths(&[root().join("pipelines")]);
    assert!(files.len() >= 2);
    let errors: Vec<_> = diagnostics.iter().filter(|d| d.is_error()).map(ToString::to_string).collect();
    assert_eq!(errors, [] as [&str; 0]);
}

#[test]
fn the_template_shows_every_section() {
    let source = read("pipelines/nightly.yaml");
    for section in json_schema()["properties"].as_object().expect("a pipeline has properties").keys() {
        let shown = source.lines().any(|l| l.trim_start_matches("# ").starts_with(&format!("{section}:")));
        assert!(shown, "{section} is missing in the template");
    }
}

#[test]
fn the_reference_is_up_to_date() {
    same(&root().join("docs/pipeline.md"), &reference::markdown());
}

#[test]
fn missing_inputs_are_errors_for_a_run_and_warnings_for_validation() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("nightly.yaml");
    std::fs::write(&path, read("pipelines/nightly.yaml")).expect("a file for the test");
    let errors = load(&path).expect_err("nothing it names is there");
    let (_, warnings) = validate_paths(std::slice::from_ref(&path));
    assert_eq!(
        errors.iter().map(Diagnostic::position).collect::<Vec<_>>(),
        warnings.iter().map(Diagnostic::position).collect::<Vec<_>>()
    );
    assert_eq!(errors.len(), 4, "contacts, accounts, consents, policy: {errors:?}");
    assert!(errors.iter().all(Diagnostic::is_error) && !warnings.iter().any(Diagnostic::is_error));
    assert!(load_settings(&path).is_ok());
}

#[test]
fn paths_that_cannot_be_read_are_told() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("latin.yaml"), b"version: 1\nname: \"M\xfcller\"\n").expect("a file for the test");
    std::fs::write(path("a.test.yaml"), "x: 1").expect("a file for the test");
    std::fs::write(path("big.yml"), "#".repeat(tree::MAX_BYTES + 1)).expect("a file for the test");
    let (files, told) = validate_paths(&[folder.path().to_owned(), path("absent.yaml")]);
    assert_eq!(files, [path("absent.yaml"), path("big.yml"), path("latin.yaml")]);
    let told: Vec<_> = told.iter().map(|d| (d.line, d.column, d.message.as_str())).collect();
    assert_eq!(
        told,
        [
            (1, 1, "cannot be read: no such file"),
            (1, 1, "the file is larger than 1048576 bytes, more are not read"),
            (2, 9, "not UTF-8"),
        ]
    );
}

#[test]
fn the_hash_is_of_the_meaning() {
    let hash = |source: &str| build(source, Path::new("x.yaml"), "x").expect("no mistake").0.hash().to_owned();
    let demo = read("pipelines/demo.yaml");
    let same_meaning = [
        demo.replace("\n\n", "\n# comment\n\n"),
        demo.replace("half_life_days: 730", "half_life_days:   0730 # two years"),
        demo.replace("  half_life_days: 730\n", ""),
        demo.replace("network: demo", "network: demo\nschedule: { cron: \"15 2 * * *\" }"),
        demo.replace("  home:", "  lineage: told.jsonl\n  lineage_to: { url: \"https://c.example\" }\n  home:"),
        demo.replace("name: demo\n", "").replace("version: 1\n", "\"name\": 'demo'\nversion: 1\n"),
    ];
    for source in same_meaning {
        assert_ne!(source, demo);
        assert_eq!(hash(&source), hash(&demo), "{source}");
    }
    assert_ne!(hash(&demo.replace("min_probability: 0.6", "min_probability: 0.7")), hash(&demo));
    assert_ne!(hash(&demo.replace("[home, team, ", "[team, home, ")), hash(&demo));
}

#[test]
fn a_type_that_refuses_tells_where() {
    #[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Document {
        hosts: Vec<Host>,
    }
    #[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
    #[serde(try_from = "String")]
    struct Host(#[expect(dead_code, reason = "only built")] String);
    impl TryFrom<String> for Host {
        type Error = &'static str;
        fn try_from(text: String) -> Result<Self, &'static str> {
            if text.contains('.') { Ok(Self(text)) } else { Err("a host has a dot") }
        }
    }
    let (good, tree) = load_document::<Document>("hosts: [a.test]\n", "d.yaml").expect("no mistake");
    assert_eq!(good.hosts.len(), 1);
    assert_eq!(tree.span(&["hosts", "0"]), Some(Position { line: 1, column: 9 }));
    assert_eq!(tree.span(&["hosts", "1"]), None);
    let told = load_document::<Document>("hosts:\n  - a.test\n  - b\n", "d.yaml").expect_err("b is no host");
    assert_eq!(told.iter().map(ToString::to_string).collect::<Vec<_>>(), ["d.yaml:3:5: error: a host has a dot"]);
}

/// Files made to cost time: each is at the size limit, or has as many errors as are told.
#[test]
fn hostile_files_end_soon() {
    let numbered = |count: usize, rest: &str| (0..count).map(|i| format!("k{i}{rest}")).collect::<Vec<_>>().join("\n");
    let keys = numbered(90_000, ": 1");
    let errors = numbered(50_000, ": \"x");
    let columns =
        format!("crm:\n  files:\n    contacts:\n      columns:\n        handles: {{{}}}\n", "a: b, ".repeat(90_000));
    let list = format!("extract: {{ languages: [{}] }}\n", "de, ".repeat(200_000));
    let long = format!("network: {}\n", "x".repeat(1_000_000));
    let nested = "[".repeat(1_000_000);
    let start = std::time::Instant::now();
    for source in [keys, errors, columns, list, long, nested] {
        let told = validate(&source, "x").len();
        assert!((1..=check::MOST + 20).contains(&told), "{told}");
    }
    assert!(start.elapsed().as_secs() < 120, "{:?}", start.elapsed());
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    /// One way to damage a line.
    fn damage(lines: &mut Vec<String>, kind: u8, at: usize, garbage: &str) {
        let at = at % lines.len();
        match kind {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[at].clone()),
            2 => lines[at] = lines[at].replacen(char::is_alphabetic, garbage, 1),
            3 => lines[at].push_str(garbage),
            4 => lines[at].insert_str(0, garbage),
            5 => lines[at] = lines[at].chars().rev().collect(),
            6 => lines[at] = lines[at].split(':').next().unwrap_or_default().to_owned(),
            _ => lines[at] = garbage.to_owned(),
        }
        if lines.is_empty() {
            lines.push(String::new());
        }
    }

    proptest! {
        // PROPTEST_CASES=20000 for depth.
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_damaged_file_gives_a_plan_or_a_place(
            damages in prop::collection::vec((0u8..8, 0usize..400, "[\\PC\t\u{0}]{0,6}|[ :\\[\\]{}\"'&*!|>#-]{1,4}"), 1..5),
            template: bool,
        ) {
            let file = if template { "pipelines/nightly.yaml" } else { "pipelines/demo.yaml" };
            let mut lines: Vec<String> = read(file).lines().map(str::to_owned).collect();
            for (kind, at, garbage) in &damages {
                damage(&mut lines, *kind, *at, garbage);
            }
            let source = lines.join("\n");
            if let Err(told) = build(&source, Path::new("x.yaml"), "x") {
                prop_assert!(told.iter().any(Diagnostic::is_error));
                for d in told {
                    let width = source.split('\n').nth(d.line.wrapping_sub(1)).map(|l| l.chars().count());
                    let here = width.is_some_and(|w| (1..=w + 1).contains(&d.column));
                    prop_assert!(here, "{d} is outside of the file:\n{source}");
                }
            }
        }

        #[test]
        fn any_text_is_answered(source in "\\PC{0,200}|([a-z: \\[\\]{}\"'&*!|>#\n\t-]){0,300}") {
            prop_assert!(build(&source, Path::new("x.yaml"), "x").is_err());
        }
    }
}
