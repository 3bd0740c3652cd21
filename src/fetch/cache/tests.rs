//! The required cases for private caches of http-tests/cache-tests (`testdata/fetch/cache_cases.json`, see NOTICE),
//! run against a cache of one URL and an origin that answers as the suite's own server does, under a clock of its own.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;

/// Cases that we do not pass, each with its reason. Each must be in use.
const WAIVED: &[(&str, &str)] = &[];
/// What the suite's clients wait for where a request says `pause_after`.
const PAUSE: i64 = 3000;
/// 2026-03-02T03:00:00Z.
const START: i64 = 1_772_420_400_000;
const BODY: &str = "5e2c9d1a-0000-4000-8000-000000000001";

/// What the origin saw and said.
struct Seen {
    request: u64,
    method: String,
    headers: HeaderMap,
    saved: Vec<(String, String)>,
}

/// An answer on its way to the client.
#[derive(Clone)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

struct Run<'a> {
    configs: &'a [Value],
    now: i64,
    seen: Vec<Seen>,
    stored: BTreeMap<String, Vec<Stored>>,
}

fn date(at: i64) -> String {
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + std::time::Duration::from_millis(at as u64))
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value[key].as_str()
}

fn pairs(value: &Value) -> impl Iterator<Item = (&str, &Value, bool)> {
    let lines = value.as_array().map_or(&[][..], Vec::as_slice).iter();
    lines.map(|l| (l[0].as_str().expect("a name"), &l[1], l[2].as_bool().unwrap_or(true)))
}

/// Headers whose values are numbers are dates, in seconds from now; some places are relative to the test.
fn value_of(name: &str, value: &Value, now: i64, config: &Value) -> String {
    let dated = ["date", "expires", "last-modified", "if-modified-since", "if-unmodified-since"];
    match value {
        Value::Number(n) if dated.contains(&name) => {
            let at = now + n.as_i64().expect("seconds") * 1000;
            let old = config["rfc850date"].as_array().is_some_and(|names| names.iter().any(|n| n == name));
            assert!(!old, "no case of ours asks for RFC 850");
            date(at)
        }
        Value::String(s) => s.clone(),
        other => other.to_string(),
    }
}

fn append(headers: &mut HeaderMap, name: &str, value: &str) {
    let name = HeaderName::try_from(name).expect("a name");
    headers.append(name, HeaderValue::from_str(value).expect("a value"));
}

impl Run<'_> {
    /// The suite's server.
    fn origin(&mut self, number: u64, method: &str, request: &HeaderMap) -> Option<Answer> {
        let config = &self.configs[number as usize - 1];
        let now = self.now;
        let mut status = config["response_status"][0].as_u64().unwrap_or(200) as u16;
        if text(config, "expected_type").is_some_and(|t| t.ends_with("validated")) {
            let before = &self.configs[number as usize - 2]["response_headers"];
            let previous = |name: &str| {
                let found = pairs(before).find(|(n, ..)| n.eq_ignore_ascii_case(name));
                found.map(|(n, v, _)| value_of(&n.to_ascii_lowercase(), v, now, config))
            };
            let holds =
                |name: &str, with: HeaderName| previous(name).is_some_and(|v| joined(request, with.as_str()) == v);
            let validated = holds("Last-Modified", IF_MODIFIED_SINCE) || holds("ETag", IF_NONE_MATCH);
            status = if validated { 304 } else { 999 };
        }
        let (mut headers, mut saved) = (HeaderMap::new(), BTreeMap::<String, Vec<String>>::new());
        append(&mut headers, "Server-Request-Count", &(self.seen.len() + 1).to_string());
        append(&mut headers, "Client-Request-Count", &number.to_string());
        append(&mut headers, "Server-Now", &now.to_string());
        for (name, value, save) in pairs(&config["response_headers"]) {
            let value = value_of(&name.to_ascii_lowercase(), value, now, config);
            append(&mut headers, name, &value);
            if save {
                saved.entry(name.to_owned()).or_default().push(value);
            }
        }
        if !headers.contains_key("content-type") {
            append(&mut headers, "Content-Type", "text/plain");
        }
        let saved = saved.into_keys().map(|name| (name.clone(), joined(&headers, &name))).collect();
        self.seen.push(Seen { request: number, method: method.to_owned(), headers: request.clone(), saved });
        if config["disconnect"] == true {
            return None;
        }
        let none = status == 204 || status == 304;
        let body = if none { "" } else { text(config, "response_body").unwrap_or(BODY) };
        Some(Answer { status, headers, body: Bytes::from(body.to_owned()) })
    }

    /// The cache.
    fn fetch(&mut self, number: u64) -> Option<Answer> {
        let config = &self.configs[number as usize - 1];
        let (method, url) = (text(config, "request_method").unwrap_or("GET"), url(config));
        let mut request = HeaderMap::new();
        for (name, value, _) in pairs(&config["request_headers"]) {
            append(&mut request, name, &value_of(&name.to_ascii_lowercase(), value, self.now, config));
        }
        if text(config, "cache") == Some("no-cache") {
            append(&mut request, "Cache-Control", "max-age=0");
        }
        if method != "GET" {
            let answer = self.origin(number, method, &request)?;
            if invalidates(method, answer.status) {
                self.stored.remove(&url);
            }
            return Some(answer);
        }
        let found = self.stored.get(&url).and_then(|all| all.iter().rev().find(|s| s.matches(&request))).cloned();
        match found.as_ref().map(|stored| stored.plan(&request, self.now)) {
            Some(Plan::Use) => Some(self.served(&found.expect("just found"), &request)),
            Some(Plan::UseAndAsk(ask)) => {
                let stored = found.expect("just found");
                let served = self.served(&stored, &request);
                self.ask(number, &url, &request, ask, Some(stored));
                Some(served)
            }
            Some(Plan::Ask(ask)) => self.ask(number, &url, &request, ask, found),
            None => self.ask(number, &url, &request, HeaderMap::new(), None),
        }
    }

    fn served(&self, stored: &Stored, request: &HeaderMap) -> Answer {
        let (status, headers, body) = stored.served(request, self.now);
        Answer { status, headers, body }
    }

    fn ask(
        &mut self,
        number: u64,
        url: &str,
        request: &HeaderMap,
        ask: HeaderMap,
        old: Option<Stored>,
    ) -> Option<Answer> {
        let mut sent = request.clone();
        sent.extend(ask);
        let answer = self.origin(number, "GET", &sent)?;
        let exchange = Exchange {
            request,
            status: answer.status,
            headers: &answer.headers,
            requested_at: self.now,
            received_at: self.now,
        };
        let all = self.stored.entry(url.to_owned()).or_default();
        if let (304, Some(mut old)) = (answer.status, old) {
            all.retain(|s| *s != old);
            old.refreshed(exchange);
            all.push(old.clone());
            let (status, headers, body) = old.served(request, self.now);
            return Some(Answer { status, headers, body });
        }
        all.retain(|s| !s.matches(request));
        all.extend(Stored::of(exchange, &answer.body));
        Some(answer)
    }
}

