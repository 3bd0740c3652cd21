//! Columns of the tables about contacts: `personas` and `evidence`.
//!
//! Invariant: no name, address or URL of a person; the CRM's record id leads back to the CRM.

use super::Category::{Company, Legal, PersonId, Professional, Profile, Technical};
use super::{Column, Range, code, codes, facet, float, int, named, prose, status, structs, term, time};

/// A row is a contact for whom the gate gave an Emit permit.
pub(super) fn personas() -> Vec<Column> {
    let mut all = vec![
        code("account_id", Company, "The company; null where the CRM knows none.").null(),
        code("subject_id", PersonId, "The contact; a keyed id, never made from a name or an e-mail address."),
        code("crm_record", PersonId, "The CRM's record id, to bring the result back to the CRM."),
        time("as_of", Technical, "The instant for which the persona holds."),
    ];
    all.extend(facet(term("job_function", "job_function", Professional, "What the job is about, primarily.")));
    all.push(codes("secondary_functions", Professional, "Further functions (job_function), most probable first."));
    all.extend(facet(term("seniority", "seniority", Professional, "How high the position stands.")));
    all.extend(facet(term("signing_power", "signing_power", Professional, "Registered power to sign; not a level.")));
    all.push(structs(
        "buying_roles",
        Professional,
        "Every role of the buying center, for the pipeline's offering.",
        vec![
            term("role", "buying_role", Professional, "The role."),
            float(
                "probability",
                Range::Unit,
                Professional,
                "That the person has the role, by named weights of our own judgement: given whatever min_probability \
                 is, also where it is small; null where abstained.",
            )
            .unit("probability")
            .null(),
            status("status", Professional),
        ],
    ));
    all.push(structs(
        "traits",
        Profile,
        "Every trait of the closed list; a person's own need consent to profiling.",
        vec![
            term("trait", "trait", Profile, "The trait."),
            float(
                "score",
                Range::Bipolar,
                Profile,
                "From the left pole (-1) to the right pole (1); null where abstained.",
            )
            .null(),
            float(
                "confidence",
                Range::Unit,
                Profile,
                "That the person is at the score's pole; with status segment the share that is, of those of whom it is \
                 known; null where abstained.",
            )
            .null(),
            status("status", Profile),
            int("n_evidence", "signals", Profile, "How many signals the score rests on."),
        ],
    ));
    all.extend(profile());
    all.push(term("tier", "tier", Technical, "How deeply the persona was researched."));
    all.extend(legal());
    all
}

/// What a person wants, how they like to be reached, what surrounds them.
fn profile() -> Vec<Column> {
    vec![
        named("goals", "Professional goals."),
        structs(
            "motives",
            Profile,
            "What moves the person in their role.",
            vec![
                term("motive", "motive", Profile, "The motive."),
                float(
                    "confidence",
                    Range::Unit,
                    Profile,
                    "That it moves the person; with status segment the share that it moves, of those of whom motives are \
                     known; null where abstained.",
                )
                .null(),
                status("status", Profile),
            ],
        ),
        structs(
            "channels",
            Profile,
            "Preferred channel in each phase of a purchase; no leave to contact.",
            vec![
                term("phase", "purchase_phase", Profile, "The phase."),
                term("channel", "channel", Profile, "The channel; null where abstained.").null(),
                status("status", Profile),
            ],
        ),
        named(
            "context",
            "Context of the position: competitive_pressure, company_development, innovation, digital_maturity, \
             internal_adaptation.",
        ),
        named("buying_behaviour", "How the person buys, by habits that were stated (buying_behaviour)."),
        named("information_behaviour", "Where the person looks for information, as stated (information_behaviour)."),
        named("avoided_channels", "How the person does not want to be reached, as stated (channel)."),
        named(
            "requirements",
            "What the person asks of an offer (requirement), by the buying role that typically asks it.",
        ),
        named(
            "empathy_map",
            "says (own words), does (habits), pains, gains; thinks and feels are never made for a person.",
        ),
        structs(
            "study_priors",
            Profile,
            "The study behind each value with status study_prior: no evidence about the person.",
            vec![
                code("facet", Profile, "channel.PHASE or requirement.ROLE."),
                code("value", Profile, "The value that stands there."),
                code("study", Profile, "Id of the study, a file of config/studies."),
            ],
        ),
        segment_values(),
    ]
}

fn segment_values() -> Column {
    structs(
        "segment_values",
        Profile,
        "Where each value with status segment comes from: what holds for most of those in the same position who were \
         researched individually and of whom it is known; no evidence about the person. Empty but for tier segment.",
        vec![
            code(
                "facet",
                Profile,
                "trait.TRAIT, channel.PHASE, requirement.ROLE, motive, goal, buying_behaviour, information_behaviour, avoided_channel.",
            ),
            code("value", Profile, "The value that stands there; of a trait its mean score."),
            prose(
                "segment",
                Profile,
                "Function, group of levels (staff, middle, top), industry and size class; without industry or size where \
                 too few people are known.",
            ),
            int("persons", "people", Profile, "How many people of the segment have the value."),
            int(
                "of_persons",
                "people",
                Profile,
                "Of how many people of the segment the facet is known: at least a fifth of the segment, seldom all of it.",
            ),
            float("share", Range::Unit, Profile, "persons / of_persons: of those of whom it is known.").unit("share"),
        ],
    )
}

fn legal() -> Vec<Column> {
    vec![
        codes("basis", Legal, "Lawful bases of the Emit permit, for instance 6(1)(a)."),
        code("permit_id", Legal, "The Emit permit; joins to decisions."),
        term("notice_status", "notice_status", Legal, "Art. 14 GDPR: not_required, pending, given."),
        time("retain_until", Legal, "End of retention, anchored at first collection."),
    ]
}

/// A row is a signal.
pub(super) fn evidence() -> Vec<Column> {
    vec![
        code("account_id", Company, "The company; null where the CRM knows none.").null(),
        code("subject_id", PersonId, "The contact; null for a signal about a company.").null(),
        code("signal_id", Technical, "The signal; keyed, stable over runs."),
        code("document_id", Technical, "The fetch it was read from; null for CRM rows.").null(),
        code("facet", Technical, "What it speaks about, for instance seniority, trait.formality, account.employees."),
        prose("value", Professional, "What it says; - and + are the poles of a trait, no and yes of a role."),
        float(
            "weight",
            Range::Unit,
            Technical,
            "That the claim is right when it was made, taking this signal alone; of titles calibrated on labelled ones, of \
             all else our own judgement.",
        )
        .unit("probability"),
        code("source", Technical, "crm, rectification, or the registered source."),
        term("source_class", "source_class", Technical, "What kind of place the source is."),
        code("host", Technical, "Host of the page; null for CRM rows.").null(),
        code("document_hash", Technical, "Keyed hash of the body or the CRM row."),
        time(
            "observed_at",
            Technical,
            "From when it is: of a note its date, of a CRM column the record's last change (a year ago where the CRM tells none), of a post or an advert its \
             own date; else when it was fetched, on the run's clock. A date without a time is midnight UTC.",
        ),
        prose("quote", Professional, "The words it rests on, scrubbed, at most 300 characters, without names."),
        prose("locator", Technical, "Where in the document the words stand; of a note with the CRM's id of it."),
        code("extractor", Technical, "What read it."),
        code("extractor_version", Technical, "Version of the extractor.").null(),
        code("permit_id", Legal, "The permit that covers it; joins to decisions."),
    ]
}
