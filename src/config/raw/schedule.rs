//! The `schedule` section as it is written.
//!
//! Invariant: nothing here reads a clock.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When the pipeline runs by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Minute, hour, day of month, month, day of week; a sixth field in front holds seconds. Where day of month and day
    /// of week are both given, either does. Each is `*`, a number, a name (`JAN`, `MON`), a list `1,15`, a range
    /// `MON-FRI` or a step `*/20`; besides, `L` is the last day of a month, `MON#2` the second Monday, `FRI#L` the last
    /// Friday of it. It must come at all. A changed expression holds from then on and starts nothing at once.
    #[schemars(extend("format" = "cron"), example = &"15 2 * * *")]
    pub cron: String,
    /// The IANA time zone that the expression is meant in. Where the clock goes forward, a time that does not exist
    /// comes at the change; where it goes back, a time that comes twice counts the first time. Where the hour is `*` or
    /// a step, it is elapsed time that counts.
    #[serde(default = "utc")]
    #[schemars(extend("format" = "time-zone"), example = &"Europe/Berlin")]
    pub time_zone: String,
    /// What happens with runs that were missed while nothing ran. A start up to 15 minutes late is not missed.
    #[serde(default)]
    pub catch_up: CatchUp,
    /// Runs missed longer ago than this are not made up for; nor are runs continued that were stopped so long ago.
    #[serde(default = "day")]
    #[schemars(range(min = 1, max = 8760))]
    pub catch_up_window_hours: u32,
    /// What happens when the run before has not ended, or another process works in the home.
    #[serde(default)]
    pub overlap: Overlap,
    /// A run starts up to so many seconds late, to spread load; always before the next one, and never for that on a
    /// blackout day. The delay of a run is fixed by its time and the pipeline's name, so a restart does not change it.
    #[serde(default)]
    #[schemars(range(min = 0, max = 86400))]
    pub jitter_seconds: u32,
    /// A run that takes longer is stopped cleanly, in minutes. That counts as failed; the next run goes on from there.
    #[serde(default = "eight_hours")]
    #[schemars(range(min = 1, max = 10080))]
    pub max_duration_minutes: u32,
    /// After so many failed runs in a row the schedule pauses until `prosopon schedule resume`. A run that was stopped
    /// by SIGTERM is no failed one; one whose process vanished is.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 1000))]
    pub pause_after_failures: u32,
    /// Days, in the time zone, on which no run starts. What was missed before waits for their end.
    #[serde(default)]
    #[schemars(extend("items" = {"type": "string", "format": "date"}), extend("uniqueItems" = true), example = ["2026-12-24"])]
    pub blackout_days: Vec<String>,
}

fn utc() -> String {
    "UTC".to_owned()
}

const fn day() -> u32 {
    24
}

const fn eight_hours() -> u32 {
    480
}

const fn three() -> u32 {
    3
}

/// What happens with missed runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// They are left out.
    Skip,
    /// The last one is made up for.
    #[default]
    Latest,
    /// All are made up for, in order.
    All,
}

/// What happens when the run before has not ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// The new run is left out.
    #[default]
    Skip,
    /// The new run waits.
    Queue,
}
