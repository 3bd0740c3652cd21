//! `prosopon init`: a new home.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::consent::gate::Clock;
use crate::keys::MasterSource;
use crate::run::home::{Home, Origin};

#[derive(Debug, Args)]
#[command(after_help = "A home belongs to one controller and is created once. --first says that this controller has \
no older home; --import-legal takes over every consent, withdrawal and objection from the older one, and its id key.")]
pub(super) struct InitArgs {
    /// The folder to create
    #[arg(long, value_name = "DIR", default_value = super::DEFAULT_HOME)]
    out: PathBuf,
    /// The controller in the sense of Art. 4(7) GDPR, as in the pipeline file
    #[arg(long, value_name = "NAME")]
    controller: String,
    #[command(flatten)]
    origin: OriginArgs,
    #[arg(long, value_name = "SOURCE", help = "Where the master key is, or is to be put: file:PATH (in the home), \
env:NAME or keyring:NAME", default_value = crate::run::home::DEFAULT_MASTER_KEY)]
    master_key: MasterSource,
}

/// Exactly one of the two. A struct of its own, because a group holds every argument of its struct.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct OriginArgs {
    /// This controller has no older home
    #[arg(long)]
    first: bool,
    /// Take over the legal events and the id key of an older home
    #[arg(long, value_name = "HOME")]
    import_legal: Option<PathBuf>,
}

pub(super) fn execute(args: &InitArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let origin = args.origin.import_legal.as_deref().map_or(Origin::First, Origin::Import);
    let home = Home::init(&args.out, &args.controller, origin, &args.master_key, wall())?;
    let events = home.legal()?.1.view().state().count();
    eprintln!("created the home {} of {:?} with {events} legal events", home.path().display(), home.controller());
    let key = home.master_source();
    let whence = if key == args.master_key { "" } else { ", as the environment says" };
    eprintln!("the master key is in {key}{whence}: keep a copy apart from the home");
    eprintln!("next: set `output.home` in your pipeline file, then `prosopon validate` and `prosopon run`");
    Ok(ExitCode::SUCCESS)
}
