//! Whose seats notes tell where no name is the subject of the clause.

use super::super::{Polarity, TextContact, TextKind, TextRecord, read_text};

/// Whose seats a note tells: `about | text | contact value polarity, ...`.
const CASES: &str = "
c3 | Herr Wendt, der das letzte Wort hat, kam später dazu. | c3 decider+
c3 | Herr Wendt hat einen Schwager, der das letzte Wort hat. |
c3 | Termin bei Beck. Herr Wendt gibt bei Beck die Investitionen frei. | c3 approver+
c1 | Bei Beck gibt ein Ausschuss die Investitionen frei. |
c2 | Mit Frau Marx muss man sich gut stellen. Sie entscheidet, welche Unterlagen der Geschäftsführer zu sehen bekommt. | c2 gatekeeper+
c2 | Wer zum Chef will, muss an ihr vorbei. | c2 gatekeeper+
c3 | Mit Herrn Wendt gesprochen. Auf ihn hört der Chef. | c3 influencer+
c3 | Mit Herrn Wendt gesprochen. Auf sein Urteil hört der Chef. | c3 influencer+
c3 | Der Geschäftsführer hört auf Frau Marx, wenn es um Maschinen geht. | c2 influencer+
c5 | The boss relies on his judgement. | c5 influencer+
c5 | His word carries weight with Ruth. | c5 influencer+
c5 | He advises Ruth on technical matters. | c5 influencer+
c2 | She keeps salespeople away from Ruth. | c2 gatekeeper+
c4 | Mark signs off the budget. Anything above 20k needs his signature before Karen can place the order. | c5 approver+
c3 | Die Entscheidung treffen Chef und Einkaufsleiter gemeinsam. | c1 decider+, c3 decider+
c3 | Über den Kauf entscheiden Herr Beck und Frau Marx zu zweit. | c1 decider+, c2 decider+
c3 | Termine beim Chef vergibt die Assistentin. |
c3 | Advises the boss on machines. | c3 influencer+
c4 | The plant manager has the last word on every machine. | c4 decider+
c3 | As the plant manager of another firm decides, we wait. |
c3 | Der kaufmännische GF gibt die Budgets frei, Name noch raussuchen. |
c3 | WL testet die Anlage täglich und arbeitet damit. | c6 user+
c3 | Über neue Linien entscheidet ein Gremium (EK, QS, GF). |
c2 | Der Chef hört auf sie. | c2 influencer+
c3 | Der Chef hört auf den Berater. |
c4 | The boss listens to the consultant. |
c4 | The team listens to Karen on quality. | c2 influencer+
c3 | Mark told me the boss has the final say. |
c3 | Karen knows the plant manager uses it every day. |
c3 | Wendt bereitet vor, die Entscheidung liegt beim Chef. | c1 decider+
c3 | Frau Marx fragt den Chef, er hat das letzte Wort. | c1 decider+
c3 | Herr Wendt hat Herrn Lohse dabei, der das Budget freigibt. |
c3 | Wendt verweist an Frau Kern, die das letzte Wort hat. |
c3 | Der Kollege von Herrn Wendt, der das letzte Wort hat, war da. |
c3 | Wendt hat einen Mitarbeiter, der Angebote vergleicht. |
c4 | Ruth works for a man who has the final say. |
c4 | Ruth is the one who has the final say. | c4 decider+
c3 | Herr Wendt ist nicht der Mann, der das letzte Wort hat. |
c3 | Anruf von Herrn Wendt, der Senior hat das letzte Wort. |
c3 | Der Prokurist muss ran, ohne seine Unterschrift läuft nichts. |
c2 | Frau Marx: der Chef hat das letzte Wort. | c1 decider+
c4 | Ruth: the boss decides. |
c3 | Der Werkleiter (Lohse) hat das letzte Wort. |
c4 | The plant manager, Joe Stone, has the last word. |
c3 | Herr Wendt, der zuhause das letzte Wort hat, war da. |
c3 | Herr Wendt und Frau Marx nutzen die Anlage, aber Herr Wendt entscheidet allein. | c2 user+, c3 decider+, c3 user+
c2 | Frau Marx hat eine Schwester, deren Mann allein entscheidet. |
c3 | Die Entscheidung liegt beim WL. | c6 decider+
c3 | Hat mit der Kaufentscheidung nichts zu tun, arbeitet aber täglich mit der Anlage. | c3 decider-, c3 user+
";

