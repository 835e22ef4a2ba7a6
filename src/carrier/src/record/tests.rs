use std::sync::Arc;

use domain::Millis;
use domain::text::{Limits, Preference, ReferenceWidth, SplitSettings, split};
use wire::exchange::MessageId;

use super::*;
use crate::behaviour::State;

fn entry(sequence: u32, content: &[u8]) -> Entry {
    Entry {
        at: Millis(1_767_225_600_000),
        account: Arc::from("a"),
        connection: 3,
        sequence: sequence.to_string(),
        message_id: Some(MessageId::new([0, 0, 0, 7])),
        source: "1069000001".parse().unwrap(),
        destination: "13800138000".parse().unwrap(),
        coding: 15,
        header: false,
        part: 1,
        parts: 1,
        content: content.into(),
        valid_until: "260102030405032+".parse().unwrap(),
        priority: 9,
        report_wanted: true,
        code: 0,
        answered: true,
        report: ReportPlan::Once(State::DELIVERED),
        duplicates: 0,
    }
}

/// The parts of a text of three parts, the second of which is refused once.
fn long_message(text: &str) -> Vec<Entry> {
    let settings = SplitSettings {
        preference: Preference::Ucs2,
        reference_width: ReferenceWidth::Sixteen,
        limits: Limits::cmpp(),
        most_parts: 9,
    };
    let mut entries: Vec<Entry> = split(text, &settings, 0x1234)
        .unwrap()
        .into_iter()
        .map(|piece| Entry {
            coding: piece.coding.number(),
            header: piece.header,
            part: piece.part,
            parts: piece.parts,
            ..entry(piece.part.into(), &piece.content)
        })
        .collect();
    let refused = Entry { code: 8, message_id: None, report: ReportPlan::None, ..entries[1].clone() };
    entries.insert(0, refused);
    entries.swap(1, 3);
    entries
}

async fn is_written_and_read(suffix: &str) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(format!("record.{suffix}"));
    let file = match suffix {
        "jsonl" => RecordFile::Lines(path.clone()),
        _ => RecordFile::Sqlite(path.clone()),
    };
    let text = "银行😀".repeat(40);
    let (record, writer, last) = open(&file).unwrap();
    assert_eq!(last, 0);
    record.write(vec![entry(1, "余额".as_bytes())]).await.unwrap();
    record.write(long_message(&text)).await.unwrap();
    let read = record.read(0, 100).await.unwrap();
    assert_eq!(read.iter().map(|message| message.n).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    let parts: Vec<_> = read[1..].iter().map(|m| (m.code, m.reference, m.part, m.parts)).collect();
    let (reference, refused) = (Some(0x1234), 8);
    assert_eq!(
        parts,
        [(refused, reference, 2, 3), (0, reference, 3, 3), (0, reference, 2, 3), (0, reference, 1, 3)]
    );
    let texts: Vec<_> = read[1..].iter().map(|message| message.text.as_deref()).collect();
    assert_eq!(texts, [None, None, None, Some(text.as_str())]);
    assert_eq!((read[0].message_id.as_deref(), read[1].message_id.as_deref()), (Some("00000007"), None));
    assert_eq!((read[0].report.as_str(), read[1].report.as_str()), ("delivered", "none"));
    let asked = (read[0].valid_until.as_str(), read[0].priority, read[0].report_wanted);
    assert_eq!(asked, ("260102030405032+", 9, true));
    drop(record);
    writer.join();

    // and it goes on where it ended
    if suffix == "jsonl" {
        use std::io::Write;
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"n\":6,\"at\"").unwrap();
    }
    let (record, writer, last) = open(&file).unwrap();
    assert_eq!(last, 5);
    record.write(vec![entry(2, b"x")]).await.unwrap();
    let read: Vec<_> = record.read(4, 10).await.unwrap().into_iter().map(|m| (m.n, m.content)).collect();
    assert_eq!((read[0].0, &read[1]), (5, &(6, "78".to_owned())));
    assert_eq!(record.read(1, 2).await.unwrap().len(), 2);
    assert!(record.read(6, 10).await.unwrap().is_empty());
    drop(record);
    writer.join();
}

#[tokio::test]
async fn a_record_of_lines_holds_all_messages_and_goes_on() {
    is_written_and_read("jsonl").await;
}

#[tokio::test]
async fn a_record_of_sqlite_holds_all_messages_and_goes_on() {
    is_written_and_read("sqlite").await;
}

#[tokio::test]
async fn a_record_that_cannot_be_written_tells_whoever_writes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("record.sqlite");
    let (record, mut writer, _) = open(&RecordFile::Sqlite(path.clone())).unwrap();
    rusqlite::Connection::open(&path).unwrap().execute_batch("DROP TABLE messages").unwrap();
    while record.write(vec![entry(1, b"x")]).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let end = (&mut writer.ended).await.unwrap();
    assert!(format!("{:#}", end.unwrap_err()).contains("writing the record"));
    writer.join();
}
