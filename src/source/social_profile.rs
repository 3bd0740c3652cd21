//! A Mastodon-shaped public API: the account of one known handle, and its latest public posts.
//!
//! Invariant: an account is asked for by a handle that the CRM has, never searched for; it is read only where its owner
//! wants to be found, where it says it is this contact, and with leave to profile. Of posts only the person's own words
//! in the first person count, and only those that everybody may see.

use serde::Deserialize;
use url::Url;

use crate::extract::html;
use crate::extract::reservation::refuses_of_person;
use crate::extract::text::{self, TextContact, TextKind, TextRecord, TextSignal, scrub_quote};
use crate::identity::{Claimed, Verdict, judge, left};
use crate::model::{About, Claim};
use crate::source::neutral::{Names, neutral};
use crate::source::{Body, Context, FollowUp, Found, KnownContact, PageKind, Permitted, Reading, bio, due, id};

/// So many posts are asked for, the newest, and no more are read, whatever the answer has.
const LATEST: usize = 40;
/// Longer text is no post.
const MAX_POST: usize = 16 * 1024;

/// What of an account is read; the rest is dropped while parsing.
#[derive(Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the API's own shape")]
struct Account {
    id: String,
    acct: String,
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    fields: Vec<Field>,
    #[serde(default)]
    discoverable: Option<bool>,
    #[serde(default)]
    noindex: Option<bool>,
    #[serde(default)]
    bot: bool,
    #[serde(default)]
    group: bool,
    #[serde(default)]
    suspended: bool,
    #[serde(default)]
    limited: bool,
    #[serde(default)]
    moved: Option<serde::de::IgnoredAny>,
}

/// A line of the table that an account shows.
#[derive(Deserialize)]
struct Field {
    #[serde(default)]
    name: String,
    #[serde(default)]
    value: String,
}

/// What of a post is read.
#[derive(Deserialize)]
struct Post {
    created_at: jiff::Timestamp,
    visibility: String,
    #[serde(default)]
    content: String,
    #[serde(default)]
    language: Option<String>,
    #[serde(default)]
    reblog: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    in_reply_to_id: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    sensitive: bool,
    #[serde(default)]
    spoiler_text: String,
    account: Author,
}

#[derive(Deserialize)]
struct Author {
    acct: String,
}

/// The account of a handle (`name` or `name@host`); one of another host is not this server's to tell of.
#[must_use]
pub fn lookup_url(base: &Url, handle: &str) -> Option<Url> {
    let name = local_name(base, handle)?;
    let mut url = base.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(["api", "v1", "accounts", "lookup"]);
    url.query_pairs_mut().append_pair("acct", name);
    Some(url)
}

fn local_name<'h>(base: &Url, handle: &'h str) -> Option<&'h str> {
    match handle.split_once('@') {
        None => Some(handle),
        Some((name, host)) => base.host_str().is_some_and(|own| own.eq_ignore_ascii_case(host)).then_some(name),
    }
    .filter(|name| !name.is_empty())
}

fn posts_url(base: &Url, account: &str) -> Option<Url> {
    // An id is a number as text; nothing else may become part of a path.
    if account.is_empty() || account.len() > 32 || !account.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let mut url = base.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(["api", "v1", "accounts", account, "statuses"]);
    let limit = LATEST.to_string();
    let asked = [("limit", limit.as_str()), ("exclude_replies", "true"), ("exclude_reblogs", "true")];
    url.query_pairs_mut().extend_pairs(asked);
    Some(url)
}

