//! A carrier in the test's own hands: what it says and when, PDU by PDU, right or wrong.

use std::io::{ErrorKind, Read, Write};
use std::marker::PhantomData;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::Stamp;
use testkit::line::protocol::{CARRIER_SECRET, SECRET};
use testkit::line::{Feed, Gateway, Keys, Protocol};
use testkit::ports::{self, Port};
use testkit::wait;
use wire::exchange::{Answer, Incoming, MessageId, Submit};
use wire::frame::Frames;
use wire::protocol::{Credentials, Messages, Role, Secret, Version};

use super::SOON;

/// The node number of the carrier, in SGIP.
const NODE: u32 = 1;
pub const STAMP: Stamp = Stamp { year: 2026, month: 3, day: 1, hour: 8, minute: 0, second: 0 };

/// A carrier that does nothing by itself, and a gateway that has an account there.
pub struct Fake<P> {
    pub gateway: Gateway,
    pub feed: Feed,
    protocol: Protocol,
    server: TcpListener,
    /// SGIP: the gateway's.
    listener: Port,
    wire: PhantomData<fn() -> P>,
}

/// A connection of the gateway to the carrier; in SGIP also one the other way round.
pub struct Peer<P: Messages> {
    stream: TcpStream,
    frames: Frames,
    version: Version,
    wire: PhantomData<fn() -> P>,
}

impl<P: Messages> Fake<P> {
    /// `change` changes the account.
    pub fn start(protocol: Protocol, change: impl FnOnce(Keys) -> Keys) -> Self {
        Self::start_with(protocol, Keys::new(), change)
    }

    /// `gateway` has further keys of the gateway's file.
    pub fn start_with(protocol: Protocol, gateway: Keys, change: impl FnOnce(Keys) -> Keys) -> Self {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        server.set_nonblocking(true).unwrap();
        let listener = ports::reserve().unwrap();
        let account = change(protocol.account(server.local_addr().unwrap(), listener.address()));
        let gateway = Gateway::spawn(&gateway.set("accounts", format!("[ {account} ]"))).unwrap();
        let feed = Feed::follow(gateway.uplink(), "uaop-1");
        Self { gateway, feed, protocol, server, listener, wire: PhantomData }
    }

    /// The next connection of the gateway, before its login.
    pub fn connection(&self) -> Peer<P> {
        let accepted = || match self.server.accept() {
            Ok((stream, _)) => Some(stream),
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => panic!("{error}"),
        };
        let stream = wait::until("a connection of the gateway", SOON, accepted).unwrap();
        Peer::new(stream, self.protocol)
    }

    /// The next connection of the gateway, logged in.
    pub fn peer(&self) -> Peer<P> {
        let mut peer = self.connection();
        peer.welcome();
        peer
    }

    /// A connection for what the carrier brings: in SGIP one to the gateway, else the gateway's own.
    pub fn bringer(&self) -> Peer<P> {
        match self.protocol {
            Protocol::Sgip12 => Peer::dial(self.listener.address(), self.protocol),
            Protocol::Cmpp20 | Protocol::Cmpp30 | Protocol::Smgp30 => self.peer(),
        }
    }
}

impl<P: Messages> Peer<P> {
    fn new(stream: TcpStream, protocol: Protocol) -> Self {
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.set_write_timeout(Some(SOON)).unwrap();
        stream.set_nodelay(true).unwrap();
        let version = match protocol {
            Protocol::Cmpp20 => Version(0x20),
            Protocol::Cmpp30 | Protocol::Smgp30 => Version(0x30),
            Protocol::Sgip12 => Version(0x12),
        };
        let frames = Frames::new(P::HEADER, P::LONGEST);
        Self { stream, frames, version, wire: PhantomData }
    }

    /// Logs in to the gateway, as an SGIP carrier does.
    fn dial(address: SocketAddr, protocol: Protocol) -> Self {
        let mut peer = Self::connect(address, protocol);
        let login = P::login(
            &Credentials {
                id: "smg".parse().unwrap(),
                secret: Secret(CARRIER_SECRET.to_owned()),
                version: peer.version,
                mode: 2,
                node: NODE,
            },
            STAMP,
        );
        assert_eq!(peer.log_in(&login, CARRIER_SECRET), 0);
        peer
    }

    /// A connection to whoever listens there.
    pub fn connect(address: SocketAddr, protocol: Protocol) -> Self {
        Self::new(TcpStream::connect_timeout(&address, SOON).unwrap(), protocol)
    }

    /// The status in the answer to this login.
    pub fn log_in(&mut self, login: &P::Pdu, secret: &str) -> u32 {
        self.request(login);
        let (_, answer) = self.next_pdu().expect("an answer to the login");
        P::read_welcome(login, &answer, &Secret(secret.to_owned())).unwrap().status
    }

