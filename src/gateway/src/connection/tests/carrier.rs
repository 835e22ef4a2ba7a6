//! The carrier's end of a session, or a carrier that dials, done by hand.

use std::sync::Arc;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep_until;
use wire::exchange::{Answer, Incoming, MessageId, Mo};
use wire::protocol::{Credentials, Messages, Moment, Secret};
use wire::session::{Down, Event, Limits, Numbers, Session};

use crate::config::{Account, INBOUND};

pub struct Carrier<P: Messages> {
    pub stream: TcpStream,
    pub session: Session<P>,
}

impl<P: Messages> Carrier<P> {
    /// Takes the next connection and its login.
    pub async fn accept(listener: &TcpListener, account: &Account) -> Self {
        Self::accept_with(listener, account, &account.logins[0].credentials.secret).await.0
    }

    /// As [`Carrier::accept`], with the secret that the carrier knows; what came of the login.
    pub async fn accept_with(listener: &TcpListener, account: &Account, secret: &Secret) -> (Self, Event<P>) {
        let (stream, _) = listener.accept().await.unwrap();
        let version = account.protocol.version();
        let session = Session::server(version, 9, account.limits(), numbers(), now());
        let mut carrier = Self { stream, session };
        let Event::Login(login) = carrier.event().await else { panic!("no login comes first") };
        assert_eq!(login.id, account.logins[0].credentials.id);
        // it is the gateway's to end what has nothing to do, and a carrier's window need not be ours
        let limits = Limits { window: INBOUND, idle_end: None, ..account.limits() };
        let _ = carrier.session.accept(secret, version, limits, now());
        let event = carrier.event().await;
        carrier.flush().await;
        (carrier, event)
    }

    /// Dials an SGIP customer and logs in; what came of it.
    pub async fn dial(
        listen: std::net::SocketAddr,
        credentials: Credentials,
        account: &Account,
    ) -> (Self, Event<P>) {
        let stream = TcpStream::connect(listen).await.unwrap();
        let session = Session::client(credentials, account.limits(), numbers(), now());
        let mut carrier = Self { stream, session };
        let event = carrier.event().await;
        (carrier, event)
    }

    /// The next event.
    pub async fn event(&mut self) -> Event<P> {
        let mut buffer = [0; 16 * 1024];
        loop {
            if let Some(event) = self.session.poll(now()) {
                self.flush().await;
                return event;
            }
            self.flush().await;
            let deadline = self
                .session
                .deadline()
                .unwrap_or_else(|| Instant::now() + std::time::Duration::from_secs(60));
            tokio::select! {
                read = self.stream.read(&mut buffer) => match read.unwrap() {
                    0 => panic!("the gateway closed the connection"),
                    count => self.session.receive(&buffer[..count]),
                },
                () = sleep_until(deadline.into()) => {}
            }
        }
    }

    /// How the session ends, which is what comes next.
    pub async fn down(&mut self) -> Down {
        down(self.event().await)
    }

    /// The next submit: its sequence, and the number that it says.
    pub async fn submit(&mut self) -> (P::Sequence, u32) {
        match self.event().await {
            Event::Request { sequence, pdu } => {
                let submit = P::read_submit(&pdu).unwrap();
                (sequence, std::str::from_utf8(&submit.content).unwrap().parse().unwrap())
            }
            other => panic!("{other:?}"),
        }
    }

    pub async fn answer(&mut self, sequence: P::Sequence, code: u32) {
        self.session.respond(sequence, &P::answer(&Answer { code, id: Some(id(7)) }));
        self.flush().await;
    }

    /// Sends something of a user under a sequence of its own.
    pub async fn bring(&mut self, incoming: &Incoming) -> P::Sequence {
        let pdu = P::deliver(incoming, domain::Stamp::default()).unwrap();
        self.request(pdu).await
    }

    pub async fn request(&mut self, pdu: P::Pdu) -> P::Sequence {
        let sequence = self.session.reserve(now());
        self.session.request(sequence, pdu, now()).unwrap();
        self.flush().await;
        sequence
    }

    /// The code of the gateway's answer to `sequence`.
    pub async fn answered(&mut self, sequence: P::Sequence) -> u32 {
        match self.event().await {
            Event::Answered { sequence: of, pdu, .. } if of == sequence => {
                P::read_deliver_answer(&pdu).unwrap()
            }
            other => panic!("{other:?}"),
        }
    }

    /// Waits until the gateway has closed the connection.
    pub async fn closed(&mut self) {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).await.unwrap();
    }

    pub async fn flush(&mut self) {
        self.stream.write_all(self.session.output()).await.unwrap();
        self.session.sent(self.session.output().len());
    }
}

pub fn down<P: Messages>(event: Event<P>) -> Down {
    match event {
        Event::Down(down) => down,
        other => panic!("{other:?}"),
    }
}

fn numbers() -> Arc<Numbers> {
    Arc::new(Numbers::starting_at(5000))
}

fn now() -> Moment {
    Moment { instant: Instant::now(), stamp: domain::Stamp::default() }
}

fn id(number: u8) -> MessageId {
    MessageId::new([number; 8])
}

/// A message of a user.
pub fn mo(text: &str) -> Incoming {
    Incoming::Mo(Mo {
        id: id(9),
        source: "13800138000".parse().unwrap(),
        destination: "1069".parse().unwrap(),
        coding: 0,
        header: false,
        content: text.as_bytes().to_vec(),
        link_id: "".parse().unwrap(),
    })
}