/// Who cannot be meant, or of whom nothing is told of now; and the near misses. As above.
const OF_OTHERS: &str = "
c3 | War bei Siemens. Der Werkleiter entscheidet selbst. |
c3 | Besuch bei der Firma Hollmann. Der Werkleiter hat das letzte Wort. |
c3 | Besuch Hollmann. Der Werkleiter hat das letzte Wort. |
c3 | Visited Hollmann. The plant manager has the last word. |
c3 | Besuch bei der Firma Hollmann. Herr Wendt war dabei, der Werkleiter hat das letzte Wort. | c6 decider+
c3 | Besuch Wendt. Der Werkleiter hat das letzte Wort. | c6 decider+
c3 | Firma Beck, Besuch vor Ort. Der Werkleiter hat das letzte Wort. | c6 decider+
c3 | Visited the plant. The plant manager has the last word. | c4 decider+
c3 | Visited Mark today. The plant manager has the last word. | c4 decider+
c3 | Wendt bringt den Controller mit. Er entscheidet allein. |
c3 | Wendt bringt die Controllerin mit. Er entscheidet allein. | c3 decider+
c3 | Wendt bringt Unterlagen mit. Er entscheidet allein. | c3 decider+
c3 | Wendt war mit einem Kollegen da. Er entscheidet allein. |
c5 | Mark brought the controller along. He decides alone. |
c5 | Mark has hired a buyer. He signs off the budget. |
c3 | Herr Beck und Frau Marx waren da. Ohne ihre Zustimmung läuft nichts. |
c2 | Frau Marx und ihr Team waren da. Ohne ihre Zustimmung läuft nichts. |
c2 | Termin mit Frau Marx. Ohne ihre Zustimmung läuft nichts. | c2 approver+
c5 | Our Steve was there too. He signs off the budget. |
c3 | Unser Steve war auch dabei. Er gibt das Budget frei. |
c5 | Our quote was there too. He signs off the budget. | c5 approver+
c3 | Unser Angebot war dabei. Er gibt das Budget frei. | c3 approver+
c5 | Every order needed his signature. |
c5 | Every order has needed his signature. |
c3 | Ohne seine Unterschrift lief nichts. |
c3 | Ohne seine Unterschrift ging früher nichts. |
c5 | Every order needs his signature. | c5 approver+
c3 | Ohne seine Unterschrift läuft nichts. | c3 approver+
c4 | Mark said Joe signs off the budget. |
c5 | Mark told me that Joe signs off the budget. |
c3 | Laut Wendt entscheidet Müller. |
c5 | Mark said he signs off the budget. | c5 approver+
c3 | Herr Wendt, der im Garten das letzte Wort hat, war da. |
c3 | Herr Wendt, der im Chor das letzte Wort hat, war da. |
c3 | Herr Wendt, der daheim drei Kinder hat, entscheidet allein. | c3 decider+
c3 | Herr Wendt, der seit zwanzig Jahren im Haus ist, entscheidet allein. | c3 decider+
c3 | Herr Wendt, der in der Fertigung das letzte Wort hat, war da. | c3 decider+
";

/// What a note tells of people: `about | text | contact family value polarity, ...`.
const VIEWS: &str = "
c5 | Mark hates the new control. |
c5 | Mark is wary of new machines. | c5 trait innovation_openness-
c4 | Had a coffee with Ruth before the site tour. She says every quote over five grand has to go past Karen before she can raise the PO. | c4 buying_role buyer+
c4 | Ruth is frustrated that the old lathes keep tripping out and the lads end up running weekend shifts to catch up. | c4 pain downtime+
c4 | Ruth sends everything out to three vendors. | c4 buying_behaviour compares_offers+
c4 | Ruth sends vendors packing. | c4 buying_role gatekeeper+
c5 | He can't go over two thousand without a signature. |
c2 | Sat in on Karen's audit prep. She double checks every single figure. | c2 trait detail_orientation+
c4 | Ruth decides nothing before she has slept on it. |
c4 | Ruth decides nothing. | c4 buying_role decider-
c5 | Mark gave me the name of the person who signs off the budget. |
c5 | Mark is the person who signs off the budget. | c5 buying_role approver+
c2 | Karen is Ruth's right hand. You don't get into Ruth's diary without going through her. |
c5 | Mark hates paperwork and leaves it on Ruth's desk. | c5 pain manual_work+
c3 | Herr Wendt, der in seiner Freizeit Angebote vergleicht, war da. |
c3 | Herr Wendt, der immer Angebote vergleicht, war da. | c3 buying_behaviour compares_offers+
c3 | Wendt, der schlecht hört, hasst Telefonate. |
c3 | Wendt, der selten auf uns hört, hasst Telefonate. | c3 channel phone-
";

/// What a note tells, each as `contact family value polarity`, in order.
fn told(about: &str, text: &str) -> Vec<String> {
    let contacts = [
        ("c1", "Peter Beck", "Geschäftsführer"),
        ("c2", "Karen Marx", "Leiterin Qualität"),
        ("c3", "Ralf Wendt", "Einkaufsleiter"),
        ("c4", "Ruth Miller", "Plant Manager"),
        ("c5", "Mark Olsen", "Maintenance Engineer"),
        ("c6", "Jens Tamm", "Werkleiter"),
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
        about: Some(about.to_owned()),
        company: Some("Beck GmbH".to_owned()),
    };
    let pole = |p: Polarity| if p == Polarity::Plus { '+' } else { '-' };
    let signals = read_text(&record).signals.into_iter();
    let mut told: Vec<String> =
        signals.map(|s| format!("{} {} {}{}", s.subject, s.family, s.value, pole(s.polarity))).collect();
    told.sort();
    told
}

/// Holds of each case what is told against what is due.
fn check(cases: &str, seats_alone: bool) {
    for case in cases.lines().filter(|line| !line.is_empty()) {
        let [about, text, due] = case.split(" |").map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("three cells: {case}");
        };
        let mut told = told(about, text);
        if seats_alone {
            told.retain(|t| t.contains(" buying_role "));
            told = told.iter().map(|t| t.replace("buying_role ", "")).collect();
        }
        assert_eq!(told.join(", "), due, "{text}");
    }
}

#[test]
fn seats_are_those_of_whom_the_clause_tells() {
    check(CASES, true);
}

#[test]
fn seats_of_others_and_of_yesterday_are_nobodys() {
    check(OF_OTHERS, true);
}

#[test]
fn views_are_those_of_whom_the_clause_tells() {
    check(VIEWS, false);
}
