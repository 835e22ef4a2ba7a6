//! What sessions, gateways and carriers need of a protocol.

use std::fmt;
use std::time::Instant;

use domain::{Meaning, Stamp};

use crate::error::DecodeError;
use crate::exchange::{Answer, Incoming, MessageId, Profile, Report, Submit};
use crate::text::Text;

/// Now, on both clocks: one to wait by, one to write down.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub instant: Instant,
    pub stamp: Stamp,
}

/// The version byte of a login: major in the high nibble, minor in the low (`0x20`, `0x30`, `0x12`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u8);

/// A password or shared secret; it does not show itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What one end of a session logs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// CMPP `Source_Addr` (6), SGIP `Login_Name` (16), SMGP `ClientID` (8).
    pub id: Text<16>,
    pub secret: Secret,
    pub version: Version,
    /// SMGP `LoginMode` (0 send, 1 receive, 2 transmit), SGIP `Login_Type` (1 SP to gateway, 2 gateway to SP);
    /// CMPP has none.
    pub mode: u8,
    /// SGIP: the node number of this end, the first word of its sequences.
    pub node: u32,
}

/// What a server is told in a login, before it knows whether to believe it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login {
    pub id: Text<16>,
    pub version: Version,
    /// See [`Credentials::mode`].
    pub mode: u8,
}

/// What a client is told in the answer to its login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// 0 for welcome; else see [`Protocol::login_meaning`].
    pub status: u32,
    /// The version that the server names, if the protocol has one here.
    pub version: Option<Version>,
    /// Whether the server's authenticator is right. Many in the field send a wrong one: worth a log line, never a
    /// refusal.
    pub authentic: bool,
}

/// What a PDU is to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Login,
    LoginAnswer,
    /// CMPP and SMGP `ACTIVE_TEST`.
    Probe,
    ProbeAnswer,
    /// `TERMINATE`, `EXIT`, `UNBIND`.
    Terminate,
    TerminateAnswer,
    /// A request for the user of the session.
    Request,
    /// The answer to one.
    Answer,
    /// A request that the protocol does not have, or has but only between gateways.
    Unknown,
}

/// What a session needs of a protocol.
pub trait Protocol: Sized + fmt::Debug + 'static {
    /// The body of a PDU, with a variant that keeps unknown commands.
    type Pdu: Clone + fmt::Debug + PartialEq;
    /// Ties an answer to its request.
    type Sequence: Copy + Ord + fmt::Debug + fmt::Display + Send;

    /// `CMPP`, `SGIP`, `SMGP`.
    const NAME: &'static str;
    /// The header, in bytes: the shortest PDU.
    const HEADER: u32;
    /// The longest PDU accepted, in bytes.
    const LONGEST: u32;
    /// Whether an unknown command ends the connection (SGIP), or is counted and left alone.
    const UNKNOWN_ENDS: bool;

    /// Reads one whole frame. `version` counts only where the length does not tell the layout.
    ///
    /// # Errors
    /// The body is not what the header says.
    fn decode(version: Version, frame: &[u8]) -> Result<Self::Pdu, DecodeError>;

    /// Sequence and command id of a frame of at least [`Protocol::HEADER`] bytes.
    fn header(frame: &[u8]) -> (Self::Sequence, u32);

    /// Appends one frame to `out`.
    fn encode(version: Version, sequence: Self::Sequence, pdu: &Self::Pdu, out: &mut Vec<u8>);

    /// The sequence of the `number`th request of this process.
    fn sequence(number: u32, node: u32, stamp: Stamp) -> Self::Sequence;

    fn role(pdu: &Self::Pdu) -> Role;

    fn login(credentials: &Credentials, stamp: Stamp) -> Self::Pdu;
    /// `None` if `pdu` is no login.
    fn read_login(pdu: &Self::Pdu) -> Option<Login>;
    /// Whether the login proves that its sender knows `secret`; accepts the forms that the field is known to send.
    fn proves(login: &Self::Pdu, secret: &Secret) -> bool;
    /// The server's answer to `login`.
    fn welcome(login: &Self::Pdu, status: u32, version: Version, secret: &Secret) -> Self::Pdu;
    /// The client's reading of it.
    ///
    /// # Errors
    /// Why it is no answer to the login, or none to go on with.
    fn read_welcome(login: &Self::Pdu, pdu: &Self::Pdu, secret: &Secret) -> Result<Welcome, &'static str>;
    /// The status of a login that is refused: whose name, secret or version is wrong, or one too many.
    fn refusal(why: Refusal) -> u32;
    /// What the status of a login says.
    fn login_meaning(status: u32) -> Meaning;

    /// `ACTIVE_TEST`; `None` where the protocol has no such thing.
    fn probe() -> Option<Self::Pdu>;
    fn probe_answer() -> Option<Self::Pdu>;
    fn terminate() -> Self::Pdu;
    fn terminate_answer() -> Self::Pdu;

    /// The answer to a request that could not be read or is not served here; `None` where nothing fits. `body` is what
    /// follows the header, as far as it is there: the answer names the message if its id can be found in the first
    /// [`MessageId::MAX`] bytes.
    fn cannot(command: u32, body: &[u8], why: Cannot) -> Option<Self::Pdu>;
}

