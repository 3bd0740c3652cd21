//! A virtual host of the demo web: its files and the behaviours of its `_host.yaml`.
//!
//! Invariant: pure; what is answered depends on the request and on how often it was made, on nothing else.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Asset;

/// The name of the file with the behaviours; never served.
pub(super) const SETTINGS: &str = "/_host.yaml";

/// What a browser appends to a host, for it resolves every `*.localhost` to loopback.
pub(super) const LOCAL: &str = ".localhost";

/// `_host.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// One line for the index.
    pub about: String,
    /// What is particular about it, for the index.
    #[serde(default)]
    pub behaviour: String,
    /// Headers of every answer.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A header that counts down with every answer.
    #[serde(default)]
    pub countdown: Option<Countdown>,
    /// Rules, all that match are applied in order.
    #[serde(default)]
    pub rules: Vec<Rule>,
}

/// A header that counts down to 0.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Countdown {
    pub header: String,
    pub from: u32,
}

/// What to do with some requests.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// An exact path, or a prefix with a `*` at the end; default: every path.
    #[serde(default)]
    pub path: Option<String>,
    /// Only requests with this in their query, percent signs as they came: `acct=name`.
    #[serde(default)]
    pub query: Option<String>,
    /// Only the first N requests that this rule matches; default: all.
    #[serde(default)]
    pub first: Option<u32>,
    /// Milliseconds before the answer.
    #[serde(default)]
    pub delay_ms: u64,
    /// Answer with this status; with no body of a file unless it is 200.
    #[serde(default)]
    pub status: Option<u16>,
    /// Answer 301 to this host (scheme `http`, path kept), or to this path where it begins with `/`.
    #[serde(default)]
    pub redirect: Option<String>,
    /// Serve this file instead.
    #[serde(default)]
    pub file: Option<String>,
    /// Further headers; `content-type` replaces the default.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

impl Rule {
    fn matches(&self, path: &str, query: &str) -> bool {
        let asked = self.query.as_deref().is_none_or(|wanted| query.split('&').any(|part| part == wanted));
        asked && self.matches_path(path)
    }

    fn matches_path(&self, path: &str) -> bool {
        match self.path.as_deref().map(|p| p.strip_suffix('*').ok_or(p)) {
            None => true,
            Some(Ok(prefix)) => path.starts_with(prefix),
            Some(Err(exact)) => path == exact,
        }
    }
}

/// A virtual host.
#[derive(Debug)]
pub(super) struct Host {
    pub settings: Settings,
    files: BTreeMap<&'static str, &'static [u8]>,
}

/// An answer, before it is put on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    pub delay_ms: u64,
}

/// How often each rule of a host has matched, and how many answers it gave.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    rules: Vec<u32>,
    answers: u32,
}

impl Host {
    /// All hosts of the assets; an unreadable `_host.yaml` is told with its host.
    pub(super) fn all(assets: &'static [Asset]) -> Result<BTreeMap<&'static str, Self>, (String, String)> {
        let mut files: BTreeMap<&str, BTreeMap<&str, &[u8]>> = BTreeMap::new();
        for asset in assets {
            files.entry(asset.host).or_default().insert(asset.path, asset.body);
        }
        let mut hosts = BTreeMap::new();
        for (name, mut files) in files {
            let fail = |e: &dyn std::fmt::Display| (name.to_owned(), e.to_string());
            let raw = files.remove(SETTINGS).ok_or_else(|| fail(&"it has no _host.yaml"))?;
            let text = std::str::from_utf8(raw).map_err(|e| fail(&e))?;
            let settings = serde_saphyr::from_str(text).map_err(|e| fail(&e))?;
            hosts.insert(name, Self { settings, files });
        }
        Ok(hosts)
    }

    /// Paths of the files, for the index.
    pub(super) fn paths(&self) -> impl Iterator<Item = &'static str> {
        self.files.keys().copied()
    }

    /// Answers a request and counts it. `authority` is what the request called the host, with its port.
    pub(super) fn answer(&self, path: &str, query: &str, authority: &str, counts: &mut Counts) -> Answer {
        counts.rules.resize(self.settings.rules.len(), 0);
        let mut answer = Answer { status: 200, headers: self.settings.headers.clone(), body: Vec::new(), delay_ms: 0 };
        let mut file = path;
        let mut status = None;
        for (rule, count) in self.settings.rules.iter().zip(&mut counts.rules) {
            if !rule.matches(path, query) {
                continue;
            }
            *count += 1;
            if rule.first.is_some_and(|n| *count > n) {
                continue;
            }
            answer.delay_ms += rule.delay_ms;
            answer.headers.extend(rule.headers.clone());
            file = rule.file.as_deref().unwrap_or(file);
            status = rule.status.or(status);
            if let Some(to) = &rule.redirect {
                status = Some(301);
                answer.headers.insert("location".into(), location(to, path, authority));
            }
        }
        self.fill(&mut answer, file, status);
        if let Some(down) = &self.settings.countdown {
            counts.answers += 1;
            answer.headers.insert(down.header.clone(), down.from.saturating_sub(counts.answers).to_string());
        }
        answer
    }

    /// Puts the file, or the words for the status, into the answer.
    fn fill(&self, answer: &mut Answer, path: &str, status: Option<u16>) {
        let found = self.find(path).filter(|_| status.is_none_or(|s| s == 200));
        let (status, name, body) = match (found, status) {
            (Some((name, body)), _) => (200, name, body.to_vec()),
            (None, Some(status)) if status != 200 => (status, "/status.txt", format!("{status}\n").into_bytes()),
            _ => match self.files.get_key_value("/404.json") {
                Some((name, body)) => (404, *name, body.to_vec()),
                None => (404, "/status.txt", b"404: there is no such page in the demo web\n".to_vec()),
            },
        };
        answer.status = status;
        answer.headers.entry("content-type".into()).or_insert_with(|| content_type(name).into());
        answer.body = body;
    }

    /// The file of a path: itself, with `.html` or `.json`, or the index of a folder.
    fn find(&self, path: &str) -> Option<(&'static str, &'static [u8])> {
        let bare = path.trim_end_matches('/');
        let tries = [path.to_owned(), format!("{bare}/index.html"), format!("{bare}.html"), format!("{bare}.json")];
        tries.iter().find_map(|t| self.files.get_key_value(t.as_str())).map(|(name, body)| (*name, *body))
    }
}

/// `Location` of a redirect: same port and same `.localhost`, so that the demo web stays within itself.
fn location(to: &str, path: &str, authority: &str) -> String {
    if to.starts_with('/') {
        return to.to_owned();
    }
    let (name, port) = match authority.rsplit_once(':') {
        Some((name, port)) => (name, format!(":{port}")),
        None => (authority, String::new()),
    };
    let suffix = if name.ends_with(LOCAL) { LOCAL } else { "" };
    format!("http://{to}{suffix}{port}{path}")
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ext)| ext) {
        "html" => "text/html; charset=utf-8",
        "json" => "application/json; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "xml" => "application/xml; charset=utf-8",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    }
}
