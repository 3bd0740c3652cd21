//! What a pipeline file must keep beyond its schema: rules that join several keys.
//!
//! Invariant: rules read the tree, not the built types, so that they speak also where other keys are wrong; a value
//! that is wrong in itself is not judged again.

use std::collections::BTreeMap;
use std::path::Path;

use url::{Host, Url};

use super::diagnostic::{Diagnostic, Position};
use super::fileset::folder_of;
use super::plan::{DEFAULT_RATE, resolve};
use super::tree::{Node, Tree, Value};
use crate::crm::find::{has_wildcard, reaches};
use crate::persona::segment::LEAST_PEOPLE;

/// The sources that look people up by a handle, each at the address of an API.
const OF_HANDLES: [&str; 2] = ["developer_profile", "social_profile"];

/// Purposes that the product is not for (Annex III AI Act), by the words that give them away.
const FORBIDDEN_PURPOSES: [&str; 9] = [
    "recruit",
    "employ",
    "hiring",
    "talent_acquisition",
    "headhunt",
    "candidate",
    "applicant",
    "personalauswahl",
    "bewerb",
];

/// Every breach of a rule.
pub fn check(tree: &Tree, file: &str, told: &[Diagnostic]) -> Vec<Diagnostic> {
    let mut rules = Rules { tree, file, told, found: Vec::new() };
    rules.purpose();
    rules.rates();
    rules.hosts();
    rules.tiers();
    rules.budgets();
    rules.paths();
    rules.mappings();
    rules.handles();
    rules.lineage();
    rules.found
}

struct Rules<'t> {
    tree: &'t Tree,
    file: &'t str,
    told: &'t [Diagnostic],
    found: Vec<Diagnostic>,
}

