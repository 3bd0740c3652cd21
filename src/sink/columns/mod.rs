//! What every table holds, column by column: the one place that schema, encoder and dictionary follow.
//!
//! Invariant: every column has a description, a data category and, where it is a measure, a unit.

mod companies;
mod people;
mod process;

use std::sync::LazyLock;

use super::Table;

/// A column of a table, or a field of a struct in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether a row may have no value.
    pub nullable: bool,
    /// Unit of measure, empty where there is none.
    pub unit: &'static str,
    /// What kind of data it is, for the record of processing.
    pub category: Category,
    /// What it means, one sentence.
    pub description: String,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// An id, hash or code, stored exactly.
    Code,
    /// Text that people read, stored through [`super::safe_text`].
    Prose,
    /// A term of the named closed vocabulary.
    Term(&'static str),
    /// A whole number, 64 bits.
    Int,
    /// A 64-bit floating-point number in a range.
    Float(Range),
    /// An instant, microseconds, UTC.
    Time,
    /// A list of codes or terms.
    Codes,
    /// A list of structs.
    Structs(Vec<Column>),
}

/// The range of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// [0, 1].
    Unit,
    /// [-1, 1].
    Bipolar,
    /// 0 or more.
    NotNegative,
    /// Any finite number.
    Finite,
}

impl Range {
    /// How it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unit => "[0, 1]",
            Self::Bipolar => "[-1, 1]",
            Self::NotNegative => "[0, inf)",
            Self::Finite => "(-inf, inf)",
        }
    }

    /// Whether the number lies in it; no range holds NaN or an infinity.
    #[must_use]
    pub fn holds(self, v: f64) -> bool {
        v.is_finite()
            && match self {
                Self::Unit => (0.0..=1.0).contains(&v),
                Self::Bipolar => (-1.0..=1.0).contains(&v),
                Self::NotNegative => v >= 0.0,
                Self::Finite => true,
            }
    }
}

/// What kind of data a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Pseudonymous or CRM identifier of a person.
    PersonId,
    /// Professional life of a person: function, level, role.
    Professional,
    /// Inferred interests, traits, goals and preferences of a person.
    Profile,
    /// About a company.
    Company,
    /// Lawful basis, permits, notices, retention.
    Legal,
    /// How the data came about; not about a person.
    Technical,
}

impl Category {
    /// Every category, in the order of the documentation.
    pub const ALL: [Self; 6] =
        [Self::PersonId, Self::Professional, Self::Profile, Self::Company, Self::Legal, Self::Technical];

    /// The word in metadata and dictionary.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PersonId => "person_identifier",
            Self::Professional => "person_professional",
            Self::Profile => "person_profile",
            Self::Company => "company",
            Self::Legal => "legal",
            Self::Technical => "technical",
        }
    }
}

/// The columns of a table, in the order of the file.
#[must_use]
pub fn columns(table: Table) -> &'static [Column] {
    static ALL: LazyLock<[Vec<Column>; 8]> = LazyLock::new(|| {
        [
            people::personas(),
            people::evidence(),
            companies::accounts(),
            companies::buying_centers(),
            process::decisions(),
            process::documents(),
            process::dead_letters(),
            process::runs(),
        ]
    });
    &ALL[table.place()]
}

/// The columns that a terminal shows if nobody asks for others.
#[must_use]
pub const fn default_columns(table: Table) -> &'static [&'static str] {
    match table {
        Table::Personas => &["crm_record", "subject_id", "job_function", "seniority", "buying_roles", "tier"],
        Table::Evidence => &["subject_id", "account_id", "facet", "value", "weight", "source", "quote"],
        Table::Accounts => &["account_id", "name", "country", "industry", "employees", "decision_style", "n_personas"],
        Table::BuyingCenters => &["account_id", "role", "coverage", "members", "expected_size", "next_best_question"],
        Table::Decisions => {
            &["target_kind", "subject_id", "account_id", "host", "source_id", "operation", "outcome", "primary_reason"]
        }
        Table::Documents => &["source_id", "host", "outcome", "reason", "status", "bytes", "cache", "robots", "tdm"],
        Table::DeadLetters => &["stage", "reason", "detail", "subject_id"],
        Table::Runs => &["run_id", "outcome", "as_of", "n_subjects", "n_personas", "n_refusals", "n_dead_letters"],
    }
}

