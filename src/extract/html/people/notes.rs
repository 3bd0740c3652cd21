//! People that only attributes name: of pictures and of cards that a script fills.
//!
//! Invariant: nothing is taken from what is hidden, from navigation or from what shows others.

use super::super::blocks::{Line, Note};
use super::super::dom::{self, El};
use super::line::{Person, in_line};
use super::names;
use super::own::Own;

/// The texts of an element that a reader may get to see.
pub(super) fn texts(e: El<'_>) -> impl Iterator<Item = &str> {
    ["alt", "title", "aria-label", "data-caption", "data-title", "data-tooltip"]
        .into_iter()
        .filter_map(move |a| dom::attr(e, a))
        .filter(|t| t.len() <= 200)
}

/// Name and title of an element's attributes.
pub(super) fn person(e: El<'_>, own: &Own) -> Option<Person> {
    // An attribute of the same element may say whose they are.
    let company =
        ["data-company", "data-firma", "data-organization", "data-org"].into_iter().find_map(|a| dom::attr(e, a));
    if company.is_some_and(|c| !own.is(c)) {
        return None;
    }
    data(e).or_else(|| {
        texts(e).find_map(|t| in_line(strip(t)).filter(|(name, job, _)| job.is_some() && names::is_sure(name)))
    })
}

/// A picture's text without the words that say it is one.
fn strip(text: &str) -> &str {
    let mut text = text.trim();
    for word in ["Portrait", "Porträt", "Foto", "Bild", "Photo", "Picture", "Profilbild", "Mitarbeiterfoto"] {
        for joint in [": ", " von ", " of ", " - ", " – ", " "] {
            text = text.strip_prefix(word).and_then(|t| t.strip_prefix(joint)).unwrap_or(text);
        }
    }
    text
}

/// `data-name` with `data-position` or the like.
fn data(e: El<'_>) -> Option<Person> {
    let value = |keys: &[&str]| {
        let of = |(name, value): (&str, &str)| {
            let key = name.strip_prefix("data-")?;
            let fits = key.split('-').any(|k| keys.contains(&k)) && (2..=160).contains(&value.len());
            fits.then(|| value.trim().to_owned())
        };
        e.attrs().map(|(name, value)| (&**name, value)).find_map(of)
    };
    let name = value(&["name", "person", "fullname", "member", "author"]).filter(|n| names::is_name(n))?;
    let job = value(&["position", "job", "jobtitle", "role", "rolle", "funktion", "function", "beruf"])
        .or_else(|| value(&["title", "titel", "subtitle", "caption"]))
        .filter(|j| names::is_job(j) || names::is_loose_job(j));
    let department = value(&["department", "abteilung", "bereich"]);
    (job.is_some() || department.is_some()).then_some((name, job, department))
}

/// A title that an attribute right beside a name gives.
pub(super) fn job_beside(notes: &[Note<'_>], lines: &[Line<'_>], i: usize) -> Option<String> {
    let from = notes.partition_point(|n| n.line + 1 < i);
    let near = notes[from..].iter().take_while(|n| n.line <= i + 2).take(8);
    // A card that holds other names, too, is none of this person's alone.
    let card = dom::parent(lines[i].block).filter(|card| {
        let around = i.saturating_sub(2)..lines.len().min(i + 4);
        !around.into_iter().any(|k| k != i && lines[k].is_name() && is_within(lines[k].block, *card))
    });
    let mut titles = near.filter(|n| is_within(n.at, lines[i].block) || card.is_some_and(|c| is_within(n.at, c)));
    titles.find_map(|n| {
        let role = ["data-position", "data-role", "data-job", "data-funktion", "data-function", "data-jobtitle"];
        let stated = role.into_iter().filter_map(|a| dom::attr(n.at, a)).find(|t| names::is_job(t));
        stated.or_else(|| texts(n.at).find(|t| names::is_job(t))).map(dom::fold)
    })
}

/// Whether an element stands in another, or is it.
fn is_within(e: El<'_>, outer: El<'_>) -> bool {
    std::iter::successors(Some(e), |e| dom::parent(*e)).take(8).any(|up| up == outer)
}
