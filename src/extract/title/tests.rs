//! The title reader against its labelled titles.
//!
//! Invariant: the tables under `testdata/title/` are the specification; an empty table fails.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::{TitleReader, TitleReading};
use crate::taxonomy::{Facet, FacetStatus};

/// The rows of a table, header dropped.
fn table(name: &str) -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/title").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let rows: Vec<_> = text.lines().skip(1).map(|l| l.split('\t').map(str::to_owned).collect()).collect();
    assert!(rows.len() > 20, "{name} holds too few rows");
    rows
}

fn shown<T: std::fmt::Display>(f: &Facet<T>) -> String {
    f.value.as_ref().map_or_else(|| format!("-{}", f.status), ToString::to_string)
}

/// What a row of a table says about a reading; empty where all is right.
fn differences(row: &[String], r: &TitleReading) -> String {
    let power = r.signing_power.map_or_else(|| "-".to_owned(), |p| p.to_string());
    let got = [shown(&r.job_function), shown(&r.seniority), power];
    let mut out = String::new();
    for (expected, got) in row[1..].iter().zip(&got) {
        if expected != "*" && expected != got {
            write!(out, "  expected {expected}, got {got};").expect("a string");
        }
    }
    out
}

#[test]
fn every_tricky_title_is_read_right() {
    let mut misses = String::new();
    for row in table("tricky.tsv") {
        let d = differences(&row, &TitleReader::shipped().read(&row[0]));
        if !d.is_empty() {
            writeln!(misses, "{}: {d}", row[0]).expect("a string");
        }
    }
    assert!(misses.is_empty(), "\n{misses}");
}

/// Accuracy, macro-F1 and coverage of one column.
#[derive(Debug)]
struct Score {
    accuracy: f64,
    macro_f1: f64,
    coverage: f64,
}

fn score(pairs: &[(String, String)]) -> Score {
    let mut classes: BTreeMap<&str, [f64; 3]> = BTreeMap::new();
    for (expected, got) in pairs {
        if expected == got {
            classes.entry(expected).or_default()[0] += 1.0;
        } else {
            classes.entry(expected).or_default()[2] += 1.0;
            if !got.starts_with('-') {
                classes.entry(got).or_default()[1] += 1.0;
            }
        }
    }
    let f1 = |[tp, fp, fnn]: &[f64; 3]| 2.0 * tp / (2.0 * tp + fp + fnn).max(1.0);
    let n = pairs.len() as f64;
    Score {
        accuracy: pairs.iter().filter(|(a, b)| a == b).count() as f64 / n,
        macro_f1: classes.values().map(f1).sum::<f64>() / classes.len() as f64,
        coverage: pairs.iter().filter(|(_, b)| !b.starts_with('-')).count() as f64 / n,
    }
}

fn check_split(name: &str, floor: f64) {
    let (mut functions, mut levels) = (Vec::new(), Vec::new());
    for row in table(name) {
        let r = TitleReader::shipped().read(&row[0]);
        let d = differences(&row, &r);
        if !d.is_empty() {
            println!("{name}: {}: {d}", row[0]);
        }
        functions.push((row[1].clone(), shown(&r.job_function)));
        levels.push((row[2].clone(), shown(&r.seniority)));
    }
    let (f, s) = (score(&functions), score(&levels));
    println!("{name}: function {f:.3?}, seniority {s:.3?}");
    assert!(f.coverage >= 0.9 && s.coverage >= 0.9, "{name}: coverage");
    assert!(f.accuracy >= floor && f.macro_f1 >= floor - 0.03, "{name}: function {f:?}");
    assert!(s.accuracy >= floor && s.macro_f1 >= floor - 0.03, "{name}: seniority {s:?}");
}

#[test]
fn labelled_titles_reach_the_floor() {
    check_split("train.tsv", 0.95);
    check_split("test.tsv", 0.93);
}

#[test]
fn abstention_has_no_probability_and_special_titles_leave_nothing() {
    let r = TitleReader::shipped().read("Mitglied des Betriebsrats, Leiterin Einkauf");
    assert!(r.special_category && r.evidence.is_empty());
    assert!(TitleReader::shipped().quote("Mitglied des Betriebsrats, Leiterin Einkauf").is_empty());
    assert_eq!(r.job_function, Facet::abstain(FacetStatus::NotApplicable));
    let r = TitleReader::shipped().read("");
    assert_eq!(r.seniority.p, None);
}

