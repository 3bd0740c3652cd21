//! The records of all files of an import, some at a time.
//!
//! Invariant: each time they are asked for they are the same, in the same order.

use super::Dialect;
use super::csv::Csv;
use super::input::{InputError, Opened, open, parse};
use super::record::{Problem, Record};

/// So many records of a list are looked at at once.
const AT_ONCE: usize = 4096;

/// Records of an import.
pub struct Records {
    held: Vec<Record>,
    /// Lists, of which each row stands for itself.
    lists: Vec<Csv>,
    n_listed: usize,
    at_once: usize,
}

impl Default for Records {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl From<Vec<Record>> for Records {
    fn from(held: Vec<Record>) -> Self {
        Self { held, lists: Vec::new(), n_listed: 0, at_once: AT_ONCE }
    }
}

impl Records {
    /// Adds those of a file; tells what of it could not be read, and whether it says that there is a next page.
    ///
    /// # Errors
    /// Nothing of the file can be used.
    pub fn add(&mut self, dialect: Dialect, name: &str, bytes: &[u8]) -> Result<(Vec<Problem>, bool), InputError> {
        let export = match dialect {
            Dialect::List => match open(name, bytes)? {
                Opened::Csv(text) => {
                    let (list, mut problems) = (Csv::open(name, text)?, Vec::new());
                    list.each(&mut |_| self.n_listed += 1, &mut |problem| problems.push(problem));
                    self.lists.push(list);
                    return Ok((problems, false));
                }
                Opened::Whole(export) => export,
            },
            _ => parse(name, bytes)?,
        };
        self.held.extend(export.records);
        Ok((export.problems, export.has_more))
    }

    #[cfg(test)]
    pub(super) fn some_at_once(at_once: usize) -> Self {
        Self { at_once, ..Self::default() }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.len() + self.n_listed
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `look` with some records at a time; those that may refer to each other come together.
    pub fn each(&self, look: &mut dyn FnMut(&[Record])) {
        if !self.held.is_empty() {
            look(&self.held);
        }
        let mut some = Vec::new();
        for list in &self.lists {
            let mut take = |record| {
                some.push(record);
                if some.len() == self.at_once {
                    look(&some);
                    some.clear();
                }
            };
            // What is no record was told before.
            list.each(&mut take, &mut |_| {});
        }
        if !some.is_empty() {
            look(&some);
        }
    }
}
