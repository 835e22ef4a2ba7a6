//! The text inside a report.

use std::fmt;

use crate::error::DecodeError;
use crate::smgp::msg_id::MsgId;
use crate::text::Text;

/// The content of a DELIVER that is a report. 122 bytes of ASCII but for the id, which is raw, so that it may hold a
/// space, a NUL or one of the keys.
///
/// | key            | at  | value at | bytes | value                                       |
/// |----------------|-----|----------|-------|---------------------------------------------|
/// | `id:`          | 0   | 3        | 10    | `MsgID` out of the answer to the submit     |
/// | ` sub:`        | 13  | 18       | 3     | `001`                                       |
/// | ` dlvrd:`      | 21  | 28       | 3     | `001`                                       |
/// | ` Submit date:`| 31  | 44       | 10    | YYMMDDhhmm                                  |
/// | ` done date:`  | 54  | 65       | 10    | YYMMDDhhmm                                  |
/// | ` stat:`       | 75  | 81       | 7     | `DELIVRD`, …                                |
/// | ` err:`        | 88  | 93       | 3     | `000`, …                                    |
/// | ` Text:`       | 96  | 102      | 20    | three digits of length, 17 bytes of it      |
#[derive(Clone, PartialEq, Eq)]
pub struct Receipt {
    pub msg_id: MsgId,
    pub sub: Text<3>,
    pub dlvrd: Text<3>,
    pub submit_date: Text<10>,
    pub done_date: Text<10>,
    pub stat: Text<7>,
    pub err: Text<3>,
    pub text: Text<20>,
}

impl Receipt {
    /// Reads by offset if the keys are where the standard has them, in whatever case, with `_` for a space; else each
    /// value behind its key, wherever behind the id that is. What is missing is empty.
    ///
    /// # Errors
    /// [`DecodeError::Short`] if there is no id or no state.
    pub fn read(content: &[u8]) -> Result<Self, DecodeError> {
        let id = match content.first_chunk::<FIRST_KEY>() {
            Some([key @ .., _, _, _, _, _, _, _, _, _, _]) if spells(key, b"id:") => &content[3..FIRST_KEY],
            _ => return Err(DecodeError::Short { field: "id:", need: FIRST_KEY, have: content.len() }),
        };
        let values = by_offset(content).unwrap_or_else(|| by_keys(content));
        let [sub, dlvrd, submit_date, done_date, stat, err, text] = values;
        if stat.is_empty() {
            return Err(DecodeError::Short { field: "stat:", need: 7, have: 0 });
        }
        let mut msg_id = MsgId::NONE;
        msg_id.0.copy_from_slice(id);
        Ok(Self {
            msg_id,
            sub: Text::cut(sub),
            dlvrd: Text::cut(dlvrd),
            submit_date: Text::cut(submit_date),
            done_date: Text::cut(done_date),
            stat: Text::cut(stat),
            err: Text::cut(err),
            text: Text::cut(text),
        })
    }

    /// The standard's 122 bytes.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let values: [&[u8]; 7] = [
            self.sub.field(),
            self.dlvrd.field(),
            self.submit_date.field(),
            self.done_date.field(),
            self.stat.field(),
            self.err.field(),
            self.text.field(),
        ];
        let mut content = Vec::with_capacity(LENGTH);
        content.extend_from_slice(b"id:");
        content.extend_from_slice(&self.msg_id.0);
        for (key, value) in KEYS.into_iter().zip(values) {
            content.extend_from_slice(key.spelling);
            content.extend_from_slice(value);
        }
        content
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "receipt about {}: {} {}", self.msg_id, self.stat, self.err)
    }
}

/// What [`Receipt::write`] makes.
pub const LENGTH: usize = 122;
/// Behind the id.
const FIRST_KEY: usize = 13;

struct Key {
    /// With the space before it.
    spelling: &'static [u8],
    at: usize,
    /// Of the value, in bytes.
    width: usize,
}

const KEYS: [Key; 7] = [
    Key { spelling: b" sub:", at: 13, width: 3 },
    Key { spelling: b" dlvrd:", at: 21, width: 3 },
    Key { spelling: b" Submit date:", at: 31, width: 10 },
    Key { spelling: b" done date:", at: 54, width: 10 },
    Key { spelling: b" stat:", at: 75, width: 7 },
    Key { spelling: b" err:", at: 88, width: 3 },
    Key { spelling: TEXT, at: 96, width: 20 },
];
/// The last key, and the only one whose value may hold anything.
const TEXT: &[u8] = b" Text:";

type Values<'a> = [&'a [u8]; 7];

/// `None` if a key is not in its place. Of the text there may be less, or nothing.
fn by_offset(content: &[u8]) -> Option<Values<'_>> {
    let mut values: Values<'_> = [&[]; 7];
    for (value, key) in values.iter_mut().zip(&KEYS) {
        let rest = content.get(key.at..)?;
        let is_text = key.spelling == TEXT;
        if is_text && rest.is_empty() {
            break;
        }
        let (spelling, rest) = rest.split_at_checked(key.spelling.len())?;
        if !spells(spelling, key.spelling) {
            return None;
        }
        *value = if is_text { rest } else { trimmed(rest.get(..key.width)?) };
    }
    Some(values)
}

/// Each value goes from its key to the next, whichever that is.
fn by_keys(content: &[u8]) -> Values<'_> {
    let starts = KEYS.each_ref().map(|key| {
        let word = &key.spelling[1..];
        let behind = content[FIRST_KEY..].windows(word.len()).position(|window| spells(window, word));
        behind.map(|at| FIRST_KEY + at)
    });
    let mut values: Values<'_> = [&[]; 7];
    for ((value, key), start) in values.iter_mut().zip(&KEYS).zip(starts) {
        let Some(start) = start else { continue };
        let from = start + key.spelling.len() - 1;
        let next = starts.iter().flatten().filter(|&&other| other >= from).min();
        *value = if key.spelling == TEXT {
            &content[from..]
        } else {
            first_word(&content[from..next.copied().unwrap_or(content.len())])
        };
    }
    values
}

