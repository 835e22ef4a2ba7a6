//! Text as bytes and back.

use std::fmt::Write as _;

use encoding_rs::GB18030;
use serde::{Deserialize, Serialize};

/// How the content of a short message is coded: the data coding of GSM 03.38, and 15 as the Chinese carriers use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Coding {
    /// 0: a character is a byte.
    Ascii,
    /// 4: bytes that are no text.
    Binary,
    /// 8: UTF-16, the high byte first.
    Ucs2,
    /// 15: a character is 1, 2 or 4 bytes. Its older forms GB2312 and GBK are a part of it.
    Gb18030,
    /// Another number. Only [`Coding::from_number`] makes it, so that it is none of the above.
    Other(u8),
}

/// What a text is coded in that is more than ASCII.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preference {
    #[default]
    Ucs2,
    Gb18030,
}

impl Coding {
    #[must_use]
    pub const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Ascii,
            4 => Self::Binary,
            8 => Self::Ucs2,
            15 => Self::Gb18030,
            other => Self::Other(other),
        }
    }

    /// CMPP `Msg_Fmt`, SGIP `MessageCoding`, SMGP `MsgFormat`.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Ascii => 0,
            Self::Binary => 4,
            Self::Ucs2 => 8,
            Self::Gb18030 => 15,
            Self::Other(number) => number,
        }
    }

    /// The length in bytes of the first character in `bytes`, which [`encode`] has made.
    pub(super) fn first_character(self, bytes: &[u8]) -> usize {
        let length = match (self, bytes) {
            (Self::Ucs2, [0xD8..=0xDB, ..]) => 4,
            (Self::Ucs2, _) => 2,
            (Self::Gb18030, [0x80..=0xFF, 0x30..=0x39, ..]) => 4,
            (Self::Gb18030, [0x80..=0xFF, ..]) => 2,
            (Self::Gb18030 | Self::Ascii | Self::Binary | Self::Other(_), _) => 1,
        };
        length.min(bytes.len())
    }
}

/// The text in the smallest coding: ASCII if it fits, else as preferred, else (one character of the private use area
/// is not in GB18030) UCS2.
#[must_use]
pub fn encode_smallest(text: &str, preference: Preference) -> (Coding, Vec<u8>) {
    let larger = match preference {
        Preference::Ucs2 => Coding::Ucs2,
        Preference::Gb18030 => Coding::Gb18030,
    };
    [Coding::Ascii, larger]
        .into_iter()
        .find_map(|coding| Some((coding, encode(text, coding)?)))
        .unwrap_or_else(|| (Coding::Ucs2, encode_ucs2(text)))
}

/// The text in this coding; `None` if it does not fit. ASCII holds what is printable, CR and LF; UCS2 everything, without
/// a byte order mark; binary and other codings no text. Characters of the private use area that stood for others
/// before they had a place in Unicode come back from GB18030 as those.
#[must_use]
pub fn encode(text: &str, coding: Coding) -> Option<Vec<u8>> {
    match coding {
        Coding::Ascii => {
            let fits = |b: u8| matches!(b, b' '..=b'~' | b'\r' | b'\n');
            text.bytes().all(fits).then(|| text.as_bytes().to_vec())
        }
        Coding::Ucs2 => Some(encode_ucs2(text)),
        Coding::Gb18030 => {
            let (bytes, _, unmappable) = GB18030.encode(text);
            (!unmappable).then(|| bytes.into_owned())
        }
        Coding::Binary | Coding::Other(_) => None,
    }
}

/// The text in the bytes; what is no text becomes U+FFFD, or is left out at the end. Binary is shown in hexadecimal. ASCII
/// is read as GB18030, which it is a part of: some send that under the number of ASCII.
#[must_use]
pub fn decode(bytes: &[u8], coding: Coding) -> String {
    match coding {
        Coding::Ascii | Coding::Gb18030 => decode_gb18030(bytes),
        Coding::Ucs2 => decode_ucs2(bytes),
        Coding::Binary => hexadecimal(bytes),
        Coding::Other(number) => match number {
            3 => hexadecimal(bytes),
            // GSM 03.38: two bits say the alphabet, whatever class or compression the others say.
            0x00..=0x7F if number & 0x0C == 0x08 => decode_ucs2(bytes),
            0x00..=0x7F | 0xF0.. if number & 0x0C == 0x04 => hexadecimal(bytes),
            0xE0..=0xEF => decode_ucs2(bytes),
            _ => decode_gb18030(bytes),
        },
    }
}