/// What is wrong with a PDU that is no answer to a login, for [`Protocol::read_welcome`].
pub(crate) const NO_WELCOME: &str = "its answer cannot be read";

/// Why a server refuses a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Unknown name or wrong secret.
    Authentication,
    Version,
    TooManyConnections,
    /// SGIP `Login_Type`, SMGP `LoginMode` that this end does not serve.
    Mode,
    /// A second login on a connection.
    Repeated,
    /// The peer's address is not in the account's list.
    Address,
}

/// Why a request is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cannot {
    /// Its body is not what its header says.
    Read,
    /// This end does not serve it, at all or in this mode.
    Serve,
    /// Its sequence is in use for another request.
    Sequence,
    /// The window is full.
    Window,
}

/// What a gateway (the customer's end) and a carrier need of a protocol.
pub trait Messages: Protocol {
    /// The submit PDU.
    fn submit(submit: &Submit, profile: &Profile) -> Self::Pdu;
    /// `None` if `pdu` is no submit.
    fn read_submit(pdu: &Self::Pdu) -> Option<Submit>;
    /// The carrier's answer to a submit; `id` is left out by SGIP.
    fn answer(answer: &Answer) -> Self::Pdu;
    /// `None` if `pdu` is no answer to a submit; `sequence` is that of the submit.
    fn read_answer(sequence: Self::Sequence, pdu: &Self::Pdu) -> Option<Answer>;
    /// The carrier's DELIVER, REPORT or USERRPT; `stamp` is its time, where the PDU has one. `None` for what the protocol
    /// cannot say: the state of a user, but in SGIP.
    fn deliver(incoming: &Incoming, stamp: Stamp) -> Option<Self::Pdu>;
    /// `None` if `pdu` is nothing of the kind; an error if it is a report whose receipt cannot be read.
    fn read_deliver(sequence: Self::Sequence, pdu: &Self::Pdu) -> Option<Result<Incoming, DecodeError>>;
    /// The customer's answer to `request`, which [`Messages::read_deliver`] has read.
    fn deliver_answer(request: &Self::Pdu, code: u32) -> Self::Pdu;
    /// The code in the customer's answer; `None` if `pdu` is none.
    fn read_deliver_answer(pdu: &Self::Pdu) -> Option<u32>;

    /// The id that the carrier gives the submit with this `sequence`; `count` grows by one for each destination.
    fn message_id(sequence: Self::Sequence, carrier: u32, count: u32, stamp: Stamp) -> MessageId;
    /// The code by which this end asks the other to go slower or come later.
    fn busy() -> u32;
    /// Whether a code in an answer to a submit says that its sequence was used before. To a submit that went out again
    /// it says no more than that the first one came: not what became of it.
    fn is_repeat(code: u32) -> bool;
    /// What a code in an answer to a submit says.
    fn meaning(code: u32) -> Meaning;
    /// What a report says, for people.
    fn report_meaning(report: &Report) -> Meaning;
    /// The report's word for a state, as the carrier writes it.
    fn state_word(state: domain::event::ReportState) -> (Text<10>, Text<3>);
}
