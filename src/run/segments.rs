//! What holds for a segment, and who is given it: the last thing that a run does before it publishes.
//!
//! Invariant: counted is what will be published, after the last no was looked for; who said no to profiling has
//! nothing to count, and is given nothing.

use std::collections::HashMap;

use crate::config::Tiers;
use crate::model::SubjectId;
use crate::persona::Room;
use crate::persona::rows::{AccountRow, Persona};
use crate::persona::segment::{Segments, Statistics, Tally, fill as fill_in};
use crate::persona::settings::Size;
use crate::sink::{SinkError, Snapshot, SnapshotWriter};

/// The room that each contact of tier `segment` leaves for values of the segment.
pub(super) type Rooms = HashMap<SubjectId, Room>;

/// Fills values of their segment into the staged personas of tier `segment`. Call it after the last row.
pub(super) fn fill(tiers: &Tiers, rooms: &Rooms, writer: &mut SnapshotWriter) -> Result<(), SinkError> {
    if tiers.segment_from_eur.is_none() || rooms.is_empty() {
        return Ok(());
    }
    let statistics = count(&writer.close_all()?, tiers.segment_people)?;
    writer.personas_anew(|persona, account| {
        let Some(room) = rooms.get(&persona.subject_id) else { return persona };
        let values = statistics.values(&segments(&persona, account));
        fill_in(persona, room, &values)
    })
}

/// Counts what the individually researched personas say, company by company.
fn count(staged: &Snapshot, least: u32) -> Result<Statistics, SinkError> {
    let mut tally = Tally::default();
    let mut company = None;
    crate::sink::each_persona_in_step(staged, |persona, account| {
        if company != persona.account_id {
            tally.end_company();
            company.clone_from(&persona.account_id);
        }
        tally.add(&persona, &segments(&persona, account));
    })?;
    Ok(tally.finish(least))
}

fn segments(persona: &Persona, account: Option<&AccountRow>) -> Segments {
    let size = account.map_or(Size::Unknown, |a| Size::of(a.employees, a.revenue_eur));
    let (nace, industry) = (account.and_then(|a| a.nace.as_deref()), account.and_then(|a| a.industry.as_deref()));
    Segments::of(persona, nace, industry, size)
}
