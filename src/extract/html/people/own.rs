//! Which company's page this is, so that the people of others can be told from its own.
//!
//! Invariant: a company counts as the page's own only by a word that names it, not by one that says what it does.

use rustc_hash::FxHashSet;

use super::super::blocks::Line;
use super::super::dom::Page;
use super::super::imprint;
use super::super::lexicon::LEXICON;
use super::super::meta::Meta;
use super::super::reading::Organization;

/// What the page's own company is called.
#[derive(Default)]
pub(in super::super) struct Own {
    words: FxHashSet<String>,
    /// The host, without dots and hyphens.
    host: String,
}

impl Own {
    /// Takes the names from structured data, from `<meta>`, from a notice of copyright and from the address.
    pub fn new(page: &Page, lines: &[Line<'_>], meta: &Meta, organization: &Organization) -> Self {
        let mut own = Self::default();
        let host = page.url.host_str().unwrap_or_default();
        own.host = host.chars().filter(|c| c.is_alphanumeric()).collect();
        let site = meta.opengraph.get("og:site_name").and_then(serde_json::Value::as_str);
        let title = meta.title.as_deref().unwrap_or_default();
        // The company stands at the end of a title, or at its beginning; elsewhere there may be a customer's.
        let pieces = [title.rsplit(['|', '–', '—', '·']).next(), title.split(['|', '–', '—', '·']).next()];
        let titled = pieces.into_iter().flatten().filter(|t| imprint::legal_form(t.trim()).is_some());
        let signed = lines.iter().rev().take(40).filter(|l| l.text.len() < 200 && l.text.contains('©'));
        // Whoever made the page signs behind a dash.
        let marks = ['|', '·', '•', '–', '—'];
        let signed = signed.filter_map(|l| imprint::company_in(l.text.split(marks).find(|part| part.contains('©'))?));
        for name in organization.name.iter().map(String::as_str).chain(site).chain(titled) {
            own.words.extend(words(name));
        }
        for name in signed {
            own.words.extend(words(&name));
        }
        own
    }

    /// Whether a company named in a text is the page's own.
    pub fn is(&self, company: &str) -> bool {
        words(company).any(|w| self.words.contains(&w) || (w.len() >= 4 && self.host.contains(w.as_str())))
    }

    /// How many letters of a company's name stand in the page's address.
    pub fn closeness(&self, company: &str) -> usize {
        let end = imprint::form_start(company).unwrap_or(company.len());
        let words = company[..end].split(|c: char| !c.is_alphanumeric()).filter(|w| w.chars().count() >= 3);
        words.map(str::to_lowercase).filter(|w| self.host.contains(w.as_str())).map(|w| w.len()).sum()
    }

    /// A text without the page's own company at its end: `Prokurist der Muster GmbH`.
    pub fn without<'t>(&self, text: &'t str) -> Option<&'t str> {
        if text.len() > 240 || imprint::legal_form(text).is_none() {
            return None;
        }
        let marks =
            [" bei der ", " von der ", " der ", " des ", " bei ", " von ", " at ", " of ", ", ", " – ", " | ", " - "];
        let cut = marks.iter().filter_map(|m| text.rfind(m)).filter(|at| self.is(&text[*at..])).max()?;
        let before = &text[..cut];
        Some([" bei", " von", " of", " at"].iter().find_map(|w| before.strip_suffix(w)).unwrap_or(before))
    }

    /// Takes in another name.
    pub fn add(&mut self, name: &str) {
        self.words.extend(words(name));
    }
}

/// Whether no word of a company's name is anybody's: all say what it does.
pub(in super::super) fn has_no_name(company: &str) -> bool {
    words(company).next().is_none()
}

/// The words of a company's name that are nobody else's.
fn words(name: &str) -> impl Iterator<Item = String> + use<'_> {
    let end = imprint::form_start(name).unwrap_or(name.len());
    let words = name[..end].split(|c: char| !c.is_alphanumeric()).filter(|w| w.chars().count() >= 3);
    words.map(str::to_lowercase).filter(|w| {
        !LEXICON.not_names.contains(w)
            && !LEXICON.job_words.contains(w)
            && !LEXICON.is_department_word(w)
            && !LEXICON.stop_words_de.contains(w)
    })
}
