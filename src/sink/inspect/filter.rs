//! A filter, bound to a table's columns and evaluated row by row.
//!
//! Invariant: SQL's three-valued logic: a comparison with null is unknown, and only true keeps a row. On a
//! list a test holds if any element passes it; `path[...]` asks one element to pass several tests.

use std::cmp::Ordering;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef};
use jiff::Timestamp;
use jiff::civil::Date;

use super::parse::{Compare, Expr, Literal, Mistake, Path, Test, Value};
use crate::sink::columns::{Column, Kind};
use crate::sink::dictionary::terms;
use crate::sink::error::did_you_mean;

/// A filter that fits its table.
#[derive(Debug)]
pub(super) enum Filter {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    /// Place of a column of lists of structs, and what one of them must pass.
    Element(usize, Box<Self>),
    /// Place of a column, and of a field in its structs.
    Test(usize, Option<usize>, Check),
}

/// What a value must be.
#[derive(Debug)]
pub(super) enum Check {
    /// Any of the values, by equality or order.
    Text(Compare, Vec<String>),
    /// Place in an ordered vocabulary.
    Ordinal(Compare, usize, Vec<&'static str>),
    Number(Compare, Vec<f64>),
    Time(Compare, Vec<i64>),
    Like {
        pattern: Vec<char>,
        any_case: bool,
    },
    Null,
}

/// Vocabularies whose order means something.
const ORDERED: [&str; 1] = ["seniority"];

/// Binds a syntax tree to columns.
pub(super) fn bind(expr: &Expr, columns: &[Column]) -> Result<Filter, Mistake> {
    let inner = |e: &Expr| bind(e, columns).map(Box::new);
    Ok(match expr {
        Expr::And(a, b) => Filter::And(inner(a)?, inner(b)?),
        Expr::Or(a, b) => Filter::Or(inner(a)?, inner(b)?),
        Expr::Not(a) => Filter::Not(inner(a)?),
        Expr::Element(path, e) => {
            let (i, column) = find(&path.parts[0], columns)?;
            let (Kind::Structs(fields), 1) = (&column.kind, path.parts.len()) else {
                return Mistake::new(
                    path.parts[0].1,
                    format!("{} is no list of structs, [...] needs one", column.name),
                );
            };
            Filter::Element(i, Box::new(bind(e, fields)?))
        }
        Expr::Test(path, test) => bind_test(path, test, columns)?,
    })
}

fn find<'a>((name, at): &(String, usize), columns: &'a [Column]) -> Result<(usize, &'a Column), Mistake> {
    if let Some(found) = columns.iter().enumerate().find(|(_, c)| c.name == *name) {
        return Ok(found);
    }
    let names = || columns.iter().map(|c| c.name.as_str());
    let hint = did_you_mean(name, names());
    let known = if hint.is_empty() { format!("; there are {}", names().collect::<Vec<_>>().join(", ")) } else { hint };
    Mistake::new(*at, format!("there is no column {name:?}{known}"))
}

fn bind_test(path: &Path, test: &Test, columns: &[Column]) -> Result<Filter, Mistake> {
    let (i, column) = find(&path.parts[0], columns)?;
    let (leaf, field) = match (&column.kind, path.parts.as_slice()) {
        (_, [_]) => (column, None),
        (Kind::Structs(fields), [_, part]) => {
            let (k, field) = find(part, fields)?;
            (field, Some(k))
        }
        (_, [_, (_, at), ..]) => {
            return Mistake::new(*at, format!("{} has nothing inside", path.parts[path.parts.len() - 2].0));
        }
        (_, []) => return Mistake::new(0, "expected the name of a column"),
    };
    Ok(Filter::Test(i, field, check(leaf, test, path.parts[0].1)?))
}

