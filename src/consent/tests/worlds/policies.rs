//! Random policies: the demo's, changed.
//!
//! Invariant: each change alone matters to some decision.

use proptest::prelude::*;

use super::super::policy_file;
use crate::consent::event::LawfulBasis;
use crate::consent::policy::{
    PolicyFile, Recipient, RegisteredSource, Terms, Visibility, source_hash, trait_list_hash,
};
use crate::taxonomy::{Operation, SourceClass, Trait};

/// The demo policy with up to two changes.
pub(super) fn policy() -> impl Strategy<Value = PolicyFile> {
    let random = prop::collection::vec(0..42_u8, 1..=3);
    let changes = prop_oneof![6 => Just(vec![]), 1 => Just(vec![41]), 5 => random];
    changes.prop_map(|changes| {
        let mut file = policy_file();
        for which in changes {
            change(&mut file, which);
        }
        file
    })
}

fn change(file: &mut PolicyFile, which: u8) {
    let date = |text: &str| text.parse().expect("a test writes dates");
    let purpose = |file: &mut PolicyFile, name: &str| file.purposes.remove(name).expect("the demo policy has it");
    let mut enrichment = purpose(file, "persona_enrichment");
    let mut profiling = purpose(file, "profiling");
    let mut lia = file.assessments.remove("lia-2026-01").expect("the demo policy has it");
    let mut dpia = file.assessments.remove("dpia-2026-01").expect("the demo policy has it");
    let mut sources: Vec<_> = file.sources.values_mut().collect();
    match which {
        0 => file.approval = None,
        1 => file.version = 2,
        2 => file.permit_ttl_seconds = 86_400 * 400,
        3 => file.consent_sync_max_age_hours = 24 * 400,
        4 => sources.iter_mut().for_each(|s| s.visibility = Visibility::Unknown),
        5 => sources.iter_mut().for_each(|s| s.terms = Terms::Forbid),
        6 => sources.iter_mut().for_each(|s| s.revoked = true),
        7 => sources.iter_mut().for_each(|s| s.contract_until = Some(date("2026-03-01"))),
        8 => sources.iter_mut().for_each(|s| s.contract_until = Some(date("2026-03-02"))),
        9 => sources.iter_mut().for_each(|s| s.class = SourceClass::LoginOrRestricted),
        10 => sources.iter_mut().for_each(|s| s.hosts = vec!["muster.example".into()]),
        11 => enrichment.bases = vec![LawfulBasis::Consent],
        12 => enrichment.operations.push(Operation::Profile),
        13 => enrichment.retention_days = 5,
        14 => enrichment.dpia = Some("dpia-2026-01".into()),
        15 => profiling.bases.push(LawfulBasis::LegitimateInterest),
        16 => profiling.dpia = None,
        17 => lia.expires_at = date("2026-03-03"),
        18 => lia.necessity = None,
        19 => lia.purposes.push("profiling".into()),
        20 => dpia.expires_at = date("2026-03-02"),
        21 => dpia.purposes.push("persona_enrichment".into()),
        22 => file.notice.days = 15,
        23 => drop(file.recipients.remove("sales")),
        24 => enrichment.automated_decision = true,
        25 => enrichment.evidence_max_age_days = Some(15),
        26 => profiling.evidence_max_age_days = Some(15),
        27 => enrichment.data_categories.push("gesundheit".into()),
        28 => enrichment.data_categories = vec!["job".into()],
        29 => enrichment.data_categories.clear(),
        30 => enrichment.recipients.push("partner".into()),
        31 => profiling.recipients.push("partner".into()),
        32 => enrichment.recipients.clear(),
        33 => drop(file.recipients.insert("partner".into(), american(None))),
        34 => drop(file.recipients.insert("partner".into(), american(Some("scc-2021")))),
        35 => lia.data_categories = Some(vec!["job".into(), "traits".into()]),
        36 => dpia.data_categories = Some(vec!["traits".into(), "motives".into()]),
        37 => dpia.models = Some(vec!["m-1".into()]),
        38 => dpia.trait_list = Some("of last year".into()),
        39 => dpia.trait_list = Some(trait_list_hash()),
        40 => {
            let of = |id: &str, source: &RegisteredSource| source_hash(id, source);
            dpia.sources = file.sources.get("crm").map(|crm| vec![of("crm", crm)]);
        }
        // Everything that legitimate interest in profiling needs.
        _ => {
            profiling.bases = vec![LawfulBasis::Consent, LawfulBasis::LegitimateInterest];
            lia.purposes.push("profiling".into());
            lia.source_classes.extend([SourceClass::PublicProfessional, SourceClass::PublicSocial]);
            dpia.source_classes.push(SourceClass::PublicSocial);
            lia.traits = vec![Trait::RiskTolerance, Trait::TechAffinity];
            dpia.traits = vec![Trait::RiskTolerance, Trait::Formality];
        }
    }
    file.purposes.insert("persona_enrichment".into(), enrichment);
    file.purposes.insert("profiling".into(), profiling);
    file.assessments.insert("lia-2026-01".into(), lia);
    file.assessments.insert("dpia-2026-01".into(), dpia);
}

fn american(transfer_tool: Option<&str>) -> Recipient {
    Recipient { region: "US".into(), transfer_tool: transfer_tool.map(str::to_owned) }
}
