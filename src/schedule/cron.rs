//! When a cron expression comes in its time zone, also where the clock changes.
//!
//! Invariant: pure; what comes after an instant is later than it, so no instant is named twice. croner reads the
//! expression and walks the wall clock; what a clock change does to a time is decided here alone:
//! - A time that does not exist (the clock goes forward) comes at the instant of the change; several come once.
//! - A time that exists twice (the clock goes back) comes the first time only.
//! - Where the hour is open (`*`, `?`, a step, `0-23`) the expression means elapsed time instead: what does not exist
//!   is left out, what exists twice comes twice.

use std::fmt;
use std::str::FromStr as _;

use croner::errors::CronError;
use croner::{CivilDate, CivilDateTime, CivilTime, Cron, CronDateTime, Resolution, Weekday};
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneTransition};
use jiff::{SignedDuration, Timestamp};

/// Where it is looked whether an expression ever comes; a leap year is among the years after.
const ORIGIN: DateTime = DateTime::constant(2024, 1, 1, 0, 0, 0, 0);

/// Twice as far as anything lies back, for the search doubles its steps: the 29th of February comes within eight years.
const FAR: SignedDuration = SignedDuration::from_hours(24 * 366 * 17);

/// Why a text is no cron expression or no zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// It has not five or six fields.
    #[error(
        "this cron expression has {0} field(s): five are needed, from minute to day of week, or six with seconds in front"
    )]
    Fields(usize),
    /// croner does not read a field.
    #[error("{text:?} is no {field} of a cron expression")]
    Field {
        /// Which.
        field: &'static str,
        /// What stands there.
        text: String,
    },
    /// croner does not read it, though each field alone.
    #[error("this cron expression cannot be read")]
    Unreadable,
    /// It names days that do not exist.
    #[error("this cron expression never comes: no year has such a day")]
    Never,
    /// The time zone is not in the database.
    #[error("there is no time zone of this name")]
    Zone,
}

/// A cron expression in a time zone. Two are equal that mean the same, however they are written.
#[derive(Clone)]
pub struct Expression {
    cron: Cron,
    text: String,
    zone: TimeZone,
    zone_name: String,
    /// Whether it means elapsed time rather than times of the day.
    is_open: bool,
}

/// What a clock change does to a time of the wall clock that the expression names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It does not exist and comes at the change.
    Moved,
    /// It does not exist and is left out.
    LeftOut,
    /// It exists twice and comes the first time only.
    Once,
    /// It exists twice and comes twice.
    Twice,
}

/// A change of the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockChange {
    /// The instant.
    pub at: Timestamp,
    /// The first time of the wall clock that is skipped or repeated.
    pub from: DateTime,
    /// The first time of the wall clock after these.
    pub to: DateTime,
    /// Whether the clock goes forward.
    pub is_forward: bool,
    /// The first times of the expression between the two; at most [`MOST_EFFECTS`].
    pub effects: Vec<(DateTime, Effect)>,
}

/// How many times a [`ClockChange`] lists.
pub const MOST_EFFECTS: usize = 24;

/// The fields of an expression in their order; the first may be left out.
const FIELDS: [&str; 6] = ["second", "minute", "hour", "day of month", "month", "day of week"];

/// Which field cannot be read.
fn unreadable(fields: &[&str]) -> ExpressionError {
    let names = &FIELDS[FIELDS.len() - fields.len()..];
    let is_read = |at: usize| {
        let alone: Vec<&str> = (0..fields.len()).map(|i| if i == at { fields[i] } else { "*" }).collect();
        Cron::from_str(&alone.join(" ")).is_ok()
    };
    let wrong = (0..fields.len()).find(|at| !is_read(*at));
    wrong.map_or(ExpressionError::Unreadable, |at| ExpressionError::Field {
        field: names[at],
        text: fields[at].to_owned(),
    })
}

/// Reads an expression and makes sure that it comes at all.
fn read(text: &str) -> Result<Cron, ExpressionError> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    if !matches!(fields.len(), 5 | 6) {
        return Err(ExpressionError::Fields(fields.len()));
    }
    let cron = Cron::from_str(text).map_err(|_| unreadable(&fields))?;
    cron.find_next_occurrence(&Wall(ORIGIN), true).map_err(|_| ExpressionError::Never)?;
    Ok(cron)
}

