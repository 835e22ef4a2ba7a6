//! Values that only this file has.

use domain::Number;
use settings::{Node, Problem, Setting};

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
