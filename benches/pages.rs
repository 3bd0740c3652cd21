//! The page reader alone: CPU time a page for invented pages of every kind that companies have, beside one bare pass of
//! `lol_html` over the same page. `cargo bench --profile release --bench pages`; `only NAME` measures one page for long,
//! for a profiler; `dump FOLDER` prints what is read of every file below it, a line a file, to compare two readers.
//!
//! Invariant: the pages are made here, nobody on them exists.

#[path = "shared/page.rs"]
mod page;

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use prosopon::extract::html::{PageReading, read_page};
use url::Url;

use page::{bare_pass, page};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Readings between two looks at the clock.
const BATCH: usize = 10;
const BATCHES: usize = 60;

const NAMES: [&str; 8] = [
    "Erika Beispiel",
    "Dr. Jonas Musterfeld",
    "Petra Probst",
    "Uwe Vorlage",
    "Mara van der Probe",
    "Hans-Peter Muster",
    "Anna Attrappe",
    "Sarah J. Sample",
];
const JOBS: [&str; 6] = [
    "Leiterin Einkauf",
    "Vertriebsinnendienst",
    "Head of Procurement",
    "Geschäftsführer",
    "Assistenz der Geschäftsführung",
    "Teamleitung Logistik & Versand",
];
const PROSE: [&str; 5] = [
    "Unsere Ansprechpartner beraten Sie gern zu Fördertechnik und <b>Anlagenbau</b>.",
    "Seit 1962 bauen wir in Musterstadt Maschinen, die rund um die Uhr laufen, und liefern sie in 34 Länder.",
    "Die neue <a href=\"/produkte/baureihe-7\">Baureihe 7</a> spart bis zu 30 % Energie – gemessen im Betrieb, nicht im Labor.",
    "We design, build and maintain conveyor systems; our engineers &amp; fitters stay with you for decades.",
    "Auf der Messe zeigten wir, wie sich <em>alte Anlagen</em> mit wenigen Handgriffen nachrüsten lassen, ohne Stillstand.",
];

fn head(title: &str) -> String {
    format!(
        r#"<!doctype html><html lang="de"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="description" content="Sondermaschinen seit 1962">
<meta property="og:title" content="{title}"><meta property="og:image" content="/bild.jpg"><meta name="robots" content="index, follow">
<link rel="canonical" href="/seite"><link rel="stylesheet" href="/a.css"><link rel="icon" href="/favicon.ico">
<script type="application/ld+json">{{"@context":"https://schema.org","@type":"Organization","name":"Werk Muster GmbH",
"address":{{"@type":"PostalAddress","addressLocality":"Musterstadt","addressCountry":"DE"}}}}</script></head><body>
"#
    )
}

fn cards() -> String {
    let mut page = head("Ansprechpartner") + "<main><h1>Ihre Ansprechpartner</h1>";
    for n in 0..48 {
        if n % 12 == 0 {
            let _ = writeln!(page, "<h2>{}</h2>", ["Vertrieb", "Einkauf", "Technik", "Personal"][n / 12]);
        }
        let _ = writeln!(
            page,
            "<div class=\"col-md-4 team-member\" data-id=\"{n}\"><figure><img src=\"/img/{n}.jpg\" alt=\"Portrait\" \
             loading=\"lazy\"></figure><div class=\"body\"><h3 class=\"name\"><span>{}</span></h3><div class=\"job\">{}</div>\
             <ul><li>Tel. +49 30 23125 {n:03}</li><li><a href=\"mailto:p{n}@werk.example\">E-Mail schreiben</a></li></ul></div></div>",
            NAMES[n % NAMES.len()],
            JOBS[n % JOBS.len()]
        );
    }
    page + "</main>"
}

fn article() -> String {
    let mut page = head("Wie alte Anlagen jung bleiben") + "<article><h1>Wie alte Anlagen jung bleiben</h1>";
    for n in 0..90 {
        if n % 9 == 0 {
            let _ = write!(page, "<h2>Abschnitt {}</h2>", n / 9);
        }
        let _ =
            writeln!(page, "<p class=\"text\">{} {} {}</p>", PROSE[n % 5], PROSE[(n + 2) % 5], PROSE[(n * 3 + 1) % 5]);
    }
    page + "</article>"
}

