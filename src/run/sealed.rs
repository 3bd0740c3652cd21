//! Sealed copies of those whose processing is restricted, in a run: a restriction that comes by an export behaves as one
//! that somebody has entered.
//!
//! Invariant: a copy is kept before anything is taken out of older snapshots, and the log tells that the store was changed.

use std::collections::HashSet;
use std::path::Path;

use crate::audit::{Kind, Leaf};
use crate::model::SubjectId;
use crate::rights::restrict;
use crate::rights::store::Store;
use crate::run::context::Context;
use crate::run::engine::RunError;

/// Keeps a copy of what the tables have of those among these who are restricted, and lets go of the copies of those who are
/// not any more.
pub(super) fn seal(context: &Context, home: &Path, people: &HashSet<SubjectId>) -> Result<(), RunError> {
    let (Some(recorder), Some(watch)) = (&context.recorder, &context.watch) else { return Ok(()) };
    let restricted = people.iter().filter(|subject| context.gate.is_restricted(subject));
    let restricted: Vec<_> =
        restricted.map(|subject| Ok((subject, recorder.keys().get(subject)?))).collect::<Result<_, RunError>>()?;
    let sealed = watch.with_vault(|vault| -> Result<Vec<SubjectId>, RunError> {
        let store = Store::open(home, vault)?;
        Ok(store.all_restricted(vault)?.into_iter().map(|(subject, _)| subject).collect())
    })?;
    let lifted: HashSet<SubjectId> =
        sealed.into_iter().filter(|subject| !context.gate.is_restricted(subject)).collect();
    // Of whom nothing could be read, nobody knows whether they are.
    context.gate.readable()?;
    if restricted.is_empty() && lifted.is_empty() {
        return Ok(());
    }
    let changes = watch.with_vault(|vault| -> Result<u64, RunError> {
        let store = Store::open(home, vault)?;
        let known: Vec<_> = restricted.iter().filter_map(|(subject, key)| Some((*subject, key.as_deref()?))).collect();
        restrict::keep((home, &store, vault), &known)?;
        restrict::let_go((&store, vault), |subject| !lifted.contains(subject))?;
        Ok(vault.rights_note()?.map_or(0, |note| note.changes))
    })?;
    recorder.log().append_now(vec![Leaf::new(Kind::Legal).fact("rights", changes).into()])?;
    Ok(())
}
