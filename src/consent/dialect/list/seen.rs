//! What a row of a list says.
//!
//! Invariant: a cell that may say no and is not understood says it; a yes stands only where nothing of the row leaves it open.

use std::collections::BTreeSet;

use super::words::{self, Compared, Kind, Role, Says, WORDS};

/// A yes or no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Yes {
        /// The date in its own cell.
        at: Option<String>,
    },
    LegitimateInterest,
    No {
        kind: Kind,
        /// The date in its own cell.
        at: Option<String>,
        /// The cell, where it may mean something else.
        cell: Option<String>,
    },
}

impl Answer {
    pub(super) const YES: Self = Self::Yes { at: None };

    const fn no(kind: Kind) -> Self {
        Self::No { kind, at: None, cell: None }
    }

    fn unknown(kind: Kind, cell: &str) -> Self {
        Self::No { kind, at: None, cell: Some(cell.to_owned()) }
    }
}

/// What a row says, and of whom.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
pub(super) struct Seen {
    /// Of the person's own column, and of others.
    pub addresses: BTreeSet<String>,
    pub others: BTreeSet<String>,
    /// Numbers of people, and of customers.
    pub numbers: Vec<String>,
    pub customers: Vec<String>,
    /// Purposes, lists, channels.
    pub labels: Vec<String>,
    pub until: Option<String>,
    /// Answers, by their columns.
    pub answers: Vec<(String, Answer)>,
    /// When it was said yes, when that was confirmed, when all that the row tells was told.
    yes_at: BTreeSet<String>,
    confirmed_at: BTreeSet<String>,
    at: BTreeSet<String>,
    /// When it was said no, by each column that tells.
    no_at: BTreeSet<String>,
    /// A column that says yes by a date or a confirmation, where nothing else says anything.
    dated: Option<String>,
    /// A column with the date of a yes is empty.
    undated: bool,
    /// One of several answers is open.
    open: bool,
    /// No yes of the row stands.
    pub pending: bool,
    /// A column that would say no says that there is none.
    pub denied: bool,
}

impl Seen {
    /// Adds what a cell says.
    pub fn take(&mut self, header: &str, cell: &str, role: Role) {
        let says = words::says(cell);
        match role {
            Role::Other => {}
            Role::Person | Role::Customer | Role::Label | Role::Until | Role::Date => {
                self.frame(header, cell, role, says);
            }
            Role::Doubtful | Role::Asks if matches!(says, Says::Nothing | Says::No) => {}
            Role::Doubtful | Role::Asks => match says {
                Says::Refused(kind) => self.answer(header, Answer::no(kind)),
                _ => self.pending = true,
            },
            Role::Beside => {
                if let Says::Refused(kind) = says {
                    self.answer(header, Answer::no(kind));
                }
            }
            Role::Remark => {
                let is_word = cell.split_whitespace().count() < 4;
                // A few words are an answer, as in any other column.
                let told = match says {
                    Says::Refused(kind) if is_word => vec![kind],
                    _ => words::noes_of_remark(cell),
                };
                for kind in told {
                    // Nobody is erased for a remark.
                    let kind = if kind == Kind::Erase { Kind::Processing } else { kind };
                    self.answer(header, Answer::no(kind));
                }
            }
            Role::Basis => match says {
                Says::Refused(kind) => self.answer(header, Answer::no(kind)),
                _ if words::is_legitimate_interest(cell) => self.answer(header, Answer::LegitimateInterest),
                Says::Granted => self.answer(header, Answer::YES),
                _ => {}
            },
            Role::No(kind) => self.no(header, cell, kind, says),
            Role::YesDate { .. } | Role::Confirmed => self.yes_date(header, role, says),
            Role::Granted => match says {
                Says::Nothing | Says::No => {}
                Says::Refused(kind) => self.answer(header, Answer::no(kind)),
                _ => {
                    self.labels.push(cell.trim().to_owned());
                    self.answer(header, Answer::YES);
                }
            },
            Role::Answer { .. } | Role::Topic { .. } | Role::Kind { .. } => self.judged(header, cell, role, says),
        }
    }