fn url(config: &Value) -> String {
    format!("/{}?{}", text(config, "filename").unwrap_or_default(), text(config, "query_arg").unwrap_or_default())
}

/// The suite's judgement of one answer.
fn judge(config: &Value, number: u64, answer: Option<&Answer>) -> Result<(), String> {
    let fail = |why: String| Err(format!("answer {number}: {why}"));
    let Some(answer) = answer else {
        // The client is told of the error.
        return if config["disconnect"] == true { Ok(()) } else { fail("none".into()) };
    };
    let count: u64 = joined(&answer.headers, "server-request-count").parse().unwrap_or(u64::MAX);
    match text(config, "expected_type") {
        Some("cached") if count >= number => return fail("does not come from the cache".into()),
        Some("not_cached") if count != number => return fail("comes from the cache".into()),
        _ => {}
    }
    let status = match (&config["expected_status"], &config["response_status"]) {
        (Value::Number(n), _) => n.as_u64(),
        (Value::Null, given) if config.get("expected_status").is_none() => Some(given[0].as_u64().unwrap_or(200)),
        _ => None,
    };
    if status.is_some_and(|status| status != u64::from(answer.status)) {
        return fail(format!("status {}, not {status:?}", answer.status));
    }
    for header in config["expected_response_headers"].as_array().into_iter().flatten() {
        let (name, got) = match header {
            Value::String(name) => (name.as_str(), joined(&answer.headers, name)),
            pair => (pair[0].as_str().expect("a name"), joined(&answer.headers, pair[0].as_str().expect("a name"))),
        };
        let fits = match header {
            Value::String(_) => answer.headers.contains_key(name),
            _ if header[1] == "=" => got == joined(&answer.headers, header[2].as_str().expect("a name")),
            _ if header[1] == ">" => got.parse::<i64>().is_ok_and(|n| n > header[2].as_i64().expect("a number")),
            _ => {
                let server_now = joined(&answer.headers, "server-now").parse().expect("the server's clock");
                got == value_of(&name.to_ascii_lowercase(), &header[1], server_now, config)
            }
        };
        if !fits {
            return fail(format!("header {name} is {got:?}, should be {header}"));
        }
    }
    for header in config["expected_response_headers_missing"].as_array().into_iter().flatten() {
        let name = header.as_str().or(header[0].as_str()).expect("a name");
        let there = match header {
            Value::String(_) => answer.headers.contains_key(name),
            pair => joined(&answer.headers, name).contains(pair[1].as_str().expect("a value")),
        };
        if there {
            return fail(format!("header {name} should be missing"));
        }
    }
    let body = text(config, "expected_response_text").or(text(config, "response_body")).unwrap_or(BODY);
    let silent = config["check_body"] == false || matches!(answer.status, 204 | 304);
    if silent || answer.body == body { Ok(()) } else { fail(format!("body {:?}, not {body:?}", answer.body)) }
}

