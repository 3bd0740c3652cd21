//! Words of titles, folded, with their places.

use super::*;

fn words(t: &str) -> Vec<String> {
    scan(t).tokens.into_iter().map(|t| t.text.to_string()).collect()
}

#[test]
fn gender_forms_fold_to_one_word() {
    for t in [
        "Leiter",
        "Leiterin",
        "Leiter:in",
        "Leiter*in",
        "Leiter_in",
        "Leiter/in",
        "Leiter/-in",
        "Leiter(in)",
        "LeiterIn",
        "LEITERIN",
        "Leiter (m/w/d)",
        "Leiterinnen",
        "Leiter*innen",
        "LeiterInnen",
        "Leiter m/w/d",
        "Leiterin (w/m/x)",
        "Leiter (gn)",
        "Leiter [all genders]",
    ] {
        assert_eq!(words(t), ["leiter"], "{t}");
    }
    assert_eq!(words("Kaufmann/-frau"), ["kaufmann"]);
    assert_eq!(words("Kauffrau"), ["kaufmann"]);
    assert_eq!(words("Ärztin"), ["arzt"]);
}

#[test]
fn abbreviations_and_umlauts() {
    assert_eq!(words("i.V. R&D, F&E"), ["i.v", "r&d", "f&e"]);
    assert_eq!(words("Gescha\u{308}ftsfu\u{308}hrer"), ["geschaeftsfuehrer"]);
    assert_eq!(words("GeschÃ¤ftsfÃ¼hrer"), ["geschaeftsfuehrer"]);
    assert_eq!(words("C++ / C# developer"), ["c++", "c#", "developer"]);
}

#[test]
fn spans_are_code_points() {
    let s = scan("🚀 Geschäftsführer:in Ämter");
    assert_eq!(s.tokens[0].span, (2, 20));
    assert_eq!(s.tokens[1].span, (21, 26));
}

#[test]
fn a_title_is_scanned_alike_whatever_letters_stand_beside_it() {
    // A character beyond Latin-1 makes a title be read by `char`s instead of bytes.
    for t in
        ["Leiter/-in Einkauf (m/w/d)", "LEITERIN IT, R&D", "Ärzt*in bzw. Pfleger", "i.V. LeiterIn 2021", "m,w,d x aD"]
    {
        let (plain, wide) = (scan(t), scan(&format!("{t} ★")));
        let told =
            |s: &Scan| s.tokens.iter().map(|t| (t.text.to_string(), t.span, t.caps, t.marked)).collect::<Vec<_>>();
        assert_eq!(told(&plain), told(&wide), "{t}");
    }
}
