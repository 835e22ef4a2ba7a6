//! What a request says about who sends it: its `Authorization` header.

use axum::http::HeaderValue;

use crate::signature::SCHEME;

/// Not yet believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim<'a> {
    Signed {
        key: &'a str,
        time: &'a str,
        /// The same, read.
        millis: u64,
        nonce: &'a str,
        signature: &'a str,
    },
    Token(&'a str),
}

/// Of a nonce, in characters.
const NONCE: std::ops::RangeInclusive<usize> = 8..=64;

/// # Errors
/// What is wrong with the header, for the bank; nothing of its content.
pub fn read(header: Option<&HeaderValue>) -> Result<Claim<'_>, &'static str> {
    let header = header.ok_or("there is no Authorization header")?;
    let header = header.to_str().map_err(|_| "the Authorization header holds other characters than ASCII")?;
    let (scheme, rest) = header.trim().split_once(' ').ok_or("the Authorization header has no parameters")?;
    if scheme.eq_ignore_ascii_case("Bearer") {
        return Ok(Claim::Token(rest.trim()));
    }
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return Err("the scheme of the Authorization header is not known here");
    }
    let mut values = [None; 4];
    for parameter in rest.split(',') {
        let (name, value) = parameter.trim().split_once('=').ok_or("a parameter has no value")?;
        let place = NAMES.iter().position(|known| *known == name).ok_or("a parameter is not known here")?;
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let value = value.filter(|value| !value.contains('"')).ok_or("a value is not in quotes")?;
        if values[place].replace(value).is_some() {
            return Err("a parameter stands there twice");
        }
    }
    let [Some(key), Some(time), Some(nonce), Some(signature)] = values else {
        return Err("a parameter is missing: key, time, nonce and signature are needed");
    };
    let digits = time.bytes().all(|byte| byte.is_ascii_digit());
    let millis = time.parse().ok().filter(|_| digits).ok_or("the time is not in milliseconds since 1970")?;
    if !NONCE.contains(&nonce.len()) {
        return Err("the nonce does not have 8 to 64 characters");
    }
    Ok(Claim::Signed { key, time, millis, nonce, signature })
}

const NAMES: [&str; 4] = ["key", "time", "nonce", "signature"];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn claim(text: &str) -> Result<String, &'static str> {
        let header = HeaderValue::from_str(text).unwrap();
        read(Some(&header)).map(|claim| format!("{claim:?}"))
    }

    #[test]
    fn the_parameters_come_in_any_order() {
        let all = ["key=\"k\"", "time=\"12\"", "nonce=\"12345678\"", "signature=\"a+/=\""];
        let there = claim(&format!("{SCHEME} {}", all.join(", "))).unwrap();
        assert!(there.contains("millis: 12") && there.contains("a+/="), "{there}");
        let back: Vec<&str> = all.into_iter().rev().collect();
        assert_eq!(claim(&format!("smsline-hmac-sha256  {}", back.join(","))).unwrap(), there);
        assert_eq!(claim("bearer  t").unwrap(), "Token(\"t\")");
    }

    #[test]
    fn what_is_wrong_with_a_header_is_said() {
        let good = "key=\"k\", time=\"12\", nonce=\"12345678\", signature=\"s\"";
        let cases = [
            (String::new(), "no parameters"),
            ("Basic eDp5".to_owned(), "scheme"),
            (format!("{SCHEME} {good}, key=\"k\""), "twice"),
            (format!("{SCHEME} {good}, more=\"k\""), "not known here"),
            (format!("{SCHEME} {good}, more"), "no value"),
            (format!("{SCHEME} {}", good.replace("\"k\"", "k")), "quotes"),
            (format!("{SCHEME} {}", good.replace("key=\"k\", ", "")), "missing"),
            (format!("{SCHEME} {}", good.replace("12\"", "+1\"")), "milliseconds"),
            (format!("{SCHEME} {}", good.replace("12345678", "1234567")), "nonce"),
        ];
        for (text, expected) in cases {
            let error = claim(&text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert!(read(None).unwrap_err().contains("no Authorization"));
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_refused(text in "[ -~]{0,80}") {
            let header = HeaderValue::from_str(&text).unwrap();
            let _ = read(Some(&header));
        }
    }
}
