//! `prosopon schedule`: runs pipelines at their times, tells what is to come and how it stands.
//!
//! Invariant: the work is done by `crate::schedule`; here it is only called and told.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::exit::{self, DEAD_LETTERS, HOME, INTERRUPTED, Usage};
use super::metrics::{Counts, Metered};
use super::progress::Progress;
use super::run::{Watched, runtime, stop_asked};
use super::standing::{self, Standing, StatusArgs};
use super::{HomeArg, LogFormat, home_path};
use crate::consent::gate::Clock;
use crate::fetch::CancelHandle;
use crate::run::Observer;
use crate::run::engine::RunError;
use crate::run::home::Home;
use crate::schedule::event::{Event, Listener, Whose};
use crate::schedule::files::schedule_of;
use crate::schedule::homes;
use crate::schedule::keeper::{Around, ScheduleError};
use crate::schedule::preview::Preview;
use crate::schedule::state::{Outcome, State};
use crate::schedule::store::Store;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "SIGTERM and Ctrl-C stop it cleanly: a run that goes on is stopped, and continued by the next \
start. Without a daemon: `prosopon schedule once` from a systemd timer or a Kubernetes CronJob (deploy/).")]
pub(super) struct ScheduleArgs {
    #[command(subcommand)]
    command: Option<ScheduleCommand>,
    /// The pipeline files; each has a `schedule`
    #[arg(required = true, value_name = "PIPELINE")]
    pipelines: Vec<PathBuf>,
    /// The home, instead of the pipelines' `output.home`
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    watched: Watched,
}

impl ScheduleArgs {
    /// Who is told of its runs.
    pub fn watched(&self) -> &Watched {
        match &self.command {
            Some(ScheduleCommand::Once(once)) => &once.watched,
            _ => &self.watched,
        }
    }
}

#[derive(Debug, Subcommand)]
enum ScheduleCommand {
    /// Run what is due now, then end with the run's exit code
    Once(OnceArgs),
    /// Tell the next runs and what clock changes do to them; nothing is run or written
    Preview(PreviewArgs),
    /// Tell how the schedules of a home stand
    Status(StatusArgs),
    /// Go on with schedules that are paused after too many failures, or held because a clock once stood ahead
    Resume(HomeArg),
}

#[derive(Debug, Args)]
struct OnceArgs {
    /// The pipeline files; each has a `schedule`
    #[arg(required = true, value_name = "PIPELINE")]
    pipelines: Vec<PathBuf>,
    /// The home, instead of the pipelines' `output.home`
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// End with 0 in place of 1 after a run that was published with more dead letters than allowed
    #[arg(long)]
    accept_dead_letters: bool,
    /// Print how each pipeline stands as JSON, one a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    watched: Watched,
}

#[derive(Debug, Args)]
struct PreviewArgs {
    /// The pipeline files; each has a `schedule`
    #[arg(required = true, value_name = "PIPELINE")]
    pipelines: Vec<PathBuf>,
    /// How many runs
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    count: u32,
    /// From when on, instead of now: an instant (2026-03-28T00:00:00Z), or a day in the zone of the schedule (2026-03-28)
    #[arg(long, value_name = "TIME")]
    from: Option<Begin>,
    /// Print JSON, one pipeline a line
    #[arg(long)]
    json: bool,
}

/// Where a preview begins.
#[derive(Debug, Clone, Copy)]
enum Begin {
    Instant(Timestamp),
    /// In the zone of each schedule.
    Day(jiff::civil::Date),
}

impl std::str::FromStr for Begin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_day = text.len() == "2026-03-28".len();
        let day = if is_day { text.parse().ok().map(Self::Day) } else { None };
        day.map_or_else(|| super::instant(text).map(Self::Instant), Ok)
    }
}

pub(super) fn execute(args: &ScheduleArgs, quiet: bool, format: LogFormat, wall: &Clock) -> anyhow::Result<ExitCode> {
    let counts = Arc::new(Counts::default());
    let around = around(quiet, format, wall, &counts);
    match &args.command {
        None => keep(args, &around, &counts),
        Some(ScheduleCommand::Once(once)) => run_once(once, &around, &counts),
        Some(ScheduleCommand::Preview(args)) => preview(args, wall),
        Some(ScheduleCommand::Status(args)) => standing::execute(args, wall),
        Some(ScheduleCommand::Resume(args)) => resume(args, wall),
    }
}

fn around(quiet: bool, format: LogFormat, wall: &Clock, counts: &Arc<Counts>) -> Around {
    let listener = Arc::new(Teller { quiet, format, counts: Arc::clone(counts) });
    Around { wall: Arc::clone(wall), stop: Arc::new(CancelHandle::new()), listener }
}

