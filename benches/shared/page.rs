//! The page that two benchmarks read, and the least that a reader of pages does with one.
//!
//! Invariant: nobody on the page exists.

use std::fmt::Write as _;

/// A page of 16 KB as companies have them: head, JSON-LD, navigation, people, paragraphs.
pub fn page() -> String {
    let mut page = String::from(
        r#"<!doctype html><html lang="de"><head><meta charset="utf-8"><title>Werk Muster GmbH - Team</title>
<meta name="description" content="Sondermaschinen seit 1962"><link rel="canonical" href="/team">
<script type="application/ld+json">{"@context":"https://schema.org","@type":"Organization","name":"Werk Muster GmbH",
"address":{"@type":"PostalAddress","addressLocality":"Musterstadt","addressCountry":"DE"}}</script></head><body><nav><ul>
"#,
    );
    for n in 0..20 {
        let _ = writeln!(page, "<li><a href=\"/bereich/{n}\" class=\"nav-link\">Bereich {n}</a></li>");
    }
    page += "</ul></nav><main><h1>Unser Team</h1>\n";
    for n in 0..12 {
        let _ = writeln!(
            page,
            "<div class=\"card\"><h3>Erika Beispiel{n}</h3><p class=\"role\">Leiterin Einkauf {n}</p><p><a \
             href=\"mailto:e{n}@werk.example\">E-Mail</a></p></div>"
        );
    }
    while page.len() < 16 * 1024 - 120 {
        page += "<p>Unsere Ansprechpartner beraten Sie gern zu Fördertechnik und <b>Anlagenbau</b>.</p>\n";
    }
    page += "</main></body></html>\n";
    page
}

/// One pass over the elements, as the least that a reader of pages does: title, meta, links, and their text.
pub fn bare_pass(body: &[u8]) -> usize {
    let seen = std::cell::Cell::new(0_usize);
    let count = |n: usize| seen.set(seen.get() + n);
    let settings = lol_html::Settings::new()
        .append_element_content_handler(lol_html::element!(
            "a[href], meta[content], script[type], link[href]",
            |element| {
                count(element.attributes().len());
                Ok(())
            }
        ))
        .append_element_content_handler(lol_html::text!("*", |chunk| {
            count(chunk.as_str().len());
            Ok(())
        }));
    let mut rewriter = lol_html::HtmlRewriter::new(settings, |_: &[u8]| ());
    rewriter.write(body).expect("HTML");
    rewriter.end().expect("HTML");
    seen.get()
}
