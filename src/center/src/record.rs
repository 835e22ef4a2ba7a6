//! What a record of the bus says.

use bus::Delivered;
use domain::alarm::Severity;
use domain::{Alarm, Carrier, Event, Happened, MessageCopy, MessageText, Millis, Party, Told, UserMessage};
use serde::de::DeserializeOwned;
use store::center::Fact;
use thiserror::Error;

use crate::config::Numbers;

/// What the center does with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    Join(Fact),
    Show(Alarm),
    /// A user's state has changed.
    UserState {
        carrier: Carrier,
        condition: u8,
    },
}

/// Why a record is set aside. Its text never holds what the record holds.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unfit {
    #[error("it is not what belongs on this topic: {0}")]
    Poisoned(String),
    #[error("no EMPI owns the number that a user of {0} wrote to; add its prefix to `numbers`")]
    NoOwner(Carrier),
    #[error("the store cannot keep it: {0}")]
    Rejected(String),
}

/// Reads a record, and says when it was written.
///
/// # Errors
/// It is to be set aside.
pub fn read(record: &Delivered, numbers: &Numbers) -> Result<(Meaning, Millis), Unfit> {
    match record.topic.as_str() {
        bus::COPIES => {
            let copy: MessageCopy = parse(&record.value)?;
            let at = copy.at;
            Ok((Meaning::Join(Fact::Copy(copy)), at))
        }
        bus::EVENTS => {
            let told: Told = parse(&record.value)?;
            let at = told.event.at;
            Ok((event(told, numbers)?, at))
        }
        bus::ALARMS => {
            let alarm: Alarm = parse(&record.value)?;
            plain(&alarm)?;
            let at = alarm.at;
            Ok((Meaning::Show(alarm), at))
        }
        _ => Err(Unfit::Poisoned("nothing is read from this topic".to_owned())),
    }
}

/// The library's own text may repeat what it read: only its kind and place are told.
fn parse<T: DeserializeOwned>(value: &[u8]) -> Result<T, Unfit> {
    serde_json::from_slice(value).map_err(|error| {
        let kind = match error.classify() {
            serde_json::error::Category::Data => "a field is missing, unknown, or of another type",
            serde_json::error::Category::Eof => "it ends too early",
            serde_json::error::Category::Syntax => "it is no JSON",
            serde_json::error::Category::Io => "it cannot be read",
        };
        Unfit::Poisoned(format!("{kind} (line {}, column {})", error.line(), error.column()))
    })
}

/// What no PostgreSQL keeps in a text must not hold up the alarms beside it.
fn plain(alarm: &Alarm) -> Result<(), Unfit> {
    let texts = [&alarm.what, &alarm.of, &alarm.role, &alarm.node, &alarm.site, &alarm.text];
    if texts.iter().any(|text| text.contains('\0')) {
        return Err(Unfit::Poisoned("it holds a zero character".to_owned()));
    }
    Ok(())
}

fn event(told: Told, numbers: &Numbers) -> Result<Meaning, Unfit> {
    let Told { carrier, event: Event { at, happened, .. }, .. } = &told;
    Ok(match happened {
        Happened::Pushed { .. }
        | Happened::Answered { .. }
        | Happened::Finished { .. }
        | Happened::Reported { .. } => Meaning::Join(Fact::Told(told)),
        Happened::Mo { id, from, to, text } => {
            let mo_id = format!("{carrier}:{id}");
            Meaning::Join(mo(carrier, mo_id, from, to, text, None, *at, numbers)?)
        }
        Happened::MoIncomplete { id, from, to, part, parts, text } => {
            let mo_id = format!("{carrier}:{id}:{part}");
            Meaning::Join(mo(carrier, mo_id, from, to, text, Some((*part, *parts)), *at, numbers)?)
        }
        Happened::UserState { condition, .. } => {
            Meaning::UserState { carrier: carrier.clone(), condition: *condition }
        }
        Happened::LinkUp { connection } => Meaning::Show(link(&told, *connection, None)),
        Happened::LinkDown { connection, reason } => Meaning::Show(link(&told, *connection, Some(reason))),
    })
}

#[expect(clippy::too_many_arguments, reason = "they are the fields of what is made")]
fn mo(
    carrier: &Carrier,
    mo_id: String,
    from: &Party,
    to: &Party,
    text: &MessageText,
    part: Option<(u8, u8)>,
    at: Millis,
    numbers: &Numbers,
) -> Result<Fact, Unfit> {
    let owner = numbers.owner(to).ok_or_else(|| Unfit::NoOwner(carrier.clone()))?;
    let (from, to, text) = (from.clone(), to.clone(), text.clone());
    Ok(Fact::Mo(UserMessage { mo_id, empi_id: owner.clone(), from, to, text, part, at }))
}

/// Every UAOP tells it; it is the gateway's alarm, so that it shows once.
fn link(told: &Told, connection: u32, down: Option<&String>) -> Alarm {
    let Event { gateway, account, at, .. } = &told.event;
    Alarm {
        what: "link_down".to_owned(),
        of: format!("{gateway}:{account}:{connection}"),
        severity: if down.is_some() { Severity::Warning } else { Severity::Info },
        raised: down.is_some(),
        role: "gateway".to_owned(),
        node: gateway.to_string(),
        site: told.site.clone(),
        text: down
            .map_or_else(|| "connected".to_owned(), |reason| format!("the connection is gone: {reason}")),
        at: *at,
    }
}