/// Reads an account: whether it is the contact's, what its few lines say of how the person works, and where its
/// posts are.
#[must_use]
pub fn read_account(body: &Body<'_>, base: &Url, context: &Context<'_>) -> Reading {
    let unreadable = |word: &str| Reading { unreadable: Some(word.to_owned()), ..Reading::default() };
    let Ok(account) = serde_json::from_slice::<Account>(body.bytes) else { return unreadable("no_account") };
    let Some(contact) = context.contacts.first().filter(|c| c.profiling) else { return Reading::default() };
    let handle = KnownContact::of(contact.subject, context.account, id::SOCIAL_PROFILE).handle;
    // The server's answer is of the account that was asked for, or of nobody.
    if !handle.and_then(|h| local_name(base, h)).is_some_and(|asked| asked.eq_ignore_ascii_case(&account.acct)) {
        return Reading { strangers: 1, ..Reading::default() };
    }
    if let Some(word) = opted_out(&account) {
        return Reading { opted_out: Some(word.to_owned()), ..Reading::default() };
    }
    if account.suspended || account.limited || account.moved.is_some() {
        return unreadable("account_closed");
    }
    if account.bot || account.group {
        return Reading { strangers: 1, ..Reading::default() };
    }
    match verdict(&account, base, contact, context) {
        Verdict::Same => {
            let posts = posts_url(base, &account.id).map(|url| FollowUp { kind: PageKind::Posts, url: url.into() });
            let mut of_note = bio::read(&html::text_of(&account.note), contact, context);
            // The account was asked for under `profiling`, which is no leave to learn the job from it.
            of_note.found.retain(|found| found.claim.is_profile());
            Reading { follow_ups: posts.into_iter().collect(), ..of_note }
        }
        Verdict::Uncertain => Reading { uncertain: vec![contact.subject.id.clone()], ..Reading::default() },
        Verdict::Different => Reading { strangers: 1, ..Reading::default() },
    }
}

/// Whoever does not plainly want to be found is left alone, and so is whoever says so in words (`#nobot`).
fn opted_out(account: &Account) -> Option<&'static str> {
    if account.noindex == Some(true) || refuses_of_person(&own_words(account)) {
        Some("noindex")
    } else if account.discoverable == Some(true) {
        None
    } else {
        Some("not_discoverable")
    }
}

/// All that the owner of an account writes of him- or herself, a line each.
fn own_words(account: &Account) -> String {
    let fields = account.fields.iter().flat_map(|field| [field.name.as_str(), field.value.as_str()]);
    let lines = fields.chain([account.display_name.as_str(), account.note.as_str()]);
    lines.map(html::text_of).collect::<Vec<_>>().join("\n")
}

fn verdict(account: &Account, base: &Url, contact: &Permitted<'_>, context: &Context<'_>) -> Verdict {
    let mut known = KnownContact::of(contact.subject, context.account, id::SOCIAL_PROFILE);
    // The account was looked up by the handle, so that it has it says nothing, unless the CRM says that it is of this
    // very server: a bare handle is anybody's there.
    known.handle = known.handle.filter(|handle| handle.contains('@')).and_then(|handle| local_name(base, handle));
    let lines = account.fields.iter().map(|f| f.value.as_str()).chain([account.note.as_str()]);
    let links: Vec<String> = lines.flat_map(links).collect();
    let claimed =
        Claimed { name: &account.display_name, links: &links, handle: Some(&account.acct), ..Claimed::default() };
    match judge(&known.known(), &claimed).verdict {
        Verdict::Same if left(&own_words(account), &context.account.name) => Verdict::Uncertain,
        verdict => verdict,
    }
}

/// The links of a piece of HTML.
fn links(html: &str) -> Vec<String> {
    let quoted = html.split("href=").skip(1).filter_map(|rest| {
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        rest[1..].split(quote).next()
    });
    quoted.filter(|link| link.starts_with("http")).map(str::to_owned).collect()
}

