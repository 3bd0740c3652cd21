//! The page at the bare loopback address: which hosts there are and how to look at them.
//!
//! Invariant: holds no script and asks no other host.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::host::{Answer, Host, LOCAL};
use crate::page::escape;

const STYLE: &str = include_str!("index.css");

/// The index at `/`, 404 elsewhere. `authority` is what the request called this server.
pub(super) fn answer(hosts: &BTreeMap<&'static str, Host>, path: &str, authority: &str) -> Answer {
    if path == "/" {
        return html(200, page(hosts, authority));
    }
    html(404, "<!doctype html><title>Not here</title><p>There is no such page. <a href=\"/\">All hosts</a>".into())
}

/// What a request for a host gets that is not of the demo web.
pub(super) fn unknown_host() -> Answer {
    html(421, "<!doctype html><title>Unknown host</title><p>This host is not part of the demo web.".into())
}

fn html(status: u16, body: String) -> Answer {
    let headers = BTreeMap::from([("content-type".to_owned(), "text/html; charset=utf-8".to_owned())]);
    Answer { status, headers, body: body.into_bytes(), delay_ms: 0 }
}

fn page(hosts: &BTreeMap<&'static str, Host>, authority: &str) -> String {
    let port = authority.rsplit_once(':').map_or(String::new(), |(_, port)| format!(":{}", escape(port)));
    let mut rows = String::new();
    for (name, host) in hosts {
        let base = format!("http://{name}{LOCAL}{port}");
        let links: Vec<String> = host.paths().map(|p| format!("<a href=\"{base}{p}\">{p}</a>")).collect();
        // Writing to a String cannot fail.
        let _ = write!(
            rows,
            "<tr><th scope=\"row\"><a href=\"{base}/\">{name}</a></th><td>{}</td><td>{}</td><td class=\"files\">{}</td></tr>",
            escape(&host.settings.about),
            escape(&host.settings.behaviour),
            links.join(" ")
        );
    }
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Prosopon demo web</title>\
         <style>{STYLE}</style></head><body><main><h1>Prosopon demo web</h1>\
         <p>{} invented hosts, served on loopback by their <code>Host</code> header. Nobody here exists. \
         As the pipeline sees one: <code>curl -H 'Host: {}' http://127.0.0.1{port}/</code></p>\
         <div class=\"scroll\"><table><thead><tr><th>Host</th><th>Who</th><th>Behaviour</th><th>Pages</th></tr></thead>\
         <tbody>{rows}</tbody></table></div></main></body></html>",
        hosts.len(),
        hosts.keys().next().copied().unwrap_or_default(),
    )
}
