//! A value that many events have in common: most consents of a CRM say the same with the same proof.
//!
//! Invariant: reads and writes as the value itself; who changes theirs changes nobody else's.

use std::collections::HashSet;
use std::hash::Hash;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::event::{LegalEvent, Origin, Proof, Scope};

/// Distinct values that a pool remembers: what is different for everybody is not worth it.
const REMEMBERED: usize = 1024;

/// A value that may be held in common.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub struct Shared<T>(Arc<T>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

impl<T: Serialize> Serialize for Shared<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(to)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Shared<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        T::deserialize(from).map(Self::from)
    }
}

/// The values that events have in common, each held once.
#[derive(Debug, Clone, Default)]
pub struct Pool {
    scopes: HashSet<Shared<Scope>>,
    proofs: HashSet<Shared<Proof>>,
    origins: HashSet<Shared<Origin>>,
}

impl Pool {
    /// Lets an event hold what others hold already.
    pub fn share(&mut self, event: &mut LegalEvent) {
        share(&mut self.scopes, &mut event.scope);
        share(&mut self.proofs, &mut event.proof);
        share(&mut self.origins, &mut event.origin);
    }
}

fn share<T: Eq + Hash>(known: &mut HashSet<Shared<T>>, value: &mut Shared<T>) {
    match known.get(value) {
        Some(held) => *value = held.clone(),
        None if known.len() < REMEMBERED => drop(known.insert(value.clone())),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_is_held_once_and_changed_alone() {
        let proof = |method: &str| Shared::from(Proof { method: Some(method.to_owned()), ..Proof::default() });
        let mut pool = HashSet::new();
        let (mut one, mut other, mut third) = (proof("web_form"), proof("web_form"), proof("phone"));
        for value in [&mut one, &mut other, &mut third] {
            share(&mut pool, value);
        }
        assert!(Arc::ptr_eq(&one.0, &other.0) && !Arc::ptr_eq(&one.0, &third.0));
        other.method = None;
        assert_eq!((one, pool.len()), (proof("web_form"), 2));
        let text = serde_json::to_string(&third).expect("plain data");
        assert_eq!(text, serde_json::to_string(&*third).expect("plain data"));
        assert_eq!(serde_json::from_str::<Shared<Proof>>(&text).expect("as it was written"), third);
    }
}
