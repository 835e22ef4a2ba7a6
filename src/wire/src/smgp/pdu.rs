//! A PDU of any kind.

use std::fmt;

use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::protocol::Version;
use crate::smgp::active_test::{ActiveTest, ActiveTestResp};
use crate::smgp::command;
use crate::smgp::deliver::{Deliver, DeliverResp};
use crate::smgp::exit::{Exit, ExitResp};
use crate::smgp::forward::{Forward, ForwardResp};
use crate::smgp::login::{Login, LoginResp};
use crate::smgp::query::{Query, QueryResp};
use crate::smgp::submit::{Submit, SubmitResp};

/// The body of a PDU; the header is three words of four bytes: length of the whole, command, sequence.
#[derive(Clone, PartialEq, Eq)]
pub enum Pdu {
    Login(Login),
    LoginResp(LoginResp),
    Submit(Submit),
    SubmitResp(SubmitResp),
    Deliver(Deliver),
    DeliverResp(DeliverResp),
    ActiveTest(ActiveTest),
    ActiveTestResp(ActiveTestResp),
    Forward(Forward),
    ForwardResp(ForwardResp),
    Exit(Exit),
    ExitResp(ExitResp),
    Query(Query),
    QueryResp(QueryResp),
    /// A command that the standard does not have, or has for routing and prepaid charging only.
    Unknown {
        command: u32,
        body: Vec<u8>,
    },
}

impl Pdu {
    /// The command id of its header.
    #[must_use]
    pub fn command(&self) -> u32 {
        match self {
            Self::Login(_) => command::LOGIN,
            Self::LoginResp(_) => command::LOGIN_RESP,
            Self::Submit(_) => command::SUBMIT,
            Self::SubmitResp(_) => command::SUBMIT_RESP,
            Self::Deliver(_) => command::DELIVER,
            Self::DeliverResp(_) => command::DELIVER_RESP,
            Self::ActiveTest(_) => command::ACTIVE_TEST,
            Self::ActiveTestResp(_) => command::ACTIVE_TEST_RESP,
            Self::Forward(_) => command::FORWARD,
            Self::ForwardResp(_) => command::FORWARD_RESP,
            Self::Exit(_) => command::EXIT,
            Self::ExitResp(_) => command::EXIT_RESP,
            Self::Query(_) => command::QUERY,
            Self::QueryResp(_) => command::QUERY_RESP,
            Self::Unknown { command, .. } => *command,
        }
    }

    /// Reads the body of `command`, to its end.
    pub(super) fn read(version: Version, command: u32, mut body: Reader<'_>) -> Result<Self, DecodeError> {
        let pdu = match command {
            command::LOGIN => Self::Login(Login::read(&mut body)?),
            command::LOGIN_RESP => Self::LoginResp(LoginResp::read(&mut body)?),
            command::SUBMIT => Self::Submit(Submit::read(version, &mut body)?),
            command::SUBMIT_RESP => Self::SubmitResp(SubmitResp::read(&mut body)?),
            command::DELIVER => Self::Deliver(Deliver::read(&mut body)?),
            command::DELIVER_RESP => Self::DeliverResp(DeliverResp::read(&mut body)?),
            command::ACTIVE_TEST => Self::ActiveTest(ActiveTest),
            command::ACTIVE_TEST_RESP => Self::ActiveTestResp(ActiveTestResp),
            command::FORWARD => Self::Forward(Forward::read(&mut body)?),
            command::FORWARD_RESP => Self::ForwardResp(ForwardResp::read(&mut body)?),
            command::EXIT => Self::Exit(Exit),
            command::EXIT_RESP => Self::ExitResp(ExitResp),
            command::QUERY => Self::Query(Query::read(&mut body)?),
            command::QUERY_RESP => Self::QueryResp(QueryResp::read(&mut body)?),
            _ => Self::Unknown { command, body: body.slice("body", body.remaining())?.to_vec() },
        };
        if pdu.is_bare() {
            body.skip_rest();
        }
        body.finish()?;
        Ok(pdu)
    }

    pub(super) fn write(&self, version: Version, out: &mut Writer<'_>) {
        match self {
            Self::Login(pdu) => pdu.write(out),
            Self::LoginResp(pdu) => pdu.write(out),
            Self::Submit(pdu) => pdu.write(version, out),
            Self::SubmitResp(pdu) => pdu.write(out),
            Self::Deliver(pdu) => pdu.write(out),
            Self::DeliverResp(pdu) => pdu.write(out),
            Self::Forward(pdu) => pdu.write(out),
            Self::ForwardResp(pdu) => pdu.write(out),
            Self::Query(pdu) => pdu.write(out),
            Self::QueryResp(pdu) => pdu.write(out),
            Self::ActiveTest(_) | Self::ActiveTestResp(_) | Self::Exit(_) | Self::ExitResp(_) => {}
            Self::Unknown { body, .. } => out.bytes(body),
        }
    }

    /// Has no body; one that comes all the same is passed over.
    fn is_bare(&self) -> bool {
        matches!(self, Self::ActiveTest(_) | Self::ActiveTestResp(_) | Self::Exit(_) | Self::ExitResp(_))
    }
}

impl fmt::Debug for Pdu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Login(pdu) => pdu.fmt(f),
            Self::LoginResp(pdu) => pdu.fmt(f),
            Self::Submit(pdu) => pdu.fmt(f),
            Self::SubmitResp(pdu) => pdu.fmt(f),
            Self::Deliver(pdu) => pdu.fmt(f),
            Self::DeliverResp(pdu) => pdu.fmt(f),
            Self::ActiveTest(pdu) => pdu.fmt(f),
            Self::ActiveTestResp(pdu) => pdu.fmt(f),
            Self::Forward(pdu) => pdu.fmt(f),
            Self::ForwardResp(pdu) => pdu.fmt(f),
            Self::Exit(pdu) => pdu.fmt(f),
            Self::ExitResp(pdu) => pdu.fmt(f),
            Self::Query(pdu) => pdu.fmt(f),
            Self::QueryResp(pdu) => pdu.fmt(f),
            // An unread body may hold numbers and text.
            Self::Unknown { command, body } => match command::name(*command) {
                Some(name) => write!(f, "{name} of {} bytes", body.len()),
                None => write!(f, "command {command:#010x} of {} bytes", body.len()),
            },
        }
    }
}
