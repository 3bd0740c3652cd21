//! Any bytes as a note, bio or post about given contacts.

use bolero::check;
use prosopon::extract::text::{TextContact, TextKind, TextRecord, read_text};

#[test]
fn text() {
    check!().for_each(|bytes: &[u8]| {
        let (kind, about) = match bytes.first().copied().unwrap_or(0) % 3 {
            0 => (TextKind::Note, None),
            1 => (TextKind::Bio, Some("a".to_owned())),
            _ => (TextKind::Post, Some("a".to_owned())),
        };
        let contact = |id: &str, name: &str| TextContact { id: id.to_owned(), name: name.to_owned(), title: None };
        let record = TextRecord {
            id: "1".to_owned(),
            kind,
            lang: None,
            text: String::from_utf8_lossy(bytes.get(1..).unwrap_or_default()).into_owned(),
            contacts: vec![contact("a", "Toni Keller"), contact("b", "Anna Brandt")].into(),
            about,
            company: None,
        };
        let chars: Vec<char> = record.text.chars().collect();
        for s in read_text(&record).signals {
            assert!(s.subject == "a" || s.subject == "b");
            assert!(s.p > 0.0 && s.p < 1.0);
            let slice: String = chars[s.span[0]..s.span[1]].iter().collect();
            assert_eq!(slice, s.quote);
        }
    });
}
