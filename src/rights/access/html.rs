//! The bundle as one page for people: self-contained, printable, light and dark.
//!
//! Invariant: no script, no external resource; every value is escaped; nothing is told by colour alone.

use std::fmt::Write;

use super::texts::Texts;
use super::words::{day, finding_line};
use super::{Bundle, ExplainedFacet, ExplainedPersona};
use crate::page::{self, escape};
use crate::taxonomy::{FacetStatus, Language};

const STYLE: &str = include_str!("page.css");

/// The groups of facets, in the order of the page.
const GROUPS: [&str; 10] =
    ["position", "roles", "traits", "motives", "goals", "habits", "channels", "context", "requirements", "empathy"];

/// The page, in every language of the bundle, one after the other.
#[must_use]
pub fn html(bundle: &Bundle) -> String {
    let first = bundle.languages.first().copied().unwrap_or(Language::English);
    let mut out = page::begin(&first.to_string(), Texts::of(first).word("title"), STYLE);
    if bundle.languages.len() > 1 {
        out.push_str("<nav class=\"languages\">");
        for l in &bundle.languages {
            let word = escape(Texts::of(*l).word("language_jump"));
            let _ = write!(out, "<a href=\"#{l}\" lang=\"{l}\">{word}</a> ");
        }
        out.push_str("</nav>\n");
    }
    for l in &bundle.languages {
        Page { bundle, t: Texts::of(*l), out: &mut out }.write();
    }
    out.push_str("</body>\n</html>\n");
    out
}

/// The page in one language.
pub(super) struct Page<'b> {
    pub(super) bundle: &'b Bundle,
    pub(super) t: &'static Texts,
    pub(super) out: &'b mut String,
}