impl<'t> Rules<'t> {
    /// A value that is there and has not been found wrong.
    fn sound(&self, path: &[&str]) -> Option<&'t Node> {
        let node = self.tree.get(path)?;
        let wrong = node.value == Value::Told || self.told.iter().any(|d| d.position() == node.at);
        (!wrong).then_some(node)
    }

    fn text(&self, path: &[&str]) -> Option<(&'t str, Position)> {
        let node = self.sound(path)?;
        node.text().map(|text| (text, node.at))
    }

    fn number(&self, path: &[&str]) -> Option<(f64, Position)> {
        let node = self.sound(path)?;
        match node.value {
            Value::Int(i) => Some((i as f64, node.at)),
            Value::Float(f) => Some((f, node.at)),
            _ => None,
        }
    }

    fn tell(&mut self, at: Position, message: impl Into<String>, help: &str) {
        let help = (!help.is_empty()).then_some(help);
        self.found.push(Diagnostic::error(self.file, at, message).with_help(help));
    }

    fn purpose(&mut self) {
        if let Some((purpose, at)) = self.text(&["policy", "purpose"])
            && FORBIDDEN_PURPOSES.iter().any(|word| purpose.contains(word))
        {
            self.tell(at, format!("{purpose:?} cannot be a purpose, recruitment and employment are ruled out"), "");
        }
    }

    fn rates(&mut self) {
        self.site_limit();
        for source in ["company_site", "developer_profile", "social_profile"] {
            let limit = ["sources", source, "rate", "requests_per_second"];
            let documented = self.documented_limit(source).filter(|_| source != "company_site");
            if let Some((rate, at)) = self.number(&limit)
                && rate > DEFAULT_RATE
                && documented.is_none()
            {
                let message = format!("{rate} requests per second are more than the default of {DEFAULT_RATE}");
                let help = match source {
                    "company_site" => "sites of others are never asked faster; slower is always fine",
                    _ => "give the page that documents the limit as documented_limit",
                };
                self.tell(at, message, help);
            }
        }
    }

    /// Where a source says that its limit is documented.
    fn documented_limit(&self, source: &str) -> Option<Position> {
        let node = self.tree.get(&["sources", source, "rate", "documented_limit"])?;
        (node.value != Value::Null).then_some(node.at)
    }

    /// Companies' sites belong to many others, of whom none documents a limit for all.
    fn site_limit(&mut self) {
        if let Some(at) = self.documented_limit("company_site") {
            let message = "the sites of companies are no API whose limit is documented";
            self.tell(at, message, "remove documented_limit here; it is for sources with a base_url");
        }
    }

    /// Hosts must fit the network.
    fn hosts(&mut self) {
        let Some((network, at)) = self.text(&["network"]) else { return };
        if network == "public" && self.tree.get(&["contact"]).is_none() {
            let help = "add contact: mailto:... or https://... at the top; it stands in the User-Agent";
            self.tell(at, "on the public internet a site owner must be able to write to somebody", help);
        }
        for source in OF_HANDLES {
            self.api(network, source);
        }
    }

    /// The address of an API must fit the network.
    fn api(&mut self, network: &str, source: &str) {
        let Some((base, at)) = self.text(&["sources", source, "base_url"]) else { return };
        let Ok(url) = Url::parse(base) else { return };
        let host = url.host_str().unwrap_or_default().trim_end_matches('.').to_lowercase();
        let reserved = ["example", "test"].iter().any(|top| host.rsplit('.').next() == Some(top)) && host.contains('.');
        match network {
            "demo" if !reserved => {
                let message = format!("{host:?} is no host of the demo web");
                self.tell(at, message, "network: demo reaches only hosts under .example and .test");
            }
            "public" if reserved => {
                self.tell(at, format!("{host:?} does not exist on the public internet"), "");
            }
            "public" if url.scheme() != "https" => {
                self.tell(at, "an API on the public internet must be asked over https", "");
            }
            "public" if url.domain().is_none() || !host.contains('.') => {
                self.tell(at, format!("{host:?} is not a public host name"), "");
            }
            _ => {}
        }
    }

    fn tiers(&mut self) {
        let bound = |tier| self.number(&["tiers", tier, "min_account_revenue_eur"]);
        if let (Some((individual, _)), Some((segment, at))) = (bound("individual"), bound("segment"))
            && segment >= individual
        {
            let message =
                format!("the segment tier starts at {segment}, which is not below the individual tier's {individual}");
            self.tell(at, message, "");
        }
        let least = f64::from(LEAST_PEOPLE);
        if let Some((people, at)) = self.number(&["tiers", "segment", "min_people"])
            && people < least
        {
            let message =
                format!("min_people is {people}, and a value of a segment needs at least {least} people behind it");
            self.tell(at, message, "fewer would point at somebody; a larger number is stricter");
        }
    }

    fn budgets(&mut self) {
        let budget = |key| self.number(&["budgets", key]);
        if let (Some((run, _)), Some((host, at))) = (budget("requests_per_run"), budget("requests_per_host"))
            && host > run
        {
            self.tell(at, format!("{host} requests per host are more than the {run} of the whole run"), "");
        }
    }

    /// Home and CRM files apart.
    fn paths(&mut self) {
        let home = self.text(&["output", "home"]);
        let indices: Vec<String> = (0..self.legal().len()).map(|i| i.to_string()).collect();
        let sets = ["contacts", "accounts", "consents", "notes"].map(|kind| (kind, vec!["crm", "files", kind, "path"]));
        let exports = indices.iter().map(|i| ("legal exports", vec!["crm", "files", "legal", i, "path"]));
        for (kind, key) in sets.into_iter().chain(exports) {
            let Some((path, at)) = self.text(&key) else { continue };
            if path.ends_with('/') && kind == "legal exports" {
                self.tell(at, "expected files, found a folder", "add a file name such as *.csv");
                continue;
            }
            let Some((home, home_at)) = home else { continue };
            // Judged by the names alone: neither has to exist.
            let here = Path::new("/-/-/-/-");
            let (home, input) = (resolve(here, home), resolve(here, path));
            let already = self.found.iter().any(|d| d.position() == home_at);
            let folder = folder_of(&input);
            // A home beside the CRM files in the pipeline's own folder is a trial's usual form, and does no harm.
            let inside = if folder == here { home == here } else { home.starts_with(folder) };
            let inside = inside || !input.starts_with(&home) && reaches(&input, &home);
            if inside && !already {
                let message = format!("the home lies in the folder of the CRM's {kind}");
                self.tell(home_at, message, "choose a folder of its own");
            } else if input.starts_with(&home) && !already {
                self.tell(at, format!("the CRM's {kind} lie in the home"), "inputs and home are kept apart");
            }
        }
        for (path, what) in [(["policy", "file"], "one policy file"), (["output", "home"], "one folder")] {
            if let Some((text, at)) = self.text(&path)
                && has_wildcard(text)
            {
                self.tell(at, format!("expected {what}, found wildcards"), "");
            }
        }
    }

    fn legal(&self) -> &'t [Node] {
        self.tree.get(&["crm", "files", "legal"]).map_or(&[], Node::items)
    }

    /// Exports of one dialect are read together, so they have one mapping; a table of one's own has none.
    fn mappings(&mut self) {
        let mut first: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        for (i, entry) in self.legal().iter().enumerate() {
            let i = i.to_string();
            let Some((dialect, _)) = self.text(&["crm", "files", "legal", &i, "dialect"]) else { continue };
            let stated = self.text(&["crm", "files", "legal", &i, "mapping"]);
            let (mapping, at) = stated.map_or((None, entry.at), |(path, at)| (Some(path), at));
            if mapping.is_some() && dialect == "table" {
                self.tell(at, "a table states its own proof and takes no mapping", "remove it");
                continue;
            }
            if mapping.is_some_and(has_wildcard) {
                self.tell(at, "expected one mapping file, found wildcards", "");
                continue;
            }
            if *first.entry(dialect).or_insert(mapping) != mapping {
                let message = format!("an entry of {dialect} above has another mapping, and both are read together");
                self.tell(at, message, "write one mapping in all of them");
            }
        }
    }

    /// Handles are looked up by the name of the source that uses them.
    fn handles(&mut self) {
        let Some(handles) = self.tree.get(&["crm", "files", "contacts", "columns", "handles"]) else { return };
        for entry in handles.entries() {
            if !OF_HANDLES.contains(&entry.key.as_str()) {
                let help = super::diagnostic::did_you_mean(&entry.key, OF_HANDLES);
                let message = format!("no source {:?} uses handles", entry.key);
                self.tell(entry.at, message, help.as_deref().unwrap_or("known are developer_profile, social_profile"));
            }
        }
    }

    /// Events are in the file whoever else is told them, and a key is not sent where others can read it.
    fn lineage(&mut self) {
        let Some(to) = self.tree.get(&["output", "lineage_to"]) else { return };
        if to.value != Value::Null && self.tree.get(&["output", "lineage"]).is_none() {
            let help = "add lineage: ../lineage.jsonl; what the catalogue does not take is only there";
            self.tell(to.at, "lineage_to without lineage", help);
        }
        let Some((url, at)) = self.text(&["output", "lineage_to", "url"]) else { return };
        let Ok(url) = Url::parse(url) else { return };
        if url.query().is_some() || url.fragment().is_some() {
            self.tell(at, "the address of a catalogue ends before \"?\" and \"#\"", "");
        }
        let is_here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if url.scheme() == "http" && !is_here && self.text(&["output", "lineage_to", "key_from_env"]).is_some() {
            self.tell(at, "a key must not go over http to another machine", "use https, or leave out key_from_env");
        }
    }
}