    /// Waits for the login, and takes it.
    pub fn welcome(&mut self) {
        let secret = Secret(SECRET.to_owned());
        let (sequence, login) = self.next_pdu().expect("a login");
        assert_eq!(P::role(&login), Role::Login);
        assert!(P::proves(&login, &secret), "the login proves nothing");
        self.send(sequence, &P::welcome(&login, 0, self.version, &secret));
    }

    /// The next submit of the gateway; `None` at the end of the connection.
    pub fn try_submit(&mut self) -> Option<(P::Sequence, Submit)> {
        loop {
            let (sequence, pdu) = self.next_pdu()?;
            if let Some(submit) = P::read_submit(&pdu) {
                return Some((sequence, submit));
            }
        }
    }

    /// The next submit of the gateway.
    pub fn submit(&mut self) -> (P::Sequence, Submit) {
        self.try_submit().expect("a submit before the end of the connection")
    }

    /// Takes a submit; returns the id that its report will be about.
    pub fn accept(&mut self, sequence: P::Sequence) -> MessageId {
        let id = P::message_id(sequence, NODE, count(), STAMP);
        self.answer(sequence, Answer { code: 0, id: Some(id) });
        id
    }

    pub fn answer(&mut self, sequence: P::Sequence, answer: Answer) {
        self.send(sequence, &P::answer(&answer));
    }

    /// Takes every submit from now on, until the connection ends.
    pub fn take_all(mut self) {
        while let Some((sequence, _)) = self.try_submit() {
            let id = P::message_id(sequence, NODE, count(), STAMP);
            let mut frame = Vec::new();
            P::encode(self.version, sequence, &P::answer(&Answer { code: 0, id: Some(id) }), &mut frame);
            if self.stream.write_all(&frame).is_err() {
                return;
            }
        }
    }

    /// Brings something, and waits until the gateway has it.
    pub fn bring(&mut self, incoming: &Incoming) {
        let sequence = self.request(&P::deliver(incoming, STAMP).unwrap());
        assert_eq!(self.brought(sequence), 0);
    }

    /// The code of the gateway's answer to what was brought under `sequence`.
    pub fn brought(&mut self, sequence: P::Sequence) -> u32 {
        loop {
            let (answered, pdu) = self.next_pdu().expect("an answer before the end of the connection");
            match P::read_deliver_answer(&pdu) {
                Some(code) if answered == sequence => return code,
                _ => {}
            }
        }
    }

    /// Sends a request under a sequence of its own.
    pub fn request(&mut self, pdu: &P::Pdu) -> P::Sequence {
        let sequence = self.reserve();
        self.send(sequence, pdu);
        sequence
    }

    pub fn reserve(&self) -> P::Sequence {
        P::sequence(count(), NODE, STAMP)
    }

    pub fn send(&mut self, sequence: P::Sequence, pdu: &P::Pdu) {
        let frame = self.frame(sequence, pdu);
        self.raw(&frame);
    }

    /// A PDU's bytes.
    pub fn frame(&self, sequence: P::Sequence, pdu: &P::Pdu) -> Vec<u8> {
        let mut frame = Vec::new();
        P::encode(self.version, sequence, pdu, &mut frame);
        frame
    }

    /// Whether these bytes are a PDU.
    pub fn can_be_read(&self, frame: &[u8]) -> bool {
        P::decode(self.version, frame).is_ok()
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Waits for the end of the connection.
    pub fn wait_end(mut self) {
        while self.next_pdu().is_some() {}
    }

    /// The next PDU but probes, which it answers; `None` at the end of the connection.
    pub fn next_pdu(&mut self) -> Option<(P::Sequence, P::Pdu)> {
        loop {
            let (sequence, pdu) = self.read()?;
            match P::role(&pdu) {
                Role::Probe => {
                    let answer = P::probe_answer()?;
                    self.send(sequence, &answer);
                }
                Role::Terminate => self.send(sequence, &P::terminate_answer()),
                _ => return Some((sequence, pdu)),
            }
        }
    }

    fn read(&mut self) -> Option<(P::Sequence, P::Pdu)> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(frame) = self.frames.take().unwrap() {
                let (sequence, _) = P::header(frame);
                return Some((sequence, P::decode(self.version, frame).unwrap()));
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(count) => self.frames.extend(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("nothing from the gateway within {SOON:?}: {error}"),
            }
        }
    }
}

/// Grows with each call, over all connections: in SGIP a sequence is a message's id.
fn count() -> u32 {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    COUNT.fetch_add(1, Ordering::Relaxed)
}

/// Does something with a peer's connection in the background, until the peer closes it.
pub fn background<P: Messages>(peer: Peer<P>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        peer.stream.set_read_timeout(Some(Duration::from_secs(600))).unwrap();
        peer.take_all();
    })
}
