//! The homes of a scheduler: each is kept by itself, and one that fails is tried again.
//!
//! Invariant: no home stops the schedules of another. What failed is told, and again when it fails otherwise.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::sleep;

use super::event::{Event, Whose};
use super::files::{Room, rooms};
use super::keeper::{Around, Keeper, ScheduleError};

/// How long a home that failed is left alone.
const PAUSE: Duration = Duration::from_mins(1);

/// A home that is not kept.
pub struct Sick {
    pub(super) room: Room,
    /// Why.
    pub error: ScheduleError,
}

/// A home as it stands.
pub type Opened = Result<Keeper, Box<Sick>>;

/// Opens the schedulers of pipelines, one a home; `out` overrides the homes of the pipelines.
///
/// # Errors
/// Mistakes of pipeline files and policies; not one of the homes can be kept.
pub fn open(files: &[PathBuf], out: Option<&Path>, around: &Around) -> Result<Vec<Opened>, ScheduleError> {
    let homes: Vec<Opened> =
        rooms(files, out, (around.wall)())?.into_iter().map(|room| Keeper::open(room, around)).collect();
    if homes.iter().any(Result::is_ok) {
        return Ok(homes);
    }
    let mut sick = homes.into_iter().filter_map(Result::err);
    let first = sick.next();
    // The first is told as the reason why the command ends.
    sick.for_each(|sick| drop(sick.tell(around)));
    first.map_or(Ok(Vec::new()), |sick| Err(sick.error))
}

/// Keeps all schedules until somebody stops it.
///
/// # Errors
/// The memory of a home cannot be written at the end.
pub async fn keep_all(homes: Vec<Opened>, around: &Around) -> Result<(), ScheduleError> {
    let all = homes.into_iter().map(|home| keep(home, around));
    futures_util::future::join_all(all).await.into_iter().collect()
}

async fn keep(mut home: Opened, around: &Around) -> Result<(), ScheduleError> {
    let (stop, mut told) = (around.stop.flag(), None);
    loop {
        let sick = match home {
            Ok(keeper) => match keeper.keep().await {
                Ok(ended) => return ended,
                Err(sick) => sick,
            },
            Err(sick) => sick,
        };
        let message = sick.message();
        if told.as_ref() != Some(&message) {
            sick.tell(around);
            told = Some(message);
        }
        tokio::select! {
            () = sleep(PAUSE) => {}
            () = stop.cancelled() => return Ok(()),
        }
        home = Keeper::open(sick.room, around);
        if home.is_ok() {
            // What comes later is told, also where it is the same.
            told = None;
        }
    }
}

impl Sick {
    /// The error with its causes.
    fn message(&self) -> String {
        let (mut text, mut cause) = (self.error.to_string(), self.error.source());
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }

    /// Tells it of each of its pipelines, and returns what was told.
    pub fn tell(&self, around: &Around) -> Vec<(Whose, Event)> {
        let told = |whose: Whose| {
            let event = Event::Sick(self.message());
            around.listener.tell(&whose, &event);
            (whose, event)
        };
        self.room.kept.iter().map(|kept| told(self.room.whose(kept))).collect()
    }
}
