//! `prosopon validate`: every mistake at once, on stderr, never the network; on request, what is made of the exports' columns.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::exit::{Told, Usage};
use crate::config::{self, Diagnostic, Plan};
use crate::consent::gate::Clock;
use crate::crm::{CrmError, CsvSource, DateOrder, Understood, pipeline_field, understood};
use crate::run::agree::load_policy;
use crate::run::legal::check_mappings;
use crate::run::settings::crm_source;
use crate::safe_text::terminal_text;

#[derive(Debug, Args)]
pub(super) struct ValidateArgs {
    /// Pipeline files, or folders of them [default: pipelines/]
    paths: Vec<PathBuf>,

    /// Also look at the header lines of the CRM's files, and tell which column is read as which field
    #[arg(long)]
    columns: bool,

    /// Print the columns as JSON, one object a pipeline and line
    #[arg(long, requires = "columns")]
    json: bool,
}

/// Longer headers are not lined up.
const WIDEST: usize = 40;

/// The exports; a folder or pattern without a note is none of them, as in a run.
fn source(plan: &Plan) -> CsvSource {
    let is_without =
        plan.crm().notes.as_ref().is_some_and(|set| set.is_of_any_number() && set.files().is_ok_and(|f| f.is_empty()));
    let source = crm_source(plan);
    if is_without { CsvSource { notes: None, ..source } } else { source }
}

/// What is made of the columns of a pipeline's exports, for people.
fn columns(plan: &Plan) -> Result<String, CrmError> {
    let mut out = String::new();
    for file in understood(&source(plan), Path::new(""))? {
        let (read, not_read): (Vec<_>, Vec<_>) = file.columns.iter().partition(|(_, fields)| !fields.is_empty());
        let dates = if file.order == DateOrder::MonthFirst { ", month before day" } else { "" };
        let Understood { table, format, encoding, path, columns, .. } = &file;
        let (path, read_of, all) = (path.display(), read.len(), columns.len());
        let _ = writeln!(out, "{table}: {path} ({format}, {encoding}{dates}): {read_of} of {all} columns are read");
        let width = read.iter().map(|(header, _)| header.chars().count().min(WIDEST)).max().unwrap_or_default();
        for (header, fields) in read {
            let fields: Vec<String> = fields.iter().map(|field| pipeline_field(field)).collect();
            let _ = writeln!(out, "  {:width$}  {}", terminal_text(header), fields.join(", "));
        }
        if !not_read.is_empty() {
            let names: Vec<_> = not_read.iter().map(|(header, _)| terminal_text(header)).collect();
            let _ = writeln!(out, "  not read: {}", names.join(", "));
            if *table == "contacts" {
                out.push_str(
                    "            (their cells are looked through for a no, unless `ignored` names the column)\n",
                );
            }
        }
    }
    Ok(out)
}

/// The same for programs.
fn columns_as_json(plan: &Plan) -> Result<String, CrmError> {
    let file = |file: Understood| {
        let order = if file.order == DateOrder::MonthFirst { "month_first" } else { "day_first" };
        let column = |(header, fields): &(String, Vec<String>)| {
            let fields: Vec<String> = fields.iter().map(|field| pipeline_field(field)).collect();
            json!({ "header": header, "fields": fields })
        };
        json!({
            "table": file.table, "path": file.path, "format": file.format, "encoding": file.encoding,
            "date_order": order, "columns": file.columns.iter().map(column).collect::<Vec<_>>(),
        })
    };
    let files: Vec<_> = understood(&source(plan), Path::new(""))?.into_iter().map(file).collect();
    Ok(format!("{}\n", json!({ "pipeline": plan.name(), "files": files })))
}

/// The day on which the pipeline would be judged.
fn today(plan: &Plan, wall: &Clock) -> jiff::civil::Date {
    jiff::tz::Offset::UTC.to_datetime(plan.as_of().unwrap_or_else(|| wall())).date()
}

pub(super) fn execute(args: &ValidateArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let paths = if args.paths.is_empty() { vec![PathBuf::from(config::DEFAULT_FOLDER)] } else { args.paths.clone() };
    let mut unreadable = Vec::new();
    let (files, mut diagnostics) = config::validate_paths(&paths);
    for file in &files {
        // A pipeline that is wrong itself is told already.
        if let Ok(plan) = config::load_settings(file) {
            let mut found =
                load_policy(&plan, Some(today(&plan, wall))).map_or_else(|errors| errors, |(_, warnings)| warnings);
            found.extend(check_mappings(plan.crm()));
            if args.columns {
                match if args.json { columns_as_json(&plan) } else { columns(&plan) } {
                    Ok(told) => std::io::stdout().lock().write_all(told.as_bytes())?,
                    Err(error) => unreadable.push(error),
                }
            }
            let new: Vec<Diagnostic> = found.into_iter().filter(|d| !diagnostics.contains(d)).collect();
            diagnostics.extend(new);
        }
    }
    for diagnostic in &diagnostics {
        eprintln!("{diagnostic}");
    }
    for error in &unreadable {
        eprintln!("error: {error}");
    }
    if files.is_empty() && diagnostics.is_empty() {
        let asked: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
        return Err(Usage(format!("no pipeline file (*.yaml) in {}", asked.join(", "))).into());
    }
    let errors = diagnostics.iter().filter(|d: &&Diagnostic| d.is_error()).count() + unreadable.len();
    if errors > 0 {
        return Err(Told(errors).into());
    }
    eprintln!("{} file(s) checked, no mistakes", files.len());
    Ok(ExitCode::SUCCESS)
}
