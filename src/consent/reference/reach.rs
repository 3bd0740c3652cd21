//! How far an event reaches: a positive one must embrace the request, a negative one need only hit it.
//!
//! Invariant: an empty dimension of a negative event stands for everything.

use std::collections::BTreeSet;

use super::Case;
use crate::consent::event::LegalEvent;

/// No name of `some` is missing in `all`; an empty `all` stands for everything.
fn within<'s>(some: impl IntoIterator<Item = &'s String>, all: &BTreeSet<String>) -> bool {
    let some: BTreeSet<&String> = some.into_iter().collect();
    all.is_empty() || some.is_subset(&all.iter().collect())
}

impl Case<'_> {
    /// What the request is about: what it asks for, else what its purpose lists.
    pub(super) fn categories(&self) -> BTreeSet<String> {
        let listed = self.purpose().map(|p| p.data_categories.clone()).unwrap_or_default();
        let asked: Vec<String> = self.request.asked.data_categories.iter().map(|c| (*c).to_owned()).collect();
        if asked.is_empty() { listed } else { asked }.into_iter().collect()
    }

    pub(super) fn recipients(&self) -> Vec<String> {
        self.purpose().map(|p| p.recipients.clone()).unwrap_or_default()
    }

    /// Where the recipients sit; nobody knows it of one that is not registered.
    pub(super) fn regions(&self) -> Vec<Option<String>> {
        let known = &self.policy.file().recipients;
        self.recipients().iter().map(|r| known.get(r).map(|r| r.region.clone())).collect()
    }

    /// Whether data, recipients and regions of a positive event reach as far as the request.
    pub(super) fn embraces(&self, e: &LegalEvent) -> [bool; 3] {
        let categories = self.categories();
        let named = !categories.is_empty() || e.scope.data_categories.is_empty();
        let located: Vec<String> = self.regions().into_iter().map(|r| r.unwrap_or_else(|| "nowhere".into())).collect();
        [
            named && within(&categories, &e.scope.data_categories),
            within(&self.recipients(), &e.scope.recipients),
            within(&located, &e.scope.regions),
        ]
    }

    /// Whether a negative event concerns this request.
    pub(super) fn hits(&self, e: &LegalEvent) -> bool {
        let known = &self.policy.file().purposes;
        let purpose = e.scope.purposes.is_empty()
            || e.scope.purposes.iter().any(|name| match name.as_str() {
                "marketing" => true,
                "profiling" => self.profiles(),
                name => name == self.request.purpose || !known.contains_key(name),
            });
        let categories = self.categories();
        let listed: BTreeSet<&String> = known.values().flat_map(|p| &p.data_categories).collect();
        let data = e.scope.data_categories.is_empty()
            || categories.is_empty()
            || e.scope.data_categories.iter().any(|c| categories.contains(c) || !listed.contains(c));
        let registered = &self.policy.file().recipients;
        let to = e.scope.recipients.is_empty()
            || e.scope.recipients.iter().any(|r| self.recipients().contains(r) || !registered.contains_key(r));
        let regions = self.regions();
        let there = e.scope.regions.is_empty()
            || regions.contains(&None)
            || e.scope.regions.iter().any(|region| {
                regions.contains(&Some(region.clone())) || !registered.values().any(|r| r.region == *region)
            });
        purpose
            && (e.scope.operations.is_empty() || e.scope.operations.contains(&self.request.operation))
            && (e.scope.source_classes.is_empty() || e.scope.source_classes.contains(&self.class()))
            && data
            && to
            && there
    }
}
