//! The embedded bus with several processes, some of which are killed.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod kit;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use kit::*;

const FOLDER: &str = "BUS_TEST_FOLDER";
const NAME: &str = "BUS_TEST_NAME";
/// Before what a child says: its output also has lines of the test harness.
const SAYS: &str = "says ";

/// A process of its own; killed when dropped.
struct Other {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Other {
    fn start(test: &str, folder: &Path, name: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--ignored", "--nocapture"])
            .env(FOLDER, folder)
            .env(NAME, name)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next thing it says.
    fn says(&mut self) -> Option<u32> {
        self.lines.find_map(|line| line.unwrap().split_once(SAYS).map(|(_, number)| number.parse().unwrap()))
    }

    /// Kills it; what it had said that was not heard yet.
    fn kill(mut self) -> Vec<u32> {
        self.child.kill().unwrap();
        std::iter::from_fn(|| self.says()).collect()
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn folder() -> PathBuf {
    PathBuf::from(std::env::var_os(FOLDER).unwrap())
}

fn name() -> String {
    std::env::var(NAME).unwrap()
}

#[tokio::test]
async fn writers_killed_at_work_lose_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let bus = embedded(folder.path(), "reader").await;
    bus.ensure(&[topic(TOPIC, 4)]).await.unwrap();
    let mut consumer = bus.subscribe("group", &[TOPIC]).await.unwrap();
    let mut seen: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for round in 0..2 {
        let names = [format!("a-{round}"), format!("b-{round}")];
        let start =
            |name: &String| Other::start("a_child_that_writes_until_it_is_killed", folder.path(), name);
        let mut writers: Vec<Other> = names.iter().map(start).collect();
        let mut acknowledged = BTreeMap::new();
        // both get on, though they write to the same file
        for (writer, name) in writers.iter_mut().zip(&names) {
            let said: Vec<u32> = (0..300).map(|_| writer.says().unwrap()).collect();
            assert_eq!(said, Vec::from_iter(0..300));
            acknowledged.insert(name.clone(), 300);
        }
        for (writer, name) in writers.into_iter().zip(&names) {
            *acknowledged.get_mut(name).unwrap() += u32::try_from(writer.kill().len()).unwrap();
        }
        for (name, count) in acknowledged {
            while seen.get(&name).is_none_or(|numbers| numbers.len() < count as usize) {
                for record in some(&mut *consumer).await {
                    let value = number(&record);
                    seen.entry(record.key).or_default().push(value);
                }
                consumer.commit().await.unwrap();
            }
            let numbers = &seen[&name];
            assert_eq!(*numbers, Vec::from_iter(0..u32::try_from(numbers.len()).unwrap()), "of {name}");
        }
    }
}

#[tokio::test]
#[ignore = "not a test: the child of the test above"]
async fn a_child_that_writes_until_it_is_killed() {
    let (bus, name) = (embedded(&folder(), "writer").await, name());
    for number in 0..1_000_000 {
        bus.publish(TOPIC, vec![record(&name, number)]).await.unwrap();
        println!("{SAYS}{number}");
    }
}

#[tokio::test]
async fn what_a_killed_member_had_not_committed_goes_to_one_in_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let bus = embedded(folder.path(), "writer").await;
    bus.ensure(&[topic(TOPIC, 4)]).await.unwrap();
    bus.publish(TOPIC, numbered(0..5000)).await.unwrap();
    let mut other = Other::start("a_child_that_reads_until_it_is_killed", folder.path(), "reader");
    let mut done: BTreeSet<u32> = (0..500).map(|_| other.says().unwrap()).collect();
    done.extend(other.kill());
    let mut consumer = bus.subscribe("group", &[TOPIC]).await.unwrap();
    let mut again = 0;
    while done.len() < 5000 {
        for record in some(&mut *consumer).await {
            again += usize::from(!done.insert(number(&record)));
        }
        consumer.commit().await.unwrap();
    }
    // of what it committed, only the batch whose number it could not say any more may be unknown
    assert!(again <= 10, "{again} came again");
}

#[tokio::test]
#[ignore = "not a test: the child of the test above"]
async fn a_child_that_reads_until_it_is_killed() {
    let bus = embedded(&folder(), &name()).await;
    let mut consumer = bus.subscribe("group", &[TOPIC]).await.unwrap();
    loop {
        let records = consumer.next(10).await.unwrap();
        consumer.commit().await.unwrap();
        for record in records {
            println!("{SAYS}{}", number(&record));
        }
    }
}

#[tokio::test]
async fn members_in_two_processes_share_the_partitions() {
    let folder = tempfile::tempdir().unwrap();
    let bus = embedded(folder.path(), "writer").await;
    bus.ensure(&[topic(TOPIC, 4)]).await.unwrap();
    let mut consumer = bus.subscribe("group", &[TOPIC]).await.unwrap();
    bus.publish(TOPIC, numbered(0..1)).await.unwrap();
    read(&mut *consumer, 1).await;
    consumer.commit().await.unwrap();
    let mut other = Other::start("a_child_that_reads_until_it_is_killed", folder.path(), "reader");
    // until the other has some of a round, and what it has does not come here
    let ours = tokio::spawn(async move {
        let mut ours = BTreeSet::new();
        loop {
            for record in some(&mut *consumer).await {
                ours.insert(number(&record));
            }
            consumer.commit().await.unwrap();
            if ours.contains(&u32::MAX) {
                return ours;
            }
        }
    });
    let heard = tokio::task::spawn_blocking(move || other.says().map(|number| (other, number)));
    let mut next = 1;
    while !heard.is_finished() {
        bus.publish(TOPIC, numbered(next..next + 20)).await.unwrap();
        next += 20;
        tokio::task::yield_now().await;
    }
    let (other, first) = heard.await.unwrap().unwrap();
    let theirs: BTreeSet<u32> = other.kill().into_iter().chain([first]).collect();
    bus.publish(TOPIC, (0..40).map(|key| record(&key.to_string(), u32::MAX)).collect()).await.unwrap();
    let ours = tokio::time::timeout(LONG, ours).await.unwrap().unwrap();
    assert!(ours.is_disjoint(&theirs), "{:?}", ours.intersection(&theirs));
}
