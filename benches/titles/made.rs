//! Titles as people write them, put together from words: roles, departments, levels, companies, dates, separators.
//!
//! Invariant: the same list for the same number, without doubles; companies and names are invented.

use std::collections::HashSet;

const ROLES_DE: &str = concat!(
    "Leiter~Leiterin~Teamleiter~Teamleiterin~Referent~Referentin~Sachbearbeiter~Sachbearbeiterin",
    "~Assistent~Assistentin~Manager~Managerin~Bereichsleiter~Abteilungsleiterin~Mitarbeiter~Mitarbeiterin",
    "~Koordinator~Spezialistin~Berater~Beraterin~Projektleiter~Projektleiterin~Gruppenleiter~Direktor",
    "~Direktorin~Fachkraft~Meister~Techniker~Ingenieurin~Geschäftsführer~Geschäftsführerin~Prokurist",
    "~Vorstand~Kaufmann~Kauffrau~Werkstudentin~Praktikant~Auszubildende~Leitung~Teamleitung",
);
const AREAS_DE: &str = concat!(
    "Einkauf~Vertrieb~Marketing~Personal~Personalentwicklung~Controlling~Buchhaltung~Finanzen~Logistik",
    "~Produktion~Fertigung~Qualitätsmanagement~Qualitätssicherung~Instandhaltung~IT~Softwareentwicklung",
    "~Konstruktion~Forschung und Entwicklung~Kundenservice~Kundenbetreuung~Innendienst~Außendienst~Export",
    "~Recht~Compliance~Produktmanagement~Projektmanagement~Arbeitssicherheit~Nachhaltigkeit~Lager~Versand",
    "~Beschaffung~strategischer Einkauf~Montage~Arbeitsvorbereitung~Unternehmenskommunikation",
    "~Öffentlichkeitsarbeit~Datenschutz~Verwaltung~Ausbildung~Disposition~Werkzeugbau~Anwendungstechnik",
    "~Informationssicherheit",
);
const COMPOUND: &str = concat!(
    "Einkaufs~Vertriebs~Marketing~Personal~Finanz~Logistik~Produktions~Fertigungs~Qualitäts~Service",
    "~Projekt~Export~Lager~Versand~Entwicklungs~Konstruktions~Instandhaltungs~Schicht~Werks~Betriebs~Bau",
    "~Verkaufs~Filial~Regional~Niederlassungs~Vertriebsinnendienst",
);
const COMPOUND_ENDS: &str = concat!(
    "leiter~leiterin~leitung~manager~managerin~mitarbeiter~mitarbeiterin~referentin~assistent~assistentin",
    "~sachbearbeiter~koordinatorin~ingenieur~berater",
);
const ROLES_EN: &str = concat!(
    "Manager~Director~Head~Specialist~Analyst~Engineer~Consultant~Coordinator~Assistant~Officer~Executive",
    "~Representative~Developer~Architect~Administrator~Buyer~Lead~Supervisor~Associate~Intern~Trainee",
    "~Partner~Business Partner~Team Lead~Team Leader~Advisor~Account Manager~Project Manager",
    "~Product Manager~Product Owner~Vice President~VP~Technician~Controller~Recruiter~Planner~Strategist",
    "~Editor~Designer~Controller",
);
const AREAS_EN: &str = concat!(
    "Sales~Marketing~Procurement~Purchasing~Finance~Accounting~Human Resources~HR~IT~Software~Data~Cloud",
    "~Operations~Logistics~Supply Chain~Quality~Customer Success~Customer Service~Business Development",
    "~Product~Engineering~R&D~Legal~Compliance~Production~Manufacturing~Maintenance~Facility",
    "~Communications~Brand~Digital Marketing~Key Account~Strategic Sourcing~Category~Talent Acquisition",
    "~Payroll~Tax~Audit~Risk~Security~Network~Infrastructure~E-Commerce~Sustainability~Innovation",
    "~Research",
);
const LEVELS: &str = concat!(
    "~~~~~~Senior~Junior~Stellv.~stv.~Global~Regional~Associate~Principal~Deputy~Interim~Sr.~Jr.",
    "~Freelance~Kaufmännischer",
);
const FRENCH: &str = concat!(
    "Directeur~Directrice~Responsable~Chef de projet~Cheffe de service~Assistante~Chargé~Chargée",
    "~Ingénieur~Technicienne~Acheteur~Acheteuse~Conseiller~Gérante~Consultante~Stagiaire",
);
const FRENCH_AREAS: &str = concat!(
    "commercial~commerciale~des achats~des ventes~marketing~qualité~informatique~logistique",
    "~ressources humaines~de production~de communication~financier~de recrutement~clientèle",
);
const COMPANIES: &str = concat!(
    "Muster GmbH~Hartwig Maschinenbau GmbH & Co. KG~Nordlicht AG~Feldkamp SE~Acme Inc~Initech Ltd",
    "~Brandner & Söhne~Sonnhof Gruppe~Talblick eG~Bluepeak~Ostwerk KG~Lindqvist AB~Cobalt Systems",
    "~Weidmann Logistik GmbH~Grünwald Pumpen~Vantor~Kranich Software GmbH~Rheintal Chemie~Dupré SARL",
    "~Halden Consulting~Petrova Textil GmbH~Mosaik Media~Zephyr Energy~Auenland Bio GmbH",
);
const TAILS: &str = concat!(
    "~~~~~~~~(m/w/d)~(w/m/d)~seit 2019~since 2021~DACH~EMEA~Deutschland~| Prokurist~& Prokuristin~i.V.",
    "~ppa.~(she/her)~in Elternzeit~bis 2021~(2015-2019)~- Standort Ulm~| Speaker~Nord~North America",
    "~(Teilzeit)~MBA~PhD",
);
const JOINTS: &str = " | ~ / ~ & ~, ~ - ~ und ~ and ~ • ";