/// Fits the literals to the type of the column.
fn check(column: &Column, test: &Test, at: usize) -> Result<Check, Mistake> {
    let (compare, literals) = match test {
        Test::Null => return Ok(Check::Null),
        Test::Like { pattern, any_case } => return like(column, pattern, *any_case),
        Test::Compare(compare, literal) => (*compare, std::slice::from_ref(literal)),
        Test::In(literals) => (Compare::Equal, literals.as_slice()),
    };
    match &column.kind {
        Kind::Structs(fields) => {
            let name = &column.name;
            Mistake::new(
                at,
                format!("{name} is a list of structs; ask for a field, for instance {name}.{}", fields[0].name),
            )
        }
        Kind::Int | Kind::Float(_) => each(literals, |l| number(column, l)).map(|v| Check::Number(compare, v)),
        Kind::Time => each(literals, |l| instant(column, l)).map(|v| Check::Time(compare, v)),
        Kind::Term(vocabulary) if compare != Compare::Equal => ordinal(column, vocabulary, compare, &literals[0]),
        Kind::Term(vocabulary) => each(literals, |l| term(column, vocabulary, l)).map(|v| Check::Text(compare, v)),
        Kind::Code | Kind::Prose | Kind::Codes => each(literals, |l| text(column, l)).map(|v| Check::Text(compare, v)),
    }
}

fn each<T>(literals: &[Literal], fit: impl Fn(&Literal) -> Result<T, Mistake>) -> Result<Vec<T>, Mistake> {
    literals.iter().map(fit).collect()
}

fn text(column: &Column, literal: &Literal) -> Result<String, Mistake> {
    match &literal.value {
        Value::Text(t) => Ok(t.clone()),
        _ => Mistake::new(literal.at, format!("{} holds text; write it in quotes, '...'", column.name)),
    }
}

fn term(column: &Column, vocabulary: &str, literal: &Literal) -> Result<String, Mistake> {
    let given = text(column, literal)?;
    let known = terms(vocabulary);
    if known.is_empty() || known.contains(&given.as_str()) {
        return Ok(given);
    }
    let hint = did_you_mean(&given, known.iter().copied());
    let hint = if hint.is_empty() { format!("; it holds {}", known.join(", ")) } else { hint };
    Mistake::new(literal.at, format!("{} never holds {given:?}{hint}", column.name))
}

fn ordinal(column: &Column, vocabulary: &str, compare: Compare, literal: &Literal) -> Result<Check, Mistake> {
    if !ORDERED.contains(&vocabulary) {
        return Mistake::new(literal.at, format!("the terms of {} have no order; use = or in (...)", column.name));
    }
    let given = term(column, vocabulary, literal)?;
    let known = terms(vocabulary);
    let place = known.iter().position(|t| *t == given).expect("term() checked it");
    Ok(Check::Ordinal(compare, place, known))
}

fn number(column: &Column, literal: &Literal) -> Result<f64, Mistake> {
    match literal.value {
        Value::Number(n) => Ok(n),
        _ => Mistake::new(literal.at, format!("{} holds numbers; write one without quotes", column.name)),
    }
}

fn instant(column: &Column, literal: &Literal) -> Result<i64, Mistake> {
    let parsed = match &literal.value {
        Value::Text(t) => t.parse::<Timestamp>().ok().or_else(|| {
            let date: Date = if t.len() == 10 { t.parse().ok()? } else { return None };
            jiff::tz::Offset::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).ok()
        }),
        _ => None,
    };
    parsed.map(Timestamp::as_microsecond).map_or_else(
        || {
            Mistake::new(
                literal.at,
                format!("{} holds instants; write '2026-03-02' or '2026-03-02T03:00:00Z'", column.name),
            )
        },
        Ok,
    )
}

fn like(column: &Column, pattern: &Literal, any_case: bool) -> Result<Check, Mistake> {
    if !matches!(column.kind, Kind::Code | Kind::Prose | Kind::Term(_) | Kind::Codes) {
        return Mistake::new(pattern.at, format!("{} holds no text, `like` needs some", column.name));
    }
    let pattern = text(column, pattern)?;
    let pattern = if any_case { pattern.to_lowercase() } else { pattern };
    Ok(Check::Like { pattern: pattern.chars().collect(), any_case })
}

impl Filter {
    /// The columns that the filter reads, by place.
    pub(super) fn places(&self, into: &mut Vec<usize>) {
        match self {
            Self::And(a, b) | Self::Or(a, b) => {
                a.places(into);
                b.places(into);
            }
            Self::Not(a) => a.places(into),
            Self::Element(i, _) | Self::Test(i, ..) => into.push(*i),
        }
    }

