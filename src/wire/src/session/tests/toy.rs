//! A protocol with a header like CMPP's and bodies of a few bytes. `Toy<true>` forgives and probes; `Toy<false>` has
//! no probes and ends at an unknown command.

use domain::{Meaning, Stamp};

use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::protocol::{Cannot, Credentials, Login, Protocol, Refusal, Role, Secret, Version, Welcome};
use crate::text::Text;

#[derive(Clone, Debug, PartialEq)]
pub struct Toy<const FORGIVING: bool>;

#[derive(Clone, Debug, PartialEq)]
pub enum Pdu {
    Login { id: Text<16>, proof: u8 },
    LoginAnswer { status: u8, proof: u8 },
    Probe,
    ProbeAnswer,
    Terminate,
    TerminateAnswer,
    Request(u8),
    Answer(u8),
    Unknown(u32),
}

/// What a toy's request is answered with if it cannot be served: 200 and more.
pub fn cannot(why: Cannot) -> Pdu {
    Pdu::Answer(match why {
        Cannot::Read => 200,
        Cannot::Serve => 201,
        Cannot::Sequence => 202,
        Cannot::Window => 203,
    })
}

pub fn frame(sequence: u32, pdu: &Pdu) -> Vec<u8> {
    let mut out = Vec::new();
    Toy::<true>::encode(Version(0x20), sequence, pdu, &mut out);
    out
}

/// Takes whole frames apart.
pub fn frames(mut bytes: &[u8]) -> Vec<(u32, Pdu)> {
    let mut frames = Vec::new();
    while let Some((length, _)) = bytes.split_first_chunk() {
        let (frame, rest) = bytes.split_at(u32::from_be_bytes(*length) as usize);
        frames.push((Toy::<true>::header(frame).0, Toy::<true>::decode(Version(0x20), frame).unwrap()));
        bytes = rest;
    }
    frames
}

pub fn command(pdu: &Pdu) -> u32 {
    match pdu {
        Pdu::Login { .. } => 1,
        Pdu::LoginAnswer { .. } => 0x8000_0001,
        Pdu::Terminate => 2,
        Pdu::TerminateAnswer => 0x8000_0002,
        Pdu::Request(_) => 4,
        Pdu::Answer(_) => 0x8000_0004,
        Pdu::Probe => 8,
        Pdu::ProbeAnswer => 0x8000_0008,
        Pdu::Unknown(command) => *command,
    }
}

fn proof(secret: &Secret) -> u8 {
    secret.0.bytes().fold(0, u8::wrapping_add)
}

impl<const FORGIVING: bool> Protocol for Toy<FORGIVING> {
    type Pdu = Pdu;
    type Sequence = u32;

    const NAME: &'static str = "toy";
    const HEADER: u32 = 12;
    const LONGEST: u32 = 64;
    const UNKNOWN_ENDS: bool = !FORGIVING;

    fn decode(_: Version, frame: &[u8]) -> Result<Pdu, DecodeError> {
        let mut reader = Reader::new(frame);
        reader.u32("length")?;
        let command = reader.u32("command")?;
        reader.u32("sequence")?;
        let pdu = match command {
            1 => Pdu::Login { id: reader.text("id")?, proof: reader.u8("proof")? },
            0x8000_0001 => Pdu::LoginAnswer { status: reader.u8("status")?, proof: reader.u8("proof")? },
            2 => Pdu::Terminate,
            0x8000_0002 => Pdu::TerminateAnswer,
            4 => Pdu::Request(reader.u8("content")?),
            0x8000_0004 => Pdu::Answer(reader.u8("content")?),
            8 => Pdu::Probe,
            0x8000_0008 => Pdu::ProbeAnswer,
            _ => return Ok(Pdu::Unknown(command)),
        };
        reader.finish().map(|()| pdu)
    }

    fn header(frame: &[u8]) -> (u32, u32) {
        let word = |at: usize| u32::from_be_bytes(frame[at..at + 4].try_into().unwrap());
        (word(8), word(4))
    }

    fn encode(_: Version, sequence: u32, pdu: &Pdu, out: &mut Vec<u8>) {
        let mut writer = Writer::frame(out);
        writer.u32(command(pdu));
        writer.u32(sequence);
        match pdu {
            Pdu::Login { id, proof } => {
                writer.text(id);
                writer.u8(*proof);
            }
            Pdu::LoginAnswer { status, proof } => writer.bytes(&[*status, *proof]),
            Pdu::Request(content) | Pdu::Answer(content) => writer.u8(*content),
            Pdu::Probe | Pdu::ProbeAnswer | Pdu::Terminate | Pdu::TerminateAnswer | Pdu::Unknown(_) => {}
        }
        writer.finish();
    }

    fn sequence(number: u32, _: u32, _: Stamp) -> u32 {
        number
    }

    fn role(pdu: &Pdu) -> Role {
        match pdu {
            Pdu::Login { .. } => Role::Login,
            Pdu::LoginAnswer { .. } => Role::LoginAnswer,
            Pdu::Probe => Role::Probe,
            Pdu::ProbeAnswer => Role::ProbeAnswer,
            Pdu::Terminate => Role::Terminate,
            Pdu::TerminateAnswer => Role::TerminateAnswer,
            Pdu::Request(_) => Role::Request,
            Pdu::Answer(_) => Role::Answer,
            Pdu::Unknown(_) => Role::Unknown,
        }
    }

    fn login(credentials: &Credentials, _: Stamp) -> Pdu {
        Pdu::Login { id: credentials.id, proof: proof(&credentials.secret) }
    }

    fn read_login(pdu: &Pdu) -> Option<Login> {
        match pdu {
            Pdu::Login { id, .. } => Some(Login { id: *id, version: Version(0x20), mode: 0 }),
            _ => None,
        }
    }

    fn proves(login: &Pdu, secret: &Secret) -> bool {
        matches!(login, Pdu::Login { proof: given, .. } if *given == proof(secret))
    }

    fn welcome(_: &Pdu, status: u32, _: Version, secret: &Secret) -> Pdu {
        Pdu::LoginAnswer { status: u8::try_from(status).unwrap(), proof: proof(secret) }
    }

    fn read_welcome(_: &Pdu, pdu: &Pdu, secret: &Secret) -> Result<Welcome, &'static str> {
        match pdu {
            Pdu::LoginAnswer { status, proof: given } => {
                Ok(Welcome { status: u32::from(*status), version: None, authentic: *given == proof(secret) })
            }
            _ => Err("no answer to a login"),
        }
    }

    fn refusal(why: Refusal) -> u32 {
        match why {
            Refusal::Authentication => 1,
            Refusal::Version => 2,
            Refusal::TooManyConnections => 3,
            Refusal::Mode => 4,
            Refusal::Repeated => 5,
            Refusal::Address => 6,
        }
    }

    fn login_meaning(_: u32) -> Meaning {
        unreachable!("a session asks for no meaning")
    }

    fn probe() -> Option<Pdu> {
        FORGIVING.then_some(Pdu::Probe)
    }

    fn probe_answer() -> Option<Pdu> {
        FORGIVING.then_some(Pdu::ProbeAnswer)
    }

    fn terminate() -> Pdu {
        Pdu::Terminate
    }

    fn terminate_answer() -> Pdu {
        Pdu::TerminateAnswer
    }

    fn cannot(command: u32, _: &[u8], why: Cannot) -> Option<Pdu> {
        (command < 0x8000_0000).then(|| cannot(why))
    }
}
