//! One field of a payload, read without trusting its shape and without keeping what is inside it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::InvalidPayload;

/// What a field turned out to be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Field {
    /// Not there.
    #[default]
    Missing,
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, which no field that matters is.
    Number,
    /// Text.
    Text(String),
    /// A list of so many, whatever they are.
    List(usize),
    /// An object.
    Object,
}

impl Field {
    /// The text in it.
    pub(super) fn text(&self, name: &'static str) -> Result<&str, InvalidPayload> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(self.instead_of(name, "text")),
        }
    }

    /// The text in it; `None` if there is none.
    pub(super) fn optional_text(&self, name: &'static str) -> Result<Option<&str>, InvalidPayload> {
        match self {
            Self::Missing | Self::Null => Ok(None),
            _ => self.text(name).map(Some),
        }
    }

    /// How many are listed.
    pub(super) fn count(&self, name: &'static str) -> Result<usize, InvalidPayload> {
        match self {
            Self::List(count) => Ok(*count),
            _ => Err(self.instead_of(name, "a list")),
        }
    }

    /// Whether it says so; whatever is no truth value does not.
    pub(super) fn is_true(&self) -> bool {
        *self == Self::Bool(true)
    }

    fn instead_of(&self, field: &'static str, expected: &'static str) -> InvalidPayload {
        let found = match self {
            Self::Missing => "missing",
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Object => "an object",
        };
        InvalidPayload::Field { field, found: found.to_owned(), expected }
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyShape)
    }
}

struct AnyShape;

impl<'de> Visitor<'de> for AnyShape {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E>(self) -> Result<Field, E> {
        Ok(Field::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Field, E> {
        Ok(Field::Bool(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Field, E> {
        Ok(Field::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Field, E> {
        Ok(Field::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Field, E> {
        Ok(Field::Number)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Field, E> {
        // Postgres keeps no NUL in text, and git none in names.
        if text.contains('\0') { Err(E::custom("text with a NUL")) } else { Ok(Field::Text(text.to_owned())) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Field, A::Error> {
        let mut count = 0_usize;
        while list.next_element::<IgnoredAny>()?.is_some() {
            count = count.checked_add(1).ok_or_else(|| A::Error::custom("a list without end"))?;
        }
        Ok(Field::List(count))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Field, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::Object)
    }
}