/// The suite's judgement of what the origin saw.
fn judge_requests(configs: &[Value], answers: &[Option<Answer>], seen: &[Seen]) -> Result<(), String> {
    let mut at = 0;
    for (config, (number, answer)) in configs.iter().zip((1..).zip(answers)) {
        let kind = text(config, "expected_type");
        if kind == Some("cached") {
            continue;
        }
        let saw = seen.get(at);
        at += 1;
        let fail = |why: String| Err(format!("request {number}: {why}"));
        if kind == Some("not_cached") && saw.is_none_or(|s| s.request != number) {
            return fail("was not sent".into());
        }
        let validating = match kind {
            Some("etag_validated") => Some(IF_NONE_MATCH),
            Some("lm_validated") => Some(IF_MODIFIED_SINCE),
            _ => None,
        };
        let Some(saw) = saw else { continue };
        if validating.is_some_and(|name| !saw.headers.contains_key(name)) {
            return fail("was not conditional".into());
        }
        for header in config["expected_request_headers"].as_array().into_iter().flatten() {
            let name = header.as_str().or(header[0].as_str()).expect("a name");
            let fits = header.is_string() && saw.headers.contains_key(name) || header[1] == joined(&saw.headers, name);
            if !fits {
                return fail(format!("header {header}"));
            }
        }
        if text(config, "expected_method").is_some_and(|m| m != saw.method) {
            return fail(format!("method {}", saw.method));
        }
        let Some(answer) = answer else { continue };
        for (name, value) in saw.saved.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("date")) {
            if joined(&answer.headers, name) != *value {
                return fail(format!("answer's header {name} is {:?}, not {value:?}", joined(&answer.headers, name)));
            }
        }
    }
    Ok(())
}

fn run(configs: &[Value]) -> Result<(), String> {
    let mut run = Run { configs, now: START, seen: Vec::new(), stored: BTreeMap::new() };
    let mut answers = Vec::new();
    for (number, config) in (1..).zip(configs) {
        let answer = run.fetch(number);
        judge(config, number, answer.as_ref())?;
        answers.push(answer);
        run.now += if config["pause_after"] == true { PAUSE } else { 5 };
    }
    judge_requests(configs, &answers, &run.seen)
}

#[test]
fn required_cases_for_private_caches() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/fetch/cache_cases.json");
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(file).expect("the cases")).expect("JSON");
    let (mut passed, mut failed, mut waived) = (0, Vec::new(), 0);
    for case in &cases {
        let id = text(case, "id").expect("an id");
        match run(case["requests"].as_array().expect("requests")) {
            Ok(()) => passed += 1,
            Err(_) if WAIVED.iter().any(|(waived, _)| *waived == id) => waived += 1,
            Err(why) => failed.push(format!("{id}: {why}")),
        }
    }
    println!("{passed} of {} cases pass, {waived} are waived", cases.len());
    assert!(failed.is_empty(), "{} fail:\n{}", failed.len(), failed.join("\n"));
    assert_eq!((cases.len(), waived), (137, WAIVED.len()));
    assert!(passed >= 132);
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    const NAMES: &[&str] =
        &["cache-control", "age", "date", "expires", "vary", "etag", "last-modified", "connection", "pragma", "range"];

    fn headers() -> impl Strategy<Value = HeaderMap> {
        let value =
            prop_oneof!["[ -~]{0,40}", "(max-age|no-cache|max-stale|min-fresh)=\"?[0-9]{0,25}\"?", "[0-9]{0,25}"];
        proptest::collection::vec((0..NAMES.len(), value), 0..6).prop_map(|pairs| {
            let mut map = HeaderMap::new();
            for (name, value) in &pairs {
                append(&mut map, NAMES[*name], value);
            }
            map
        })
    }

    proptest! {
        #[test]
        fn nothing_panics_and_no_store_is_never_stored(
            request in headers(), answer in headers(), status in 100_u16..1000, now in any::<i32>(), length in 0_usize..9
        ) {
            let now = START + i64::from(now);
            let exchange =
                Exchange { request: &request, status, headers: &answer, requested_at: START, received_at: START };
            let body = Bytes::from(vec![b'x'; length]);
            if let Some(mut stored) = Stored::of(exchange, &body) {
                let _ = (stored.plan(&request, now), stored.matches(&request));
                let (_, _, part) = stored.served(&request, now);
                prop_assert!(part.len() <= body.len());
                stored.refreshed(exchange);
                let mut closed = answer.clone();
                append(&mut closed, "cache-control", "no-store");
                let closed = Exchange { headers: &closed, ..exchange };
                prop_assert!(Stored::of(closed, &body).is_none());
                let mut asked = request.clone();
                append(&mut asked, "cache-control", "no-cache");
                prop_assert!(matches!(stored.plan(&asked, now), Plan::Ask(_)));
            }
        }
    }
}
