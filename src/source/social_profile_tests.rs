//! Accounts that are read, that are not, and what their posts say.

use super::*;
use crate::ids::{DEMO_KEY, Ids};
use crate::model::{self, Personal, Subject};
use crate::taxonomy::Language;

fn subject(handle: &str) -> Subject {
    Subject {
        id: Ids::new(DEMO_KEY).subject("crm", "1"),
        crm_record: "1".to_owned(),
        account: None,
        given_name: Personal::new("Anna".to_owned()),
        family_name: Personal::new("Brandt".to_owned()),
        emails: Vec::new(),
        job_title: None,
        handles: vec![(id::SOCIAL_PROFILE.to_owned(), Personal::new(handle.to_owned()))],
        language: None,
        country: None,
        updated_at: None,
        collected_at: jiff::Timestamp::UNIX_EPOCH,
    }
}

fn base() -> Url {
    Url::parse("https://social.example").expect("an address")
}

fn read_with(bytes: &[u8], profiling: bool, read: impl Fn(&Body<'_>, &Url, &Context<'_>) -> Reading) -> Reading {
    read_as("abrandt", bytes, profiling, read)
}

fn read_as(
    handle: &str,
    bytes: &[u8],
    profiling: bool,
    read: impl Fn(&Body<'_>, &Url, &Context<'_>) -> Reading,
) -> Reading {
    let (subject, url) = (subject(handle), base());
    let id = Some(Ids::new(DEMO_KEY).account("crm", "A-1"));
    let account = model::Account {
        id,
        name: "Muster Maschinen GmbH".to_owned(),
        domain: Some("muster-maschinen.example".to_owned()),
        ..model::Account::default()
    };
    let contacts = [Permitted { subject: &subject, profiling }];
    let languages = [Language::German, Language::English];
    let as_of = "2026-03-02T03:00:00Z".parse().expect("an instant");
    let context = Context { account: &account, contacts: &contacts, members: &[], languages: &languages, as_of };
    read(&Body { url: &url, content_type: Some("application/json"), bytes }, &url, &context)
}

#[test]
fn a_handle_leads_to_its_own_server_alone() {
    for (handle, url) in [
        ("abrandt", Some("https://social.example/api/v1/accounts/lookup?acct=abrandt")),
        ("abrandt@Social.example", Some("https://social.example/api/v1/accounts/lookup?acct=abrandt")),
        ("a&b=c", Some("https://social.example/api/v1/accounts/lookup?acct=a%26b%3Dc")),
        ("abrandt@elsewhere.example", None),
        ("", None),
        ("@social.example", None),
    ] {
        assert_eq!(lookup_url(&base(), handle).as_ref().map(Url::as_str), url, "{handle}");
    }
    assert_eq!(posts_url(&base(), "../../admin"), None);
    assert_eq!(posts_url(&base(), ""), None);
}

#[test]
fn only_who_wants_to_be_found_and_is_the_contact_is_read() {
    let account = |more: &str| {
        format!(
            "{{\"id\": \"17\", \"acct\": \"abrandt\", \"display_name\": \"Anna Brandt\", \"discoverable\": true{more}}}"
        )
    };
    let posts = "https://social.example/api/v1/accounts/17/statuses?limit=40&exclude_replies=true&exclude_reblogs=true";
    let site =
        ", \"fields\": [{\"name\": \"Web\", \"value\": \"<a href=\\\"https://muster-maschinen.example/\\\">x</a>\"}]";
    for (json, outcome) in [
        (account(site), posts),
        (
            account(", \"discoverable\": false").replace("true", "false").replacen(", \"discoverable\": false", "", 1),
            "not_discoverable",
        ),
        (account("").replace("true", "null"), "not_discoverable"),
        (account(", \"noindex\": true"), "noindex"),
        (account(", \"note\": \"<p>Kaffee. <a href='/tags/nobot'>#<span>NoBot</span></a></p>\""), "noindex"),
        (account(", \"suspended\": true"), "account_closed"),
        (account(", \"moved\": {\"id\": \"18\"}"), "account_closed"),
        (account(", \"bot\": true"), "stranger"),
        (account("").replace("Anna Brandt", "Xaver Zwickelhuber"), "stranger"),
        ("{}".to_owned(), "no_account"),
        ("[".repeat(100_000), "no_account"),
        (account(site).replace("\"17\"", "\"../1\""), ""),
        (account(site).replace("abrandt", "somebody"), "stranger"),
    ] {
        let reading = read_with(json.as_bytes(), true, read_account);
        let stranger = (reading.strangers > 0).then(|| "stranger".to_owned());
        let to = reading.follow_ups.first().map(|f| f.url.clone());
        let is = reading.opted_out.or(reading.unreadable).or(stranger).or(to).unwrap_or_default();
        assert_eq!(is, outcome, "{}", &json[..json.len().min(300)]);
        assert!(reading.found.is_empty());
    }
    assert_eq!(read_with(account(site).as_bytes(), false, read_account), Reading::default(), "without leave");
}

