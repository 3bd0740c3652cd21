//! What a night costs by the number of contacts: invented exports of growing size, run by the program itself.
//!
//!     cargo bench --bench scale                                # prints the table
//!     SCALE_CONTACTS=1000,5000 cargo bench --bench scale       # other sizes
//!     cargo bench --bench scale -- --write                     # renews it in docs/performance.md
//!
//! Four children for each size: a plain copy of the same rows from CSV to Parquet, the first night of a new home, the night
//! after in which everybody is worked on, and one in which a new export tells of one contact in a hundred, with a note on each,
//! and the rows of all who are not concerned are carried over. CPU time and the highest resident memory are the kernel's (/proc), so that other work on the machine
//! weighs less; shares are of all CPU time: the run tells it by stage.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

const SIZES: &str = "10000,50000,250000,1000000";
const TABLES: [&str; 4] = ["contacts", "accounts", "consents", "notes"];
const MARKS: [&str; 2] = ["<!-- scale: begin -->", "<!-- scale: end -->"];

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let Some(at) = args.iter().position(|a| a == "--copy") {
        return copy(Path::new(&args[at + 1]));
    }
    let sizes = std::env::var("SCALE_CONTACTS").unwrap_or_else(|_| SIZES.to_owned());
    let mut table = String::from(
        "| contacts | notes | what | CPU s | contacts per CPU-second | wall s | peak MiB | share of CPU time |\n\
         | ---: | ---: | --- | ---: | ---: | ---: | ---: | --- |\n",
    );
    for size in sizes.split(',') {
        let contacts: u64 = size.trim().parse().expect("SCALE_CONTACTS is numbers with commas between");
        measure(contacts, &mut table);
    }
    print!("{table}");
    if args.iter().any(|a| a == "--write") {
        write(&table);
    }
}

