//! From a checked tree to a type, through serde, with the place of whatever the type refuses.
//!
//! Invariant: the type sees exactly the values that the checker saw; nothing is read a second time.

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::diagnostic::Position;
use super::tree::{Entry, Node, Tree, Value};

/// What a type has against a value, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// Where the value stands; `None` until it is known.
    pub at: Option<Position>,
    /// The type's words.
    pub message: String,
}

impl de::Error for Refused {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self { at: None, message: message.to_string() }
    }
}

/// Builds a `T` from a tree.
///
/// # Errors
/// What the type refuses, with its place.
pub fn deserialize<T: DeserializeOwned>(tree: &Tree) -> Result<T, Refused> {
    T::deserialize(&tree.root).map_err(|e| located(e, tree.root.at))
}

/// The innermost place wins.
fn located(error: Refused, at: Position) -> Refused {
    Refused { at: error.at.or(Some(at)), ..error }
}

impl<'de> de::Deserializer<'de> for &'de Node {
    type Error = Refused;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let visited = match &self.value {
            Value::Null | Value::Told => visitor.visit_unit(),
            Value::Bool(b) => visitor.visit_bool(*b),
            Value::Int(i) => match (u64::try_from(*i), i64::try_from(*i)) {
                (Ok(unsigned), _) => visitor.visit_u64(unsigned),
                (_, Ok(signed)) => visitor.visit_i64(signed),
                _ => Err(de::Error::custom("an integer beyond 64 bits")),
            },
            Value::Float(f) => visitor.visit_f64(*f),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::List(items) => visitor.visit_seq(Items(items.iter())),
            Value::Map(entries) => visitor.visit_map(Entries::of(entries)),
        };
        visited.map_err(|e| located(e, self.at))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let visited = if self.value == Value::Null { visitor.visit_none() } else { visitor.visit_some(self) };
        visited.map_err(|e| located(e, self.at))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_newtype_struct(self).map_err(|e| located(e, self.at))
    }

    /// A unit variant is its name, any other a mapping with the name as its only key.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let visited = match &self.value {
            Value::Text(text) => {
                let name_only: StrDeserializer<'de, Refused> = text.as_str().into_deserializer();
                de::Deserializer::deserialize_enum(name_only, name, variants, visitor)
            }
            Value::Map(entries) if entries.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(Entries::of(entries)))
            }
            _ => Err(de::Error::custom("expected one name, or a mapping with one key")),
        };
        visited.map_err(|e| located(e, self.at))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// The items of a list. Like [`Entries`] it adds the place to what a conversion after the reading (`try_from`) refuses.
struct Items<'de>(std::slice::Iter<'de, Node>);

impl<'de> de::SeqAccess<'de> for Items<'de> {
    type Error = Refused;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Refused> {
        self.0.next().map(|node| seed.deserialize(node).map_err(|e| located(e, node.at))).transpose()
    }
}

/// The entries of a mapping, and the value whose key has been read.
struct Entries<'de> {
    rest: std::slice::Iter<'de, Entry>,
    value: Option<&'de Node>,
}

impl<'de> Entries<'de> {
    fn of(entries: &'de [Entry]) -> Self {
        Self { rest: entries.iter(), value: None }
    }
}

impl<'de> de::MapAccess<'de> for Entries<'de> {
    type Error = Refused;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Refused> {
        let Some(entry) = self.rest.next() else { return Ok(None) };
        self.value = Some(&entry.node);
        let key: StrDeserializer<'de, Refused> = entry.key.as_str().into_deserializer();
        seed.deserialize(key).map(Some).map_err(|e| located(e, entry.at))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Refused> {
        let node = self.value.take().ok_or_else(|| de::Error::custom("a value was asked for before its key"))?;
        seed.deserialize(node).map_err(|e| located(e, node.at))
    }
}
