//! Name, photo and URL that a microformats2 root implies without naming them.
//!
//! Invariant: called only where the specification allows implying.

use serde_json::Value;

use super::super::dom::{self, El, Page};
use super::value::{self, Images};
use super::{classes, resolve};

/// The implied name, possibly empty.
pub(super) fn name(page: &Page, root: El<'_>) -> String {
    let child = only_child(root);
    let grandchild = child.and_then(only_child);
    let from_own = label(root);
    let below = [child, grandchild].into_iter().flatten().filter_map(|e| label(e).filter(|l| !l.is_empty()));
    from_own
        .or_else(|| below.into_iter().next())
        .map_or_else(|| value::text(page, root, Images::Alt), |n| n.trim().to_owned())
}

fn label(e: El<'_>) -> Option<String> {
    let attribute = match dom::name(e) {
        "img" | "area" => "alt",
        "abbr" => "title",
        _ => return None,
    };
    e.attr(attribute).map(str::to_owned)
}

/// The implied photo.
pub(super) fn photo(page: &Page, root: El<'_>) -> Option<Value> {
    let of = |e: El<'_>, tag: &str| -> Option<Value> {
        let attribute = if tag == "img" { "src" } else { "data" };
        (dom::name(e) == tag).then(|| e.attr(attribute)).flatten().map(|a| value::image(page, e, a, true))
    };
    find(root, &["img", "object"], &of)
}

/// The implied URL.
pub(super) fn url(page: &Page, root: El<'_>) -> Option<String> {
    let of = |e: El<'_>, tag: &str| -> Option<String> {
        (dom::name(e) == tag).then(|| e.attr("href")).flatten().map(|a| resolve(page, a))
    };
    find(root, &["a", "area"], &of)
}

/// The root itself, its only child of the kind, or that of its only child, in this order.
fn find<T>(root: El<'_>, tags: &[&str], of: &dyn Fn(El<'_>, &str) -> Option<T>) -> Option<T> {
    let at_root = tags.iter().find_map(|tag| of(root, tag));
    let within = |parent: El<'_>| tags.iter().find_map(|tag| only_of_type(parent, tag).and_then(|e| of(e, tag)));
    at_root.or_else(|| within(root)).or_else(|| only_child(root).and_then(within))
}

fn only_child(e: El<'_>) -> Option<El<'_>> {
    let mut children = e.child_elements();
    let first = children.next()?;
    (children.next().is_none() && classes::roots(first).is_none()).then_some(first)
}

fn only_of_type<'a>(parent: El<'a>, tag: &str) -> Option<El<'a>> {
    let mut of_type = parent.child_elements().filter(|e| dom::name(*e) == tag);
    let first = of_type.next()?;
    (of_type.next().is_none() && classes::roots(first).is_none()).then_some(first)
}