fn same(a: &str, b: &str) -> bool {
    let (x, y) = (TitleReader::shipped().read(a), TitleReader::shipped().read(b));
    let same = (x.job_function.value, x.seniority.value, x.signing_power)
        == (y.job_function.value, y.seniority.value, y.signing_power);
    if !same {
        println!(
            "{a}: {}, {} | {b}: {}, {}",
            shown(&x.job_function),
            shown(&x.seniority),
            shown(&y.job_function),
            shown(&y.seniority)
        );
    }
    same
}

#[test]
fn gender_forms_are_read_alike_and_stored_alike() {
    let (mut all, mut alike, mut stored) = (0.0, 0.0, 0.0);
    for row in table("forms.tsv") {
        let (m, f) = (row[0].as_str(), row[1].as_str());
        let mut forms = vec![f.to_owned(), format!("{m} (m/w/d)"), f.to_uppercase(), format!("{m} / {f}")];
        if f.strip_prefix(m) == Some("in") {
            forms.extend(["/in", "/-in", "*in", ":in", "_in", "(in)", "In"].map(|e| format!("{m}{e}")));
        }
        for form in forms {
            all += 1.0;
            alike += f64::from(u8::from(same(m, &form)));
        }
        let quotes = [m, f].map(|t| TitleReader::shipped().quote(t).to_lowercase());
        if quotes[0] == quotes[1] {
            stored += 1.0;
        } else {
            println!("stored: {quotes:?}");
        }
    }
    let rows = table("forms.tsv").len() as f64;
    println!("gender forms: {all} pairs, alike {:.4}, stored alike {:.4}", alike / all, stored / rows);
    assert!(alike / all >= 0.995, "{:.4}", alike / all);
    assert!(stored / rows >= 0.98, "{:.4}", stored / rows);
}

#[test]
fn neutral_nouns_are_read_as_the_others() {
    for (a, b) in [
        ("Projektleiter", "Projektleitung"),
        ("Teamleiter Vertrieb", "Teamleitung Vertrieb"),
        ("Bankkaufmann", "Bankkaufperson"),
        ("Vertriebsmitarbeiter", "Vertriebsmitarbeitende"),
        ("Wissenschaftlicher Mitarbeiter", "Wissenschaftliche Mitarbeitende"),
        ("Tierarzt", "Tierärzt*in"),
        ("Landrat", "Landrät_in"),
        ("Berater für Bildung", "Berater/Beraterin für Bildung"),
        ("Lean-Manager", "Lean-Manager bzw. Lean-Managerin"),
        ("Doktorand", "Doktorandin"),
        ("IT-Leiter", "IT-Leitung"),
        ("Verkäufer", "Verkaufspersonal"),
        ("Verkaufsberater", "Verkaufsberatung"),
        ("Vorstandsvorsitzender", "Vorstandsvorsitz"),
        ("Vorarbeiter Gleisbau", "Vorarbeitende Gleisbau"),
        ("Obmann", "Obperson"),
        ("Doktorand Biochemie", "Promovierende Biochemie"),
    ] {
        assert!(same(a, b), "{a}: {b}");
    }
}

#[test]
fn further_departments_are_told() {
    use crate::taxonomy::JobFunction::{
        HumanResources, It, LogisticsSupplyChain, MarketingCommunications, Procurement, Production, Sales,
    };
    for (title, further) in [
        ("Leiter Einkauf, Logistik und Produktion", &[LogisticsSupplyChain, Production][..]),
        ("Head of Procurement, Logistics & Production", &[LogisticsSupplyChain, Production]),
        ("Finanz- und Personalleiterin", &[HumanResources]),
        ("Ein- und Verkaufsleiter", &[Sales]),
        ("Leiterin Ein- und Verkauf", &[Sales]),
        ("Vertriebs- und Marketingleiter", &[MarketingCommunications]),
        // What follows a comma alone may be the industry.
        ("Leiter Einkauf, Software", &[]),
        ("Sales Director | Ex-Deloitte Consulting", &[]),
        ("Teamleiter IT ohne Personalverantwortung", &[]),
    ] {
        let r = TitleReader::shipped().read(title);
        assert_eq!(r.secondary_functions.as_slice(), further, "{title}: {r:?}");
        assert!(r.job_function.value.is_some_and(|f| matches!(f, Procurement | It | Sales) || !further.is_empty()));
    }
}

