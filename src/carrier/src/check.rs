//! What a carrier checks in a submit. Pure.

use domain::text::{Coding, header};
use wire::exchange::Submit;

use crate::protocol::{Carrier, Wrong};

/// Checks the submit itself; `number` is the account's access number.
///
/// # Errors
/// The first thing that is wrong.
pub fn check<P: Carrier>(submit: &Submit, number: Option<&str>) -> Result<(), Wrong> {
    if !number.is_none_or(|number| submit.source.as_bytes().starts_with(number.as_bytes())) {
        return Err(Wrong::Source);
    }
    let count = P::DESTINATIONS.contains(&submit.destinations.len());
    if !count || !submit.destinations.iter().all(|to| is_number::<P>(to.as_bytes())) {
        return Err(Wrong::Destination);
    }
    let coding = Coding::from_number(submit.coding);
    let most = match coding {
        Coding::Ascii if submit.header => ASCII_WITH_HEADER,
        coding => P::limits().single(coding),
    };
    if submit.content.len() > most {
        return Err(Wrong::Length);
    }
    check_header(submit, coding)
}

/// Whether the header names another part than the PDU, which names one of several. The header wins.
#[must_use]
pub fn differs(submit: &Submit) -> bool {
    let headed = submit.header.then(|| header::read(&submit.content));
    let said = (submit.parts, submit.part);
    let part = headed.and_then(|headed| headed.part);
    said != (1, 1) && part.is_some_and(|part| (part.parts(), part.part()) != said)
}

/// Of a part of a long message, in bytes: what customers send who count the header and its text as characters of 7
/// bits.
const ASCII_WITH_HEADER: usize = 160;

/// 1 to 20 digits, with or without `+`.
fn is_number<P: Carrier>(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    (1..=20).contains(&digits.len())
        && digits.iter().all(u8::is_ascii_digit)
        && digits.starts_with(P::country_code())
}

fn check_header(submit: &Submit, coding: Coding) -> Result<(), Wrong> {
    let mut text = &submit.content[..];
    if submit.header {
        let whole = text.first().is_some_and(|&length| usize::from(length) < text.len());
        if !whole {
            return Err(Wrong::Header);
        }
        text = header::read(text).content;
    }
    if coding == Coding::Ucs2 && !text.len().is_multiple_of(2) {
        return Err(Wrong::Length);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use wire::cmpp::Cmpp;
    use wire::sgip::Sgip;
    use wire::smgp::Smgp;
    use wire::text::Text;

    use super::*;

    fn submit(to: &str, coding: u8, content: &[u8]) -> Submit {
        Submit {
            source: "10690000011".parse().unwrap(),
            destinations: vec![to.parse().unwrap()],
            coding,
            header: false,
            part: 1,
            parts: 1,
            content: content.to_vec(),
            report: true.into(),
            priority: 0,
            valid_until: Text::EMPTY,
        }
    }

    #[test]
    fn a_destination_is_digits_and_in_sgip_begins_with_86() {
        for (to, cmpp, sgip) in [
            ("13800138000", true, false),
            ("8613800138000", true, true),
            ("+8613800138000", true, true),
            ("", false, false),
            ("1380013800a", false, false),
            ("123456789012345678901", false, false),
        ] {
            let submit = submit(to, 0, b"x");
            assert_eq!(check::<Cmpp>(&submit, None).is_ok(), cmpp, "{to}");
            assert_eq!(check::<Sgip>(&submit, None).is_ok(), sgip, "{to}");
        }
        let mut group = submit("13800138000", 0, b"x");
        group.destinations = vec![group.destinations[0]; 100];
        assert_eq!(check::<Cmpp>(&group, None), Err(Wrong::Destination));
        assert_eq!(check::<Smgp>(&group, None), Ok(()));
        group.destinations.clear();
        assert_eq!(check::<Smgp>(&group, None), Err(Wrong::Destination));
    }

    #[test]
    fn the_source_begins_with_the_access_number() {
        let submit = submit("13800138000", 0, b"x");
        assert_eq!(check::<Cmpp>(&submit, Some("1069000001")), Ok(()));
        assert_eq!(check::<Cmpp>(&submit, Some("1069000002")), Err(Wrong::Source));
    }

    #[test]
    fn content_has_a_limit_by_its_coding() {
        for (coding, length, cmpp, smgp) in [
            (0, 159, true, false),
            (0, 160, false, false),
            (8, 140, true, true),
            (8, 142, false, false),
            (8, 139, false, false),
            (15, 140, true, true),
            (15, 141, false, false),
            (8, 0, true, true),
        ] {
            let submit = submit("13800138000", coding, &vec![b'x'; length]);
            let answer = |ok: bool| if ok { Ok(()) } else { Err(Wrong::Length) };
            assert_eq!(check::<Cmpp>(&submit, None), answer(cmpp), "{coding} {length}");
            assert_eq!(check::<Smgp>(&submit, None), answer(smgp), "{coding} {length}");
        }
    }

    #[test]
    fn a_part_in_ascii_may_be_as_long_as_160_bytes_in_each_protocol() {
        for (length, right) in [(160, Ok(())), (161, Err(Wrong::Length))] {
            let mut content = vec![b'x'; length];
            content[..6].copy_from_slice(b"\x05\x00\x03\x07\x03\x02");
            let submit = Submit { header: true, ..submit("8613800138000", 0, &content) };
            assert_eq!(check::<Cmpp>(&submit, None), right, "{length}");
            assert_eq!(check::<Sgip>(&submit, None), right, "{length}");
            assert_eq!(check::<Smgp>(&submit, None), right, "{length}");
        }
    }

    #[test]
    fn a_header_is_whole_and_wins_over_what_the_pdu_says() {
        let part = |content: &[u8], part, parts| {
            let submit = Submit { header: true, part, parts, ..submit("13800138000", 8, content) };
            check::<Cmpp>(&submit, None).map(|()| differs(&submit))
        };
        let content = b"\x05\x00\x03\x07\x03\x02\x94\xf6";
        assert_eq!(part(content, 2, 3), Ok(false));
        assert_eq!(part(content, 1, 1), Ok(false));
        assert_eq!(part(content, 1, 3), Ok(true));
        assert_eq!(part(content, 2, 2), Ok(true));
        assert_eq!(part(&content[..5], 2, 3), Err(Wrong::Header));
        assert_eq!(part(b"", 2, 3), Err(Wrong::Header));
        assert_eq!(part(b"\x06\x08\x04\x00\x07\x03\x02\x94\xf6", 2, 3), Ok(false));
        assert_eq!(part(b"\x05\x00\x03\x07\x03\x02\x94", 2, 3), Err(Wrong::Length));
    }
}
