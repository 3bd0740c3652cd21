//! The `crm` section as it is written.
//!
//! Invariant: column maps name our fields on the left and the export's headers on the right.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::fileset::FileSet;
use crate::consent::dialect::Dialect;

/// Where contacts, accounts and consents come from: exactly one kind of CRM.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Crm {
    /// Exported files.
    Files(Files),
}

/// Exported files: CSV, JSON, JSON Lines or Parquet, told apart by content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// The CRM's name. Ids of subjects rest on it: choose once, do not change.
    #[schemars(extend("format" = "name"), example = &"crm")]
    pub name: String,
    /// One row a contact.
    pub contacts: Contacts,
    /// One row a company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<Accounts>,
    /// One row a consent, refusal, withdrawal or objection. Without it nothing positive is known of anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consents: Option<Consents>,
    /// One row a note or activity of sales people. What it says of contacts with leave is read for roles, and for traits
    /// and preferences where the contact has agreed to profiling; the notes themselves are not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<Notes>,
    /// What the CRM itself says of consents, objections and opt-outs, in its own fields and words: exports of one
    /// moment, read as `prosopon consent import` reads them, before anything else is done. All entries of a dialect are
    /// read together, because records refer to each other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legal: Vec<Legal>,
}

/// Exports of one dialect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Legal {
    /// The file, a folder with all that is below it, or several by `*`, `?` and `**` (any folders): JSON, JSON Lines, CSV or Parquet, told apart by content.
    #[schemars(extend("format" = "path"), example = &"../data/crm/hubspot-*.json")]
    pub path: String,
    /// Whose fields and words they are.
    #[schemars(example = &"hubspot")]
    pub dialect: Dialect,
    /// What positive answers grant, in a file like `config/consent/mapping.example.yaml`; without it they grant
    /// nothing. A `table` takes none: it states its own proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"), example = &"consent-mapping.yaml")]
    pub mapping: Option<String>,
}

/// How the bytes of a file become text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Encoding {
    /// Byte order mark, else UTF-8 where it is valid, else guessed.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// UTF-8.
    #[serde(rename = "utf-8")]
    Utf8,
    /// What Excel writes in Western Europe.
    #[serde(rename = "windows-1252")]
    Windows1252,
    /// Latin-1.
    #[serde(rename = "iso-8859-1")]
    Iso88591,
    /// Latin-9.
    #[serde(rename = "iso-8859-15")]
    Iso885915,
    /// UTF-16, little end first unless the byte order mark says otherwise.
    #[serde(rename = "utf-16")]
    Utf16,
}

/// What stands between two fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Delimiter {
    /// The one that the header line has most of.
    #[default]
    Auto,
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tab stop.
    Tab,
    /// `|`
    Pipe,
}

/// What `03/04/2025` means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// As the dates of the file have it where one of them tells (12/31/2025), else the third of April.
    #[default]
    Auto,
    /// The third of April.
    DayFirst,
    /// The fourth of March.
    MonthFirst,
}

/// What `1.234` means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decimal {
    /// As is usual in the language of the headers.
    #[default]
    Auto,
    /// One thousand two hundred and thirty-four, as in German exports.
    Comma,
    /// A little more than one, as in English exports.
    Point,
}

