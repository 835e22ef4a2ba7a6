//! The user data header (GSM 03.40, 9.2.3.24) in front of the content: its length, then elements of a number, a length
//! and data. The one that counts here says which part of which message this is:
//!
//! ```text
//! 8-bit reference    05 00 03 RR    TT NN
//! 16-bit reference   06 08 04 RR RR TT NN
//! ```

/// What the parts of one message have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    Eight(u8),
    Sixteen(u16),
}

/// Which part of which message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartHeader {
    reference: Reference,
    part: u8,
    parts: u8,
}

/// Content taken apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Headed<'a> {
    /// `None` if it is no part of several.
    pub part: Option<PartHeader>,
    /// What follows the header.
    pub content: &'a [u8],
}

/// Numbers of elements.
const EIGHT: u8 = 0x00;
const SIXTEEN: u8 = 0x08;

impl Reference {
    /// The length in bytes of the header with such a reference.
    #[must_use]
    pub const fn header_length(self) -> usize {
        match self {
            Self::Eight(_) => 6,
            Self::Sixteen(_) => 7,
        }
    }
}

impl PartHeader {
    /// `None` unless `part` is 1 to `parts`.
    #[must_use]
    pub const fn new(reference: Reference, part: u8, parts: u8) -> Option<Self> {
        if part == 0 || part > parts {
            return None;
        }
        Some(Self { reference, part, parts })
    }

    #[must_use]
    pub const fn reference(&self) -> Reference {
        self.reference
    }

    /// From 1.
    #[must_use]
    pub const fn part(&self) -> u8 {
        self.part
    }

    #[must_use]
    pub const fn parts(&self) -> u8 {
        self.parts
    }

    /// Appends the header to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self.reference {
            Reference::Eight(reference) => out.extend([5, EIGHT, 3, reference]),
            Reference::Sixteen(reference) => {
                out.extend([6, SIXTEEN, 4]);
                out.extend(reference.to_be_bytes());
            }
        }
        out.extend([self.parts, self.part]);
    }
}

/// Takes apart content that is said to begin with a header. If it cannot, for the header is longer than the content,
/// all of it is content. Elements that are not known, cut short or impossible are skipped; of several the last counts.
#[must_use]
pub fn read(content: &[u8]) -> Headed<'_> {
    let split = content.split_first().and_then(|(&length, rest)| rest.split_at_checked(usize::from(length)));
    let Some((mut elements, rest)) = split else {
        return Headed { part: None, content };
    };
    let mut part = None;
    while let [number, length, data @ ..] = elements {
        let Some((data, others)) = data.split_at_checked(usize::from(*length)) else {
            break;
        };
        part = read_element(*number, data).or(part);
        elements = others;
    }
    Headed { part, content: rest }
}

/// Some in the field write the 16-bit reference under the number of the 8-bit one (`06 00 04`).
fn read_element(number: u8, data: &[u8]) -> Option<PartHeader> {
    match (number, data) {
        (EIGHT, &[reference, parts, part]) => PartHeader::new(Reference::Eight(reference), part, parts),
        (EIGHT | SIXTEEN, &[high, low, parts, part]) => {
            PartHeader::new(Reference::Sixteen(u16::from_be_bytes([high, low])), part, parts)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(reference: Reference, part: u8, parts: u8) -> Option<PartHeader> {
        Some(PartHeader::new(reference, part, parts).unwrap())
    }

    #[test]
    fn three_forms_are_read() {
        let eight = read(&[5, 0, 3, 0xAB, 3, 2, b'x']);
        assert_eq!((eight.part, eight.content), (header(Reference::Eight(0xAB), 2, 3), &b"x"[..]));
        for number in [8, 0] {
            let bytes = [6, number, 4, 0xAB, 0xCD, 3, 1, b'x'];
            let sixteen = read(&bytes);
            assert_eq!(sixteen.part, header(Reference::Sixteen(0xABCD), 1, 3), "{number}");
            assert_eq!(sixteen.content, b"x");
        }
    }

    #[test]
    fn other_elements_are_skipped() {
        let ports = read(&[11, 5, 4, 0x0B, 0x84, 0, 0, 0, 3, 1, 2, 2, b'x']);
        assert_eq!((ports.part, ports.content), (header(Reference::Eight(1), 2, 2), &b"x"[..]));
        let only_ports = read(&[6, 5, 4, 0x0B, 0x84, 0, 0, b'x']);
        assert_eq!((only_ports.part, only_ports.content), (None, &b"x"[..]));
    }

    #[test]
    fn what_is_no_header_is_content() {
        for content in [&b""[..], &[5, 0, 3, 1, 2], &[255]] {
            let read = read(content);
            assert_eq!((read.part, read.content), (None, content));
        }
    }

    #[test]
    fn an_impossible_part_is_none() {
        for (parts, part) in [(0, 0), (2, 0), (2, 3)] {
            let bytes = [5, 0, 3, 1, parts, part, b'x'];
            let read = read(&bytes);
            assert_eq!((read.part, read.content), (None, &b"x"[..]));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(reference: u16, wide: bool, parts in 1..=255_u8, part: u8, content: Vec<u8>) {
            let [_, low] = reference.to_be_bytes();
            let reference = if wide { Reference::Sixteen(reference) } else { Reference::Eight(low) };
            let header = PartHeader::new(reference, part % parts + 1, parts).unwrap();
            let mut bytes = Vec::new();
            header.write(&mut bytes);
            prop_assert_eq!(bytes.len(), reference.header_length());
            bytes.extend(&content);
            let read = read(&bytes);
            prop_assert_eq!(read.part, Some(header));
            prop_assert_eq!(read.content, &content);
        }

        #[test]
        fn any_bytes_are_taken_apart(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert!(bytes.ends_with(read(&bytes).content));
        }

        #[test]
        fn any_elements_are_taken_apart(elements in prop::collection::vec(0..9_u8, 0..12), content: Vec<u8>) {
            let mut bytes = vec![u8::try_from(elements.len()).unwrap()];
            bytes.extend(&elements);
            bytes.extend(&content);
            prop_assert_eq!(read(&bytes).content, &content);
        }
    }
}
