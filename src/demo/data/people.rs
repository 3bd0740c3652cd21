//! Companies, their contacts, what these consented to and what was noted about them; drawn by chance.

use std::collections::BTreeSet;

use fastrand::Rng;

use super::world::{Names, Sentence, Title, WORLD};
use crate::taxonomy::{JobFunction, Language, Seniority};

/// A company with its contacts.
#[derive(Debug)]
pub(super) struct Company {
    pub id: String,
    pub name: String,
    pub domain: String,
    pub legal_form: &'static str,
    pub industry: &'static str,
    pub nace: &'static str,
    pub country: &'static str,
    pub city: &'static str,
    pub employees: u32,
    pub revenue_eur: u64,
    pub founded: u16,
    pub contacts: Vec<Contact>,
}

#[derive(Debug)]
pub(super) struct Contact {
    pub given: &'static str,
    pub family: String,
    pub email: String,
    /// `None` where the CRM has no title; the truth is known all the same.
    pub title: Option<&'static str>,
    pub language: Language,
    pub function: JobFunction,
    pub seniority: Seniority,
    pub standing: Standing,
    /// Days before the clock of the world.
    pub updated: i64,
    pub notes: Vec<Note>,
    /// What the notes truly say, `facet=value`.
    pub stated: BTreeSet<String>,
}

/// What a contact said of their data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Consent to enrichment and profiling.
    Full,
    /// Consent to enrichment only.
    Enrichment,
    /// Legitimate interest, and told of it.
    Told,
    /// Nothing is known.
    Nothing,
    /// A consent that was withdrawn.
    Withdrawn,
    /// A consent that has ended.
    Ended,
    /// Consent, and an opt-out in the contact's own row.
    OptedOut,
}

impl Standing {
    /// What the gate should answer: whether there is a persona, whether it has traits.
    pub const fn expected(self) -> (bool, bool) {
        match self {
            Self::Full => (true, true),
            Self::Enrichment | Self::Told => (true, false),
            Self::Nothing | Self::Withdrawn | Self::Ended | Self::OptedOut => (false, false),
        }
    }

    /// In hundredths.
    fn draw(rng: &mut Rng) -> Self {
        match rng.u8(0..100) {
            0..40 => Self::Full,
            40..60 => Self::Enrichment,
            60..80 => Self::Told,
            80..87 => Self::Nothing,
            87..91 => Self::Withdrawn,
            91..95 => Self::Ended,
            _ => Self::OptedOut,
        }
    }
}

#[derive(Debug)]
pub(super) struct Note {
    pub kind: &'static str,
    /// Days before the clock of the world.
    pub written: i64,
    pub text: String,
}

/// The `n`th company of a world. Each has a chance of its own, so it does not depend on how many there are.
pub(super) fn company(seed: u64, n: u64, notes: u32) -> Company {
    let mut rng = Rng::with_seed(seed ^ n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let rng = &mut rng;
    let language = if rng.u8(0..100) < 80 { Language::German } else { Language::English };
    let world = &*WORLD;
    let names = &world.names[&language];
    let industry = pick(rng, &world.companies.industries);
    // Half of all companies have fewer than some 60 people, a few some thousands.
    let employees = (60.0 * (rng.f64() * 4.0 - 2.0).exp() * (rng.f64() * 4.0 - 2.0).exp()).round() as u32 + 2;
    let founder = family(rng, names);
    let (trade, country) = match language {
        Language::German => (&industry.de, "DE"),
        Language::English => (&industry.en, "GB"),
    };
    let legal_form = pick(rng, &world.companies.legal_forms[&language]).as_str();
    let domain = format!("{}-{}-{n}.example", slug(&founder), slug(trade));
    let mut company = Company {
        id: format!("F-{:07}", n + 1),
        name: format!("{founder} {trade} {legal_form}"),
        legal_form,
        industry: trade,
        nace: &industry.nace,
        country,
        city: pick(rng, &world.companies.cities[&language]).as_str(),
        employees,
        revenue_eur: u64::from(employees) * rng.u64(80..320) * 1000,
        founded: rng.u16(1890..2024),
        contacts: Vec::new(),
        domain,
    };
    // The more people, the more of them one knows: 2 to some 40.
    let known = 2 + (f64::from(employees).ln() * rng.f64() * 2.5) as usize;
    let mut taken = BTreeSet::new();
    for i in 0..known {
        company.contacts.extend(contact(rng, &company, language, names, i == 0, &mut taken, notes));
    }
    company
}

/// `None` where the company has somebody of that name already: two of one name would be one person to the CRM.
fn contact(
    rng: &mut Rng,
    company: &Company,
    language: Language,
    names: &'static Names,
    first: bool,
    taken: &mut BTreeSet<String>,
    notes: u32,
) -> Option<Contact> {
    let female = rng.bool();
    let given = pick(rng, if female { &names.female } else { &names.male });
    let family = family(rng, names);
    if !taken.insert(family.clone()) {
        return None;
    }
    let title = title(rng, company.employees, first);
    let (words, seniority): (&str, Seniority) = match language {
        Language::German => (&title.de[usize::from(!female)], title.seniority),
        Language::English => (&title.en[0], title.s_en.unwrap_or(title.seniority)),
    };
    let known = rng.u8(0..100) >= 3;
    let polite = match (language, female) {
        (Language::German, true) => ["Frau", "Sie"],
        (Language::German, false) => ["Herr", "Er"],
        (_, true) => ["Ms", "She"],
        (_, false) => ["Mr", "He"],
    };
    let (notes, stated) = noted(rng, language, &format!("{} {family}", polite[0]), polite[1], notes);
    Some(Contact {
        email: format!("{}.{}@{}", slug(given), slug(&family), company.domain),
        given,
        family,
        title: known.then_some(words),
        language,
        function: title.function,
        seniority,
        standing: Standing::draw(rng),
        updated: rng.i64(10..900),
        notes,
        stated,
    })
}

fn title(rng: &mut Rng, employees: u32, first: bool) -> &'static Title {
    let fits = |t: &&Title| t.from <= employees && (!first || t.every);
    weighted(rng, WORLD.titles.iter().filter(fits), |t| t.weight)
}

