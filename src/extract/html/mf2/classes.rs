//! Which classes make a root or a property, in microformats2 and in the classic ones.
//!
//! Invariant: an element with an `h-*` root ignores classic roots; inside a classic root only classic properties
//! count, and the other way round.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::super::dom::{self, El};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    roots: BTreeMap<String, RawRoot>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRoot {
    r#type: String,
    properties: BTreeMap<String, String>,
    rels: BTreeMap<String, String>,
}

/// A classic root and its vocabulary.
pub(super) struct Classic {
    h_type: String,
    properties: FxHashMap<String, Vec<String>>,
    rels: FxHashMap<String, Property>,
}

static CLASSIC: LazyLock<FxHashMap<String, Classic>> = LazyLock::new(|| {
    let raw: Raw = serde_saphyr::from_str(include_str!("../../../../config/lexicon/html/mf2_classic.yaml"))
        .expect("the embedded mapping is tested");
    let words = |s: &str| s.split(' ').map(str::to_owned).collect::<Vec<_>>();
    raw.roots
        .into_iter()
        .map(|(class, root)| {
            let properties = root.properties.into_iter().map(|(c, to)| (c, words(&to))).collect();
            let rels = root.rels.into_iter().filter_map(|(rel, to)| Some((rel, property(&to)?))).collect();
            (class, Classic { h_type: root.r#type, properties, rels })
        })
        .collect()
});

/// Whose property classes count.
#[derive(Clone)]
pub(super) enum Mode {
    V2,
    Classic(Vec<&'static Classic>),
}

/// The root classes of an element.
pub(super) struct Roots {
    /// Sorted, distinct `h-*`.
    pub types: Vec<String>,
    pub mode: Mode,
}

/// A property class: `p`, `u`, `dt` or `e`, and its name.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Property {
    pub prefix: &'static str,
    pub name: String,
}

/// Whether the class makes a root, of either kind.
pub(super) fn is_root(class: &str) -> bool {
    class.strip_prefix("h-").is_some_and(is_name) || CLASSIC.contains_key(class)
}

/// The root classes of an element, if it has any.
pub(super) fn roots(e: El<'_>) -> Option<Roots> {
    let mut types: Vec<String> =
        dom::classes(e).filter(|c| c.strip_prefix("h-").is_some_and(is_name)).map(str::to_owned).collect();
    if !types.is_empty() {
        types.sort();
        types.dedup();
        return Some(Roots { types, mode: Mode::V2 });
    }
    let classic = dom::classes(e).filter(|c| !c.starts_with("h-")).filter_map(|c| CLASSIC.get(c)).collect::<Vec<_>>();
    classic_roots(classic)
}

fn classic_roots(classic: Vec<&'static Classic>) -> Option<Roots> {
    let mut types: Vec<String> = classic.iter().map(|c| c.h_type.clone()).collect();
    types.sort();
    types.dedup();
    (!types.is_empty()).then_some(Roots { types, mode: Mode::Classic(classic) })
}

/// The root that a classic property implies: `item` of a review.
pub(super) fn implied_root(e: El<'_>, mode: &Mode) -> Option<Roots> {
    let Mode::Classic(vocabularies) = mode else { return None };
    let targets = dom::classes(e).flat_map(|c| vocabularies.iter().filter_map(move |v| v.properties.get(c))).flatten();
    classic_roots(targets.filter(|t| t.starts_with("h-")).filter_map(|t| CLASSIC.get(t.as_str())).collect())
}

/// The property classes of an element.
pub(super) fn properties(e: El<'_>, mode: &Mode) -> Vec<Property> {
    let mut found: Vec<Property> = Vec::new();
    let mut add = |p: Property| {
        if !found.contains(&p) {
            found.push(p);
        }
    };
    match mode {
        // A class that is written twice counts twice, as the specification's tests have it.
        Mode::V2 => return dom::classes(e).filter_map(property).take(64).collect(),
        Mode::Classic(vocabularies) => {
            for class in dom::classes(e).take(64) {
                let targets = vocabularies.iter().filter_map(|v| v.properties.get(class)).flatten();
                targets.filter_map(|t| property(t)).for_each(&mut add);
            }
            for rel in e.attr("rel").unwrap_or_default().split_ascii_whitespace().take(64) {
                vocabularies.iter().filter_map(|v| v.rels.get(rel)).cloned().for_each(&mut add);
            }
        }
    }
    found
}

fn property(class: &str) -> Option<Property> {
    let (prefix, name) = class.split_once('-')?;
    let prefix = ["p", "u", "dt", "e"].into_iter().find(|p| *p == prefix)?;
    is_name(name).then(|| Property { prefix, name: name.to_owned() })
}

/// Words of lower-case letters joined by hyphens; before them there may be a vendor word with digits.
fn is_name(name: &str) -> bool {
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase());
    let vendor = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    match name.split_once('-') {
        None => word(name),
        Some((first, rest)) => vendor(first) && rest.split('-').all(word),
    }
}
