//! A message of a bank, out of JSON: every value is looked at, and what is wrong is said without repeating it.

use std::collections::BTreeSet;

use domain::number::NumberError;
use domain::text::SplitSettings;
use domain::{BankReference, Class, Limits, Millis, Number, Preference, split};
use serde_json::{Map, Value};

use crate::problem::{Code, Problem};

/// 2100-01-01 in Beijing: PDUs name no later moment.
const BEYOND: u64 = 4_102_416_000_000;
/// Digits behind the access number, which has eight or more of the twenty that there are.
const EXTENSION: usize = 12;

/// What a message must keep to.
#[derive(Clone, Debug)]
pub struct Rules {
    pub classes: BTreeSet<Class>,
    pub most_parts: u8,
}

/// A message that can be accepted, but for recipients that are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessage {
    pub reference: BankReference,
    /// As they were written, and as they are meant.
    pub to: Vec<(String, Result<Number, Problem>)>,
    pub text: String,
    pub class: Class,
    pub report: bool,
    pub extension: String,
    pub priority: u8,
    pub not_after: Option<Millis>,
}

/// The messages of a request.
///
/// # Errors
/// The request as a whole is none.
pub fn messages(body: &[u8]) -> Result<Vec<Value>, Problem> {
    let text = std::str::from_utf8(body).map_err(|error| {
        Problem::new(Code::NotUtf8, format!("byte {} of the body is not UTF-8", error.valid_up_to()))
    })?;
    let body: Value = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let message = if error.is_eof() {
            format!("the body ends in the middle of its JSON, at line {line}, column {column}")
        } else {
            format!("the body is not JSON, at line {line}, column {column}")
        };
        Problem::new(Code::NotJson, message)
    })?;
    let Value::Object(mut body) = body else {
        return Err(Problem::new(Code::NoMessages, "the body is not an object"));
    };
    match body.remove("messages") {
        Some(Value::Array(messages)) if !messages.is_empty() && body.is_empty() => Ok(messages),
        Some(Value::Array(messages)) if messages.is_empty() => {
            Err(Problem::new(Code::NoMessages, "`messages` is empty"))
        }
        Some(Value::Array(_)) => {
            Err(Problem::new(Code::NoMessages, "beside `messages` there is something that is not known"))
        }
        Some(_) => Err(Problem::new(Code::NoMessages, "`messages` is not a list")),
        None => Err(Problem::new(Code::NoMessages, "`messages` is missing")),
    }
}

/// How many recipients a message seems to have, without a closer look.
#[must_use]
pub fn recipients(message: &Value) -> usize {
    match message.get("to") {
        Some(Value::Array(to)) => to.len().max(1),
        _ => 1,
    }
}

/// One message. `now`: `None` if the time of day cannot be believed.
///
/// # Errors
/// The first thing that is wrong, with the reference if that is right.
pub fn message(
    value: Value,
    rules: &Rules,
    now: Option<Millis>,
) -> Result<NewMessage, (Option<String>, Problem)> {
    let Value::Object(mut keys) = value else {
        return Err((None, Problem::new(Code::BadMessage, "this message is not an object")));
    };
    let reference = reference(&mut keys).map_err(|problem| (None, problem))?;
    let shown = reference.to_string();
    rest(keys, reference, rules, now).map_err(|problem| (Some(shown), problem))
}

fn rest(
    mut keys: Map<String, Value>,
    reference: BankReference,
    rules: &Rules,
    now: Option<Millis>,
) -> Result<NewMessage, Problem> {
    let message = NewMessage {
        reference,
        to: to(&mut keys)?,
        text: text(&mut keys, rules)?,
        class: class(&mut keys, rules)?,
        report: report(&mut keys)?,
        extension: extension(&mut keys)?,
        priority: priority(&mut keys)?,
        not_after: not_after(&mut keys, now)?,
    };
    match keys.keys().next() {
        None => Ok(message),
        Some(key) => Err(Problem::new(Code::UnknownField, unknown(key))),
    }
}

/// A key is repeated only if it can hold nothing personal.
fn unknown(key: &str) -> String {
    let plain = key.len() <= 32 && key.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if plain { format!("`{key}` is not a key of a message") } else { "a key is not known".to_owned() }
}

fn reference(keys: &mut Map<String, Value>) -> Result<BankReference, Problem> {
    let problem = |message: String| Problem::new(Code::BadReference, message);
    match keys.remove("reference") {
        Some(Value::String(text)) => text.parse().map_err(|error| match error {
            domain::id::NameError::Character(_) => {
                problem("`reference` holds other characters than letters, digits and . _ : -".to_owned())
            }
            other => problem(format!("`reference` {other}")),
        }),
        Some(_) => Err(problem("`reference` is not a text".to_owned())),
        None => Err(problem("`reference` is missing".to_owned())),
    }
}

