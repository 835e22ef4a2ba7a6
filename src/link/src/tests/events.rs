use tokio::sync::mpsc;

use super::*;

/// A gateway with events from 1 to `last`.
struct Log {
    last: watch::Sender<i64>,
    acknowledged: watch::Sender<i64>,
    /// Bytes of each event.
    size: usize,
    /// The last that was read.
    read: watch::Sender<i64>,
    refuses: Mutex<Option<String>>,
}

impl Log {
    fn new(last: i64, size: usize) -> Arc<Self> {
        let (last, acknowledged, read) =
            (watch::Sender::new(last), watch::Sender::new(0), watch::Sender::new(0));
        Arc::new(Self { last, acknowledged, size, read, refuses: Mutex::default() })
    }
}

#[async_trait]
impl Teller for Log {
    async fn join(&self, consumer: &str) -> Result<i64, String> {
        assert_eq!(consumer, "u1");
        match &*self.refuses.lock().unwrap() {
            Some(reason) => Err(reason.clone()),
            None => Ok(*self.acknowledged.borrow()),
        }
    }

    async fn events(&self, _: &str, after: i64, most: usize) -> Result<Vec<Numbered>, String> {
        let last = *self.last.subscribe().wait_for(|&last| last > after).await.unwrap();
        let events: Vec<_> =
            (after + 1..=last).take(most).map(|id| Numbered { id, event: vec![b' '; self.size] }).collect();
        self.read.send_replace(events.last().unwrap().id);
        Ok(events)
    }

    async fn acknowledge(&self, _: &str, up_to: i64) -> Result<(), String> {
        assert!(self.acknowledged.send_replace(up_to) < up_to);
        Ok(())
    }
}

async fn gateway(log: &Arc<Log>) -> Server {
    let teller: Arc<dyn Teller> = Arc::clone(log) as Arc<dyn Teller>;
    Server::start(who(Role::Gateway, "g1"), Desk::new(), Some(teller)).await
}

fn open(server: &Server, room: usize) -> (Line, mpsc::Receiver<Batch>) {
    let (sender, events) = mpsc::channel(room);
    let line = Line::open(line_settings(server.address), who(Role::Uaop, "u1"), Role::Gateway, Some(sender));
    (line, events)
}

#[tokio::test]
async fn events_come_in_order_and_go_on_from_the_acknowledged_one_after_a_reconnect() {
    let log = Log::new(1000, 10);
    let mut server = gateway(&log).await;
    let (line, mut events) = open(&server, 1);
    let mut next = 1;
    while next <= 1000 {
        let batch = soon(events.recv()).await.unwrap();
        assert_eq!(batch.from, who(Role::Gateway, "g1"));
        for event in batch.events {
            assert_eq!(event.id, next);
            next += 1;
        }
        if next > 600 && *log.acknowledged.borrow() == 0 {
            line.acknowledge(600);
            soon(log.acknowledged.subscribe().wait_for(|&up_to| up_to == 600)).await.unwrap();
        }
    }
    server.kill().await;
    down(&line, "").await;
    // without a connection it is not told
    line.acknowledge(1000);
    let teller: Arc<dyn Teller> = Arc::clone(&log) as Arc<dyn Teller>;
    let _server = Server::at(server.address, who(Role::Gateway, "g1"), Desk::new(), Some(teller)).await;
    let batch = soon(events.recv()).await.unwrap();
    assert_eq!(batch.events[0].id, 601);
    log.last.send_replace(1001);
    let mut last = batch.events.last().unwrap().id;
    while last < 1001 {
        last = soon(events.recv()).await.unwrap().events.last().unwrap().id;
    }
    line.acknowledge(1001);
    soon(log.acknowledged.subscribe().wait_for(|&up_to| up_to == 1001)).await.unwrap();
}

#[tokio::test]
async fn events_that_nobody_acknowledges_do_not_heap_up_and_verdicts_do_not_wait_for_them() {
    let log = Log::new(1_000_000, 2000);
    let server = gateway(&log).await;
    let (line, events) = open(&server, 1);
    up(&line).await;
    // until the window is full: 4 MiB, and what was read for the next frame
    soon(log.read.subscribe().wait_for(|&read| read > 2000)).await.unwrap();
    for id in 0..100 {
        assert_eq!(soon(line.submit(vec![offer(&format!("m{id}"))])).await.unwrap().len(), 1);
    }
    let read = *log.read.borrow();
    assert!(read < 3000, "{read}");
    drop(events);
    assert_eq!(soon(line.submit(vec![offer("m")])).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_acknowledgement_of_what_was_not_told_is_ignored() {
    let log = Log::new(5, 10);
    let server = gateway(&log).await;
    let (line, mut events) = open(&server, 10);
    let batch = soon(events.recv()).await.unwrap();
    assert_eq!(batch.events.len(), 5);
    line.acknowledge(6);
    line.acknowledge(5);
    soon(log.acknowledged.subscribe().wait_for(|&up_to| up_to == 5)).await.unwrap();
    line.acknowledge(3);
    line.ping(Duration::from_secs(10)).await.unwrap();
    assert_eq!(*log.acknowledged.borrow(), 5);
}

#[tokio::test]
async fn a_consumer_that_cannot_join_is_told_why_and_comes_again() {
    let log = Log::new(5, 10);
    *log.refuses.lock().unwrap() = Some("there are 64 already".to_owned());
    let server = gateway(&log).await;
    let (line, mut events) = open(&server, 10);
    assert_eq!(down(&line, "there are").await, "no events for u1: there are 64 already");
    *log.refuses.lock().unwrap() = None;
    assert_eq!(soon(events.recv()).await.unwrap().events.len(), 5);
}

#[tokio::test]
async fn whoever_wants_no_events_gets_none() {
    let log = Log::new(5, 10);
    let server = gateway(&log).await;
    let line = Line::open(line_settings(server.address), who(Role::Uaop, "u1"), Role::Gateway, None);
    up(&line).await;
    line.ping(Duration::from_secs(10)).await.unwrap();
    assert_eq!(*log.read.borrow(), 0);
}
