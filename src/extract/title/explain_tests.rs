//! What an explanation tells, and that it tells of the very reading.

use crate::extract::title::{By, TitleReader};
use crate::taxonomy::{JobFunction, Seniority, SigningPower};

/// The titles of the labelled tables that are for looking at.
fn titles() -> Vec<String> {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/title");
    ["train.tsv", "tricky.tsv", "fresh_dev.tsv", "quotes.tsv"]
        .iter()
        .flat_map(|name| {
            let text = std::fs::read_to_string(dir.join(name)).expect("in the repository");
            text.lines().skip(1).filter_map(|l| l.split('\t').next()).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn an_explanation_tells_of_the_very_reading() {
    let reader = TitleReader::shipped();
    for title in titles() {
        let (told, read) = (reader.explain(&title), reader.read_afresh(&title));
        let shown = |v: Option<&str>| v.map(str::to_owned);
        assert_eq!(told.job_function.value, shown(read.job_function.value.map(JobFunction::as_str)), "{title}");
        assert_eq!(told.job_function.probability, read.job_function.p, "{title}");
        assert_eq!(told.seniority.value, shown(read.seniority.value.map(Seniority::as_str)), "{title}");
        assert_eq!(told.seniority.probability, read.seniority.p, "{title}");
        assert_eq!(told.signing_power.value, shown(read.signing_power.map(SigningPower::as_str)), "{title}");
        let by = [told.job_function.by, told.seniority.by, told.signing_power.by];
        if read.special_category {
            assert!(by == [By::Withheld; 3] && told.notes.is_empty() && told.job_function.words.is_empty(), "{title}");
        }
        let model = read.evidence.iter().any(|e| e.means.starts_with("model:"));
        assert_eq!(matches!(by[0], By::Model | By::RulesAndModel), model, "{title}");
        assert_eq!(told.job_function.model.is_some_and(|m| m.used), model, "{title}");
    }
}

#[test]
fn rules_and_model_and_calibration_are_told_in_plain_words() {
    let told: Vec<String> = [
        "Stellv. Leiterin Einkauf",
        "Vertriebsmitabeiter",
        "Vertriebsinnendienstleiterin, Prokuristin",
        "Glasbläser",
        "Senior Manager",
        "Ehemals Leiter Vertrieb",
        "Mitglied des Betriebsrats, Leiterin Einkauf",
    ]
    .map(|title| TitleReader::shipped().explain(title).to_string())
    .into();
    insta::assert_snapshot!(told.join("\n"));
}

/// What somebody wrote into a CRM must not act on the terminal of who reads its explanation, nor fill it.
#[test]
fn an_explanation_is_harmless_and_no_longer_than_what_was_read() {
    let told = TitleReader::shipped().explain("Leiter\u{1b}[31m \u{7}Einkauf <b>").to_string();
    assert!(told.lines().all(|line| !line.chars().any(char::is_control)) && !told.contains('<'), "{told:?}");
    let told = TitleReader::shipped().explain(&"Einkauf ".repeat(1 << 16)).to_string();
    assert!(told.starts_with("Einkauf Einkauf") && told.len() < 1 << 15, "{}", told.len());
    for (title, is_read) in [("", false), ("<script>alert(1)</script>", false), ("Hmpf", true)] {
        let by = TitleReader::shipped().explain(title).job_function.by;
        assert_eq!((by != By::Unread, by == By::Nothing), (is_read, is_read), "{title}");
    }
}
