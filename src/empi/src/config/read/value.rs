//! Values that only this file format has.

use std::num::NonZeroU32;
use std::str::FromStr;

use domain::EmpiId;
use domain::id::NameError;
use reqwest::Url;
use settings::{Node, Problem, Setting, Value};

/// A name of `domain`.
#[derive(Clone, Debug)]
pub(super) struct Name<T>(pub(super) T);

const NAME: &str = "a name of up to 64 letters, digits and . _ : -";

impl<T: FromStr<Err = NameError>> Setting for Name<T> {
    const EXPECTED: &'static str = NAME;

    fn read(node: &Node) -> Result<Self, Problem> {
        String::read(node)?.parse().map(Self).map_err(no_name)
    }
}

/// For names that are texts.
pub(super) fn plain(text: &str) -> Result<(), Problem> {
    text.parse::<EmpiId>().map(drop).map_err(no_name)
}

fn no_name(error: NameError) -> Problem {
    Problem::new(format!("this name {error}"), format!("write {NAME}"))
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