    /// Who, what about, when.
    fn frame(&mut self, header: &str, cell: &str, role: Role, says: Says) {
        let cell = cell.trim().to_owned();
        match (role, says) {
            // An id answers nothing, and is whom it is about all the same.
            (Role::Person, Says::Nothing) if words::is_number_of_something(&cell) => self.numbers.push(cell),
            (Role::Customer, Says::Nothing) if words::is_number_of_something(&cell) => self.customers.push(cell),
            (_, Says::Nothing) => {}
            (Role::Label | Role::Until, Says::Refused(kind)) => self.answer(header, Answer::no(kind)),
            (Role::Person, _) => self.numbers.push(cell),
            (Role::Customer, _) => self.customers.push(cell),
            (Role::Label, _) => self.labels.push(cell),
            (Role::Date, Says::Date(at)) => drop(self.at.insert(at)),
            (Role::Until, Says::Date(at)) => self.until = Some(at),
            // An end that cannot be read is told where it is used.
            (Role::Until, _) => self.until = Some(cell),
            _ => {}
        }
    }

    fn no(&mut self, header: &str, cell: &str, kind: Kind, says: Says) {
        match says {
            Says::Date(at) => {
                self.no_at.insert(at.clone());
                self.answer(header, Answer::No { kind, at: Some(at), cell: None });
            }
            Says::Refused(stricter @ (Kind::Erase | Kind::Restrict)) => self.answer(header, Answer::no(stricter)),
            Says::Nothing | Says::Open | Says::Granted | Says::Unknown | Says::No if words::denies(cell) => {
                self.answer(header, Answer::no(kind));
            }
            Says::Nothing => {}
            Says::No => self.denied = true,
            // In a column of erasures a number is none, and nothing can be taken back.
            Says::Unknown if kind == Kind::Erase => self.answer(header, Answer::unknown(Kind::Object, cell)),
            Says::Granted | Says::Unknown if words::allows(cell) => {}
            Says::Unknown => self.answer(header, Answer::unknown(kind, cell)),
            // That a letter of somebody who objects is still open, or dealt with, makes it no less a no.
            Says::Yes | Says::Refused(_) | Says::Open | Says::Granted => self.answer(header, Answer::no(kind)),
        }
    }

    fn yes_date(&mut self, header: &str, role: Role, says: Says) {
        let confirms = role != Role::YesDate { confirms: false };
        match says {
            Says::Date(at) => {
                let place = if confirms { &mut self.confirmed_at } else { &mut self.yes_at };
                place.insert(at);
            }
            Says::Yes | Says::Granted if role == Role::Confirmed => {}
            _ if confirms => {
                self.pending = true;
                return;
            }
            _ => {
                self.undated = true;
                return;
            }
        }
        self.dated = self.dated.take().or_else(|| Some(header.to_owned()));
    }

