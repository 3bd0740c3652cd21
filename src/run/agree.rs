//! What pipeline and policy must agree on, told with file and line.
//!
//! Invariant: a plan that disagrees with its policy is never run; `validate` tells the same mistakes.

use std::path::Path;

use jiff::civil::Date;

use crate::config::{Diagnostic, Plan, Position, Tree, check_document, json_schema, load_document};
use crate::consent::policy::{Policy, PolicyFile};
use crate::consent::policy_check;
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
