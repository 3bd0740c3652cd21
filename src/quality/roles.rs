//! Measures the buying roles on labelled cases: title and note in, roles out, through the same readers as a run.
//!
//! Invariant: the figures depend on the given cases, the shipped vocabularies and weights alone.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::score::{Answer, Score};
use crate::extract::text::{TextContact, TextKind, TextRecord, read_text};
use crate::extract::title::TitleReader;
use crate::model::{About, Account, AccountId, Claim, Evidence, PermitId, Signal, SignalId, SubjectId};
use crate::persona::rows::Legal;
use crate::persona::{FusionInput, Offering, fuse};
use crate::taxonomy::{BuyingRole, SourceClass, Tier};

const CONTACT: &str = "Toni Keller";

/// Labelled cases of roles; the shape of `testdata/persona/quality/roles.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleSet {
    offerings: BTreeMap<String, Offering>,
    cases: Vec<Case>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    title: String,
    offering: String,
    employees: u32,
    #[serde(default = "note")]
    kind: TextKind,
    #[serde(default)]
    note: Option<String>,
    #[serde(default)]
    others: Vec<String>,
    #[serde(default)]
    age: i64,
    has: Vec<BuyingRole>,
    not: Vec<BuyingRole>,
}

const fn note() -> TextKind {
    TextKind::Note
}

/// Why cases cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RoleSetError {
    /// Not the YAML that is expected.
    #[error("not readable as cases of roles")]
    Parse(#[from] serde_saphyr::Error),
    /// An offering that is not listed.
    #[error("there is no offering {0:?}")]
    Offering(String),
}

impl RoleSet {
    /// Reads and checks cases.
    pub fn parse(yaml: &str) -> Result<Self, RoleSetError> {
        let set: Self = serde_saphyr::from_str(yaml)?;
        match set.cases.iter().find(|c| !set.offerings.contains_key(&c.offering)) {
            Some(c) => Err(RoleSetError::Offering(c.offering.clone())),
            None => Ok(set),
        }
    }
}

/// The figures of one role, or of all.
#[derive(Debug, Clone, Serialize)]
pub struct RoleFigures {
    /// `all`, or the role.
    pub role: String,
    /// Labels.
    pub labels: usize,
    /// Share of labels with a probability.
    pub coverage: f64,
    /// Share of right ones among the answers of at least one half.
    pub precision: f64,
    /// Share of the held roles that get at least one half; an abstention is a miss.
    pub recall: f64,
    /// Share of labels on the right side of one half; an abstention is a miss.
    pub accuracy: f64,
    /// Expected calibration error of the probabilities.
    pub ece: f64,
}

/// The figures of all roles, each and together.
#[derive(Debug, Clone, Serialize)]
pub struct RoleReport {
    /// Cases.
    pub cases: usize,
    /// By role, then all.
    pub roles: Vec<RoleFigures>,
    /// Labels on the wrong side: title, role and probability.
    pub misses: Vec<String>,
}

/// A label and what was said.
struct Judgement {
    role: BuyingRole,
    holds: bool,
    p: Option<f64>,
}

/// Measures the roles.
///
/// # Panics
/// Never: the offerings were checked when the set was parsed.
#[must_use]
pub fn roles(set: &RoleSet) -> RoleReport {
    let mut all = Vec::new();
    let mut misses = Vec::new();
    for case in &set.cases {
        let said = probabilities(case, &set.offerings[&case.offering]);
        let labels = case.has.iter().map(|r| (*r, true)).chain(case.not.iter().map(|r| (*r, false)));
        for (role, holds) in labels {
            let p = said.get(&role).copied().flatten();
            if p.is_none_or(|p| (p >= 0.5) != holds) {
                let p = p.map_or_else(|| "abstains".to_owned(), |p| format!("{p:.2}"));
                misses.push(format!(
                    "{} ({}): {role} should {}hold, {p}",
                    case.title,
                    case.offering,
                    if holds { "" } else { "not " }
                ));
            }
            all.push(Judgement { role, holds, p });
        }
    }
    let mut roles: Vec<RoleFigures> =
        BuyingRole::ALL.iter().map(|r| figures(r.as_str(), all.iter().filter(|j| j.role == *r).collect())).collect();
    roles.push(figures("all", all.iter().collect()));
    RoleReport { cases: set.cases.len(), roles, misses }
}

fn figures(role: &str, of: Vec<&Judgement>) -> RoleFigures {
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    let count = |f: &dyn Fn(&Judgement) -> bool| of.iter().filter(|j| f(j)).count();
    let said = |j: &Judgement| j.p.is_some_and(|p| p >= 0.5);
    let answers: Vec<Answer<bool>> = of
        .iter()
        .map(|j| Answer { expected: Some(j.holds), got: j.p.map(|p| (p >= 0.5, if p >= 0.5 { p } else { 1.0 - p })) })
        .collect();
    RoleFigures {
        role: role.to_owned(),
        labels: of.len(),
        coverage: share(count(&|j| j.p.is_some()), of.len()),
        precision: share(count(&|j| said(j) && j.holds), count(&said)),
        recall: share(count(&|j| said(j) && j.holds), count(&|j| j.holds)),
        accuracy: share(count(&|j| j.p.is_some_and(|p| (p >= 0.5) == j.holds)), of.len()),
        ece: Score::of(&answers).ece,
    }
}