/// Notes on one contact, and what they say: each true statement stands in one or two of them, among sentences that say
/// nothing of anybody.
fn noted(rng: &mut Rng, language: Language, name: &str, pronoun: &str, mean: u32) -> (Vec<Note>, BTreeSet<String>) {
    let sentences = &WORLD.notes[&language];
    let n = rng.u32(0..=2 * mean) as usize;
    let mut texts: Vec<Vec<&Sentence>> = Vec::with_capacity(n);
    for _ in 0..n {
        let fill = || sentences.iter().filter(|s| s.facet.is_none());
        texts.push((0..rng.usize(1..=3)).map(|_| weighted(rng, fill(), |s| s.weight)).collect());
    }
    let (mut stated, mut facets) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..if n == 0 { 0 } else { rng.usize(0..=2) } {
        let sentence = weighted(rng, sentences.iter().filter(|s| s.facet.is_some()), |s| s.weight);
        let facet = sentence.facet.as_deref().unwrap_or_default();
        // Nobody is both at once.
        if !facets.insert(facet) {
            continue;
        }
        stated.insert(format!("{facet}={}", sentence.value));
        stated.extend(sentence.also.iter().cloned());
        for _ in 0..rng.usize(1..=2) {
            let text = &mut texts[rng.usize(0..n)];
            if !text.iter().any(|s| std::ptr::eq(*s, sentence)) {
                text.push(sentence);
            }
        }
    }
    let kinds = ["note", "call", "meeting", "e_mail"];
    let note = |text: Vec<&Sentence>| Note {
        kind: kinds[rng.usize(0..kinds.len())],
        written: rng.i64(1..700),
        text: told(&text, name, pronoun),
    };
    (texts.into_iter().map(note).collect(), stated)
}

fn told(sentences: &[&Sentence], name: &str, pronoun: &str) -> String {
    let mut named = false;
    let mut text = String::new();
    for sentence in sentences {
        if !text.is_empty() {
            text.push(' ');
        }
        // A pronoun needs somebody before it.
        let pronoun = if named { pronoun } else { name };
        named |= sentence.text.contains("{N}") || sentence.text.contains("{P}");
        text.push_str(&sentence.text.replace("{N}", name).replace("{P}", pronoun));
    }
    text
}

fn family(rng: &mut Rng, names: &Names) -> String {
    [pick(rng, &names.start).as_str(), pick(rng, &names.end).as_str()].concat()
}

fn pick<'a, T>(rng: &mut Rng, from: &'a [T]) -> &'a T {
    &from[rng.usize(0..from.len())]
}

fn weighted<'a, T>(rng: &mut Rng, from: impl Iterator<Item = &'a T> + Clone, weight: impl Fn(&T) -> u32) -> &'a T {
    let mut left = rng.u32(0..from.clone().map(&weight).sum::<u32>().max(1));
    let mut last = None;
    for item in from {
        last = Some(item);
        match left.checked_sub(weight(item)) {
            Some(rest) => left = rest,
            None => break,
        }
    }
    last.expect("world.yaml has an item for every draw, which a test tries")
}

/// Lower case, ASCII, words joined by hyphens.
fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for c in text.to_lowercase().chars() {
        match c {
            'ä' => slug.push_str("ae"),
            'ö' => slug.push_str("oe"),
            'ü' => slug.push_str("ue"),
            'ß' => slug.push_str("ss"),
            c if c.is_ascii_alphanumeric() => slug.push(c),
            _ if slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    slug
}
