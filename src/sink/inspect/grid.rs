//! An aligned table for a terminal.
//!
//! Invariant: widths are set by the first rows and kept, so a table of any length needs bounded memory.

use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Rows that decide the widths.
const SAMPLE: usize = 500;
/// Columns between two columns.
const GAP: usize = 2;
/// No column is cut below this.
const NARROWEST: usize = 6;

/// A table that is being printed.
pub(super) struct Grid<'a> {
    out: &'a mut dyn Write,
    heads: Vec<String>,
    numeric: Vec<bool>,
    width: Option<usize>,
    keep_first: bool,
    waiting: Vec<Vec<String>>,
    widths: Option<Vec<usize>>,
}

impl<'a> Grid<'a> {
    pub(super) fn new(out: &'a mut dyn Write, heads: Vec<String>, numeric: Vec<bool>, width: Option<usize>) -> Self {
        Self { out, heads, numeric, width, keep_first: false, waiting: Vec::new(), widths: None }
    }

    /// Never cuts the first column: an id that is cut cannot be copied.
    pub(super) const fn keep_first(mut self, keep: bool) -> Self {
        self.keep_first = keep;
        self
    }

    /// Takes a row.
    pub(super) fn row(&mut self, cells: Vec<String>) -> io::Result<()> {
        if let Some(widths) = &self.widths {
            return line(self.out, &cells, widths, &self.numeric);
        }
        self.waiting.push(cells);
        if self.waiting.len() == SAMPLE { self.flush() } else { Ok(()) }
    }

    /// Prints what waits, and the footer.
    pub(super) fn finish(mut self, footer: &str) -> io::Result<()> {
        if self.widths.is_none() {
            self.flush()?;
        }
        writeln!(self.out, "{footer}")
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut widths: Vec<usize> = self.heads.iter().map(|h| h.width()).collect();
        for row in &self.waiting {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        fit(&mut widths, self.width, usize::from(self.keep_first));
        line(self.out, &self.heads, &widths, &self.numeric)?;
        let rule: Vec<String> = widths.iter().map(|w| "-".repeat(*w)).collect();
        line(self.out, &rule, &widths, &self.numeric)?;
        for row in self.waiting.drain(..) {
            line(self.out, &row, &widths, &self.numeric)?;
        }
        self.widths = Some(widths);
        Ok(())
    }
}

/// Narrows the widest columns, from `first` on, until the line fits.
fn fit(widths: &mut [usize], available: Option<usize>, first: usize) {
    let Some(available) = available else { return };
    let gaps = GAP * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > available {
        match widths.iter_mut().skip(first).max() {
            Some(widest) if *widest > NARROWEST => *widest -= 1,
            _ => break,
        }
    }
}

fn line(out: &mut dyn Write, cells: &[String], widths: &[usize], numeric: &[bool]) -> io::Result<()> {
    let mut text = String::new();
    for (i, ((cell, width), numeric)) in cells.iter().zip(widths).zip(numeric).enumerate() {
        let cell = cut(cell, *width);
        let pad = " ".repeat(width - cell.width().min(*width));
        if i > 0 {
            text.push_str(&" ".repeat(GAP));
        }
        if *numeric {
            text.push_str(&pad);
            text.push_str(&cell);
        } else {
            text.push_str(&cell);
            text.push_str(&pad);
        }
    }
    writeln!(out, "{}", text.trim_end())
}

/// The text, shortened with `…` to the width.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        short.push(c);
    }
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(rows: &[&[&str]], numeric: &[bool], width: Option<usize>) -> String {
        let mut out = Vec::new();
        let heads = rows[0].iter().map(ToString::to_string).collect();
        let mut grid = Grid::new(&mut out, heads, numeric.to_vec(), width);
        for row in &rows[1..] {
            grid.row(row.iter().map(ToString::to_string).collect()).expect("memory");
        }
        grid.finish("end").expect("memory");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn numbers_stand_right_and_umlauts_and_wide_characters_count_by_width() {
        let made = grid(&[&["name", "n"], &["Müller", "5"], &["東京", "1000"]], &[false, true], None);
        assert_eq!(made, "name       n\n------  ----\nMüller     5\n東京    1000\nend\n");
    }

    #[test]
    fn the_widest_column_is_cut_first_and_no_line_is_too_long() {
        let made = grid(&[&["id", "text"], &["a", &"wörter ".repeat(20)]], &[false, false], Some(30));
        assert!(made.lines().all(|l| l.width() <= 30), "{made}");
        assert!(made.contains('…') && made.starts_with("id  text"), "{made}");
    }

    #[test]
    fn an_id_in_front_is_never_cut() {
        let mut widths = [30, 30, 40];
        fit(&mut widths, Some(60), 1);
        assert_eq!(widths, [30, 13, 13]);
        fit(&mut widths, Some(10), 1);
        assert_eq!(widths, [30, NARROWEST, NARROWEST]);
    }

    #[test]
    fn rows_after_the_sample_keep_the_widths() {
        let mut rows: Vec<Vec<&str>> = vec![vec!["a"]];
        rows.resize(SAMPLE + 1, vec!["1234567"]);
        rows.push(vec!["123456789"]);
        let slices: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
        assert!(grid(&slices, &[false], None).ends_with("\n123456…\nend\n"));
    }
}
