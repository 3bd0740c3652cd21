//! `prosopon explain`: the arithmetic of one facet, from the tables alone.
//!
//! Invariant: the explanation is recomputed from evidence, decisions and the settings in the manifest, and it must
//! come to the very value that stands in `personas`; where it does not, it says so.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use super::HomeArg;
use super::exit::Usage;
use super::reader::Reader;
use crate::consent::gate::Clock;
use crate::persona::explain::{context_names, explain};
use crate::run::known::{FusionSettings, Known};
use crate::taxonomy::{BuyingRole, Motive, Point, PointKind, PurchasePhase, Trait};

#[derive(Debug, Args)]
#[command(after_help = kinds())]
pub(super) struct ExplainArgs {
    /// The contact: subject id (sub_...) or the CRM's record id
    subject: String,
    /// The facet
    facet: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    home: HomeArg,
}

pub(super) fn execute(args: &ExplainArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let mut reader = Reader::open(&args.home, wall)?;
    let persona = reader.persona(&args.subject)?;
    let allowed = reader.may_read(&persona);
    reader.log("explain")?;
    allowed.map_err(|reasons| Usage(format!("the gate refuses to show {}: {reasons}", persona.subject_id)))?;
    let settings: FusionSettings = serde_json::from_value(reader.manifest["fusion"].clone())
        .context("the manifest of the snapshot has no fusion settings")?;
    let mut known = Known::read(&reader.snapshot, &persona)?;
    // What was removed stands in no table: only the sealed store knows that it was.
    known.with_sealed(&persona, &settings, &reader.rectifications(&persona.subject_id)?);
    let input = known.input(&persona, &settings);
    let explanation = explain(&input, &args.facet).ok_or_else(|| Usage(no_facet(&args.facet)))?;
    let explanation = explanation.with_titles(&known.own_signals(&persona.subject_id));
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer(&mut out, &explanation)?;
        writeln!(out)?;
    } else {
        writeln!(out, "{} {}", persona.crm_record, persona.subject_id)?;
        write!(out, "{explanation}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The kinds of facets there are.
fn kinds() -> String {
    let points: Vec<String> = PointKind::ALL.iter().map(|kind| format!("{kind}.VALUE")).collect();
    format!(
        "Facets: job_function, seniority, signing_power, buying_role.ROLE, trait.TRAIT, motive.MOTIVE, channel.PHASE, \
         context.NAME, {}; for instance `prosopon explain K-1001 buying_role.decider`. A name that there is not lists all",
        points.join(", ")
    )
}

/// The facets whose name has to do with what was asked for, else all of them.
fn no_facet(asked: &str) -> String {
    let roles = BuyingRole::ALL.iter().map(|r| format!("buying_role.{r}"));
    let traits = Trait::ALL.iter().map(|t| format!("trait.{t}"));
    let motives = Motive::ALL.iter().map(|m| format!("motive.{m}"));
    let phases = PurchasePhase::ALL.iter().map(|p| format!("channel.{p}"));
    let plain = ["job_function", "seniority", "signing_power"].map(str::to_owned);
    let points = PointKind::ALL.iter().flat_map(|kind| Point::all(*kind)).map(|p| p.to_string());
    let context = context_names().map(|name| format!("context.{name}"));
    let named = plain.into_iter().chain(roles).chain(traits).chain(motives).chain(phases);
    let all: Vec<String> = named.chain(context).chain(points).collect();
    let asked = asked.to_lowercase();
    let close: Vec<&str> = all.iter().filter(|f| !asked.is_empty() && f.contains(&asked)).map(String::as_str).collect();
    match close.as_slice() {
        [] => format!("there is no facet {asked:?} to explain; there are {}", all.join(", ")),
        close => format!("there is no facet {asked:?} to explain, did you mean {}", close.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_and_error_name_every_kind_of_facet() {
        let (kinds, all) = (kinds(), no_facet("shoe size"));
        for kind in PointKind::ALL {
            assert!(kinds.contains(&format!("{kind}.VALUE")), "{kind} in {kinds}");
        }
        for name in context_names() {
            assert!(all.contains(&format!("context.{name}")), "{name} in {all}");
            assert!(no_facet(name).contains("did you mean"), "{name}");
        }
        for kind in all.split(", ").filter_map(|facet| facet.rsplit(' ').next()?.split_once('.')).map(|(kind, _)| kind)
        {
            assert!(kinds.contains(&format!("{kind}.")), "{kind} in {kinds}");
        }
    }
}