/// Defines a set of files and its columns; a macro because the sets differ in nothing but the columns.
macro_rules! file_set {
    ($(#[$meta:meta])* $name:ident, $(#[$cmeta:meta])* $columns:ident { $($(#[$fmeta:meta])* $field:ident,)+ } $($extra:tt)*) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// The file, several by `*`, `?` and `**` (any folders), or a folder with all that is below it.
            #[schemars(extend("format" = "path"), example = &"../data/crm/export*.csv")]
            pub path: String,
            /// How its bytes become text; of CSV and JSON.
            #[serde(default)]
            pub encoding: Encoding,
            /// What stands between two fields; of CSV.
            #[serde(default)]
            pub delimiter: Delimiter,
            /// The order of day and month in dates with slashes.
            #[serde(default)]
            pub date_order: DateOrder,
            /// What separates whole numbers from fractions.
            #[serde(default)]
            pub decimal: Decimal,
            /// The headers of the columns, where they are not found by their usual names. In JSON and Parquet: the keys,
            /// those of nested objects joined by dots (`properties.jobtitle`).
            #[serde(default)]
            pub columns: $columns,
            /// Headers that seem to tell what people do not want, and do not: a run does not begin while there is another one
            /// that stands for no field. Of consents that is every column that stands for no field, but for names and the like. In contacts
            /// and notes no cell below them is looked through for a no; one that a field stands for is read for it where `columns` names it.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            #[schemars(inner(length(min = 1)))]
            pub ignored: Vec<String>,
        }

        $(#[$cmeta])*
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct $columns {
            $(
                $(#[$fmeta])*
                #[serde(skip_serializing_if = "Option::is_none")]
                #[schemars(length(min = 1))]
                pub $field: Option<String>,
            )+
            $($extra)*
        }

        impl $name {
            /// The set, with its path resolved by `resolve`.
            pub fn build(&self, resolve: impl Fn(&str) -> PathBuf) -> FileSet {
                FileSet {
                    pattern: resolve(&self.path),
                    encoding: self.encoding,
                    delimiter: self.delimiter,
                    date_order: self.date_order,
                    decimal: self.decimal,
                    columns: self.columns.given(),
                    ignored: self.ignored.clone(),
                }
            }
        }

        impl $columns {
            /// Field name to header, for the fields that are given.
            pub fn given(&self) -> BTreeMap<String, String> {
                [$((stringify!($field), &self.$field)),+]
                    .into_iter()
                    .filter_map(|(field, header)| Some((field.to_owned(), header.clone()?)))
                    .collect()
            }
        }
    };
}

file_set! {
    /// The files with one row a contact.
    Contacts,
    /// Headers of a contact file.
    ContactColumns {
        /// The CRM's record id of the contact.
        id,
        /// The CRM's record id of the company.
        account_id,
        /// Name of the company: where no column has its id, the only company of that name is meant.
        account_name,
        /// Given name.
        given_name,
        /// Family name.
        family_name,
        /// Given and family name in one column.
        full_name,
        /// E-mail addresses.
        email,
        /// Further e-mail addresses.
        email_2,
        /// Job title.
        job_title,
        /// Language of correspondence.
        language,
        /// Country of the place of work.
        country,
        /// When the record was made.
        created_at,
        /// When the record was last changed.
        updated_at,
        /// The CRM's lawful basis.
        legal_basis,
        /// Opted out of all e-mail.
        email_opt_out,
        /// Whether e-mail is allowed: a no opts out, an empty cell says nothing.
        email_allowed,
        /// Whether any contact is allowed: a no means none by any channel, an empty cell says nothing.
        contact_allowed,
        /// No processing at all; an opt-out of enrichment is one.
        do_not_process,
        /// No profiling.
        do_not_profile,
        /// Not to be contacted by any channel.
        do_not_contact,
        /// To be erased.
        should_forget,
        /// Deleted in the CRM, or archived: not worked on any more.
        deleted,
        /// Whether the record is active: a no counts as deleted, an empty cell says nothing.
        active,
        /// The CRM's record id of the contact that this one was merged into.
        merged_into,
        /// The CRM's record ids of the contacts that were merged into this one.
        merged_ids,
        /// A remark, or a state: read for who has left, or is a duplicate of another record, and for nothing else.
        remark,
    }
    /// Public handles: the name of a source to the header of the column with the handle.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub handles: BTreeMap<String, String>,
}

file_set! {
    /// The files with one row a company.
    Accounts,
    /// Headers of an account file.
    AccountColumns {
        /// The CRM's record id of the company.
        id,
        /// Name with legal form.
        name,
        /// Web site or domain.
        domain,
        /// Country.
        country,
        /// City.
        city,
        /// Industry in the CRM's words.
        industry,
        /// NACE Rev. 2 code.
        nace,
        /// Head count.
        employees,
        /// Yearly revenue, in the currency of its own column or cell.
        revenue,
        /// Yearly revenue in EUR.
        revenue_eur,
        /// Currency of the revenue.
        currency,
        /// Legal form.
        legal_form,
        /// Year of foundation.
        founded,
        /// Deleted in the CRM, or archived.
        deleted,
        /// Whether the record is active: a no counts as deleted, an empty cell says nothing.
        active,
        /// The CRM's record id of the company that this one was merged into.
        merged_into,
        /// The CRM's record ids of the companies that were merged into this one.
        merged_ids,
        /// When the record was last changed.
        updated_at,
    }
}

file_set! {
    /// The files with one row a consent, refusal, withdrawal or objection.
    Consents,
    /// Headers of a consent file.
    ConsentColumns {
        /// The CRM's record id of the contact.
        contact_id,
        /// The CRM's id of the event.
        event_id,
        /// Grant, refuse, withdraw, object, restrict, lift.
        kind,
        /// Lawful basis.
        basis,
        /// Purposes.
        purposes,
        /// Source classes.
        source_classes,
        /// Start of validity.
        valid_from,
        /// End of validity.
        valid_to,
        /// When it was recorded.
        recorded_at,
        /// How it was given (form, e-mail, phone).
        method,
        /// Id and version of the notice that was shown.
        notice_id,
        /// Hash of the wording.
        wording_hash,
        /// Language of the wording.
        language,
    }
}

file_set! {
    /// The files with one row a note or activity.
    Notes,
    /// Headers of a file of notes.
    NoteColumns {
        /// The CRM's id of the note.
        note_id,
        /// The CRM's record id of the contact whom it is on.
        contact_id,
        /// The CRM's record id of the company.
        account_id,
        /// Name of the contact: where no column has their id, the only contact of that name is meant.
        contact_name,
        /// E-mail address of the contact: where nothing else is there, the only contact with it is meant.
        contact_email,
        /// Name of the company, where no column has its id.
        account_name,
        /// An id that may be a contact's or a company's, as `regarding_kind` says, else of whoever has it.
        regarding,
        /// Whose id it is: `contact`, `account`.
        regarding_kind,
        /// Note, call, e-mail, meeting, task.
        kind,
        /// When it was written: the age of what it says.
        written_at,
        /// When it was last changed: of several rows of a note the newest holds.
        updated_at,
        /// Deleted in the CRM: not read any more.
        deleted,
        /// Whether the note is active: a no counts as deleted, an empty cell says nothing.
        active,
        /// Its language.
        language,
        /// What it is about: read where it has no text.
        subject,
        /// What it says.
        text,
    }
}
