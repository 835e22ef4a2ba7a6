//! The engines, and what is put into their stores.

use std::sync::Arc;
use std::time::Duration;

use domain::{
    Bank, FinalState, ForBank, MessageText, Millis, Party, Report, Submission, UaopId, UserMessage,
};
use store::empi::{EmpiStore, Entry};
use store::{Place, Postgres, StoreError, open_empi};
use tempfile::TempDir;

pub const NOW: u64 = 1_760_000_000_000;
pub const LATER: Millis = Millis(NOW + 3_600_000);

/// A place for one store.
pub enum Engine {
    Sqlite(TempDir),
    Postgres { server: Arc<testkit::postgres::Postgres>, database: String },
}

impl Engine {
    pub fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    pub fn postgres() -> Self {
        let server = testkit::postgres::Postgres::shared().unwrap();
        let database = server.new_database().unwrap();
        Self::Postgres { server, database }
    }

    pub fn place(&self) -> Place {
        match self {
            Self::Sqlite(folder) => Place::Sqlite { folder: folder.path().to_owned() },
            Self::Postgres { server, database } => Place::Postgres(settings(server, database)),
        }
    }

    pub async fn try_open(&self, node: &str) -> Result<Arc<dyn EmpiStore>, StoreError> {
        open_empi(&self.place(), node).await
    }

    pub async fn open(&self) -> Arc<dyn EmpiStore> {
        self.try_open("empi-a").await.unwrap()
    }
}

pub fn settings(server: &testkit::postgres::Postgres, database: &str) -> Postgres {
    Postgres {
        url: server.url(database),
        password: Some(server.password().to_owned()),
        connections: 4,
        patience: Duration::from_secs(10),
        tls: false,
    }
}

pub fn bank(name: &str) -> Bank {
    name.parse().unwrap()
}

pub fn id(number: usize) -> UaopId {
    format!("m-{number}").parse().unwrap()
}

pub fn ids(numbers: impl IntoIterator<Item = usize>) -> Vec<UaopId> {
    numbers.into_iter().map(id).collect()
}

pub fn submission(number: usize, text: &str) -> Submission {
    Submission {
        uaop_id: id(number),
        empi_id: "empi-1".parse().unwrap(),
        class: "notice".parse().unwrap(),
        account: None,
        to: format!("138{number:08}").parse().unwrap(),
        extension: String::new(),
        text: MessageText(text.to_owned()),
        report: true,
        priority: 5,
        not_after: None,
    }
}

/// A message of the bank `core`, under a reference of its own.
pub fn entry(number: usize) -> Entry {
    entry_of("core", number, "text")
}

pub fn entry_of(bank: &str, number: usize, text: &str) -> Entry {
    Entry {
        bank: bank.parse().unwrap(),
        reference: format!("r-{number}").parse().unwrap(),
        submission: submission(number, text),
        at: Millis(NOW + number as u64),
    }
}

pub fn report(number: usize, revision: u32, state: FinalState) -> ForBank {
    ForBank::Report(Report {
        uaop_id: id(number),
        empi_id: "empi-1".parse().unwrap(),
        revision,
        state,
        word: Some("DELIVRD".to_owned()),
        reason: None,
        to: format!("138{number:08}").parse().unwrap(),
        parts: 1,
        gateway: None,
        carrier: None,
        answered_at: None,
        at: Millis(NOW),
    })
}

pub fn user_message(text: &str) -> ForBank {
    ForBank::Mo(UserMessage {
        mo_id: "cm:1".to_owned(),
        empi_id: "empi-1".parse().unwrap(),
        from: Party("13800138000".to_owned()),
        to: Party("106900001".to_owned()),
        text: MessageText(text.to_owned()),
        part: None,
        at: Millis(NOW),
    })
}

/// The ids of what waits, in its order.
pub async fn waiting(store: &dyn EmpiStore) -> Vec<UaopId> {
    let waiting = store.waiting(0, usize::MAX).await.unwrap();
    assert!(waiting.is_sorted_by_key(|(place, _)| *place));
    waiting.into_iter().map(|(_, submission)| submission.uaop_id).collect()
}
