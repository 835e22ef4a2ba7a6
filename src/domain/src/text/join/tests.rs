use proptest::prelude::*;

use super::*;
use crate::text::{Limits, Preference, ReferenceWidth, SplitSettings, header, split};

const MINUTE: Duration = Duration::from_secs(60);

/// Any moment: a joiner looks at differences only.
#[allow(clippy::disallowed_methods)]
fn start() -> Instant {
    Instant::now()
}

fn header(reference: u8, part: u8, parts: u8) -> PartHeader {
    PartHeader::new(Reference::Eight(reference), part, parts).unwrap()
}

struct Fixture {
    joiner: Joiner<&'static str, u32>,
    now: Instant,
}

impl Fixture {
    fn new(most: usize) -> Self {
        Self { joiner: Joiner::new(most, MINUTE), now: start() }
    }

    fn add(&mut self, reference: u8, part: u8, content: &str, id: u32) -> Joined<u32> {
        let header = header(reference, part, 2);
        self.joiner.add("user", header, Coding::Ascii, content.as_bytes(), id, self.now)
    }

    /// The ids of what is present of each message given up.
    fn expired(&mut self) -> Vec<Vec<u32>> {
        let expired = self.joiner.expired(self.now).into_iter();
        expired.map(|incomplete| incomplete.present.iter().map(|part| part.id).collect()).collect()
    }
}

fn whole(text: &str, ids: &[u32]) -> Joined<u32> {
    Joined::Whole { text: MessageText(text.to_owned()), ids: ids.to_vec() }
}

#[test]
fn parts_come_in_any_order_and_twice() {
    let mut fixture = Fixture::new(9);
    assert_eq!(fixture.add(1, 2, "b", 12), Joined::Waiting);
    assert_eq!(fixture.add(1, 2, "b", 12), Joined::Duplicate);
    assert_eq!(fixture.add(1, 2, "b", 13), Joined::Duplicate);
    assert_eq!(fixture.add(1, 1, "a", 11), whole("ab", &[11, 12]));
    assert!(fixture.joiner.is_empty());
    assert_eq!(fixture.add(1, 2, "b", 12), Joined::Duplicate);
    assert_eq!(fixture.joiner.next_deadline(), None);
}

#[test]
fn messages_with_other_keys_references_or_totals_are_others() {
    let mut joiner = Joiner::new(9, MINUTE);
    let now = start();
    let mut add = |key, header, id| joiner.add(key, header, Coding::Ascii, b"a", id, now);
    assert_eq!(add("one", header(1, 1, 2), 1), Joined::Waiting);
    assert_eq!(add("other", header(1, 2, 2), 2), Joined::Waiting);
    assert_eq!(add("one", header(2, 2, 2), 3), Joined::Waiting);
    assert_eq!(add("one", header(1, 2, 3), 4), Joined::Waiting);
    let sixteen = PartHeader::new(Reference::Sixteen(1), 2, 2).unwrap();
    assert_eq!(add("one", sixteen, 5), Joined::Waiting);
    assert_eq!(add("one", header(1, 2, 2), 6), whole("aa", &[1, 6]));
}

#[test]
fn a_cut_character_is_whole_again() {
    let mut joiner = Joiner::new(9, MINUTE);
    let now = start();
    joiner.add("user", header(1, 2, 2), Coding::Ucs2, &[0x4C], 2, now);
    let joined = joiner.add("user", header(1, 1, 2), Coding::Ucs2, &[0, 0x61, 0x88], 1, now);
    assert_eq!(joined, whole("a行", &[1, 2]));
}

#[test]
fn a_part_in_another_coding_is_read_in_its_own() {
    let mut joiner = Joiner::new(9, MINUTE);
    let now = start();
    joiner.add("user", header(1, 1, 2), Coding::Ucs2, &[0x88, 0x4C], 1, now);
    let joined = joiner.add("user", header(1, 2, 2), Coding::Ascii, b"ok", 2, now);
    assert_eq!(joined, whole("行ok", &[1, 2]));
}

#[test]
fn what_does_not_become_whole_in_time_is_given_up_as_it_is() {
    let mut fixture = Fixture::new(9);
    fixture.add(1, 2, "b", 12);
    fixture.now += MINUTE / 2;
    fixture.add(2, 1, "a", 21);
    let deadline = fixture.now + MINUTE / 2;
    assert_eq!(fixture.joiner.next_deadline(), Some(deadline));
    assert_eq!(fixture.expired(), Vec::<Vec<u32>>::new());
    fixture.now = deadline;
    let text = MessageText("b".to_owned());
    let present = vec![PresentPart { part: 2, id: 12, text }];
    assert_eq!(fixture.joiner.expired(deadline), [Incomplete { key: "user", parts: 2, present }]);
    assert_eq!(fixture.joiner.next_deadline(), Some(deadline + MINUTE / 2));
}

#[test]
fn when_there_are_too_many_the_oldest_is_given_up_at_once() {
    let mut fixture = Fixture::new(2);
    fixture.add(1, 1, "a", 11);
    fixture.add(2, 1, "a", 21);
    fixture.add(3, 1, "a", 31);
    assert_eq!(fixture.joiner.len(), 2);
    assert_eq!(fixture.joiner.next_deadline(), Some(fixture.now));
    assert_eq!(fixture.expired(), [[11]]);
    assert_eq!(fixture.add(2, 2, "b", 22), whole("ab", &[21, 22]));
}