type Recipients = Vec<(String, Result<Number, Problem>)>;

fn to(keys: &mut Map<String, Value>) -> Result<Recipients, Problem> {
    let problem = |message: &str| Problem::new(Code::BadNumber, message);
    match keys.remove("to") {
        Some(Value::String(number)) => Ok(vec![recipient(number)]),
        Some(Value::Array(numbers)) if !numbers.is_empty() => numbers
            .into_iter()
            .map(|number| match number {
                Value::String(number) => Ok(recipient(number)),
                _ => Err(problem("`to` holds something else than texts of digits")),
            })
            .collect(),
        Some(Value::Array(_)) => Err(problem("`to` is empty")),
        Some(_) => Err(problem("`to` is neither a text of digits nor a list of such")),
        None => Err(problem("`to` is missing")),
    }
}

/// However it is written, it is one recipient: `+8613800138000` is `13800138000`.
fn recipient(written: String) -> (String, Result<Number, Problem>) {
    let read = number(&written);
    (written, read.map_err(|error| Problem::new(Code::BadNumber, format!("the number {error}"))))
}

/// A recipient's number in the form that it has on the platform.
///
/// # Errors
/// It is none.
pub fn number(written: &str) -> Result<Number, NumberError> {
    written.parse::<Number>()?.national().parse()
}

fn text(keys: &mut Map<String, Value>, rules: &Rules) -> Result<String, Problem> {
    let problem = |message: &str| Problem::new(Code::BadText, message);
    let text = match keys.remove("text") {
        Some(Value::String(text)) => text,
        Some(_) => return Err(problem("`text` is not a text")),
        None => return Err(problem("`text` is missing")),
    };
    if text.trim().is_empty() {
        return Err(problem("`text` is empty"));
    }
    // no store and no carrier keeps it
    if text.contains('\0') {
        return Err(problem("`text` holds the character U+0000"));
    }
    let settings = SplitSettings {
        preference: Preference::Ucs2,
        reference_width: domain::text::ReferenceWidth::Eight,
        limits: Limits::smgp(),
        most_parts: rules.most_parts,
    };
    split(&text, &settings, 0).map_err(|error| Problem::new(Code::TextTooLong, error.to_string()))?;
    Ok(text)
}

fn class(keys: &mut Map<String, Value>, rules: &Rules) -> Result<Class, Problem> {
    let known = || {
        let known: Vec<&str> = rules.classes.iter().map(Class::as_str).collect();
        known.join(", ")
    };
    let problem =
        |message: &str| Problem::new(Code::UnknownClass, format!("{message}; known are {}", known()));
    match keys.remove("class") {
        Some(Value::String(class)) => {
            let found = rules.classes.iter().find(|known| known.as_str() == class);
            found.cloned().ok_or_else(|| problem("`class` is none that is known"))
        }
        Some(_) => Err(problem("`class` is not a text")),
        None => Err(problem("`class` is missing")),
    }
}

fn report(keys: &mut Map<String, Value>) -> Result<bool, Problem> {
    match keys.remove("report") {
        None | Some(Value::Null) => Ok(true),
        Some(Value::Bool(report)) => Ok(report),
        Some(_) => Err(Problem::new(Code::BadReport, "`report` is neither true nor false")),
    }
}

fn extension(keys: &mut Map<String, Value>) -> Result<String, Problem> {
    match keys.remove("extension") {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(digits))
            if digits.len() <= EXTENSION && digits.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            Ok(digits)
        }
        Some(_) => Err(Problem::new(Code::BadExtension, "`extension` is no text of up to 12 digits")),
    }
}

fn priority(keys: &mut Map<String, Value>) -> Result<u8, Problem> {
    let problem = || Problem::new(Code::BadPriority, "`priority` is no whole number from 0 to 9");
    match keys.remove("priority") {
        None | Some(Value::Null) => Ok(0),
        Some(value) => {
            let priority = value.as_u64().and_then(|value| u8::try_from(value).ok());
            priority.filter(|priority| *priority <= 9).ok_or_else(problem)
        }
    }
}

fn not_after(keys: &mut Map<String, Value>, now: Option<Millis>) -> Result<Option<Millis>, Problem> {
    let problem = |message: String| Problem::new(Code::BadNotAfter, message);
    let value = match keys.remove("not_after") {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let at = value.as_u64().ok_or_else(|| problem("`not_after` is no whole number".to_owned()))?;
    if at >= BEYOND {
        return Err(problem("`not_after` is beyond 2099".to_owned()));
    }
    match now {
        Some(now) if at <= now.0 => Err(problem(format!("`not_after` is in the past; it is {} here", now.0))),
        _ => Ok(Some(Millis(at))),
    }
}

#[cfg(test)]
mod tests;
