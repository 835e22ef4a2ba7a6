//! Runs the program.

use std::io::ErrorKind;
use std::process::{Output, Stdio};

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// What came of a run.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub out: String,
    pub complaint: String,
}

pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smsline"));
    command.args(arguments).env_remove("SMSLINE_SOCKET").env("TZ", "UTC").kill_on_drop(true);
    command
}

pub async fn run(arguments: &[&str]) -> Run {
    run_with_input(arguments, "").await
}

pub async fn run_with_input(arguments: &[&str], input: &str) -> Run {
    let mut command = command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feed = async move {
        match stdin.write_all(input.as_bytes()).await {
            Ok(()) => {}
            // it needs no input
            Err(error) => assert_eq!(error.kind(), ErrorKind::BrokenPipe),
        }
    };
    let ((), output) = tokio::join!(feed, child.wait_with_output());
    let Output { status, stdout, stderr } = output.unwrap();
    Run {
        code: status.code(),
        out: String::from_utf8(stdout).unwrap(),
        complaint: String::from_utf8(stderr).unwrap(),
    }
}
