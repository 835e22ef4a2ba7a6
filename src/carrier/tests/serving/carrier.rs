//! A carrier of a test.

use std::time::Duration;

use carrier::control::client::Client;
use carrier::metrics::Counts;
use carrier::record::Message;
use carrier::{Addresses, Service, config};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A carrier that serves until it is stopped.
pub struct Running {
    pub addresses: Addresses,
    pub control: Client,
    stop: oneshot::Sender<()>,
    task: JoinHandle<anyhow::Result<()>>,
    _dir: tempfile::TempDir,
}

/// Starts one on ports of its own, with a record; `accounts` are the lines below `accounts:`, `top` others of the file.
pub async fn start(top: &str, accounts: &str) -> Running {
    let dir = tempfile::tempdir().unwrap();
    let record = dir.path().join("record.sqlite");
    let text = format!(
        "listen: {{ cmpp: '127.0.0.1:0', sgip: '127.0.0.1:0', smgp: '127.0.0.1:0' }}
control: '127.0.0.1:0'
record: {}
{top}
accounts:
{accounts}
",
        record.display()
    );
    let config = config::read(&text).unwrap_or_else(|faults| panic!("{faults:#?}\n{text}"));
    let service = Service::bind(config).await.unwrap();
    let addresses = *service.addresses();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(service.serve(async {
        let _ = stopped.await;
    }));
    Running { control: Client::new(addresses.control), addresses, stop, task, _dir: dir }
}

impl Running {
    /// The counts of an account, once they are as wanted.
    pub async fn counts(&self, account: &str, wanted: impl Fn(&Counts) -> bool) -> Counts {
        let mut last = None;
        let patience = async {
            loop {
                let counts = self.control.counts().await.unwrap().remove(account).unwrap();
                if wanted(&counts) {
                    return counts;
                }
                last = Some(counts);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        match tokio::time::timeout(Duration::from_secs(20), patience).await {
            Ok(counts) => counts,
            Err(_) => panic!("the counts stay {last:?}"),
        }
    }

    pub async fn messages(&self) -> Vec<Message> {
        self.control.messages(Default::default()).await.unwrap()
    }

    pub async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}