fn encode_ucs2(text: &str) -> Vec<u8> {
    let text = text.trim_start_matches(['\u{FEFF}', '\u{FFFE}']);
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// In the order that a byte order mark says.
fn decode_ucs2(bytes: &[u8]) -> String {
    let (bytes, unit): (_, fn([u8; 2]) -> u16) = match bytes {
        [0xFE, 0xFF, rest @ ..] => (rest, u16::from_be_bytes),
        [0xFF, 0xFE, rest @ ..] => (rest, u16::from_le_bytes),
        _ => (bytes, u16::from_be_bytes),
    };
    let (pairs, _) = bytes.as_chunks::<2>();
    char::decode_utf16(pairs.iter().map(|&pair| unit(pair)))
        .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

fn decode_gb18030(bytes: &[u8]) -> String {
    GB18030.decode_without_bom_handling(bytes).0.into_owned()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_takes_the_smallest_coding() {
        let coding = |text, preference| encode_smallest(text, preference).0;
        assert_eq!(coding("code 1234\r\n", Preference::Ucs2), Coding::Ascii);
        assert_eq!(coding("", Preference::Gb18030), Coding::Ascii);
        assert_eq!(coding("tab\t", Preference::Gb18030), Coding::Gb18030);
        assert_eq!(coding("验证码", Preference::Ucs2), Coding::Ucs2);
        assert_eq!(coding("验证码", Preference::Gb18030), Coding::Gb18030);
        assert_eq!(coding("\u{E5E5}", Preference::Gb18030), Coding::Ucs2);
    }

    #[test]
    fn gb18030_has_characters_of_1_2_and_4_bytes() {
        let bytes = encode("a银𠀀", Coding::Gb18030).unwrap();
        assert_eq!(bytes, [0x61, 0xD2, 0xF8, 0x95, 0x32, 0x82, 0x36]);
        assert_eq!(decode(&bytes, Coding::Gb18030), "a银𠀀");
        assert_eq!(decode(&bytes, Coding::Ascii), "a银𠀀");
    }

    #[test]
    fn ucs2_is_read_with_a_byte_order_mark_and_with_half_a_character_at_the_end() {
        assert_eq!(encode("行😀", Coding::Ucs2).unwrap(), [0x88, 0x4C, 0xD8, 0x3D, 0xDE, 0x00]);
        assert_eq!(decode(&[0x88, 0x4C, 0x00], Coding::Ucs2), "行");
        assert_eq!(decode(&[0xFE, 0xFF, 0x88, 0x4C], Coding::Ucs2), "行");
        assert_eq!(decode(&[0xFF, 0xFE, 0x4C, 0x88], Coding::Ucs2), "行");
        assert_eq!(decode(&[0xD8, 0x3D, 0x00, 0x61], Coding::Ucs2), "\u{FFFD}a");
        assert_eq!(encode("\u{FEFF}a", Coding::Ucs2).unwrap(), [0, 0x61]);
    }

    #[test]
    fn other_codings_are_read_by_their_alphabet() {
        let read = |number| decode(&[0x88, 0x4C], Coding::from_number(number));
        for ucs2 in [8, 0x18, 0x19, 0xE0] {
            assert_eq!(read(ucs2), "行", "{ucs2}");
        }
        for data in [3, 4, 0x14, 0xF4, 246] {
            assert_eq!(read(data), "884c", "{data}");
        }
        assert_eq!(decode(b"ab", Coding::Other(0xF1)), "ab");
    }

    proptest! {
        #[test]
        fn what_fits_is_read_back(text in "[^\u{FEFF}\u{FFFE}\u{E000}-\u{F8FF}]{0,60}") {
            for coding in [Coding::Ascii, Coding::Ucs2, Coding::Gb18030] {
                if let Some(bytes) = encode(&text, coding) {
                    prop_assert_eq!(&decode(&bytes, coding), &text);
                }
            }
            prop_assert!(encode(&text, Coding::Gb18030).is_some());
        }

        #[test]
        fn any_bytes_are_read_in_any_coding(bytes in prop::collection::vec(any::<u8>(), 0..160), number: u8) {
            let coding = Coding::from_number(number);
            prop_assert_eq!(coding.number(), number);
            prop_assert!(decode(&bytes, coding).chars().count() <= 2 * bytes.len());
        }

        #[test]
        fn a_character_is_as_long_as_it_is_alone(first: char, rest in ".{0,4}") {
            for coding in [Coding::Ascii, Coding::Ucs2, Coding::Gb18030] {
                let whole = format!("{first}{rest}");
                if let (Some(alone), Some(whole)) = (encode(&first.to_string(), coding), encode(&whole, coding))
                    && !alone.is_empty()
                {
                    prop_assert_eq!(coding.first_character(&whole), alone.len());
                }
            }
        }
    }
}