/// How rows are sorted; `None` where they are a set.
#[must_use]
pub const fn sort_key(table: Table) -> Option<&'static str> {
    match table {
        Table::Personas | Table::Evidence => Some("account_id, subject_id"),
        Table::Accounts => Some("account_id"),
        Table::BuyingCenters => Some("account_id, role"),
        Table::Decisions | Table::Documents | Table::DeadLetters | Table::Runs => None,
    }
}

impl Column {
    fn new(name: &str, kind: Kind, category: Category, description: &str) -> Self {
        Self { name: name.into(), kind, nullable: false, unit: "", category, description: description.into() }
    }

    /// The same column where a row may have no value.
    fn null(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// The same column with a unit.
    fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }
}

fn code(name: &str, category: Category, description: &str) -> Column {
    Column::new(name, Kind::Code, category, description)
}

fn prose(name: &str, category: Category, description: &str) -> Column {
    Column::new(name, Kind::Prose, category, description)
}

fn term(name: &str, vocabulary: &'static str, category: Category, description: &str) -> Column {
    Column::new(name, Kind::Term(vocabulary), category, description)
}

fn int(name: &str, unit: &'static str, category: Category, description: &str) -> Column {
    Column::new(name, Kind::Int, category, description).unit(unit)
}

fn float(name: &str, range: Range, category: Category, description: &str) -> Column {
    Column::new(name, Kind::Float(range), category, description)
}

fn time(name: &str, category: Category, description: &str) -> Column {
    Column::new(name, Kind::Time, category, description).unit("UTC, microseconds")
}

fn codes(name: &str, category: Category, description: &str) -> Column {
    Column::new(name, Kind::Codes, category, description)
}

fn structs(name: &str, category: Category, description: &str, fields: Vec<Column>) -> Column {
    Column::new(name, Kind::Structs(fields), category, description)
}

/// The status column that goes with a value.
fn status(name: &str, category: Category) -> Column {
    term(name, "facet_status", category, "Why there is, or is no, value.")
}

/// The three columns of a facet: value, `_probability`, `_status`.
fn facet(value: Column) -> [Column; 3] {
    let (name, category) = (value.name.clone(), value.category);
    let p = format!(
        "That {name} is right, as its signals were weighed (half-lives, reliability of sources), or as the study \
         prior has it; null where abstained."
    );
    [
        value.null(),
        float(&format!("{name}_probability"), Range::Unit, category, &p).unit("probability").null(),
        status(&format!("{name}_status"), category),
    ]
}

/// A list of named values with their status.
fn named(name: &str, description: &str) -> Column {
    let c = Category::Profile;
    structs(
        name,
        c,
        description,
        vec![
            prose("name", c, "What is valued."),
            prose("value", c, "The value; null where abstained.").null(),
            status("status", c),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_snake_case_and_default_columns_and_sort_keys_exist() {
        for table in Table::ALL {
            let names: Vec<&str> = columns(table).iter().map(|c| c.name.as_str()).collect();
            for (i, name) in names.iter().enumerate() {
                assert!(!names[..i].contains(name), "{table}.{name} twice");
                assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit()), "{name}");
            }
            let keys = sort_key(table).unwrap_or("").split(", ").filter(|k| !k.is_empty());
            for name in default_columns(table).iter().copied().chain(keys) {
                assert!(names.contains(&name), "{table} has no {name}");
            }
        }
    }

    #[test]
    fn no_column_ranks_or_excludes_a_person() {
        for table in [Table::Personas, Table::BuyingCenters] {
            for c in columns(table) {
                assert!(!["rank", "score", "decision", "exclude", "priority"].contains(&c.name.as_str()), "{}", c.name);
            }
        }
    }
}