impl Page<'_> {
    fn write(&mut self) {
        let (b, t) = (self.bundle, self.t);
        let l = t.language();
        let _ = writeln!(self.out, "<main lang=\"{l}\" id=\"{l}\">\n<header>\n<h1>{}</h1>", escape(t.word("title")));
        self.paragraph("lead", t.word("intro"));
        self.paragraph("meta", &t.fill("made", &[("at", &day(b.made_at, t))]));
        self.out.push_str("</header>\n");
        self.contents();
        self.section("you", Self::you);
        self.section("persona", Self::personas);
        self.section("profiling", Self::profiling);
        self.section("purposes", Self::purposes);
        self.section("sources", Self::sources);
        self.section("recipients", Self::recipients);
        self.section("keeping", Self::keeping);
        self.section("rights", Self::rights);
        self.section("history", Self::history);
        self.section("rectifications", Self::rectifications);
        if b.crm.is_some() {
            self.section("crm", Self::crm);
        }
        self.section("decisions", Self::decisions);
        self.section("records", Self::records);
        self.out.push_str("</main>\n");
    }

    fn contents(&mut self) {
        let l = self.t.language();
        let mut all = vec!["you", "persona", "profiling", "purposes", "sources", "recipients", "keeping", "rights"];
        all.extend(["history", "rectifications"]);
        all.extend(self.bundle.crm.as_ref().map(|_| "crm"));
        all.extend(["decisions", "records"]);
        let _ = writeln!(self.out, "<nav class=\"contents\" aria-label=\"{}\">\n<ol>", escape(self.t.word("contents")));
        for key in all {
            let _ = writeln!(self.out, "<li><a href=\"#{l}-{key}\">{}</a></li>", escape(self.t.word(key)));
        }
        self.out.push_str("</ol>\n</nav>\n");
    }

    fn section(&mut self, key: &str, content: fn(&mut Self)) {
        let l = self.t.language();
        let title = escape(self.t.word(key));
        let _ = writeln!(self.out, "<section aria-labelledby=\"{l}-{key}\">\n<h2 id=\"{l}-{key}\">{title}</h2>");
        content(self);
        self.out.push_str("</section>\n");
    }

    pub(super) fn paragraph(&mut self, class: &str, text: &str) {
        let _ = writeln!(self.out, "<p class=\"{class}\">{}</p>", escape(text));
    }

    pub(super) fn nothing(&mut self) {
        self.paragraph("none", self.t.word("nothing"));
    }

    /// A table with a header row; the first cell of a row names it.
    pub(super) fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        if rows.is_empty() {
            return self.nothing();
        }
        self.out.push_str("<div class=\"wide\"><table>\n<thead><tr>");
        for key in head {
            let _ = write!(self.out, "<th scope=\"col\">{}</th>", escape(self.t.word(key)));
        }
        self.out.push_str("</tr></thead>\n<tbody>\n");
        for row in rows {
            self.out.push_str("<tr>");
            for (i, cell) in row.iter().enumerate() {
                let (open, close) = if i == 0 { ("<th scope=\"row\">", "</th>") } else { ("<td>", "</td>") };
                let _ = write!(self.out, "{open}{}{close}", escape(cell));
            }
            self.out.push_str("</tr>\n");
        }
        self.out.push_str("</tbody>\n</table></div>\n");
    }

    /// Pairs of a label and a value.
    pub(super) fn pairs(&mut self, rows: &[(&str, String)]) {
        self.out.push_str("<table class=\"pairs\">\n<tbody>\n");
        for (key, value) in rows {
            let value = if value.is_empty() { self.t.word("not_stated") } else { value };
            let label = escape(self.t.word(key));
            let _ = writeln!(self.out, "<tr><th scope=\"row\">{label}</th><td>{}</td></tr>", escape(value));
        }
        self.out.push_str("</tbody>\n</table>\n");
    }

    fn you(&mut self) {
        let b = self.bundle;
        let text = |t: &Option<String>| t.clone().unwrap_or_default();
        self.pairs(&[
            ("subject_id", b.subject.subject_id.clone()),
            ("crm_record", b.subject.crm_records.join(", ")),
            ("company", b.subject.companies.join(", ")),
            ("controller", b.controller.name.clone()),
            ("address", text(&b.controller.address)),
            ("dpo", text(&b.controller.data_protection)),
        ]);
    }

    fn personas(&mut self) {
        let b = self.bundle;
        if b.restricted {
            self.paragraph("warn", self.t.word("restricted"));
        } else if b.personas.is_empty() {
            self.nothing();
        }
        for p in &b.personas {
            self.persona(p);
        }
    }

    fn persona(&mut self, p: &ExplainedPersona) {
        let t = self.t;
        let title = t.fill("persona_of", &[("pipeline", &p.pipeline), ("at", &day(p.as_of, t))]);
        let _ = writeln!(self.out, "<p class=\"meta\">{}</p>", escape(&title));
        if p.sealed {
            self.paragraph("warn", t.word(if p.facets.is_empty() { "sealed_without_logic" } else { "sealed" }));
        }
        self.pairs(&[("offering", p.offering.clone().unwrap_or_default()), ("tier", t.term(p.tier).to_owned())]);
        for group in GROUPS {
            let facets: Vec<&ExplainedFacet> = p.facets.iter().filter(|f| f.group == group).collect();
            if facets.is_empty() {
                continue;
            }
            let _ = writeln!(self.out, "<h3>{}</h3>", escape(t.word(&format!("group_{group}"))));
            // Values first; what is empty stands together, said once where it is the same for all.
            let (told, empty): (Vec<_>, Vec<_>) = facets.into_iter().partition(|f| is_told(f));
            for f in told {
                self.facet(f);
            }
            self.empty(&empty);
        }
    }

    fn facet(&mut self, f: &ExplainedFacet) {
        let t = self.t;
        let Some(plain) = f.plain.get(&t.language()) else { return };
        self.out.push_str("<article class=\"facet\">\n");
        let _ = writeln!(
            self.out,
            "<h4>{}</h4>\n<p class=\"value\"><strong>{}</strong>{}</p>",
            escape(&plain.name),
            escape(&plain.value),
            if plain.likely.is_empty() {
                String::new()
            } else {
                format!(" <span class=\"likely\">{}</span>", escape(&plain.likely))
            }
        );
        if let Some(p) = f.probability {
            // Decoration of what the words beside it say.
            let _ = writeln!(
                self.out,
                "<div class=\"bar\" aria-hidden=\"true\"><span style=\"width:{:.0}%\"></span></div>",
                p * 100.0
            );
        }
        self.sentences(&plain.why, f);
        if !f.exact {
            self.paragraph("warn", t.word("inexact"));
        }
        self.out.push_str("</article>\n");
    }

    /// The explanation, open so that it is printed, to be folded by who reads; what speaks for something else stands below it.
    fn sentences(&mut self, why: &[String], f: &ExplainedFacet) {
        if why.is_empty() {
            return;
        }
        let _ = writeln!(self.out, "<details open>\n<summary>{}</summary>\n<ol>", escape(self.t.word("why")));
        for s in why {
            let _ = writeln!(self.out, "<li>{}</li>", escape(s));
        }
        self.out.push_str("</ol>\n");
        if !f.against.is_empty() {
            self.against(f);
        }
        self.out.push_str("</details>\n");
    }

    fn against(&mut self, f: &ExplainedFacet) {
        let t = self.t;
        let _ = writeln!(self.out, "<p><strong>{}</strong></p>\n<ul>", escape(t.word("against")));
        for a in &f.against {
            let _ = writeln!(self.out, "<li>{}</li>", escape(&finding_line(&f.facet, a, t)));
        }
        self.out.push_str("</ul>\n");
    }

    /// Facets without a value, by status and explanation.
    fn empty(&mut self, facets: &[&ExplainedFacet]) {
        let t = self.t;
        let mut groups: Vec<(Empty<'_>, Vec<&str>)> = Vec::new();
        for plain in facets.iter().filter_map(|f| f.plain.get(&t.language())) {
            let key = (plain.value.as_str(), plain.why.as_slice());
            match groups.iter_mut().find(|(k, _)| *k == key) {
                Some((_, names)) => names.push(&plain.name),
                None => groups.push((key, vec![&plain.name])),
            }
        }
        // Nothing here has an arithmetic (see `is_told`), so the sentences stand open.
        for ((status, why), names) in groups {
            let names = names.join(", ");
            let _ = writeln!(
                self.out,
                "<div class=\"empty\"><p><strong>{}</strong>: {}</p>",
                escape(&names),
                escape(status)
            );
            for sentence in why {
                self.paragraph("small", sentence);
            }
            self.out.push_str("</div>\n");
        }
    }
}

/// Status and explanation of facets without a value.
type Empty<'p> = (&'p str, &'p [String]);

/// What is worth an article of its own: a value, or an arithmetic.
fn is_told(f: &ExplainedFacet) -> bool {
    f.status == FacetStatus::Known || f.steps.len() > 1
}
