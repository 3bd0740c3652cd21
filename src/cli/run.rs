//! `prosopon run`: a pipeline from CRM rows to persona tables.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;

use super::LogFormat;
use super::exit::{DEAD_LETTERS, Usage};
use super::metrics::{self, Counts, Metered};
use super::otlp::Collector;
use super::progress::{self, Progress};
use crate::consent::gate::Clock;
use crate::fetch::CancelHandle;
use crate::run::engine::{Options, RunError, World, run};
use crate::run::summary::Summary;

#[derive(Debug, Args)]
#[command(after_help = "A killed run continues with the same command and repeats nothing that was committed.")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line in its own right")]
pub(super) struct RunArgs {
    /// The pipeline file
    pipeline: PathBuf,
    /// The home, instead of the pipeline's `output.home`
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The clock of the inference (2026-03-02T03:00:00Z or 2026-03-02), instead of the pipeline's
    #[arg(long, value_name = "TIME", value_parser = super::instant)]
    as_of: Option<Timestamp>,
    /// Only the first N contacts
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Hold about N contacts of the exports in memory at once [default: 8192]; fewer need less memory
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    at_once: Option<u32>,
    /// Work on everybody, even where `output.carry_over_days` lets rows be carried over from the last snapshot
    #[arg(long)]
    full: bool,
    /// Plan and decide; fetch nothing, write nothing
    #[arg(long)]
    dry_run: bool,
    /// Run although a column with which people say no was there in the run before and is not any more
    #[arg(long)]
    accept_columns: bool,
    /// Publish although more contacts or companies of the last run are missing than `budgets.missing_share` allows
    #[arg(long)]
    accept_missing: bool,
    /// Keep every exchange with the network, sealed, in the home's cassettes
    #[arg(long, conflicts_with_all = ["dry_run", "replay"])]
    record: bool,
    /// Answer from the recording of a run instead of a network; `latest` is the newest
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = "latest", conflicts_with = "dry_run")]
    replay: Option<String>,
    #[command(flatten)]
    pub watched: Watched,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// Who is told of runs while they go on.
#[derive(Debug, Default, Args)]
pub(super) struct Watched {
    /// Tell counts to Prometheus at `http://ADDR/metrics`, for instance 127.0.0.1:9464
    #[arg(long, value_name = "ADDR")]
    pub metrics: Option<std::net::SocketAddr>,
    /// Send traces to the OpenTelemetry collector at this address (OTLP over HTTP), for instance `http://127.0.0.1:4318`
    #[arg(long, value_name = "URL")]
    pub otlp: Option<Collector>,
}

impl Watched {
    /// Serves counts at the address that was named, if one was.
    ///
    /// # Errors
    /// The address cannot be listened at.
    pub async fn serve(&self, counts: &Arc<Counts>) -> anyhow::Result<()> {
        let Some(addr) = self.metrics else { return Ok(()) };
        let counts = Arc::clone(counts);
        let bound = metrics::serve(addr, Arc::new(move || counts.text())).await;
        let bound = bound.map_err(|e| Usage(format!("--metrics {addr} cannot be listened at: {e}")))?;
        tracing::info!(%bound, "metrics");
        Ok(())
    }
}

pub(super) fn execute(args: &RunArgs, quiet: bool, format: LogFormat, wall: &Clock) -> anyhow::Result<ExitCode> {
    let options = Options {
        as_of: args.as_of,
        accept_columns: args.accept_columns,
        accept_missing: args.accept_missing,
        full: args.full,
        at_once: args.at_once.map(|n| n as usize),
        limit: args.limit.map(|n| n as usize),
        dry_run: args.dry_run,
        out: args.out.clone(),
        record: args.record,
        replay: args.replay.clone(),
    };
    let summary = runtime()?.block_on(async {
        let cancel = CancelHandle::new();
        // A limit on the size of files is a disk that refuses, and no reason to end without a word.
        let _too_large = size_limits_are_errors();
        let observer = Arc::new(Progress::start(quiet, format));
        let counts = Arc::new(Counts::default());
        args.watched.serve(&counts).await?;
        let metered = Arc::new(Metered::new(&counts, observer.clone()));
        let world = World { wall: Arc::clone(wall), cancel: cancel.flag(), observer: metered };
        tokio::spawn(async move {
            stop_asked().await;
            cancel.cancel();
            // Held until the run ends: a dropped handle never cancels.
            std::future::pending::<()>().await;
        });
        let summary = Box::pin(run(&args.pipeline, &options, &world)).await;
        // Its observer counts the run as one that goes on.
        drop(world);
        counts.ended(outcome(&summary));
        observer.finish();
        summary.map_err(anyhow::Error::from)
    })?;
    if args.json || format == LogFormat::Json {
        writeln!(std::io::stdout().lock(), "{}", summary.to_json())?;
    } else if !quiet {
        progress::tell(&summary)?;
    }
    if let (Some(limit), false, false) = (args.limit, args.dry_run, quiet) {
        note(format, &format!("only the first {limit} contacts were worked on; the current tables hold only these"));
    }
    if summary.outcome != "completed_with_dead_letters" {
        return Ok(ExitCode::SUCCESS);
    }
    note(format, "more dead letters than `budgets.dead_letter_share` allows: prosopon inspect dead_letters");
    Ok(ExitCode::from(DEAD_LETTERS))
}

/// Catches the signal that ends a process that writes beyond `ulimit -f`: then writing fails, which is told.
#[cfg(target_os = "linux")]
fn size_limits_are_errors() -> io::Result<tokio::signal::unix::Signal> {
    const SIGXFSZ: i32 = 25;
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(SIGXFSZ))
}

#[cfg(not(target_os = "linux"))]
const fn size_limits_are_errors() {}

/// The end of a run, as it is counted.
fn outcome(ended: &Result<Summary, RunError>) -> &str {
    match ended {
        Ok(summary) => &summary.outcome,
        Err(RunError::Cancelled) => "stopped",
        Err(_) => "failed",
    }
}

/// One line on stderr, in the form that is asked for.
fn note(format: LogFormat, text: &str) {
    match format {
        LogFormat::Text => eprintln!("{text}"),
        LogFormat::Json => eprintln!("{}", serde_json::json!({ "event": "note", "message": text })),
    }
}

/// Ends with Ctrl-C or SIGTERM; never, where the system does not let us listen.
pub(super) async fn stop_asked() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// The runtime of a command. Connections are files, of which systems commonly allow 1,024 unless they are asked.
pub(super) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(u64::MAX).min(4096);
    if current.is_some_and(|current| current < wanted) {
        // Where that is not allowed, fewer connections are used.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    }
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
