//! What is wrong with files, and what is seen of them from outside.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use crate::Topic as Wanted;

const NAME: &str = "smsline.try";

async fn open(folder: &Path) -> Embedded {
    let bus = Embedded::open(folder, Duration::from_secs(60), "test").await.unwrap();
    bus.ensure(&[Wanted { name: NAME.to_owned(), partitions: 1 }]).await.unwrap();
    bus
}

fn record(bytes: usize) -> Vec<Record> {
    vec![Record { key: "key".to_owned(), value: vec![b'x'; bytes] }]
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn nobody_else_may_look_into_the_files() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("bus");
    let bus = open(&folder).await;
    bus.publish(NAME, record(10)).await.unwrap();
    assert_eq!(mode(&folder), 0o700);
    let modes: Vec<u32> = fs::read_dir(&folder).unwrap().map(|entry| mode(&entry.unwrap().path())).collect();
    assert!(modes.len() >= 4, "{modes:?}");
    assert!(modes.iter().all(|mode| *mode == 0o600), "{modes:?}");
}

#[tokio::test]
async fn a_damaged_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(format!("{NAME}.db"));
    fs::write(&file, "not a database".repeat(1000)).unwrap();
    let bus = Embedded::open(folder.path(), Duration::from_secs(60), "test").await.unwrap();
    let error = bus.publish(NAME, record(10)).await.unwrap_err();
    let BusError::Files { file: named, detail } = error else { panic!("{error}") };
    assert_eq!(Path::new(&named), file.canonicalize().unwrap());
    assert!(detail.starts_with("is damaged"), "{detail}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let opened = Embedded::open(&file.join("bus"), Duration::from_secs(60), "test").await;
    let Err(BusError::Files { file: named, .. }) = opened else { panic!("opened") };
    assert!(named.ends_with("file/bus"), "{named}");
}

#[tokio::test]
async fn when_the_disk_is_full_nothing_is_written_until_there_is_space() {
    let folder = tempfile::tempdir().unwrap();
    let bus = open(folder.path()).await;
    bus.publish(NAME, record(10)).await.unwrap();
    let topic = bus.topic(NAME, None).await.unwrap();
    let limit = |pages: u32| {
        let topic = topic.clone();
        let set = move |connection: &rusqlite::Connection| {
            connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
        };
        blocking(move || topic.write(set))
    };
    limit(20).await.unwrap();
    let error = bus.publish(NAME, record(1 << 20)).await.unwrap_err();
    assert!(matches!(&error, BusError::Away(text) if text.contains("the disk is full")), "{error}");
    assert!(matches!(bus.ping().await, Err(BusError::Away(_))));

    limit(1_000_000).await.unwrap();
    bus.publish(NAME, record(1 << 20)).await.unwrap();
    bus.ping().await.unwrap();
    let mut consumer = bus.subscribe("group", &[NAME]).await.unwrap();
    let mut sizes = Vec::new();
    while sizes.len() < 2 {
        sizes.extend(consumer.next(10).await.unwrap().iter().map(|record| record.value.len()));
    }
    assert_eq!(sizes, [10, 1 << 20]);
}

#[tokio::test]
async fn what_is_older_than_it_is_kept_goes_and_its_readers_go_on_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let bus = open(folder.path()).await;
    let topic = bus.topic(NAME, None).await.unwrap();
    let old = |connection: &rusqlite::Connection| {
        let placed = |_| log::Placed { partition: 0, record: record(1).remove(0) };
        log::append(connection, 5, &Vec::from_iter((0..3).map(placed)))
    };
    let writer = topic.clone();
    blocking(move || writer.write(old)).await.unwrap();
    bus.publish(NAME, record(2)).await.unwrap();
    // what is written now is written after the sweep
    blocking(move || topic.write(|_| Ok(()))).await.unwrap();
    let mut consumer = bus.subscribe("group", &[NAME]).await.unwrap();
    let records = consumer.next(10).await.unwrap();
    let seen: Vec<(i64, usize)> = records.iter().map(|record| (record.offset, record.value.len())).collect();
    assert_eq!(seen, [(3, 2)]);
    consumer.commit().await.unwrap();
}
