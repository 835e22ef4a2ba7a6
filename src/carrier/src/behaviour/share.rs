//! A part of the whole.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A share in millionths, written in percent: `0.1 %`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

const WHOLE: u32 = 1_000_000;
const PERCENT: u32 = WHOLE / 100;

impl Share {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self(WHOLE);

    #[must_use]
    pub const fn millionths(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / PERCENT, self.0 % PERCENT);
        match rest {
            0 => write!(f, "{whole} %"),
            rest => write!(f, "{whole}.{} %", format!("{rest:04}").trim_end_matches('0')),
        }
    }
}

impl FromStr for Share {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let percent = text.strip_suffix('%').ok_or("a share is written in percent")?.trim_end();
        let (whole, rest) = percent.split_once('.').unwrap_or((percent, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(rest) {
            return Err("this is not a number of percent");
        }
        if rest.len() > 4 {
            return Err("a share has at most four digits after the point");
        }
        let too_much = "a share is at most 100 %";
        let whole: u32 = whole.parse().map_err(|_| too_much)?;
        let rest: u32 = format!("{rest:0<4}").parse().map_err(|_| too_much)?;
        let millionths = whole.checked_mul(PERCENT).and_then(|whole| whole.checked_add(rest));
        millionths.filter(|&millionths| millionths <= WHOLE).map(Self).ok_or(too_much)
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_read_and_written_in_percent() {
        for (text, millionths, written) in [
            ("0 %", 0, "0 %"),
            ("1%", 10_000, "1 %"),
            ("0.1 %", 1000, "0.1 %"),
            ("12.3456 %", 123_456, "12.3456 %"),
            ("0.0001 %", 1, "0.0001 %"),
            ("100 %", 1_000_000, "100 %"),
        ] {
            let share: Share = text.parse().unwrap();
            assert_eq!((share.millionths(), share.to_string().as_str()), (millionths, written), "{text}");
        }
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for text in ["", "1", "%", "-1 %", "100.0001 %", "1.00001 %", "1. %", "99999999999 %", "1e2 %"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }
}