/// The key, in any case, and with `_` for a space.
fn spells(found: &[u8], key: &[u8]) -> bool {
    let same = |(a, b): (&u8, &u8)| a.eq_ignore_ascii_case(b) || (*a == b'_' && *b == b' ');
    found.len() == key.len() && found.iter().zip(key).all(same)
}

fn first_word(value: &[u8]) -> &[u8] {
    let value = trimmed(value);
    let end = value.iter().position(|&byte| is_padding(byte)).unwrap_or(value.len());
    &value[..end]
}

fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = value
        && is_padding(*first)
    {
        value = rest;
    }
    while let [rest @ .., last] = value
        && is_padding(*last)
    {
        value = rest;
    }
    value
}

fn is_padding(byte: u8) -> bool {
    byte == b' ' || byte == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(id: [u8; 10]) -> Receipt {
        Receipt {
            msg_id: MsgId(id),
            sub: "001".parse().unwrap(),
            dlvrd: "001".parse().unwrap(),
            submit_date: "2611230947".parse().unwrap(),
            done_date: "2611230948".parse().unwrap(),
            stat: "DELIVRD".parse().unwrap(),
            err: "000".parse().unwrap(),
            text: "010hello smgp".parse().unwrap(),
        }
    }

    const AWKWARD_IDS: [[u8; 10]; 4] = [*b" err:1 sub", *b" stat:UNDE", *b"text:\0 \xff::", [0; 10]];

    #[test]
    fn a_receipt_has_122_bytes_in_the_spelling_of_the_standard() {
        let written = receipt([0x30; 10]).write();
        assert_eq!(written.len(), LENGTH);
        let text = "id:0000000000 sub:001 dlvrd:001 Submit date:2611230947 done date:2611230948 stat:DELIVRD \
                    err:000 Text:010hello smgp\0\0\0\0\0\0\0";
        assert_eq!(written, text.as_bytes());
        for key in &KEYS {
            assert_eq!(&written[key.at..key.at + key.spelling.len()], key.spelling);
        }
    }

    #[test]
    fn every_known_spelling_is_read_whatever_the_id() {
        for id in AWKWARD_IDS {
            for (key, spelling) in [
                (" Submit date:", " submit date:"),
                (" Submit date:", " Submit_Date:"),
                (" done date:", " done_date:"),
                (" Text:", " text:"),
                (" Text:", " TEXT:"),
            ] {
                let content = replaced(&receipt(id).write(), key, spelling);
                assert_eq!(Receipt::read(&content), Ok(receipt(id)), "{spelling}");
            }
        }
    }

    #[test]
    fn a_shorter_text_or_none_is_read() {
        for id in AWKWARD_IDS {
            let whole = receipt(id);
            let content = whole.write();
            for length in 115..=LENGTH {
                assert_eq!(Receipt::read(&content[..length]), Ok(whole.clone()), "{length}");
            }
            let without = Receipt { text: Text::EMPTY, ..whole };
            for length in [96, 102] {
                assert_eq!(Receipt::read(&content[..length]), Ok(without.clone()), "{length}");
            }
        }
    }

    #[test]
    fn keys_out_of_place_are_found_behind_the_id() {
        for id in AWKWARD_IDS {
            let whole = receipt(id);
            for (key, spelling) in [
                (" sub:", "sub:"),
                (" done date:", "  DONE_DATE: "),
                (" Submit date:2611230947", " submit date:261123094759"),
            ] {
                let content = replaced(&whole.write(), key, spelling);
                assert_eq!(Receipt::read(&content), Ok(whole.clone()), "{spelling}");
            }
            let content = replaced(&whole.write(), " err:000", " err:");
            assert_eq!(Receipt::read(&content), Ok(Receipt { err: Text::EMPTY, ..whole.clone() }));
            let content = [b"ID:", &id[..], b" err:000 stat:DELIVRD sub:001 dlvrd:001"].concat();
            let read = Receipt::read(&content).unwrap();
            assert_eq!((read.msg_id, read.stat, read.err), (whole.msg_id, whole.stat, whole.err));
            assert!(read.text.is_empty() && read.done_date.is_empty());
        }
    }

    #[test]
    fn without_an_id_or_a_state_there_is_no_receipt() {
        let content = receipt(AWKWARD_IDS[1]).write();
        let no_id = DecodeError::Short { field: "id:", need: 13, have: 119 };
        assert_eq!(Receipt::read(&content[3..]), Err(no_id));
        let no_state = DecodeError::Short { field: "stat:", need: 7, have: 0 };
        assert_eq!(Receipt::read(&content[..75]), Err(no_state));
        assert_eq!(Receipt::read(&replaced(&content, " stat:DELIVRD", " stat:       ")), Err(no_state));
        assert_eq!(Receipt::read(b""), Err(DecodeError::Short { field: "id:", need: 13, have: 0 }));
    }

    /// The first `key` behind the id in another spelling.
    fn replaced(content: &[u8], key: &str, spelling: &str) -> Vec<u8> {
        let behind = content[FIRST_KEY..].windows(key.len()).position(|window| window == key.as_bytes());
        let at = FIRST_KEY + behind.unwrap();
        [&content[..at], spelling.as_bytes(), &content[at + key.len()..]].concat()
    }
}
