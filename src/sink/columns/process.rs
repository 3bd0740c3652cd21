//! Columns of the tables about the work: `decisions`, `documents`, `dead_letters`, `runs`.
//!
//! Invariant: a person appears here by keyed id only; no body, no URL, no text of a page.

use super::Category::{Company, Legal, PersonId, Technical};
use super::{Column, Range, code, codes, float, int, prose, structs, term, time};

/// A row is a decision of the gate.
pub(super) fn decisions() -> Vec<Column> {
    vec![
        code("account_id", Company, "The company, where the target has one.").null(),
        code("subject_id", PersonId, "The contact, where the target is one.").null(),
        code("host", Technical, "The host, where the target is one.").null(),
        term("target_kind", "target_kind", Technical, "subject, account or host."),
        code("decision_id", Legal, "The decision; a keyed id."),
        code("permit_id", Legal, "The permit; null where refused.").null(),
        term("outcome", "outcome", Legal, "permit or refusal."),
        code("purpose", Legal, "The registered purpose that was asked for."),
        term("operation", "operation", Legal, "What was to be done."),
        code("source_id", Technical, "crm, or the registered source that was to be asked."),
        code("primary_reason", Legal, "First failing check; null where permitted.").null(),
        codes("reasons", Legal, "All failing checks in their order; where permitted, the lawful bases."),
        time("decided_at", Technical, "When, on the gate's clock."),
        time("valid_until", Legal, "Until when the permit holds; null where refused.").null(),
        time("holds_until", Legal, "Until when what the permit rests on holds, if nothing new is said; null where refused, and where nothing ends.")
            .null(),
    ]
}

/// A row is a used fetch permit.
pub(super) fn documents() -> Vec<Column> {
    vec![
        code("document_id", Technical, "The fetch; a keyed id."),
        code("permit_id", Legal, "The permit that was used; joins to decisions."),
        term("outcome", "fetch_outcome", Technical, "fetched, failed or abandoned."),
        code("reason", Technical, "Why it is not fetched, for instance http_status, timeout, tdm_reserved.").null(),
        code("source_id", Technical, "The registered source."),
        code("host", Technical, "Host that was asked."),
        int("status", "", Technical, "HTTP status, where one came.").null(),
        int("bytes", "byte", Technical, "Size of the body as received."),
        code(
            "hash",
            Technical,
            "Keyed hash of the body, hmac-sha256: and hex; of a page that had not changed, as it was read.",
        )
        .null(),
        term("cache", "cache_state", Technical, "miss, hit, revalidated (304: it had not changed) or none."),
        prose("robots", Technical, "Verdict of robots.txt: allow, disallow: RULE, unreachable, not_asked."),
        prose("tdm", Technical, "Verdict on text-and-data-mining: none, reserved: WHERE, not_asked."),
        int("attempts", "requests", Technical, "How many requests it took."),
        time("started_at", Technical, "Wall clock of the first request."),
        time("finished_at", Technical, "Wall clock of the end."),
    ]
}

/// A row is an input that could not be processed.
pub(super) fn dead_letters() -> Vec<Column> {
    vec![
        term("stage", "stage", Technical, "Where it happened: crm, plan, fetch, read, fuse."),
        code("reason", Technical, "A stable word, for instance unknown_legal_basis."),
        prose("detail", Technical, "What to do: file, line, field; no personal data."),
        code("row_commitment", Technical, "Keyed commitment to the row, hmac-sha256: and hex."),
        code("subject_id", PersonId, "The contact, where the row could be tied to one.").null(),
    ]
}

/// A row is a run.
pub(super) fn runs() -> Vec<Column> {
    let mut all = vec![
        code("run_id", Technical, "The run."),
        code("pipeline", Technical, "Name of the pipeline."),
        term("outcome", "run_outcome", Technical, "completed or completed_with_dead_letters."),
        time("as_of", Technical, "The clock of the inference."),
        time("started_at", Technical, "Wall clock of the first start."),
        time("finished_at", Technical, "Wall clock just before publishing."),
        int("resumed", "times", Technical, "How often the run was continued after a stop."),
        term("network", "network", Technical, "demo, replay or public."),
        int("n_subjects", "persons", Technical, "Subjects read from the CRM."),
    ];
    all.extend(
        ["accounts", "personas", "evidence"]
            .map(|t| int(&format!("n_{t}"), "rows", Technical, &format!("Rows of {t}."))),
    );
    all.extend([
        int("n_permits", "decisions", Technical, "Permits of the gate."),
        int("n_refusals", "decisions", Technical, "Refusals of the gate."),
        int("n_documents", "rows", Technical, "Rows of documents."),
        int("n_dead_letters", "rows", Technical, "Rows of dead_letters."),
        code("plan_hash", Technical, "Hash of the checked plan."),
        code("policy_hash", Legal, "Hash of the policy."),
        code("inputs_hash", Technical, "Hash over the input files."),
        code("ledger_checkpoint", Legal, "The ledger state that the gate decided by.").null(),
        code("software_version", Technical, "Version of prosopon."),
        code("taxonomy_version", Technical, "Version of the vocabularies."),
        int("schema_version", "", Technical, "Version of the table layout."),
        int("requests_used", "requests", Technical, "Requests sent."),
        int("requests_limit", "requests", Technical, "Requests allowed; null = no limit.").null(),
        int("bytes_received", "byte", Technical, "Bytes of bodies received."),
        float("seconds_limit", Range::NotNegative, Technical, "Time allowed; null = no limit.").unit("s").null(),
        structs(
            "stages",
            Technical,
            "CPU time by stage, summed over threads; of `fetch`, the time until an answer, summed over tasks.",
            vec![
                code("stage", Technical, "The stage."),
                float("seconds", Range::NotNegative, Technical, "Time spent in it.").unit("s"),
            ],
        ),
    ]);
    all
}