fn measure(contacts: u64, table: &mut String) {
    let folder = tempfile::Builder::new().prefix("scale-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let world = folder.path().join("world");
    let n = contacts.to_string();
    let made = prosopon(&["demo-data", "--contacts", &n, "--to", text(&world)]).status().expect("it starts");
    assert!(made.success(), "demo-data fails");
    let notes = csv::Reader::from_path(world.join("notes.csv")).expect("notes").into_byte_records().count();
    let pipeline = world.join("pipeline.yaml");
    let run = |also: &[&str]| prosopon(&[&["run", text(&pipeline), "--json", "--quiet"], also].concat());
    let mut copy = Command::new(std::env::current_exe().expect("this file"));
    copy.args(["--copy", text(&world)]);
    let nights =
        [("copy", copy), ("first night", run(&[])), ("next night", run(&["--full"])), ("1 % changed", run(&[]))];
    for (what, mut command) in nights {
        match what {
            "first night" => into_folders(&world),
            "1 % changed" => add_changes(&world),
            _ => {}
        }
        let cost = watch(command.stdout(Stdio::piped()).spawn().expect("it starts"));
        let cpu = cost.cpu.as_secs_f64();
        let _ = writeln!(
            table,
            "| {contacts} | {notes} | {what} | {cpu:.1} | {:.0} | {:.1} | {:.0} | {} |",
            contacts as f64 / cpu,
            cost.wall.as_secs_f64(),
            cost.peak_kib as f64 / 1024.0,
            shares(&cost.out, cpu)
        );
        eprintln!("{contacts} contacts, {what}: {cpu:.1} s");
    }
}

/// Puts each export into a folder, to which others can be added.
fn into_folders(world: &Path) {
    let pipeline = world.join("pipeline.yaml");
    let mut text = fs::read_to_string(&pipeline).expect("a pipeline");
    for table in TABLES {
        let folder = world.join(table);
        fs::create_dir(&folder).expect("a folder");
        fs::rename(world.join(format!("{table}.csv")), folder.join("0.csv")).expect("moved");
        text = text.replace(&format!("path: {table}.csv"), &format!("path: {table}"));
    }
    let grown = text.replace("output:\n", "output:\n  carry_over_days: 7\n");
    assert_ne!(text, grown, "the pipeline says where its tables go");
    fs::write(pipeline, grown).expect("written");
}

/// Adds an export with a row and a note of every hundredth contact.
fn add_changes(world: &Path) {
    let reader = |table: &str| csv::Reader::from_path(world.join(table).join("0.csv")).expect("an export");
    let writer = |table: &str| csv::Writer::from_path(world.join(table).join("1.csv")).expect("an export");
    let (mut all, mut contacts, mut notes) = (reader("contacts"), writer("contacts"), writer("notes"));
    let header = all.headers().expect("a header").clone();
    let column = |name: &str| header.iter().position(|header| header == name).expect("a column");
    let (title, modified) = (column("job title"), column("last modified"));
    contacts.write_record(&header).expect("written");
    notes.write_record(reader("notes").headers().expect("a header")).expect("written");
    for (at, row) in all.records().enumerate().step_by(100) {
        let row = row.expect("a row");
        let cell = |n: usize| if n == title { "Einkaufsleitung" } else { "2026-02-20" };
        let cells = row.iter().enumerate().map(|(n, was)| if n == title || n == modified { cell(n) } else { was });
        contacts.write_record(cells).expect("written");
        let id = format!("N-x{at}");
        let text = "Entscheidet allein über das Budget.";
        notes.write_record([&id, &row[0], &row[1], "note", "2026-02-20T09:00:00Z", "de", text]).expect("written");
    }
    contacts.flush().and_then(|()| notes.flush()).expect("written");
}

fn prosopon(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prosopon"));
    command.args(args).stderr(Stdio::null());
    command
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of the build are UTF-8")
}

struct Cost {
    cpu: Duration,
    wall: Duration,
    peak_kib: u64,
    out: String,
}

/// Looks at a child until it ends: what /proc says of it is gone afterwards.
fn watch(mut child: Child) -> Cost {
    let (begin, id) = (Instant::now(), child.id());
    let mut cost = Cost { cpu: Duration::ZERO, wall: Duration::ZERO, peak_kib: 0, out: String::new() };
    let status = loop {
        if let Some(cpu) = cpu(id) {
            cost.cpu = cpu;
        }
        cost.peak_kib = cost.peak_kib.max(peak(id).unwrap_or(0));
        match child.try_wait().expect("it can be awaited") {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    cost.wall = begin.elapsed();
    assert!(status.success(), "the child fails: {status}");
    if let Some(mut out) = child.stdout.take() {
        std::io::Read::read_to_string(&mut out, &mut cost.out).expect("text");
    }
    cost
}

/// User and system time in hundredths of a second, the fields 14 and 15.
fn cpu(id: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    (ticks > 0).then(|| Duration::from_millis(ticks * 10))
}

fn peak(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The busy time of a run by stage, in hundredths.
fn shares(summary: &str, all: f64) -> String {
    let Ok(summary) = serde_json::from_str::<serde_json::Value>(summary) else { return String::new() };
    let stages: Vec<(&String, f64)> =
        summary["stages"].as_object().into_iter().flatten().filter_map(|(k, v)| Some((k, v.as_f64()?))).collect();
    // Nothing is fetched.
    let stages = stages.into_iter().filter(|(stage, s)| *stage != "fetch" && *s > 0.0);
    let (mut shown, mut rest) = (Vec::new(), all);
    for (stage, seconds) in stages {
        shown.push(format!("{stage} {:.0} %", 100.0 * seconds / all));
        rest -= seconds;
    }
    if !shown.is_empty() {
        shown.push(format!("the rest {:.0} %", 100.0 * rest / all));
    }
    shown.join(", ")
}

/// The least that anybody pays: every row of the exports as text, from CSV to Parquet.
fn copy(world: &Path) {
    for table in TABLES {
        let mut reader = csv::Reader::from_path(world.join(format!("{table}.csv"))).expect("an export");
        let header = reader.headers().expect("a header").clone();
        let fields: Vec<Field> = header.iter().map(|h| Field::new(h, DataType::Utf8, false)).collect();
        let schema = Arc::new(Schema::new(fields));
        let level = Compression::ZSTD(ZstdLevel::default());
        let properties = WriterProperties::builder().set_compression(level).build();
        let file = File::create(world.join(format!("{table}.parquet"))).expect("a file");
        let mut writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties)).expect("a writer");
        let mut columns: Vec<Vec<String>> = vec![Vec::new(); header.len()];
        let mut flush = |columns: &mut Vec<Vec<String>>| {
            let arrays = columns.iter_mut().map(|c| Arc::new(StringArray::from(std::mem::take(c))) as ArrayRef);
            let batch = RecordBatch::try_new(Arc::clone(&schema), arrays.collect()).expect("columns of one length");
            writer.write(&batch).expect("written");
        };
        for record in reader.records() {
            for (column, cell) in columns.iter_mut().zip(&record.expect("a row")) {
                column.push(cell.to_owned());
            }
            if columns[0].len() == 8192 {
                flush(&mut columns);
            }
        }
        flush(&mut columns);
        writer.close().expect("closed");
    }
}

fn write(table: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/performance.md");
    let page = fs::read_to_string(&path).expect("docs/performance.md");
    let (before, rest) = page.split_once(MARKS[0]).expect("the mark of the beginning");
    let (_, after) = rest.split_once(MARKS[1]).expect("the mark of the end");
    fs::write(&path, format!("{before}{}\n\n{table}\n{}{after}", MARKS[0], MARKS[1])).expect("written");
}