/// The probability of every role for the contact of a case.
fn probabilities(case: &Case, sold: &Offering) -> BTreeMap<BuyingRole, Option<f64>> {
    let now: Timestamp = "2026-03-02T03:00:00Z".parse().expect("a timestamp");
    let subject = SubjectId::from_body("contact");
    let account = Account {
        id: Some(AccountId::from_body("company")),
        employees: (case.employees > 0).then_some(case.employees),
        ..Account::default()
    };
    let offering = Offering {
        name: case.offering.clone(),
        category: sold.category.clone(),
        used_by: sold.used_by.clone(),
        run_by: sold.run_by.clone(),
        price_band: sold.price_band,
        complexity: sold.complexity,
        adaptation: sold.adaptation,
    };
    let aged = now.checked_sub((case.age * 24).hours()).unwrap_or(now);
    let mut signals = titled(case, &subject, now);
    signals.extend(stated(case, &subject, aged));
    let persona = fuse(&FusionInput {
        subject: &subject,
        crm_record: "1",
        crm_updated_at: Some(now),
        account: Some(&account),
        signals: &signals,
        as_of: now,
        offering: &offering,
        profiling_allowed: true,
        profiling_refused: false,
        refused: &[],
        identity_uncertain: false,
        rectified: &[],
        segment_values: &[],
        tier: Tier::Individual,
        legal: Legal {
            basis: vec!["6(1)(a)".into()],
            permit_id: PermitId::from_body("p"),
            notice_status: "given".into(),
            retain_until: now,
        },
        min_probability: 0.6,
        half_life_days: 730.0,
    });
    persona.buying_roles.iter().map(|r| (r.role, r.probability)).collect()
}

fn titled(case: &Case, subject: &SubjectId, at: Timestamp) -> Vec<Signal> {
    let r = TitleReader::shipped().read(&case.title);
    let mut claims = Vec::new();
    claims.extend(r.job_function.value.map(|v| (Claim::JobFunction(v), r.job_function.p.unwrap_or(0.0))));
    claims.extend(r.secondary_functions.iter().map(|v| (Claim::JobFunction(*v), 0.5)));
    claims.extend(r.seniority.value.map(|v| (Claim::Seniority(v), r.seniority.p.unwrap_or(0.0))));
    let signal = |(n, (claim, weight)): (usize, (Claim, f64))| signal(subject, n, claim, weight, at, "title");
    claims.into_iter().enumerate().map(signal).collect()
}

fn stated(case: &Case, subject: &SubjectId, at: Timestamp) -> Vec<Signal> {
    let Some(text) = &case.note else { return Vec::new() };
    let contact = |id: &str, name: &str| TextContact { id: id.to_owned(), name: name.to_owned(), title: None };
    let mut contacts = vec![contact("contact", CONTACT)];
    contacts.extend(case.others.iter().map(|name| contact("other", name)));
    let record = TextRecord {
        id: "1".into(),
        kind: case.kind,
        lang: None,
        text: text.clone(),
        contacts: contacts.into(),
        about: (case.kind != TextKind::Note).then(|| "contact".into()),
        company: None,
    };
    let own = read_text(&record).signals.into_iter().filter(|s| s.subject == "contact" && s.family == "buying_role");
    own.enumerate()
        .filter_map(|(n, s)| {
            let claim = Claim::BuyingRole(s.value.parse().ok()?, s.polarity.sign());
            Some(signal(subject, 100 + n, claim, s.p, at, "note"))
        })
        .collect()
}

fn signal(subject: &SubjectId, n: usize, claim: Claim, weight: f64, at: Timestamp, place: &str) -> Signal {
    Signal {
        id: SignalId::from_body(&format!("{n:03}")),
        about: About::Subject(subject.clone(), None),
        claim,
        weight: weight.clamp(0.01, 0.99),
        evidence: Evidence {
            source_id: "crm".into(),
            source_class: SourceClass::Crm,
            host: None,
            document: None,
            content_hash: place.into(),
            observed_at: at,
            quote: String::new(),
            locator: place.into(),
            extractor: "quality/1".into(),
            permit: PermitId::from_body("p"),
        },
    }
}

impl fmt::Display for RoleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| role | labels | coverage | precision | recall | accuracy | ECE |")?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- | --- |")?;
        for r in &self.roles {
            writeln!(
                f,
                "| {} | {} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} |",
                r.role, r.labels, r.coverage, r.precision, r.recall, r.accuracy, r.ece
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labelled_roles_keep_their_figures() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/persona/quality/roles.yaml");
        let set = RoleSet::parse(&std::fs::read_to_string(path).expect("in the repository")).expect("cases");
        let report = roles(&set);
        let all = report.roles.last().expect("all");
        assert!(report.cases >= 60 && all.labels >= 190, "{} cases, {} labels", report.cases, all.labels);
        assert!(all.coverage >= 0.9 && all.precision >= 0.8 && all.recall >= 0.7, "{report}\n{:#?}", report.misses);
    }

    #[test]
    fn an_unknown_offering_is_told() {
        let e = RoleSet::parse("offerings: {}\ncases: [{ title: x, offering: boat, employees: 1, has: [], not: [] }]");
        assert!(matches!(e, Err(RoleSetError::Offering(o)) if o == "boat"));
    }
}
