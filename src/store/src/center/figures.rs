//! Daily figures: how many messages and parts each day, EMPI, class, carrier and state has. They change by what messages
//! counted for before and count for now, so that they are exact however often a message is joined.

use std::collections::BTreeMap;

use domain::join::Tally;
use jiff::tz::TimeZone;

use super::Figure;
use super::row::{day, state_code, state_of};
use super::value::Columns;
use crate::row::{Strange, count};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FigureKey {
    pub day: String,
    pub empi: String,
    pub class: String,
    /// Empty: none yet.
    pub carrier: String,
    pub state: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    pub messages: i64,
    pub parts: i64,
}

/// What is to be added.
#[derive(Debug, Default)]
pub(super) struct Differences(BTreeMap<FigureKey, Difference>);

impl Differences {
    pub(super) fn change(&mut self, before: Option<&Tally>, after: Option<&Tally>, zone: &TimeZone) {
        if before == after {
            return;
        }
        for (tally, sign) in [(before, -1), (after, 1)] {
            if let Some(tally) = tally {
                let sum = self.0.entry(key(tally, zone)).or_default();
                sum.messages += sign;
                sum.parts += sign * i64::from(tally.parts);
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&FigureKey, Difference)> {
        self.0.iter().map(|(key, sum)| (key, *sum)).filter(|(_, sum)| *sum != Difference::default())
    }
}

fn key(tally: &Tally, zone: &TimeZone) -> FigureKey {
    FigureKey {
        day: day(tally.at, zone),
        empi: tally.empi.as_str().to_owned(),
        class: tally.class.as_str().to_owned(),
        carrier: tally.carrier.as_ref().map_or_else(String::new, |carrier| carrier.as_str().to_owned()),
        state: state_code(tally.state),
    }
}

/// Rows (day, empi, class, carrier, state, messages, parts), in their order, as figures.
pub(super) fn figures(rows: &[Columns]) -> Result<Vec<Figure>, Strange> {
    let mut figures: Vec<Figure> = Vec::new();
    for row in rows {
        let (figure, state) = figure(row).ok_or(Strange { table: "figures", key: 0 })?;
        let same = |last: &&mut Figure| {
            (&last.day, &last.empi, &last.class, &last.carrier)
                == (&figure.day, &figure.empi, &figure.class, &figure.carrier)
        };
        let messages = figure.messages;
        let sum = match figures.last_mut().filter(same) {
            Some(last) => {
                last.messages += messages;
                last.parts += figure.parts;
                last
            }
            None => {
                figures.push(figure);
                let last = figures.len() - 1;
                &mut figures[last]
            }
        };
        if let Some(state) = state_of(state) {
            sum.finals.insert(state, messages);
        }
    }
    Ok(figures)
}

fn figure(row: &Columns) -> Option<(Figure, i64)> {
    let carrier = row.text(3)?;
    let figure = Figure {
        day: row.text(0)?.to_owned(),
        empi: row.text(1)?.parse().ok()?,
        class: row.text(2)?.parse().ok()?,
        carrier: if carrier.is_empty() { None } else { Some(carrier.parse().ok()?) },
        messages: count(row.int(5)?),
        parts: count(row.int(6)?),
        finals: BTreeMap::new(),
    };
    Some((figure, row.int(4)?))
}
