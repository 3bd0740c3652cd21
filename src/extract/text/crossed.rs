//! Topics of channels by phase: each way of naming a phase crossed with each way of naming a channel.
//!
//! Invariant: a crossed topic says no more than its pattern with both names put in.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::topics::RawTopic;
use crate::taxonomy::PurchasePhase;

/// The crossed topics of a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCross {
    pub(super) version: u32,
    /// How each phase is named.
    phases: BTreeMap<PurchasePhase, Vec<String>>,
    /// How each channel is named.
    channels: BTreeMap<String, Vec<String>>,
    /// How it is said that a channel is liked.
    wishes: BTreeMap<String, Vec<String>>,
    crossed: Vec<RawPattern>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPattern {
    /// Stances; `{phase}` is the name of the phase.
    #[serde(default)]
    with: Vec<String>,
    /// `{phase}`, `{channel}` and `{wish}` are each way of naming them, `{other_phase}` those of all others.
    of: Vec<String>,
    #[serde(default)]
    unless: Vec<String>,
}

impl RawCross {
    /// A topic for each phase, channel and pattern.
    pub(super) fn topics(&self) -> Vec<RawTopic> {
        let mut all = Vec::new();
        for (phase, phases) in &self.phases {
            let others = self.phases.iter().filter(|(other, _)| *other != phase).flat_map(|(_, names)| names.clone());
            let others: Vec<String> = others.collect();
            for (channel, channels) in &self.channels {
                let wishes = self.wishes.get(channel).map_or(&[][..], Vec::as_slice);
                let names =
                    [("{phase}", &phases[..]), ("{channel}", channels), ("{wish}", wishes), ("{other_phase}", &others)];
                all.extend(self.crossed.iter().map(|raw| {
                    let with = raw.with.iter().map(|stance| stance.replace("{phase}", phase.as_str())).collect();
                    RawTopic::of_channel(channel, *phase, with, filled(&raw.of, &names), filled(&raw.unless, &names))
                }));
            }
        }
        all
    }
}

/// Each pattern with each of the names in it.
fn filled(patterns: &[String], names: &[(&str, &[String])]) -> Vec<String> {
    let mut all = patterns.to_vec();
    for (place, names) in names {
        let put = |pattern: String| -> Vec<String> {
            if !pattern.contains(place) {
                return vec![pattern];
            }
            names.iter().map(|name| pattern.replace(place, name)).collect()
        };
        all = all.into_iter().flat_map(put).collect();
    }
    all
}