fn keep(args: &ScheduleArgs, around: &Around, counts: &Arc<Counts>) -> anyhow::Result<ExitCode> {
    runtime()?.block_on(async {
        listen(around);
        args.watched.serve(counts).await?;
        let homes = homes::open(&args.pipelines, args.out.as_deref(), around).map_err(untangled)?;
        homes::keep_all(homes, around).await.map_err(untangled)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn run_once(args: &OnceArgs, around: &Around, counts: &Arc<Counts>) -> anyhow::Result<ExitCode> {
    let ended = runtime()?.block_on(async {
        listen(around);
        args.watched.serve(counts).await?;
        let mut ended = Vec::new();
        for home in homes::open(&args.pipelines, args.out.as_deref(), around).map_err(untangled)? {
            let stands = match home {
                Ok(keeper) => keeper.once().await,
                Err(sick) => Err(sick),
            };
            ended.extend(stands.unwrap_or_else(|sick| sick.tell(around)));
        }
        anyhow::Ok(ended)
    })?;
    let code = |event: &Event| match code(event) {
        DEAD_LETTERS if args.accept_dead_letters => 0,
        code => code,
    };
    if args.json {
        let mut out = std::io::stdout().lock();
        for (whose, event) in &ended {
            let mut told = with_summary(event.to_json(whose), event);
            told["exit_code"] = json!(code(event));
            writeln!(out, "{told}")?;
        }
    }
    Ok(ExitCode::from(ended.iter().map(|(_, event)| code(event)).max().unwrap_or(0)))
}

fn with_summary(mut told: Value, event: &Event) -> Value {
    if let Event::Ended(_, Some(summary)) = event {
        told["summary"] = serde_json::to_value(summary).unwrap_or_default();
    }
    told
}

/// The exit code of `once`.
fn code(event: &Event) -> u8 {
    match event {
        Event::Ended(Outcome::DeadLetters, _) => DEAD_LETTERS,
        Event::Failed(Outcome::TooLong | Outcome::Stopped, _) => INTERRUPTED,
        Event::Failed(_, error) => exit::number_of_run(error),
        Event::Paused(_) | Event::Sick(_) | Event::ClockAhead { is_held: true, .. } => HOME,
        _ => 0,
    }
}

/// Raises the stop when Ctrl-C or SIGTERM come.
fn listen(around: &Around) {
    let stop = Arc::clone(&around.stop);
    tokio::spawn(async move {
        stop_asked().await;
        stop.cancel();
    });
}

/// The error as the other commands tell it.
fn untangled(error: ScheduleError) -> anyhow::Error {
    match error {
        ScheduleError::Run(error) => error.into(),
        ScheduleError::Store(error) => error.into(),
        ScheduleError::Gone(_) => error.into(),
    }
}

fn preview(args: &PreviewArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let (mut specs, mut mistakes) = (Vec::new(), Vec::new());
    for file in &args.pipelines {
        match schedule_of(file) {
            Ok((_, spec)) => specs.push(spec),
            Err(more) => mistakes.extend(more),
        }
    }
    if !mistakes.is_empty() {
        return Err(RunError::Config(mistakes).into());
    }
    let mut out = std::io::stdout().lock();
    for (index, spec) in specs.iter().enumerate() {
        let from = match args.from {
            None => wall(),
            Some(Begin::Instant(at)) => at,
            Some(Begin::Day(day)) => spec.expression().begin_of(day).unwrap_or_else(|| wall()),
        };
        let preview = Preview::new(spec, from, args.count as usize);
        if args.json {
            writeln!(out, "{}", preview.to_json())?;
        } else {
            write!(out, "{}{}", if index > 0 { "\n" } else { "" }, preview.text())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn resume(args: &HomeArg, wall: &Clock) -> anyhow::Result<ExitCode> {
    let home = Home::open(&home_path(args.out.as_ref()))?;
    let standing = Standing::of(home.path(), args.pipeline.as_deref(), wall())?;
    if let (Some(name), true) = (&args.pipeline, standing.schedules.is_empty()) {
        return Err(Usage(format!("no pipeline {name:?} was ever scheduled in {}", home.path().display())).into());
    }
    let mut out = std::io::stdout().lock();
    let mut resumed = 0;
    let now = wall();
    for (name, state) in standing.schedules {
        let mut store = Store::open(home.path())?;
        let was_paused = state.paused_at.is_some();
        let (_, was_resumed) = store.update(&name, || state, |state| state.resume(now))?;
        if was_resumed {
            resumed += 1;
            let how = if was_paused { "; what was missed is made up for as its catch_up says" } else { " from now" };
            writeln!(out, "{name} goes on{how}")?;
        }
    }
    if resumed == 0 {
        writeln!(out, "nothing is paused")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Tells on stderr what happens.
struct Teller {
    quiet: bool,
    format: LogFormat,
    counts: Arc<Counts>,
}

impl Listener for Teller {
    fn tell(&self, whose: &Whose, event: &Event) {
        if let Event::Ended(outcome, _) | Event::Failed(outcome, _) = event {
            self.counts.ended(outcome.name());
        }
        if matches!(event, Event::Died) {
            self.counts.ended(Outcome::Died.name());
        }
        self.counts.schedules.tell_of(whose, event);
        let is_trouble = matches!(
            event,
            Event::Failed(..)
                | Event::TooLong(_)
                | Event::Died
                | Event::ClockAhead { .. }
                | Event::Paused(_)
                | Event::Sick(_)
                | Event::Unreadable(_)
        );
        if self.quiet && !is_trouble {
            return;
        }
        // Nobody may read any more; the schedule goes on.
        let mut stderr = std::io::stderr().lock();
        let _ = match self.format {
            LogFormat::Json => writeln!(stderr, "{}", event.to_json(whose)),
            LogFormat::Text => writeln!(stderr, "{whose}: {event}"),
        };
        if let (Event::Failed(_, error), LogFormat::Text) = (event, self.format) {
            let mut cause = std::error::Error::source(error);
            while let Some(error) = cause {
                let _ = writeln!(stderr, "  caused by: {error}");
                cause = error.source();
            }
        }
    }

    fn stands(&self, whose: &Whose, state: &State) {
        self.counts.schedules.stands(whose, state);
    }

    fn observer(&self) -> Arc<dyn Observer> {
        Arc::new(Metered::new(&self.counts, Arc::new(Progress::plain(self.quiet, self.format))))
    }
}
