//! Texts into short messages and back, and parts that anybody may send.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use domain::text::{
    Coding, Joined, Joiner, Limits, PartHeader, Place, Preference, Reference, ReferenceWidth, Signature,
    SplitError, SplitSettings, decode, header, split,
};

use super::{Choices, start};

/// The first byte chooses what is done.
pub fn text(input: &[u8]) {
    let mut choices = Choices::new(input);
    match choices.below(3) {
        0 => there_and_back(choices),
        1 => content(choices),
        _ => join(choices),
    }
}

/// How many messages a [`Joiner`] keeps in which parts meet, and how long.
const MOST: usize = 3;
const TIMEOUT: Duration = Duration::from_secs(60);

/// Text → pieces, in any order and some twice → the same text.
fn there_and_back(mut choices: Choices<'_>) {
    let settings = SplitSettings {
        preference: choices.one(&[Preference::Ucs2, Preference::Gb18030]),
        reference_width: choices.one(&[ReferenceWidth::Eight, ReferenceWidth::Sixteen]),
        limits: choices.one(&[Limits::cmpp(), Limits::sgip(), Limits::smgp()]),
        most_parts: choices.byte(),
    };
    let reference = choices.number();
    let order: Vec<u8> = choices.bytes(255).to_vec();
    let place = choices.one(&[Place::Start, Place::End]);
    let signature = Signature { text: String::from_utf8_lossy(choices.bytes(12)).into_owned(), place };
    let text = String::from_utf8_lossy(choices.rest());
    let signed = signature.sign(&text);
    assert_eq!(signature.sign(&signed), signed);

    let pieces = match split(&signed, &settings, reference) {
        Ok(pieces) => pieces,
        Err(SplitError::TooManyParts { needed, most }) => {
            assert!(needed > usize::from(most) && most == settings.most_parts);
            return;
        }
    };
    let parts = u8::try_from(pieces.len()).expect("at most 255 pieces");
    for (number, piece) in (1..).zip(&pieces) {
        assert_eq!((piece.part, piece.parts, piece.header), (number, parts, parts > 1));
        let most = if piece.header { settings.limits.part() } else { settings.limits.single(piece.coding) };
        assert!(piece.content.len() <= most);
    }
    let joined = match &pieces[..] {
        [piece] => decode(&piece.content, piece.coding),
        several => {
            // Knows as many ids as there can be pieces.
            let mut joiner = Joiner::new(64, TIMEOUT);
            let mut whole = None;
            let first = order.iter().map(|&at| usize::from(at) % several.len());
            let mut waiting: BTreeSet<usize> = (0..several.len()).collect();
            for at in first.chain(0..several.len()) {
                let piece = &several[at];
                let read = header::read(&piece.content);
                let part = read.part.expect("a header that can be read");
                let joined = joiner.add((), part, piece.coding, read.content, at, start().instant);
                match (waiting.remove(&at), waiting.is_empty(), joined) {
                    (true, true, Joined::Whole { text, ids }) => {
                        assert!(ids.iter().copied().eq(0..several.len()));
                        whole = Some(text.0);
                    }
                    (true, false, Joined::Waiting) | (false, _, Joined::Duplicate) => {}
                    (new, last, joined) => panic!("{new} {last}: {joined:?}"),
                }
            }
            assert!(joiner.is_empty());
            whole.expect("a whole message")
        }
    };
    if signed.chars().all(comes_back) {
        assert!(joined == signed, "another text");
    }
}

/// Not a byte order mark, nor of the private use area, where GB18030 has other characters.
fn comes_back(character: char) -> bool {
    !matches!(character, '\u{FEFF}' | '\u{FFFE}' | '\u{E000}'..='\u{F8FF}')
}

/// Any content: its header and its text.
fn content(mut choices: Choices<'_>) {
    let coding = Coding::from_number(choices.byte());
    let content = choices.rest();
    assert!(decode(content, coding).chars().count() <= 2 * content.len());
    let read = header::read(content);
    assert!(content.ends_with(read.content));
    if let Some(part) = read.part {
        assert!((1..=part.parts()).contains(&part.part()));
        let mut written = Vec::new();
        part.write(&mut written);
        assert_eq!(written.len(), part.reference().header_length());
        assert_eq!(header::read(&written).part, Some(part));
    }
}

/// Parts in any order, of few messages, so that they meet: each ends once.
fn join(mut choices: Choices<'_>) {
    let mut joiner = Joiner::new(MOST, TIMEOUT);
    let mut waiting = Waiting::default();
    let mut now = start().instant;
    let mut next_id = 0;
    while !choices.is_empty() {
        now += Duration::from_secs(choices.below(40).into());
        let reference = match choices.below(3) {
            0 => Reference::Sixteen(0),
            low => Reference::Eight(low),
        };
        let parts = choices.below(4) + 1;
        let Some(header) = PartHeader::new(reference, choices.below(parts) + 1, parts) else {
            continue;
        };
        // An old id now and then; it may be so old that the joiner has forgotten it.
        let id = if choices.below(4) == 0 { u16::from(choices.byte()) } else { next_id };
        next_id += 1;
        let (key, coding) = (choices.below(2), choices.one(&[Coding::Ascii, Coding::Ucs2]));
        match joiner.add(key, header, coding, choices.bytes(8), id, now) {
            Joined::Waiting => waiting.0.push((key, id, header.part())),
            Joined::Whole { ids, .. } => {
                assert_eq!(ids.len(), usize::from(parts));
                for (number, id_there) in (1..).zip(ids) {
                    if number == header.part() {
                        assert_eq!(id_there, id);
                    } else {
                        waiting.end((key, id_there, number));
                    }
                }
            }
            Joined::Duplicate => {}
        }
        assert!(joiner.len() <= MOST);
        if choices.flag() {
            waiting.expire(&mut joiner, now);
        }
    }
    waiting.expire(&mut joiner, now + TIMEOUT);
    assert!(joiner.is_empty() && waiting.0.is_empty());
}

/// Key, id and number of each part that has not ended.
#[derive(Default)]
struct Waiting(Vec<(u8, u16, u8)>);

impl Waiting {
    fn end(&mut self, part: (u8, u16, u8)) {
        let at = self.0.iter().position(|&waits| waits == part);
        self.0.swap_remove(at.expect("a part that waits"));
    }

    fn expire(&mut self, joiner: &mut Joiner<u8, u16>, now: Instant) {
        for incomplete in joiner.expired(now) {
            assert!((1..usize::from(incomplete.parts)).contains(&incomplete.present.len()));
            incomplete.present.iter().for_each(|part| self.end((incomplete.key, part.id, part.part)));
        }
        assert!(joiner.next_deadline().is_none_or(|deadline| deadline > now));
    }
}
