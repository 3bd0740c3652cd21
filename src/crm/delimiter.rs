//! What stands between the cells of a CSV file.
//!
//! Invariant: what is stated wins; else the first lines tell.

use super::columns::Table;
use super::files::Text;
use super::{CrmError, FileSet};

/// The one of the settings.
///
/// # Errors
/// It cannot part cells.
pub(super) fn stated_delimiter(table: Table, set: &FileSet) -> Result<Option<u8>, CrmError> {
    let Some(delimiter) = set.delimiter else { return Ok(None) };
    let usable = delimiter.is_ascii() && !delimiter.is_ascii_alphanumeric() && !"\"\r\n\0 ".contains(delimiter);
    if !usable {
        return Err(CrmError::BadDelimiter { table: table.name(), delimiter });
    }
    Ok(u8::try_from(delimiter).ok())
}

/// The delimiter, and how many lines were read to learn it (Excel's `sep=;`).
pub(super) fn find_delimiter(table: Table, set: &FileSet, text: &mut Text) -> Result<(u8, u64), CrmError> {
    let stated = stated_delimiter(table, set)?;
    let piece = text.peek()?;
    let begin = piece.iter().take_while(|b| matches!(b, b'\n' | b'\r')).count();
    let line = piece[begin..].split(|b| matches!(b, b'\n' | b'\r')).next().unwrap_or_default();
    if let [b's', b'e', b'p', b'=', delimiter @ (b';' | b',' | b'\t' | b'|')] = *line {
        let end = begin + line.len();
        let behind = piece[end..].iter().take_while(|b| matches!(b, b'\r' | b'\n')).count().min(2);
        let above = piece[..begin].split(|b| *b == b'\n').count() as u64 - 1;
        text.consume(end + behind);
        return Ok((stated.unwrap_or(delimiter), above + 1));
    }
    let mut quoted = false;
    let mut counts = [(b';', 0), (b',', 0), (b'\t', 0), (b'|', 0)];
    for byte in piece {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted && counts.iter().any(|(_, n)| *n > 0) => break,
            _ if !quoted => counts.iter_mut().filter(|(d, _)| d == byte).for_each(|(_, n)| *n += 1),
            _ => {}
        }
    }
    let most = counts.iter().rev().max_by_key(|(_, n)| *n).map_or(b';', |(d, _)| *d);
    Ok((stated.unwrap_or(most), 0))
}