fn link_list() -> String {
    let mut page = head("Übersicht") + "<div id=\"sitemap\">";
    for n in 0..600 {
        let _ = writeln!(
            page,
            "<li class=\"item item-{n}\"><a class=\"link\" href=\"/de/produkte/gruppe-{}/artikel-{n}.html\">Artikel {n} mit Zubehör</a></li>",
            n % 17
        );
    }
    page + "</div>"
}

fn table() -> String {
    let mut page = head("Telefonliste")
        + "<table class=\"people\"><thead><tr><th>Name<th>Funktion<th>Telefon<th>E-Mail</thead><tbody>";
    for n in 0..200 {
        let _ = writeln!(
            page,
            "<tr><td>{}</td><td>{}</td><td>+49 30 23125 {n:03}</td><td><a href=\"mailto:p{n}@werk.example\">p{n}@werk.example</a></td></tr>",
            NAMES[n % NAMES.len()],
            JOBS[(n / 3) % JOBS.len()]
        );
    }
    page + "</tbody></table>"
}

fn imprint() -> String {
    let mut page = head("Impressum")
        + "<h1>Impressum</h1><p>Angaben gemäß § 5 DDG</p><p>Werk Muster GmbH &amp; Co. KG<br>Musterstraße 12<br>12345 Musterstadt</p>\
<p>Vertreten durch die persönlich haftende Gesellschafterin Muster Verwaltungs GmbH, Amtsgericht Musterstadt HRB 4711</p>\
<p>Geschäftsführer: Erika Beispiel, Dr. Jonas Musterfeld</p><p>Telefon: +49 30 23125 0<br>E-Mail: <a href=\"mailto:info@werk.example\">info@werk.example</a></p>\
<p>Registergericht: Amtsgericht Musterstadt<br>Registernummer: HRA 815</p><p>USt-IdNr.: DE 123 456 789</p>";
    for n in 0..40 {
        let _ = writeln!(page, "<h3>{n}. Haftung</h3><p>{} Stand {}.</p>", PROSE[n % 5], 2000 + n);
    }
    page
}

fn microformats() -> String {
    let mut page = head("Neues") + "<main class=\"h-feed\"><h1 class=\"p-name\">Neues</h1>";
    for n in 0..40 {
        let _ = writeln!(
            page,
            "<article class=\"h-entry\"><h2 class=\"p-name\"><a class=\"u-url\" href=\"/neues/{n}\">Meldung {n}</a></h2><time \
             class=\"dt-published\" datetime=\"2026-03-{:02}\">März</time><a class=\"p-author h-card\" href=\"/team/{n}\">{}</a><div \
             class=\"e-content\"><p>{}</p></div></article>",
            n % 28 + 1,
            NAMES[n % NAMES.len()],
            PROSE[n % 5]
        );
    }
    page + "</main>"
}

fn structured() -> String {
    let mut page = head("Team") + "<main>";
    for n in 0..25 {
        let (name, job) = (NAMES[n % NAMES.len()], JOBS[n % JOBS.len()]);
        let _ = writeln!(
            page,
            "<div itemscope itemtype=\"https://schema.org/Person\"><b itemprop=\"name\">{name}</b> <i itemprop=\"jobTitle\">{job}</i>\
             <a itemprop=\"url\" href=\"/t/{n}\">Profil</a></div><div vocab=\"https://schema.org/\" typeof=\"Person\"><span \
             property=\"name\">{name}</span>, <span property=\"jobTitle\">{job}</span></div>"
        );
    }
    page + "</main>"
}

fn scripts() -> String {
    let mut page = head("Werk Muster GmbH");
    for n in 0..6 {
        page += "<style>";
        for k in 0..120 {
            let _ = writeln!(page, ".c{n}-{k} > .x:hover {{ color: #{k:06x}; margin: 0 {k}px }}");
        }
        page += "</style><script>";
        for k in 0..90 {
            let _ = writeln!(page, "if (a{k} < {n} && b) {{ window.dataLayer.push({{'e': \"<b>x{k}</b>\"}}); }}");
        }
        let _ = writeln!(page, "</script><section><h2>Bereich {n}</h2><p>{}</p></section>", PROSE[n % 5]);
    }
    page
}

