//! The `schedule` section as it is written.
//!
//! Invariant: nothing here reads a clock.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When the pipeline runs by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Minute, hour, day of month, month, day of week; a sixth field in front holds seconds.
    #[schemars(extend("format" = "cron"), example = &"15 2 * * *")]
    pub cron: String,
    /// The IANA time zone that the expression is meant in.
    #[serde(default = "utc")]
    #[schemars(extend("format" = "time-zone"), example = &"Europe/Berlin")]
    pub time_zone: String,
    /// What happens with runs that were missed while nothing ran.
    #[serde(default)]
    pub catch_up: CatchUp,
    /// Runs missed longer ago than this are not made up for.
    #[serde(default = "day")]
    #[schemars(range(min = 1, max = 8760))]
    pub catch_up_window_hours: u32,
    /// What happens when the run before has not ended.
    #[serde(default)]
    pub overlap: Overlap,
    /// A run starts up to so many seconds late, to spread load.
    #[serde(default)]
    #[schemars(range(min = 0, max = 86400))]
    pub jitter_seconds: u32,
    /// A run that takes longer is stopped cleanly, in minutes.
    #[serde(default = "eight_hours")]
    #[schemars(range(min = 1, max = 10080))]
    pub max_duration_minutes: u32,
    /// After so many failed runs in a row the schedule pauses until somebody looks.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 1000))]
    pub pause_after_failures: u32,
    /// Days on which no run starts.
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
