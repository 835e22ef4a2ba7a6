//! A text into the pieces of which each is one short message.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::coding::encode_smallest;
use super::{Coding, Limits, PartHeader, Preference, Reference};

/// How an account splits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SplitSettings {
    pub preference: Preference,
    pub reference_width: ReferenceWidth,
    pub limits: Limits,
    /// The most parts of one message.
    pub most_parts: u8,
}

/// How many bits tell the messages of one sender to one user apart. Every gateway and handset knows 8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ReferenceWidth {
    #[default]
    #[serde(rename = "8-bit")]
    Eight,
    #[serde(rename = "16-bit")]
    Sixteen,
}

/// One short message of a text. `Debug` does not show the content.
#[derive(Clone, PartialEq, Eq)]
pub struct Piece {
    pub coding: Coding,
    /// Whether the content begins with a user data header.
    pub header: bool,
    /// From 1.
    pub part: u8,
    pub parts: u8,
    /// With the header, if there is one.
    pub content: Vec<u8>,
}

/// Why a text cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SplitError {
    #[error("the text needs {needed} parts, more than the {most} that a message may have")]
    TooManyParts { needed: usize, most: u8 },
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { coding, header, part, parts, content } = self;
        let header = if *header { " with a header" } else { "" };
        write!(f, "piece {part}/{parts}, {coding:?}, {} bytes{header}", content.len())
    }
}

/// The pieces of `text` in their order: one without a header if it fits (an empty text is one empty piece), else each
/// as long as it can be without cutting a character. Of an 8-bit `reference` the low byte counts.
///
/// # Errors
/// More parts than the settings allow.
pub fn split(text: &str, settings: &SplitSettings, reference: u16) -> Result<Vec<Piece>, SplitError> {
    let (coding, bytes) = encode_smallest(text, settings.preference);
    if bytes.len() <= settings.limits.single(coding) {
        return Ok(vec![Piece { coding, header: false, part: 1, parts: 1, content: bytes }]);
    }
    let [_, low] = reference.to_be_bytes();
    let reference = match settings.reference_width {
        ReferenceWidth::Eight => Reference::Eight(low),
        ReferenceWidth::Sixteen => Reference::Sixteen(reference),
    };
    let cuts = cut(&bytes, coding, settings.limits.part() - reference.header_length());
    let most = settings.most_parts;
    let too_many = SplitError::TooManyParts { needed: cuts.len(), most };
    let parts = u8::try_from(cuts.len()).ok().filter(|&parts| parts <= most).ok_or(too_many)?;
    let piece = |(part, cut): (u8, &[u8])| {
        let mut content = Vec::with_capacity(reference.header_length() + cut.len());
        PartHeader::new(reference, part, parts)?.write(&mut content);
        content.extend(cut);
        Some(Piece { coding, header: true, part, parts, content })
    };
    Ok((1..=parts).zip(cuts).filter_map(piece).collect())
}

