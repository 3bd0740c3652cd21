//! French person nouns: from feminine forms to the one form that the vocabulary holds.
//!
//! Invariant: works on folded text; tells whether a word was a feminine form.

/// French endings, and words whose feminine ending is no rule.
const ENDINGS: [(&str, &str); 3] = [("trice", "teur"), ("euse", "eur"), ("ienne", "ien")];
const FEMININE: &[&str] = &[
    "adjointe",
    "municipale",
    "agente",
    "alternante",
    "apprentie",
    "assistante",
    "associee",
    "attachee",
    "avocate",
    "banquiere",
    "caissiere",
    "chargee",
    "commerciale",
    "conseillere",
    "consultante",
    "courtiere",
    "cuisiniere",
    "deleguee",
    "dirigeante",
    "diplomee",
    "doctorante",
    "enseignante",
    "etudiante",
    "experte",
    "exploitante",
    "generale",
    "gerante",
    "cogerante",
    "independante",
    "infirmiere",
    "intervenante",
    "ouvriere",
    "presidente",
    "remplacante",
    "representante",
    "retraitee",
    "salariee",
    "soignante",
    "confirmee",
    "experimentee",
    "artisane",
    "ambulanciere",
    "boulangere",
    "patissiere",
    "bouchere",
    "jardiniere",
    "magasiniere",
    "referente",
    "financiere",
    "debutante",
    "polyvalente",
    "policiere",
    "tresoriere",
    "negociante",
];

/// "Directrice", "Acheteuse", "Technicienne", "Gérante".
pub(super) fn masculine(w: &mut String) -> bool {
    for (from, to) in ENDINGS {
        if w.ends_with(from) && w.len() >= from.len() + 3 {
            w.truncate(w.len() - from.len());
            w.push_str(to);
            return true;
        }
    }
    match w.as_str() {
        "cheffe" | "hotesse" => w.truncate(4),
        x if FEMININE.contains(&x) && x.ends_with('e') => w.truncate(w.len() - 1),
        _ => return false,
    }
    true
}
