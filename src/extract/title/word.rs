//! German person nouns: from feminine and plural forms to the one form that the vocabularies hold.
//!
//! Invariant: works on folded text; every gender form of a noun gives the same word.

use super::french;

/// Words in `-in` that are no feminine forms.
const NOT_FEMININE: &[&str] = &[
    "admin",
    "sysadmin",
    "medizin",
    "magazin",
    "berlin",
    "linkedin",
    "protein",
    "benzin",
    "plugin",
    "cabin",
    "domain",
    "retail",
    "train",
    "captain",
    "bulletin",
    "blockchain",
    "within",
    "darin",
    "worin",
    "hierin",
    "ruin",
    "resin",
    "muslimin",
    "zahnmedizin",
    "tiermedizin",
    "humanmedizin",
    "arbeitsmedizin",
    "insulin",
    "latin",
    "bitcoin",
    "terrain",
    "bargain",
    "mountain",
    "fountain",
    "britain",
    "spain",
    "termin",
    "disziplin",
    "kamin",
    "melanin",
    "tourin",
    "marin",
    "merlin",
    "turin",
    "origin",
    "margin",
    "login",
    "virgin",
    "begin",
    "brandin",
    "matin",
];

/// Endings before `-in` that take the ending off without more.
const PERSON_ENDINGS: &[&str] = &[
    "er", "or", "ist", "ent", "ant", "eur", "oer", "ar", "ekt", "aet", "at", "ot", "it", "chef", "wirt", "urg", "af",
    "oph", "iker", "boss", "ast", "ling", "fraktion", "et", "isor", "eut", "id", "ut", "ikt", "opt", "ab", "arch",
    "ul", "oss", "ig", "an", "ph", "on", "ier", "eg", "os", "est", "ett", "am", "yst", "schmied", "wart", "iv", "om",
    "al", "cht", "uch", "ym", "oin", "and", "aen", "coach", "metz",
];

/// Pairs that change more than the ending.
const IRREGULAR: &[(&str, &str)] = &[
    ("aerztin", "arzt"),
    ("arztin", "arzt"),
    ("anwaeltin", "anwalt"),
    ("anwaltin", "anwalt"),
    ("raetin", "rat"),
    ("staendin", "stand"),
    ("koechin", "koch"),
    ("kochin", "koch"),
    ("baeuerin", "bauer"),
    ("maennin", "mann"),
    ("ologin", "ologe"),
    ("agogin", "agoge"),
    ("paedin", "paede"),
    ("padin", "paede"),
    ("steuerin", "steuerer"),
    ("zimmerin", "zimmerer"),
    ("foerderin", "foerderer"),
    ("zauberin", "zauberer"),
    ("wanderin", "wanderer"),
    ("ruderin", "ruderer"),
    ("portiere", "portier"),
    ("expertin", "expert"),
    ("experte", "expert"),
    ("beamtin", "beamter"),
    ("gesellin", "geselle"),
    ("kollegin", "kollege"),
    ("gehilfin", "gehilfe"),
    ("schoeffin", "schoeffe"),
    ("genossin", "genosse"),
    ("schuetzin", "schuetze"),
    ("kundin", "kunde"),
    ("botin", "bote"),
    ("lotsin", "lotse"),
    ("erbin", "erbe"),
    ("zeugin", "zeuge"),
    ("vogtin", "vogt"),
    ("laendin", "land"),
    ("friseuse", "friseur"),
    ("masseuse", "masseur"),
    ("stewardess", "steward"),
    ("schwester", "pfleger"),
    ("hausdame", "hausdame"),
    ("directrice", "direktor"),
    ("referendarin", "referendar"),
    ("azubine", "azubi"),
    ("chairwoman", "chairman"),
    ("saleswoman", "salesman"),
    ("businesswoman", "businessman"),
    ("forewoman", "foreman"),
    ("spokeswoman", "spokesman"),
    ("waitress", "waiter"),
    ("actress", "actor"),
    ("policewoman", "policeman"),
    ("frauen", "mann"),
    ("frau", "mann"),
    ("leute", "mann"),
    ("maenner", "mann"),
    ("obperson", "obmann"),
    ("arbeitende", "arbeiter"),
    ("beratende", "berater"),
    ("betreuende", "betreuer"),
    ("entwickelnde", "entwickler"),
    ("fahrende", "fahrer"),
    ("fuehrende", "fuehrer"),
    ("kaufende", "kaeufer"),
    ("planende", "planer"),
    ("pruefende", "pruefer"),
    ("koordinierende", "koordinator"),
    ("programmierende", "programmierer"),
    ("promovierende", "doktorand"),
    ("vorsitz", "vorsitzende"),
    ("studierende", "student"),
    ("dozierende", "dozent"),
    ("forschende", "forscher"),
    ("lehrende", "lehrer"),
    ("pflegende", "pfleger"),
    ("lehrperson", "lehrer"),
];

/// Of those, what means something else where it stands alone: `führende`, `Leute`, `Vorsitz der Geschäftsführung`.
const ONLY_ENDINGS: &[&str] =
    &["frau", "leute", "frauen", "maenner", "beratende", "betreuende", "fuehrende", "planende", "pruefende", "vorsitz"];

