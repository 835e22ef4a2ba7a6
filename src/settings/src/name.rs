//! Names as the line has them.

use std::fmt::Display;
use std::str::FromStr;

use crate::{Node, Problem, Setting};

/// A name that its own type checks: 1 to 64 characters that fit into a log line, a label and a key as they are.
#[derive(Clone, Debug)]
pub struct Name<T>(pub T);

impl<T: FromStr<Err: Display>> Setting for Name<T> {
    const EXPECTED: &'static str = "a name of up to 64 letters, digits and . _ : -";

    fn read(node: &Node) -> Result<Self, Problem> {
        let advice = || format!("write {}", Self::EXPECTED);
        let text = String::read(node)?;
        text.parse().map(Self).map_err(|error| Problem::new(format!("this name {error}"), advice()))
    }
}
