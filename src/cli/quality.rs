//! `prosopon quality`: how well the readers read, measured on labelled cases.

use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::exit::Usage;
use crate::extract::title::TitleReader;
use crate::quality::{FacetSet, Leadership, Report, RoleSet, TitleSet, forms, roles, texts, titles};

/// Where the labelled sets of the repository lie.
const TITLES: &str = "testdata/title";
const FORMS: [&str; 2] = ["testdata/title/forms.tsv", "testdata/title/neutral.tsv"];
const LEADERS: &str = "testdata/title/leaders.tsv";
const ROLES: &str = "testdata/persona/quality/roles.yaml";
/// Labelled texts: what was tuned on, and what was not.
const TEXTS: [&str; 153] = [
    "facets_dev",
    "facets_field_dev",
    "facets_inside_dev",
    "facets_company_dev",
    "facets_trade_1_dev",
    "facets_trade_2_dev",
    "facets_talk_1_dev",
    "facets_talk_2_dev",
    "facets_wishes_own",
    "facets_wishes_traps",
    "facets_person_own",
    "facets_person_traps",
    "facets_idiom_own",
    "facets_idiom_traps",
    "facets_terse_a_1_dev",
    "facets_terse_a_2_dev",
    "facets_terse_a_3_dev",
    "facets_terse_a_4_dev",
    "facets_terse_b_1_dev",
    "facets_terse_b_2_dev",
    "facets_terse_b_3_dev",
    "facets_terse_b_4_dev",
    "facets_terse_c_1_dev",
    "facets_terse_c_2_dev",
    "facets_terse_c_3_dev",
    "facets_terse_c_4_dev",
    "facets_terse_d_1_dev",
    "facets_terse_d_2_dev",
    "facets_terse_d_3_dev",
    "facets_terse_d_4_dev",
    "facets_terse_w_own",
    "facets_terse_w_traps",
    "facets_terse_h_own",
    "facets_terse_h_traps",
    "facets_terse_p_own",
    "facets_terse_p_traps",
    "facets_heads_own",
    "facets_heads_traps",
    "facets_roles_traps",
    "facets_sceptic_de_traps",
    "facets_sceptic_en_traps",
    "facets_sceptic2_de_traps",
    "facets_sceptic2_en_traps",
    "facets_seat_traps",
    "facets_firm_de_traps",
    "facets_firm_en_traps",
    "facets_roles_de_1_dev",
    "facets_roles_de_2_dev",
    "facets_roles_de_3_dev",
    "facets_roles_en_1_dev",
    "facets_roles_en_2_dev",
    "facets_roles_en_3_dev",
    "facets_roles_de_4_dev",
    "facets_roles_de_5_dev",
    "facets_roles_de_6_dev",
    "facets_roles_de_7_dev",
    "facets_roles_en_4_dev",
    "facets_roles_en_5_dev",
    "facets_roles_en_6_dev",
    "facets_roles_en_7_dev",
    "facets_natural_de_1_dev",
    "facets_natural_de_2_dev",
    "facets_natural_en_1_dev",
    "facets_natural_en_2_dev",
    "facets_people_de_1_dev",
    "facets_people_de_2_dev",
    "facets_people_de_3_dev",
    "facets_people_en_1_dev",
    "facets_people_en_2_dev",
    "facets_people_en_3_dev",
    "facets_deal_de_1_dev",
    "facets_deal_de_2_dev",
    "facets_deal_de_3_dev",
    "facets_deal_en_1_dev",
    "facets_deal_en_2_dev",
    "facets_deal_en_3_dev",
    "facets_bio_de_dev",
    "facets_bio_en_dev",
    "facets_feed_de_dev",
    "facets_feed_en_dev",
    "facets_mail_own",
    "facets_seats_de_1_dev",
    "facets_seats_de_2_dev",
    "facets_seats_en_1_dev",
    "facets_seats_en_2_dev",
    "facets_entries_de_dev",
    "facets_entries_en_dev",
    "facets_feed2_de_dev",
    "facets_feed2_en_dev",
    "facets_layout_de_1_dev",
    "facets_layout_de_2_dev",
    "facets_layout_de_3_dev",
    "facets_layout_de_4_dev",
    "facets_layout_en_1_dev",
    "facets_layout_en_2_dev",
    "facets_layout_en_3_dev",
    "facets_prose_de_1_dev",
    "facets_prose_de_2_dev",
    "facets_prose_de_3_dev",
    "facets_prose_en_1_dev",
    "facets_prose_en_2_dev",
    "facets_prose_en_3_dev",
    "facets_firm_de_1_dev",
    "facets_firm_de_2_dev",
    "facets_firm_de_3_dev",
    "facets_firm_en_1_dev",
    "facets_firm_en_2_dev",
    "facets_firm_en_3_dev",
    "facets_self_de_1_dev",
    "facets_self_de_2_dev",
    "facets_self_en_1_dev",
    "facets_self_en_2_dev",
    "facets_test",
    "facets_messy_test",
    "facets_field_holdout",
    "facets_inside_holdout",
    "facets_company_holdout",
    "facets_third_holdout",
    "facets_trade_3_holdout",
    "facets_trade_4_holdout",
    "facets_talk_3_holdout",
    "facets_talk_4_holdout",
    "facets_terse_1_holdout",
    "facets_terse_2_holdout",
    "facets_terse_3_holdout",
    "facets_terse_4_holdout",
    "facets_roles_de_holdout",
    "facets_roles_en_holdout",
    "facets_roles_de_fresh_holdout",
    "facets_roles_en_fresh_holdout",
    "facets_natural_de_fresh_holdout",
    "facets_natural_en_fresh_holdout",
    "facets_people_de_fresh_holdout",
    "facets_people_en_fresh_holdout",
    "facets_deal_de_fresh_holdout",
    "facets_deal_en_fresh_holdout",
    "facets_bio_fresh_holdout",
    "facets_feed_fresh_holdout",
    "facets_seats_de_fresh_holdout",
    "facets_seats_en_fresh_holdout",
    "facets_entries_fresh_holdout",
    "facets_feed2_fresh_holdout",
    "facets_layout_de_fresh_holdout",
    "facets_layout_de_2_fresh_holdout",
    "facets_layout_en_fresh_holdout",
    "facets_prose_de_fresh_holdout",
    "facets_prose_en_fresh_holdout",
    "facets_firm_de_fresh_holdout",
    "facets_firm_en_fresh_holdout",
    "facets_firm2_de_fresh_holdout",
    "facets_firm2_en_fresh_holdout",
    "facets_self_de_fresh_holdout",
    "facets_self_en_fresh_holdout",
];
/// Sets that were written and labelled before they were read.
const BLIND: [&str; 7] = ["fresh", "second", "third", "fourth", "fifth", "sixth", "french"];

