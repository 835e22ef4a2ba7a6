//! `servers:` of a pool.

use settings::{Node, Part, Section, Value, between};

use super::check;
use super::value::{limit, plain_name};
use crate::config::{Check, Host, Server};

/// `pool_check` is the pool's `check:` as written, over which the server's own is laid; `inherited` is what that
/// means for servers that have none.
pub(super) fn server(
    mut section: Section<'_>,
    pool_check: Option<&Node>,
    inherited: Option<&Check>,
    host: &dyn Host,
) -> Option<Server> {
    let name: Option<String> = section.required("name");
    if let Some(Err(problem)) = name.as_deref().map(plain_name) {
        section.fault("name", problem);
    }
    let address = section.required("address");
    let weight = section.checked("weight", 1, between(0, 1000));
    let priority = section.checked("priority", 1, between(1, 255));
    let max_connections = section.checked_or_off("max_connections", None, limit);
    let check = match section.part("check") {
        Part::Absent => inherited.cloned(),
        Part::Off => None,
        Part::Given(_) => own_check(&mut section, pool_check, host),
    };
    section.finish();
    Some(Server { name: name?, address: address?, weight, priority, max_connections, check })
}

fn own_check(section: &mut Section<'_>, pool_check: Option<&Node>, host: &dyn Host) -> Option<Check> {
    let own = section.node("check")?;
    let merged = match pool_check {
        Some(base) if matches!(base.value, Value::Map(_)) => fitting(base.clone(), own).overlay(own),
        _ => own.clone(),
    };
    Section::open(&merged, section.faults()).map(|section| check::check(section, host))
}

/// What of the pool's check goes for the server's `own`: keys that mean something else to its type, or nothing,
/// do not.
fn fitting(mut base: Node, own: &Node) -> Node {
    let pool_type = check_type(&base).unwrap_or("tcp").to_owned();
    let own_type = check_type(own).unwrap_or(&pool_type);
    if let Value::Map(entries) = &mut base.value {
        entries.retain(|(key, _)| check::is_shared(key, &pool_type, own_type));
    }
    base
}

fn check_type(check: &Node) -> Option<&str> {
    match &check.get("type")?.value {
        Value::Text(word) => Some(word),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::List(_) | Value::Map(_) => {
            None
        }
    }
}
