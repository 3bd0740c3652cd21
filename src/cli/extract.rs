//! `prosopon extract`: the readers alone, on what is given to them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use url::Url;

use super::exit::{DEAD_LETTERS, Usage};
use crate::extract::{html, text, title};

#[derive(Debug, Args)]
pub(super) struct ExtractArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Job titles: one a line in, one JSON object a line out, in order
    Title {
        /// File with titles; - or nothing = standard input
        file: Option<PathBuf>,
        /// Tell how each was read: which words by which rule, what the model made of it, and calibration of both
        #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "text")]
        explain: Option<ExplainAs>,
    },
    /// One page: HTML in, one JSON object out
    Html {
        /// File with the page; - or nothing = standard input
        file: Option<PathBuf>,
        /// Where the page was found
        #[arg(long)]
        url: Url,
        /// The Content-Type header it came with
        #[arg(long, value_name = "TYPE")]
        content_type: Option<String>,
    },
    /// Bios, posts and notes: JSON Lines in, JSON Lines out, in order
    #[command(
        after_help = "In:  {\"id\",\"kind\":\"bio|post|note|company\",\"lang\"?,\"text\",\"contacts\":[{\"id\",\"name\",\"title\"?}],\"about\",\"company\"?}\n\
Out: {\"id\",\"signals\":[{\"subject\",\"family\",\"value\",\"polarity\",\"quote\",\"span\",\"p\"}],\"withheld\":{\"category\":count}}"
    )]
    Text {
        /// File with records; - or nothing = standard input
        file: Option<PathBuf>,
    },
}

/// How an explanation is printed.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum ExplainAs {
    /// Text for people
    Text,
    /// One JSON object a title
    Json,
}

pub(super) fn execute(args: &ExtractArgs) -> anyhow::Result<ExitCode> {
    let out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match &args.what {
        What::Title { file, explain } => match explain {
            None => drop(title::title_lines(open(file.as_deref())?, out)?),
            Some(format) => {
                title::explain_lines(open(file.as_deref())?, out, matches!(format, ExplainAs::Json))?;
            }
        },
        What::Html { file, url, content_type } => page(file.as_deref(), url, content_type.as_deref(), out)?,
        What::Text { file } => {
            let report = text::text_lines(open(file.as_deref())?, out)?;
            if report.failed > 0 {
                let lines = report.failed + report.read;
                eprintln!("{} of {lines} lines could not be read; see their \"error\"", report.failed);
                return Ok(ExitCode::from(DEAD_LETTERS));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn page(file: Option<&Path>, url: &Url, content_type: Option<&str>, mut out: impl Write) -> anyhow::Result<()> {
    let mut body = Vec::new();
    open(file)?.read_to_end(&mut body).context("the page cannot be read")?;
    serde_json::to_writer(&mut out, &html::read_page(&body, content_type, url)).map_err(io::Error::from)?;
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(())
}

pub(super) fn open(file: Option<&Path>) -> anyhow::Result<Box<dyn BufRead>> {
    match file {
        None => Ok(Box::new(BufReader::with_capacity(1 << 16, io::stdin()))),
        Some(path) if path == Path::new("-") => Ok(Box::new(BufReader::with_capacity(1 << 16, io::stdin()))),
        Some(path) if path.is_dir() => Err(Usage(format!("{} is a folder, not a file", path.display())).into()),
        Some(path) => {
            let file = File::open(path).map_err(|e| Usage(format!("cannot read {}: {e}", path.display())))?;
            Ok(Box::new(BufReader::with_capacity(1 << 16, file)))
        }
    }
}