#[derive(Debug, Args)]
pub(super) struct QualityArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Args)]
struct Shown {
    /// List the misreadings instead (never of a hold-out)
    #[arg(long, conflicts_with_all = ["json", "write"])]
    misses: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "write")]
    json: bool,
    /// Put the tables into this document, between its marks
    #[arg(long, value_name = "DOCUMENT")]
    write: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Accuracy, macro-F1, coverage, precision and calibration of the title reader
    Titles {
        /// Labelled titles (TSV; see testdata/title/README.md) [default: the blind sets of the repository]
        files: Vec<PathBuf>,
        #[command(flatten)]
        shown: Shown,
    },
    /// Precision and coverage of persona facets read from notes, bios and posts
    Text {
        /// Labelled texts (YAML; see testdata/text/README.md) [default: those of the repository]
        files: Vec<PathBuf>,
        #[command(flatten)]
        shown: Shown,
    },
    /// Coverage, precision, recall and calibration of the buying roles
    Roles {
        /// Labelled cases (YAML) [default: those of the repository]
        file: Option<PathBuf>,
        #[command(flatten)]
        shown: Shown,
    },
}

pub(super) fn execute(args: &QualityArgs) -> anyhow::Result<ExitCode> {
    match &args.what {
        What::Titles { files, shown } => {
            let mut sets = title_sets(files)?;
            if shown.misses {
                let misses = sets.iter().flat_map(|set| set.misses(TitleReader::shipped()));
                return lines(misses);
            }
            let held_out: Vec<&TitleSet> = sets.iter().filter(|s| s.name().contains("holdout")).collect();
            if held_out.len() > 1 {
                sets.push(TitleSet::pooled("all hold-outs", &held_out));
            }
            let (mut groups, mut leadership) = (Vec::new(), None);
            if files.is_empty() {
                for file in FORMS {
                    groups.extend(forms(&read(Path::new(file))?));
                }
                leadership = Leadership::of(LEADERS, &read(Path::new(LEADERS))?).map_err(|e| Usage(e.to_string()))?;
            }
            show(&Report { leadership, ..titles(&sets, &groups) }, shown, "quality titles")
        }
        What::Text { files, shown } => {
            let report = texts(&text_sets(files)?);
            if shown.misses {
                return lines(report.sets.into_iter().flat_map(|set| set.misses));
            }
            show(&report, shown, "quality text")
        }
        What::Roles { file, shown } => {
            let path = file.as_deref().unwrap_or(Path::new(ROLES));
            let set = RoleSet::parse(&read(path)?).map_err(|e| Usage(format!("{}: {e}", path.display())))?;
            let report = roles(&set);
            if shown.misses {
                return lines(report.misses.into_iter());
            }
            show(&report, shown, "quality roles")
        }
    }
}

