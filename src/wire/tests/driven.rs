//! What the fuzz targets drive, driven by the corpus and by whatever proptest thinks of.

#![allow(clippy::disallowed_methods, reason = "a test may read its corpus")]

mod drive;
#[expect(dead_code, reason = "only the bytes are wanted here")]
mod vectors;

use std::ops::Range;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

const FILES: [(u8, &str); 5] = [
    (0, include_str!("vectors/cmpp2.txt")),
    (1, include_str!("vectors/cmpp3.txt")),
    (2, include_str!("vectors/sgip.txt")),
    (3, include_str!("vectors/smgp.txt")),
    (5, include_str!("vectors/smgp.txt")),
];

#[test]
fn in_each_protocol_a_submit_and_a_report_are_answered() {
    for protocol in 0..6 {
        let script: &[u8] = &[protocol, 3, 30, 2, 0, 0, 0, 15, 0, 5, 2, b'1', b'0', 0, 3, b'1', b'3', b'8'];
        let script = [script, &[0; 4], &[2, b'h', b'i', 1, 0, 0], &[1, 6, 0, 1, 0], &[0; 7]].concat();
        assert_eq!(drive::sessions(&script), 2, "protocol {protocol}");
    }
}

#[test]
fn the_corpus_is_driven_without_a_fault() {
    type Drive = fn(&[u8]);
    let sessions: Drive = |input| {
        drive::sessions(input);
    };
    let drives: [(&str, Drive); 3] = [("bytes", drive::bytes), ("sessions", sessions), ("text", drive::text)];
    for (name, drive) in drives {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name);
        let files: Vec<_> = directory.read_dir().unwrap().map(|file| file.unwrap().path()).collect();
        assert!(files.len() >= 5, "{} files in {}", files.len(), directory.display());
        for file in files {
            drive(&std::fs::read(&file).unwrap());
        }
    }
}

proptest! {
    #[test]
    fn golden_pdus_in_any_order_spoilt_anywhere_are_read_or_refused(
        (protocol, mut stream) in golden(0..6),
        head in vec(any::<u8>(), 8),
        spoilt in vec((any::<Index>(), any::<u8>()), 0..6),
    ) {
        for (at, byte) in spoilt {
            let at = at.index(stream.len().max(1));
            stream.get_mut(at).into_iter().for_each(|place| *place = byte);
        }
        drive::bytes(&[&[protocol][..], &head, &stream].concat());
    }

    #[test]
    fn any_bytes_are_read_or_refused(input in vec(any::<u8>(), 0..400)) {
        drive::bytes(&input);
    }

    #[test]
    fn any_two_sessions_end_and_each_of_their_requests_ends_once(input in vec(any::<u8>(), 0..400)) {
        drive::sessions(&input);
    }

    #[test]
    fn two_sessions_that_are_up_and_busy_end_and_each_of_their_requests_ends_once(
        head in vec(any::<u8>(), 6),
        steps in vec(busy(), 0..150),
    ) {
        let login: &[u8] = &[0, 15];
        drive::sessions(&[&head, login, &steps.concat()].concat());
    }

    #[test]
    fn any_text_comes_back_and_any_part_ends_once(what in 0..3_u8, input in vec(any::<u8>(), 0..600)) {
        drive::text(&[&[what][..], &input].concat());
    }

    #[test]
    fn any_characters_come_back(head in vec(any::<u8>(), 4), number: u16, text in "[a银行é𠀀😀]{0,300}|.{0,200}") {
        let [high, low] = number.to_be_bytes();
        drive::text(&[&[0][..], &head, &[high, low, 3, 2, 0, 1, 0, 0], text.as_bytes()].concat());
    }
}

/// A stream of golden PDUs, and the number of their protocol.
fn golden(count: Range<usize>) -> impl Strategy<Value = (u8, Vec<u8>)> {
    select(FILES.to_vec()).prop_flat_map(move |(protocol, text)| {
        let pdus: Vec<Vec<u8>> = vectors::read(text).into_iter().map(|vector| vector.bytes).collect();
        (Just(protocol), vec(select(pdus), count.clone()).prop_map(|pdus| pdus.concat()))
    })
}

/// A step that leaves the bytes as they are.
fn busy() -> impl Strategy<Value = Vec<u8>> {
    let step = |kind: u8| (0..2_u8, Just(kind)).prop_map(|(at, kind)| vec![at, kind]);
    let request = (0..2_u8, 5..7_u8, vec(any::<u8>(), 0..60));
    prop_oneof![
        4 => select(vec![0, 3, 4, 7, 8, 9, 10, 11, 15_u8]).prop_flat_map(step),
        1 => request.prop_map(|(at, kind, fields)| [vec![at, kind], fields].concat()),
    ]
}
