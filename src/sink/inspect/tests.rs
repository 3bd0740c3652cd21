//! Tests of `inspect`: filters by meaning, errors by place, formats by text.

use super::*;
use crate::sink::fixtures::{publish, rows};

struct Home {
    _dir: tempfile::TempDir,
    snapshot: Snapshot,
}

fn home(n: usize) -> Home {
    let dir = tempfile::tempdir().expect("temp folder");
    let snapshot = publish(dir.path(), "demo", "a", &rows(n), 100);
    Home { _dir: dir, snapshot }
}

fn run(home: &Home, table: Table, query: &Inspect, width: Option<usize>) -> Result<(u64, String), SinkError> {
    let mut out = Vec::new();
    let n = inspect(&home.snapshot, table, query, &mut out, width)?;
    Ok((n, String::from_utf8(out).expect("UTF-8")))
}

fn filtered(home: &Home, table: Table, filter: &str) -> Result<u64, SinkError> {
    run(home, table, &Inspect { filter: Some(filter.into()), ..Inspect::default() }, None).map(|(n, _)| n)
}

#[test]
fn filters_mean_what_they_say() {
    let home = home(48);
    let cases = [
        ("job_function = 'procurement'", 2),
        ("not job_function = 'procurement'", 34),
        ("job_function != 'procurement'", 34),
        ("job_function in ('procurement', \"sales\")", 4),
        ("job_function not in ('procurement')", 34),
        ("job_function is null", 12),
        ("job_function is not null and job_function_probability >= 0.8", 36),
        ("job_function = 'procurement' or job_function is null", 14),
        ("job_function = 'procurement' AND NOT subject_id = 'sub_000001'", 1),
        ("(job_function = 'procurement' or job_function is null) and subject_id < 'sub_000010'", 3),
        ("seniority >= 'vp'", 16),
        ("seniority > 'vp' and seniority < 'board'", 8),
        ("crm_record like '00Q1_'", 10),
        ("crm_record like '%7'", 5),
        ("crm_record ilike '00q4%'", 9),
        ("crm_record not like '00Q%'", 0),
        ("crm_record like '00Q\\%'", 0),
        ("as_of = '2026-03-02T03:00:00Z' and as_of > '2026-03-02' and as_of < '2026-03-03'", 48),
        ("basis = '6(1)(f)'", 48),
        ("basis = '9(2)'", 0),
        ("goals is null", 12),
        ("account_id is null", 1),
        ("secondary_functions = 'it'", 24),
        ("buying_roles.probability is null", 12),
        ("buying_roles.role = 'decider'", 48),
        ("buying_roles.role != 'decider'", 0),
        ("traits.score < -0.3", 36),
        ("traits[trait = 'formality' and n_evidence = 2]", 48),
        ("traits[trait = 'formality' and n_evidence = 3]", 0),
        ("empathy_map.value like '‹b›%'", 48),
    ];
    for (filter, want) in cases {
        let n = filtered(&home, Table::Personas, filter).unwrap_or_else(|e| panic!("{filter}: {e}"));
        assert_eq!(n, want, "{filter}");
    }
}

#[test]
fn one_element_must_pass_all_of_a_bracket() {
    let home = home(48);
    let decider_over = |p: f64| {
        let given = rows(48);
        let count = given.personas.iter().filter(|r| {
            r.buying_roles.iter().any(|b| b.role.as_str() == "decider" && b.probability.is_some_and(|v| v >= p))
        });
        count.count() as u64
    };
    for p in [0.0, 0.5, 0.8, 0.9] {
        let filter = format!("buying_roles[role = 'decider' and probability >= {p:?}]");
        assert_eq!(filtered(&home, Table::Personas, &filter).expect("fits"), decider_over(p), "{filter}");
    }
    assert!(decider_over(0.8) > 0 && decider_over(0.8) < 36, "the cases tell brackets from any-element tests");
}

#[test]
fn mistakes_are_told_with_their_column_and_a_way_out() {
    let home = home(3);
    let cases = [
        ("senority = 'head'", 1, "did you mean seniority"),
        ("JOB_FUNCTION IS NULL", 1, "did you mean job_function"),
        ("job_function = 'procurment'", 16, "did you mean procurement"),
        ("job_function = procurement", 16, "texts stand in quotes: 'procurement'"),
        ("job_function = 'sales' and", 27, "expected the name of a column"),
        ("job_function = 'sales", 16, "no closing '"),
        ("job_function > 'sales'", 16, "have no order"),
        ("job_function_probability = 'high'", 28, "holds numbers"),
        ("crm_record = 5", 14, "holds text"),
        ("as_of > 2026-03-02", 9, "dates and texts stand in '...'"),
        ("as_of > 'yesterday'", 9, "holds instants"),
        ("tier = null", 8, "write `is null`"),
        ("tier is nothing", 9, "expected `null`"),
        ("buying_roles = 'decider'", 1, "buying_roles.role"),
        ("buying_roles.rolle = 'decider'", 14, "did you mean role"),
        ("tier.x = 'a'", 6, "has nothing inside"),
        ("tier[x = 1]", 1, "is no list of structs"),
        ("(tier = 'segment'", 18, "expected ), opened at column 1"),
        ("tier = 'segment')", 17, "closes nothing"),
        ("tier = 'segment' tier = 'segment'", 18, "expected `and`, `or` or the end"),
        ("tier ~ 'x'", 6, "no meaning"),
        ("tier in 'x'", 9, "expected ( after `in`"),
        ("as_of like '2026%'", 12, "holds no text"),
        ("", 1, "expected the name of a column"),
    ];
    for (filter, column, words) in cases {
        match filtered(&home, Table::Personas, filter) {
            Err(SinkError::Filter { column: at, message, .. }) => {
                assert_eq!(at, column, "{filter}: {message}");
                assert!(message.contains(words), "{filter}: {message}");
            }
            other => panic!("{filter}: {other:?}"),
        }
    }
    let e = filtered(&home, Table::Personas, "tier = 'x' or sub = 1").expect_err("unknown term").to_string();
    assert!(e.ends_with("\n  tier = 'x' or sub = 1\n         ^"), "{e}");
    for deep in ["(".repeat(5000), "not ".repeat(2400), "buying_roles[".repeat(700)] {
        assert!(
            filtered(&home, Table::Personas, &deep).expect_err("too deep").to_string().contains("deeper"),
            "bounded"
        );
    }
}

