//! Values that only this file format has.

use domain::Number;
use settings::{Node, Problem, Setting};
use wire::text::Text;

use crate::config::model::DAY;

/// A text that fits into a field of `N` bytes of the protocols.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<const N: usize>(pub(super) Text<N>);

impl<const N: usize> Setting for Field<N> {
    const EXPECTED: &'static str = "a text of printable ASCII characters";

    fn read(node: &Node) -> Result<Self, Problem> {
        let text = String::read(node)?;
        if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(Problem::new(
                "this holds other characters than ASCII",
                format!("write {}", Self::EXPECTED),
            ));
        }
        let advice = "write what the carrier has given you";
        text.parse().map(Self).map_err(|error| Problem::new(format!("this does not fit: {error}"), advice))
    }
}

/// For fields that are narrower in one protocol than in another.
pub(super) fn at_most<const N: usize>(most: usize) -> impl Fn(&Field<N>) -> Result<(), Problem> {
    move |field| {
        if field.0.as_bytes().len() <= most {
            return Ok(());
        }
        let advice = format!("the protocol's field holds {most} characters");
        Err(Problem::new("this is too long", advice))
    }
}

/// For fields of digits, `least` to `most` of them.
pub(super) fn digits<const N: usize>(least: usize, most: usize) -> impl Fn(&Field<N>) -> Result<(), Problem> {
    move |field| {
        let text = field.0.as_bytes();
        if (least..=most).contains(&text.len()) && text.iter().all(u8::is_ascii_digit) {
            return Ok(());
        }
        let count = if least == most { most.to_string() } else { format!("{least} to {most}") };
        Err(Problem::new("these are not the digits expected", format!("write {count} digits, in quotes")))
    }
}

/// An access number.
#[derive(Clone, Debug)]
pub(super) struct AccessNumber(pub(super) Number);

impl Setting for AccessNumber {
    const EXPECTED: &'static str = "the number that handsets show, such as \"1069000001\"";

    fn read(node: &Node) -> Result<Self, Problem> {
        let advice = format!("write {}", Self::EXPECTED);
        String::read(node)?.parse().map(Self).map_err(|error| Problem::new(format!("this {error}"), advice))
    }
}

/// `08:00-21:00`, in minutes of the day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span(pub(super) (u16, u16));

impl Setting for Span {
    const EXPECTED: &'static str = "a span of the day such as \"08:00-21:00\" or \"22:00-02:00\"";

    fn read(node: &Node) -> Result<Self, Problem> {
        let problem = || Problem::new("this is no span of the day", format!("write {}", Self::EXPECTED));
        let text = String::read(node).map_err(|_| problem())?;
        let (first, end) = text.split_once('-').ok_or_else(problem)?;
        let first = minute(first.trim()).filter(|first| *first < DAY).ok_or_else(problem)?;
        let end = minute(end.trim()).ok_or_else(problem)?;
        if first == end { Err(problem()) } else { Ok(Self((first, end))) }
    }
}

/// `24:00` is one too.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    if hour.len() != 2 || minute.len() != 2 || !text.bytes().all(|b| b.is_ascii_digit() || b == b':') {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (minute < 60).then_some(hour * 60 + minute).filter(|minute| *minute <= DAY)
}
