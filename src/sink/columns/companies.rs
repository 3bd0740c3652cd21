//! Columns of the tables about companies: `accounts` and `buying_centers`.
//!
//! Invariant: a person appears here by keyed id only.

use super::Category::{Company, PersonId, Professional, Technical};
use super::{Column, Range, code, facet, float, int, prose, structs, term};

/// A row is a company.
pub(super) fn accounts() -> Vec<Column> {
    let mut all = vec![
        code("account_id", Company, "The company; a keyed id."),
        code("crm_record", Company, "The CRM's record id."),
        prose("name", Company, "Name with legal form."),
        prose("domain", Company, "Registrable host of the site.").null(),
        prose("country", Company, "ISO 3166-1 alpha-2.").null(),
        prose("city", Company, "City.").null(),
        prose("industry", Company, "Industry in the CRM's words.").null(),
        prose("nace", Company, "Industry as a NACE Rev. 2 code.").null(),
        int("employees", "persons", Company, "Head count.").null(),
        term("size_class", "size_class", Company, "By EU 2003/361/EC: micro, small, medium, large.").null(),
        float("revenue_eur", Range::Finite, Company, "Yearly revenue.").unit("EUR").null(),
        prose("legal_form", Company, "Legal form in its short spelling.").null(),
        prose("register", Company, "Commercial register entry as the imprint states it.").null(),
        prose("vat_id", Company, "VAT id as the imprint states it.").null(),
        int("age_years", "years", Company, "Years since foundation at the run's as_of.").null(),
    ];
    for (name, description) in [
        ("innovation", "How far the company seeks the new."),
        ("digital_maturity", "How digital the company works."),
        ("competitive_pressure", "How hard its market presses."),
        ("development", "growth, restructuring or stable."),
        ("decision_style", "single_decider, few or committee."),
    ] {
        all.extend(facet(prose(name, Company, description)));
    }
    all.push(
        float(
            "segment_information_value",
            Range::Finite,
            Technical,
            "What the known personas add over the prior of the segment; null where nothing is known.",
        )
        .unit("bit")
        .null(),
    );
    all.push(int("n_personas", "persons", Company, "Contacts of the company with a persona."));
    all
}

/// A row is a company and a role.
pub(super) fn buying_centers() -> Vec<Column> {
    vec![
        code("account_id", Company, "The company."),
        term("role", "buying_role", Company, "The role."),
        structs(
            "members",
            Professional,
            "Who has the role with a probability of 0.5 or more, most probable first.",
            vec![
                code("subject_id", PersonId, "The contact; joins to personas."),
                float("probability", Range::Unit, Professional, "That the contact has the role.").unit("probability"),
            ],
        ),
        term(
            "coverage",
            "facet_status",
            Company,
            "known where the role has members (probability 0.5 or more, whatever min_probability is), else why not.",
        ),
        float(
            "expected_size",
            Range::NotNegative,
            Company,
            "How many people one expects in this role at such a company.",
        )
        .unit("persons"),
        float(
            "concentration",
            Range::Unit,
            Company,
            "Concentration of decision power, a Herfindahl index: 1 = one person decides alone.",
        )
        .null(),
        prose("next_best_question", Company, "The question that would tell most; null where the role is filled.")
            .null(),
    ]
}
