//! Finds the line of a path.
//!
//! The YAML library tells positions only with its errors. So the text is read once more per fault, by a reader
//! that walks to the path and fails there on purpose; the error then carries the position.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::fault::Fault;
use crate::node::Step;

/// The faults in the text's order, with their lines.
#[must_use]
pub fn in_order(text: &str, mut faults: Vec<Fault>) -> Vec<Fault> {
    add_lines(text, &mut faults);
    faults.sort_by_key(|fault| fault.line);
    faults
}

/// Fills in the line of every fault: of its value, or of the nearest section that is there.
pub fn add_lines(text: &str, faults: &mut [Fault]) {
    for fault in faults.iter_mut().filter(|fault| fault.line.is_none()) {
        let steps = &fault.path.0;
        fault.line = (0..=steps.len()).rev().find_map(|length| line_of(text, &steps[..length]));
    }
}

fn line_of(text: &str, path: &[Step]) -> Option<usize> {
    let error = Walk { path }.deserialize(serde_yaml::Deserializer::from_str(text)).err()?;
    // any other error than ours would be one that `parse` has reported
    error.to_string().contains(ARRIVED).then(|| error.location().map(|location| location.line()))?
}

const ARRIVED: &str = "arrived at the path";

#[derive(Clone, Copy)]
struct Walk<'a> {
    path: &'a [Step],
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.scalar()
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.scalar()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.scalar()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Some((Step::Item { index, .. }, rest)) = self.path.split_first() else { return self.scalar() };
        for _ in 0..*index {
            if seq.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
        }
        seq.next_element_seed(Walk { path: rest }).map(|_| ())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((Step::Key { key, nth }, rest)) = self.path.split_first() else { return self.scalar() };
        let mut seen = 0;
        while let Some(found) = map.next_key::<String>()? {
            if found == *key {
                if seen == *nth {
                    return map.next_value_seed(Walk { path: rest });
                }
                seen += 1;
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

impl Walk<'_> {
    /// At a leaf, or a part that is not of the shape that the path says.
    fn scalar<E: Error>(self) -> Result<(), E> {
        if self.path.is_empty() { Err(E::custom(ARRIVED)) } else { Ok(()) }
    }
}
