use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStderr};

use crate::program::{command, run};

/// A role that serves.
struct Served {
    child: Child,
    log: tokio::io::Lines<BufReader<ChildStderr>>,
}

impl Served {
    /// Starts it and waits for the line that says so.
    async fn start(role: &str, file: &Path) -> Self {
        let mut command = command(&[role, "--config", file.to_str().unwrap()]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut served = Self { child, log };
        let line = served.line("serving").await;
        assert!(line.contains(role), "{line}");
        served
    }

    /// The next line of the log with these words.
    async fn line(&mut self, words: &str) -> String {
        loop {
            let line = self.log.next_line().await.unwrap().expect("the process has ended");
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Tells it to stop; its exit code.
    async fn stop(mut self) -> Option<i32> {
        let pid = Pid::from_raw(self.child.id().unwrap().try_into().unwrap());
        kill(pid, Signal::SIGTERM).unwrap();
        self.line("told to stop").await;
        self.child.wait().await.unwrap().code()
    }
}

/// Ports that nobody listens on.
fn ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let file = dir.join(name);
    fs::write(&file, text).unwrap();
    file
}

/// Asks until an event is there for which `wanted` holds.
async fn until_event(socket: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let arguments = ["events", "--socket", socket, "--consumer", "test", "--follow", "--json"];
    let mut child = command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    loop {
        let line = lines.next_line().await.unwrap().expect("events have ended");
        let event = serde_json::from_str(&line).unwrap();
        if wanted(&event) {
            child.kill().await.unwrap();
            return event;
        }
    }
}

#[tokio::test]
async fn a_message_goes_through_the_gateway_to_the_carrier_and_one_of_a_user_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let [cmpp, control] = ports();
    let carrier = format!(
        "listen: {{ cmpp: \"127.0.0.1:{cmpp}\" }}\ncontrol: \"127.0.0.1:{control}\"\n\
         accounts:\n  bank: {{ protocol: cmpp-2.0, id: \"901234\", secret: \"1234\" }}\n"
    );
    let socket = dir.path().join("gateway.sock");
    let gateway = format!(
        "gateway: gw\nspool: {0}/spool\nuplink: {0}/gateway.sock\nmetrics: off\naccounts:\n  - {{ name: cm, \
         protocol: cmpp-2.0, server: \"127.0.0.1:{cmpp}\", id: \"901234\", secret: \"1234\", number: 106900001 }}\n",
        dir.path().display()
    );
    let carrier = Served::start("carrier", &write(dir.path(), "carrier.yaml", &carrier)).await;
    let gateway = Served::start("gateway", &write(dir.path(), "gateway.yaml", &gateway)).await;
    let socket = socket.to_str().unwrap();
    until_event(socket, |event| event["event"] == "link_up").await;

    let sent =
        run(&["send", "--socket", socket, "--to", "13800138000", "--text", "hello", "--id", "m-1"]).await;
    assert_eq!(sent.code, Some(0), "{sent:?}");
    let finished = until_event(socket, |event| event["event"] == "finished").await;
    assert_eq!((&finished["uaop_id"], &finished["outcome"]), (&"m-1".into(), &"accepted".into()));

    let control = format!("127.0.0.1:{control}");
    let mo = ["mo", "--control", &control, "--account", "bank", "--from", "13800138000", "--to", "106900001"];
    let asked = run(&[&mo[..], &["--text", "TD"]].concat()).await;
    assert_eq!((asked.code, asked.out.as_str()), (Some(0), "on its way to bank, in 1 part\n"), "{asked:?}");
    let came = until_event(socket, |event| event["event"] == "mo").await;
    assert_eq!((&came["from"], &came["text"]), (&"13800138000".into(), &"TD".into()));

    assert_eq!(gateway.stop().await, Some(0));
    assert_eq!(carrier.stop().await, Some(0));
}

#[tokio::test]
async fn a_carrier_that_does_not_know_the_account_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let [cmpp, control] = ports();
    let text = format!(
        "listen: {{ cmpp: \"127.0.0.1:{cmpp}\" }}\ncontrol: \"127.0.0.1:{control}\"\n\
         accounts:\n  bank: {{ protocol: cmpp-2.0, id: \"901234\", secret: \"1234\" }}\n"
    );
    let carrier = Served::start("carrier", &write(dir.path(), "carrier.yaml", &text)).await;
    let control = format!("127.0.0.1:{control}");
    let mo = ["mo", "--control", &control, "--account", "other", "--from", "1", "--to", "2", "--text", "x"];
    let asked = run(&mo).await;
    assert_eq!(asked.code, Some(1));
    assert!(asked.complaint.contains("no account is called `other`"), "{asked:?}");
    assert_eq!(carrier.stop().await, Some(0));
}
