//! `prosopon schedule`: runs pipelines at their times, tells what is to come and how it stands.
//!
//! Invariant: the work is done by `crate::schedule`; here it is only called and told.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::exit::{self, DEAD_LETTERS, HOME, INTERRUPTED, Usage};
use super::metrics::{Counts, Metered};
use super::progress::Progress;
use super::run::{Watched, runtime, stop_asked};
use super::{HomeArg, LogFormat, home_path};
use crate::consent::gate::Clock;
use crate::fetch::CancelHandle;
use crate::run::Observer;
use crate::run::engine::RunError;
use crate::run::home::Home;
use crate::schedule::event::{Event, Listener, seconds};
use crate::schedule::files::schedule_of;
use crate::schedule::keeper::{self, Around, Keeper, ScheduleError};
use crate::schedule::preview::Preview;
use crate::schedule::state::{Outcome, State};
use crate::schedule::store::{Heartbeat, Store};

/// A daemon that has given no sign of life for so many seconds is taken for dead.
const DEAD_AFTER: i64 = 120;

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
    /// Go on with schedules that are paused after too many failures
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
    /// From when on (2026-03-28T00:00:00Z or 2026-03-28), instead of now
    #[arg(long, value_name = "TIME", value_parser = super::instant)]
    from: Option<Timestamp>,
    /// Print JSON, one pipeline a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct StatusArgs {
    #[command(flatten)]
    home: HomeArg,
    /// End with 1 unless a daemon gave a sign of life within so many seconds; it gives one every 30
    #[arg(long, value_name = "SECONDS")]
    alive: Option<u32>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &ScheduleArgs, quiet: bool, format: LogFormat, wall: &Clock) -> anyhow::Result<ExitCode> {
    let counts = Arc::new(Counts::default());
    let around = around(quiet, format, wall, &counts);
    match &args.command {
        None => keep(args, &around, &counts),
        Some(ScheduleCommand::Once(once)) => run_once(once, &around, &counts),
        Some(ScheduleCommand::Preview(args)) => preview(args, wall),
        Some(ScheduleCommand::Status(args)) => status(args, wall),
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
        let keepers = keeper::open(&args.pipelines, args.out.as_deref(), around).map_err(untangled)?;
        keeper::keep_all(keepers).await.map_err(untangled)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn run_once(args: &OnceArgs, around: &Around, counts: &Arc<Counts>) -> anyhow::Result<ExitCode> {
    let ended = runtime()?.block_on(async {
        listen(around);
        args.watched.serve(counts).await?;
        let mut ended = Vec::new();
        for mut keeper in keeper::open(&args.pipelines, args.out.as_deref(), around).map_err(untangled)? {
            ended.extend(Keeper::once(&mut keeper).await.map_err(untangled)?);
        }
        anyhow::Ok(ended)
    })?;
    if args.json {
        let mut out = std::io::stdout().lock();
        for (pipeline, event) in &ended {
            writeln!(out, "{}", with_summary(event.to_json(pipeline), event))?;
        }
    }
    Ok(ExitCode::from(ended.iter().map(|(_, event)| code(event)).max().unwrap_or(0)))
}

fn with_summary(mut told: Value, event: &Event) -> Value {
    if let Event::Ended(_, Some(summary)) = event {
        told["summary"] = serde_json::to_value(summary).unwrap_or_default();
    }
    told["exit_code"] = json!(code(event));
    told
}

/// The exit code of `once`.
fn code(event: &Event) -> u8 {
    match event {
        Event::Ended(Outcome::DeadLetters, _) => DEAD_LETTERS,
        Event::Failed(Outcome::TooLong | Outcome::Stopped, _) => INTERRUPTED,
        Event::Failed(_, error) => exit::number_of_run(error),
        Event::Paused(_) => HOME,
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
    }
}

fn preview(args: &PreviewArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let from = args.from.unwrap_or_else(|| wall());
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
        let preview = Preview::new(spec, from, args.count as usize);
        if args.json {
            writeln!(out, "{}", preview.to_json())?;
        } else {
            write!(out, "{}{}", if index > 0 { "\n" } else { "" }, preview.text())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn status(args: &StatusArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let home = Home::open(&args.home.path())?;
    let standing = Standing::of(home.path(), args.home.pipeline.as_deref(), wall())?;
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", standing.to_json(home.path()))?;
    } else {
        write!(out, "{}", standing.text())?;
    }
    let is_alive = |most: &u32| standing.beat.is_some_and(|_| standing.age() <= i64::from(*most));
    Ok(ExitCode::from(u8::from(args.alive.as_ref().is_some_and(|most| !is_alive(most)))))
}

fn resume(args: &HomeArg, wall: &Clock) -> anyhow::Result<ExitCode> {
    let home = Home::open(&home_path(args.out.as_ref()))?;
    let standing = Standing::of(home.path(), args.pipeline.as_deref(), wall())?;
    if let (Some(name), true) = (&args.pipeline, standing.schedules.is_empty()) {
        return Err(Usage(format!("no pipeline {name:?} was ever scheduled in {}", home.path().display())).into());
    }
    let mut out = std::io::stdout().lock();
    let mut resumed = 0;
    for (name, state) in standing.schedules {
        let mut store = Store::open(home.path())?;
        let (_, was_paused) = store.update(&name, || state, State::resume)?;
        if was_paused {
            resumed += 1;
            writeln!(out, "{name} goes on; what was missed is made up for as its catch_up says")?;
        }
    }
    if resumed == 0 {
        writeln!(out, "nothing is paused")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// How the schedules of a home stand.
pub(super) struct Standing {
    now: Timestamp,
    beat: Option<Heartbeat>,
    /// By name of the pipeline.
    pub schedules: Vec<(String, State)>,
}

impl Standing {
    /// Reads it; nothing is written.
    pub fn of(home: &Path, pipeline: Option<&str>, now: Timestamp) -> anyhow::Result<Self> {
        let mut standing = Self { now, beat: None, schedules: Vec::new() };
        let Some(store) = Store::open_to_read(home)? else { return Ok(standing) };
        standing.beat = store.heartbeat()?;
        for name in store.pipelines()? {
            let is_wanted = pipeline.is_none_or(|wanted| wanted == name);
            if let (true, Some(state)) = (is_wanted, store.state(&name)?) {
                standing.schedules.push((name, state));
            }
        }
        Ok(standing)
    }

    /// Seconds since the last sign of life.
    fn age(&self) -> i64 {
        self.beat.map_or(i64::MAX, |beat| self.now.duration_since(beat.at).as_secs())
    }

    /// One line on the daemon.
    pub fn daemon(&self) -> String {
        match self.beat {
            None => "no daemon".to_owned(),
            Some(beat) if self.age() > DEAD_AFTER => {
                format!("daemon (process {}) gave no sign of life for {} s", beat.pid, self.age())
            }
            Some(beat) => format!("daemon (process {}) alive, last heartbeat {} s ago", beat.pid, self.age().max(0)),
        }
    }

    /// One line on a schedule.
    pub fn line(state: &State) -> String {
        if let Some(at) = state.paused_at {
            let failures = state.failures;
            return format!("paused since {} after {failures} failed run(s): prosopon schedule resume", seconds(at));
        }
        let next = state.next_start.map_or("not known".to_owned(), |at| seconds(at).to_string());
        let failures = if state.failures > 0 { format!(", {} failed in a row", state.failures) } else { String::new() };
        format!("next start {next}{failures}")
    }

    fn text(&self) -> String {
        let mut lines = vec![self.daemon()];
        if self.schedules.is_empty() {
            lines.push("nothing was ever scheduled here: prosopon schedule PIPELINE".to_owned());
        }
        for (name, state) in &self.schedules {
            lines.push(format!("\n{name}  {}", state.expression));
            lines.push(format!("  schedule  {}", Self::line(state)));
            if let (Some(started), Some(outcome)) = (state.started, state.outcome) {
                let ended = state.ended.map_or(String::new(), |at| format!(", ended {}", seconds(at)));
                lines.push(format!("  last run  {}, started {}{ended}", outcome.name(), seconds(started)));
            }
            if let Some(fire) = state.last_fired {
                lines.push(format!("  last fire {}", seconds(fire)));
            }
            if state.is_unfinished && state.outcome != Some(Outcome::Running) {
                lines.push("  unfinished: the next start continues it".to_owned());
            }
        }
        lines.join("\n") + "\n"
    }

    fn to_json(&self, home: &Path) -> Value {
        let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
        let daemon = self.beat.map(|beat| {
            json!({ "pid": beat.pid, "heartbeat_at": beat.at.to_string(), "age_seconds": self.age().max(0),
                    "alive": self.age() <= DEAD_AFTER })
        });
        let schedule = |(name, state): &(String, State)| {
            json!({
                "pipeline": name, "expression": state.expression, "since": state.since.to_string(),
                "last_fired": text(state.last_fired), "last_started": text(state.started),
                "last_ended": text(state.ended), "last_outcome": state.outcome.map(Outcome::name),
                "unfinished": state.is_unfinished, "failures": state.failures, "paused_at": text(state.paused_at),
                "next_start": text(state.next_start),
            })
        };
        let schedules: Vec<Value> = self.schedules.iter().map(schedule).collect();
        json!({ "home": home, "daemon": daemon, "schedules": schedules })
    }
}

/// Tells on stderr what happens.
struct Teller {
    quiet: bool,
    format: LogFormat,
    counts: Arc<Counts>,
}

impl Listener for Teller {
    fn tell(&self, pipeline: &str, event: &Event) {
        if let Event::Ended(outcome, _) | Event::Failed(outcome, _) = event {
            self.counts.ended(outcome.name());
        }
        let is_trouble = matches!(
            event,
            Event::Failed(..) | Event::TooLong(_) | Event::Died | Event::Paused(_) | Event::Unreadable(_)
        );
        if self.quiet && !is_trouble {
            return;
        }
        // Nobody may read any more; the schedule goes on.
        let mut stderr = std::io::stderr().lock();
        let _ = match self.format {
            LogFormat::Json => writeln!(stderr, "{}", event.to_json(pipeline)),
            LogFormat::Text => writeln!(stderr, "{pipeline}: {event}"),
        };
        if let (Event::Failed(_, error), LogFormat::Text) = (event, self.format) {
            let mut cause = std::error::Error::source(error);
            while let Some(error) = cause {
                let _ = writeln!(stderr, "  caused by: {error}");
                cause = error.source();
            }
        }
    }

    fn observer(&self) -> Arc<dyn Observer> {
        Arc::new(Metered::new(&self.counts, Arc::new(Progress::plain(self.quiet, self.format))))
    }
}
