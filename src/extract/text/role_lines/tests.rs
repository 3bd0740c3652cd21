//! What lists of many hands tell, and what looks like them.

use super::super::{Polarity, TextContact, TextKind, TextRecord, read_text};

/// Contacts and the roles that a text tells of them.
fn told(text: &str) -> String {
    let contacts = [
        ("b", "Petra Brandt", "Geschäftsführerin"),
        ("e", "Karl Ebert", "Einkäufer"),
        ("l", "Lena Lohbauer", "Finance Director"),
        ("o", "Cem Özdal", "Leiter Technik"),
        ("s", "Jörg Storck", "Disponent"),
    ];
    let contacts: Vec<TextContact> = contacts
        .map(|(id, name, title)| TextContact { id: id.into(), name: name.into(), title: Some(title.into()) })
        .into();
    let record = TextRecord {
        id: String::new(),
        kind: TextKind::Note,
        lang: None,
        text: text.to_owned(),
        contacts: contacts.into(),
        about: None,
        company: Some("Tannhoff GmbH".to_owned()),
    };
    let all =
        read_text(&record).signals.into_iter().filter(|s| s.family == "buying_role" && s.polarity == Polarity::Plus);
    let mut all: Vec<String> = all.map(|s| format!("{} {}", s.subject, s.value)).collect();
    all.sort();
    all.join(", ")
}

#[test]
fn lists_tell_roles_however_they_are_laid_out() {
    for (text, expected) in [
        ("Entscheider: Brandt. EK: Ebert. Budgetfreigabe: Lohbauer.", "b decider, e buyer, l approver"),
        ("Anwender = Storck / Einkäufer = Ebert / letztes Wort = Brandt", "b decider, e buyer, s user"),
        (
            "Storck/Özdal = Berater der Chefin beim Fahrzeugkauf; Ebert = Bestellungen",
            "e buyer, o influencer, s influencer",
        ),
        ("EK Ebert (bestellt), GF Brandt (entsch.), Lohbauer (Budgetfreig.)", "b decider, e buyer, l approver"),
        (
            "DM Petra B. / EB Lohbauer / tech eval Özdal (tests the feed) / end user Storck",
            "b decider, l approver, o influencer, s user",
        ),
        ("Wer entscheidet? -> Brandt, auf Rat von Özdal\nTermin Abnahme", "b decider, o influencer"),
        ("TOP 1 Stand\nTOP 2 Wer entscheidet? -> Brandt\nTOP 3 Termin", "b decider"),
        ("Who approves the money? FD. Who decides? Brandt.", "b decider, l approver"),
        (
            "Zuständigkeiten\nEinkauf .......... Ebert\nBudgetfreigabe ... Lohbauer\nEntscheidung ..... Brandt",
            "b decider, e buyer, l approver",
        ),
        ("Person;Rolle\nBrandt;Entscheiderin\nEbert;Einkauf", "b decider, e buyer"),
        ("Name | Role | Notes\nBrandt | DM | only via Moira\nEbert | purchasing, POs | ext. 214", "b decider, e buyer"),
        (
            "Bedarf Storck > Auswahl und Entscheidung Brandt > Mittelfreigabe Lohbauer > Bestellung Ebert",
            "b decider, e buyer, l approver, s initiator",
        ),
        (
            "Buying centre:\n- decides: Brandt\n- sign-off on the money: Lohbauer\n- orders: Ebert",
            "b decider, e buyer, l approver",
        ),
        ("Seit August liegt die Budgetfreigabe bei Lohbauer.", "l approver"),
        ("Einkäufer ist nun Herr Storck.", "s buyer"),
        ("Hr. Storck: Finanzen, Freigabe aller Anschaffungen ab 5 T€, will Leasing.", "s approver"),
        ("Finance Director = Unterschrift unter jede Investition", "l approver"),
        ("Chefin (Brandt) entscheidet, Ebert bestellt", "b decider, e buyer"),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
}

#[test]
fn what_looks_like_a_list_tells_nothing() {
    for text in [
        "Freigabe Brandt",
        "EK (Ebert): wants an offer",
        "| Name | Rolle |\n|---|---|\n| Brandt | Entscheiderin? |\n| Storck | Anwender? |",
        "Name;Rolle\nBrandt;Entscheiderin?\nStorck;Anwender?",
        "| Name | Rolle | Stand |\n|---|---|---|\n| Brandt | Entscheiderin | ausgeschieden |\n| Storck | Anwender | früher |",
        "Wer entscheidet? Storck: der Vorstand.",
        "Who decides? Storck: no idea.",
        "Agenda 14.3.\n- Bestellung (Brandt)\n- Freigabe (Storck)\n- Demo (Ebert)",
        "1. Decision (Storck)\n2. Sign-off (Ebert)\n3. AOB",
        "| Top | Verantwortlich |\n|---|---|\n| Entscheidung | Brandt |\n| Freigabe | Ebert |",
        "Budget: 50k (Brandt)\nEntscheidung: Q3 (Storck)",
        "Ebert (bestellt zum Gespräch), Storck (zum Projektleiter bestellt)",
        "Entscheider ab August: Brandt.",
        "Storck (ab 1.1. Entscheider)",
        "Einkauf: ab August Frau Lohbauer.",
        "Ab August liegt die Budgetverantwortung bei Herrn Storck.",
        "Lena Lohbauer is the decision maker from July.",
        "Decider: ask Brandt",
        "Ebert = future decider",
        "Vermutung: Entscheider = Brandt",
        "Noch zu klären: Freigabe: Lohbauer",
        "Brandt (früher Entscheiderin)",
        "Entscheider: Brandt (tbc)",
        "Brandt: entscheidet nicht",
        "Assistentin von Brandt: Entscheiderin",
        "Brandts Chef: Entscheider",
        "Freigabe für Brandt, Bestellung an Ebert",
        "Orders to Ebert, sign-off for Brandt",
        "Lohbauer: sign-off sits with finance",
        "Storck: Verhandlung führt der Konzerneinkauf",
        "Entscheider: Brandt oder Ebert?",
        "TN: Brandt, Ebert, Storck\nThemen: Freigabe, Bestellung",
        "> Entscheider: Brandt\n> Einkauf: Ebert",
        "Entscheider: Brandmeier. Einkauf: Ebertz.",
    ] {
        assert_eq!(told(text), "", "{text}");
    }
}
