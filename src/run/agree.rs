//! What pipeline and policy must agree on, told with file and line.
//!
//! Invariant: a plan that disagrees with its policy is never run; `validate` tells the same mistakes.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::config::{Diagnostic, Network, Plan, Position, Tree, check_document, json_schema, load_document};
use crate::consent::policy::{Policy, PolicyFile};
use crate::consent::policy_check;
use crate::run::legal;
use crate::source::id;

/// Reads and checks the policy of a plan, and both against each other.
///
/// # Errors
/// Every mistake, in the order of the files.
pub fn load_policy(plan: &Plan, today: Option<Date>) -> Result<(Policy, Vec<Diagnostic>), Vec<Diagnostic>> {
    let name = plan.policy_file().display().to_string();
    let source = std::fs::read_to_string(plan.policy_file())
        .map_err(|e| vec![Diagnostic::error(&name, Position::START, format!("cannot be read: {e}"))])?;
    let (file, tree) = load_document::<PolicyFile>(&source, &name)?;
    let found = disagreements(plan, &file, &tree, &name, today);
    if found.iter().any(Diagnostic::is_error) { Err(found) } else { Ok((Policy::new(file), found)) }
}

/// What keeps a run without options that begins now from using what a plan names beside the exports: its policy, and
/// the mappings of legal exports. All else of it can be told from the pipeline file alone.
///
/// # Errors
/// Every mistake, as the run itself would tell it.
pub fn usable(plan: &Plan, now: Timestamp) -> Result<(), Vec<Diagnostic>> {
    let as_of = plan.as_of().unwrap_or(now);
    let (policy, _) = load_policy(plan, Some(day(as_of))).map_err(errors)?;
    in_force(plan, &policy, if plan.network() == Network::Demo { as_of } else { now.max(as_of) })?;
    let mistakes = errors(legal::check_mappings(plan.crm()));
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
}

/// The files that [`usable`] reads.
pub fn files_beside(plan: &Plan) -> Vec<PathBuf> {
    let mappings = plan.crm().legal.iter().filter_map(|exports| exports.mapping.clone());
    std::iter::once(plan.policy_file().to_owned()).chain(mappings).collect()
}

fn errors(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    found.retain(Diagnostic::is_error);
    found
}

/// A run under a policy that nobody has approved, or not yet, could only refuse everybody.
///
/// # Errors
/// What is wrong with the approval.
pub fn in_force(plan: &Plan, policy: &Policy, now: Timestamp) -> Result<(), Vec<Diagnostic>> {
    let day = day(now);
    let problem = match &policy.file().approval {
        None => "nobody has approved this policy; write `approval: { by, at }`".to_owned(),
        Some(approval) if day < approval.at => {
            format!("the policy is approved from {} on, the run stands at {day}", approval.at)
        }
        Some(_) => return Ok(()),
    };
    let file = plan.policy_file().display().to_string();
    Err(vec![Diagnostic::error(&file, Position::START, problem)])
}

/// The day of an instant, by which policies go.
pub fn day(at: Timestamp) -> Date {
    Offset::UTC.to_datetime(at).date()
}

fn disagreements(plan: &Plan, policy: &PolicyFile, tree: &Tree, name: &str, today: Option<Date>) -> Vec<Diagnostic> {
    let pipeline = plan.file().display().to_string();
    let at = |path: &[&str]| pipeline_span(plan.file(), path);
    let mut found = Vec::new();
    if policy.controller != plan.controller() {
        let text =
            format!("the controller {:?} is not that of the policy {name}: {:?}", plan.controller(), policy.controller);
        found.push(Diagnostic::error(&pipeline, at(&["controller"]), text));
    }
    if !policy.purposes.contains_key(plan.purpose()) {
        let known: Vec<&str> = policy.purposes.keys().map(String::as_str).collect();
        let text =
            format!("the purpose {:?} is not registered in {name}; there are {}", plan.purpose(), known.join(", "));
        found.push(Diagnostic::error(&pipeline, at(&["policy", "purpose"]), text));
    }
    for (source, host) in enabled(plan) {
        let Some(registered) = policy.sources.get(source) else {
            let text = format!("the source {source} is not registered in {name}, so the gate refuses it");
            found.push(Diagnostic::error(&pipeline, at(&["sources", source]), text));
            continue;
        };
        if let Some(host) = host.filter(|h| !registered.hosts.is_empty() && !registered.hosts.contains(h)) {
            let text = format!(
                "the host {host:?} is not among the hosts of {source} in {name}: {}",
                registered.hosts.join(", ")
            );
            found.push(Diagnostic::error(&pipeline, at(&["sources", source]), text));
        }
    }
    for (purpose, dpia) in policy.purposes.iter().filter_map(|(name, p)| Some((name, p.dpia.as_ref()?))) {
        if !policy.assessments.contains_key(dpia) {
            let text = format!("there is no assessment {dpia:?}, so everything under {purpose} is refused");
            let at = tree.span(&["purposes", purpose, "dpia"]).unwrap_or(Position::START);
            found.push(Diagnostic::warning(name, at, text));
        }
    }
    found.extend(policy_check::check(policy, tree, name, today));
    if policy.approval.is_none() {
        let text = "nobody has approved this policy, so the gate refuses everything; write `approval: { by, at }`";
        found.push(Diagnostic::warning(name, Position::START, text));
    }
    found
}

/// The sources of the pipeline, with the host that each is fixed to.
fn enabled(plan: &Plan) -> Vec<(&'static str, Option<String>)> {
    let sources = plan.sources();
    let profile = sources.developer_profile.as_ref().map(|p| p.base_url.host_str().map(str::to_owned));
    let mut all = vec![(id::CRM, None)];
    all.extend(sources.company_site.as_ref().map(|_| (id::COMPANY_SITE, None)));
    all.extend(profile.map(|host| (id::DEVELOPER_PROFILE, host)));
    let social = sources.social_profile.as_ref().map(|p| p.base_url.host_str().map(str::to_owned));
    all.extend(social.map(|host| (id::SOCIAL_PROFILE, host)));
    all
}

fn pipeline_span(file: &Path, path: &[&str]) -> Position {
    let source = std::fs::read_to_string(file).unwrap_or_default();
    let (tree, _) = check_document(&source, &file.display().to_string(), &json_schema());
    tree.span(path).unwrap_or(Position::START)
}
