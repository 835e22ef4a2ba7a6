//! Values that only this file format has.

use std::num::NonZeroU32;

use domain::EmpiId;
use reqwest::Url;
use settings::{Name, Node, Problem, Setting, Value};

/// For names that are texts.
pub(super) fn plain(text: &str) -> Result<(), Problem> {
    let problem =
        |error| Problem::new(format!("this name {error}"), format!("write {}", Name::<EmpiId>::EXPECTED));
    text.parse::<EmpiId>().map(drop).map_err(problem)
}

/// Where a bank is called.
#[derive(Clone, Debug)]
pub(super) struct HttpUrl(pub(super) Url);

impl Setting for HttpUrl {
    const EXPECTED: &'static str = "a URL such as \"https://core.example/smsline\"";

    fn read(node: &Node) -> Result<Self, Problem> {
        let problem = |text: &str| Problem::new(text, format!("write {}", Self::EXPECTED));
        let url: Url = String::read(node)?.parse().map_err(|_| problem("this is no URL"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(problem("this is no http or https URL"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(problem("this URL has a user or a fragment in it"));
        }
        Ok(Self(url))
    }
}

/// How many, of something that makes no sense at zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count(pub(super) NonZeroU32);

impl Setting for Count {
    const EXPECTED: &'static str = "a whole number from 1 to 4294967295, or off";

    fn read(node: &Node) -> Result<Self, Problem> {
        let Value::Int(value) = node.value else {
            return Err(Problem::new("this is not a number", format!("write {}", Self::EXPECTED)));
        };
        u32::try_from(value)
            .ok()
            .and_then(NonZeroU32::new)
            .map(Self)
            .ok_or_else(|| Problem::new("this number is out of range", format!("write {}", Self::EXPECTED)))
    }
}