/// As site builders write them: deep, many classes, icons, image sets.
fn builder() -> String {
    let mut page = head("Werk Muster GmbH | Fördertechnik");
    page += "<header class=\"site-header\"><nav class=\"main-nav\" role=\"navigation\"><ul class=\"menu\">";
    for n in 0..40 {
        let _ = write!(
            page,
            "<li id=\"menu-item-{n}\" class=\"menu-item menu-item-type-post_type menu-item-{n}\"><a href=\"https://werk.example/s/{n}/\" \
             class=\"menu-link\"><span class=\"menu-text\">Menü {n}</span></a></li>"
        );
    }
    page += "</ul></nav></header>";
    for n in 0..30 {
        let _ = writeln!(
            page,
            "<section class=\"elementor-section elementor-top-section elementor-element elementor-element-{n:x}a\" data-id=\"{n:x}\" \
             data-element_type=\"section\" data-settings='{{\"background\":\"classic\",\"gap\":{n}}}'><div class=\"elementor-container \
             elementor-column-gap-default\"><div class=\"elementor-column elementor-col-50\"><div class=\"elementor-widget-wrap\"><img \
             width=\"768\" height=\"512\" src=\"/i/{n}-768.jpg\" srcset=\"/i/{n}-768.jpg 768w, /i/{n}-300.jpg 300w\" alt=\"\" /><svg \
             viewBox=\"0 0 24 24\"><path d=\"M12 2C6.48 2 2 6.48 2 12s4.48 10 10 10 10-4.48 10-10S17.52 2 12 2z\"></path></svg><h2 \
             class=\"elementor-heading-title\">Leistung {n}</h2><div class=\"elementor-text-editor\"><p>{}</p></div><a \
             class=\"elementor-button\" href=\"/leistung/{n}/\" role=\"button\"><span class=\"elementor-button-text\">Mehr \
             erfahren</span></a></div></div></div></section>",
            PROSE[n % 5]
        );
    }
    page + "<footer><p>© Werk Muster GmbH, Musterstraße 12, 12345 Musterstadt</p></footer>"
}

fn pages() -> Vec<(&'static str, String)> {
    vec![
        ("team", page()),
        ("cards", cards()),
        ("article", article()),
        ("links", link_list()),
        ("table", table()),
        ("imprint", imprint()),
        ("microformats", microformats()),
        ("structured", structured()),
        ("scripts", scripts()),
        ("builder", builder()),
    ]
}

/// CPU time of this process.
fn cpu() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}

/// The time of one call of each, in microseconds, in turns: the least of the batches, since other work only adds.
fn least(works: [&dyn Fn(); 2]) -> [f64; 2] {
    let mut least = [f64::INFINITY; 2];
    for _ in 0..BATCHES {
        for (work, least) in works.iter().zip(&mut least) {
            let begin = cpu();
            (0..BATCH).for_each(|_| work());
            *least = least.min(cpu().saturating_sub(begin).as_secs_f64() * 1e6 / BATCH as f64);
        }
    }
    least
}

fn read(body: &[u8], url: &Url) -> PageReading {
    read_page(black_box(body), Some("text/html; charset=utf-8"), url)
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() { files_below(&path, found) } else { found.push(path) }
    }
}

/// The address of a file's page, by its name, so that some are imprints.
fn dump(folder: &Path) {
    let mut files = Vec::new();
    files_below(folder, &mut files);
    files.sort();
    for path in files {
        let name = path.strip_prefix(folder).expect("below it").display().to_string();
        let url = Url::parse("https://www.werk.example/").and_then(|u| u.join(&name)).expect("an address");
        let reading = read_page(&std::fs::read(&path).expect("readable"), None, &url);
        let links = format!("{:?}", reading.links);
        println!("{name}\t{}\t{links}", serde_json::to_string(&reading).expect("serialises"));
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let after = |word: &str| args.iter().position(|a| a == word).and_then(|at| args.get(at + 1));
    if let Some(folder) = after("dump") {
        return dump(Path::new(folder));
    }
    if let Some(folder) = after("write") {
        for (name, page) in pages() {
            std::fs::write(Path::new(folder).join(name), page).expect("writable");
        }
        return;
    }
    let url = Url::parse("https://werk.example/unternehmen/ansprechpartner").expect("valid");
    for (name, page) in pages() {
        let body = page.as_bytes();
        if let Some(only) = after("only") {
            if only == name {
                (0..20_000).for_each(|_| drop(black_box(read(body, &url))));
            }
            continue;
        }
        let [ours, bare] = least([&|| drop(black_box(read(body, &url))), &|| assert!(black_box(bare_pass(body)) > 0)]);
        let kb = body.len() as f64 / 1024.0;
        println!(
            "{name:12} {kb:6.1} KB  reader {ours:8.0} us  {:6.1} MB/s  lol_html {bare:7.0} us",
            kb / 1024.0 / ours * 1e6
        );
    }
}
