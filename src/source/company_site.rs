//! The company's own site: home page, team page, imprint, and what it publishes about itself (news, adverts of jobs).
//!
//! Invariant: a page that opts out, in tags or in plain words, gives nothing, and where it speaks for the site, no other
//! page of the site is used; facts about the company come from any page; a person on it counts only where identity says it is a
//! contact with leave, and a contact whom two people on the page could be is left uncertain.

use url::Url;

use crate::extract::html::{self, Organization, PageReading, PersonMention};
use crate::extract::reservation;
use crate::fetch::page_opt_outs;
use crate::identity::{Claimed, Verdict, judge};
use crate::model::{About, AccountId, Claim};
use crate::source::titles::{self, Stated};
use crate::source::{Body, Context, Found, KnownContact, PageKind, Reading, follow_ups, id, job_adverts, news};

/// The product token that a page may forbid by name.
pub(super) const AGENT: &str = "prosopon";
/// How far a site's own titles are believed.
pub(super) const TRUST: f64 = 1.0;
/// An imprint must be right by law.
const IMPRINT_WEIGHT: f64 = 0.95;

/// Where a site begins.
#[must_use]
pub fn home_url(scheme: &str, domain: &str) -> Option<Url> {
    Url::parse(&format!("{scheme}://{domain}/")).ok()
}

/// Reads one page of the site.
#[must_use]
pub fn read(kind: PageKind, body: &Body<'_>, context: &Context<'_>) -> Reading {
    if kind == PageKind::News {
        return news::read(body, context);
    }
    let page = html::read_page(body.bytes, body.content_type, body.url);
    if reservation::is_of_page(&page) {
        // What the first page or the imprint says of rights, it says of the site, whatever its robots tags say of itself.
        let whole_site = matches!(kind, PageKind::Home | PageKind::Imprint);
        return Reading { opted_out: Some(reservation::REASON.to_owned()), whole_site, ..Reading::default() };
    }
    let reserved = page.tdm.reservation.map(|r| r != 0);
    let until = match page_opt_outs(&page.meta_robots, reserved, AGENT, context.as_of) {
        Ok(until) => until,
        Err(reason) => return Reading { opted_out: Some(reason.to_string()), ..Reading::default() },
    };
    if kind == PageKind::Jobs {
        let reading = job_adverts::read(&page, context);
        return Reading { same_until: reading.same_until.into_iter().chain(until).min(), ..reading };
    }
    let mut reading = Reading { same_until: until, ..Reading::default() };
    if let Some(account) = &context.account.id {
        reading.found = company_facts(account, &page.organization, kind);
    }
    people(&page, body.url, context, &mut reading);
    if kind == PageKind::Home {
        reading.follow_ups = follow_ups::of_home(&page, body.url);
    }
    reading
}

fn company_facts(account: &AccountId, organization: &Organization, kind: PageKind) -> Vec<Found> {
    let fields = [
        ("legal_form", &organization.legal_form),
        ("register", &organization.register),
        ("vat_id", &organization.vat_id),
        ("city", &organization.city),
        ("employees", &organization.employees),
        ("founding_date", &organization.founding_date),
    ];
    let weight = if kind == PageKind::Imprint { IMPRINT_WEIGHT } else { IMPRINT_WEIGHT - 0.15 };
    let stated = fields.into_iter().filter_map(|(field, value)| Some((field, value.as_ref()?)));
    stated
        .map(|(field, value)| Found {
            about: About::Account(account.clone()),
            claim: Claim::Firmographic(field.to_owned(), value.clone()),
            weight,
            quote: value.clone(),
            locator: format!("organization.{field}"),
            extractor: html::EXTRACTOR.to_owned(),
            said_at: None,
        })
        .collect()
}

fn people(page: &PageReading, url: &Url, context: &Context<'_>, reading: &mut Reading) {
    let employer = page.organization.name.as_deref();
    for mention in &page.people {
        let claimed = Claimed {
            name: &mention.name,
            employer,
            host: url.host_str(),
            links: &mention.links,
            emails: &emails(mention),
            ..Claimed::default()
        };
        let mut same = Vec::new();
        let mut uncertain = Vec::new();
        for contact in context.contacts {
            let known = KnownContact::of(contact.subject, context.account, id::COMPANY_SITE);
            match judge(&known.known(), &claimed).verdict {
                Verdict::Same => same.push(contact.subject),
                Verdict::Uncertain => uncertain.push(contact.subject.id.clone()),
                Verdict::Different => {}
            }
        }
        match same.as_slice() {
            [subject] => {
                let about = About::Subject(subject.id.clone(), subject.account.clone());
                let Some(title) = mention.job_title.as_deref().or(mention.department.as_deref()) else { continue };
                let department = mention.department.as_deref();
                let stated = Stated { about: &about, title, department, locator: &mention.locator, trust: TRUST };
                let claims = titles::claims(&stated, context.languages);
                reading.found.extend(claims.found);
                reading.withheld += claims.withheld;
            }
            [] if uncertain.is_empty() => reading.strangers += 1,
            [] => reading.uncertain.append(&mut uncertain),
            // Two contacts could be this person: it counts for neither.
            several => reading.uncertain.extend(several.iter().map(|s| s.id.clone())),
        }
    }
    reading.uncertain.sort();
    reading.uncertain.dedup();
}

fn emails(mention: &PersonMention) -> Vec<String> {
    mention.links.iter().filter_map(|l| l.strip_prefix("mailto:")).map(str::to_lowercase).collect()
}
