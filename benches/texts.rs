//! How many notes a CPU-second are read, beside the barest look for words: the text in small letters, and one
//! `aho-corasick` pass for the words of the guard's lists. `cargo bench --profile release --bench texts`.
//!
//! Invariant: companies, people and notes are made here, nobody in them exists; the same notes in every run.

use std::hint::black_box;
use std::path::Path;

use aho_corasick::AhoCorasick;
use jiff::Timestamp;
use prosopon::ids::{DEMO_KEY, Ids};
use prosopon::model::{Account, Personal, Subject};
use prosopon::source::Permitted;
use prosopon::source::notes::{Colleagues, Written};
use prosopon::taxonomy::Language;
use rustix::time::{ClockId, clock_gettime};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const COMPANIES: usize = 200;
const CONTACTS: usize = 6;
const NOTES: usize = 20;
const ROUNDS: usize = 7;

const GIVEN: [&str; 8] = ["Erika", "Jonas", "Petra", "Uwe", "Mara", "Hans-Peter", "Zoë", "Kim"];
const FAMILY: [&str; 9] = [
    "Beispiel",
    "Musterfeld",
    "Probst",
    "Vorlage",
    "Attrappe",
    "van der Probe",
    "Müllerschön",
    "Weber-Klein",
    "Ilgner",
];
const TITLES: [&str; 5] = ["Leiterin Einkauf", "Produktionsleiter", "CFO", "Head of IT", "Sachbearbeiter"];
/// `@` is the family name of the contact whom the note is on.
const SAYINGS: [&str; 24] = [
    "Termin auf nächste Woche verschoben.",
    "Frau @ entscheidet über die Investition.",
    "Herr @ will Zahlen sehen, bevor er etwas unterschreibt.",
    "Wir haben heute lange über die Lieferzeiten gesprochen und sind uns am Ende einig geworden.",
    "Die Anlage in Halle 3 läuft seit März im Dreischichtbetrieb, Wartung durch uns (Vertrag 2024-118).",
    "Bitte Angebot bis KW 14 an einkauf@muster.example schicken, Tel. +49 30 23125-123.",
    "Next step: send the revised quote by Friday; they also asked for a reference customer in Austria.",
    "Spoke to the plant manager on site, he showed me around the new paint shop.",
    "Rückruf vereinbart – nicht vor 10 Uhr, danach ist sie im Meeting mit der Geschäftsführung.",
    "Budget liegt bei ca. 250.000 €, Freigabe kommt aus der Zentrale in Musterstadt (Hr. Dr. Vogelmann).",
    "Wettbewerber war letzte Woche da, hat 12 % Rabatt angeboten; das sieht der Einkauf kritisch.",
    "They're still evaluating three vendors & want a pilot before signing anything.",
    "Ohne Zustimmung der IT-Sicherheit geht dort nichts, die prüfen jede Cloud-Lösung mindestens sechs Wochen.",
    "Sie will vor allem weniger Stillstand und bessere Planbarkeit, der Preis ist zweitrangig.",
    "Kontakt am liebsten per E-Mail, telefonisch kaum zu erreichen.",
    "Die Ausschreibung startet im Herbst, das Pflichtenheft wird gerade geschrieben.",
    "Frau @ ist bis Ende des Monats im Urlaub.",
    "Herr @ ist seit Mai krankgeschrieben.",
    "Muss noch zum Einkauf, dann zur Geschäftsleitung.",
    "@ verhandelt die Preise selbst und prüft jedes Detail.",
    "Musterteile sind angekommen, Prüfung läuft.",
    "Entscheidet ein Gremium; nächste Sitzung im Mai.",
    "Lieferadresse hat sich geändert, Stammdaten angepasst.",
    "Ms @ prefers a short call over long mails.",
];

struct Company {
    account: Account,
    contacts: Vec<Subject>,
    /// On whom, and the text.
    notes: Vec<(usize, String)>,
}

