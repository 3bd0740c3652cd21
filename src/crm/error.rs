//! Why a pull cannot be made.
//!
//! Invariant: an error names file and field, and never the content; a bad row is a dead letter and none of these.

use std::path::PathBuf;

use super::Table;
use super::fields::pipeline_field;

/// Why a pull cannot be made. A bad row is never one of these.
#[derive(Debug, thiserror::Error)]
pub enum CrmError {
    /// No file of that name.
    #[error("{table}: no file matches {}", path.display())]
    NoFile {
        /// `contacts`, `accounts`, `consents` or `notes`.
        table: &'static str,
        /// The pattern, joined to the base folder.
        path: PathBuf,
    },
    /// Consents that end in the middle of a row.
    #[error(
        "{} ends in the middle of the row of line {line}: it was cut short, and a no may be missing (or its last line is no row); export it again",
        path.display()
    )]
    CutOff {
        /// The file.
        path: PathBuf,
        /// Where the row begins.
        line: u64,
    },
    /// Consents of which nobody can tell whose they are.
    #[error("the row of line {line} in {} cannot be read, or has no contact's id, and whose consents it has cannot be told: a no may be in it; correct the row or export \
        it again (or take it out, if you know that it says nothing)", path.display())]
    Nobodys {
        /// The file.
        path: PathBuf,
        /// Where the row begins.
        line: u64,
    },
    /// A row of contacts that may say no, and nobody can tell whose it is.
    #[error("the row of line {line} in {} cannot be read, whose it is cannot be told, and it may say no: an older row of the contact must \
        not hold in its place; repair the row or export it again (or take it out, if you know that it says nothing)", path.display())]
    NobodysNo {
        /// The file.
        path: PathBuf,
        /// Where the row begins.
        line: u64,
    },
    /// Rows of contacts within a cell of another one.
    #[error("the row of line {line} in {} has further rows in it, of which one may say no: close its quote, or export the file again", path.display())]
    Swallowed {
        /// The file.
        path: PathBuf,
        /// Where the row begins.
        line: u64,
    },
    /// What matches a pattern, or lies in a folder, and is no file.
    #[error("{} {what}: take it away, or put the file there", path.display())]
    NotAFile {
        /// Where.
        path: PathBuf,
        /// What is there.
        what: &'static str,
    },
    /// A file of another kind.
    #[error("{} {what}", path.display())]
    NoTable {
        /// The file.
        path: PathBuf,
        /// What it is, and what to do.
        what: &'static str,
    },
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A part of a large pull.
    #[error(transparent)]
    Blocks(#[from] crate::blocks::BlockError),
    /// Another file under the same name, while it was read.
    #[error("{} was changed while it was read; run again when the export is done", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// No header line.
    #[error("{} is empty; it should begin with a line of column headers", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// JSON that does not end, or is too much.
    #[error("{}:{line}: {problem}", path.display())]
    BadJson {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: u64,
        /// What is wrong and what to do.
        problem: &'static str,
    },
    /// Broken Parquet.
    #[error("{} is no readable Parquet file; was it cut off? export it again", path.display())]
    BadParquet {
        /// The file.
        path: PathBuf,
        /// What the reader said; about the file's structure only.
        #[source]
        source: ::parquet::errors::ParquetError,
    },
    /// Parquet that is compressed by what is not read.
    #[error("{} is Parquet compressed by {codec}, which is not read; write it anew with snappy, zstd, gzip, lz4 or brotli, or without \
        compression", path.display())]
    Codec {
        /// The file.
        path: PathBuf,
        /// As Parquet calls it.
        codec: &'static str,
    },
    /// A column of a type that holds no text, number, date or list of texts.
    #[error("{}: column {column:?} has the type {kind}; write text, a number, a date or a list of texts", path.display())]
    BadColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Its type.
        kind: String,
    },
    /// The header line is not text.
    #[error("the header line of {} {problem}", path.display())]
    BadHeader {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: &'static str,
    },
    /// A mapped header is not there.
    #[error("{} has no column {header:?} (mapped to {}); its columns are: {found}", path.display(), pipeline_field(field))]
    MissingHeader {
        /// The file.
        path: PathBuf,
        /// The field of the mapping.
        field: String,
        /// The header of the mapping.
        header: String,
        /// The headers there are.
        found: String,
    },
    /// A needed field has no column.
    #[error("{} has no column for {} (known headers: {known}); map one under `columns`{}; its columns are: {found}", path.display(), pipeline_field(field), elsewhere(*table))]
    MissingField {
        /// The file.
        path: PathBuf,
        /// What it is an export of.
        table: Table,
        /// The field.
        field: &'static str,
        /// Headers that would have been understood.
        known: String,
        /// The headers there are.
        found: String,
    },
    /// A column that may tell what people do not want.
    #[error("{}: the column {header:?} looks as if it told what people do not want, and stands for no field: map it under \
        `columns` (email_opt_out, email_allowed, contact_allowed, do_not_contact, do_not_process, do_not_profile or should_forget), or name it \
        under `ignored`", path.display())]
    UnknownNo {
        /// The file.
        path: PathBuf,
        /// The header.
        header: String,
    },
    /// Columns of consents that may say no.
    #[error("{}: the table of consents has columns that stand for no field, and might say no or make a yes narrower: {headers}; map what \
        they hold under `columns`, name what says nothing under `ignored`, or name the file under `legal` with `dialect: table`, which \
        reads operations, data categories, recipients, regions and what a row replaces, too", path.display())]
    UnknownConsents {
        /// The file.
        path: PathBuf,
        /// The headers.
        headers: String,
    },
    /// A no under an id that a contact has in another spelling.
    #[error("line {line} of {} says no for a contact that no export has (or that it is gone), and one has the same id but for case, signs, zeros, letters of another script or what stands \
        beside it: write one row for each contact, with the id as the contacts have it (or export the contact); until then nobody knows whose no it is", path.display())]
    NearlyKnown {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: u64,
    },
    /// A second header with other columns.
    #[error("line {line} of {} is another header, with its columns in another order: the rows below it would be read as what they are not; \
        put them into a file of their own", path.display())]
    OtherHeader {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: u64,
    },
    /// A no with a contact's id in the place of something else.
    #[error("line {line} of {} says no, and what stands in the place of the contact's id is none, but another cell is one: put its cells in \
        order, or write the header that they have above them; until then nobody knows whose no it is", path.display())]
    IdElsewhere {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: u64,
    },
    /// A column that was taken for a flag, and is none.
    #[error("{}: the column {header:?} is taken for {field}, and holds neither yes nor no in most rows: map the columns that tell \
        it under `columns`, or name this one under `ignored`", path.display())]
    OddFlags {
        /// The file.
        path: PathBuf,
        /// The header.
        header: String,
        /// What it was taken for.
        field: String,
    },
    /// An id that is the number of the row.
    #[error("{}: the column {header:?} numbers the rows, and is nobody's id: the next export will number them otherwise; map the \
        CRM's id under `columns` (id), or map this column if it is one", path.display())]
    RowNumbers {
        /// The file.
        path: PathBuf,
        /// The header.
        header: String,
    },
    /// Two columns that may be the id.
    #[error("{}: both {one:?} and {other:?} may be the contact's id, and one of them may be somebody else's; map the right one under \
        `columns` (id)", path.display())]
    TwoIds {
        /// The file.
        path: PathBuf,
        /// The header of the record's id.
        one: String,
        /// The header of a contact's id.
        other: String,
    },
    /// An id that several people have.
    #[error("{}: the column {header:?} has one id for several people, and is nobody's id; map the CRM's id of the contact under \
        `columns` (id), or map this column if it is one", path.display())]
    SharedId {
        /// The file.
        path: PathBuf,
        /// The header.
        header: String,
    },
    /// Two columns of one name, and a field needs one of them.
    #[error("{} has the column {header:?} twice; rename one", path.display())]
    TwiceHeader {
        /// The file.
        path: PathBuf,
        /// The header.
        header: String,
    },
    /// A mapping of a field that does not exist.
    #[error("{table}: there is no field {field:?}; fields are: {known}")]
    UnknownField {
        /// `contacts`, `accounts`, `consents` or `notes`.
        table: &'static str,
        /// What was given.
        field: String,
        /// The fields there are.
        known: String,
    },
    /// Not a WHATWG label.
    #[error("{table}: {label:?} is not a known encoding; use utf-8, windows-1252, iso-8859-15 or utf-16le")]
    UnknownEncoding {
        /// `contacts`, `accounts`, `consents` or `notes`.
        table: &'static str,
        /// What was given.
        label: String,
    },
    /// Not one ASCII character, or a quote or line end.
    #[error("{table}: {delimiter:?} cannot separate cells; use one of ; , | or a tab")]
    BadDelimiter {
        /// `contacts`, `accounts`, `consents` or `notes`.
        table: &'static str,
        /// What was given.
        delimiter: char,
    },
}

