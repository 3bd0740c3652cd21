//! The next fires of a schedule, and what clock changes do to them.
//!
//! Invariant: pure; the same schedule and begin give the same lines.

use std::fmt::Write as _;

use jiff::civil::DateTime;
use jiff::{Timestamp, ZonedDateTime};
use serde_json::{Value, json};

use super::cron::{ClockChange, Effect, MOST_EFFECTS};
use super::decide::{Spec, just_before};

/// How many clock changes are told of.
const CHANGES: usize = 2;

/// A fire to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coming {
    /// The instant that the expression names.
    pub fire: Timestamp,
    /// When the run starts; `None` on a blackout day.
    pub start: Option<Timestamp>,
    /// Whether its time of the wall clock does not exist on that day.
    pub is_moved: bool,
    /// Whether its time of the wall clock comes twice on that day.
    pub is_repeated: bool,
}

/// What is to come.
#[derive(Debug, Clone)]
pub struct Preview<'a> {
    spec: &'a Spec,
    /// The next fires.
    pub coming: Vec<Coming>,
    /// The next clock changes.
    pub changes: Vec<ClockChange>,
}

impl<'a> Preview<'a> {
    /// The next fires from an instant on, which may be one.
    pub fn new(spec: &'a Spec, from: Timestamp, count: usize) -> Self {
        let expression = spec.expression();
        let from = just_before(from);
        let fires = std::iter::successors(expression.next(from), |fire| expression.next(*fire));
        let coming = |fire| Coming {
            fire,
            start: spec.is_eligible(fire).then(|| spec.start_of(fire)),
            is_moved: !expression.names(fire),
            is_repeated: expression.is_repeated(fire),
        };
        Self { spec, coming: fires.take(count).map(coming).collect(), changes: expression.clock_changes(from, CHANGES) }
    }

    /// Lines for people.
    pub fn text(&self) -> String {
        let expression = self.spec.expression();
        let mut text = format!("{}  {:?} in {}\n", self.spec.name(), expression.text(), expression.zone_name());
        for coming in &self.coming {
            let local = ZonedDateTime::new(coming.fire, expression.zone().clone());
            let shown = local.strftime("%a %Y-%m-%d %H:%M:%S %:z");
            let notes = Self::notes(coming);
            let _ = writeln!(text, "  {shown}  {}{notes}", coming.fire);
        }
        if self.coming.is_empty() {
            text.push_str("  no run is to come\n");
        }
        for change in &self.changes {
            Self::tell_change(change, &mut text);
        }
        if self.changes.is_empty() {
            let _ = writeln!(text, "\n  the clock of {} does not change", expression.zone_name());
        }
        text
    }

    fn notes(coming: &Coming) -> String {
        let mut notes = String::new();
        match coming.start {
            None => notes.push_str("  no run: blackout day"),
            Some(start) if start != coming.fire => {
                let _ = write!(notes, "  starts {} s later", start.duration_since(coming.fire).as_secs());
            }
            Some(_) => {}
        }
        if coming.is_moved {
            notes.push_str("  moved here by the clock change");
        }
        if coming.is_repeated {
            notes.push_str("  the clock shows this time twice");
        }
        notes
    }

    fn tell_change(change: &ClockChange, text: &mut String) {
        let way = if change.is_forward { "forward" } else { "back" };
        let (from, to) = (change.from, change.to);
        let what = if change.is_forward { "does not exist" } else { "comes twice" };
        // Midnight is the end of a day as well as the begin of the next.
        let is_end =
            to.time() == jiff::civil::Time::midnight() && from.date().tomorrow().is_ok_and(|day| day == to.date());
        let to_shown = match (from.date() == to.date(), is_end) {
            (true, _) => clock(to),
            (false, true) => "24:00".to_owned(),
            (false, false) => format!("{} {}", to.date(), clock(to)),
        };
        let _ = writeln!(text, "\n  clock change {} ({way}): {} to {to_shown} {what}", from.date(), clock(from));
        if change.effects.is_empty() {
            text.push_str("    no run lies there\n");
        }
        for (wall, effect) in &change.effects {
            let effect = match effect {
                Effect::Moved => format!("does not exist: runs at the change, {}, once", clock(to)),
                Effect::LeftOut => "does not exist: left out".to_owned(),
                Effect::Once => "comes twice: runs the first time only".to_owned(),
                Effect::Twice => "comes twice: runs both times".to_owned(),
            };
            let _ = writeln!(text, "    {} {effect}", clock(*wall));
        }
        if change.effects.len() == MOST_EFFECTS {
            text.push_str("    ...\n");
        }
    }

    /// One JSON object.
    pub fn to_json(&self) -> Value {
        let expression = self.spec.expression();
        let zone = expression.zone();
        let coming = |coming: &Coming| {
            json!({
                "at": coming.fire.to_string(),
                "local": ZonedDateTime::new(coming.fire, zone.clone()).to_string(),
                "start": coming.start.map(|at| at.to_string()),
                "blackout": coming.start.is_none(),
                "moved_by_clock_change": coming.is_moved,
                "repeated_by_clock_change": coming.is_repeated,
            })
        };
        let change = |change: &ClockChange| {
            let effects: Vec<Value> = change
                .effects
                .iter()
                .map(|(wall, effect)| json!({ "wall": wall.to_string(), "effect": effect.name() }))
                .collect();
            json!({
                "at": change.at.to_string(), "forward": change.is_forward, "from": change.from.to_string(),
                "to": change.to.to_string(), "effects": effects,
            })
        };
        json!({
            "pipeline": self.spec.name(), "cron": expression.text(), "time_zone": expression.zone_name(),
            "fires": self.coming.iter().map(coming).collect::<Vec<_>>(),
            "clock_changes": self.changes.iter().map(change).collect::<Vec<_>>(),
        })
    }
}

impl Effect {
    /// How it is written in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Moved => "moved",
            Self::LeftOut => "left_out",
            Self::Once => "once",
            Self::Twice => "twice",
        }
    }
}

/// Hours and minutes; seconds where there are any.
fn clock(wall: DateTime) -> String {
    let (hour, minute, second) = (wall.hour(), wall.minute(), wall.second());
    if second == 0 { format!("{hour:02}:{minute:02}") } else { format!("{hour:02}:{minute:02}:{second:02}") }
}
