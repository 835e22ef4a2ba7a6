//! Values that only this file has.

use std::str::FromStr;

use domain::Number;
use domain::id::NameError;
use settings::{Node, Problem, Setting};

/// A name of `domain`.
#[derive(Clone, Debug)]
pub(super) struct Name<T>(pub(super) T);

impl<T: FromStr<Err = NameError>> Setting for Name<T> {
    const EXPECTED: &'static str = "a name of up to 64 letters, digits and . _ : -";

    fn read(node: &Node) -> Result<Self, Problem> {
        let advice = || format!("write {}", Self::EXPECTED);
        let text = String::read(node)?;
        text.parse().map(Self).map_err(|error| Problem::new(format!("this name {error}"), advice()))
    }
}

/// The beginning of numbers.
#[derive(Clone, Debug)]
pub(super) struct Prefix(pub(super) Number);

impl Setting for Prefix {
    const EXPECTED: &'static str = "the digits that numbers begin with, in quotes, such as \"1380013\"";

    fn read(node: &Node) -> Result<Self, Problem> {
        let advice = || format!("write {}", Self::EXPECTED);
        let text = String::read(node)?;
        text.parse().map(Self).map_err(|error| Problem::new(format!("this {error}"), advice()))
    }
}
