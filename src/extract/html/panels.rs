//! Panels that a page keeps closed until a reader opens them: accordions and tabs.
//!
//! Invariant: only what a visible control opens is a panel; what nothing opens stays hidden.

use std::rc::Rc;

use html5ever::local_name;
use rustc_hash::{FxHashMap, FxHashSet};

use super::dom::{self, El};
use super::limits::MAX_ITEMS;

/// The panels of a page by the ids of their elements.
#[derive(Default)]
pub(super) struct Panels<'a> {
    /// Ids of what a control opens, with its label.
    opened: FxHashMap<&'a str, Rc<str>>,
    /// Ids of controls.
    controls: FxHashSet<&'a str>,
}

impl<'a> Panels<'a> {
    /// Finds the controls among what is seen.
    pub fn find(root: El<'a>) -> Self {
        let mut panels = Self::default();
        panels.walk(root);
        panels
    }

    fn walk(&mut self, e: El<'a>) {
        if self.hide(e) {
            return;
        }
        self.control(e);
        for child in e.child_elements() {
            self.walk(child);
        }
    }

    fn control(&mut self, e: El<'a>) {
        let names = ["aria-controls", "data-target", "data-bs-target"];
        let mut targets = names.into_iter().filter_map(|a| dom::attr(e, a)).peekable();
        let toggles = ["data-toggle", "data-bs-toggle", "aria-expanded"].iter().any(|a| e.attr(a).is_some());
        let is_control = toggles || matches!(e.attr("role"), Some("tab" | "button"));
        if !is_control && targets.peek().is_none() && *e.atom() != local_name!("button") {
            return;
        }
        if self.opened.len() + self.controls.len() > MAX_ITEMS {
            return;
        }
        self.controls.extend(dom::attr(e, "id"));
        let linked = dom::attr(e, "href").filter(|h| is_control && h.starts_with('#'));
        for id in targets.chain(linked).map(|t| t.trim_start_matches('#')).filter(|t| !t.is_empty()) {
            let label = dom::short_text(e);
            self.opened.entry(id).or_insert_with(|| Rc::from(&*label));
        }
    }

    /// Whether an element is kept from view, and nothing opens it.
    pub fn hide(&self, e: El<'a>) -> bool {
        dom::is_unseen(e) || (dom::is_concealed(e) && !self.is_panel(e))
    }

    fn is_panel(&self, e: El<'a>) -> bool {
        let labelled = || e.attr("role") == Some("tabpanel") || e.attr("role") == Some("region");
        dom::attr(e, "id").is_some_and(|id| self.opened.contains_key(id))
            || (labelled() && dom::attr(e, "aria-labelledby").is_some_and(|id| self.controls.contains(id)))
    }

    /// What the control of a panel says.
    pub fn label(&self, e: El<'a>) -> Option<Rc<str>> {
        if self.opened.is_empty() {
            return None;
        }
        self.opened.get(dom::attr(e, "id")?).filter(|l| !l.is_empty()).cloned()
    }
}
