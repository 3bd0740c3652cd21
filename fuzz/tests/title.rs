//! Any bytes as a job title.

use bolero::check;
use prosopon::extract::title::{TitleReader, title_lines};

#[test]
fn title() {
    check!().for_each(|bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let reader = TitleReader::shipped();
        let reading = reader.read(&text);
        let length = text.chars().count();
        for e in &reading.evidence {
            assert!(e.span.0 < e.span.1 && e.span.1 <= length);
        }
        for p in [reading.job_function.p, reading.seniority.p].into_iter().flatten() {
            assert!(p > 0.0 && p < 1.0);
        }
        assert!(reader.quote(&text).chars().count() <= 120);
        let mut out = Vec::new();
        let lines = title_lines(bytes, &mut out).expect("memory does not fail");
        let json = out.split(|b| *b == b'\n').filter(|l| !l.is_empty());
        let read = json.map(|l| serde_json::from_slice::<serde_json::Value>(l).expect("JSON")).count();
        assert_eq!(u64::try_from(read).expect("a count"), lines);
    });
}
