//! When pipelines run by themselves.
//!
//! Invariant: `cron`, `state`, `decide`, `lost` and `preview` are pure: expression, state and clock come in, decisions go out.
//! `store` keeps what a home must remember, `keeper` alone acts, and starts each run through the engine of `prosopon
//! run`; `homes` keeps a keeper for each home.
//!
//! How it differs from tools that were looked at: as with systemd's `Persistent=` what was missed is made up for, but
//! never beyond a window (Kubernetes' `startingDeadlineSeconds`); the delay is fixed for each fire, so that a restart
//! does not draw again (`FixedRandomDelay=`); nothing is ever started twice at once (`concurrencyPolicy: Forbid`).

pub mod cron;
pub mod decide;
pub mod event;
pub mod files;
pub mod homes;
pub mod keeper;
pub mod lost;
pub mod preview;
mod running;
pub mod state;
pub mod store;

#[cfg(test)]
mod blackout_tests;
#[cfg(test)]
mod clock_tests;
#[cfg(test)]
mod keeping_tests;
#[cfg(test)]
mod lost_tests;
#[cfg(test)]
pub(crate) mod tests;
