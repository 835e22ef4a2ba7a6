use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use lb_core::config::{Check, CheckKind};
use tokio::time::{Instant, sleep, timeout};

use super::*;
use crate::probe::Prober;
use crate::probe::testing::{check, target};

fn script(text: &str) -> CheckKind {
    CheckKind::Command { program: "/bin/sh".into(), args: vec!["-c".into(), text.into(), "sh".into()] }
}

async fn run(check: &Check) -> Result<(), ProbeError> {
    Prober::default().run(check, &target("192.0.2.21:7099".parse().unwrap())).await
}

/// A file for what a script has to tell, and the shell word for it.
fn note() -> (tempfile::TempDir, PathBuf, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("note");
    let word = format!("'{}'", path.display());
    (dir, path, word)
}

/// Members of a process group. The dead count if it is on us to reap them.
fn members(group: i32) -> Vec<i32> {
    let stat = |pid: i32| fs::read_to_string(format!("/proc/{pid}/stat")).ok();
    let group_of = |pid| {
        let stat = stat(pid)?;
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        let (state, parent, group) = (fields.next()?, fields.next()?, fields.next()?);
        let ours = parent == std::process::id().to_string();
        if state == "Z" && !ours { None } else { group.parse::<i32>().ok() }
    };
    let processes =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    processes.filter(|&pid| group_of(pid) == Some(group)).collect()
}

async fn until<T>(what: &str, mut get: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(value) = get() {
            return value;
        }
        assert!(Instant::now() < deadline, "no {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

async fn group_in(path: &PathBuf) -> i32 {
    until("group number", || fs::read_to_string(path).ok()?.trim().parse().ok()).await
}

async fn gone(group: i32) {
    until("end of the group", || members(group).is_empty().then_some(())).await;
}

#[tokio::test]
async fn the_exit_code_decides() {
    assert_eq!(run(&check(script("exit 0"))).await, Ok(()));
    let failed = ProbeError::Exit { code: 3, output: "disk full\nreally\n".into() };
    assert_eq!(run(&check(script("echo disk full; echo really >&2; exit 3"))).await, Err(failed));
    assert_eq!(run(&check(script("kill -9 $$"))).await, Err(ProbeError::Signal(9)));
}

#[tokio::test]
async fn the_server_comes_after_the_programs_own_arguments() {
    let (_dir, path, word) = note();
    assert_eq!(run(&check(script(&format!("echo \"$@\" >{word}")))).await, Ok(()));
    assert_eq!(fs::read_to_string(path).unwrap(), "192.0.2.21 7099 server-a\n");
}

#[tokio::test]
async fn nothing_comes_in() {
    assert_eq!(run(&check(script("cat >/dev/null"))).await, Ok(()));
}

#[tokio::test]
async fn a_program_that_is_not_there_says_nothing_about_the_server() {
    let kind = CheckKind::Command { program: "/nonexistent/check".into(), args: Vec::new() };
    let error = run(&check(kind)).await.unwrap_err();
    assert_eq!(error.reason(), "local");
    assert!(error.to_string().contains("/nonexistent/check"), "{error}");
}

#[tokio::test]
async fn a_hanging_command_is_killed_with_its_children() {
    let (_dir, path, word) = note();
    let hanging = script(&format!("sleep 1000 & (sleep 1001; :) & echo $$ >{word}; wait"));
    let check = Check { timeout: Duration::from_secs(1), ..check(hanging) };
    let (result, members_before) = tokio::join!(run(&check), async {
        let group = group_in(&path).await;
        members(group).len()
    });
    assert_eq!(result, Err(ProbeError::Timeout));
    assert!(members_before >= 2, "the group was there: {members_before}");
    gone(group_in(&path).await).await;
}

#[tokio::test]
async fn a_check_that_is_given_up_leaves_nothing() {
    let (_dir, path, word) = note();
    let hanging = check(script(&format!("echo $$ >{word}; sleep 1000; :")));
    let group = tokio::select! {
        result = run(&hanging) => panic!("{result:?}"),
        group = group_in(&path) => group,
    };
    gone(group).await;
}

#[tokio::test]
async fn children_that_outlive_the_program_neither_delay_nor_stay() {
    let (_dir, path, word) = note();
    let leaving = check(script(&format!("sleep 1000 & echo $$ >{word}; exit 0")));
    assert_eq!(timeout(Duration::from_secs(5), run(&leaving)).await, Ok(Ok(())));
    gone(group_in(&path).await).await;
}

#[tokio::test]
async fn a_flood_ends_and_little_of_it_is_kept() {
    for stream in ["1", "2"] {
        let (_dir, path, word) = note();
        let flood = check(script(&format!("echo $$ >{word}; yes >&{stream}; exit 0")));
        assert_eq!(run(&flood).await, Err(ProbeError::Flood(OUTPUT_LIMIT)));
        gone(group_in(&path).await).await;
    }
    let much = check(script("head -c 100000 /dev/zero; exit 1"));
    match run(&much).await {
        Err(ProbeError::Exit { code: 1, output }) => assert_eq!(output.len(), OUTPUT_KEPT),
        other => panic!("{other:?}"),
    }
}
