//! Configuration text to typed values: every fault at once, each with its path, value, line and advice.
//!
//! Data flows one way: text → [`Node`] tree ([`parse`]) → overlay of one node of a pair ([`Node::overlay`]) →
//! typed values, read through [`Section`]s that note [`Fault`]s and go on → faults with their lines
//! ([`Faults::conclude`]).

mod address;
mod bound;
mod fault;
mod line;
mod name;
mod node;
mod overlay;
mod section;
mod setting;
#[cfg(test)]
mod tests;

pub use address::{Address, is_host_name, unbracket};
pub use bound::{between, not_zero, socket_path};
pub use fault::{Fault, Faults, Problem};
pub use line::{add_lines, in_order};
pub use name::Name;
pub use node::{Node, Path, Step, Value, parse};
pub use section::{Part, Section};
pub use setting::{Setting, format_duration, parse_duration};