#[test]
fn a_terminal_table_is_aligned_cut_and_counted() {
    let home = home(4);
    let columns = ["subject_id", "account_id", "job_function", "seniority", "buying_roles", "tier"];
    let query = Inspect { columns: columns.map(Into::into).into(), ..Inspect::default() };
    let (n, text) = run(&home, Table::Personas, &query, Some(100)).expect("prints");
    let want = [
        "subject_id  account_id  job_function            seniority          buying_roles           tier",
        "----------  ----------  ----------------------  -----------------  ---------------------  ----------",
        "sub_000000              executive_management …  trainee 0.70       approver 0.60; initi…  individual",
        "sub_000001  acc_000000  procurement 0.82        junior 0.70        approver 0.70; initi…  individual",
        "sub_000002  acc_000000  production 0.82         professional 0.70  approver 0.80; initi…  individual",
        "sub_000003  acc_000001  (no_consent)            senior 0.70        (no_consent)           individual",
        "4 rows",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), want);
    assert_eq!(n, 4);
    assert!(text.lines().all(|l| unicode_width::UnicodeWidthStr::width(l) <= 100));
    let one = Inspect { limit: Some(1), columns: vec!["expected_size".into(), "role".into()], ..Inspect::default() };
    let (_, text) = run(&home, Table::BuyingCenters, &one, None).expect("prints");
    assert_eq!(
        text,
        "expected_size  role\n-------------  ----\n         1.50  user\n1 row shown, more match: raise the limit\n"
    );
    let none = Inspect { filter: Some("tier = 'segment'".into()), columns: vec!["tier".into()], ..Inspect::default() };
    assert_eq!(run(&home, Table::Personas, &none, None).expect("prints").1, "tier\n----\n0 rows\n");
}

#[test]
fn every_format_shows_every_table() {
    let home = home(4);
    for table in Table::ALL {
        for format in [Format::Table, Format::Csv, Format::JsonLines] {
            let query = Inspect { columns: vec!["*".into()], format, ..Inspect::default() };
            let (n, text) = run(&home, table, &query, None).expect("prints");
            assert!(n > 0, "{table}");
            match format {
                Format::JsonLines => {
                    for line in text.lines() {
                        let object: Value = serde_json::from_str(line).expect("JSON");
                        assert_eq!(object.as_object().map(Map::len), Some(columns(table).len()), "{table}");
                    }
                }
                Format::Csv => {
                    let mut reader = csv::Reader::from_reader(text.as_bytes());
                    assert_eq!(reader.headers().expect("header").len(), columns(table).len());
                    assert_eq!(reader.records().flatten().count() as u64, n);
                }
                Format::Table => assert!(text.ends_with(" rows\n") || text.ends_with("1 row\n"), "{table}"),
            }
        }
    }
}

#[test]
fn csv_guards_formulas_and_json_keeps_types() {
    let dir = tempfile::tempdir().expect("temp folder");
    let mut given = rows(2);
    given.personas[0].crm_record = "=1+1\u{1b}[31m".into();
    given.personas[1].crm_record = "\u{9b}31m\u{202e}x".into();
    let home = Home { snapshot: publish(dir.path(), "demo", "a", &given, 9), _dir: dir };
    let query = |format| Inspect {
        columns: ["crm_record", "as_of", "seniority_probability", "secondary_functions"].map(String::from).to_vec(),
        format,
        ..Inspect::default()
    };
    let (_, csv) = run(&home, Table::Personas, &query(Format::Csv), None).expect("prints");
    assert_eq!(
        csv,
        "crm_record,as_of,seniority_probability,secondary_functions\n\
         '=1+1[31m,2026-03-02T03:00:00Z,0.7,\"[\"\"sales\"\",\"\"it\"\"]\"\n\
         31mx,2026-03-02T03:00:00Z,0.7,[]\n"
    );
    let (_, json) = run(&home, Table::Personas, &query(Format::JsonLines), None).expect("prints");
    assert_eq!(
        json.lines().nth(1).expect("two lines"),
        "{\"crm_record\":\"\\u009b31m\\u202ex\",\"as_of\":\"2026-03-02T03:00:00Z\",\"seniority_probability\":0.7,\
         \"secondary_functions\":[]}"
    );
    for format in [Format::Csv, Format::JsonLines, Format::Table] {
        let (_, text) = run(&home, Table::Personas, &query(format), None).expect("prints");
        assert!(!text.chars().any(|c| c != '\n' && crate::safe_text::is_unprintable(c)), "{format:?}");
    }
}

#[test]
fn an_unknown_column_is_told() {
    let query = Inspect { columns: vec!["senority".into()], ..Inspect::default() };
    let e = run(&home(3), Table::Personas, &query, None).expect_err("unknown").to_string();
    assert!(e.contains("did you mean seniority"), "{e}");
}

proptest::proptest! {
    #[test]
    fn no_filter_panics(text in "[a-z_.'\"()\\[\\]<>=!, 0-9%äöü-]{0,60}") {
        if let Ok(expr) = parse::parse(&text) {
            let _ = filter::bind(&expr, columns(Table::Personas));
        }
    }
}