fn title_sets(files: &[PathBuf]) -> anyhow::Result<Vec<TitleSet>> {
    let blind = BLIND.iter().flat_map(|n| ["dev", "holdout"].map(|part| format!("{TITLES}/{n}_{part}.tsv")));
    let blind: Vec<PathBuf> = blind.map(PathBuf::from).filter(|p| p.exists()).collect();
    let files = if files.is_empty() { &blind } else { files };
    if files.is_empty() {
        return Err(Usage(format!("name files with labelled titles: there are none under {TITLES} here")).into());
    }
    let parse = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(TitleSet::parse(&name, &read(path)?).map_err(|e| Usage(e.to_string()))?)
    };
    files.iter().map(parse).collect()
}

fn text_sets(files: &[PathBuf]) -> anyhow::Result<Vec<FacetSet>> {
    let shipped = TEXTS.map(|name| PathBuf::from(format!("testdata/text/{name}.yaml")));
    let files = if files.is_empty() { &shipped[..] } else { files };
    let parse = |path: &PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(FacetSet::parse(&name, &read(path)?).map_err(|e| Usage(format!("{}: {e}", path.display())))?)
    };
    files.iter().map(parse).collect()
}

fn read(path: &Path) -> anyhow::Result<String> {
    Ok(std::fs::read_to_string(path).map_err(|e| Usage(format!("cannot read {}: {e}", path.display())))?)
}

fn lines(all: impl Iterator<Item = String>) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    for line in all {
        writeln!(out, "{line}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(report: &(impl Display + Serialize), shown: &Shown, mark: &str) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    if let Some(path) = &shown.write {
        let with = between(&read(path)?, mark, &report.to_string());
        let with = with.ok_or_else(|| Usage(format!("{} has no marks <!-- {mark} -->", path.display())))?;
        std::fs::write(path, with)?;
    } else if shown.json {
        writeln!(out, "{}", serde_json::to_string(report)?)?;
    } else {
        write!(out, "{report}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A document with `tables` between `<!-- mark -->` and `<!-- end of mark -->`.
fn between(document: &str, mark: &str, tables: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {mark} -->\n"), format!("<!-- end of {mark} -->"));
    let from = document.find(&begin)? + begin.len();
    let to = from + document[from..].find(&end)?;
    Some(format!("{}\n{tables}\n{}", &document[..from], &document[to..]))
}

#[cfg(test)]
mod tests {
    use super::between;

    #[test]
    fn tables_go_between_the_marks_and_nothing_else_changes() {
        let document = "a\n<!-- x -->\nold\n<!-- end of x -->\nz\n";
        let once = between(document, "x", "new\n").expect("marks");
        assert_eq!(once, "a\n<!-- x -->\n\nnew\n\n<!-- end of x -->\nz\n");
        assert_eq!(between(&once, "x", "new\n").as_ref(), Some(&once));
        assert_eq!(between(document, "y", "new"), None);
    }
}
