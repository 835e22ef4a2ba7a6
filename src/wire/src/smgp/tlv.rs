//! Optional parameters: tag (2 bytes), length of the value (2 bytes), value.

use std::fmt;

use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::text::Text;

/// A tag whose value is a number of one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberTag(pub u16);

/// A tag whose value is a text of `N` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextTag<const N: usize>(pub u16);

/// A tag whose value is as long as it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BytesTag(pub u16);

/// GSM 03.40 protocol identifier.
pub const TP_PID: NumberTag = NumberTag(0x0001);
/// 1: the content begins with a user data header.
pub const TP_UDHI: NumberTag = NumberTag(0x0002);
/// Transaction of an on-demand service.
pub const LINK_ID: TextTag<20> = TextTag(0x0003);
/// Who pays: 0 receiver, 1 sender, 2 SP, 3 `ChargeTermID`.
pub const CHARGE_USER_TYPE: NumberTag = NumberTag(0x0004);
/// 0 a number, 1 a pseudonym; so are the other two.
pub const CHARGE_TERM_TYPE: NumberTag = NumberTag(0x0005);
pub const CHARGE_TERM_PSEUDO: BytesTag = BytesTag(0x0006);
pub const DEST_TERM_TYPE: NumberTag = NumberTag(0x0007);
/// Several pseudonyms have the same length and follow each other.
pub const DEST_TERM_PSEUDO: BytesTag = BytesTag(0x0008);
/// Parts of the message.
pub const PK_TOTAL: NumberTag = NumberTag(0x0009);
/// Which part, from 1.
pub const PK_NUMBER: NumberTag = NumberTag(0x000a);
/// 0 an ordinary message; 1 to 5 notices of subscription and fees.
pub const SUBMIT_MSG_TYPE: NumberTag = NumberTag(0x000b);
/// 0 done, 1 failed.
pub const SP_DEAL_RESULT: NumberTag = NumberTag(0x000c);
pub const SRC_TERM_TYPE: NumberTag = NumberTag(0x000d);
pub const SRC_TERM_PSEUDO: BytesTag = BytesTag(0x000e);
/// Gateways on the way, from 1 (FORWARD).
pub const NODES_COUNT: NumberTag = NumberTag(0x000f);
/// The SP's enterprise code (mobile network) or service code (fixed network).
pub const MSG_SRC: TextTag<8> = TextTag(0x0010);
pub const SRC_TYPE: NumberTag = NumberTag(0x0011);
/// Product id of the mobile network.
pub const M_SERVICE_ID: TextTag<21> = TextTag(0x0012);

/// The standard's name of a tag.
#[must_use]
pub fn name(tag: u16) -> Option<&'static str> {
    const NAMES: [&str; 18] = [
        "TP_pid",
        "TP_udhi",
        "LinkID",
        "ChargeUserType",
        "ChargeTermType",
        "ChargeTermPseudo",
        "DestTermType",
        "DestTermPseudo",
        "PkTotal",
        "PkNumber",
        "SubmitMsgType",
        "SPDealResult",
        "SrcTermType",
        "SrcTermPseudo",
        "NodesCount",
        "MsgSrc",
        "SrcType",
        "MServiceID",
    ];
    NAMES.get(usize::from(tag).checked_sub(1)?).copied()
}

/// The optional parameters of a PDU, in the order in which they came, with the tags that nobody knows; each value as
/// it came, so that they are written as they were read. `Debug` shows tags and lengths: a pseudonym is personal.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tlvs {
    /// Whole parameters only.
    encoded: Vec<u8>,
}

/// Tag and length.
const HEAD: usize = 4;

impl Tlvs {
    /// All that is left of a PDU; 1 to 3 bytes behind the last parameter are dropped.
    pub(super) fn read(body: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut ahead = *body;
        while ahead.remaining() >= HEAD {
            let _tag = ahead.u16("TLV tag")?;
            let length = ahead.u16("TLV length")?;
            ahead.slice("TLV value", usize::from(length))?;
        }
        let encoded = body.slice("TLVs", body.remaining() - ahead.remaining())?.to_vec();
        body.skip_rest();
        Ok(Self { encoded })
    }

    pub(super) fn write(&self, out: &mut Writer<'_>) {
        out.bytes(&self.encoded);
    }