#[test]
fn a_handle_ties_only_where_the_crm_says_of_which_server_it_is() {
    let account = b"{\"id\": \"17\", \"acct\": \"abrandt\", \"display_name\": \"Anna Brandt\", \"discoverable\": true}";
    let bare = read_as("abrandt", account, true, read_account);
    assert!(bare.follow_ups.is_empty() && bare.uncertain.len() == 1, "{bare:?}");
    let whole = read_as("abrandt@Social.Example", account, true, read_account);
    assert!(whole.follow_ups.len() == 1 && whole.uncertain.is_empty(), "{whole:?}");
    let elsewhere = read_as("abrandt@elsewhere.example", account, true, read_account);
    assert!(elsewhere.follow_ups.is_empty() && elsewhere.strangers == 1, "{elsewhere:?}");
}

fn post(content: &str, more: &str) -> String {
    format!(
        "[{{\"id\": \"5\", \"created_at\": \"2026-02-01T08:00:00.000Z\", \"visibility\": \"public\", \
         \"content\": \"{content}\", \"account\": {{\"acct\": \"abrandt\"}}{more}}}]"
    )
}

fn said(reading: &Reading) -> Vec<String> {
    reading.found.iter().map(|f| format!("{}: {}", f.claim.facet(), f.quote)).collect()
}

#[test]
fn own_words_in_the_first_person_count_and_nothing_else() {
    let keen = "<p>Ich bin sehr technikaffin.</p>";
    let reading = read_with(post(keen, "").as_bytes(), true, read_posts);
    assert_eq!(said(&reading), ["trait.tech_affinity: Ich bin sehr technikaffin"]);
    assert_eq!(reading.found[0].locator, "post[0][0..25]");
    assert_eq!(reading.found[0].said_at.map(|at| at.to_string()).as_deref(), Some("2026-02-01T08:00:00Z"));
    for (json, why) in [
        (post(keen, "").replace("\"public\"", "\"unlisted\""), "not for everybody"),
        (post(keen, "").replace("\"public\"", "\"private\""), "not for everybody"),
        (post(keen, ", \"reblog\": {\"id\": \"4\"}"), "somebody else's"),
        (post(keen, ", \"in_reply_to_id\": \"4\""), "an answer"),
        (post(keen, ", \"sensitive\": true"), "under a warning"),
        (post(keen, ", \"spoiler_text\": \"Politik\""), "under a warning"),
        (post(keen, "").replace("abrandt", "other"), "another account"),
        (post("<p>Sehr technikaffin.</p>", ""), "nobody"),
        (post("<Blockquote>Ich bin sehr technikaffin.</blockquote><p>Genau.</p>", ""), "a quotation"),
        (post("<p>&gt; Ich bin sehr technikaffin.<br>Genau.</p>", ""), "a quotation"),
        (post(keen, "").replace("2026-02-01", "2026-03-04"), "the future"),
        (post("<p>Meine Kollegin ist sehr technikaffin.</p>", ""), "somebody else"),
        (post("<p>Wenn ich technikaffin bin, wer dann nicht?</p>", ""), "a question"),
        (post("<p>Bin ich technikaffin?</p>", ""), "a question"),
    ] {
        let reading = read_with(json.as_bytes(), true, read_posts);
        assert_eq!(said(&reading), Vec::<String>::new(), "{why}: {json}");
    }
    assert_eq!(read_with(post(keen, "").as_bytes(), false, read_posts), Reading::default(), "without leave");
    for odd in ["{}", "", "[{}]", "[[[["] {
        assert_eq!(read_with(odd.as_bytes(), true, read_posts).unreadable.as_deref(), Some("no_posts"), "{odd}");
    }
}

#[test]
fn a_post_of_which_something_is_withheld_says_nothing() {
    let text = "<p>Ich bin schwanger. Ich bin sehr technikaffin.</p>";
    let reading = read_with(post(text, "").as_bytes(), true, read_posts);
    assert!(reading.withheld > 0 && reading.found.is_empty());
}

#[test]
fn no_more_posts_are_read_than_were_asked_for_and_each_says_where_it_stood() {
    let one = post("<p>Ich bin sehr technikaffin.</p>", "");
    let one = &one[1..one.len() - 1];
    let future = one.replace("2026-02-01", "2099-01-01");
    let other = one.replace("abrandt", "other");
    let all = format!("[{future},{other},{}]", vec![one; 60].join(","));
    let reading = read_with(all.as_bytes(), true, read_posts);
    // The one of somebody else is one of those that were asked for; the one of the future is a mistake.
    assert_eq!(reading.found.len(), 39);
    let places: Vec<&str> = reading.found.iter().map(|f| f.locator.as_str()).collect();
    assert_eq!((places[0], places[38]), ("post[2][0..25]", "post[40][0..25]"));
    let then = reading.same_until.expect("from then on the one of the future is none");
    assert!(then.to_string().starts_with("2098-12-31T"), "{then}");
}