#[test]
fn mandates_are_withheld_and_public_offices_are_not() {
    for title in ["Stadtrat", "Mitglied des Gemeinderats, Vertriebsleiter", "Stadtverordnete", "Fraktionsvorsitzender"]
    {
        let r = TitleReader::shipped().read(title);
        assert!(r.special_category && r.evidence.is_empty(), "{title}");
        assert!(TitleReader::shipped().quote(title).is_empty(), "{title}");
    }
    for title in ["Bürgermeisterin", "Landrat", "Gemeindeschreiber", "Dezernentin"] {
        let r = TitleReader::shipped().read(title);
        assert_eq!(shown(&r.job_function), "public_service", "{title}");
    }
}

#[test]
fn memory_changes_nothing() {
    let reader = TitleReader::shipped();
    for row in table("train.tsv").iter().chain(&table("tricky.tsv")) {
        let afresh = reader.read_afresh(&row[0]);
        assert_eq!(
            (&reader.read(&row[0]), reader.lend(&row[0], Clone::clone)),
            (&afresh, afresh.clone()),
            "{}",
            row[0]
        );
    }
}

#[test]
fn letters_tell_what_no_word_does() {
    let r = TitleReader::shipped().read("Vertriebsmitabeiter");
    assert_eq!(shown(&r.job_function), "sales");
    assert_eq!(
        r.evidence.iter().map(|e| (e.span, e.means)).collect::<Vec<_>>(),
        [((0, 19), "model:job_function=sales")]
    );
}

#[test]
fn evidence_points_at_what_it_means() {
    let title = "🚀 Stellv. Leiterin Einkauf, Prokuristin";
    let r = TitleReader::shipped().read(title);
    let spans: Vec<(String, &str)> = r
        .evidence
        .iter()
        .map(|e| (title.chars().skip(e.span.0).take(e.span.1 - e.span.0).collect(), e.means))
        .collect();
    let expected = [
        ("Stellv", "deputy"),
        ("Leiterin", "seniority=head"),
        ("Einkauf", "job_function=procurement"),
        ("Prokuristin", "signing_power=prokura"),
    ];
    assert_eq!(spans, expected.map(|(a, b)| (a.to_owned(), b)));
}

#[test]
fn quotes_are_neutral_and_nameless() {
    for (title, quote) in [
        ("Leiterin Einkauf (m/w/d)", "Leiter:in Einkauf"),
        ("Leiter Einkauf bei Muster GmbH", "Leiter:in Einkauf"),
        ("Technische Leiterin", "Technische:r Leiter:in"),
        ("Technischer Leiter", "Technische:r Leiter:in"),
        ("Kauffrau im Einzelhandel", "Kaufmann/-frau im Einzelhandel"),
        ("Rechtsanwältin", "Rechtsanwält:in"),
        ("CEO Max Mustermann", "CEO"),
        ("Chairwoman of the Board", "Chair of the Board"),
        ("Head of Sales & Marketing", "Head of Sales & Marketing"),
        ("CEO Anna Müller", "CEO"),
        ("Head of Logistics | proud dad of Emma", "Head of Logistics"),
        ("Betriebsrätin", ""),
    ] {
        assert_eq!(TitleReader::shipped().quote(title), quote, "{title}");
    }
}

/// `quotes.tsv`: what is stored of a title, `!` where the title is withheld.
#[test]
fn quotes_hold_whole_stretches_of_what_was_read() {
    let mut misses = String::new();
    for row in table("quotes.tsv") {
        let r = TitleReader::shipped().read(&row[0]);
        let stored = TitleReader::shipped().quote(&row[0]);
        let got = if r.special_category { "!" } else { stored.as_str() };
        if got != row[1] || (r.special_category && !(stored.is_empty() && r.evidence.is_empty())) {
            writeln!(misses, "{}: expected {:?}, got {got:?}", row[0], row[1]).expect("a string");
        }
    }
    assert!(misses.is_empty(), "\n{misses}");
}

