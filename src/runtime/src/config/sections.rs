//! Sections that the file of each program has.

use std::net::SocketAddr;

use jiff::tz::TimeZone;
use settings::{Part, Problem, Section};

use super::Host;
use crate::logging::{Format, parse_filter};

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    pub format: Format,
    /// A level or a filter, as `tracing` has them.
    pub level: String,
    /// Whether there is a record for each message.
    pub access: bool,
}

/// Reads `log: { format, level, access }`.
#[must_use]
pub fn log(section: Option<Section<'_>>, host: &dyn Host) -> Log {
    let Some(mut section) = section else {
        return Log { format: Format::Text, level: "info".to_owned(), access: true };
    };
    let (format, level) = log_lines(&mut section, host);
    let access = section.or("access", true);
    section.finish();
    Log { format, level, access }
}

/// Reads the form of log lines, and which of them there are.
pub fn log_lines(section: &mut Section<'_>, host: &dyn Host) -> (Format, String) {
    let formats = [("text", Format::Text), ("json", Format::Json)];
    let format = section.choice("format", &formats, Format::Text);
    let level = section.checked("level", "info".to_owned(), |filter: &String| {
        parse_filter(filter).map(drop).map_err(|_| {
            let program = host.program();
            let advice = format!(
                "write error, warn, info, debug or trace, or a filter such as \"info,{program}=debug\""
            );
            Problem::new("this is not a log level", advice)
        })
    });
    (format, level)
}

/// Reads `{ listen: ADDRESS }`; `None` if it is off.
#[must_use]
pub fn listen(part: Part<'_>, default: SocketAddr) -> Option<SocketAddr> {
    match part {
        Part::Off => None,
        Part::Absent => Some(default),
        Part::Given(mut section) => {
            let listen = section.or("listen", default);
            section.finish();
            Some(listen)
        }
    }
}

/// Reads `time_zone`, by default that of the carriers.
pub fn time_zone(top: &mut Section<'_>, host: &dyn Host) -> Option<TimeZone> {
    let name = top.checked("time_zone", "Asia/Shanghai".to_owned(), |name| host.time_zone(name).map(drop));
    host.time_zone(&name).ok()
}