/// Compounds in `-person` that are no neutral form of one in `-mann`, or are withheld by name.
const NOT_MANN: &[&str] = &[
    "lehr",
    "vertrauens",
    "ansprech",
    "amts",
    "privat",
    "kontakt",
    "bezugs",
    "betreuungs",
    "einzel",
    "leitungs",
    "sales",
    "chair",
    "spokes",
    "business",
    "fore",
    "trades",
    "crafts",
    "anchor",
    "work",
    "vertretungs",
    "aufsichts",
];

/// `-leitung` that is a body or a pipe, not a form of `-leiter`.
const NOT_LEITER: &[&str] = &[
    "geschaefts",
    "geschafts",
    "unternehmens",
    "ober",
    "rohr",
    "wasser",
    "strom",
    "gas",
    "vereins",
    "konzern",
    "fern",
    "ab",
    "ein",
    "an",
    "um",
    "zu",
    "frei",
    "fehl",
    "her",
];

/// Neutral nouns that are one word with a masculine one: `Projektleitung`, `Projektleitende`, `Kaufperson`.
fn neutral(w: &mut String) -> bool {
    for (end, to, not) in
        [("person", "mann", NOT_MANN), ("leitung", "leiter", NOT_LEITER), ("leitend", "leiter", NOT_LEITER)]
    {
        if let Some(stem) = w.strip_suffix(end)
            && stem.len() >= 3
            && !not.contains(&stem)
        {
            let keep = stem.len();
            w.truncate(keep);
            w.push_str(to);
            return true;
        }
    }
    false
}

/// Participles and adjectives used as nouns: `Angestellter`, `Beauftragten` -> `...e`.
const NOMINALISED: &[&str] = &[
    "angestellte",
    "beauftragte",
    "bevollmaechtigte",
    "abgeordnete",
    "beschaeftigte",
    "bedienstete",
    "geordnete",
    "geschworene",
    "vorgesetzte",
    "verordnete",
];

/// The masculine singular of a folded word; other words come back as they are.
pub(super) fn masculine(mut w: String) -> String {
    if w.len() < 4 || french::masculine(&mut w) {
        return w;
    }
    if let Some(stem_len) = w.strip_suffix("innen").map(str::len)
        && stem_len >= 3
    {
        w.truncate(stem_len + 2);
    }
    // "Studierender", "Mitarbeitenden", "Projektleitende".
    if w.ends_with("ender") || w.ends_with("enden") {
        w.truncate(w.len() - 1);
    }
    if w.ends_with("leitende") && w.len() > 10 {
        w.truncate(w.len() - 1);
    }
    if neutral(&mut w) {
        return w;
    }
    for (from, to) in IRREGULAR {
        if w.ends_with(from) && (w.len() > from.len() || !ONLY_ENDINGS.contains(from)) {
            let keep = w.len() - from.len();
            w.truncate(keep);
            w.push_str(to);
            return w;
        }
    }
    if w.len() >= 6 && w.ends_with("in") && !NOT_FEMININE.contains(&w.as_str()) {
        let stem = &w[..w.len() - 2];
        if PERSON_ENDINGS.iter().any(|e| stem.ends_with(e)) && !stem.ends_with("med") {
            w.truncate(w.len() - 2);
        }
    }
    stem_adjective(nominal(w))
}

/// German adjectives lose their ending, so that gender shows in none: `technischer`, `leitende`, `ehemaligen`.
fn stem_adjective(mut w: String) -> String {
    const STEMS: [&str; 17] = [
        "taer",
        "isch",
        "lich",
        "iell",
        "nell",
        "end",
        "ig",
        "ional",
        "ualifiziert",
        "zertifiziert",
        "pensioniert",
        "emeritiert",
        "examiniert",
        "diplomiert",
        "promoviert",
        "berentet",
        "ausgeschieden",
    ];
    if w.len() < 7 {
        return w;
    }
    let cut = ["er", "en", "es", "em", "e"].iter().find_map(|e| {
        let stem = w.strip_suffix(e)?;
        STEMS.iter().any(|s| stem.ends_with(s)).then_some(stem.len())
    });
    if let Some(n) = cut {
        w.truncate(n);
    }
    w
}

fn nominal(mut w: String) -> String {
    for end in ["r", "n", "m", "s"] {
        if let Some(stem) = w.strip_suffix(end)
            && NOMINALISED.iter().any(|n| stem.ends_with(n))
        {
            let keep = stem.len();
            w.truncate(keep);
            return w;
        }
    }
    if w.ends_with("beamte") || w.ends_with("beamten") {
        let keep = w.rfind("beamte").expect("ends with it");
        w.truncate(keep);
        w.push_str("beamter");
    }
    w
}

/// Inflected forms to try where a word is unknown: `leiters`, `technischer`, `assistenten`.
pub(super) fn uninflected(w: &str) -> impl Iterator<Item = (&str, bool)> {
    const PLAIN: [&str; 5] = ["s", "n", "en", "es", "e"];
    const ADJECTIVE: [&str; 5] = ["er", "en", "es", "em", "e"];
    let plain = PLAIN.iter().filter_map(move |e| w.strip_suffix(e)).filter(|s| s.len() >= 4).map(|s| (s, false));
    let adjective = ADJECTIVE.iter().filter_map(move |e| w.strip_suffix(e)).filter(|s| s.len() >= 4).map(|s| (s, true));
    plain.chain(adjective)
}