fn company(n: usize, sentences: usize) -> Company {
    let ids = Ids::new(DEMO_KEY);
    let id = Some(ids.account("crm", &format!("A-{n}")));
    let account = Account { id, name: format!("Muster Werk {n} GmbH"), ..Account::default() };
    let contact = |k: usize| Subject {
        id: ids.subject("crm", &format!("{n}-{k}")),
        crm_record: format!("{n}-{k}"),
        account: account.id.clone(),
        given_name: Personal::new(GIVEN[(n + k) % GIVEN.len()].to_owned()),
        family_name: Personal::new(FAMILY[(n * 5 + k) % FAMILY.len()].to_owned()),
        emails: Vec::new(),
        job_title: Some(Personal::new(TITLES[(n + k * 3) % TITLES.len()].to_owned())),
        handles: Vec::new(),
        language: None,
        country: None,
        updated_at: None,
        collected_at: Timestamp::UNIX_EPOCH,
    };
    let contacts: Vec<Subject> = (0..CONTACTS).map(contact).collect();
    let note = |k: usize| {
        let on = k % CONTACTS;
        let said = |s: usize| SAYINGS[(n * 7 + k * 13 + s * s * 5 + s) % SAYINGS.len()];
        let text: Vec<&str> = (0..=(n + k) % sentences).map(said).collect();
        (on, text.join(" ").replace('@', contacts[on].family_name.reveal()))
    };
    let notes = (0..NOTES).map(note).collect();
    Company { account, contacts, notes }
}

/// Statements found in all notes of a company.
fn read(company: &Company) -> usize {
    let permitted: Vec<Permitted<'_>> =
        company.contacts.iter().map(|subject| Permitted { subject, profiling: true }).collect();
    let colleagues = Colleagues::new(&company.account, &permitted, &[]);
    let notes = company.notes.iter().map(|(on, text)| {
        let language = Some(Language::German);
        colleagues.read(&Written { text, language, on: Some(&company.contacts[*on]) }).found.len()
    });
    notes.sum()
}

/// The words of the guard's lists.
fn lists() -> AhoCorasick {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/lexicon/special_categories");
    let files = std::fs::read_dir(folder).expect("the lists are in the repository");
    let texts = files.map(|file| std::fs::read_to_string(file.expect("a file").path()).expect("readable"));
    let words: Vec<String> = texts
        .flat_map(|text| {
            let words = text.lines().filter_map(|line| line.trim().strip_prefix("- "));
            words.map(|w| w.trim_matches(['"', '\'', '*']).to_lowercase()).collect::<Vec<_>>()
        })
        .filter(|word| word.len() > 3)
        .collect();
    AhoCorasick::new(words).expect("far below the automaton's limits")
}

/// CPU time of this process, user and system.
fn cpu_seconds() -> f64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    used.tv_sec as f64 + used.tv_nsec as f64 / 1e9
}

/// The least CPU time of a round of each, in turns, since other work only adds.
fn least(works: [&dyn Fn() -> usize; 2]) -> [f64; 2] {
    let mut least = [f64::INFINITY; 2];
    for _ in 0..ROUNDS {
        for (work, least) in works.iter().zip(&mut least) {
            let start = cpu_seconds();
            black_box(work());
            *least = least.min(cpu_seconds() - start);
        }
    }
    least
}

fn main() {
    let lists = lists();
    for (name, sentences) in [("short", 3), ("long", 20)] {
        let companies: Vec<Company> = (0..COMPANIES).map(|n| company(n, sentences)).collect();
        let notes = COMPANIES * NOTES;
        let texts = || companies.iter().flat_map(|c| &c.notes).map(|(_, text)| text);
        let bytes: usize = texts().map(String::len).sum();
        let reader = || companies.iter().map(|c| read(black_box(c))).sum();
        let bare = || texts().map(|text| lists.find_iter(&black_box(text).to_lowercase()).count()).sum();
        let [ours, bare] = least([&reader, &bare]);
        let rate = |seconds: f64| notes as f64 / seconds;
        println!(
            "{name:6} {:4} bytes a note  reader {:9.0} notes a CPU-second ({:.2} us each)  aho-corasick {:9.0}",
            bytes / notes,
            rate(ours),
            ours * 1e6 / notes as f64,
            rate(bare)
        );
    }
}