/// Reads the posts of the account that was looked up.
#[must_use]
pub fn read_posts(body: &Body<'_>, base: &Url, context: &Context<'_>) -> Reading {
    let Ok(posts) = serde_json::from_slice::<Vec<Post>>(body.bytes) else {
        return Reading { unreadable: Some("no_posts".to_owned()), ..Reading::default() };
    };
    let Some(contact) = context.contacts.first().filter(|c| c.profiling) else { return Reading::default() };
    let known = KnownContact::of(contact.subject, context.account, id::SOCIAL_PROFILE);
    let own = known.handle.and_then(|handle| local_name(base, handle));
    let is_own = |post: &Post| own.is_some_and(|own| own.eq_ignore_ascii_case(&post.account.acct));
    let later = posts.iter().map(|post| post.created_at).filter(|at| *at > context.latest());
    let mut reading = Reading { same_until: due(later), ..Reading::default() };
    let dated = posts.iter().enumerate().filter(|(_, post)| post.created_at <= context.latest());
    for (place, post) in dated.take(LATEST).filter(|(_, p)| is_own(p) && is_open(p)) {
        read_post((place, post), contact, context, &mut reading);
    }
    reading
}

/// Whether a post is for everybody, the person's own, without a quotation and under no warning.
fn is_open(post: &Post) -> bool {
    post.visibility == "public"
        && post.reblog.is_none()
        && post.in_reply_to_id.is_none()
        && !post.sensitive
        && post.spoiler_text.trim().is_empty()
        && post.content.len() <= MAX_POST
        && !post.content.to_ascii_lowercase().contains("<blockquote")
}

/// The text of a post without lines that quote somebody else, paragraphs apart.
fn own_lines(post: &Post) -> String {
    let text = html::text_of(&post.content);
    let own: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('>')).collect();
    own.join("\n\n")
}

/// Reads a post; `place` is where it stands in the answer.
fn read_post((place, post): (usize, &Post), contact: &Permitted<'_>, context: &Context<'_>, reading: &mut Reading) {
    let subject = contact.subject;
    let record = TextRecord {
        id: String::new(),
        kind: TextKind::Post,
        lang: post.language.clone(),
        text: own_lines(post),
        contacts: vec![TextContact { id: subject.id.to_string(), name: String::new(), title: None }].into(),
        about: Some(subject.id.to_string()),
        company: None,
    };
    if record.language().is_some_and(|language| !context.languages.contains(&language)) {
        return;
    }
    let text = text::read_text(&record);
    reading.withheld += text.withheld.values().sum::<u32>();
    // What was withheld may be what the rest is about: such a post says nothing.
    if !text.withheld.is_empty() {
        return;
    }
    let about = About::Subject(subject.id.clone(), subject.account.clone());
    let names = Names::of(context.members.iter().copied().chain([subject]));
    let first_person = |signal: &&TextSignal| is_first_person(&record.text, signal.span);
    reading.found.extend(text.signals.iter().filter(first_person).filter_map(|signal| {
        Some(Found {
            about: about.clone(),
            claim: signal.claim().filter(Claim::is_profile)?,
            weight: signal.p,
            quote: scrub_quote(&signal.quote).and_then(|q| scrub_quote(&neutral(&q, &names)))?,
            locator: format!("post[{place}][{}..{}]", signal.span[0], signal.span[1]),
            extractor: text::EXTRACTOR.to_owned(),
            said_at: Some(post.created_at),
        })
    }));
}

/// Whether the sentence of a signal speaks of who wrote it: one about somebody else may leave the subject out.
fn is_first_person(text: &str, [start, end]: [usize; 2]) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let parts = |c: &char| matches!(c, '.' | '!' | '?' | '\n');
    let from = chars[..start].iter().rposition(parts).map_or(0, |at| at + 1);
    let to = chars[end..].iter().position(parts).map_or(chars.len(), |at| end + at);
    let sentence: String = chars[from..to].iter().collect();
    sentence.split(|c: char| !c.is_alphanumeric()).any(|word| {
        let word = if word == "I" { word.to_owned() } else { word.to_lowercase() };
        matches!(word.as_str(), "I" | "ich" | "mich" | "mir" | "me")
    })
}

#[cfg(test)]
#[path = "social_profile_tests.rs"]
mod tests;