    /// Whether a row passes; `None` = unknown. `columns` by place.
    pub(super) fn eval(&self, columns: &[ArrayRef], row: usize) -> Option<bool> {
        match self {
            Self::And(a, b) => match a.eval(columns, row) {
                Some(false) => Some(false),
                Some(true) => b.eval(columns, row),
                None => b.eval(columns, row).filter(|b| !b),
            },
            Self::Or(a, b) => match a.eval(columns, row) {
                Some(true) => Some(true),
                Some(false) => b.eval(columns, row),
                None => b.eval(columns, row).filter(|b| *b),
            },
            Self::Not(a) => a.eval(columns, row).map(|v| !v),
            Self::Element(i, inner) => {
                let list = columns[*i].as_list::<i32>().value(row);
                let fields = list.as_struct().columns();
                any((0..list.len()).map(|k| inner.eval(fields, k)))
            }
            Self::Test(i, field, check) => test(&columns[*i], *field, check, row),
        }
    }
}

/// True if any is true, else unknown if any is unknown.
fn any(values: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(false);
    for value in values {
        match value {
            Some(true) => return Some(true),
            None => result = None,
            Some(false) => {}
        }
    }
    result
}

fn test(array: &ArrayRef, field: Option<usize>, check: &Check, row: usize) -> Option<bool> {
    let Some(list) = array.as_list_opt::<i32>() else { return leaf(array, check, row) };
    let values = list.value(row);
    match (field, check) {
        (None, Check::Null) => Some(values.is_empty()),
        (None, _) => any((0..values.len()).map(|k| leaf(&values, check, k))),
        (Some(f), _) => {
            let column = values.as_struct().column(f);
            any((0..values.len()).map(|k| leaf(column, check, k)))
        }
    }
}

fn leaf(array: &ArrayRef, check: &Check, row: usize) -> Option<bool> {
    if matches!(check, Check::Null) {
        return Some(array.is_null(row));
    }
    if array.is_null(row) {
        return None;
    }
    let text = || array.as_string::<i32>().value(row);
    Some(match check {
        Check::Text(compare, all) => all.iter().any(|v| compare.holds(text().cmp(v.as_str()))),
        Check::Ordinal(compare, place, terms) => {
            terms.iter().position(|t| *t == text()).is_some_and(|p| compare.holds(p.cmp(place)))
        }
        Check::Number(compare, all) => {
            let value = array
                .as_primitive_opt::<Float64Type>()
                .map_or_else(|| array.as_primitive::<Int64Type>().value(row) as f64, |floats| floats.value(row));
            all.iter().any(|v| compare.holds(value.partial_cmp(v).unwrap_or(Ordering::Less)))
        }
        Check::Time(compare, all) => {
            let value = array.as_primitive::<TimestampMicrosecondType>().value(row);
            all.iter().any(|v| compare.holds(value.cmp(v)))
        }
        Check::Like { pattern, any_case: false } => is_like(text(), pattern),
        Check::Like { pattern, any_case: true } => is_like(&text().to_lowercase(), pattern),
        Check::Null => unreachable!("answered above"),
    })
}

/// SQL `like`: `%` any text, `_` one character, `\` takes the next literally. Linear in practice, no recursion.
fn is_like(text: &str, pattern: &[char]) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut t, mut p) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let (escaped, want) = match pattern.get(p) {
            Some('\\') if p + 1 < pattern.len() => (true, Some(pattern[p + 1])),
            other => (false, other.copied()),
        };
        if !escaped && want == Some('%') {
            retry = Some((t, p));
            p += 1;
        } else if t < text.len() && want.is_some_and(|w| w == text[t] || (!escaped && w == '_')) {
            t += 1;
            p += 1 + usize::from(escaped);
        } else if t == text.len() && want.is_none() {
            return true;
        } else if let Some((from, percent)) = retry.filter(|(from, _)| *from < text.len()) {
            retry = Some((from + 1, percent));
            t = from + 1;
            p = percent + 1;
        } else {
            return false;
        }
    }
}