    fn judged(&mut self, header: &str, cell: &str, role: Role, says: Says) {
        let is_answer = matches!(role, Role::Answer { .. });
        let alone = !matches!(role, Role::Topic { alone: false } | Role::Kind { alone: false, .. });
        // Somebody was asked, and somebody wrote it down: programs write it otherwise.
        let is_typed = !matches!(cell.trim(), "0" | "false" | "False" | "FALSE");
        let answer = match says {
            Says::Refused(_) if words::was_never_asked(header, cell) => None,
            Says::Refused(kind) => Some(Answer::no(kind)),
            Says::Granted if matches!(role, Role::Kind { .. }) && words::allows(cell) && !self.denied => {
                // The state of today, whatever the list is.
                self.denied = true;
                return self.judged(header, cell, role, says);
            }
            Says::Open => {
                // Of one of several things it is open: the answers to the others stand.
                *(if is_answer { &mut self.open } else { &mut self.pending }) = true;
                None
            }
            Says::Granted if alone => Some(Answer::YES),
            Says::Yes => match role {
                Role::Answer { vague, .. } => (!vague).then_some(Answer::YES),
                Role::Topic { alone: true } => Some(Answer::YES),
                _ => None,
            },
            Says::Date(at) => match role {
                Role::Answer { vague, .. } => (!vague).then_some(Answer::Yes { at: Some(at) }),
                _ => None,
            },
            Says::No => match role {
                Role::Answer { asked: true, .. } => Some(Answer::no(Kind::Refuse)),
                Role::Answer { .. } | Role::Topic { .. } => is_typed.then_some(Answer::no(Kind::Object)),
                Role::Kind { status: true, alone: true } => is_typed.then_some(Answer::no(Kind::Refuse)),
                _ => None,
            },
            Says::Unknown => match role {
                Role::Answer { strict: true, .. } | Role::Kind { status: true, alone: true } => {
                    Some(Answer::unknown(Kind::Object, cell))
                }
                _ => None,
            },
            _ => None,
        };
        if let Some(answer) = answer {
            self.answer(header, answer);
        }
    }

    /// Adds an answer.
    pub fn answer(&mut self, header: &str, answer: Answer) {
        self.answers.push((header.to_owned(), answer));
    }

    /// Settles what stands once all cells are seen.
    ///
    /// Of a row with rows below it a date alone says nothing: they have the answers.
    pub fn settle(&mut self, is_leaf: bool) {
        // Whoever was brought in by an import has a confirmation that nobody gave.
        let is_imported = self.undated && self.yes_at.is_empty() && !self.confirmed_at.is_empty();
        let others = self.answers.iter().any(|(column, _)| !Compared::of(column).has(&WORDS.about.tracking));
        if is_leaf
            && !(others || self.pending || self.open || is_imported)
            && let Some(column) = self.dated.take()
        {
            self.answers.push((column, Answer::YES));
        }
        if self.pending {
            self.answers.retain(|(_, answer)| !matches!(answer, Answer::Yes { .. }));
        }
    }

    /// When an answer was given.
    pub fn date_of(&self, column: &str, answer: &Answer) -> Option<String> {
        let only = |dates: &BTreeSet<String>| dates.first().filter(|_| dates.len() == 1).cloned();
        match answer {
            Answer::Yes { at: Some(at) } | Answer::No { at: Some(at), .. } => Some(at.clone()),
            // Of several dates the earliest: a no of between is later.
            Answer::Yes { at: None } => {
                let given = self.yes_at.first().or_else(|| self.confirmed_at.first());
                given.cloned().or_else(|| self.at.first().cloned())
            }
            Answer::LegitimateInterest => only(&self.at),
            // The date of something else may be too early.
            Answer::No { .. } => {
                let is_of_status = matches!(words::role(column), Role::Kind { .. });
                let of_no = only(&self.no_at).filter(|_| is_of_status);
                of_no.or_else(|| only(&self.at))
            }
        }
    }

    /// What a no is written down as.
    pub fn fields_of_no(&self, column: &str, kind: Kind) -> &'static [&'static str] {
        let context = Compared::of(&format!("{} {column}", self.labels.join(" ")));
        let is_about_something = !self.labels.is_empty() || context.has(&WORDS.headers.topic);
        match kind {
            Kind::Erase => &["erases"],
            Kind::Restrict => &["restricts"],
            Kind::Profiling => &["refuses_profiling"],
            _ if context.has(&WORDS.about.tracking) => &["refuses_profiling"],
            _ if context.has(&WORDS.about.profiling) => &["refuses_profiling", "objects"],
            Kind::Processing => &["refuses"],
            Kind::Object => &["objects"],
            _ if context.has(&WORDS.about.processing) => &["refuses"],
            Kind::Withdraw | Kind::Refuse if is_about_something => &["objects"],
            // Nobody knows of what: of all.
            Kind::Withdraw => &["withdraws", "objects"],
            Kind::Refuse => &["refuses"],
        }
    }
}
