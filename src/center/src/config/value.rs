//! Values that only this file has.

use runtime::config::secret;
use settings::{Node, Problem, Section, Setting};

use super::Token;
use super::read::HOST;

/// A shorter token could be guessed.
const SHORTEST_TOKEN: usize = 16;

/// The first digits of access numbers; `default` is the empty prefix.
#[derive(Clone, Debug)]
pub(super) struct Prefix(pub(super) String);

impl Setting for Prefix {
    const EXPECTED: &'static str = "the first digits of access numbers such as \"106900\", or default";

    fn read(node: &Node) -> Result<Self, Problem> {
        let text = String::read(node)?;
        match text.as_str() {
            "default" => Ok(Self(String::new())),
            digits if digits.len() <= 20 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Ok(Self(text))
            }
            _ => Err(Problem::new("this is no prefix of a number", format!("write {}", Self::EXPECTED))),
        }
    }
}

/// Reads `token`, or what is in `token_file`.
pub(super) fn token(section: &mut Section<'_>) -> Option<Token> {
    secret(section, ("token", "token_file"), &HOST, |text| long_enough(&text))
}

fn long_enough(text: &str) -> Result<Token, Problem> {
    let plain = text.bytes().all(|byte| matches!(byte, b'!'..=b'~'));
    match text.len() {
        _ if !plain => Err(Problem::new(
            "this holds other characters than printable ASCII",
            "take one from `openssl rand -hex 32`",
        )),
        0..SHORTEST_TOKEN => {
            let problem = format!("this is shorter than {SHORTEST_TOKEN} characters");
            Err(Problem::new(problem, "take one from `openssl rand -hex 32`"))
        }
        _ => Ok(Token::of(text)),
    }
}
