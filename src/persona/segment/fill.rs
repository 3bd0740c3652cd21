//! Putting values of the segment where a persona would else abstain.
//!
//! Invariant: what is known of the person stays as it is, and a list of which the person's own evidence speaks takes
//! nothing in. What a study says makes room: the segment is nearer to the person.

use super::names::Segments;
use crate::persona::input::{FacetKind, FusionInput};
use crate::persona::room::Room;
use crate::persona::rows::{Named, Persona, SegmentValue};
use crate::persona::settings::Size;
use crate::taxonomy::{FacetStatus, Tier};

/// Fills the values in that a run found out before, as far as the persona still belongs to their segment: somebody
/// whose function or level was put right has moved to another one, of which only the next run can tell.
pub(in crate::persona) fn carried(persona: Persona, input: &FusionInput<'_>) -> Persona {
    let Some(room) = Room::of(input).filter(|_| !input.segment_values.is_empty()) else { return persona };
    let account = input.account;
    let size = account.map_or(Size::Unknown, |a| Size::of(a.employees, a.revenue_eur));
    let (nace, industry) = (account.and_then(|a| a.nace.as_deref()), account.and_then(|a| a.industry.as_deref()));
    let segments = Segments::of(&persona, nace, industry, size);
    let still: Vec<SegmentValue> = input.segment_values.iter().filter(|v| segments.has(&v.segment)).cloned().collect();
    fill(persona, &room, &still)
}

/// Fills values of the segment in, where the persona has room for them; only contacts of tier `segment` get any.
#[must_use]
pub fn fill(mut persona: Persona, room: &Room, values: &[SegmentValue]) -> Persona {
    if persona.tier != Tier::Segment || values.is_empty() {
        return persona;
    }
    let mut filling = Filling { room, values, used: Vec::new() };
    filling.traits(&mut persona);
    filling.motives(&mut persona);
    filling.channels(&mut persona);
    filling.column(&mut persona.goals, FacetKind::Goals, "goal");
    filling.column(&mut persona.buying_behaviour, FacetKind::BuyingBehaviour, "buying_behaviour");
    filling.column(&mut persona.information_behaviour, FacetKind::InformationBehaviour, "information_behaviour");
    filling.requirements(&mut persona);
    let mut used = filling.used;
    used.sort_by(|a, b| (&a.facet, &a.value).cmp(&(&b.facet, &b.value)));
    // Where the segment speaks, the study no longer does.
    persona.study_priors.retain(|prior| used.iter().all(|v| v.facet != prior.facet));
    persona.segment_values = used;
    persona
}

/// The filling of one persona.
struct Filling<'a> {
    room: &'a Room,
    values: &'a [SegmentValue],
    used: Vec<SegmentValue>,
}

impl<'a> Filling<'a> {
    /// The values of a facet that may stand there.
    fn of(&self, facet: &str) -> Vec<&'a SegmentValue> {
        let (room, values) = (self.room, self.values);
        let may_stand = |v: &&SegmentValue| !room.is_fixed(facet, &v.value) && !room.is_unwanted(facet, &v.value);
        values.iter().filter(|v| v.facet == facet).filter(may_stand).collect()
    }

    fn traits(&mut self, persona: &mut Persona) {
        for t in &mut persona.traits {
            let facet = format!("trait.{}", t.r#trait);
            let Some(value) = self.of(&facet).first().copied() else { continue };
            let Ok(score) = value.value.parse::<f64>() else { continue };
            if self.room.is_open(FacetKind::Traits, &facet, t.status) {
                (t.score, t.confidence, t.status) = (Some(score), Some(value.share), FacetStatus::Segment);
                self.used.push(value.clone());
            }
        }
    }

    fn motives(&mut self, persona: &mut Persona) {
        if persona.motives.iter().any(|m| m.status == FacetStatus::Known) {
            return;
        }
        let values = self.of("motive");
        for m in &mut persona.motives {
            let Some(value) = values.iter().find(|v| v.value == m.motive.as_str()) else { continue };
            if self.room.is_open(FacetKind::Motives, "motive", m.status) {
                (m.confidence, m.status) = (Some(value.share), FacetStatus::Segment);
                self.used.push((*value).clone());
            }
        }
    }

    fn channels(&mut self, persona: &mut Persona) {
        for c in &mut persona.channels {
            let facet = format!("channel.{}", c.phase);
            let Some(value) = self.of(&facet).first().copied() else { continue };
            let Ok(channel) = value.value.parse() else { continue };
            if self.room.is_open(FacetKind::Channels, &facet, c.status) {
                (c.channel, c.status) = (Some(channel), FacetStatus::Segment);
                self.used.push(value.clone());
            }
        }
    }

    /// A column, or the part of it that one buying role asks: filled whole or not at all.
    fn column(&mut self, rows: &mut Vec<Named>, kind: FacetKind, facet: &str) {
        let own = |n: &Named| n.value.is_some() && n.status != FacetStatus::StudyPrior;
        let values = self.of(facet);
        let Some(first) = rows.first().filter(|_| !values.is_empty()) else { return };
        if rows.iter().any(own) || !self.room.is_open(kind, facet, first.status) {
            return;
        }
        let name = first.name.clone();
        let row = |v: &&SegmentValue| Named {
            name: name.clone(),
            value: Some(v.value.clone().into()),
            status: FacetStatus::Segment,
        };
        *rows = values.iter().map(row).collect();
        self.used.extend(values.into_iter().cloned());
    }

    /// By buying role, and only of roles that the person is held to have: the same that studies go by.
    fn requirements(&mut self, persona: &mut Persona) {
        let rows = std::mem::take(&mut persona.requirements);
        let mut by_role: Vec<Vec<Named>> = Vec::new();
        for row in rows {
            match by_role.last_mut() {
                Some(role) if role[0].name == row.name => role.push(row),
                _ => by_role.push(vec![row]),
            }
        }
        for mut role in by_role {
            let name = role[0].name.clone();
            if persona.holds(&name) {
                self.column(&mut role, FacetKind::Requirements, &format!("requirement.{name}"));
            }
            persona.requirements.extend(role);
        }
    }
}
