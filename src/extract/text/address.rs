//! How people are addressed, and the pronouns that stand for them.
//!
//! Invariant: what is read here of a form resolves pronouns, and is then forgotten.

/// The gender form that an honorific or a pronoun shows; used to resolve pronouns, then forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Masculine = 0,
    Feminine = 1,
}

pub(super) const TITLES: &[&str] = &[
    "dr",
    "prof",
    "dipl",
    "ing",
    "mag",
    "mba",
    "msc",
    "bsc",
    "phd",
    "lic",
    "rer",
    "nat",
    "med",
    "jur",
    "professor",
    "doktor",
];

/// Academic titles that stand before a family name like an honorific.
pub(super) const DEGREES: &[&str] = &["dr", "prof", "professor", "doktor", "ing"];

/// Whether a word stands before the names of people.
pub(super) fn is_address(word: &str) -> bool {
    honorific(word).is_some() || DEGREES.contains(&word)
}

pub(super) fn honorific(word: &str) -> Option<(Form, bool)> {
    match word {
        "herr" | "hr" | "mr" | "mister" | "sir" => Some((Form::Masculine, false)),
        "herrn" | "hrn" => Some((Form::Masculine, true)),
        "frau" | "fr" | "mrs" | "ms" | "miss" | "madam" => Some((Form::Feminine, false)),
        _ => None,
    }
}

/// The form of a pronoun that can stand for one person.
pub(super) fn pronoun(word: &str) -> Option<Form> {
    match word {
        "er" | "he" => Some(Form::Masculine),
        "sie" | "she" => Some(Form::Feminine),
        _ => None,
    }
}

/// Family names that are also what somebody or something is called, so that behind an article they name nobody. Folded.
const TRADES: &[&str] = &[
    "mueller", "schmidt", "schmied", "schmid", "schneider", "fischer", "weber", "meyer", "meier", "maier", "mayer", "wagner",
    "becker", "baecker", "schulz", "schulze", "hoffmann", "schaefer", "koch", "bauer", "baur", "richter", "schroeder", "zimmermann",
    "krueger", "hartmann", "lehmann", "koehler", "kaiser", "fuchs", "vogel", "jaeger", "jung", "hahn", "keller", "berg", "roth",
    "engel", "horn", "busch", "bergmann", "voigt", "vogt", "sauer", "pfeiffer", "pfeifer", "schuster", "sommer", "winter",
    "stein", "haas", "schreiber", "graf", "dietrich", "ziegler", "kuhn", "pohl", "wolf", "wolff", "adler", "falk", "falke",
    "koenig", "fuerst", "herzog", "ritter", "foerster", "gaertner", "metzger", "fleischer", "schlosser", "dreher", "schreiner",
    "tischler", "maler", "sattler", "boettcher", "kellner", "lehrer", "pfarrer", "bischof", "papst", "kern", "kraft", "held",
    "sturm", "frost", "stahl", "eisen", "baum", "ast", "blume", "rose", "ring", "kranz", "krug", "freund", "mann", "weiss",
    "schwarz", "braun", "gruen", "lange", "kurz", "gross", "klein", "neumann", "altmann", "hauptmann", "kaufmann", "amtmann",
    "hofmann", "lindner", "wirth", "wirt", "gerber", "seiler", "glaser", "maurer", "binder", "kramer", "kraemer", "schaffner",
    "schenk", "marx", "ernst", "thomas", "paul", "martin", "michael", "simon", "walter", "werner", "otto", "franz", "guenther",
    "beck", "brunner", "moser", "gruber", "huber", "steiner", "egger", "berger", "winkler", "wimmer", "bach", "brand", "brandt",
    "busse", "bremer", "franke", "hesse", "sachse", "bayer", "beyer", "schwabe", "preuss", "polen", "ungar", "daene", "winkel",
    "hammer", "nagel", "hacker", "fink", "sperling", "hase", "lamm", "kater", "star", "storch", "kranich", "specht", "igel",
    "meister", "vorstand", "kunde", "kessler", "pfister", "speer", "spiegel", "bode", "bender", "decker", "fuhrmann",
];

/// Whether behind an article a family name is rather the word for a trade, a thing or a company's name.
pub(super) fn is_trade(word: &str) -> bool {
    TRADES.contains(&word)
}
