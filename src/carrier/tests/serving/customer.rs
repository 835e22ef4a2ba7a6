//! A customer of a test: a session over a real connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::Stamp;
use tokio::net::{TcpListener, TcpStream};
use wire::exchange::{Answer, Incoming, Profile, Report, Submit};
use wire::protocol::{Credentials, Messages, Moment, Secret, Version};
use wire::session::{Down, Event, Limits, Numbers, Session};
use wire::text::Text;

pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Customer<P: Messages> {
    stream: TcpStream,
    session: Session<P>,
    profile: Profile,
}

/// What a customer sees, requests with their sequence.
#[derive(Debug)]
pub enum Seen<P: Messages> {
    Answer(Answer),
    Incoming(P::Sequence, P::Pdu, Incoming),
    Down(Down),
    /// The connection was lost.
    Lost,
}

pub fn credentials(id: &str, version: u8, mode: u8) -> Credentials {
    Credentials {
        id: id.parse().unwrap(),
        secret: Secret("secret".to_owned()),
        version: Version(version),
        mode,
        node: 3_010_012_345,
    }
}

pub fn limits() -> Limits {
    Limits {
        window: 1000,
        inbound: 1000,
        answer: Duration::from_secs(60),
        tries: 3,
        idle: None,
        idle_end: None,
        login: PATIENCE,
    }
}

pub fn now() -> Moment {
    let stamp = Stamp { year: 2026, month: 3, day: 1, hour: 12, minute: 30, second: 0 };
    Moment { instant: Instant::now(), stamp }
}

/// A short ASCII message to a number that all protocols take.
pub fn message(number: u32, text: &str) -> Submit {
    Submit {
        source: "10690000011".parse().unwrap(),
        destinations: vec![format!("86138{number:08}").parse().unwrap()],
        coding: 0,
        header: false,
        part: 1,
        parts: 1,
        content: text.as_bytes().to_vec(),
        report: true.into(),
        priority: 0,
        valid_until: Text::EMPTY,
    }
}

impl<P: Messages> Customer<P> {
    /// Logs in; how the login ended if it was not welcome.
    pub async fn try_connect(address: SocketAddr, credentials: Credentials) -> Result<Self, Option<Down>> {
        let stream = TcpStream::connect(address).await.unwrap();
        let numbers = Arc::new(Numbers::starting_at(7));
        let session = Session::client(credentials, limits(), numbers, now());
        Self { stream, session, profile: Profile::default() }.until_up().await
    }

    pub async fn connect(address: SocketAddr, credentials: Credentials) -> Self {
        Self::try_connect(address, credentials).await.unwrap_or_else(|down| panic!("{down:?}"))
    }

    /// Accepts a connection, and its login with this secret.
    pub async fn accept(listener: &TcpListener, secret: &str) -> Self {
        let accepted = tokio::time::timeout(PATIENCE, listener.accept()).await;
        let (stream, _) = accepted.expect("nobody connects").unwrap();
        let numbers = Arc::new(Numbers::starting_at(7));
        let session = Session::server(Version(0x12), 9, limits(), numbers, now());
        let mut customer = Self { stream, session, profile: Profile::default() };
        let Some(Event::Login(login)) = customer.event().await else { panic!("no login") };
        assert_eq!((login.id.to_string().as_str(), login.mode), ("carrier", 2));
        customer.session.accept(&Secret(secret.to_owned()), Version(0x12), limits(), now()).unwrap();
        customer.until_up().await.unwrap_or_else(|down| panic!("{down:?}"))
    }

    async fn until_up(mut self) -> Result<Self, Option<Down>> {
        match self.event().await {
            Some(Event::Up(_)) => Ok(self),
            Some(Event::Down(down)) => Err(Some(down)),
            None => Err(None),
            Some(event) => panic!("{event:?}"),
        }
    }

    /// Puts a submit into the output; [`Customer::next`] sends it.
    pub fn submit(&mut self, submit: &Submit) -> P::Sequence {
        let sequence = self.session.reserve(now());
        self.submit_as(sequence, submit);
        sequence
    }

    pub fn submit_as(&mut self, sequence: P::Sequence, submit: &Submit) {
        self.request(sequence, P::submit(submit, &self.profile));
    }

    pub fn request(&mut self, sequence: P::Sequence, pdu: P::Pdu) {
        self.session.request(sequence, pdu, now()).unwrap();
    }

    pub fn respond(&mut self, sequence: P::Sequence, pdu: &P::Pdu) {
        self.session.respond(sequence, pdu);
    }

    /// Bytes that no session would send.
    pub async fn send_raw(&mut self, bytes: &[u8]) {
        self.flush().await;
        self.write(bytes).await.unwrap();
    }

    /// The next that counts.
    pub async fn next(&mut self) -> Seen<P> {
        loop {
            match self.event().await {
                None => return Seen::Lost,
                Some(Event::Down(down)) => return Seen::Down(down),
                Some(Event::Answered { sequence, pdu, .. }) => {
                    return Seen::Answer(P::read_answer(sequence, &pdu).expect("an answer to a submit"));
                }
                Some(Event::Request { sequence, pdu }) => {
                    let incoming = P::read_deliver(sequence, &pdu).expect("a delivery").unwrap();
                    return Seen::Incoming(sequence, pdu, incoming);
                }
                Some(Event::Up(_) | Event::Oddity(_)) => {}
                Some(event) => panic!("{event:?}"),
            }
        }
    }

    /// The answer to the only submit.
    pub async fn answer(&mut self) -> Answer {
        match self.next().await {
            Seen::Answer(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    /// The code of the answer to this submit.
    pub async fn code(&mut self, submit: &Submit) -> u32 {
        self.submit(submit);
        self.answer().await.code
    }

    /// The next report, acknowledged.
    pub async fn report(&mut self) -> Report {
        match self.incoming(0).await {
            Incoming::Report(report) => report,
            other => panic!("{other:?}"),
        }
    }

    /// The next delivery, answered with `code`.
    pub async fn incoming(&mut self, code: u32) -> Incoming {
        match self.next().await {
            Seen::Incoming(sequence, pdu, incoming) => {
                self.session.respond(sequence, &P::deliver_answer(&pdu, code));
                self.flush().await;
                incoming
            }
            other => panic!("{other:?}"),
        }
    }

    /// The next event, whatever it is; `None` when the connection is lost.
    pub async fn event(&mut self) -> Option<Event<P>> {
        tokio::time::timeout(PATIENCE, self.wait()).await.expect("nothing comes")
    }

    /// Nothing comes for so long.
    pub async fn silence(&mut self, long: Duration) {
        if let Ok(event) = tokio::time::timeout(long, self.wait()).await {
            panic!("{event:?}");
        }
    }

    pub async fn flush(&mut self) {
        let output = self.session.output().to_vec();
        // a lost connection shows when it is read
        let _ = self.write(&output).await;
        self.session.sent(output.len());
    }

    async fn wait(&mut self) -> Option<Event<P>> {
        loop {
            if let Some(event) = self.session.poll(now()) {
                self.flush().await;
                return Some(event);
            }
            self.flush().await;
            let mut buffer = [0; 4096];
            self.stream.readable().await.unwrap();
            match self.stream.try_read(&mut buffer) {
                Ok(0) => return None,
                Ok(length) => self.session.receive(&buffer[..length]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return None,
            }
        }
    }

    async fn write(&mut self, mut bytes: &[u8]) -> std::io::Result<()> {
        while !bytes.is_empty() {
            self.stream.writable().await?;
            match self.stream.try_write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
