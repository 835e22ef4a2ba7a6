//! Node numbers: who speaks, in the first word of a sequence.
//!
//! | node | number       |
//! |------|--------------|
//! | SMG  | `1AAAAX`     |
//! | SMSC | `2AAAAX`     |
//! | SP   | `3AAAAQQQQQ` |
//! | GNS  | `4AAAAX`     |
//!
//! AAAA is the area code with its leading 0, filled with 0 on the right (`010` is 0100), X a number in the area,
//! QQQQQ the enterprise code.

use thiserror::Error;

/// Why there is no node number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NodeError {
    #[error("an area code has 3 or 4 digits and begins with 0, as in 010 or 0755")]
    Area,
    #[error("an enterprise code is at most 99999")]
    Enterprise,
    #[error("a gateway's number in its area is at most 9")]
    Gateway,
}

/// The node number of an SP; greater than `i32` holds.
///
/// # Errors
/// `area` is no area code, or `enterprise` has more than five digits.
pub fn sp(area: &str, enterprise: u32) -> Result<u32, NodeError> {
    if enterprise > 99_999 {
        return Err(NodeError::Enterprise);
    }
    Ok(3_000_000_000 + four_digits(area)? * 100_000 + enterprise)
}

/// The node number of a gateway (SMG).
///
/// # Errors
/// `area` is no area code, or `index` has more than one digit.
pub fn smg(area: &str, index: u8) -> Result<u32, NodeError> {
    if index > 9 {
        return Err(NodeError::Gateway);
    }
    Ok(100_000 + four_digits(area)? * 10 + u32::from(index))
}

fn four_digits(area: &str) -> Result<u32, NodeError> {
    let digits = area.bytes().all(|digit| digit.is_ascii_digit());
    if !digits || !area.starts_with('0') || !matches!(area.len(), 3 | 4) {
        return Err(NodeError::Area);
    }
    let number = area.parse::<u32>().map_err(|_| NodeError::Area)?;
    Ok(if area.len() == 3 { number * 10 } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sp_is_numbered_by_area_and_enterprise() {
        assert_eq!(sp("010", 12_345), Ok(3_010_012_345));
        assert_eq!(sp("0755", 7), Ok(3_075_500_007));
        assert_eq!(sp("0999", 99_999), Ok(3_099_999_999));
        assert_eq!(smg("010", 1), Ok(101_001));
    }

    #[test]
    fn what_has_no_number_says_why() {
        for area in ["", "10", "755", "0", "01", "07555", "0x5", "+10"] {
            assert_eq!(sp(area, 1), Err(NodeError::Area), "{area}");
        }
        assert_eq!(sp("010", 100_000), Err(NodeError::Enterprise));
        assert_eq!(smg("010", 10), Err(NodeError::Gateway));
    }
}