impl CrmError {
    /// The message without the headers that were found: of a file that has none, they are its first row.
    #[must_use]
    pub fn without_headers(&self) -> String {
        let text = self.to_string();
        let text = text.split_once(FOUND).map_or(text.as_str(), |(what, _)| what).to_owned();
        let found = match self {
            Self::BadColumn { column: header, .. }
            | Self::UnknownNo { header, .. }
            | Self::OddFlags { header, .. }
            | Self::RowNumbers { header, .. }
            | Self::SharedId { header, .. }
            | Self::TwiceHeader { header, .. } => vec![header],
            Self::TwoIds { one, other, .. } => vec![one, other],
            Self::UnknownConsents { headers, .. } => return text.replace(headers, "..."),
            _ => Vec::new(),
        };
        found.iter().fold(text, |text, header| text.replace(&format!("{header:?}"), "..."))
    }
}

/// What stands before the headers that were found.
const FOUND: &str = "; its columns are: ";

/// Where else consents can be read.
const fn elsewhere(table: Table) -> &'static str {
    match table {
        Table::Contacts => {
            ", or what else tells people apart and does not change: an address stands for an id with `columns: { id: Email }`, for instance"
        }
        Table::Consents => ", or name the file under `legal` with `dialect: list`, which reads consents in other words",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_machine_names_no_header_of_a_file() {
        let (path, cell) = (PathBuf::from("accounts.csv"), || "Erika \"Muster".to_owned());
        for error in [
            CrmError::MissingHeader { path: path.clone(), field: "id".into(), header: "Firma".into(), found: cell() },
            CrmError::BadColumn { path: path.clone(), column: cell(), kind: "map".into() },
            CrmError::UnknownNo { path: path.clone(), header: cell() },
            CrmError::UnknownConsents { path: path.clone(), headers: cell() },
            CrmError::OddFlags { path: path.clone(), header: cell(), field: "email_opt_out".into() },
            CrmError::RowNumbers { path: path.clone(), header: cell() },
            CrmError::TwoIds { path: path.clone(), one: cell(), other: cell() },
            CrmError::SharedId { path: path.clone(), header: cell() },
            CrmError::TwiceHeader { path, header: cell() },
        ] {
            let text = error.without_headers();
            assert!(error.to_string().contains("Erika"), "{error}");
            assert!(text.starts_with("accounts.csv") && !text.contains("Erika"), "{text}");
        }
    }
}
