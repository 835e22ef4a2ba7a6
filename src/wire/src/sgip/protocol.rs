//! What sessions need of SGIP.

use domain::{Meaning, Stamp};

use super::bind::Bind;
use super::codes;
use super::pdu::{self, Pdu, read_header};
use super::private::Password;
use super::resp::Resp;
use super::sequence::Sequence;
use super::unbind::{Unbind, UnbindResp};
use super::{Sgip, VERSION};
use crate::cursor::Reader;
use crate::error::DecodeError;
use crate::protocol::{
    Cannot, Credentials, Login, NO_WELCOME, Protocol, Refusal, Role, Secret, Version, Welcome,
};
use crate::text::Text;

impl Protocol for Sgip {
    type Pdu = Pdu;
    type Sequence = Sequence;

    const NAME: &'static str = "SGIP";
    const HEADER: u32 = pdu::HEADER;
    /// The standard says 2048; a submit to 100 users, which it allows too, is longer.
    const LONGEST: u32 = 4096;
    const UNKNOWN_ENDS: bool = true;

    fn decode(_: Version, frame: &[u8]) -> Result<Pdu, DecodeError> {
        Pdu::decode(frame)
    }

    fn header(frame: &[u8]) -> (Sequence, u32) {
        read_header(&mut Reader::new(frame)).unwrap_or_default()
    }

    fn encode(_: Version, sequence: Sequence, pdu: &Pdu, out: &mut Vec<u8>) {
        pdu.encode(sequence, out);
    }

    fn sequence(number: u32, node: u32, stamp: Stamp) -> Sequence {
        Sequence { node, time: stamp.month_to_second(), number }
    }

    fn role(pdu: &Pdu) -> Role {
        match pdu {
            Pdu::Bind(_) => Role::Login,
            Pdu::BindResp(_) => Role::LoginAnswer,
            Pdu::Unbind(_) => Role::Terminate,
            Pdu::UnbindResp(_) => Role::TerminateAnswer,
            Pdu::Submit(_)
            | Pdu::Deliver(_)
            | Pdu::Report(_)
            | Pdu::ReportAsDeliver(_)
            | Pdu::UserRpt(_)
            | Pdu::Trace(_) => Role::Request,
            Pdu::SubmitResp(_)
            | Pdu::DeliverResp(_)
            | Pdu::ReportResp(_)
            | Pdu::UserRptResp(_)
            | Pdu::TraceResp(_) => Role::Answer,
            Pdu::Routing(_) | Pdu::Unknown { .. } if pdu.is_answer() => Role::Answer,
            // A command that the standard has is answered with an error; only one that it has not ends the connection.
            Pdu::Routing(_) => Role::Request,
            Pdu::Unknown { .. } => Role::Unknown,
        }
    }

    fn login(credentials: &Credentials, _: Stamp) -> Pdu {
        Pdu::Bind(Bind {
            login_type: credentials.mode,
            login_name: credentials.id,
            login_password: password(&credentials.secret).unwrap_or_default(),
            reserve: Text::EMPTY,
        })
    }

    fn read_login(pdu: &Pdu) -> Option<Login> {
        let Pdu::Bind(bind) = pdu else { return None };
        Some(Login { id: bind.login_name, version: VERSION, mode: bind.login_type })
    }

    fn proves(login: &Pdu, secret: &Secret) -> bool {
        let Pdu::Bind(bind) = login else { return false };
        password(secret) == Some(bind.login_password)
    }

    fn welcome(_: &Pdu, status: u32, _: Version, _: &Secret) -> Pdu {
        Pdu::BindResp(Resp::new(narrow(status)))
    }

    fn read_welcome(_: &Pdu, pdu: &Pdu, _: &Secret) -> Result<Welcome, &'static str> {
        let Pdu::BindResp(resp) = pdu else { return Err(NO_WELCOME) };
        Ok(Welcome { status: u32::from(resp.result), version: None, authentic: true })
    }

    fn refusal(why: Refusal) -> u32 {
        u32::from(match why {
            // The standard has no code for a wrong address, and no versions.
            Refusal::Authentication | Refusal::Address | Refusal::Version => codes::LOGIN,
            Refusal::TooManyConnections => codes::TOO_MANY_CONNECTIONS,
            Refusal::Mode => codes::LOGIN_TYPE,
            Refusal::Repeated => codes::REPEATED_LOGIN,
        })
    }

    fn login_meaning(status: u32) -> Meaning {
        codes::login_meaning(status)
    }

    fn probe() -> Option<Pdu> {
        None
    }

    fn probe_answer() -> Option<Pdu> {
        None
    }

    fn terminate() -> Pdu {
        Pdu::Unbind(Unbind)
    }

    fn terminate_answer() -> Pdu {
        Pdu::UnbindResp(UnbindResp)
    }

    fn cannot(command: u32, _: &[u8], why: Cannot) -> Option<Pdu> {
        let result = match why {
            Cannot::Read => codes::FORMAT,
            Cannot::Serve => codes::COMMAND,
            Cannot::Sequence => codes::SEQUENCE,
            Cannot::Window => codes::FLOW_CONTROL,
        };
        Pdu::answer(command, result)
    }
}

/// A code as its field holds it.
pub(super) fn narrow(code: u32) -> u8 {
    u8::try_from(code).unwrap_or(u8::MAX)
}

/// As much of the secret as the field holds; `None` if the field cannot carry it.
fn password(secret: &Secret) -> Option<Password> {
    let bytes = secret.0.as_bytes();
    Text::new(&bytes[..bytes.len().min(16)]).ok().map(Password)
}