/// Cuts between characters, each piece of at most `room` bytes (a character or more).
fn cut(bytes: &[u8], coding: Coding, room: usize) -> Vec<&[u8]> {
    let mut cuts = Vec::with_capacity(bytes.len() / room + 1);
    let mut rest = bytes;
    while !rest.is_empty() {
        let mut end = coding.first_character(rest);
        while end < rest.len() {
            let next = end + coding.first_character(&rest[end..]);
            if next > room {
                break;
            }
            end = next;
        }
        let (piece, others) = rest.split_at(end);
        cuts.push(piece);
        rest = others;
    }
    cuts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::coding::{decode, encode};
    use crate::text::header;

    const SETTINGS: SplitSettings = SplitSettings {
        preference: Preference::Ucs2,
        reference_width: ReferenceWidth::Eight,
        limits: Limits::cmpp(),
        most_parts: 10,
    };

    fn lengths(text: &str, settings: &SplitSettings) -> Vec<usize> {
        split(text, settings, 1).unwrap().iter().map(|piece| piece.content.len()).collect()
    }

    #[test]
    fn a_text_within_the_limit_is_one_piece_without_a_header() {
        assert_eq!(lengths(&"a".repeat(159), &SETTINGS), [159]);
        assert_eq!(lengths(&"a".repeat(160), &SETTINGS), [140, 32]);
        let sgip = SplitSettings { limits: Limits::sgip(), ..SETTINGS };
        assert_eq!(lengths(&"a".repeat(160), &sgip), [160]);
        let smgp = SplitSettings { limits: Limits::smgp(), ..SETTINGS };
        assert_eq!(lengths(&"a".repeat(141), &smgp), [140, 13]);
        assert_eq!(lengths(&"行".repeat(70), &SETTINGS), [140]);
        assert_eq!(lengths(&"行".repeat(71), &SETTINGS), [140, 14]);
        let empty = Piece { coding: Coding::Ascii, header: false, part: 1, parts: 1, content: vec![] };
        assert_eq!(split("", &SETTINGS, 1).unwrap(), [empty]);
    }

    #[test]
    fn no_character_is_cut() {
        let pairs = format!("行{}", "😀".repeat(40));
        assert_eq!(lengths(&pairs, &SETTINGS), [6 + 2 + 33 * 4 - 4 + 4, 6 + 7 * 4]);
        let wide = SplitSettings { reference_width: ReferenceWidth::Sixteen, ..SETTINGS };
        assert_eq!(lengths(&"行".repeat(71), &wide), [7 + 132, 7 + 10]);
        let gb18030 = SplitSettings { preference: Preference::Gb18030, ..SETTINGS };
        assert_eq!(lengths(&format!("a{}", "行".repeat(80)), &gb18030), [6 + 133, 6 + 28]);
        assert_eq!(lengths(&format!("a{}", "𠀀".repeat(40)), &gb18030), [6 + 133, 6 + 28]);
    }

    #[test]
    fn the_header_says_reference_total_and_number() {
        let pieces = split(&"行".repeat(140), &SETTINGS, 0x1234).unwrap();
        let starts: Vec<&[u8]> = pieces.iter().map(|piece| &piece.content[..6]).collect();
        assert_eq!(starts, [[5, 0, 3, 0x34, 3, 1], [5, 0, 3, 0x34, 3, 2], [5, 0, 3, 0x34, 3, 3]]);
    }

    #[test]
    fn too_many_parts_are_refused_with_the_limit() {
        assert_eq!(lengths(&"行".repeat(670), &SETTINGS).len(), 10);
        let error = split(&"行".repeat(671), &SETTINGS, 1).unwrap_err();
        assert_eq!(error.to_string(), "the text needs 11 parts, more than the 10 that a message may have");
        let most = SplitSettings { most_parts: 255, ..SETTINGS };
        let error = split(&"行".repeat(67 * 256), &most, 1).unwrap_err();
        assert_eq!(error, SplitError::TooManyParts { needed: 256, most: 255 });
    }

    #[test]
    fn a_piece_does_not_show_its_content() {
        let pieces = split("secret", &SETTINGS, 1).unwrap();
        assert_eq!(format!("{pieces:?}"), "[piece 1/1, Ascii, 6 bytes]");
    }

    fn settings() -> impl Strategy<Value = SplitSettings> {
        let limits = prop::sample::select(vec![Limits::cmpp(), Limits::sgip(), Limits::smgp()]);
        (any::<bool>(), any::<bool>(), limits).prop_map(|(gb18030, wide, limits)| SplitSettings {
            preference: if gb18030 { Preference::Gb18030 } else { Preference::Ucs2 },
            reference_width: if wide { ReferenceWidth::Sixteen } else { ReferenceWidth::Eight },
            limits,
            most_parts: 255,
        })
    }

    fn texts() -> impl Strategy<Value = String> {
        prop_oneof!["[ -~\r\n]{0,700}", "[a银行é𠀀😀]{0,300}", "[^\u{FEFF}\u{FFFE}\u{E000}-\u{F8FF}]{0,300}"]
    }

    proptest! {
        #[test]
        fn the_pieces_together_are_the_text_and_each_is_whole_and_within_the_limits(
            text in texts(), settings in settings(), reference: u16,
        ) {
            let pieces = split(&text, &settings, reference).unwrap();
            let mut joined = String::new();
            for (number, piece) in (1..).zip(&pieces) {
                prop_assert_eq!((piece.part, usize::from(piece.parts)), (number, pieces.len()));
                prop_assert_eq!(piece.header, pieces.len() > 1);
                let content = if piece.header {
                    prop_assert!(piece.content.len() <= settings.limits.part());
                    let read = header::read(&piece.content);
                    let header = read.part.unwrap();
                    prop_assert_eq!((header.part(), header.parts()), (piece.part, piece.parts));
                    read.content
                } else {
                    prop_assert!(piece.content.len() <= settings.limits.single(piece.coding));
                    &piece.content
                };
                joined += &decode(content, piece.coding);
            }
            prop_assert_eq!(joined, text);
        }

        #[test]
        fn no_piece_has_room_for_the_first_character_of_the_next(text in texts(), settings in settings()) {
            let pieces = split(&text, &settings, 0).unwrap();
            for pair in pieces.windows(2) {
                let next = decode(header::read(&pair[1].content).content, pair[1].coding);
                let first = next.chars().next().unwrap().to_string();
                let needed = encode(&first, pair[1].coding).unwrap().len();
                prop_assert!(pair[0].content.len() + needed > settings.limits.part());
            }
        }
    }
}