    /// Tag and value of each.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &[u8])> {
        let mut rest = Reader::new(&self.encoded);
        std::iter::from_fn(move || {
            let tag = rest.u16("tag").ok()?;
            let length = rest.u16("length").ok()?;
            Some((tag, rest.slice("value", usize::from(length)).ok()?))
        })
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.encoded.is_empty()
    }

    /// The first with this tag; `None` also if it has not one byte.
    #[must_use]
    pub fn number(&self, tag: NumberTag) -> Option<u8> {
        match self.find(tag.0)? {
            &[number] => Some(number),
            _ => None,
        }
    }

    /// The first with this tag, up to its first NUL or its longest; senders differ about the NUL at the end.
    #[must_use]
    pub fn text<const N: usize>(&self, tag: TextTag<N>) -> Option<Text<N>> {
        self.find(tag.0).map(Text::cut)
    }

    /// The first with this tag.
    #[must_use]
    pub fn bytes(&self, tag: BytesTag) -> Option<&[u8]> {
        self.find(tag.0)
    }

    pub fn push_number(&mut self, tag: NumberTag, number: u8) {
        self.push(tag.0, &[number]);
    }

    /// Padded, as the standard's table of lengths says.
    pub fn push_text<const N: usize>(&mut self, tag: TextTag<N>, text: &Text<N>) {
        self.push(tag.0, text.field());
    }

    /// A tag of any kind. The value is cut after 65535 bytes.
    pub fn push(&mut self, tag: u16, value: &[u8]) {
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        self.encoded.extend_from_slice(&tag.to_be_bytes());
        self.encoded.extend_from_slice(&length.to_be_bytes());
        self.encoded.extend_from_slice(&value[..usize::from(length)]);
    }

    fn find(&self, tag: u16) -> Option<&[u8]> {
        self.iter().find(|&(found, _)| found == tag).map(|(_, value)| value)
    }
}

impl fmt::Debug for Tlvs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        for (tag, value) in self.iter() {
            match name(tag) {
                Some(name) => list.entry(&format_args!("{name}({})", value.len())),
                None => list.entry(&format_args!("{tag:#06x}({})", value.len())),
            };
        }
        list.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Tlvs, DecodeError> {
        let mut reader = Reader::new(bytes);
        let tlvs = Tlvs::read(&mut reader);
        assert!(tlvs.is_err() || reader.remaining() == 0);
        tlvs
    }

    #[test]
    fn a_text_is_the_same_with_and_without_a_nul_and_when_padded() {
        let link = "LINK0123456789012345".parse::<Text<20>>().unwrap();
        let mut tlvs = Tlvs::default();
        tlvs.push(LINK_ID.0, b"LINK0123456789012345\0");
        tlvs.push(MSG_SRC.0, b"1234\0");
        tlvs.push_text(M_SERVICE_ID, &"1".parse().unwrap());
        assert_eq!(tlvs.text(LINK_ID), Some(link));
        assert_eq!(tlvs.text(MSG_SRC), "1234".parse().ok());
        assert_eq!(tlvs.text(M_SERVICE_ID), "1".parse().ok());
    }

    #[test]
    fn unknown_tags_stay_where_they_are() {
        let bytes = [0, 2, 0, 1, 1, 0x99, 0x99, 0, 2, 7, 8, 0, 9, 0, 1, 3];
        let tlvs = read(&bytes).unwrap();
        assert_eq!(tlvs.encoded, bytes);
        assert_eq!((tlvs.number(TP_UDHI), tlvs.number(PK_TOTAL)), (Some(1), Some(3)));
        assert_eq!(tlvs.number(PK_NUMBER), None);
        assert_eq!(format!("{tlvs:?}"), "[TP_udhi(1), 0x9999(2), PkTotal(1)]");
    }

    #[test]
    fn up_to_three_bytes_behind_the_last_one_are_dropped_and_no_value_goes_beyond_the_end() {
        let whole = read(&[0, 2, 0, 1, 1]).unwrap();
        for extra in 1..=3 {
            assert_eq!(read(&[&[0, 2, 0, 1, 1][..], &vec![0; extra]].concat()), Ok(whole.clone()));
        }
        assert_eq!(
            read(&[0, 3, 0, 20, 1]),
            Err(DecodeError::Short { field: "TLV value", need: 20, have: 1 })
        );
        assert_eq!(read(&[1, 2, 3]), Ok(Tlvs::default()));
    }

    #[test]
    fn a_number_of_another_length_is_none() {
        let mut tlvs = Tlvs::default();
        tlvs.push(TP_UDHI.0, &[]);
        tlvs.push(PK_TOTAL.0, &[0, 2]);
        assert_eq!((tlvs.number(TP_UDHI), tlvs.number(PK_TOTAL)), (None, None));
    }
}