/// What is wrong with a cron expression.
pub fn cron_mistake(text: &str) -> Option<ExpressionError> {
    read(text).err()
}

/// Whether the time zone database knows the name.
pub fn is_zone(name: &str) -> bool {
    TimeZone::get(name).is_ok()
}

/// The names of all time zones, for suggestions.
pub fn zones() -> Vec<String> {
    jiff::tz::db().available().map(|name| name.to_string()).collect()
}

impl Expression {
    /// Reads an expression of five or six fields, and a zone.
    ///
    /// # Errors
    /// See [`ExpressionError`].
    pub fn new(text: &str, zone: &str) -> Result<Self, ExpressionError> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let cron = read(&text)?;
        let fields: Vec<&str> = text.split(' ').collect();
        let hour = fields[fields.len() - 4];
        let is_whole_day = || hour.split_once('-').is_some_and(|(a, b)| (a.parse(), b.parse()) == (Ok(0), Ok(23)));
        let is_open = hour.starts_with(['*', '?']) || hour.contains('/') || is_whole_day();
        let zone_name = zone.to_owned();
        let zone = TimeZone::get(zone).map_err(|_| ExpressionError::Zone)?;
        Ok(Self { cron, text, zone, zone_name, is_open })
    }

    /// Reads what [`fmt::Display`] wrote; `None` = it cannot be read any more.
    pub fn from_written(text: &str) -> Option<Self> {
        let (cron, zone) = text.rsplit_once(' ')?;
        Self::new(cron, zone).ok()
    }

    /// The expression as it was written, with single spaces.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The time zone.
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The name of the time zone.
    pub fn zone_name(&self) -> &str {
        &self.zone_name
    }

    /// The day of an instant in the zone.
    pub fn day(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// The first instant of a day in the zone.
    pub fn begin_of(&self, day: Date) -> Option<Timestamp> {
        self.zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0)).compatible().ok()
    }

    /// The first instant later than `after`.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let second = Timestamp::from_second(after.as_nanosecond().div_euclid(1_000_000_000) as i64).ok()?;
        let mut wall = self.zone.to_datetime(second);
        // In the first pass of a repeated hour, its earlier minutes are still to come once more.
        if let AmbiguousOffset::Fold { before, after } = self.zone.to_ambiguous_timestamp(wall).offset() {
            wall = wall.checked_sub(SignedDuration::from_secs(i64::from(before.seconds() - after.seconds()))).ok()?;
        }
        let (mut best, mut is_inclusive): (Option<Timestamp>, bool) = (None, true);
        loop {
            let Some(found) = self.wall_after(wall, is_inclusive) else { return best };
            (wall, is_inclusive) = (found, false);
            let Some((first, second)) = self.instants(found) else { continue };
            // The first instants of later wall times are not earlier: nothing better comes.
            if first > after || best.is_some_and(|best| first >= best) {
                return Some(best.map_or(first, |best| best.min(first)));
            }
            if let Some(second) = second.filter(|second| *second > after) {
                best = Some(best.map_or(second, |best| best.min(second)));
            }
        }
    }

    /// The last instant not later than `at`.
    pub fn previous(&self, at: Timestamp) -> Option<Timestamp> {
        let mut back = SignedDuration::from_mins(1);
        while back <= FAR {
            let mut found = self.next(at.checked_sub(back).ok()?).filter(|first| *first <= at);
            while let Some(next) = found.and_then(|found| self.next(found)).filter(|next| *next <= at) {
                found = Some(next);
            }
            if found.is_some() {
                return found;
            }
            back *= 2;
        }
        None
    }

    /// Whether an instant is named by its own time of the wall clock, not moved there by a clock change.
    pub fn names(&self, at: Timestamp) -> bool {
        self.cron.is_time_matching(&Wall(self.zone.to_datetime(at))).unwrap_or(false)
    }

    /// Whether the wall clock shows the time of this instant twice.
    pub fn is_repeated(&self, at: Timestamp) -> bool {
        let wall = self.zone.to_datetime(at);
        matches!(self.zone.to_ambiguous_timestamp(wall).offset(), AmbiguousOffset::Fold { .. })
    }

    /// The next changes of the clock and what they do to this expression.
    pub fn clock_changes(&self, after: Timestamp, count: usize) -> Vec<ClockChange> {
        self.zone.following(after).filter_map(|change| self.clock_change(&change)).take(count).collect()
    }

    fn clock_change(&self, change: &TimeZoneTransition<'_>) -> Option<ClockChange> {
        let (at, after) = (change.timestamp(), change.offset());
        let before = self.zone.to_offset(at.checked_sub(SignedDuration::from_nanos(1)).ok()?);
        if before == after {
            return None;
        }
        let is_forward = after > before;
        let (from, to) = if is_forward { (before, after) } else { (after, before) };
        let (from, to) = (from.to_datetime(at), to.to_datetime(at));
        let effect = match (is_forward, self.is_open) {
            (true, false) => Effect::Moved,
            (true, true) => Effect::LeftOut,
            (false, false) => Effect::Once,
            (false, true) => Effect::Twice,
        };
        let mut effects = Vec::new();
        let mut wall = self.wall_after(from, true);
        while let Some(found) = wall.filter(|wall| *wall < to && effects.len() < MOST_EFFECTS) {
            effects.push((found, effect));
            wall = self.wall_after(found, false);
        }
        Some(ClockChange { at, from, to, is_forward, effects })
    }

    fn wall_after(&self, wall: DateTime, is_inclusive: bool) -> Option<DateTime> {
        self.cron.find_next_occurrence(&Wall(wall), is_inclusive).ok().map(|found| found.0)
    }

    /// The instants at which the expression comes for one time of the wall clock; the second one is later.
    fn instants(&self, wall: DateTime) -> Option<(Timestamp, Option<Timestamp>)> {
        match self.zone.to_ambiguous_timestamp(wall).offset() {
            AmbiguousOffset::Unambiguous { offset } => Some((offset.to_timestamp(wall).ok()?, None)),
            AmbiguousOffset::Fold { before, after } => {
                let second = if self.is_open { Some(after.to_timestamp(wall).ok()?) } else { None };
                Some((before.to_timestamp(wall).ok()?, second))
            }
            AmbiguousOffset::Gap { .. } if self.is_open => None,
            AmbiguousOffset::Gap { after, .. } => {
                // With the later offset the skipped time lies before the change.
                let before = after.to_timestamp(wall).ok()?.checked_sub(SignedDuration::from_nanos(1)).ok()?;
                let change = self.zone.following(before).find(|change| change.offset() == after)?;
                Some((change.timestamp(), None))
            }
        }
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        // Whether a field that is full was written as `*` is for descriptions alone.
        let pattern = |expression: &Self| {
            let mut pattern = expression.cron.pattern.clone();
            let (time, date) = (
                [&mut pattern.seconds, &mut pattern.minutes, &mut pattern.hours],
                [&mut pattern.days, &mut pattern.months, &mut pattern.days_of_week],
            );
            time.into_iter().chain(date).for_each(|field| field.from_wildcard = false);
            pattern
        };
        self.is_open == other.is_open && self.zone == other.zone && pattern(self) == pattern(other)
    }
}

