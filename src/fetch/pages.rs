//! Which document is of which page of a company: a later no of that page must find what was taken from it.
//!
//! Invariant: of an address there is a keyed hash only; what is not known to be of another page counts as of this one.

use rusqlite::{OptionalExtension, params};
use url::Url;

use super::config::Network;
use super::fetcher::Fetcher;
use super::memory::Memory;
use crate::model::DocumentId;

/// Where it is kept.
pub(super) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS page (document TEXT PRIMARY KEY, tag TEXT NOT NULL, night TEXT NOT NULL) WITHOUT ROWID;
    DELETE FROM page WHERE night NOT IN (SELECT DISTINCT night FROM page ORDER BY night DESC LIMIT 366);
";

impl Memory {
    fn keep_page(&self, url: &str, document: &str) {
        let sql = "INSERT OR REPLACE INTO page (document, tag, night) VALUES (?1, ?2, ?3)";
        self.db(|db| db.prepare_cached(sql)?.execute(params![document, self.tag_of(url), self.night]));
    }

    fn page(&self, document: &str) -> Option<String> {
        let sql = "SELECT tag FROM page WHERE document = ?1";
        self.db(|db| db.prepare_cached(sql)?.query_row([document], |row| row.get(0)).optional()).flatten()
    }
}

impl Fetcher {
    /// Keeps of which page a document is; for pages of companies, since those of a person are known by the person.
    pub fn note_page(&self, url: &Url, document: &DocumentId) {
        if let Some(memory) = &self.memory {
            memory.keep_page(url.as_str(), document.as_str());
        }
    }

    /// Whether a document is of one of these pages, or may be.
    #[must_use]
    pub fn is_of_page(&self, document: &DocumentId, pages: &[Url]) -> bool {
        let known = self.memory.as_ref().and_then(|memory| Some((memory, memory.page(document.as_str())?)));
        known.is_none_or(|(memory, tag)| pages.iter().any(|page| memory.tag_of(page.as_str()) == tag))
    }

    /// Whether a recording answers, which tells nothing of the web as it is now.
    #[must_use]
    pub const fn is_replay(&self) -> bool {
        matches!(self.config.network, Network::Replay(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_known_by_keyed_hashes_and_for_a_year_of_nights() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("fetch.sqlite");
        let open = |night: &str| {
            Memory::open(&path, "run", night, Box::new(|url| format!("tag {}", url.len()))).expect("a memory")
        };
        let url = "https://a.example/ada-lovelace";
        open("0000").keep_page(url, "doc_0");
        for night in 1..=366 {
            open(&format!("{night:04}")).keep_page(url, &format!("doc_{night}"));
        }
        let memory = open("0367");
        assert_eq!((memory.page("doc_0"), memory.page("doc_1")), (None, Some("tag 30".to_owned())));
        memory.keep_page("https://a.example/", "doc_1");
        assert_eq!(memory.page("doc_1"), Some("tag 18".to_owned()), "the last word counts");
        drop(memory);
        for file in std::fs::read_dir(dir.path()).expect("a folder") {
            let bytes = std::fs::read(file.expect("a file").path()).expect("readable");
            assert!(memchr::memmem::find(&bytes, b"lovelace").is_none());
        }
    }
}
