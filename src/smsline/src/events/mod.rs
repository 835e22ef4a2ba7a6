//! `smsline events`.

mod line;

use std::io::{self, Write};
use std::time::Duration;

use gateway::uplink::lines::Numbered;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::SMSLINE;
use crate::args::Wanted;
use crate::uplink::{Question, Uplink, UplinkError, parse};

/// Events in one answer.
const MOST: usize = 1000;
/// How long the gateway holds a question for which it has no events yet.
const WAIT: Duration = Duration::from_secs(30);
/// Until a gateway that is away is asked again.
const AGAIN: Duration = Duration::from_millis(500);

/// The number of an event, whatever it is.
#[derive(Debug, Deserialize)]
struct Number {
    id: i64,
}

/// Prints events.
pub async fn events(uplink: Uplink, wanted: Wanted) -> anyhow::Result<()> {
    let mut after = wanted.after;
    let consumer = wanted.consumer.as_deref();
    let wait = if wanted.follow { WAIT } else { Duration::ZERO };
    let mut lost = false;
    let mut asked = false;
    loop {
        let question = Question { consumer, after, most: MOST, wait };
        let lines = match uplink.events(question).await {
            Ok(lines) => lines,
            Err(error) if wanted.follow && asked && error.is_away() => {
                if !std::mem::replace(&mut lost, true) {
                    SMSLINE.complain(&error);
                }
                tokio::time::sleep(AGAIN).await;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        (lost, asked) = (false, true);
        after = newest(&lines)?.unwrap_or(after);
        if print(&shown(&lines, wanted.json)?).is_err() {
            // a reader that has gone away ends it quietly; what it did not read is not acknowledged
            return Ok(());
        }
        if !wanted.follow && lines.lines().count() < MOST {
            break;
        }
    }
    if consumer.is_some() {
        uplink.events(Question { consumer, after, most: 1, wait: Duration::ZERO }).await?;
    }
    Ok(())
}

fn newest(lines: &str) -> Result<Option<i64>, UplinkError> {
    lines.lines().last().map(|line| parse(line).map(|Number { id }| id)).transpose()
}

fn shown(lines: &str, json: bool) -> Result<String, UplinkError> {
    if json {
        return Ok(lines.to_owned());
    }
    let zone = TimeZone::system();
    lines.lines().map(|line| Ok(line::line(&parse::<Numbered>(line)?, &zone) + "\n")).collect()
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
