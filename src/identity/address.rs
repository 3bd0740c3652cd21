//! What an address says of the person whose it is.
//!
//! Invariant: a mailbox of several people says nothing.

use super::lexicon::LEXICON;
use super::name::Word;

/// Whether the part before the `@` is given and family name of somebody, in either order.
pub(super) fn names(address: &str, given: &str, family: &str) -> bool {
    let Some((local, _)) = address.rsplit_once('@') else { return false };
    let local = Word::new(local.split('+').next().unwrap_or_default());
    let ours = |order: [&str; 2]| local.is(&Word::new(&order.concat()));
    let first = given.split_whitespace().next().unwrap_or_default();
    let any = [given, first].into_iter().any(|given| ours([given, family]) || ours([family, given]));
    any && !given.trim().is_empty() && !family.trim().is_empty()
}

/// Whether two are one mailbox, and that of one person.
pub(super) fn is_own(a: &str, b: &str) -> bool {
    let a = a.trim();
    let is_somebodys = a.rsplit_once('@').is_some_and(|(local, _)| {
        let mut words = local.split(['.', '-', '_']);
        !words.any(|word| LEXICON.mailboxes.contains(&*word.to_lowercase()))
    });
    is_somebodys && a.eq_ignore_ascii_case(b.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_whoever_it_spells_out() {
        for (address, given, family, want) in [
            ("anna.schmidt@muster.example", "Anna", "Schmidt", true),
            ("schmidt-anna@muster.example", "Anna", "Schmidt", true),
            ("juergen.mueller@muster.example", "Jürgen", "Müller", true),
            // The second of the name has a number.
            ("juergen.mueller2@muster.example", "Jürgen", "Müller", false),
            ("annamaria.vonderheide@muster.example", "Anna Maria", "von der Heide", true),
            ("anna.von-der-heide@muster.example", "Anna Maria", "von der Heide", true),
            ("a.schmidt@muster.example", "Anna", "Schmidt", false),
            ("daniela.lorch@muster.example", "Daniel", "Lorch", false),
            ("anna.schmidt", "Anna", "Schmidt", false),
            ("@muster.example", "", "", false),
        ] {
            assert_eq!(names(address, given, family), want, "{address} {given} {family}");
        }
        assert!(is_own("A.Schmidt@muster.example", "a.schmidt@muster.example"));
        assert!(!is_own("info@muster.example", "info@muster.example"));
        assert!(!is_own("", ""));
    }
}