#[test]
fn a_reference_used_again_gives_the_old_message_up() {
    let mut fixture = Fixture::new(9);
    fixture.add(1, 1, "old", 1);
    assert_eq!(fixture.add(1, 1, "new", 2), Joined::Waiting);
    assert_eq!(fixture.expired(), [[1]]);
    assert_eq!(fixture.add(1, 2, "er", 3), whole("newer", &[2, 3]));
}

#[test]
fn the_same_bytes_in_another_coding_are_no_duplicate() {
    let mut joiner = Joiner::new(9, MINUTE);
    let now = start();
    joiner.add("user", header(1, 1, 2), Coding::Ascii, b"ab", 1, now);
    assert_eq!(joiner.add("user", header(1, 1, 2), Coding::Ucs2, b"ab", 2, now), Joined::Waiting);
    assert_eq!(joiner.expired(now).len(), 1);
}

#[test]
fn ids_are_remembered_for_as_many_parts_as_four_times_the_messages() {
    let mut fixture = Fixture::new(1);
    fixture.add(1, 1, "a", 1);
    fixture.add(1, 2, "b", 2);
    fixture.add(2, 1, "c", 3);
    fixture.add(2, 2, "d", 4);
    assert_eq!(fixture.add(1, 1, "a", 1), Joined::Duplicate);
    assert_eq!(fixture.add(3, 1, "e", 5), Joined::Waiting);
    assert_eq!(fixture.add(1, 1, "a", 1), Joined::Waiting);
}

#[test]
fn it_does_not_show_what_it_holds() {
    let mut fixture = Fixture::new(9);
    fixture.add(1, 1, "secret", 1);
    assert_eq!(format!("{:?}", fixture.joiner), "1 incomplete messages");
    let whole = fixture.add(1, 2, "word", 2);
    assert!(!format!("{whole:?}").contains("secret"));
}

proptest! {
    #[test]
    fn what_was_split_is_joined_in_any_order(
        text in "[a-c银行é𠀀😀]{140,400}", gb18030: bool, wide: bool, reference: u16,
        (order, again) in Just((0..16_usize).collect::<Vec<_>>()).prop_shuffle().prop_flat_map(|order| {
            (Just(order), prop::collection::vec(any::<bool>(), 16))
        }),
    ) {
        let settings = SplitSettings {
            preference: if gb18030 { Preference::Gb18030 } else { Preference::Ucs2 },
            reference_width: if wide { ReferenceWidth::Sixteen } else { ReferenceWidth::Eight },
            limits: Limits::cmpp(),
            most_parts: 16,
        };
        let pieces = split(&text, &settings, reference).unwrap();
        let mut joiner = Joiner::new(1, MINUTE);
        let now = start();
        let mut joined = Vec::new();
        for place in order.into_iter().filter(|&place| place < pieces.len()) {
            let piece = &pieces[place];
            let read = header::read(&piece.content);
            for _ in 0..=usize::from(again[place]) {
                joined.push(joiner.add("user", read.part.unwrap(), piece.coding, read.content, place, now));
            }
        }
        let wholes: Vec<_> = joined.into_iter().filter(|joined| matches!(joined, Joined::Whole { .. })).collect();
        let ids = (0..pieces.len()).collect();
        prop_assert_eq!(wholes, [Joined::Whole { text: MessageText(text), ids }]);
    }

    #[test]
    fn every_part_comes_out_exactly_once_and_never_too_many_are_kept(
        most in 0..4_usize,
        steps in prop::collection::vec((0..3_u8, 1..4_u8, 1..4_u8, 0..3_u8, 0..40_u64), 0..60),
    ) {
        let mut joiner = Joiner::new(most, MINUTE);
        let mut now = start();
        let mut added = Vec::new();
        let mut out = Vec::new();
        for (id, (reference, part, parts, content, seconds)) in steps.into_iter().enumerate() {
            now += Duration::from_secs(seconds);
            let header = PartHeader::new(Reference::Eight(reference), part.min(parts), parts).unwrap();
            match joiner.add("user", header, Coding::Binary, &[content], id, now) {
                Joined::Whole { ids, .. } => {
                    added.push(id);
                    out.extend(ids);
                }
                Joined::Waiting => added.push(id),
                Joined::Duplicate => {}
            }
            prop_assert!(joiner.len() <= most.max(1));
            let due = joiner.next_deadline().is_some_and(|deadline| deadline <= now);
            let expired = joiner.expired(now);
            prop_assert_eq!(due, !expired.is_empty());
            out.extend(expired.into_iter().flat_map(|message| message.present).map(|part| part.id));
        }
        let last = joiner.expired(now + MINUTE);
        out.extend(last.into_iter().flat_map(|message| message.present).map(|part| part.id));
        out.sort_unstable();
        prop_assert_eq!(out, added);
        prop_assert_eq!(joiner.next_deadline(), None);
    }
}