/// A generator of the kind of `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    /// One of a list, which has `~` between.
    fn of(&mut self, list: &'static str) -> &'static str {
        let n = list.split('~').count();
        list.split('~').nth(self.below(n)).unwrap_or_default()
    }
}

fn position(dice: &mut Dice) -> String {
    let level = dice.of(LEVELS);
    let bare = match dice.below(20) {
        0..=5 => format!("{} {}", dice.of(ROLES_DE), dice.of(AREAS_DE)),
        6..=8 => format!("{}{}", dice.of(COMPOUND), dice.of(COMPOUND_ENDS)),
        9..=15 => format!("{} {}", dice.of(AREAS_EN), dice.of(ROLES_EN)),
        16 | 17 => {
            format!("{} of {}", dice.of("Head~Director~VP~Vice President~Manager"), dice.of(AREAS_EN))
        }
        18 => format!("{} {}", dice.of(FRENCH), dice.of(FRENCH_AREAS)),
        _ => format!("{} of {} & {}", dice.of(ROLES_EN), dice.of(AREAS_EN), dice.of(AREAS_EN)),
    };
    if level.is_empty() { bare } else { format!("{level} {bare}") }
}

fn title(dice: &mut Dice) -> String {
    let mut out = position(dice);
    if dice.below(6) == 0 {
        out += dice.of(JOINTS);
        out += &position(dice);
    }
    match dice.below(8) {
        0 => out = format!("{out} {} {}", dice.of("at~bei~@~chez~-~|"), dice.of(COMPANIES)),
        1 => out = format!("{out}, {}", dice.of(COMPANIES)),
        2 => out = format!("{out} {} {}", dice.of("ex~formerly~ehem."), dice.of(COMPANIES)),
        _ => {}
    }
    let tail = dice.of(TAILS);
    match dice.below(20) {
        0 => out = out.to_uppercase(),
        1 | 2 => out = out.to_lowercase(),
        _ => {}
    }
    if tail.is_empty() { out } else { format!("{out} {tail}") }
}

/// `n` distinct titles.
pub fn titles(n: usize) -> Vec<String> {
    let (mut dice, mut seen, mut out) = (Dice(n as u64), HashSet::new(), Vec::with_capacity(n));
    while out.len() < n {
        let title = title(&mut dice);
        if seen.insert(title.clone()) {
            out.push(title);
        }
    }
    out
}
