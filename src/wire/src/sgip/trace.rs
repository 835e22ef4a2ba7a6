//! `TRACE`: which way a submit has gone.

use super::field::{RESERVE, body, skip_second_reserve};
use super::private::UserNumber;
use super::sequence::Sequence;
use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::text::Text;

body! {
    /// `TRACE`, 61 bytes with the header. The answer may take five minutes.
    ///
    /// | field                | size | meaning |
    /// |----------------------|------|---------|
    /// | SubmitSequenceNumber | 12   | the sequence of the submit |
    /// | UserNumber           | 21   | its destination |
    /// | Reserve              | 8    | |
    pub struct Trace {
        submit_sequence: Sequence = "SubmitSequenceNumber",
        user: UserNumber = "UserNumber",
    }
}

/// `TRACE_RESP`, 21 + 47 n bytes with the header.
///
/// | field | size | meaning |
/// |-------|------|---------|
/// | Count | 1    | n |
/// | hops  | 47 n | see [`Hop`] |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceResp {
    /// No more than the first 255 are sent.
    pub hops: Vec<Hop>,
}

/// One node on the way.
///
/// | field       | size | meaning |
/// |-------------|------|---------|
/// | Result      | 1    | see [`super::codes`] |
/// | NodeId      | 6    | |
/// | ReceiveTime | 16   | `yymmddhhmmss032+`; some leave out the last four |
/// | SendTime    | 16   | the same |
/// | Reserve     | 8    | |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hop {
    pub result: u8,
    pub node: Text<6>,
    pub received: Text<16>,
    pub sent: Text<16>,
    pub reserve: Text<RESERVE>,
}

/// The size of a hop with times of 16 bytes, and of 12.
const LONG: usize = 47;
const SHORT: usize = 39;

impl TraceResp {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = usize::from(reader.u8("Count")?);
        let have = reader.remaining();
        // One short hop with a second reserve is as long as a long one: the standard's form goes first.
        let long = have >= count * LONG;
        if have < count * SHORT {
            return Err(DecodeError::Short { field: "Count", need: count * SHORT, have });
        }
        let hops = (0..count).map(|_| Hop::read(reader, long)).collect::<Result<_, _>>()?;
        skip_second_reserve(reader)?;
        Ok(Self { hops })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        let count = u8::try_from(self.hops.len()).unwrap_or(u8::MAX);
        writer.u8(count);
        for hop in &self.hops[..usize::from(count)] {
            hop.write(writer);
        }
    }
}

impl Hop {
    fn read(reader: &mut Reader<'_>, long: bool) -> Result<Self, DecodeError> {
        Ok(Self {
            result: reader.u8("Result")?,
            node: reader.text("NodeId")?,
            received: read_time(reader, "ReceiveTime", long)?,
            sent: read_time(reader, "SendTime", long)?,
            reserve: reader.text("Reserve")?,
        })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.u8(self.result);
        writer.text(&self.node);
        writer.text(&self.received);
        writer.text(&self.sent);
        writer.text(&self.reserve);
    }
}

fn read_time(reader: &mut Reader<'_>, name: &'static str, long: bool) -> Result<Text<16>, DecodeError> {
    if long { reader.text(name) } else { reader.text::<12>(name).map(|time| Text::cut(time.as_bytes())) }
}
