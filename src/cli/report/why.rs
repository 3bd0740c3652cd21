//! Why somebody, or something, is in the tables or not, for people.
//!
//! Invariant: what was done for a person comes before what was decided about them.

use std::io;

use super::{Page, Tell, maybe, time};
use crate::audit::report::EventRef;
use crate::audit::report::why::{Cover, Logged, Refused, Served, Why};

impl Tell for Why {
    fn found(&self) -> bool {
        !self.proven
    }

    fn tell(&self, page: &mut Page<'_>) -> io::Result<()> {
        let place = self.table.map_or_else(|| "is in no table".to_owned(), |table| format!("stands in {table}"));
        let home = if self.snapshot.is_empty() {
            "this home".to_owned()
        } else {
            format!("{} ({})", self.pipeline, self.snapshot)
        };
        page.title(&format!("{} {place} of {home}", self.asked))?;
        page.row("about", &self.about)?;
        let is_unasked = self.covered_by.is_empty() && self.refused.is_empty() && self.served.is_empty();
        if self.snapshot.is_empty() && is_unasked && self.against.is_empty() {
            page.line("nothing was ever decided about this person here: no run has worked on them yet")?;
        } else if self.snapshot.is_empty() && !(self.covered_by.is_empty() && self.refused.is_empty()) {
            page.line("no snapshot knows the person any more; this is what the log says of the newest run that asked")?;
        }
        tell_served(page, &self.served, &self.against)?;
        self.covered_by.iter().try_for_each(|cover| tell_cover(page, cover))?;
        self.refused.iter().try_for_each(|refused| tell_refused(page, refused))?;
        if !self.proven {
            page.line("")?;
            page.line("not every decision is in the audit log: run `prosopon audit coverage`")?;
        }
        Ok(())
    }
}

fn tell_served(page: &mut Page<'_>, served: &[Served], against: &[EventRef]) -> io::Result<()> {
    for one in served {
        page.line("")?;
        let by = one.by.map_or_else(String::new, |by| format!(" (taken out by a {by})"));
        page.title(&format!("done for the person: {}{by}", one.right))?;
        tell_logged(page, one.logged.as_ref())?;
    }
    tell_events(page, against)
}

fn tell_events(page: &mut Page<'_>, events: &[EventRef]) -> io::Result<()> {
    for e in events {
        let kind = format!("{:?}", e.kind).to_lowercase();
        let recorded =
            e.recorded_at.map_or_else(|| "a flag without date".to_owned(), |at| format!("recorded {}", time(at)));
        page.row("event", &format!("ledger entry {}: {kind}, {recorded}, known {}", e.entry, time(e.known_at)))?;
    }
    Ok(())
}

fn tell_cover(page: &mut Page<'_>, cover: &Cover) -> io::Result<()> {
    page.line("")?;
    page.title(&format!("{} for {} from {}", cover.operation, cover.purpose, cover.source))?;
    page.row("basis", &cover.bases.join(", "))?;
    page.row("permit", &format!("{}, {} to {}", cover.permit, time(cover.decided_at), maybe(cover.valid_until)))?;
    if let Some(end) = cover.retain_until {
        page.row("kept until", &time(end))?;
    }
    page.row("policy", &cover.policy)?;
    for e in &cover.events {
        let kind = format!("{:?}", e.event.kind).to_lowercase();
        let basis = e.basis.map_or("", |b| b.article());
        let proof = if e.proof_complete { "proof complete" } else { "proof incomplete" };
        let method = e.method.as_deref().unwrap_or("no method");
        let notice = e.notice.as_deref().unwrap_or("no notice");
        let recorded = e.event.recorded_at.map_or_else(|| "no date".to_owned(), time);
        let text = format!(
            "ledger entry {}: {kind} {basis}, recorded {recorded}, until {}, {method}, {notice}, {proof} ({})",
            e.event.entry,
            e.valid_to.map_or_else(|| "it is withdrawn".to_owned(), time),
            e.read_from
        );
        page.row("event", &text)?;
    }
    for a in &cover.assessments {
        let by = a.approved_by.as_deref().unwrap_or("nobody: not in the policy");
        let end = a.expires_at.map_or_else(|| "unknown".to_owned(), |d| d.to_string());
        page.row("assessment", &format!("{}, approved by {by}, until {end}", a.id))?;
    }
    tell_logged(page, cover.logged.as_ref())
}

fn tell_refused(page: &mut Page<'_>, refused: &Refused) -> io::Result<()> {
    page.line("")?;
    let Refused { operation, purpose, source, decided_at, .. } = refused;
    page.title(&format!("{operation} for {purpose} from {source} was refused, {}", time(*decided_at)))?;
    for plain in &refused.reasons {
        page.row(&plain.reason, "")?;
        page.row("  means", &plain.means)?;
        page.row("  would help", &plain.helps)?;
    }
    tell_events(page, &refused.events)?;
    tell_logged(page, refused.logged.as_ref())
}

fn tell_logged(page: &mut Page<'_>, logged: Option<&Logged>) -> io::Result<()> {
    let Some(logged) = logged else { return page.row("log", "no entry") };
    let covered = logged.checkpoint.as_ref().map_or_else(
        || "under no checkpoint yet".to_owned(),
        |c| format!("under the checkpoint of {} entries, root {}", c.tree_size, c.root),
    );
    page.row("log", &format!("entry {} of {}, {covered}", logged.leaf, time(logged.at)))
}