impl Eq for Expression {}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.text, self.zone_name)
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({self})")
    }
}

/// A time of the wall clock, without a zone, for croner.
#[derive(Clone)]
struct Wall(DateTime);

impl CronDateTime for Wall {
    fn to_civil(&self) -> CivilDateTime {
        let (date, time) = (self.0.date(), self.0.time());
        CivilDateTime::new(
            CivilDate::from_parts_unchecked(i32::from(date.year()), date.month() as u32, date.day() as u32),
            CivilTime::from_parts_unchecked(time.hour() as u32, time.minute() as u32, time.second() as u32),
        )
    }

    fn civil_weekday(&self) -> Weekday {
        Weekday::from_days_from_sunday(self.0.weekday().to_sunday_zero_offset() as u32)
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let year = i16::try_from(civil.year()).map_err(|_| CronError::InvalidDate)?;
        let date = Date::new(year, civil.month() as i8, civil.day() as i8).map_err(|_| CronError::InvalidDate)?;
        let time = (civil.hour() as i8, civil.minute() as i8, civil.second() as i8);
        Ok(Resolution::Single(Self(date.at(time.0, time.1, time.2, 0))))
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        self.0.checked_add(SignedDuration::from_secs(seconds)).ok().map(Self)
    }

    fn cmp_instant(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