#[test]
fn lines_come_out_in_order_with_the_contract() {
    let mut out = Vec::new();
    let input = b"Eink\xc3\xa4ufer\r\n\nbad \xff byte\nCEO".as_slice();
    assert_eq!(super::title_lines(input, &mut out).expect("memory"), 4);
    let lines: Vec<serde_json::Value> =
        String::from_utf8(out).expect("utf-8").lines().map(|l| serde_json::from_str(l).expect("json")).collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[0]["title"], "Einkäufer");
    assert_eq!(lines[0]["job_function"]["value"], "procurement");
    assert_eq!(lines[0]["language"], "de");
    assert_eq!(lines[1]["seniority"]["value"], serde_json::Value::Null);
    assert_eq!(lines[1]["seniority"]["status"], "insufficient_evidence");
    assert_eq!(lines[3]["seniority"]["value"], "c_level");
    let keys: Vec<&str> = lines[3].as_object().expect("object").keys().map(String::as_str).collect();
    let contract =
        ["title", "job_function", "secondary_functions", "seniority", "signing_power", "language", "evidence"];
    assert_eq!(keys, contract);
}

#[test]
fn words_of_other_alphabets_are_not_cut_within_a_letter() {
    // A unit's name is looked up from every place on.
    assert_eq!(TitleReader::shipped().read("Pazarlamaışteam").job_function.value, None);
}

proptest::proptest! {
    #[test]
    fn any_text_gives_an_answer(text in "\\PC{0,60}|[A-Za-zäöüß |,/()*:_-]{0,500}") {
        let r = TitleReader::shipped().read(&text);
        let n = text.chars().count();
        for e in &r.evidence {
            proptest::prop_assert!(e.span.0 < e.span.1 && e.span.1 <= n);
        }
        for (value, p) in [(r.job_function.value.is_some(), r.job_function.p), (r.seniority.value.is_some(), r.seniority.p)] {
            proptest::prop_assert_eq!(value, p.is_some());
            proptest::prop_assert!(p.is_none_or(|p| (0.0..1.0).contains(&p)));
        }
        proptest::prop_assert!(TitleReader::shipped().quote(&text).chars().count() <= 120);
    }
}

/// A line of `bad.jsonl`: what no one is called, or hardly.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Bad {
    what: String,
    title: String,
    #[serde(default = "once")]
    times: usize,
    #[serde(default)]
    then: String,
    /// Whether there must, or must not, be a value; nothing = either is fine.
    answer: Option<bool>,
}

fn once() -> usize {
    1
}

#[test]
fn bad_input_is_answered_with_a_status() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/title/bad.jsonl");
    let rows = std::fs::read_to_string(path).expect("in the repository");
    let mut wrong = String::new();
    for row in rows.lines() {
        let bad: Bad = serde_json::from_str(row).expect("a case");
        let title = bad.title.repeat(bad.times) + &bad.then;
        let r = TitleReader::shipped().read(&title);
        let answered = r.job_function.value.is_some() || r.seniority.value.is_some();
        if bad.answer.is_some_and(|a| a != answered) {
            writeln!(wrong, "{}: {r:?}", bad.what).expect("a string");
        }
        assert_eq!(r.job_function.value.is_some(), r.job_function.status == FacetStatus::Known, "{}", bad.what);
        assert!(TitleReader::shipped().quote(&title).chars().count() <= 120, "{}", bad.what);
        let mut out = Vec::new();
        super::title_lines(title.replace('\n', " ").as_bytes(), &mut out).expect("memory");
        let lines = out.split(|b| *b == b'\n').filter(|l| !l.is_empty());
        assert!(lines.map(serde_json::from_slice::<serde_json::Value>).all(|v| v.is_ok()), "{}", bad.what);
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// French gender forms, inclusive spellings among them, are one title.
#[test]
fn french_forms_are_read_alike() {
    for (a, b) in [
        ("Directeur commercial", "Directrice commerciale"),
        ("Acheteur", "Acheteuse"),
        ("Acheteur", "Acheteur/euse"),
        ("Technicien de maintenance", "Technicienne de maintenance"),
        ("Technicien de maintenance", "Technicien(ne) de maintenance"),
        ("Chargé de recrutement", "Chargée de recrutement"),
        ("Chargé de recrutement", "Chargé(e) de recrutement"),
        ("Gérant", "Gérante"),
        ("Conseiller clientèle", "Conseillère clientèle"),
        ("Directeur des achats", "Directeur·rice des achats"),
        ("Chef de projet", "Cheffe de projet"),
        ("Assistant de direction", "Assistante de direction"),
        ("Infirmier", "Infirmière"),
        ("Président-directeur général", "Présidente-directrice générale"),
    ] {
        assert!(same(a, b), "{a}: {b}");
        let [a, b] = [a, b].map(|t| TitleReader::shipped().quote(t).to_lowercase());
        assert_eq!(a, b, "stored");
    }
}
